"""The margin of the group from the journal: the sum of its entities' margins; what they charge each other cancels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from domain.books.account_role import AccountRole
from domain.books.accounting_period import first_day_of, last_day_of
from domain.money import Money
from projections.finance.finance import Rates, only_currency
from projections.pages import Conditions
from projections.reader import View

_NOTHING: Final = Decimal(0)
REVENUE: Final = (
    AccountRole.REVENUE_TM,
    AccountRole.REVENUE_FIXED,
    AccountRole.REVENUE_MILESTONE,
    AccountRole.REVENUE_EXPENSE,
    AccountRole.REVENUE_ADJUSTMENT,
)
"""What customers pay."""
COST: Final = (AccountRole.COST_LABOUR, AccountRole.COST_EXPENSE)
"""What the work costs; what is absorbed of the payroll stands against it elsewhere and is no part of a margin."""

_REPORTED: Final = "CASE WHEN bool_and(reporting_currency = %s AND reporting IS NOT NULL) THEN sum(reporting) END"
"""What the journal reports of some postings in a currency; null where it reports one in another, or cannot yet."""


@dataclass(slots=True)
class EntityMargin:
    """What the books of a span say that one legal entity earned and spent, in its functional currency.

    ``revenue`` is earned from customers, ``intercompany_revenue`` from entities that it delivered for; ``cost`` is
    that of its own people and expenses, ``intercompany_cost`` that of what others delivered for it. ``reported`` is the
    margin in the currency of the firm, as the journal reports it; ``unconverted`` counts the sums of days for which
    there is no rate.
    """

    entity: str
    functional_currency: str
    revenue: Decimal = _NOTHING
    intercompany_revenue: Decimal = _NOTHING
    cost: Decimal = _NOTHING
    intercompany_cost: Decimal = _NOTHING
    reported: Decimal = _NOTHING
    reported_revenue: Decimal = _NOTHING
    reported_cost: Decimal = _NOTHING
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
    amount: Decimal = _NOTHING
    revenue: Decimal = _NOTHING
    cost: Decimal = _NOTHING

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
        return sum((each.reported_revenue for each in self.entities), _NOTHING)

    @property
    def cost(self) -> Decimal:
        """What the firm's own people and expenses cost."""
        return sum((each.reported_cost for each in self.entities), _NOTHING)

    @property
    def margin(self) -> Decimal:
        """The sum of the entities' margins."""
        return sum((each.reported for each in self.entities), _NOTHING)

    @property
    def elimination_difference(self) -> Decimal:
        """By how much the sum of the margins differs from revenue less cost: what rounding leaves of eliminations."""
        return self.margin - (self.revenue - self.cost)


def group_margin(
    view: View, first_period: str, last_period: str, *, engagement: str | None = None, currency: str | None = None
) -> GroupMargin:
    """The margin of some months of the books: of each entity, what they charged each other, and of the group.

    What practices of one entity charge each other is a revenue and a cost of that entity, and cancels out in it.
    """
    first, last = first_day_of(first_period), last_day_of(last_period)
    summing = _Summing(view, first, last, currency)
    for entity, account, *booked in _days(view, first, last, engagement, summing.currency):
        summing.earn_or_spend(entity, account, Booked(*booked))
    for entity, other, account, money, amount, *booked in _between(view, first, last, engagement, summing.currency):
        summing.charge(entity, other, account, Money(amount, money), Booked(*booked))
    entities = sorted(summing.entities.values(), key=lambda each: each.entity)
    eliminations = sorted(summing.eliminations.values(), key=lambda each: (each.lender, each.borrower, each.currency))
    return GroupMargin(summing.currency, first_period, last_period, entities, eliminations)


@dataclass(frozen=True, slots=True)
class Booked:
    """What was debited on a day in functional money; ``reported`` where the journal reports all of it as is asked."""

    day: date
    functional_currency: str
    functional: Decimal
    reported: Decimal | None


def _days(view: View, first: date, last: date, engagement: str | None, currency: str) -> Iterator[tuple[Any, ...]]:
    """What each account of revenue or cost moved by on each day."""
    accounts = [account.value for account in (*REVENUE, *COST)]
    if engagement is None:
        query = (
            "SELECT entity, account, span::date, functional_currency, sum(functional),"
            " CASE WHEN bool_and(reporting_currency = %s AND unreported = 0) THEN sum(reporting) END"
            " FROM journal_balance"
            " WHERE grain = 'day' AND span BETWEEN %s AND %s AND account = ANY(%s) GROUP BY 1, 2, 3, 4 ORDER BY 1, 3, 2"
        )
        yield from view.rows(query, [currency, first.isoformat(), last.isoformat(), accounts])
        return
    query = (
        f"SELECT entity, account, effective_on, functional_currency, sum(functional), {_REPORTED} FROM posting"
        " WHERE engagement = %s AND effective_on BETWEEN %s AND %s AND account = ANY(%s)"
        " GROUP BY 1, 2, 3, 4 ORDER BY 1, 3, 2"
    )
    yield from view.rows(query, [currency, engagement, first, last, accounts])


def _between(view: View, first: date, last: date, engagement: str | None, currency: str) -> Iterator[tuple[Any, ...]]:
    """What entities charged each other by day; practices of one entity have a slash in their names."""
    conditions = Conditions([currency])
    conditions.add("account IN ('REVENUE_IC', 'COST_IC')")
    conditions.add("position('/' in counterparty) = 0")
    conditions.between("effective_on", first, last)
    conditions.equal("engagement", engagement)
    yield from view.rows(
        "SELECT entity, counterparty, account, currency, sum(amount), effective_on, functional_currency,"
        f" sum(functional), {_REPORTED} FROM posting {conditions.where}"
        " GROUP BY 1, 2, 3, 4, 6, 7 ORDER BY 1, 2, 6, 3, 4",
        conditions.values,
    )


class _Summing:
    """Adds up days, each in the functional currency of its entity and in that of the firm.

    What the journal reports in another currency is worth what the rate of the day says.
    """

    def __init__(self, view: View, first: date, last: date, currency: str | None) -> None:
        self._rates = Rates(view, first, last)
        self.currency = currency or self._rates.reporting_currency(last) or only_currency(view)
        self.entities: dict[str, EntityMargin] = {}
        self.eliminations: dict[tuple[str, str, str], Elimination] = {}

    def earn_or_spend(self, entity: str, account: str, debit: Booked) -> None:
        row = self._entity(entity, debit)
        reported = self._reported(row, debit)
        row.reported -= reported
        if account in REVENUE:
            row.revenue -= debit.functional
            row.reported_revenue -= reported
        else:
            row.cost += debit.functional
            row.reported_cost += reported

    def charge(self, entity: str, other: str, account: str, amount: Money, debit: Booked) -> None:
        """One side of what a lender charged a borrower."""
        row = self._entity(entity, debit)
        reported = self._reported(row, debit)
        row.reported -= reported
        sold = account == AccountRole.REVENUE_IC
        key = (entity, other, amount.currency) if sold else (other, entity, amount.currency)
        pair = self.eliminations.setdefault(key, Elimination(*key))
        if sold:
            row.intercompany_revenue -= debit.functional
            pair.amount -= amount.amount
            pair.revenue -= reported
        else:
            row.intercompany_cost += debit.functional
            pair.cost += reported

    def _entity(self, entity: str, debit: Booked) -> EntityMargin:
        return self.entities.setdefault(entity, EntityMargin(entity, debit.functional_currency))

    def _reported(self, row: EntityMargin, debit: Booked) -> Decimal:
        """An amount of the books in the currency of the firm."""
        if debit.reported is not None:
            return debit.reported
        rate = self._rates.nearest(debit.functional_currency, self.currency, debit.day)
        if rate is None:
            row.unconverted += 1
            return _NOTHING
        return Money(debit.functional * rate, self.currency).rounded().amount
