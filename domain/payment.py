"""A payment is money that a customer sent: it settles invoices, in whole or in part, and the rest is on account.

The receipt keeps its own currency. What it settles is told twice, in the invoice's currency and in the receipt's, so
that the books can realise the difference at the receipt's rates (IAS 21.28).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import assert_never

from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.money import Money, total, zero


def payment_stream(payment: str) -> StreamId:
    """The history of one receipt: ``payment:<id>``."""
    return stream_of("payment", payment)


@dataclass(frozen=True, slots=True)
class ReceivePayment:
    """Record money that a customer sent to a legal entity, in the currency in which it arrived."""

    payment: str
    customer: str
    entity: str
    received_on: date
    amount: Money
    reference: str = ""


@dataclass(frozen=True, slots=True)
class ApplyPayment:
    """Use part of the receipt for an invoice: ``amount`` in the invoice's currency, ``settled`` in the receipt's."""

    invoice: str
    on: date
    amount: Money
    settled: Money


@dataclass(frozen=True, slots=True)
class UnapplyPayment:
    """Take back from an invoice what the receipt had settled; the money is on account again."""

    invoice: str
    on: date
    reason: str


@dataclass(frozen=True, slots=True)
class RefundPayment:
    """Pay back money that is on account."""

    refund: str
    on: date
    amount: Money
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class MoneyReceived:
    """A customer's money arrived at a legal entity.

    ``functional_currency`` and ``fx_rate`` (its units for one of the receipt's) are those of the day, where known.
    """

    payment: str
    customer: str
    entity: str
    received_on: date
    amount: Money
    reference: str
    functional_currency: str | None = None
    fx_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PaymentApplied:
    """Part of the receipt was used for an invoice."""

    invoice: str
    on: date
    amount: Money
    settled: Money


@dataclass(frozen=True, slots=True)
class PaymentUnapplied:
    """What the receipt had settled of an invoice is on account again."""

    invoice: str
    on: date
    amount: Money
    settled: Money
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentRefunded:
    """Money on account was paid back."""

    refund: str
    on: date
    amount: Money
    reason: str
    by: str


class PaymentOfOtherEntity(Refused):
    """Money that one legal entity received settles its own invoices, not those of another one."""

    code = "payment.other_entity"
    fix = "Record the receipt with the entity that issued the invoice; pass the money on between the entities."


class PaymentUnknown(Refused):
    """There is no such payment."""

    code = "payment.unknown"
    fix = "Record the receipt first, by receivePayment or the ERP's payment message."


class ReceiptDiffers(Refused):
    """The payment id was recorded with another amount, day or customer."""

    code = "payment.differs"
    fix = "Use the bank's own id of each receipt; a further receipt has another id."


class ReceiptNotPositive(Refused):
    """Money that is received, applied or refunded is more than zero."""

    code = "payment.not_positive"
    fix = "Record refunds as refunds, not as negative payments."


class ReceiptCurrencyDiffers(Refused):
    """What a receipt settles is told in its own currency."""

    code = "payment.currency_differs"
    fix = "Send the settled amount in the currency of the receipt."


class AboveOnAccount(Refused):
    """No more is applied or refunded than the payment still has on account."""

    code = "payment.above_on_account"
    fix = "Apply or refund at most what is on account; unapply something first."


class AppliedDifferently(Refused):
    """The payment settles another amount of that invoice already."""

    code = "payment.applied_differently"
    fix = "Unapply it from the invoice first, then apply the right amount."


Event = MoneyReceived | PaymentApplied | PaymentUnapplied | PaymentRefunded
Command = ReceivePayment | ApplyPayment | UnapplyPayment | RefundPayment


@dataclass(frozen=True, slots=True)
class Payment:
    """A receipt and what it was used for; ``received`` is None before it is known."""

    received: MoneyReceived | None = None
    applied: Mapping[str, PaymentApplied] = field(default_factory=dict)
    refunds: Mapping[str, PaymentRefunded] = field(default_factory=dict)

    @property
    def receipt(self) -> MoneyReceived:
        """The receipt, or PaymentUnknown."""
        if self.received is None:
            raise PaymentUnknown
        return self.received

    @property
    def on_account(self) -> Money:
        """What is neither applied nor refunded, in the receipt's currency."""
        amount = self.receipt.amount
        used = total((each.settled for each in self.applied.values()), amount.currency)
        return amount - used - total((each.amount for each in self.refunds.values()), amount.currency)


def decide(command: Command, state: Payment) -> Sequence[Event]:
    match command:
        case ReceivePayment():
            return _receive(command, state)
        case ApplyPayment():
            return _apply(command, state)
        case UnapplyPayment(invoice, on, reason):
            state.receipt  # noqa: B018 -- refuses an unknown payment
            known = state.applied.get(invoice)
            return [PaymentUnapplied(invoice, on, known.amount, known.settled, reason)] if known else []
        case RefundPayment():
            return _refund(command, state)
        case _:
            assert_never(command)


def _receive(command: ReceivePayment, state: Payment) -> Sequence[Event]:
    received = MoneyReceived(
        command.payment, command.customer, command.entity, command.received_on, command.amount, command.reference
    )
    if state.received == received:
        return []
    if state.received is not None:
        raise ReceiptDiffers(f"{command.payment} is {state.received.amount} of {state.received.received_on}.")
    _require_positive(command.amount)
    return [received]


def _apply(command: ApplyPayment, state: Payment) -> Sequence[Event]:
    receipt, known = state.receipt, state.applied.get(command.invoice)
    applied = PaymentApplied(command.invoice, command.on, command.amount, command.settled)
    if known is not None and (known.amount, known.settled) == (applied.amount, applied.settled):
        return []
    if known is not None:
        raise AppliedDifferently(f"{known.amount} of {command.invoice}.")
    if command.settled.currency != receipt.amount.currency:
        raise ReceiptCurrencyDiffers(f"{command.settled} of {receipt.amount}.")
    _require_positive(command.amount)
    _require_on_account(command.settled, state)
    return [applied]


def _refund(command: RefundPayment, state: Payment) -> Sequence[Event]:
    receipt = state.receipt
    if command.refund in state.refunds:
        return []
    if command.amount.currency != receipt.amount.currency:
        raise ReceiptCurrencyDiffers(f"{command.amount} of {receipt.amount}.")
    _require_on_account(command.amount, state)
    return [PaymentRefunded(command.refund, command.on, command.amount, command.reason, command.by)]


def _require_positive(amount: Money) -> None:
    if amount <= zero(amount.currency):
        raise ReceiptNotPositive(str(amount))


def _require_on_account(amount: Money, state: Payment) -> None:
    _require_positive(amount)
    if state.on_account < amount:
        raise AboveOnAccount(f"{amount} asked, {state.on_account} on account.")


def evolve(state: Payment, event: Event) -> Payment:
    match event:
        case MoneyReceived():
            return replace(state, received=event)
        case PaymentApplied():
            return replace(state, applied={**state.applied, event.invoice: event})
        case PaymentUnapplied(invoice):
            rest = {name: applied for name, applied in state.applied.items() if name != invoice}
            return replace(state, applied=rest)
        case PaymentRefunded():
            return replace(state, refunds={**state.refunds, event.refund: event})
        case _:
            assert_never(event)


decider: Decider[Command, Payment, Event] = Decider("payment", Payment(), decide, evolve)
