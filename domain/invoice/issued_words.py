"""What can be asked of an issued invoice, what can happen to it, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.kernel import Refused
from domain.money import Money


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
class DeliverInvoice:
    """Record that the customer was sent the invoice: by email, a portal, Peppol or post."""

    on: date
    by: str
    channel: str


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
    """Give up what is due, all of it or ``amount``; ``effective_on`` is the day that the policy of the entity says.

    ``tax`` is what of it is tax that the law gives back (Directive 2006/112/EC, article 90); None where it is not.
    """

    on: date
    effective_on: date
    by: str
    reason: str
    amount: Money | None = None
    tax: Money | None = None


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
class InvoiceDelivered:
    """The customer was sent the invoice."""

    on: date
    by: str
    channel: str


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
    """What was due was given up; it counts from ``effective_on``. ``tax`` of it is given back by the law."""

    amount: Money
    on: date
    effective_on: date
    by: str
    reason: str
    tax: Money | None = None


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


class WriteOffAboveTax(Refused):
    """No more tax is claimed back than the invoice charged, and than is written off."""

    code = "invoice.write_off_above_tax"
    fix = "Claim at most the tax in the amount that is written off."


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
    | InvoiceDelivered
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
    | DeliverInvoice
    | DisputeInvoice
    | ResolveDispute
    | HandToCollections
    | WriteOffReceivable
    | CreditInvoice
)
