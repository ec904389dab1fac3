"""What is still to come of what is promised: the price that is not earned yet, less what earning it will cost.

Where somebody has said what the whole of a contract line takes, in hours or in cost, that is what it costs: an estimate
at completion, or the budget of the contract. An hour to come costs what an hour has cost so far. Where nobody has, it
goes on as it went: at the margin that the line has had, which is the same as its progress would say. Lines without a
price or a cap promise nothing beyond what was done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from domain.periods import month_end, month_of
from projections.figures import practices
from projections.figures.asked import ONLY_PROJECTS, By, FigureFilter, Names
from projections.pages import Conditions
from projections.reader import Scope, View

Basis = Literal["estimate", "margin_so_far"]

NAMES: Final = Names(
    month="''",
    selling_entity="l.entity",
    region="e.region",
    practice="coalesce(s.practice, '')",
    customer="n.customer",
    engagement="l.engagement",
    project="coalesce(o.project, '')",
)
"""What is promised belongs to the project of its line, where that has one alone, and to the practices at work on it."""

_LEFT: Final = "(l.price - l.recognised + l.adjusted)"
_IS_ESTIMATED: Final = "(l.estimate_measure = 'cost' OR (l.estimate_measure = 'hours' AND l.hours > 0))"
"""What an hour costs is known once somebody has worked one."""
_COST_TO_COME: Final = f"""
CASE WHEN NOT {_IS_ESTIMATED} THEN {_LEFT} * l.cost / nullif(l.recognised, 0)
     WHEN l.estimate_measure = 'cost' THEN greatest(l.estimate - l.cost, 0) - l.provision
     ELSE greatest(l.estimate - l.hours, 0) * l.cost / nullif(l.hours, 0) - l.provision END"""
"""An expected loss is a cost already, as far as it is provided for."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The margin that lines of one key are expected to have in a month; without month where nobody asks for it."""

    key: str
    month: str
    currency: str
    margin: Decimal
    basis: Basis


def expected_margins(view: View, by: By, where: FigureFilter, scope: Scope, today: date) -> Iterator[Expected]:
    """What is still to come of each key.

    By month, or of some months, it is spread evenly over the days from ``today`` until the project ends, else the
    engagement; where neither says so, or that is over, it belongs to the month of today.
    """
    of_months = by == "month" or where.month_from is not None or where.month_to is not None
    for key, currency, basis, ends, margin in _sums(view, by, where, scope, of_months=of_months):
        for month, part in _spread(margin, today, ends or today) if of_months else [("", margin)]:
            if (where.month_from or "") <= month <= (where.month_to or month):
                yield Expected(month if by == "month" else key, month, currency, part, basis)


def _sums(view: View, by: By, where: FigureFilter, scope: Scope, *, of_months: bool) -> list[tuple[Any, ...]]:
    """Margins to come by key, currency, basis and, where it matters, last day."""
    conditions = Conditions()
    conditions.add(f"{_LEFT} > 0 AND ({_IS_ESTIMATED} OR l.recognised > 0)")
    NAMES.restrict(conditions, where.of_all_months(), scope, "l.entity")
    of_practices = (
        f" LEFT JOIN {practices.LINE_SHARES} s ON s.engagement = l.engagement AND s.line = l.line"
        if practices.are_asked(by, where)
        else ""
    )
    share = "coalesce(s.share, 1)" if of_practices else "1"
    ends = "coalesce(o.ends, n.ends)" if of_months else "NULL::date"
    return view.rows(
        f"SELECT {NAMES.key(by)}, l.currency,"
        f" CASE WHEN {_IS_ESTIMATED} THEN 'estimate' ELSE 'margin_so_far' END, {ends},"
        f" sum(({_LEFT} - ({_COST_TO_COME})) * {share})"
        " FROM journal_line l JOIN legal_entity e ON e.entity = l.entity"
        " JOIN engagement n ON n.engagement = l.engagement"
        f" LEFT JOIN {ONLY_PROJECTS} o ON o.engagement = l.engagement AND o.line = l.line{of_practices}"
        f" {conditions.where} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
        conditions.values,
    )


def _spread(margin: Decimal, today: date, ends: date) -> Iterator[tuple[str, Decimal]]:
    """An amount evenly over the days that are left, month by month; the last month takes what division leaves."""
    days, day, left = (ends - today).days, today, margin
    while day < ends:
        last = min(month_end(day + timedelta(days=1)), ends)
        part = left if last == ends else margin * (last - day).days / days
        yield month_of(last), part
        day, left = last, left - part
    if days <= 0:
        yield month_of(today), margin
