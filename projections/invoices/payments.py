"""Which money arrived, and how much of it is on account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from projections.pages import Conditions, Page, PageRequest, Sort, paged
from projections.reader import Scope, View


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """Money as it stands, in its currency: a receipt, or what a source reported of one ``invoice`` alone."""

    payment: str
    invoice: str | None
    customer: str
    customer_name: str
    entity: str
    currency: str
    received_on: date
    reference: str
    amount: Decimal
    applied: Decimal
    refunded: Decimal
    on_account: Decimal
    recorded_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """Which money; ``on_account`` asks for that of which some is left, or none."""

    payments: tuple[str, ...] | None = None
    customer: str | None = None
    entity: str | None = None
    currency: str | None = None
    on_account: bool | None = None
    received_from: date | None = None
    received_to: date | None = None


@dataclass(frozen=True, slots=True)
class PaymentTotals:
    """What the money in a currency adds up to."""

    currency: str
    count: int
    amount: Decimal
    applied: Decimal
    refunded: Decimal
    on_account: Decimal


SORTS: Final = {
    "received_on": Sort((("p.received_on", "date"), ("p.payment", "text"), ("p.invoice", "text"))),
    "amount": Sort((("p.amount", "numeric"), ("p.payment", "text"), ("p.invoice", "text"))),
}
_MONEY: Final = """(
    SELECT payment, '' AS invoice, customer, entity, currency, received_on, reference, amount, applied, refunded,
           on_account, recorded_at, updated_at, version FROM payment
    UNION ALL
    SELECT payment, invoice, customer, entity, currency, received_on, reference, amount, amount, 0, 0, recorded_at,
           recorded_at, 0 FROM invoice_payment
) p"""
"""Receipts, and money that was reported of one invoice; that is used up by it."""
_FROM: Final = f"{_MONEY} LEFT JOIN customer c ON c.customer = p.customer"
_SELECT: Final = (
    "SELECT p.payment, nullif(p.invoice, ''), p.customer, coalesce(c.name, p.customer), p.entity, p.currency,"
    " p.received_on, p.reference, p.amount, p.applied, p.refunded, p.on_account, p.recorded_at, p.updated_at, p.version"
)


def find(view: View, where: PaymentFilter, scope: Scope, page: PageRequest) -> Page[PaymentRow]:
    """One page of money that arrived."""
    return paged(view, _SELECT, _FROM, _conditions(where, scope), SORTS, page, _row)


def totals(view: View, where: PaymentFilter, scope: Scope) -> tuple[PaymentTotals, ...]:
    """What they add up to, by currency."""
    conditions = _conditions(where, scope)
    query = (
        "SELECT p.currency, count(*), sum(p.amount), sum(p.applied), sum(p.refunded), sum(p.on_account)"
        f" FROM {_MONEY} {conditions.where} GROUP BY 1 ORDER BY 1"
    )
    return tuple(PaymentTotals(*row) for row in view.rows(query, conditions.values))


def _conditions(where: PaymentFilter, scope: Scope) -> Conditions:
    conditions = Conditions()
    conditions.one_of("p.payment", where.payments)
    conditions.equal("p.customer", where.customer)
    conditions.equal("p.entity", where.entity)
    conditions.equal("p.currency", where.currency)
    if where.on_account is not None:
        conditions.add("p.on_account <> 0" if where.on_account else "p.on_account = 0")
    conditions.between("p.received_on", where.received_from, where.received_to)
    conditions.within(scope, "p.entity")
    return conditions


def _row(values: Sequence[Any]) -> PaymentRow:
    return PaymentRow(*values)
