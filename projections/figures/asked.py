"""By what figures are added up, and over which work; every source of figures has its own names for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final, Literal

from domain.books.accounting_period import first_day_of, last_day_of
from domain.kernel import Refused
from projections.finance.finance import Rates, only_currency
from projections.pages import Conditions
from projections.reader import Scope, View

By = Literal["firm", "selling_entity", "region", "practice", "customer", "engagement", "project", "month"]
NOTHING: Final = Decimal(0)
_PLACES: Final = Decimal("0.0001")


class FigureUnknown(Refused):
    """Some figures exist of some objects alone: an invoice may bill several projects, and belongs to none of them."""

    code = "figures.unknown"
    fix = "Ask by another object, or without that filter."


@dataclass(frozen=True, slots=True)
class FigureFilter:
    """Which work; months as ``2026-03``, both included. ``currency`` is that of the answer, by default the firm's."""

    month_from: str | None = None
    month_to: str | None = None
    selling_entity: str | None = None
    region: str | None = None
    practice: str | None = None
    customer: str | None = None
    engagement: str | None = None
    project: str | None = None
    manager: str | None = None
    currency: str | None = None

    def of_all_months(self) -> FigureFilter:
        """The same work, whenever it was."""
        return replace(self, month_from=None, month_to=None)


@dataclass(frozen=True, slots=True)
class Names:
    """What a source calls the objects of a figure; None is what it does not know."""

    month: str
    selling_entity: str | None = None
    region: str | None = None
    practice: str | None = None
    customer: str | None = None
    engagement: str | None = None
    project: str | None = None

    def key(self, by: By) -> str | None:
        """The expression that figures are grouped by; None when the source cannot tell them apart."""
        expressions: Mapping[By, str | None] = {
            "firm": "''",
            "selling_entity": self.selling_entity,
            "region": self.region,
            "practice": self.practice,
            "customer": self.customer,
            "engagement": self.engagement,
            "project": self.project,
            "month": self.month,
        }
        return expressions[by]

    def knows(self, where: FigureFilter) -> bool:
        """Whether the source can leave out what the filter leaves out."""
        objects = ("selling_entity", "region", "practice", "customer", "engagement", "project")
        known = (getattr(where, name) is None or getattr(self, name) is not None for name in objects)
        return all(known) and (where.manager is None or self.project is not None)

    def require(self, by: By, where: FigureFilter) -> None:
        """Refuses what the source cannot tell apart."""
        if self.key(by) is None or not self.knows(where):
            raise FigureUnknown(f"By {by}, or for that filter.")

    def restrict(self, conditions: Conditions, where: FigureFilter, scope: Scope, entity: str) -> None:
        """Only what the filter lets through, and what the asker may see of it."""
        for name in ("selling_entity", "region", "practice", "customer", "engagement", "project"):
            column = getattr(self, name)
            if column is not None:
                conditions.equal(column, getattr(where, name))
        if self.project is not None:
            conditions.managed_by(where.manager, self.project)
        conditions.between(self.month, where.month_from, where.month_to)
        conditions.within(scope, entity)


ONLY_PROJECTS: Final = (
    "(SELECT engagement, line, min(project) AS project, min(ends) AS ends FROM project"
    " GROUP BY 1, 2 HAVING count(*) = 1)"
)
"""The project of each contract line that has one alone: what is agreed for the line as a whole is done there."""


class Conversion:
    """Amounts in the currency of the answer, at the rate nearest to a day, or to the last day of a month.

    What has no rate at all is counted, not added.
    """

    def __init__(self, view: View, where: FigureFilter, *, known_to: date) -> None:
        first = first_day_of(where.month_from) if where.month_from else date(1970, 1, 1)
        self._last = min(last_day_of(where.month_to), known_to) if where.month_to else known_to
        self._rates = Rates(view, first, self._last)
        self.currency = where.currency or self._rates.reporting_currency(self._last) or only_currency(view)

    def rate(self, currency: str, month: str) -> Decimal | None:
        """What one unit of a currency is worth at the end of a month; without a month at the end of all of them."""
        return self.rate_on(currency, min(last_day_of(month), self._last) if month else self._last)

    def rate_on(self, currency: str, day: date) -> Decimal | None:
        """What one unit of a currency is worth on a day."""
        return self._rates.nearest(currency, self.currency, day)


def last_day_known(view: View) -> date:
    """The newest day of the books, of the work, or of the exchange rates: what lies behind it is not known yet."""
    ((day,),) = view.rows("SELECT day FROM newest_day")
    return day if day is not None else date(1970, 1, 1)


def rounded_together(amounts: Sequence[Decimal], step: Decimal) -> list[Decimal]:
    """Amounts in whole steps that add up to their rounded sum: by largest remainder, of equal ones the first."""
    whole = _in_steps(sum(amounts, NOTHING), step, ROUND_HALF_UP)
    floors = [_in_steps(amount, step, ROUND_FLOOR) for amount in amounts]
    missing = int((whole - sum(floors, NOTHING)) / step)
    by_remainder = sorted(range(len(amounts)), key=lambda place: amounts[place] - floors[place], reverse=True)
    for place in by_remainder[:missing]:
        floors[place] += step
    return floors


def _in_steps(amount: Decimal, step: Decimal, rounding: str) -> Decimal:
    return (amount / step).quantize(Decimal(1), rounding) * step


def ratio(above: Decimal, below: Decimal) -> Decimal | None:
    """A share with four places; None where there is nothing to share."""
    return (above / below).quantize(_PLACES, ROUND_HALF_UP) if below else None
