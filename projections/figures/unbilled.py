"""Approved work that is not billed: how old it is by the day of the work, and for which reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from domain.money import Money
from projections.figures.asked import NOTHING, By, Conversion, FigureFilter, last_day_known
from projections.figures.work import NAMES
from projections.pages import Conditions
from projections.reader import Scope, View

AGES: Final = ((30, "0-30"), (60, "31-60"), (90, "61-90"), (None, "over 90"))
UNBILLED: Final = "i.is_lot AND i.state IN ('eligible', 'held', 'over_cap', 'reserved')"


@dataclass(slots=True)
class Unbilled:
    """Unbilled approved work of one key, age and reason; ``reason`` is ELIGIBLE or RESERVED_ON_DRAFT where none blocks.

    A lot with several reasons counts for the first of them in the order of the closed list, so that nothing is counted
    twice. ``age`` is in days since the work, on the day that was asked about.
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
        " coalesce(i.codes[1], CASE WHEN i.state = 'reserved' THEN 'RESERVED_ON_DRAFT' ELSE 'ELIGIBLE' END),"
        f" i.state, coalesce(i.functional_currency, ''), {NAMES.month}, count(*),"
        " coalesce(sum(i.quantity) FILTER (WHERE i.unit = 'hour'), 0), coalesce(sum(i.functional_value), 0),"
        " count(*) FILTER (WHERE i.functional_value IS NULL)"
        f" FROM item i JOIN legal_entity e ON e.entity = i.selling_entity {conditions.where}"
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
