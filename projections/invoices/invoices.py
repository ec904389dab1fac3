"""Which invoices there are, where they stand, and what is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from projections.pages import Conditions, Page, PageRequest, Sort, paged
from projections.reader import Scope, View


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An invoice as it stands; amounts are in its currency, ``fx_rate`` leads to the functional currency.

    Until it is issued it has no number and no tax, and is worth its lines.
    """

    invoice: str
    number: str | None
    status: str
    engagement: str
    customer: str
    customer_name: str
    selling_entity: str
    currency: str
    purchase_order: str | None
    cut_off: date
    prepared_by: str
    approved_by: str | None
    net: Decimal
    tax: Decimal
    gross: Decimal
    paid: Decimal
    due: Decimal
    held_back: Decimal
    written_off: Decimal
    credited: Decimal
    disputes: int
    collections_on: date | None
    issued_on: date | None
    due_on: date | None
    paid_on: date | None
    delivered_on: date | None
    functional_currency: str | None
    fx_rate: Decimal | None
    line_count: int
    lot_count: int
    first_work_date: date | None
    last_work_date: date | None
    drafted_at: datetime
    approved_at: datetime | None
    issued_at: datetime | None
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """Which invoices; ``due_to`` asks for issued ones that are due up to a day and not paid."""

    invoices: tuple[str, ...] | None = None
    number: str | None = None
    engagement: str | None = None
    customer: str | None = None
    selling_entity: str | None = None
    status: tuple[str, ...] | None = None
    currency: str | None = None
    due_to: date | None = None
    issued_from: date | None = None
    issued_to: date | None = None


@dataclass(frozen=True, slots=True)
class InvoiceTotals:
    """What the invoices of a status and currency add up to."""

    status: str
    currency: str
    count: int
    net: Decimal
    gross: Decimal
    paid: Decimal
    due: Decimal


SORTS: Final = {
    "drafted_at": Sort((("i.drafted_at", "timestamptz"), ("i.invoice", "text"))),
    "number": Sort((("coalesce(i.number, '')", "text"), ("i.invoice", "text"))),
    "due_on": Sort((("coalesce(i.due_on, 'infinity'::date)", "date"), ("i.invoice", "text"))),
    "gross": Sort((("i.gross", "numeric"), ("i.invoice", "text"))),
}
_FROM: Final = "invoice i LEFT JOIN customer c ON c.customer = i.customer"
_SELECT: Final = (
    "SELECT i.invoice, i.number, i.status, i.engagement, i.customer, coalesce(i.buyer_name, c.name, i.customer),"
    " i.selling_entity, i.currency, i.purchase_order, i.cut_off, i.prepared_by, i.approved_by, i.net, i.tax, i.gross,"
    " i.paid, i.due, i.held_back, i.written_off, i.credited, i.disputes, i.collections_on,"
    " i.issued_on, i.due_on, i.paid_on, i.delivered_on, i.functional_currency, i.fx_rate, i.line_count, i.lot_count,"
    " i.first_work_date, i.last_work_date, i.drafted_at, i.approved_at, i.issued_at, i.updated_at, i.version"
)
_OF_THE_SUMS: Final = ("selling_entity", "status", "currency")


def find(view: View, where: InvoiceFilter, scope: Scope, page: PageRequest) -> Page[InvoiceRow]:
    """One page of invoices."""
    return paged(view, _SELECT, _FROM, _conditions(where, scope, "i."), SORTS, page, _row)


def get(view: View, invoice: str, scope: Scope) -> InvoiceRow | None:
    """One invoice, if there is one that the asker may see."""
    found = find(view, InvoiceFilter(invoices=(invoice,)), scope, PageRequest(first=1))
    return found.items[0] if found.items else None


def totals(view: View, where: InvoiceFilter, scope: Scope) -> tuple[InvoiceTotals, ...]:
    """What they add up to, by status and currency; the firm's are kept as sums, others are added up."""
    asked = {name for name in InvoiceFilter.__dataclass_fields__ if getattr(where, name) is not None}
    count, table = ("sum(invoices)", "invoice_sum") if asked <= set(_OF_THE_SUMS) else ("count(*)", "invoice")
    conditions = _conditions(where, scope, "")
    query = (
        f"SELECT status, currency, ({count})::bigint, sum(net), sum(gross), sum(paid), sum(due) FROM {table}"
        f" {conditions.where} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return tuple(InvoiceTotals(*row) for row in view.rows(query, conditions.values))


def _conditions(where: InvoiceFilter, scope: Scope, of: str) -> Conditions:
    conditions = Conditions()
    conditions.one_of(f"{of}invoice", where.invoices)
    conditions.equal(f"coalesce({of}number, '')", where.number)
    conditions.equal(f"{of}engagement", where.engagement)
    conditions.equal(f"{of}customer", where.customer)
    conditions.equal(f"{of}selling_entity", where.selling_entity)
    conditions.one_of(f"{of}status", where.status)
    conditions.equal(f"{of}currency", where.currency)
    if where.due_to is not None:
        conditions.add(f"coalesce({of}due_on, 'infinity'::date) <= %s AND {of}status = 'issued'", where.due_to)
    conditions.between(f"{of}issued_on", where.issued_from, where.issued_to)
    conditions.within(scope, f"{of}selling_entity")
    return conditions


def _row(values: Sequence[Any]) -> InvoiceRow:
    return InvoiceRow(*values)
