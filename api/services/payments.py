"""Services around receipts: receive money for several invoices or on account, apply, unapply, refund."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from typing_extensions import Doc

from api.services.invoices import require_invoice
from api.services.service import Amount, Call, Decision, Service
from domain import receivables
from domain.invoice import invoice_stream
from domain.kernel import Addressed, StreamId
from domain.payment import Payment, PaymentUnknown, ReceivePayment, RefundPayment, payment_stream
from domain.receivables import Allocation


@dataclass(frozen=True)
class AllocationInput:
    """What a receipt settles of one invoice."""

    invoice: Annotated[str, Doc("The issued invoice.")]
    amount: Annotated[Amount | None, Doc("In the invoice's currency; left out, as much as is due and there is.")] = None
    settled: Annotated[Amount | None, Doc("In the receipt's currency; left out, by the published rate of the day.")] = (
        None
    )

    @property
    def allocation(self) -> Allocation:
        """What the domain calls it."""
        amount, settled = self.amount, self.settled
        return Allocation(self.invoice, amount.money if amount else None, settled.money if settled else None)


@dataclass(frozen=True)
class ReceivePaymentInput:
    """Money that a customer sent."""

    payment: Annotated[str, Doc("The bank's or the ERP's id of the receipt; the same id again is the same receipt.")]
    customer: Annotated[str, Doc("Who sent it.")]
    entity: Annotated[str, Doc("The legal entity that received it.")]
    amount: Annotated[Amount, Doc("What arrived, in its currency.")]
    received_on: Annotated[date | None, Doc("The value date; by default today at the entity.")] = None
    reference: Annotated[str, Doc("What the customer wrote.")] = ""
    invoices: Annotated[
        tuple[AllocationInput, ...] | None, Doc("What it settles, in turn; the rest is on account.")
    ] = None


def receive_payment(asked: ReceivePaymentInput, call: Call) -> Decision:
    """Record money that a customer sent, for any number of invoices; what they do not take is on account."""
    call.require_entity(asked.entity)
    call.require_customer(asked.customer)
    for each in asked.invoices or ():
        require_invoice(each.invoice, call)
    received_on = asked.received_on or call.today_at(asked.entity)
    receipt = ReceivePayment(
        asked.payment, asked.customer, asked.entity, received_on, asked.amount.money, asked.reference
    )
    allocations = [each.allocation for each in asked.invoices or ()]
    commands = receivables.receive_payment(call.read, receipt, allocations)
    return Decision(commands, _about(asked.payment, *(each.invoice for each in allocations)))


@dataclass(frozen=True)
class ApplyPaymentInput:
    """Money on account to use for invoices."""

    payment: Annotated[str, Doc("The receipt.")]
    invoices: Annotated[tuple[AllocationInput, ...], Doc("What it settles, in turn.")]
    on: Annotated[date | None, Doc("When; by default today at the entity that received it.")] = None


def apply_payment(asked: ApplyPaymentInput, call: Call) -> Decision:
    """Use money on account for invoices."""
    on = _day(asked.payment, asked.on, call)
    allocations = [each.allocation for each in asked.invoices]
    commands = receivables.apply_payment(call.read, asked.payment, allocations, on)
    return Decision(commands, _about(asked.payment, *(each.invoice for each in allocations)))


@dataclass(frozen=True)
class UnapplyPaymentInput:
    """What a receipt had settled by mistake."""

    payment: Annotated[str, Doc("The receipt.")]
    invoice: Annotated[str, Doc("The invoice that it no longer settles.")]
    reason: Annotated[str, Doc("Why; auditors will read it.")]
    on: Annotated[date | None, Doc("When; by default today at the entity that received it.")] = None


def unapply_payment(asked: UnapplyPaymentInput, call: Call) -> Decision:
    """Take a receipt back from an invoice; the money is on account again, and the invoice due."""
    on = _day(asked.payment, asked.on, call)
    commands = receivables.unapply_payment(call.read, asked.payment, asked.invoice, on, asked.reason)
    return Decision(commands, _about(asked.payment, asked.invoice))


@dataclass(frozen=True)
class RefundPaymentInput:
    """Money on account to pay back."""

    payment: Annotated[str, Doc("The receipt.")]
    refund: Annotated[str, Doc("The bank's id of the refund; the same id again is the same refund.")]
    amount: Annotated[Amount, Doc("How much, in the currency of the receipt.")]
    reason: Annotated[str, Doc("Why; auditors will read it.")]
    on: Annotated[date | None, Doc("When; by default today at the entity that received it.")] = None


def refund_payment(asked: RefundPaymentInput, call: Call) -> Decision:
    """Pay back money that is on account."""
    on = _day(asked.payment, asked.on, call)
    refund = RefundPayment(asked.refund, on, asked.amount.money, asked.reason, call.actor)
    return Decision([Addressed(payment_stream(asked.payment), refund)], _about(asked.payment))


def _day(payment: str, said: date | None, call: Call) -> date:
    """The day that was said, or else today at the entity that received a payment which the token is for."""
    state: Payment = call.read(payment_stream(payment))
    if state.received is None:
        raise PaymentUnknown(payment)
    call.require_entity(state.receipt.entity)
    return said or call.today_at(state.receipt.entity)


def _about(payment: str, *invoices: str) -> tuple[StreamId, ...]:
    return (payment_stream(payment), *map(invoice_stream, invoices))


SERVICES = (
    Service("receive-payment", ReceivePaymentInput, ("payment", "invoice"), receive_payment),
    Service("apply-payment", ApplyPaymentInput, ("payment", "invoice"), apply_payment),
    Service("unapply-payment", UnapplyPaymentInput, ("payment", "invoice"), unapply_payment),
    Service("refund-payment", RefundPaymentInput, ("payment",), refund_payment),
)
