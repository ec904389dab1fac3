"""Which credit notes there are, of which invoices, and what they give back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from projections.pages import Conditions, Page, PageRequest, Sort, paged
from projections.reader import Scope, View


@dataclass(frozen=True, slots=True)
class CreditNoteRow:
    """A credit note as it stands."""

    credit_note: str
    number: str | None
    status: str
    form: str
    invoice: str
    invoice_number: str
    engagement: str
    customer: str
    customer_name: str
    selling_entity: str
    currency: str
    reason: str
    prepared_by: str
    approved_by: str | None
    net: Decimal
    tax: Decimal
    gross: Decimal
    payable: Decimal
    functional_currency: str
    fx_rate: Decimal
    line_count: int
    lot_count: int
    issued_on: date | None
    delivered_on: date | None
    drafted_at: datetime
    issued_at: datetime | None
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class CreditNoteFilter:
    """Which credit notes."""

    credit_notes: tuple[str, ...] | None = None
    number: str | None = None
    invoice: str | None = None
    engagement: str | None = None
    customer: str | None = None
    selling_entity: str | None = None
    status: tuple[str, ...] | None = None
    currency: str | None = None
    issued_from: date | None = None
    issued_to: date | None = None


@dataclass(frozen=True, slots=True)
class CreditNoteTotals:
    """What the credit notes of a status and currency add up to."""

    status: str
    currency: str
    count: int
    net: Decimal
    tax: Decimal
    gross: Decimal


SORTS: Final = {
    "drafted_at": Sort((("n.drafted_at", "timestamptz"), ("n.credit_note", "text"))),
    "number": Sort((("coalesce(n.number, '')", "text"), ("n.credit_note", "text"))),
    "gross": Sort((("n.gross", "numeric"), ("n.credit_note", "text"))),
}
_FROM: Final = "credit_note n"
_SELECT: Final = (
    "SELECT n.credit_note, n.number, n.status, n.form, n.invoice, n.invoice_number, n.engagement, n.customer,"
    " n.buyer_name, n.selling_entity, n.currency, n.reason, n.prepared_by, n.approved_by, n.net, n.tax,"
    " n.gross, n.payable, n.functional_currency, n.fx_rate, n.line_count, n.lot_count, n.issued_on, n.delivered_on,"
    " n.drafted_at, n.issued_at, n.updated_at, n.version"
)


def find(view: View, where: CreditNoteFilter, scope: Scope, page: PageRequest) -> Page[CreditNoteRow]:
    """One page of credit notes."""
    return paged(view, _SELECT, _FROM, _conditions(where, scope), SORTS, page, _row)


def get(view: View, credit_note: str, scope: Scope) -> CreditNoteRow | None:
    """One credit note, if there is one that the asker may see."""
    found = find(view, CreditNoteFilter(credit_notes=(credit_note,)), scope, PageRequest(first=1))
    return found.items[0] if found.items else None


def totals(view: View, where: CreditNoteFilter, scope: Scope) -> tuple[CreditNoteTotals, ...]:
    """What they add up to, by status and currency."""
    conditions = _conditions(where, scope)
    query = (
        "SELECT n.status, n.currency, count(*), sum(n.net), sum(n.tax), sum(n.gross) FROM credit_note n"
        f" {conditions.where} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return tuple(CreditNoteTotals(*row) for row in view.rows(query, conditions.values))


def _conditions(where: CreditNoteFilter, scope: Scope) -> Conditions:
    conditions = Conditions()
    conditions.one_of("n.credit_note", where.credit_notes)
    conditions.equal("n.number", where.number)
    conditions.equal("n.invoice", where.invoice)
    conditions.equal("n.engagement", where.engagement)
    conditions.equal("n.customer", where.customer)
    conditions.equal("n.selling_entity", where.selling_entity)
    conditions.one_of("n.status", where.status)
    conditions.equal("n.currency", where.currency)
    conditions.between("n.issued_on", where.issued_from, where.issued_to)
    conditions.within(scope, "n.selling_entity")
    return conditions


def _row(values: Sequence[Any]) -> CreditNoteRow:
    return CreditNoteRow(*values)
