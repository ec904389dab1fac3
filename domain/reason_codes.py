"""The closed list of reasons why work is not billed, and those of them that a policy may let pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.kernel import Refused


class ReasonCode(StrEnum):
    """Why work is not billed: a closed list, a contract with every program that reads it."""

    NOT_SUBMITTED = "NOT_SUBMITTED"
    NOT_APPROVED = "NOT_APPROVED"
    APPROVAL_REVOKED = "APPROVAL_REVOKED"
    REJECTED = "REJECTED"
    APPROVER_REDUCED = "APPROVER_REDUCED"
    DUPLICATE_ENTRY = "DUPLICATE_ENTRY"
    LATE_ENTRY_AFTER_CUTOFF = "LATE_ENTRY_AFTER_CUTOFF"
    WORK_DATE_OUTSIDE_ASSIGNMENT = "WORK_DATE_OUTSIDE_ASSIGNMENT"
    HOURS_EXCEED_DAILY_LIMIT = "HOURS_EXCEED_DAILY_LIMIT"
    RECEIPT_MISSING = "RECEIPT_MISSING"
    EXPENSE_POLICY_VIOLATION = "EXPENSE_POLICY_VIOLATION"
    NO_CONTRACT_LINE = "NO_CONTRACT_LINE"
    CONTRACT_NOT_SIGNED = "CONTRACT_NOT_SIGNED"
    CONTRACT_ON_HOLD = "CONTRACT_ON_HOLD"
    CONTRACT_ENDED = "CONTRACT_ENDED"
    WORK_DATE_BEFORE_START = "WORK_DATE_BEFORE_START"
    WORK_DATE_AFTER_END = "WORK_DATE_AFTER_END"
    PROJECT_INTERNAL = "PROJECT_INTERNAL"
    PROJECT_BILLING_HOLD = "PROJECT_BILLING_HOLD"
    CHANGE_ORDER_PENDING = "CHANGE_ORDER_PENDING"
    TASK_NOT_CHARGEABLE = "TASK_NOT_CHARGEABLE"
    ROLE_NOT_CHARGEABLE = "ROLE_NOT_CHARGEABLE"
    CATEGORY_NOT_CHARGEABLE = "CATEGORY_NOT_CHARGEABLE"
    INCLUDED_IN_FIXED_FEE = "INCLUDED_IN_FIXED_FEE"
    COMPLIMENTARY = "COMPLIMENTARY"
    PO_MISSING = "PO_MISSING"
    PO_EXPIRED = "PO_EXPIRED"
    PO_EXHAUSTED = "PO_EXHAUSTED"
    NO_RATE = "NO_RATE"
    ZERO_RATE_UNCONFIRMED = "ZERO_RATE_UNCONFIRMED"
    AMBIGUOUS_RATE = "AMBIGUOUS_RATE"
    RATE_PENDING_APPROVAL = "RATE_PENDING_APPROVAL"
    FX_RATE_MISSING = "FX_RATE_MISSING"
    TAX_UNDETERMINED = "TAX_UNDETERMINED"
    CUSTOMER_TAX_ID_INVALID = "CUSTOMER_TAX_ID_INVALID"
    CAP_EXCEEDED = "CAP_EXCEEDED"
    RETAINER_EXHAUSTED = "RETAINER_EXHAUSTED"
    RETAINER_NOT_INVOICED = "RETAINER_NOT_INVOICED"
    MILESTONE_NOT_ACCEPTED = "MILESTONE_NOT_ACCEPTED"
    MILESTONE_EVIDENCE_MISSING = "MILESTONE_EVIDENCE_MISSING"
    PREDECESSOR_INCOMPLETE = "PREDECESSOR_INCOMPLETE"
    SCHEDULE_NOT_DUE = "SCHEDULE_NOT_DUE"
    BELOW_MINIMUM_INVOICE = "BELOW_MINIMUM_INVOICE"
    POSTPONED_BY_USER = "POSTPONED_BY_USER"
    DISPUTED = "DISPUTED"
    CUSTOMER_NOT_SYNCED = "CUSTOMER_NOT_SYNCED"
    PROJECT_NOT_SYNCED = "PROJECT_NOT_SYNCED"
    BILL_TO_MISSING = "BILL_TO_MISSING"
    CUSTOMER_BLOCKED = "CUSTOMER_BLOCKED"
    ENTITY_NOT_MAPPED = "ENTITY_NOT_MAPPED"
    ACCOUNT_MAPPING_MISSING = "ACCOUNT_MAPPING_MISSING"
    PERIOD_CLOSED = "PERIOD_CLOSED"
    ERP_REJECTED = "ERP_REJECTED"
    INTERCOMPANY_AGREEMENT_MISSING = "INTERCOMPANY_AGREEMENT_MISSING"
    TRANSFER_PRICE_MISSING = "TRANSFER_PRICE_MISSING"
    STALE_SOURCE = "STALE_SOURCE"
    RESERVED_ON_DRAFT = "RESERVED_ON_DRAFT"
    ALREADY_BILLED = "ALREADY_BILLED"
    WRITTEN_OFF = "WRITTEN_OFF"
    TRANSFERRED = "TRANSFERRED"
    SUPERSEDED = "SUPERSEDED"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a reason says, and what removes it."""

    says: str
    goes_when: str


MEANINGS: Final[Mapping[ReasonCode, Meaning]] = {
    ReasonCode.NOT_SUBMITTED: Meaning("The work was told and not handed in.", "It is submitted."),
    ReasonCode.NOT_APPROVED: Meaning("The work waits for its approver.", "It is approved or rejected."),
    ReasonCode.APPROVAL_REVOKED: Meaning("An approval was taken back.", "The work is approved again."),
    ReasonCode.REJECTED: Meaning("The approver sent the work back.", "It is corrected."),
    ReasonCode.APPROVER_REDUCED: Meaning(
        "The approver lets fewer hours be billed than were worked.", "More are approved."
    ),
    ReasonCode.DUPLICATE_ENTRY: Meaning(
        "One system told the same hours twice.", "One telling is withdrawn or corrected, or the hold is lifted."
    ),
    ReasonCode.LATE_ENTRY_AFTER_CUTOFF: Meaning(
        "The work was told after the cut-off of its month.",
        "The billing day of the next month comes, or the cut-off is moved.",
    ),
    ReasonCode.WORK_DATE_OUTSIDE_ASSIGNMENT: Meaning(
        "The person was not assigned to the project on that day.", "The person is assigned."
    ),
    ReasonCode.HOURS_EXCEED_DAILY_LIMIT: Meaning(
        "The person has more hours on that day than the employer lets pass.",
        "The hours are corrected, or the hold is lifted.",
    ),
    ReasonCode.RECEIPT_MISSING: Meaning("An expense that is passed on has no receipt.", "It is told with its receipt."),
    ReasonCode.EXPENSE_POLICY_VIOLATION: Meaning(
        "An expense is over the limit of its category.", "The hold is lifted."
    ),
    ReasonCode.NO_CONTRACT_LINE: Meaning("No contract line pays for the work.", "The line is agreed."),
    ReasonCode.CONTRACT_NOT_SIGNED: Meaning("The engagement is not signed.", "The signature is recorded."),
    ReasonCode.CONTRACT_ON_HOLD: Meaning("Billing of the engagement is stopped.", "The hold is lifted."),
    ReasonCode.CONTRACT_ENDED: Meaning(
        "The promise was fulfilled before the day of the work.", "The customer signs anew."
    ),
    ReasonCode.WORK_DATE_BEFORE_START: Meaning(
        "The work was done before the engagement starts.", "An earlier start is signed."
    ),
    ReasonCode.WORK_DATE_AFTER_END: Meaning(
        "The work was done after the engagement or its project ended.",
        "A later end is signed, or the project is closed later.",
    ),
    ReasonCode.PROJECT_INTERNAL: Meaning("The project is not for a customer.", "The work is moved."),
    ReasonCode.PROJECT_BILLING_HOLD: Meaning("Billing of the project is stopped.", "The hold is released."),
    ReasonCode.CHANGE_ORDER_PENDING: Meaning(
        "A change order for the work is not decided.", "It is approved or rejected."
    ),
    ReasonCode.TASK_NOT_CHARGEABLE: Meaning("Nobody pays for the task.", "The task becomes chargeable."),
    ReasonCode.ROLE_NOT_CHARGEABLE: Meaning(
        "The customer does not pay for the person on this project.", "The assignment becomes chargeable."
    ),
    ReasonCode.CATEGORY_NOT_CHARGEABLE: Meaning(
        "The customer does not pay for expenses of this kind.", "The terms of the line change."
    ),
    ReasonCode.INCLUDED_IN_FIXED_FEE: Meaning(
        "The hours are part of a fixed price.", "The line becomes one that bills hours."
    ),
    ReasonCode.COMPLIMENTARY: Meaning("The work was given free.", "It is corrected and rated anew."),
    ReasonCode.PO_MISSING: Meaning("The customer wants a purchase order, and there is none.", "It is recorded."),
    ReasonCode.PO_EXPIRED: Meaning("The purchase order ended before the day of the work.", "A longer one is recorded."),
    ReasonCode.PO_EXHAUSTED: Meaning(
        "The purchase order is used up, or what is left of it does not pay for all of the lot.",
        "A larger or a further one is recorded.",
    ),
    ReasonCode.NO_RATE: Meaning("No row of a rate card matches.", "A rate is set."),
    ReasonCode.ZERO_RATE_UNCONFIRMED: Meaning(
        "The rate is zero, and nobody has said that it is meant.", "It is confirmed, or a rate is set."
    ),
    ReasonCode.AMBIGUOUS_RATE: Meaning("Two rows of a rate card match equally.", "One is withdrawn."),
    ReasonCode.RATE_PENDING_APPROVAL: Meaning("The row that matches waits for its approval.", "It is approved."),
    ReasonCode.FX_RATE_MISSING: Meaning("The exchange rate of the day is missing.", "It is published."),
    ReasonCode.TAX_UNDETERMINED: Meaning(
        "Nobody can say how the work is taxed.", "A rule is set, or the customer is described better."
    ),
    ReasonCode.CUSTOMER_TAX_ID_INVALID: Meaning("The customer's tax id is not well formed.", "It is corrected."),
    ReasonCode.CAP_EXCEEDED: Meaning("The work is over a cap.", "The cap is raised."),
    ReasonCode.RETAINER_EXHAUSTED: Meaning(
        "The retainer is used up, and what is beyond it is not billed.", "A further one is granted."
    ),
    ReasonCode.RETAINER_NOT_INVOICED: Meaning(
        "The retainer that pays for the work may not be used yet.", "Its invoice is issued, or paid."
    ),
    ReasonCode.MILESTONE_NOT_ACCEPTED: Meaning(
        "The customer has not accepted the milestone.", "The acceptance is recorded."
    ),
    ReasonCode.MILESTONE_EVIDENCE_MISSING: Meaning(
        "Nothing shows that the customer accepted the milestone.", "The acceptance is recorded with its evidence."
    ),
    ReasonCode.PREDECESSOR_INCOMPLETE: Meaning("An earlier milestone is not accepted.", "It is accepted."),
    ReasonCode.SCHEDULE_NOT_DUE: Meaning("The day of the instalment has not come.", "The day comes."),
    ReasonCode.BELOW_MINIMUM_INVOICE: Meaning(
        "What the engagement can bill is less than the least invoice of the entity.",
        "More work comes, or the minimum is lowered.",
    ),
    ReasonCode.POSTPONED_BY_USER: Meaning(
        "Somebody postponed the work.", "Its day comes, or the postponement is taken back."
    ),
    ReasonCode.DISPUTED: Meaning("The customer disputes the work.", "The hold is lifted."),
    ReasonCode.CUSTOMER_NOT_SYNCED: Meaning(
        "A system that has to know the customer does not.", "The name that the customer has there is assigned."
    ),
    ReasonCode.PROJECT_NOT_SYNCED: Meaning("A system does not know the project yet.", "It confirms the set-up."),
    ReasonCode.BILL_TO_MISSING: Meaning("The customer's billing address is incomplete.", "It is completed."),
    ReasonCode.CUSTOMER_BLOCKED: Meaning("Nothing is billed to the customer.", "The customer is unblocked."),
    ReasonCode.ENTITY_NOT_MAPPED: Meaning("The selling legal entity is not known.", "It is defined."),
    ReasonCode.ACCOUNT_MAPPING_MISSING: Meaning(
        "The ERP has no account for what would be posted.", "The account is mapped."
    ),
    ReasonCode.PERIOD_CLOSED: Meaning(
        "The month of today is closed in the books of the entity.", "It is reopened, or the next month begins."
    ),
    ReasonCode.ERP_REJECTED: Meaning("A system refused to set the project up.", "It confirms the set-up."),
    ReasonCode.INTERCOMPANY_AGREEMENT_MISSING: Meaning(
        "Another entity did the work, and no agreement says what it charges.", "The agreement is stated."
    ),
    ReasonCode.TRANSFER_PRICE_MISSING: Meaning(
        "The agreement between the entities gives no price for the work.", "The agreement is completed."
    ),
    ReasonCode.STALE_SOURCE: Meaning(
        "The system that told the hours has been silent for too long.", "It is heard again."
    ),
    ReasonCode.RESERVED_ON_DRAFT: Meaning("The work is on a draft.", "The draft is discarded."),
    ReasonCode.ALREADY_BILLED: Meaning(
        "The work is on an issued invoice, or a retainer paid for it.", "It is credited, or given back to the retainer."
    ),
    ReasonCode.WRITTEN_OFF: Meaning("The work was given up.", "It is corrected and rated anew."),
    ReasonCode.TRANSFERRED: Meaning(
        "The work is billed to another engagement or customer.", "It is corrected and rated anew."
    ),
    ReasonCode.SUPERSEDED: Meaning("Another lot stands in the place of this one.", "Nothing: the other one tells."),
}
"""What each reason says, for people."""


SOFT: Final = frozenset(
    {
        ReasonCode.LATE_ENTRY_AFTER_CUTOFF,
        ReasonCode.WORK_DATE_OUTSIDE_ASSIGNMENT,
        ReasonCode.HOURS_EXCEED_DAILY_LIMIT,
        ReasonCode.RECEIPT_MISSING,
        ReasonCode.EXPENSE_POLICY_VIOLATION,
        ReasonCode.CHANGE_ORDER_PENDING,
        ReasonCode.PO_MISSING,
        ReasonCode.PO_EXPIRED,
        ReasonCode.PO_EXHAUSTED,
        ReasonCode.FX_RATE_MISSING,
        ReasonCode.BELOW_MINIMUM_INVOICE,
        ReasonCode.CUSTOMER_NOT_SYNCED,
        ReasonCode.PROJECT_NOT_SYNCED,
        ReasonCode.ACCOUNT_MAPPING_MISSING,
        ReasonCode.INTERCOMPANY_AGREEMENT_MISSING,
        ReasonCode.TRANSFER_PRICE_MISSING,
        ReasonCode.STALE_SOURCE,
    }
)
"""The reasons that a policy may let pass: an invoice could be made all the same. All others always block."""


class ReasonAlwaysBlocks(Refused):
    """Some reasons block whatever the policy says."""

    code = "policy.reason_always_blocks"
    fix = "Name only reasons that a policy may let pass; all others have to be cured."


def soft(names: Iterable[str]) -> frozenset[str]:
    """These names, if each is that of a reason that a policy may let pass, or ReasonAlwaysBlocks."""
    told = frozenset(names)
    if strangers := sorted(told - {code.value for code in SOFT}):
        raise ReasonAlwaysBlocks(", ".join(strangers))
    return told
