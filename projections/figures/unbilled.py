"""Approved work that is not billed: how old it is by the day of the work, and for which reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from domain.money import Money
from projections.figures.asked import NOTHING, By, Conversion, FigureFilter, last_day_known
from projections.figures.work import NAMES, OVER_CAP, sold
from projections.pages import Conditions
from projections.reader import Scope, View

AGES: Final = ((30, "0-30"), (60, "31-60"), (90, "61-90"), (None, "over 90"))
UNBILLED: Final = "i.is_lot AND i.state IN ('eligible', 'held', 'over_cap', 'reserved')"


_REASON: Final = (
    "CASE i.state WHEN 'eligible' THEN 'ELIGIBLE' WHEN 'reserved' THEN coalesce(i.codes[1], 'RESERVED_ON_DRAFT')"
    " ELSE coalesce(i.codes[1], upper(i.state)) END"
)
_PARTS: Final = f"""
CROSS JOIN LATERAL (
    SELECT {_REASON} AS reason, i.state, i.functional_value - {OVER_CAP} AS value,
           CASE i.state WHEN 'eligible' THEN i.quantity - i.over_cap_quantity ELSE i.quantity END AS quantity
    UNION ALL
    SELECT 'CAP_EXCEEDED', 'over_cap', {OVER_CAP}, i.over_cap_quantity
    WHERE i.state = 'eligible' AND i.over_cap_value <> 0 AND i.functional_value IS NOT NULL
) part"""
"""A lot as a whole, or what its cap leaves of it and what it takes."""


@dataclass(slots=True)
class Unbilled:
    """Unbilled approved work of one key, age and reason; ``reason`` is ELIGIBLE or RESERVED_ON_DRAFT where none blocks.

    A lot with several reasons counts for the first of them in the order of the closed list, so that nothing is counted
    twice; a lot that is over its cap in part counts with each part for itself. ``age`` is in days since the work, on
    the day that was asked about.
    """

    key: str
    age: str
    reason: str
    state: str
    currency: str
    lots: int = 0
    hours: Decimal = NOTHING
    value: Decimal = NOTHING
    unconverted: int = 0


def unbilled(view: View, by: By, where: FigureFilter, scope: Scope, on: date | None = None) -> list[Unbilled]:
    """The standard value of unbilled approved work, by key, age and reason."""
    known_to = last_day_known(view)
    day, to_currency = on or known_to, Conversion(view, where, known_to=known_to)
    conditions = Conditions([day, day, day])
    conditions.add(UNBILLED)
    NAMES.restrict(conditions, where, scope, "i.selling_entity")
    query = (
        f"SELECT {NAMES.key(by)}, CASE WHEN %s - i.work_date <= 30 THEN 0 WHEN %s - i.work_date <= 60 THEN 1"
        " WHEN %s - i.work_date <= 90 THEN 2 ELSE 3 END,"
        f" part.reason, part.state, coalesce(i.functional_currency, ''), {NAMES.month}, count(*),"
        " coalesce(sum(part.quantity) FILTER (WHERE i.unit = 'hour'), 0), coalesce(sum(part.value), 0),"
        " count(*) FILTER (WHERE part.value IS NULL)"
        f" FROM {sold(by, where)} {_PARTS} {conditions.where}"
        " GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4"
    )
    found: dict[tuple[str, int, str, str], Unbilled] = {}
    for key, age, reason, state, currency, month, lots, hours, value, missing in view.rows(query, conditions.values):
        row = found.setdefault(
            (key, age, reason, state), Unbilled(key, AGES[age][1], reason, state, to_currency.currency)
        )
        rate = to_currency.rate(currency, month) if currency else None
        row.lots, row.hours = row.lots + lots, row.hours + hours
        row.unconverted += missing + (lots - missing if rate is None else 0)
        row.value += value * rate if rate is not None else NOTHING
    for row in found.values():
        row.value = Money(row.value, row.currency).rounded().amount
    return list(found.values())
