"""What work earned, what was billed and collected of it, what it cost, and how fast money comes in: side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from domain.books.accounting_period import first_day_of, last_day_of
from domain.money import Money, minor_unit
from domain.periods import month_of
from projections.figures import books, capacity, forecast, work
from projections.figures.asked import (
    NOTHING,
    By,
    Conversion,
    FigureFilter,
    last_day_known,
    ratio,
    rounded_together,
)
from projections.figures.books import TRAILING_DAYS
from projections.reader import Scope, View

_ONE_PLACE: Final = Decimal("0.1")
_CAPACITY_BY: Final = ("firm", "selling_entity", "region", "practice", "month")
_CAPITAL_BY: Final = ("firm", "selling_entity", "region", "practice", "customer", "engagement", "month")
AMOUNTS: Final = (
    "standard",
    "unbilled",
    "billed_standard",
    "billed",
    "collected",
    "recognised",
    "cost",
    "contract_asset",
    "receivable",
    "trailing_revenue",
    "trailing_billings",
    "expected",
)


@dataclass(slots=True)
class Figures:
    """The figures of one key; amounts in one currency. Those that a key cannot have are None."""

    by: str
    key: str
    currency: str
    billable_hours: Decimal = NOTHING
    capacity_hours: Decimal | None = None
    standard: Decimal = NOTHING
    unbilled: Decimal = NOTHING
    billed_standard: Decimal = NOTHING
    billed: Decimal = NOTHING
    collected: Decimal = NOTHING
    recognised: Decimal = NOTHING
    cost: Decimal = NOTHING
    expected: Decimal = NOTHING
    contract_asset: Decimal | None = None
    receivable: Decimal | None = None
    trailing_revenue: Decimal | None = None
    trailing_billings: Decimal | None = None
    bases: set[forecast.Basis] = field(default_factory=set)
    unconverted: int = 0

    @property
    def margin(self) -> Decimal:
        """Recognised less cost."""
        return self.recognised - self.cost

    @property
    def forecast_margin(self) -> Decimal:
        """The margin to date, and what is still to come of what is promised."""
        return self.margin + self.expected

    @property
    def forecast_basis(self) -> str | None:
        """By what it is known what is still to come: ``estimate``, ``margin_so_far``, or ``both`` of several lines."""
        return next(iter(self.bases), None) if len(self.bases) < 2 else "both"

    @property
    def margin_ratio(self) -> Decimal | None:
        """Margin as a share of what is recognised."""
        return ratio(self.margin, self.recognised)

    @property
    def utilisation(self) -> Decimal | None:
        """Billable hours as a share of capacity."""
        return ratio(self.billable_hours, self.capacity_hours) if self.capacity_hours else None

    @property
    def billing_realisation(self) -> Decimal | None:
        """What is billed as a share of the standard value of all approved work."""
        return ratio(self.billed, self.standard)

    @property
    def price_realisation(self) -> Decimal | None:
        """What is billed as a share of the standard value of what is billed: what write-downs and allowances cost."""
        return ratio(self.billed, self.billed_standard)

    @property
    def collection_realisation(self) -> Decimal | None:
        """What was paid as a share of what is billed."""
        return ratio(self.collected, self.billed)

    @property
    def wip_days(self) -> Decimal | None:
        """How many days of revenue are earned and not billed."""
        return _days(self.contract_asset, self.trailing_revenue)

    @property
    def dso_days(self) -> Decimal | None:
        """How many days of billings are not paid."""
        return _days(self.receivable, self.trailing_billings)

    @property
    def lock_up_days(self) -> Decimal | None:
        """Both together: from the work to the money."""
        if self.wip_days is None or self.dso_days is None:
            return None
        return self.wip_days + self.dso_days


def figures(view: View, by: By, where: FigureFilter, scope: Scope) -> list[Figures]:
    """The figures of every key, in order."""
    known_to = last_day_known(view)
    to_currency = Conversion(view, where, known_to=known_to)
    summing = _Summing(by, to_currency)
    for sums in work.work_sums(view, by, where, scope):
        summing.add_work(sums)
    first, last = _span(view, where, known_to)
    has_capital = by in _CAPITAL_BY and books.CAPITAL_NAMES.knows(where)
    day = last if has_capital and by != "month" else None
    for earned in books.book_sums(view, by, where, scope, to_currency.currency, day):
        summing.add_books(earned)
    if has_capital and by == "month":
        for tied in books.capital_of_months(view, where, scope, _days_of(first, last)):
            summing.add_capital(tied)
    for hours in capacity.billable_hours(view, by, where, scope):
        summing.of(hours.key).billable_hours += hours.hours
    if by in _CAPACITY_BY and capacity.NAMES.knows(where):
        for able in capacity.capacity_hours(view, by, where, scope, first, last):
            summing.of(able.key).capacity_hours = able.hours
    for expected in forecast.expected_margins(view, by, where, scope, known_to):
        summing.add_expected(expected)
    return summing.rounded()


class _Summing:
    """Adds up in the currency of the answer: work at the rate of its month, the books as they are reported."""

    def __init__(self, by: By, to_currency: Conversion) -> None:
        self._by = by
        self._to = to_currency
        self._found: dict[str, Figures] = {}

    def of(self, key: str) -> Figures:
        if key not in self._found:
            self._found[key] = Figures(self._by, key, self._to.currency)
        return self._found[key]

    def add_work(self, sums: work.WorkSums) -> None:
        row, rate = self.of(sums.key), self._to.rate(sums.currency, sums.month) if sums.currency else None
        row.unconverted += sums.unconverted
        if rate is None:
            row.unconverted += 1 if sums.currency else 0
            return
        row.standard += sums.standard * rate
        row.unbilled += (sums.over_cap + sums.held + sums.eligible + sums.reserved) * rate
        row.billed_standard += sums.billed_standard * rate
        row.billed += sums.billed * rate
        row.collected += sums.collected * rate

    def add_books(self, sums: books.BookSums) -> None:
        row = self.of(sums.key)
        rate = self._to.rate_on(sums.currency, sums.on) if sums.on is not None else Decimal(1)
        if rate is not None:
            row.recognised += sums.recognised * rate
            row.cost += sums.cost * rate
        elif sums.recognised or sums.cost:
            row.unconverted += 1
        if sums.capital is not None:
            self.add_capital(sums.capital)

    def add_capital(self, tied: books.Capital) -> None:
        row, rate = self.of(tied.key), self._to.rate(tied.currency, month_of(tied.on))
        if rate is None:
            row.unconverted += 1
            return
        row.contract_asset = (row.contract_asset or NOTHING) + tied.contract_asset * rate
        row.receivable = (row.receivable or NOTHING) + tied.receivable * rate
        row.trailing_revenue = (row.trailing_revenue or NOTHING) + tied.revenue * rate
        row.trailing_billings = (row.trailing_billings or NOTHING) + tied.billings * rate

    def add_expected(self, expected: forecast.Expected) -> None:
        row, rate = self.of(expected.key), self._to.rate(expected.currency, "")
        if rate is None:
            row.unconverted += 1
            return
        row.expected += expected.margin * rate
        row.bases.add(expected.basis)

    def rounded(self) -> list[Figures]:
        """Every amount at the minor unit of the currency, in the order of the keys."""
        rows = [self._found[key] for key in sorted(self._found)]
        for name in AMOUNTS:
            told = [row for row in rows if getattr(row, name) is not None]
            for row, amount in zip(told, self._at_minor_unit([getattr(row, name) for row in told]), strict=True):
                setattr(row, name, amount)
        return rows

    def _at_minor_unit(self, amounts: Sequence[Decimal]) -> Sequence[Decimal]:
        """Each amount rounded for itself; those of practices, who share documents, so that they make up the whole."""
        currency = self._to.currency
        if self._by == "practice":
            return rounded_together(amounts, minor_unit(currency))
        return [Money(amount, currency).rounded().amount for amount in amounts]


def _days(tied: Decimal | None, trailing: Decimal | None) -> Decimal | None:
    if tied is None or not trailing or trailing < 0:
        return None
    return (tied * TRAILING_DAYS / trailing).quantize(_ONE_PLACE, ROUND_HALF_UP)


def _days_of(first: date, last: date) -> list[date]:
    """The days on which capital is looked at: the end of each month; none lies behind the last day."""
    months, day = [], first.replace(day=1)
    while day <= last:
        months.append(min(last_day_of(month_of(day)), last))
        day = last_day_of(month_of(day)) + timedelta(days=1)
    return months or [last]


def _span(view: View, where: FigureFilter, known_to: date) -> tuple[date, date]:
    """The days that the figures are of: as asked, or from the first work to the last month that is known."""
    if where.month_from is not None:
        first = first_day_of(where.month_from)
    else:
        ((found,),) = view.rows("SELECT min(work_date) FROM item WHERE is_lot")
        first = found.replace(day=1) if found is not None else known_to
    last = min(last_day_of(where.month_to), known_to) if where.month_to is not None else known_to
    return first, last
