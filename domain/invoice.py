"""An invoice asks a customer for money: draft, approved, issued under a gapless number, posted, paid.

A draft may take up further lots until it is approved. What is issued is a snapshot: names, addresses, tax and rates
stay as they were, whatever changes later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, assert_never

from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.lots import Unit
from domain.money import Money, total, zero
from domain.reference.legal_entity import Address
from domain.tax import TaxSubtotal, TaxTreatment, subtotals, tax_total


def invoice_stream(invoice: str) -> StreamId:
    """The history of one invoice, from its draft on: ``invoice:<id>``. The number comes later."""
    return stream_of("invoice", invoice)


@dataclass(frozen=True, slots=True)
class LotOnInvoice:
    """A lot that a line bills, and the stream that holds it."""

    stream: StreamId
    lot: str
    quantity: Decimal
    value: Money


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line: its text, quantity x price, its net, and the lots behind it."""

    line: int
    description: str
    quantity: Decimal
    unit: Unit
    price: Decimal
    net: Money
    project: str
    contract_line: str
    first_work_date: date
    last_work_date: date
    lots: tuple[LotOnInvoice, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """Whose invoice it is, to whom, for what and up to which day."""

    engagement: str
    customer: str
    selling_entity: str
    currency: str
    purchase_order: str | None
    cut_off: date
    prepared_by: str


@dataclass(frozen=True, slots=True)
class Party:
    """A seller or buyer as printed."""

    id: str
    name: str
    address: Address
    tax_id: str | None


@dataclass(frozen=True, slots=True)
class Document:
    """The invoice as issued, for ever. ``fx_rate`` is units of the functional currency for one of the invoice's."""

    number: str
    issued_on: date
    due_on: date
    seller: Party
    buyer: Party
    header: Header
    lines: tuple[InvoiceLine, ...]
    taxes: tuple[TaxSubtotal, ...]
    net: Money
    tax: Money
    gross: Money
    functional_currency: str
    fx_rate: Decimal


@dataclass(frozen=True, slots=True)
class DraftInvoice:
    """Make a draft of lots that are reserved in the same transaction."""

    invoice: str
    header: Header
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class AddLines:
    """Let late lots join a draft."""

    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class DiscardDraft:
    """Give up a draft; its lots are released in the same transaction."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class ApproveInvoice:
    """Release a draft for issue; ``limit`` is the entity's, in the invoice's currency."""

    by: str
    at: datetime
    limit: Money


@dataclass(frozen=True, slots=True)
class IssueInvoice:
    """Issue an approved invoice under the number that is taken in the same transaction."""

    number: str
    issued_on: date
    due_on: date
    seller: Party
    buyer: Party
    treatment: TaxTreatment
    functional_currency: str
    fx_rate: Decimal


@dataclass(frozen=True, slots=True)
class RequestPosting:
    """Ask an ERP to post the issued invoice."""

    target: str


@dataclass(frozen=True, slots=True)
class ReportPostingSent:
    """Record that the request reached an ERP, whose answer is awaited."""

    target: str


@dataclass(frozen=True, slots=True)
class ReportPostingInDoubt:
    """Record that nobody knows whether an ERP posted the invoice; it is looked up, never sent again."""

    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConfirmPosting:
    """Record that an ERP posted the invoice under a document id of its own."""

    target: str
    external_id: str


@dataclass(frozen=True, slots=True)
class RejectPosting:
    """Record that an ERP refused to post the invoice, and why."""

    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class RecordPayment:
    """Record money received for the invoice, in its currency."""

    payment: str
    received_on: date
    amount: Money
    reference: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceDrafted:
    """A draft was made of lots that were reserved with it."""

    invoice: str
    header: Header
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class LinesAdded:
    """Late lots joined a draft."""

    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class DraftDiscarded:
    """A draft was given up."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class InvoiceApproved:
    """A draft was released for issue."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class InvoiceIssued:
    """The invoice was issued under its number, as a snapshot."""

    invoice: str
    document: Document


@dataclass(frozen=True, slots=True)
class PostingRequested:
    """An ERP was asked to post the invoice."""

    target: str


@dataclass(frozen=True, slots=True)
class PostingSent:
    """The request reached the ERP; its answer is awaited."""

    target: str


@dataclass(frozen=True, slots=True)
class PostingInDoubt:
    """Nobody knows yet whether the ERP posted the invoice."""

    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class PostingConfirmed:
    """The ERP posted the invoice under a document id of its own."""

    target: str
    external_id: str


@dataclass(frozen=True, slots=True)
class PostingRejected:
    """The ERP refused to post the invoice."""

    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentReceived:
    """Money was received for the invoice."""

    payment: str
    received_on: date
    amount: Money
    reference: str


@dataclass(frozen=True, slots=True)
class InvoicePaid:
    """The payments received cover the whole invoice."""

    on: date


class InvoiceNotFound(Refused):
    """There is no such invoice."""

    code = "invoice.not_found"
    fix = "Check the invoice id; drafts are made by requestInvoice."


class NothingToBill(Refused):
    """An invoice needs at least one line."""

    code = "invoice.nothing_to_bill"
    fix = "Ask billingEligibility why the lots of the engagement are not eligible."


class InvoiceExists(Refused):
    """The invoice id is taken by another draft."""

    code = "invoice.exists"
    fix = "Use a new invoice id."


class NotADraft(Refused):
    """Only a draft can be changed, discarded or approved."""

    code = "invoice.not_a_draft"
    fix = "Correct an issued invoice by a credit note."


class NotApproved(Refused):
    """Only an approved invoice can be issued."""

    code = "invoice.not_approved"
    fix = "Approve the draft first."


class NotIssued(Refused):
    """Only an issued invoice can be posted or paid."""

    code = "invoice.not_issued"
    fix = "Issue the invoice first."


class PreparerApproves(Refused):
    """Nobody approves an invoice that they prepared above the entity's limit."""

    code = "invoice.preparer_approves"
    fix = "Let another finance approver approve it."


class PaymentCurrencyDiffers(Refused):
    """A payment is recorded in the currency of its invoice."""

    code = "invoice.payment_currency_differs"
    fix = "Record the amount that the receipt settles, in the invoice's currency."


class PaymentNotPositive(Refused):
    """A payment is more than zero."""

    code = "invoice.payment_not_positive"
    fix = "Record refunds as refunds, not as negative payments."


class PaymentAboveBalance(Refused):
    """A payment is not more than what is still due."""

    code = "invoice.payment_above_balance"
    fix = "Record the part that this invoice is due; the rest belongs to another invoice or on account."


class PaymentDiffers(Refused):
    """The payment id was recorded with another amount or day."""

    code = "invoice.payment_differs"
    fix = "Use a new payment id for a further payment."


Event = (
    InvoiceDrafted
    | LinesAdded
    | DraftDiscarded
    | InvoiceApproved
    | InvoiceIssued
    | PostingRequested
    | PostingSent
    | PostingInDoubt
    | PostingConfirmed
    | PostingRejected
    | PaymentReceived
    | InvoicePaid
)
Command = (
    DraftInvoice
    | AddLines
    | DiscardDraft
    | ApproveInvoice
    | IssueInvoice
    | RequestPosting
    | ReportPostingSent
    | ReportPostingInDoubt
    | ConfirmPosting
    | RejectPosting
    | RecordPayment
)


@dataclass(frozen=True, slots=True)
class Nothing:
    """Before the draft."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice that may still change."""

    invoice: str
    header: Header
    lines: tuple[InvoiceLine, ...]

    @property
    def net(self) -> Money:
        return total((line.net for line in self.lines), self.header.currency)


@dataclass(frozen=True, slots=True)
class Approved:
    """An invoice that may be issued and no longer changes."""

    draft: Draft
    by: str


@dataclass(frozen=True, slots=True)
class Discarded:
    """A draft that was given up."""

    draft: Draft


PostingState = Literal["requested", "sent", "in_doubt", "confirmed", "rejected"]


@dataclass(frozen=True, slots=True)
class Posting:
    """How far one ERP is with the invoice."""

    state: PostingState
    external_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """An invoice that the customer has, with its postings and payments."""

    invoice: str
    document: Document
    approved_by: str
    postings: Mapping[str, Posting] = field(default_factory=dict)
    payments: Mapping[str, PaymentReceived] = field(default_factory=dict)
    paid_on: date | None = None

    @property
    def paid(self) -> Money:
        """What has been received."""
        return total((payment.amount for payment in self.payments.values()), self.document.gross.currency)

    @property
    def due(self) -> Money:
        """What is still to be received."""
        return self.document.gross - self.paid


Invoice = Nothing | Draft | Approved | Issued | Discarded


def decide(command: Command, state: Invoice) -> Sequence[Event]:
    match command:
        case DraftInvoice():
            return _draft(command, state)
        case AddLines(lines):
            draft = _drafted(state)
            known = {line.line for line in draft.lines}
            fresh = tuple(line for line in lines if line.line not in known)
            return [LinesAdded(fresh)] if fresh else []
        case DiscardDraft(by, reason):
            return [] if isinstance(state, Discarded) else [DraftDiscarded(by, reason) for _ in [_drafted(state)]]
        case ApproveInvoice():
            return _approve(command, state)
        case IssueInvoice():
            return _issue(command, state)
        case RequestPosting() | ReportPostingSent() | ReportPostingInDoubt() | ConfirmPosting() | RejectPosting():
            return _post(command, _issued(state))
        case RecordPayment():
            return _pay(command, _issued(state))
        case _:
            assert_never(command)


def _draft(command: DraftInvoice, state: Invoice) -> Sequence[Event]:
    drafted = InvoiceDrafted(command.invoice, command.header, command.lines)
    if state == Draft(drafted.invoice, drafted.header, drafted.lines):
        return []
    if not isinstance(state, Nothing):
        raise InvoiceExists(command.invoice)
    if not command.lines:
        raise NothingToBill
    return [drafted]


def _drafted(state: Invoice) -> Draft:
    match state:
        case Draft():
            return state
        case Nothing():
            raise InvoiceNotFound
        case Approved() | Issued() | Discarded():
            raise NotADraft(f"It is {type(state).__name__.lower()}.")
        case _:
            assert_never(state)


def _approve(command: ApproveInvoice, state: Invoice) -> Sequence[Event]:
    if isinstance(state, Approved | Issued):
        return []
    draft = _drafted(state)
    if command.by == draft.header.prepared_by and command.limit < draft.net:
        raise PreparerApproves(f"{command.by} prepared {draft.net}; the limit is {command.limit}.")
    return [InvoiceApproved(command.by, command.at)]


def _issue(command: IssueInvoice, state: Invoice) -> Sequence[Event]:
    match state:
        case Approved(draft):
            return [InvoiceIssued(draft.invoice, _document(command, draft))]
        case Issued():
            return []
        case Nothing():
            raise InvoiceNotFound
        case Draft() | Discarded():
            raise NotApproved
        case _:
            assert_never(state)


def _document(command: IssueInvoice, draft: Draft) -> Document:
    currency = draft.header.currency
    taxes = subtotals(((command.treatment, line.net) for line in draft.lines), currency)
    tax = tax_total(taxes, currency)
    return Document(
        number=command.number,
        issued_on=command.issued_on,
        due_on=command.due_on,
        seller=command.seller,
        buyer=command.buyer,
        header=draft.header,
        lines=draft.lines,
        taxes=taxes,
        net=draft.net,
        tax=tax,
        gross=draft.net + tax,
        functional_currency=command.functional_currency,
        fx_rate=command.fx_rate,
    )


def _issued(state: Invoice) -> Issued:
    match state:
        case Issued():
            return state
        case Nothing():
            raise InvoiceNotFound
        case Draft() | Approved() | Discarded():
            raise NotIssued(f"It is {type(state).__name__.lower()}.")
        case _:
            assert_never(state)


def _post(
    command: RequestPosting | ReportPostingSent | ReportPostingInDoubt | ConfirmPosting | RejectPosting, state: Issued
) -> Sequence[Event]:
    known = state.postings.get(command.target)
    match command:
        case RequestPosting(target):
            return [] if known and known.state != "rejected" else [PostingRequested(target)]
        case ReportPostingSent(target):
            return [PostingSent(target)] if known and known.state == "requested" else []
        case ReportPostingInDoubt(target, reason):
            return [PostingInDoubt(target, reason)] if known and known.state in ("requested", "sent") else []
        case ConfirmPosting(target, external_id):
            wanted = Posting("confirmed", external_id)
            return [] if known == wanted else [PostingConfirmed(target, external_id)]
        case RejectPosting(target, reason):
            settled = known is not None and (known.state == "confirmed" or known == Posting("rejected", None, reason))
            return [] if settled else [PostingRejected(target, reason)]
        case _:
            assert_never(command)


def _pay(command: RecordPayment, state: Issued) -> Sequence[Event]:
    received = PaymentReceived(command.payment, command.received_on, command.amount, command.reference)
    known = state.payments.get(command.payment)
    if known == received:
        return []
    if known is not None:
        raise PaymentDiffers(f"{command.payment} is {known.amount} of {known.received_on}.")
    if command.amount.currency != state.document.gross.currency:
        raise PaymentCurrencyDiffers(f"{command.amount} for {state.document.gross}.")
    if command.amount <= zero(command.amount.currency):
        raise PaymentNotPositive(str(command.amount))
    if state.due < command.amount:
        raise PaymentAboveBalance(f"{command.amount} received, {state.due} due.")
    return [received, InvoicePaid(command.received_on)] if command.amount == state.due else [received]


def evolve(state: Invoice, event: Event) -> Invoice:
    match (event, state):
        case (InvoiceDrafted(invoice, header, lines), _):
            return Draft(invoice, header, lines)
        case (LinesAdded(lines), Draft()):
            return replace(state, lines=(*state.lines, *lines))
        case (DraftDiscarded(), Draft()):
            return Discarded(state)
        case (InvoiceApproved(by), Draft()):
            return Approved(state, by)
        case (InvoiceIssued(invoice, document), Approved()):
            return Issued(invoice, document, state.by)
        case (_, Issued()):
            return _evolve_issued(state, event)
        case _:
            return state


def _evolve_issued(state: Issued, event: Event) -> Issued:
    match event:
        case PostingRequested(target):
            return replace(state, postings={**state.postings, target: Posting("requested")})
        case PostingSent(target):
            return replace(state, postings={**state.postings, target: Posting("sent")})
        case PostingInDoubt(target, reason):
            return replace(state, postings={**state.postings, target: Posting("in_doubt", None, reason)})
        case PostingConfirmed(target, external_id):
            return replace(state, postings={**state.postings, target: Posting("confirmed", external_id)})
        case PostingRejected(target, reason):
            return replace(state, postings={**state.postings, target: Posting("rejected", None, reason)})
        case PaymentReceived():
            return replace(state, payments={**state.payments, event.payment: event})
        case InvoicePaid(on):
            return replace(state, paid_on=on)
        case _:
            return state


decider: Decider[Command, Invoice, Event] = Decider("invoice", Nothing(), decide, evolve)
