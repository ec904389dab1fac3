"""What happens to an invoice once the customer has it: postings, payments, disputes, collections, write-offs, credits.

What is due is never stored: it is what the document asks for, less everything that has settled it since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Literal, assert_never

from domain.invoice.document import Document
from domain.kernel import Refused
from domain.money import Money, total, zero


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
    """Record money received for the invoice alone, in its currency: the simple case, without money on account."""

    payment: str
    received_on: date
    amount: Money
    reference: str = ""


@dataclass(frozen=True, slots=True)
class TakePayment:
    """Settle part of what is due by a receipt: ``amount`` in the invoice's currency, ``settled`` in the receipt's."""

    payment: str
    on: date
    amount: Money
    settled: Money


@dataclass(frozen=True, slots=True)
class GiveBackPayment:
    """Undo what a receipt had settled; the money is on account again."""

    payment: str
    on: date
    reason: str


@dataclass(frozen=True, slots=True)
class RefundBalance:
    """Pay back what the customer has paid beyond what the invoice, once credited, asks for."""

    refund: str
    on: date
    amount: Money
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseHoldback:
    """Make due what the customer kept back: all that is left, or ``amount``.

    ``into`` is the invoice of its own that asks for it; without one it is due under this invoice on ``due_on``.
    """

    on: date
    due_on: date
    by: str
    reason: str
    amount: Money | None = None
    into: str | None = None


@dataclass(frozen=True, slots=True)
class DisputeInvoice:
    """Record that the customer disputes the invoice, or ``amount`` of it; nobody duns it until that is resolved."""

    dispute: str
    on: date
    reason: str
    by: str
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class ResolveDispute:
    """Record how a dispute ended."""

    dispute: str
    on: date
    outcome: str
    by: str


@dataclass(frozen=True, slots=True)
class HandToCollections:
    """Give the overdue invoice to those who collect debts."""

    target: str
    on: date
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class WriteOffReceivable:
    """Give up what is due, all of it or ``amount``; ``effective_on`` is the day that the policy of the entity says."""

    on: date
    effective_on: date
    by: str
    reason: str
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class CreditInvoice:
    """Take back what a credit note credits, in the transaction that issues it."""

    credited: InvoiceCredited


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
class InvoicePaymentApplied:
    """A receipt settled part of what was due: ``amount`` in the invoice's currency, ``settled`` in the receipt's."""

    payment: str
    on: date
    amount: Money
    settled: Money


@dataclass(frozen=True, slots=True)
class InvoicePaymentUnapplied:
    """What a receipt had settled was undone; both amounts are those that had been applied."""

    payment: str
    on: date
    amount: Money
    settled: Money
    reason: str


@dataclass(frozen=True, slots=True)
class InvoicePaid:
    """Nothing of the invoice is due any more."""

    on: date


@dataclass(frozen=True, slots=True)
class BalanceRefunded:
    """What the customer had paid beyond what the credited invoice asks for was paid back."""

    refund: str
    on: date
    amount: Money
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class HoldbackReleased:
    """What the customer kept back became due: under this invoice, or by the invoice ``into``."""

    amount: Money
    on: date
    due_on: date
    by: str
    reason: str
    into: str | None = None


@dataclass(frozen=True, slots=True)
class InvoiceDisputed:
    """The customer disputes the invoice, or ``amount`` of it."""

    dispute: str
    on: date
    reason: str
    by: str
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class DisputeResolved:
    """A dispute ended."""

    dispute: str
    on: date
    outcome: str
    by: str


@dataclass(frozen=True, slots=True)
class HandedToCollections:
    """The overdue invoice was given to those who collect debts, with what was due then."""

    target: str
    on: date
    due: Money
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReceivableWrittenOff:
    """What was due was given up; it counts from ``effective_on``."""

    amount: Money
    on: date
    effective_on: date
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class LotCredited:
    """How much of a lot, as the invoice names it, was credited."""

    lot: str
    quantity: Decimal
    value: Money


@dataclass(frozen=True, slots=True)
class LineCredited:
    """What was credited of a line: its net, the tax of each of its treatments, and its lots."""

    line: int
    quantity: Decimal
    net: Money
    taxes: tuple[Money, ...]
    lots: tuple[LotCredited, ...]


@dataclass(frozen=True, slots=True)
class AllowanceCredited:
    """What was taken back of an allowance or charge on the document, by its place among them, with its taxes."""

    allowance: int
    amount: Money
    taxes: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class InvoiceCredited:
    """A credit note took back part of the invoice: ``payable`` of it was or would have been due.

    ``holdback`` is what the customer had kept back of it, and now never pays. ``gross`` is ``net`` with ``tax``.
    """

    credit_note: str
    number: str
    on: date
    net: Money
    tax: Money
    gross: Money
    holdback: Money
    payable: Money
    lines: tuple[LineCredited, ...]
    allowances: tuple[AllowanceCredited, ...]
    reason: str
    by: str


class CreditAboveLine(Refused):
    """All credits of a line together are not more than the line."""

    code = "credit_note.above_line"
    fix = "Credit at most what is left of the line; invoice.creditNotes shows what was credited before."


class NotIssued(Refused):
    """Only an issued invoice can be posted or paid."""

    code = "invoice.not_issued"
    fix = "Issue the invoice first."


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


class RefundAboveBalance(Refused):
    """No more is paid back than the customer has paid too much."""

    code = "invoice.refund_above_balance"
    fix = "Credit the invoice first, or refund the payment that is on account."


class HoldbackExceeded(Refused):
    """No more is released than is kept back."""

    code = "invoice.holdback_exceeded"
    fix = "Release at most what the invoice still keeps back."


class UnknownDispute(Refused):
    """The invoice has no such dispute."""

    code = "invoice.unknown_dispute"
    fix = "Use the id under which the dispute was recorded."


class InvoiceIsDisputed(Refused):
    """A disputed invoice is not dunned."""

    code = "invoice.is_disputed"
    fix = "Resolve the dispute first."


class NotOverdue(Refused):
    """Only what is overdue is handed to collections."""

    code = "invoice.not_overdue"
    fix = "Wait until the due day has passed; an invoice that is settled needs no collection."


class WriteOffAboveBalance(Refused):
    """No more is written off than is due."""

    code = "invoice.write_off_above_balance"
    fix = "Write off at most what is still due."


IssuedEvent = (
    PostingRequested
    | PostingSent
    | PostingInDoubt
    | PostingConfirmed
    | PostingRejected
    | PaymentReceived
    | InvoicePaymentApplied
    | InvoicePaymentUnapplied
    | InvoicePaid
    | BalanceRefunded
    | HoldbackReleased
    | InvoiceDisputed
    | DisputeResolved
    | HandedToCollections
    | ReceivableWrittenOff
    | InvoiceCredited
)
PostingCommand = RequestPosting | ReportPostingSent | ReportPostingInDoubt | ConfirmPosting | RejectPosting
IssuedCommand = (
    PostingCommand
    | RecordPayment
    | TakePayment
    | GiveBackPayment
    | RefundBalance
    | ReleaseHoldback
    | DisputeInvoice
    | ResolveDispute
    | HandToCollections
    | WriteOffReceivable
    | CreditInvoice
)

PostingState = Literal["requested", "sent", "in_doubt", "confirmed", "rejected"]


@dataclass(frozen=True, slots=True)
class Posting:
    """How far one ERP is with the invoice."""

    state: PostingState
    external_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """An invoice that the customer has, with its postings and all that settled it since."""

    invoice: str
    document: Document
    approved_by: str
    postings: Mapping[str, Posting] = field(default_factory=dict)
    payments: Mapping[str, PaymentReceived] = field(default_factory=dict)
    paid_on: date | None = None
    applied: Mapping[str, InvoicePaymentApplied] = field(default_factory=dict)
    refunds: Mapping[str, BalanceRefunded] = field(default_factory=dict)
    releases: tuple[HoldbackReleased, ...] = ()
    disputes: Mapping[str, InvoiceDisputed] = field(default_factory=dict)
    resolved: Mapping[str, DisputeResolved] = field(default_factory=dict)
    collections: HandedToCollections | None = None
    write_offs: tuple[ReceivableWrittenOff, ...] = ()
    credits: Mapping[str, InvoiceCredited] = field(default_factory=dict)

    def _sum(self, amounts: Iterable[Money]) -> Money:
        return total(amounts, self.document.gross.currency)

    @property
    def paid(self) -> Money:
        """What has been received, less what was paid back."""
        received = self._sum(payment.amount for payment in self.payments.values())
        applied = self._sum(each.amount for each in self.applied.values())
        return received + applied - self._sum(each.amount for each in self.refunds.values())

    @property
    def written_off(self) -> Money:
        """What was given up."""
        return self._sum(each.amount for each in self.write_offs)

    @property
    def held_back(self) -> Money:
        """What the customer still keeps back."""
        credited = self._sum(each.holdback for each in self.credits.values())
        return self.document.holdback - self._sum(each.amount for each in self.releases) - credited

    @property
    def credited(self) -> Money:
        """What credit notes took off what the invoice asks for."""
        return self._sum(each.payable for each in self.credits.values())

    def credits_of(self, line: int) -> list[LineCredited]:
        """What was credited of one line, oldest first."""
        return [each for credit in self.credits.values() for each in credit.lines if each.line == line]

    @property
    def receivable(self) -> Money:
        """What the invoice asks for: the document's amount, and what was kept back and released under it since."""
        released = self._sum(each.amount for each in self.releases if each.into is None)
        return self.document.receivable + released

    @property
    def due(self) -> Money:
        """What is still to be received; below zero, the customer has paid too much."""
        return self.receivable - self.credited - self.paid - self.written_off

    @property
    def is_disputed(self) -> bool:
        """Whether a dispute is open."""
        return any(dispute not in self.resolved for dispute in self.disputes)


def decide_issued(command: IssuedCommand, state: Issued) -> Sequence[IssuedEvent]:
    """What a command causes once the customer has the invoice."""
    match command:
        case RequestPosting() | ReportPostingSent() | ReportPostingInDoubt() | ConfirmPosting() | RejectPosting():
            return _post(command, state)
        case RecordPayment():
            return _pay(command, state)
        case TakePayment():
            return _take(command, state)
        case GiveBackPayment(payment, on, reason):
            known = state.applied.get(payment)
            return [InvoicePaymentUnapplied(payment, on, known.amount, known.settled, reason)] if known else []
        case RefundBalance():
            return _refund(command, state)
        case ReleaseHoldback():
            return _release(command, state)
        case DisputeInvoice(dispute, on, reason, by, amount):
            return [] if dispute in state.disputes else [InvoiceDisputed(dispute, on, reason, by, amount)]
        case ResolveDispute(dispute, on, outcome, by):
            if dispute not in state.disputes:
                raise UnknownDispute(dispute)
            return [] if dispute in state.resolved else [DisputeResolved(dispute, on, outcome, by)]
        case HandToCollections():
            return _collect(command, state)
        case WriteOffReceivable():
            return _write_off(command, state)
        case CreditInvoice(credited):
            return _credit(credited, state)
        case _:
            assert_never(command)


def _post(command: PostingCommand, state: Issued) -> Sequence[IssuedEvent]:
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


def settling(event: IssuedEvent, state: Issued, on: date) -> list[IssuedEvent]:
    """The event, and that the invoice is paid where nothing is due after it."""
    was_due, now_due = state.due, evolve_issued(state, event).due
    return [event, InvoicePaid(on)] if was_due and not now_due else [event]


def _require_payable(amount: Money, state: Issued) -> None:
    currency = state.document.gross.currency
    if amount.currency != currency:
        raise PaymentCurrencyDiffers(f"{amount} for {state.document.gross}.")
    if amount <= zero(currency):
        raise PaymentNotPositive(str(amount))
    if state.due < amount:
        raise PaymentAboveBalance(f"{amount} received, {state.due} due.")


def _pay(command: RecordPayment, state: Issued) -> Sequence[IssuedEvent]:
    received = PaymentReceived(command.payment, command.received_on, command.amount, command.reference)
    known = state.payments.get(command.payment)
    if known == received:
        return []
    if known is not None:
        raise PaymentDiffers(f"{command.payment} is {known.amount} of {known.received_on}.")
    _require_payable(command.amount, state)
    return settling(received, state, command.received_on)


def _take(command: TakePayment, state: Issued) -> Sequence[IssuedEvent]:
    taken = InvoicePaymentApplied(command.payment, command.on, command.amount, command.settled)
    known = state.applied.get(command.payment)
    if known is not None and (known.amount, known.settled) == (taken.amount, taken.settled):
        return []
    if known is not None:
        raise PaymentDiffers(f"{command.payment} settles {known.amount} of it.")
    _require_payable(command.amount, state)
    return settling(taken, state, command.on)


def _refund(command: RefundBalance, state: Issued) -> Sequence[IssuedEvent]:
    if command.refund in state.refunds:
        return []
    if command.amount <= zero(command.amount.currency):
        raise PaymentNotPositive(str(command.amount))
    if -state.due < command.amount:
        raise RefundAboveBalance(f"{command.amount} asked, {-state.due} paid too much.")
    return [BalanceRefunded(command.refund, command.on, command.amount, command.by, command.reason)]


def _release(command: ReleaseHoldback, state: Issued) -> Sequence[IssuedEvent]:
    if not state.held_back and command.amount is None:
        return []
    amount = command.amount or state.held_back
    if amount <= zero(amount.currency) or state.held_back < amount:
        raise HoldbackExceeded(f"{amount} asked, {state.held_back} kept back.")
    return [HoldbackReleased(amount, command.on, command.due_on, command.by, command.reason, command.into)]


def _collect(command: HandToCollections, state: Issued) -> Sequence[IssuedEvent]:
    if state.collections is not None:
        return []
    if state.is_disputed:
        raise InvoiceIsDisputed(state.document.number)
    if state.due <= zero(state.due.currency) or command.on <= state.document.due_on:
        raise NotOverdue(f"{state.due} due on {state.document.due_on}.")
    return [HandedToCollections(command.target, command.on, state.due, command.by, command.reason)]


def _write_off(command: WriteOffReceivable, state: Issued) -> Sequence[IssuedEvent]:
    if not state.due:
        return []
    amount = command.amount or state.due
    if amount <= zero(amount.currency) or state.due < amount:
        raise WriteOffAboveBalance(f"{amount} asked, {state.due} due.")
    return [ReceivableWrittenOff(amount, command.on, command.effective_on, command.by, command.reason)]


def _credit(credited: InvoiceCredited, state: Issued) -> Sequence[IssuedEvent]:
    if credited.credit_note in state.credits:
        return []
    by_number = {line.line: line for line in state.document.lines}
    for each in credited.lines:
        line = by_number[each.line]
        whole, before = line.net.amount, sum(known.net.amount for known in state.credits_of(each.line))
        sign = -1 if whole < 0 else 1
        if sign * (before + each.net.amount) > sign * whole:
            left = Money(whole - before, line.net.currency)
            raise CreditAboveLine(f"Line {each.line}: {each.net} asked, {left} left.")
    return settling(credited, state, credited.on)


def evolve_issued(state: Issued, event: object) -> Issued:
    """The invoice after one event; those of drafts change nothing any more."""
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
        case InvoicePaymentApplied():
            return replace(state, applied={**state.applied, event.payment: event})
        case InvoicePaymentUnapplied(payment):
            rest = {name: applied for name, applied in state.applied.items() if name != payment}
            return replace(state, applied=rest, paid_on=None)
        case InvoicePaid(on):
            return replace(state, paid_on=on)
        case BalanceRefunded():
            return replace(state, refunds={**state.refunds, event.refund: event})
        case HoldbackReleased():
            paid_on = state.paid_on if event.into else None
            return replace(state, releases=(*state.releases, event), paid_on=paid_on)
        case InvoiceDisputed():
            return replace(state, disputes={**state.disputes, event.dispute: event})
        case DisputeResolved():
            return replace(state, resolved={**state.resolved, event.dispute: event})
        case HandedToCollections():
            return replace(state, collections=event)
        case ReceivableWrittenOff():
            return replace(state, write_offs=(*state.write_offs, event))
        case InvoiceCredited():
            return replace(state, credits={**state.credits, event.credit_note: event})
        case _:
            return state
