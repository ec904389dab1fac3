"""What entities owe each other, what they delivered and did not invoice yet, and the margin of the group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from domain.accounting_period import first_day_of, last_day_of
from domain.conversion import PIVOT
from domain.money import Money
from projections.finance import Rates, either_within
from projections.pages import Conditions, Page, PageRequest, Sort, paged
from projections.reader import Scope, View

NOTHING: Final = Decimal(0)


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


# -- the margin of the group -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class EntityMargin:
    """What the work of a span earned and cost one legal entity, in its functional currency.

    ``revenue`` is earned from customers, ``intercompany_revenue`` from entities that it delivered for; ``cost`` is
    that of its own people, ``intercompany_cost`` that of what others delivered for it. ``reported`` is the margin in
    the currency of the firm, each day at its own rate; ``unconverted`` counts the sums of days that have none.
    """

    entity: str
    functional_currency: str
    revenue: Decimal = NOTHING
    intercompany_revenue: Decimal = NOTHING
    cost: Decimal = NOTHING
    intercompany_cost: Decimal = NOTHING
    reported: Decimal = NOTHING
    reported_revenue: Decimal = NOTHING
    reported_cost: Decimal = NOTHING
    unconverted: int = 0

    @property
    def margin(self) -> Decimal:
        """What is left, in the functional currency."""
        return self.revenue + self.intercompany_revenue - self.cost - self.intercompany_cost


@dataclass(slots=True)
class Elimination:
    """What a lender earned and a borrower paid among themselves: it is no revenue and no cost of the group.

    ``amount`` is in the currency of their agreement. ``revenue`` and ``cost`` are in the currency of the firm, as they
    stand in the two margins; ``difference`` is what the two conversions leave between them.
    """

    lender: str
    borrower: str
    currency: str
    amount: Decimal = NOTHING
    revenue: Decimal = NOTHING
    cost: Decimal = NOTHING

    @property
    def difference(self) -> Decimal:
        """What is left after elimination; cents at most, from rounding in two currencies."""
        return self.revenue - self.cost


@dataclass(slots=True)
class GroupMargin:
    """The margin of the group: the sum of its entities' margins, in which what they charge each other cancels out."""

    currency: str
    first_period: str
    last_period: str
    entities: list[EntityMargin] = field(default_factory=list)
    eliminations: list[Elimination] = field(default_factory=list)

    @property
    def revenue(self) -> Decimal:
        """What customers pay."""
        return sum((each.reported_revenue for each in self.entities), NOTHING)

    @property
    def cost(self) -> Decimal:
        """What the firm's own people and expenses cost."""
        return sum((each.reported_cost for each in self.entities), NOTHING)

    @property
    def margin(self) -> Decimal:
        """The sum of the entities' margins."""
        return sum((each.reported for each in self.entities), NOTHING)

    @property
    def elimination_difference(self) -> Decimal:
        """By how much the sum of the margins differs from revenue less cost: what rounding leaves of eliminations."""
        return self.margin - (self.revenue - self.cost)


def group_margin(
    view: View, first_period: str, last_period: str, *, engagement: str | None = None, currency: str | None = None
) -> GroupMargin:
    """The margin of the work of some months: of each entity, what they charged each other, and of the group."""
    first, last = first_day_of(first_period), last_day_of(last_period)
    summing = _Summing(view, first, last, currency)
    for entity, day, money, amount in _days(view, _REVENUE, first, last, engagement):
        summing.revenue(entity, day, Money(amount, money))
    for entity, day, money, amount in _days(view, _COST, first, last, engagement):
        summing.cost(entity, day, Money(amount, money))
    query, values = _transfers(first, last, engagement)
    for lender, borrower, day, money, amount in view.rows(query, values):
        summing.charge(lender, borrower, day, Money(amount, money))
    entities = sorted(summing.entities.values(), key=lambda each: each.entity)
    eliminations = sorted(summing.eliminations.values(), key=lambda each: (each.lender, each.borrower, each.currency))
    return GroupMargin(summing.currency, first_period, last_period, entities, eliminations)


_LIVE: Final = "i.is_lot AND i.status NOT IN ('reversed', 'split', 'transferred')"
_REVENUE: Final = (
    "SELECT i.selling_entity, i.work_date, i.currency, sum(CASE WHEN i.status IN ('non_billable', 'written_off') THEN 0"
    f" ELSE i.value - i.over_cap_value END) FROM item i WHERE {_LIVE} AND i.currency IS NOT NULL"
)
_COST: Final = (
    "SELECT coalesce(i.delivering_entity, i.selling_entity), i.work_date, i.cost_currency, sum(i.cost) FROM item i"
    f" WHERE {_LIVE} AND i.cost_currency IS NOT NULL"
)


def _days(view: View, select: str, first: date, last: date, engagement: str | None) -> Iterator[tuple[Any, ...]]:
    conditions = Conditions()
    conditions.between("i.work_date", first, last)
    conditions.equal("i.engagement", engagement)
    query = f"{select} AND {conditions.where.removeprefix('WHERE ')} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    yield from view.rows(query, conditions.values)


def _transfers(first: date, last: date, engagement: str | None) -> tuple[str, list[object]]:
    conditions = Conditions()
    conditions.add("t.status IN ('due', 'invoiced')")
    conditions.between("t.work_date", first, last)
    conditions.equal("t.engagement", engagement)
    select = "SELECT t.lender, t.borrower, t.work_date, t.currency, sum(t.value) FROM transfer t"
    return f"{select} {conditions.where} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4", conditions.values


class _Summing:
    """Adds up days, each in the functional currency of its entity and in that of the firm, at the rates of the day."""

    def __init__(self, view: View, first: date, last: date, currency: str | None) -> None:
        self._rates = Rates(view, first, last)
        found = view.rows("SELECT entity, functional_currency FROM legal_entity")
        self._functional = {str(entity): str(money) for entity, money in found}
        self.currency = currency or self._rates.reporting_currency(last) or PIVOT
        self.entities: dict[str, EntityMargin] = {}
        self.eliminations: dict[tuple[str, str, str], Elimination] = {}

    def revenue(self, entity: str, day: date, amount: Money) -> None:
        row = self._entity(entity, amount)
        own, reported = self._converted(row, day, amount)
        row.revenue += own
        row.reported += reported
        row.reported_revenue += reported

    def cost(self, entity: str, day: date, amount: Money) -> None:
        row = self._entity(entity, amount)
        own, reported = self._converted(row, day, amount)
        row.cost += own
        row.reported -= reported
        row.reported_cost += reported

    def charge(self, lender: str, borrower: str, day: date, amount: Money) -> None:
        """One amount, on both sides."""
        sale, purchase = self._entity(lender, amount), self._entity(borrower, amount)
        earned, earned_reported = self._converted(sale, day, amount)
        paid, paid_reported = self._converted(purchase, day, amount)
        sale.intercompany_revenue += earned
        sale.reported += earned_reported
        purchase.intercompany_cost += paid
        purchase.reported -= paid_reported
        key = (lender, borrower, amount.currency)
        row = self.eliminations.setdefault(key, Elimination(*key))
        row.amount += amount.amount
        row.revenue += earned_reported
        row.cost += paid_reported

    def _entity(self, entity: str, amount: Money) -> EntityMargin:
        functional = self._functional.get(entity, amount.currency)
        return self.entities.setdefault(entity, EntityMargin(entity, functional))

    def _converted(self, row: EntityMargin, day: date, amount: Money) -> tuple[Decimal, Decimal]:
        """An amount in the functional currency of an entity, and what that is in the currency of the firm."""
        to_own = self._rates.quote(amount.currency, row.functional_currency, day)
        to_firm = self._rates.quote(row.functional_currency, self.currency, day)
        if to_own is None or to_firm is None:
            row.unconverted += 1
            return NOTHING, NOTHING
        own = Money(amount.amount * to_own.rate, row.functional_currency).rounded()
        return own.amount, Money(own.amount * to_firm.rate, self.currency).rounded().amount
