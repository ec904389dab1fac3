"""Receivables: money that arrives is used for what customers owe, over receipts and invoices in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from domain.conversion import fx_rate
from domain.invoice import (
    DraftInvoice,
    GiveBackPayment,
    HoldbackExceeded,
    InvoiceNotFound,
    Issued,
    Nothing,
    NotIssued,
    ReleaseHoldback,
    TakePayment,
    WriteOffReceivable,
    invoice_stream,
)
from domain.kernel import Addressed, Refused
from domain.money import Money, zero
from domain.payment import (
    ApplyPayment,
    Payment,
    PaymentOfOtherEntity,
    PaymentUnknown,
    ReceivePayment,
    UnapplyPayment,
    payment_stream,
)
from domain.ports import Read, entity_of, invoice_of
from domain.reference.fx_rate import converted


class PaymentForUnknownInvoice(Refused):
    """A payment names an invoice that there is not."""

    code = "payment.invoice_unknown"
    fix = "Check the invoice id, or leave the invoice out: the money is then on account of the customer."


@dataclass(frozen=True, slots=True)
class Allocation:
    """What a receipt settles of one invoice: ``amount`` in its currency, by default as much as is due and there is;
    ``settled`` in the receipt's, by default at the published rate of the day.
    """

    invoice: str
    amount: Money | None = None
    settled: Money | None = None

    @property
    def is_told(self) -> bool:
        """Whether somebody said how much, in either currency."""
        return self.amount is not None or self.settled is not None


def receive_payment(read: Read, receipt: ReceivePayment, allocations: Sequence[Allocation]) -> list[Addressed]:
    """The commands that record a receipt and use it for invoices; what they do not take is on account."""
    stream = payment_stream(receipt.payment)
    known: Payment = read(stream)
    recorded = [Addressed(stream, receipt)]
    left = receipt.amount if known.received is None else known.on_account
    _require_own_invoices(read, receipt.entity, allocations)
    return [*recorded, *_applied(read, receipt.payment, left, allocations, receipt.received_on, or_nothing=True)]


def apply_payment(read: Read, payment: str, allocations: Sequence[Allocation], on: date) -> list[Addressed]:
    """The commands that use money on account for invoices."""
    state: Payment = read(payment_stream(payment))
    if state.received is None:
        raise PaymentUnknown(payment)
    _require_own_invoices(read, state.received.entity, allocations)
    return _applied(read, payment, state.on_account, allocations, on)


def _require_own_invoices(read: Read, entity: str, allocations: Iterable[Allocation]) -> None:
    for each in allocations:
        issuer = _paid(read, each.invoice).document.header.selling_entity
        if issuer != entity:
            raise PaymentOfOtherEntity(f"{each.invoice} is of {issuer}, the money is with {entity}.")


def _applied(
    read: Read,
    payment: str,
    on_account: Money,
    allocations: Iterable[Allocation],
    on: date,
    *,
    or_nothing: bool = False,
) -> list[Addressed]:
    """What is used for each invoice; ``or_nothing``: one that asks for nothing any more leaves the money on account."""
    commands: list[Addressed] = []
    left = on_account
    for each in allocations:
        invoice = _paid(read, each.invoice)
        if each.amount is None and payment in invoice.applied:
            continue
        amount, settled = _amounts(read, each, invoice, left, on)
        if or_nothing and not each.is_told and min(amount.amount, settled.amount) <= 0:
            continue
        known = invoice.applied.get(payment)
        left = left if known is not None else left - settled
        commands.append(Addressed(invoice_stream(each.invoice), TakePayment(payment, on, amount, settled)))
        commands.append(Addressed(payment_stream(payment), ApplyPayment(each.invoice, on, amount, settled)))
    return commands


def _paid(read: Read, invoice: str) -> Issued:
    """The issued invoice that a payment names."""
    if isinstance(invoice_of(read, invoice), Nothing):
        raise PaymentForUnknownInvoice(invoice)
    return _issued(read, invoice)


def _issued(read: Read, invoice: str) -> Issued:
    match invoice_of(read, invoice):
        case Issued() as issued:
            return issued
        case Nothing():
            raise InvoiceNotFound(invoice)
        case state:
            raise NotIssued(f"{invoice} is {type(state).__name__.lower()}.")


def _amounts(read: Read, each: Allocation, invoice: Issued, left: Money, on: date) -> tuple[Money, Money]:
    """What is settled in both currencies, as told, or else as much as is due and there is."""
    currency = invoice.document.gross.currency
    if each.amount is not None and each.settled is not None:
        return each.amount, each.settled
    rate = fx_rate(read, currency, left.currency, on)
    if each.amount is not None:
        return each.amount, converted(each.amount, left.currency, rate)
    if each.settled is not None:
        return converted(each.settled, currency, 1 / rate), each.settled
    due_in_receipts = converted(invoice.due, left.currency, rate)
    if due_in_receipts <= left:
        return invoice.due, due_in_receipts
    return converted(left, currency, 1 / rate), left


def unapply_payment(read: Read, payment: str, invoice: str, on: date, reason: str) -> list[Addressed]:
    """The commands that take a receipt back from an invoice; the money is on account again."""
    _paid(read, invoice)
    return [
        Addressed(payment_stream(payment), UnapplyPayment(invoice, on, reason)),
        Addressed(invoice_stream(invoice), GiveBackPayment(payment, on, reason)),
    ]


def write_off(
    read: Read, invoice: str, amount: Money | None, reason: str, by: str, on: date, tax: Money | None = None
) -> list[Addressed]:
    """The command that gives up what is due; by the entity's policy it counts on its day or on that of the work."""
    issued = _issued(read, invoice)
    terms = entity_of(read, issued.document.header.selling_entity).on(on)
    by_work = terms is not None and terms.write_offs_count_on == "work_date"
    effective_on = max(line.last_work_date for line in issued.document.lines) if by_work else on
    return [Addressed(invoice_stream(invoice), WriteOffReceivable(on, effective_on, by, reason, amount, tax))]


def release_holdback(
    read: Read, invoice: str, amount: Money | None, reason: str, by: str, on: date, into: str | None = None
) -> list[Addressed]:
    """The command that makes due what was kept back, or drafts the invoice of its own (``into``) that asks for it.

    By an invoice of its own it is released when that is issued: a draft that is given up leaves it kept back.
    """
    issued = _issued(read, invoice)
    if into is None:
        due_on = on + (issued.document.due_on - issued.document.issued_on)
        return [Addressed(invoice_stream(invoice), ReleaseHoldback(on, due_on, by, reason, amount))]
    asked = issued.held_back if amount is None else amount
    if asked <= zero(asked.currency) or issued.held_back < asked:
        raise HoldbackExceeded(f"{asked} asked, {issued.held_back} kept back.")
    return [Addressed(invoice_stream(into), _release_draft(issued, asked, by, on, into))]


def _release_draft(issued: Issued, amount: Money, by: str, on: date, into: str) -> DraftInvoice:
    """A draft that asks for what was kept back; its tax was charged by the invoice that it was kept back of."""
    line = replace(
        issued.document.lines[0],
        line=1,
        description=f"Release of what was kept back of invoice {issued.document.number}",
        quantity=Decimal(1),
        unit="item",
        price=amount.amount,
        net=amount,
        lots=(),
        allowances=(),
        adjustment=None,
        base_quantity=Decimal(1),
        holdback_percent=Decimal(0),
        treatments=(),
        releases=issued.invoice,
    )
    header = replace(issued.document.header, cut_off=on, prepared_by=by, share=None)
    return DraftInvoice(into, header, (line,))
