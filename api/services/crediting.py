"""Services around credit notes: draft, approve, issue, discard, deliver; and work that is billed to somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Final, get_args

from typing_extensions import Doc

from api.services.drafts import LotInput
from api.services.service import Amount, Call, Decision, InputIncomplete, Service
from domain.billing import crediting
from domain.billing.credit_wishes import CreditWish
from domain.credit_note import (
    ApprovedCredit,
    Credit,
    CreditForm,
    DeliverCreditNote,
    DiscardedCredit,
    DraftedCredit,
    IssuedCredit,
    RebillTo,
    credit_note_stream,
)
from domain.invoice import Issued
from domain.kernel import Addressed
from domain.lots import Disposition
from domain.ports import engagement_of, invoice_of

_FORMS: Final[dict[str, CreditForm]] = {each: each for each in get_args(CreditForm)}
_DISPOSITIONS: Final[dict[str, Disposition]] = {each: each for each in get_args(Disposition)}


@dataclass(frozen=True)
class CreditedPartInput:
    """What is credited of one invoice line, and what becomes of it."""

    line: Annotated[int, Doc("The number of the invoice's line.")]
    lot: Annotated[str | None, Doc("Only this lot, as the invoice names it; left out, the newest work first.")] = None
    quantity: Annotated[Decimal | None, Doc("So many hours or units; left out, all that is left.")] = None
    amount: Annotated[
        Amount | None,
        Doc("Instead of a quantity: so much of what the line asks for before allowances, or of what the lot is worth."),
    ] = None
    disposition: Annotated[
        str, Doc("rebill, rebill_elsewhere (another engagement or customer), write_off or non_billable.")
    ] = "rebill"
    engagement: Annotated[str | None, Doc("For rebill_elsewhere: the engagement that is billed instead.")] = None
    contract_line: Annotated[str | None, Doc("For rebill_elsewhere: its contract line.")] = None
    customer: Annotated[str | None, Doc("For rebill_elsewhere: who pays; by default the engagement's customer.")] = None
    project: Annotated[str | None, Doc("For rebill_elsewhere: the project that it belongs to there, if any.")] = None


@dataclass(frozen=True)
class DraftCreditNoteInput:
    """What to credit of an issued invoice; a dry run shows the credit note that it would make."""

    invoice: Annotated[str, Doc("The issued invoice, paid or not.")]
    parts: Annotated[tuple[CreditedPartInput, ...], Doc("The lines, lots and quantities.")]
    reason: Annotated[str, Doc("Why, as the customer and auditors will read it.")]
    form: Annotated[str, Doc("381 for a credit note, 380 for a negative invoice (UNTDID 1001).")] = "381"
    credit_note: Annotated[str | None, Doc("The id of the draft; left out, one is made.")] = None


def draft_credit_note(asked: DraftCreditNoteInput, call: Call) -> Decision:
    """Draft a credit note of lines, lots and quantities of an invoice; nothing is reopened until it is issued."""
    state = invoice_of(call.read, asked.invoice)
    if isinstance(state, Issued):
        call.require_entity(state.document.header.selling_entity)
    else:
        call.require_firm()
    if asked.form not in _FORMS:
        raise InputIncomplete(f"form is one of {', '.join(_FORMS)}.")
    credit_note = asked.credit_note or call.new_id("CN", asked.invoice)
    wishes = [_wish(each, call) for each in asked.parts]
    commands = crediting.draft_credit_note(
        call.read, credit_note, asked.invoice, wishes, form=_FORMS[asked.form], reason=asked.reason, by=call.actor
    )
    return Decision(commands, (credit_note_stream(credit_note),))


def _wish(part: CreditedPartInput, call: Call) -> CreditWish:
    if part.disposition not in _DISPOSITIONS:
        raise InputIncomplete(f"disposition is one of {', '.join(_DISPOSITIONS)}.")
    if part.quantity is not None and part.amount is not None:
        raise InputIncomplete("Name a quantity or an amount, not both.")
    amount = part.amount.money if part.amount else None
    elsewhere = _elsewhere(part.engagement, part.contract_line, part.customer, part.project, call)
    return CreditWish(part.line, part.lot, part.quantity, amount, _DISPOSITIONS[part.disposition], elsewhere)


def _elsewhere(
    engagement: str | None, line: str | None, customer: str | None, project: str | None, call: Call
) -> RebillTo | None:
    if engagement is None and line is None:
        return None
    if engagement is None or line is None:
        raise InputIncomplete("engagement and contractLine belong together.")
    call.require_engagement(engagement)
    return RebillTo(engagement, line, customer, project or "")


@dataclass(frozen=True)
class ApproveCreditNoteInput:
    """A credit note to release for issue."""

    credit_note: Annotated[str, Doc("The draft.")]
    approved_on: Annotated[date | None, Doc("The business day of the approval; by default now.")] = None


def approve_credit_note(asked: ApproveCreditNoteInput, call: Call) -> Decision:
    """Release a credit note for issue; nobody approves what they prepared above the entity's limit."""
    _credit(asked.credit_note, call)
    at = datetime.combine(asked.approved_on, time(12), call.now.tzinfo) if asked.approved_on else call.now
    commands = crediting.approve_credit_note(call.read, asked.credit_note, call.actor, at)
    return Decision(commands, (credit_note_stream(asked.credit_note),))


@dataclass(frozen=True)
class IssueCreditNoteInput:
    """An approved credit note to issue."""

    credit_note: Annotated[str, Doc("The approved credit note.")]
    issued_on: Annotated[date | None, Doc("The date on it; by default today at the selling entity.")] = None


def issue_credit_note(asked: IssueCreditNoteInput, call: Call) -> Decision:
    """Issue an approved credit note under its number, and reopen, move or give up exactly what it credits."""
    credit = _credit(asked.credit_note, call)
    today = call.today_at(credit.header.selling_entity) if credit else call.now.date()
    commands = crediting.issue_credit_note(call.read, asked.credit_note, asked.issued_on or today)
    return Decision(commands, (credit_note_stream(asked.credit_note),))


@dataclass(frozen=True)
class DiscardCreditNoteInput:
    """A credit note to give up before it is issued."""

    credit_note: Annotated[str, Doc("The draft or approved credit note.")]
    reason: Annotated[str, Doc("Why.")]


def discard_credit_note(asked: DiscardCreditNoteInput, call: Call) -> Decision:
    """Give up a credit note that is not issued."""
    _credit(asked.credit_note, call)
    commands = crediting.discard_credit_note(asked.credit_note, call.actor, asked.reason)
    return Decision(commands, (credit_note_stream(asked.credit_note),))


@dataclass(frozen=True)
class DeliverCreditNoteInput:
    """That a credit note was sent."""

    credit_note: Annotated[str, Doc("The issued credit note.")]
    channel: Annotated[str, Doc("By which way: email, portal, peppol, post.")]
    on: Annotated[date | None, Doc("When; by default today at the selling entity.")] = None


def deliver_credit_note(asked: DeliverCreditNoteInput, call: Call) -> Decision:
    """Record that the customer was sent a credit note."""
    credit = _credit(asked.credit_note, call)
    today = call.today_at(credit.header.selling_entity) if credit else call.now.date()
    stream = credit_note_stream(asked.credit_note)
    return Decision([Addressed(stream, DeliverCreditNote(asked.on or today, call.actor, asked.channel))], (stream,))


@dataclass(frozen=True)
class TransferLotsInput:
    """Open work to bill to another engagement or customer instead."""

    lots: Annotated[tuple[LotInput, ...], Doc("The lots, as billingEligibility names them.")]
    engagement: Annotated[str, Doc("The engagement that is billed instead.")]
    contract_line: Annotated[str, Doc("Its contract line, which prices the work.")]
    reason: Annotated[str, Doc("Why, as auditors will read it.")]
    customer: Annotated[str | None, Doc("Who pays; by default the engagement's customer.")] = None
    project: Annotated[str | None, Doc("The project that it belongs to there, if any.")] = None


def transfer_lots(asked: TransferLotsInput, call: Call) -> Decision:
    """Bill open work to another engagement or customer: it is priced anew there, and keeps where it came from."""
    to = _elsewhere(asked.engagement, asked.contract_line, asked.customer, asked.project, call)
    assert to is not None, "an engagement is named"
    lots = [each.at for each in asked.lots]
    for each in lots:
        held = getattr(call.read(each.stream), "lots", {}).get(each.lot)
        if held is not None:
            call.require_entity(engagement_of(call.read, held.lot.engagement).terms.selling_entity)
    commands = crediting.transfer_lots(call.read, lots, to, asked.reason, call.actor)
    return Decision(commands, tuple(dict.fromkeys(each.stream for each in lots)))


def _credit(credit_note: str, call: Call) -> Credit | None:
    """What a credit note that the token is for says; None when there is none, which its decider refuses."""
    match call.read(credit_note_stream(credit_note)):
        case (
            DraftedCredit(credit=credit)
            | ApprovedCredit(draft=DraftedCredit(credit=credit))
            | DiscardedCredit(draft=DraftedCredit(credit=credit))
            | IssuedCredit(credit=credit)
        ):
            found: Credit = credit
        case _:
            call.require_firm()
            return None
    call.require_entity(found.header.selling_entity)
    return found


SERVICES = (
    Service("draft-credit-note", DraftCreditNoteInput, ("credit_note",), draft_credit_note),
    Service("approve-credit-note", ApproveCreditNoteInput, ("credit_note",), approve_credit_note),
    Service("issue-credit-note", IssueCreditNoteInput, ("credit_note",), issue_credit_note),
    Service("discard-credit-note", DiscardCreditNoteInput, ("credit_note",), discard_credit_note),
    Service("deliver-credit-note", DeliverCreditNoteInput, ("credit_note",), deliver_credit_note),
    Service("transfer-lots", TransferLotsInput, ("timesheet", "expense_report", "engagement"), transfer_lots),
)
