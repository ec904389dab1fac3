"""How much of the hours that people can work is work that customers pay for.

Billable are approved hours that are billed, may be billed, or that a fixed price or a retainer pays for; not those that
are free, given up, not chargeable, or that the approver took off. Capacity is the contractual week, a fifth of it for
each day from Monday to Friday on which somebody is employed: holidays and absences are not taken off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from projections.figures.asked import By, FigureFilter, Names
from projections.figures.work import NAMES as SOLD_NAMES
from projections.figures.work import sold
from projections.pages import Conditions
from projections.reader import Scope, View

NAMES: Final = Names(month="d.month", selling_entity="t.employer", region="e.region", practice="t.practice")
WORKED_NAMES: Final = Names(
    month="to_char(i.work_date, 'YYYY-MM')",
    selling_entity="i.delivering_entity",
    region="e.region",
    practice="coalesce(i.practice, '')",
)
WORKED: Final = "item i JOIN legal_entity e ON e.entity = i.delivering_entity"
"""Hours beside the capacity of people: they belong to the entity that employs them."""

BILLABLE: Final = (
    "i.is_lot AND i.unit = 'hour' AND i.status NOT IN ('reversed', 'split', 'transferred', 'written_off')"
    " AND (i.status <> 'non_billable' OR i.non_billable_because = 'INCLUDED_IN_FIXED_FEE')"
    " AND NOT 'APPROVER_REDUCED' = ANY (i.codes)"
)


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of one key: those that customers pay for, of people's employers; or those that people can work."""

    key: str
    hours: Decimal


def billable_hours(view: View, by: By, where: FigureFilter, scope: Scope) -> Iterator[Hours]:
    """The hours that customers pay for: of the entity that employs who worked them, where they stand beside capacity.

    By customer, engagement or project, or of one of them, they are those of the entity that sells them, as all other
    figures of it are, and nobody else sees them.
    """
    are_worked = WORKED_NAMES.key(by) is not None and WORKED_NAMES.knows(where)
    names, entity, work = (
        (WORKED_NAMES, "i.delivering_entity", WORKED)
        if are_worked
        else (SOLD_NAMES, "i.selling_entity", sold(by, where))
    )
    conditions = Conditions()
    conditions.add(BILLABLE)
    names.restrict(conditions, where, scope, entity)
    query = f"SELECT {names.key(by)}, sum(i.quantity) FROM {work} {conditions.where} GROUP BY 1 ORDER BY 1"
    for row in view.rows(query, conditions.values):
        yield Hours(*row)


def capacity_hours(view: View, by: By, where: FigureFilter, scope: Scope, first: date, last: date) -> Iterator[Hours]:
    """The hours that people can work between two days."""
    conditions = Conditions([first, last])
    NAMES.restrict(conditions, where, scope, "t.employer")
    query = f"""
WITH t AS (
    SELECT resource, employer, practice, capacity_hours_per_week, effective_from::date AS starts,
           lead(effective_from::date) OVER (PARTITION BY resource ORDER BY effective_from) AS next
    FROM resource_terms
), d AS (
    SELECT day::date AS day, to_char(day, 'YYYY-MM') AS month FROM generate_series(%s::date, %s::date, '1 day') day
    WHERE extract(isodow FROM day) < 6
)
SELECT {NAMES.key(by)}, round(sum(t.capacity_hours_per_week) / 5, 2)
FROM t JOIN d ON d.day >= t.starts AND (t.next IS NULL OR d.day < t.next)
JOIN legal_entity e ON e.entity = t.employer
{conditions.where} GROUP BY 1 ORDER BY 1"""
    for row in view.rows(query, conditions.values):
        yield Hours(*row)
