"""A reason says why work is not billed: a code of the closed list, the object that blocks, and what removes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal

from domain.contract import CapPolicy
from domain.engagement import Engagement
from domain.kernel import Refused, StreamId
from domain.lots import Lot
from domain.project import Project
from domain.reference.customer import Customer
from domain.reference.legal_entity import LegalEntity
from domain.reference.tax_rule import TaxRules

OwnerRole = Literal["worker", "project_manager", "finance_preparer", "finance_approver", "integration"]


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


@dataclass(frozen=True, slots=True)
class Policy:
    """Under which policy the question is asked whether work may be billed; as it is, it changes nothing.

    ``lets_pass`` are reasons that do not block. ``cap_policy`` stands in the place of that of every cap, ``today`` in
    the place of the last day that has begun.
    """

    lets_pass: frozenset[ReasonCode] = frozenset()
    cap_policy: CapPolicy | None = None
    today: date | None = None


AS_IT_IS: Final = Policy()
"""The policy of the day, nothing changed."""


def soft(names: Iterable[str]) -> frozenset[ReasonCode]:
    """The reasons of these names that a policy may let pass, or ReasonAlwaysBlocks."""
    found = frozenset(code for code in SOFT if code.value in frozenset(names))
    if strangers := sorted(frozenset(names) - {code.value for code in found}):
        raise ReasonAlwaysBlocks(", ".join(strangers))
    return found


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """Work that is not rated yet: an entry or an expense line, where it stands, and why it could not be rated.

    ``stream`` holds it. ``status`` is captured, submitted, approved or rejected. ``was_revoked``: it had been approved.
    """

    stream: StreamId
    status: str
    resource: str
    work_date: date
    task: str | None = None
    was_revoked: bool = False
    unrated_code: str | None = None
    unrated_detail: str = ""
    receipt_missing: bool = False

    @property
    def day(self) -> date:
        return self.work_date

    @property
    def person(self) -> str | None:
        return self.resource

    def line_in(self, context: Context) -> str | None:
        """The contract line that would pay for it; None while its project is unknown."""
        project = context.project
        return project.line_of(self.task) if project and project.created else None


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason for which a lot was held, in words; ``event`` and ``since`` where the asker needs to know them."""

    code: str
    because: str
    event: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class LotFacts:
    """An open lot and the stream that holds it, what it was held for, and until when somebody postponed it."""

    stream: StreamId
    lot: Lot
    receipt_missing: bool = False
    holds: tuple[Hold, ...] = ()
    postponed_until: date | None = None

    @property
    def day(self) -> date:
        return self.lot.work_date

    @property
    def person(self) -> str | None:
        return self.lot.resource

    def line_in(self, _context: Context) -> str | None:
        """The contract line that pays for it."""
        return self.lot.line


Subject = EntryFacts | LotFacts
"""What is decided about: work on its way to a lot, or an open lot."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the decision depends on besides the work itself, as it stands at one position of the log.

    ``today`` is the last day that has begun, None before the calendar runs. ``policy`` is what the decision is made
    under.
    """

    engagement: Engagement
    project: Project | None
    customer: Customer
    entity: LegalEntity
    tax_rules: TaxRules
    today: date | None = None
    policy: Policy = AS_IT_IS


@dataclass(frozen=True, slots=True)
class Blocker:
    """One reason: the object that blocks, the events that may have caused it, who can remove it, and how.

    ``caused_by`` are published event names; the latest of them on ``blocking`` says since when. When none happened,
    something is missing since the work itself was recorded. ``event`` and ``since`` say so themselves where the rule
    knows them.
    """

    code: ReasonCode
    blocking: StreamId
    caused_by: tuple[str, ...]
    owner_role: OwnerRole
    what_to_do: str
    resolves_itself: bool = False
    event: str | None = None
    since: datetime | None = None
