"""By what figures are added up, and over which work; every source of figures has its own names for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal

from domain.accounting_period import first_day_of, last_day_of
from domain.periods import month_end
from domain.reference.fx_policy import NoReportingCurrency
from projections.finance import Rates
from projections.pages import Conditions
from projections.reader import Scope, View

By = Literal["firm", "selling_entity", "region", "practice", "customer", "engagement", "project", "month"]
NOTHING: Final = Decimal(0)
_PLACES: Final = Decimal("0.0001")


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
    currency: str | None = None


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
        return all(getattr(where, name) is None or getattr(self, name) is not None for name in objects)

    def restrict(self, conditions: Conditions, where: FigureFilter, scope: Scope, entity: str) -> None:
        """Only what the filter lets through, and what the asker may see of it."""
        for name in ("selling_entity", "region", "practice", "customer", "engagement", "project"):
            column = getattr(self, name)
            if column is not None:
                conditions.equal(column, getattr(where, name))
        conditions.between(self.month, where.month_from, where.month_to)
        conditions.within(scope, entity)


class Conversion:
    """Amounts of a month in the currency of the answer, at the rate of the month's last day.

    The newest month is converted at the newest rate that is known of it. What has no rate is counted, not added.
    """

    def __init__(self, view: View, where: FigureFilter, *, known_to: date) -> None:
        first = first_day_of(where.month_from) if where.month_from else date(1970, 1, 1)
        self._last = min(last_day_of(where.month_to), known_to) if where.month_to else known_to
        self._rates = Rates(view, first, self._last)
        self._known: dict[tuple[str, str], Decimal | None] = {}
        self.currency = where.currency or self._rates.reporting_currency(self._last) or _only_currency(view)

    def rate(self, currency: str, month: str) -> Decimal | None:
        """What one unit of a currency is worth at the end of a month."""
        key = (currency, month)
        if key not in self._known:
            day = min(last_day_of(month), self._last) if month else self._last
            quote = self._rates.quote(currency, self.currency, day)
            self._known[key] = quote.rate if quote is not None else None
        return self._known[key]


def _only_currency(view: View) -> str:
    found = [str(money) for (money,) in view.rows("SELECT DISTINCT functional_currency FROM legal_entity ORDER BY 1")]
    if len(found) != 1:
        raise NoReportingCurrency(f"Its entities keep books in {', '.join(found) or 'no currency yet'}.")
    return found[0]


def last_day_known(view: View) -> date:
    """The last day of the month that the newest posting, piece of work or day of the calendar belongs to."""
    ((day,),) = view.rows(
        "SELECT greatest((SELECT max(effective_on) FROM posting), (SELECT max(work_date) FROM item),"
        " (SELECT max(on_day)::date FROM fx_rate))"
    )
    return month_end(day) if day is not None else date(1970, 1, 31)


def ratio(above: Decimal, below: Decimal) -> Decimal | None:
    """A share with four places; None where there is nothing to share."""
    return (above / below).quantize(_PLACES, ROUND_HALF_UP) if below else None
