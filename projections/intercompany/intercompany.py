"""What entities owe each other, and what they delivered and did not invoice yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from projections.finance.finance import either_within
from projections.pages import Conditions, Page, PageRequest, Sort, paged
from projections.reader import Scope, View


@dataclass(frozen=True, slots=True)
class PairRow:
    """What a lender delivered for a borrower in one currency and month.

    ``net``, ``tax`` and ``gross`` are invoiced, for both in the same amounts: between them they come to zero.
    ``settled`` was paid of it, whenever that was.
    ``to_invoice`` was delivered in the month and is on no invoice, ``to_take_back`` is on one and counts no more.
    """

    lender: str
    borrower: str
    currency: str
    period: str
    invoices: int
    net: Decimal
    tax: Decimal
    gross: Decimal
    lender_currency: str | None
    lender_receivable: Decimal
    borrower_currency: str | None
    borrower_payable: Decimal
    to_invoice: Decimal
    to_take_back: Decimal
    settled: Decimal

    @property
    def open(self) -> Decimal:
        """What one is still owed and the other still owes."""
        return self.gross - self.settled


@dataclass(frozen=True, slots=True)
class PairFilter:
    """Which balances between entities."""

    lender: str | None = None
    borrower: str | None = None
    period: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An invoice between two entities: the lender's sale and the borrower's purchase under one number."""

    number: str
    lender: str
    borrower: str
    period: str
    issued_on: date
    currency: str
    lines: int
    net: Decimal
    tax: Decimal
    gross: Decimal
    tax_category: str
    lender_currency: str
    lender_revenue: Decimal
    lender_receivable: Decimal
    lender_rate_id: str
    borrower_currency: str
    borrower_cost: Decimal
    borrower_payable: Decimal
    borrower_rate_id: str
    run_by: str
    event: str
    recorded_at: datetime
    settled: Decimal

    @property
    def open(self) -> Decimal:
        """What of it is not paid."""
        return self.gross - self.settled


PAIR_SORTS: Final = {
    "pair": Sort((("b.lender", "text"), ("b.borrower", "text"), ("b.period", "text"), ("b.currency", "text"))),
}
INVOICE_SORTS: Final = {"number": Sort((("i.number", "text"),))}
_PAIRS: Final = (
    "(SELECT lender, borrower, currency, period, sum(invoices)::bigint AS invoices, sum(net) AS net, sum(tax) AS tax,"
    " sum(gross) AS gross, max(lender_currency) AS lender_currency, sum(receivable) AS receivable,"
    " max(borrower_currency) AS borrower_currency, sum(payable) AS payable, sum(to_invoice) AS to_invoice,"
    " sum(to_take_back) AS to_take_back, sum(settled) AS settled FROM ("
    "SELECT lender, borrower, currency, period, 1 AS invoices, net, tax, gross, lender_currency,"
    " lender_receivable AS receivable, borrower_currency, borrower_payable AS payable, 0 AS to_invoice,"
    " 0 AS to_take_back, settled FROM intercompany_invoice"
    " UNION ALL SELECT lender, borrower, currency, to_char(work_date, 'YYYY-MM'), 0, 0, 0, 0, NULL, 0, NULL, 0,"
    " CASE WHEN status = 'due' THEN value ELSE 0 END, CASE WHEN status = 'to_take_back' THEN value ELSE 0 END, 0"
    " FROM transfer WHERE status IN ('due', 'to_take_back')) each GROUP BY 1, 2, 3, 4) b"
)
_PAIR: Final = (
    "SELECT b.lender, b.borrower, b.currency, b.period, b.invoices, b.net, b.tax, b.gross, b.lender_currency,"
    " b.receivable, b.borrower_currency, b.payable, b.to_invoice, b.to_take_back, b.settled"
)
_INVOICE: Final = (
    "SELECT i.number, i.lender, i.borrower, i.period, i.issued_on, i.currency, i.lines, i.net, i.tax, i.gross,"
    " i.tax_category, i.lender_currency, i.lender_revenue, i.lender_receivable, i.lender_rate_id, i.borrower_currency,"
    " i.borrower_cost, i.borrower_payable, i.borrower_rate_id, i.run_by, i.event, i.recorded_at, i.settled"
)


def balances(view: View, where: PairFilter, scope: Scope, page: PageRequest) -> Page[PairRow]:
    """One page of balances between entities; seen by either of them."""
    conditions = _conditions(where, scope, "b")
    return paged(view, _PAIR, _PAIRS, conditions, PAIR_SORTS, page, lambda row: PairRow(*row))


def count_of_balances(view: View, where: PairFilter, scope: Scope) -> tuple[int, ...]:
    """How many there are."""
    conditions = _conditions(where, scope, "b")
    return (int(view.rows(f"SELECT count(*) FROM {_PAIRS} {conditions.where}", conditions.values)[0][0]),)


def invoices(view: View, where: PairFilter, scope: Scope, page: PageRequest) -> Page[InvoiceRow]:
    """One page of invoices between entities; seen by either of them."""
    conditions, tables = _conditions(where, scope, "i"), "intercompany_invoice i"
    return paged(view, _INVOICE, tables, conditions, INVOICE_SORTS, page, lambda row: InvoiceRow(*row))


def count_of_invoices(view: View, where: PairFilter, scope: Scope) -> tuple[int, ...]:
    """How many there are."""
    conditions = _conditions(where, scope, "i")
    rows = view.rows(f"SELECT count(*) FROM intercompany_invoice i {conditions.where}", conditions.values)
    return (int(rows[0][0]),)


def _conditions(where: PairFilter, scope: Scope, alias: str) -> Conditions:
    conditions = Conditions()
    conditions.equal(f"{alias}.lender", where.lender)
    conditions.equal(f"{alias}.borrower", where.borrower)
    conditions.equal(f"{alias}.period", where.period)
    conditions.equal(f"{alias}.currency", where.currency)
    either_within(conditions, scope, f"{alias}.lender", f"{alias}.borrower")
    return conditions
