"""A credit note takes back part of an issued invoice: lines, lots and quantities, with a reason, for ever.

It is drafted, approved by somebody else, issued under a gapless number of its own series, posted and delivered. What
it says is computed from the invoice that it corrects: the names, tax rates and exchange rate of then. As a credit note
(UNTDID 1001: 381) its amounts are positive, as a negative invoice (380) they are printed with a minus; either way they
are stored as what is given back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, assert_never

from domain.invoice.document import Header, Party
from domain.invoice.issued import (
    Posting,
)
from domain.invoice.issued_words import (
    ConfirmPosting,
    PostingCommand,
    RejectPosting,
    ReportPostingInDoubt,
    ReportPostingSent,
    RequestPosting,
)
from domain.invoice.totals import AllowanceCharge
from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.lots import Disposition, Unit
from domain.money import Money
from domain.tax import TaxSubtotal, TaxTreatment

CreditForm = Literal["381", "380"]
"""The type of document (UNTDID 1001): a credit note, or an invoice with negative amounts."""


def credit_note_stream(credit_note: str) -> StreamId:
    """The history of one credit note, from its draft on: ``credit_note:<id>``. The number comes later."""
    return stream_of("credit_note", credit_note)


@dataclass(frozen=True, slots=True)
class RebillTo:
    """Where credited work is billed instead: a line of an engagement, and who pays, by default its customer."""

    engagement: str
    line: str
    customer: str | None = None
    project: str = ""


@dataclass(frozen=True, slots=True)
class LotOnCreditNote:
    """How much of a lot is credited, at its standard value, what becomes of it, and what the annex prints of it."""

    stream: StreamId
    lot: str
    quantity: Decimal
    value: Money
    disposition: Disposition
    rebill_to: RebillTo | None = None
    work_date: date | None = None
    resource: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class CreditedLine:
    """What is given back of one line of the invoice.

    ``net`` includes the line's share of its own allowances. ``taxes`` are the tax of each of ``treatments``, rounded,
    so that all credits of a line together come to its tax and no more. ``completes``: nothing of the line is left.
    A line that takes back a write-up or write-down (``of_adjustment``) bills no lots: its sign is that of the line.
    """

    line: int
    of_line: int
    description: str
    quantity: Decimal
    unit: Unit
    price: Decimal
    net: Money
    treatments: tuple[TaxTreatment, ...]
    taxes: tuple[Money, ...]
    lots: tuple[LotOnCreditNote, ...]
    engagement: str
    project: str
    contract_line: str
    first_work_date: date
    last_work_date: date
    completes: bool
    of_adjustment: bool = False
    holdback: Money | None = None


@dataclass(frozen=True, slots=True)
class CreditedAllowance:
    """What is taken back of an allowance or charge on the whole invoice, with its tax."""

    of_allowance: int
    adjustment: AllowanceCharge
    treatments: tuple[TaxTreatment, ...]
    taxes: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class Credit:
    """What a credit note says; all amounts are what is given back. ``fx_rate`` is that of the invoice.

    ``net`` with ``tax`` is ``gross``. Of it ``holdback`` was kept back by the customer and never asked for;
    ``rounding`` takes back the rounding of the amount due where the invoice is credited whole.
    """

    invoice: str
    invoice_number: str
    invoice_issued_on: date
    form: CreditForm
    reason: str
    seller: Party
    buyer: Party
    header: Header
    lines: tuple[CreditedLine, ...]
    allowances: tuple[CreditedAllowance, ...]
    taxes: tuple[TaxSubtotal, ...]
    net: Money
    tax: Money
    gross: Money
    holdback: Money
    functional_currency: str
    fx_rate: Decimal
    rounding: Money | None = None

    @property
    def payable(self) -> Money:
        """What the customer owes less."""
        return self.gross - self.holdback + self.rounding if self.rounding else self.gross - self.holdback


@dataclass(frozen=True, slots=True)
class DraftCreditNote:
    """Make a draft of what is credited."""

    credit_note: str
    credit: Credit
    by: str


@dataclass(frozen=True, slots=True)
class ApproveCreditNote:
    """Release a draft for issue; ``limit`` of the entity is in the invoice's currency."""

    by: str
    at: datetime
    limit: Money


@dataclass(frozen=True, slots=True)
class IssueCreditNote:
    """Issue an approved credit note under the number that is taken in the same transaction.

    ``credit`` is what it comes to now; another credit of the same lines may have been issued since it was approved.
    """

    number: str
    issued_on: date
    credit: Credit


@dataclass(frozen=True, slots=True)
class DiscardCreditNote:
    """Give up a credit note that is not issued."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeliverCreditNote:
    """Record that the customer was sent the credit note, and by which way."""

    on: date
    by: str
    channel: str


@dataclass(frozen=True, slots=True)
class CreditNoteDrafted:
    """A credit note was drafted."""

    credit_note: str
    credit: Credit
    by: str


@dataclass(frozen=True, slots=True)
class CreditNoteApproved:
    """A credit note was released for issue."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CreditNoteIssued:
    """The credit note was issued under its number, as a snapshot."""

    credit_note: str
    number: str
    issued_on: date
    credit: Credit


@dataclass(frozen=True, slots=True)
class CreditNoteDiscarded:
    """A credit note was given up before it was issued."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class CreditNoteDelivered:
    """The customer was sent the credit note."""

    on: date
    by: str
    channel: str


@dataclass(frozen=True, slots=True)
class CreditPostingRequested:
    """An ERP was asked to post the credit note."""

    target: str


@dataclass(frozen=True, slots=True)
class CreditPostingSent:
    """The request to post the credit note reached the ERP; its answer is awaited."""

    target: str


@dataclass(frozen=True, slots=True)
class CreditPostingInDoubt:
    """Nobody knows yet whether the ERP posted the credit note."""

    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class CreditPostingConfirmed:
    """The ERP posted the credit note under a document id of its own."""

    target: str
    external_id: str


@dataclass(frozen=True, slots=True)
class CreditPostingRejected:
    """The ERP refused to post the credit note."""

    target: str
    reason: str


class CreditNoteNotFound(Refused):
    """There is no such credit note."""

    code = "credit_note.not_found"
    fix = "Check the id; drafts are made by draftCreditNote."


class CreditNoteExists(Refused):
    """The id is taken by another credit note."""

    code = "credit_note.exists"
    fix = "Use a new id."


class CreditNoteNotADraft(Refused):
    """Only a draft can be approved or discarded."""

    code = "credit_note.not_a_draft"
    fix = "What was credited by mistake is billed again by an invoice of its own."


class CreditNoteNotApproved(Refused):
    """Only an approved credit note can be issued."""

    code = "credit_note.not_approved"
    fix = "Approve the draft first."


class CreditNoteNotIssued(Refused):
    """Only an issued credit note can be posted or delivered."""

    code = "credit_note.not_issued"
    fix = "Issue the credit note first."


class CreditPreparerApproves(Refused):
    """Nobody approves a credit note that they prepared above the entity's limit."""

    code = "credit_note.preparer_approves"
    fix = "Let another finance approver approve it."


class CreditReasonMissing(Refused):
    """A credit note says why it was made."""

    code = "credit_note.reason_missing"
    fix = "Give the reason that the customer and auditors will read."


class CreditOvertaken(Refused):
    """The invoice was credited otherwise since this credit note was approved."""

    code = "credit_note.overtaken"
    fix = "Discard it and draft it anew; it will take the other credit into account."


OwnEvent = CreditNoteDrafted | CreditNoteApproved | CreditNoteIssued | CreditNoteDiscarded | CreditNoteDelivered
PostingEvent = (
    CreditPostingRequested | CreditPostingSent | CreditPostingInDoubt | CreditPostingConfirmed | CreditPostingRejected
)
Event = OwnEvent | PostingEvent
Command = DraftCreditNote | ApproveCreditNote | IssueCreditNote | DiscardCreditNote | DeliverCreditNote | PostingCommand


@dataclass(frozen=True, slots=True)
class NoCreditNote:
    """Before the draft."""


@dataclass(frozen=True, slots=True)
class DraftedCredit:
    """A credit note that may still be given up."""

    credit_note: str
    credit: Credit
    by: str


@dataclass(frozen=True, slots=True)
class ApprovedCredit:
    """A credit note that may be issued."""

    draft: DraftedCredit
    by: str


@dataclass(frozen=True, slots=True)
class DiscardedCredit:
    """A credit note that was given up."""

    draft: DraftedCredit


@dataclass(frozen=True, slots=True)
class IssuedCredit:
    """A credit note that the customer has, with its postings."""

    credit_note: str
    number: str
    issued_on: date
    credit: Credit
    prepared_by: str
    approved_by: str
    postings: Mapping[str, Posting] = field(default_factory=dict)
    delivered: CreditNoteDelivered | None = None


CreditNote = NoCreditNote | DraftedCredit | ApprovedCredit | DiscardedCredit | IssuedCredit


def decide(command: Command, state: CreditNote) -> Sequence[Event]:
    match command:
        case DraftCreditNote(credit_note, credit, by):
            if state == DraftedCredit(credit_note, credit, by):
                return []
            if not isinstance(state, NoCreditNote):
                raise CreditNoteExists(credit_note)
            if not credit.reason.strip():
                raise CreditReasonMissing(credit_note)
            return [CreditNoteDrafted(credit_note, credit, by)]
        case ApproveCreditNote():
            return _approve(command, state)
        case IssueCreditNote():
            return _issue(command, state)
        case DiscardCreditNote(by, reason):
            if isinstance(state, DiscardedCredit):
                return []
            if isinstance(state, ApprovedCredit):
                return [CreditNoteDiscarded(by, reason)]
            _drafted(state)
            return [CreditNoteDiscarded(by, reason)]
        case DeliverCreditNote(on, by, channel):
            delivered = CreditNoteDelivered(on, by, channel)
            return [] if _issued(state).delivered is not None else [delivered]
        case _:
            return _post(command, _issued(state))


def _drafted(state: CreditNote) -> DraftedCredit:
    match state:
        case DraftedCredit():
            return state
        case NoCreditNote():
            raise CreditNoteNotFound
        case _:
            raise CreditNoteNotADraft(f"It is {_status(state)}.")


def _issued(state: CreditNote) -> IssuedCredit:
    match state:
        case IssuedCredit():
            return state
        case NoCreditNote():
            raise CreditNoteNotFound
        case _:
            raise CreditNoteNotIssued(f"It is {_status(state)}.")


def _status(state: CreditNote) -> str:
    return type(state).__name__.removesuffix("Credit").lower()


def _approve(command: ApproveCreditNote, state: CreditNote) -> Sequence[CreditNoteApproved]:
    if isinstance(state, ApprovedCredit | IssuedCredit):
        return []
    draft = _drafted(state)
    if command.by == draft.by and command.limit < draft.credit.gross:
        raise CreditPreparerApproves(f"{command.by} prepared {draft.credit.gross}; the limit is {command.limit}.")
    return [CreditNoteApproved(command.by, command.at)]


def _issue(command: IssueCreditNote, state: CreditNote) -> Sequence[CreditNoteIssued]:
    match state:
        case IssuedCredit():
            return []
        case NoCreditNote():
            raise CreditNoteNotFound
        case DraftedCredit() | DiscardedCredit():
            raise CreditNoteNotApproved(f"It is {_status(state)}.")
        case ApprovedCredit(draft):
            if command.credit != draft.credit:
                raise CreditOvertaken(f"{draft.credit.gross} was approved, {command.credit.gross} would be issued.")
            return [CreditNoteIssued(draft.credit_note, command.number, command.issued_on, command.credit)]
        case _:
            assert_never(state)


def _post(command: PostingCommand, state: IssuedCredit) -> Sequence[PostingEvent]:
    known = state.postings.get(command.target)
    match command:
        case RequestPosting(target):
            return [] if known and known.state != "rejected" else [CreditPostingRequested(target)]
        case ReportPostingSent(target):
            return [CreditPostingSent(target)] if known and known.state == "requested" else []
        case ReportPostingInDoubt(target, reason):
            return [CreditPostingInDoubt(target, reason)] if known and known.state in ("requested", "sent") else []
        case ConfirmPosting(target, external_id):
            wanted = Posting("confirmed", external_id)
            return [] if known == wanted else [CreditPostingConfirmed(target, external_id)]
        case RejectPosting(target, reason):
            settled = known is not None and (known.state == "confirmed" or known == Posting("rejected", None, reason))
            return [] if settled else [CreditPostingRejected(target, reason)]
        case _:
            assert_never(command)


def evolve(state: CreditNote, event: Event) -> CreditNote:
    match (event, state):
        case (CreditNoteDrafted(credit_note, credit, by), _):
            return DraftedCredit(credit_note, credit, by)
        case (CreditNoteApproved(by), DraftedCredit()):
            return ApprovedCredit(state, by)
        case (CreditNoteDiscarded(), DraftedCredit()):
            return DiscardedCredit(state)
        case (CreditNoteDiscarded(), ApprovedCredit(draft)):
            return DiscardedCredit(draft)
        case (CreditNoteIssued(credit_note, number, issued_on, credit), ApprovedCredit(draft, by)):
            return IssuedCredit(credit_note, number, issued_on, credit, draft.by, by)
        case (CreditNoteDelivered(), IssuedCredit()):
            return replace(state, delivered=event)
        case (_, IssuedCredit()):
            return _with_posting(state, event)
        case _:
            return state


def _with_posting(state: IssuedCredit, event: Event) -> IssuedCredit:
    match event:
        case CreditPostingRequested(target):
            posting = Posting("requested")
        case CreditPostingSent(target):
            posting = Posting("sent")
        case CreditPostingInDoubt(target, reason):
            posting = Posting("in_doubt", None, reason)
        case CreditPostingConfirmed(target, external_id):
            posting = Posting("confirmed", external_id)
        case CreditPostingRejected(target, reason):
            posting = Posting("rejected", None, reason)
        case _:
            return state
    return replace(state, postings={**state.postings, target: posting})


decider: Decider[Command, CreditNote, Event] = Decider("credit_note", NoCreditNote(), decide, evolve)
