"""Who waits for whom: work that project managers have not approved, and what each region could bill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from domain.money import Money
from projections.figures.asked import NOTHING, Conversion, FigureFilter, Names, last_day_known
from projections.figures.unbilled import UNBILLED
from projections.figures.work import NAMES, OVER_CAP, sold
from projections.pages import Conditions
from projections.reader import Scope, View


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """Work that waits for the approval of one project manager; empty is work for projects without one.

    ``oldest_at`` is since when the oldest of it waits, ``days_median`` how long half of it has waited, by the clock of
    the system in which it was submitted.
    """

    manager: str
    projects: int
    entries: int
    hours: Decimal
    oldest_at: datetime
    days_median: Decimal


@dataclass(slots=True)
class Backlog:
    """Unbilled approved work of one region: what may be billed, what is held, over a cap, or on a draft."""

    region: str
    currency: str
    lots: int = 0
    eligible: Decimal = NOTHING
    held: Decimal = NOTHING
    over_cap: Decimal = NOTHING
    reserved: Decimal = NOTHING
    unconverted: int = 0

    @property
    def total(self) -> Decimal:
        """All of it."""
        return self.eligible + self.held + self.over_cap + self.reserved


WAITING_NAMES: Final = Names(
    month="to_char(t.work_date, 'YYYY-MM')",
    selling_entity="p.selling_entity",
    region="e.region",
    customer="p.customer",
    engagement="p.engagement",
    project="t.project",
)
"""Work that is not approved belongs to a project; to which practice is decided with its rate."""


def bottlenecks(view: View, where: FigureFilter, scope: Scope, at: datetime) -> list[Bottleneck]:
    """The managers for whom work waits, who keeps most hours first; ``at`` is the moment that ages are counted to."""
    WAITING_NAMES.require("firm", where)
    conditions = Conditions([at])
    conditions.add("t.status = 'submitted'")
    WAITING_NAMES.restrict(conditions, where, scope, "p.selling_entity")
    query = f"""
SELECT coalesce(p.manager, ''), count(DISTINCT t.project), count(*), coalesce(sum(t.hours), 0), min(t.waits_since),
       round((percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM %s - t.waits_since)) / 86400)::numeric, 2)
FROM entry t JOIN project p ON p.project = t.project LEFT JOIN legal_entity e ON e.entity = p.selling_entity
{conditions.where}
GROUP BY 1 ORDER BY 4 DESC, 1"""
    return [Bottleneck(*row) for row in view.rows(query, conditions.values)]


def backlogs(view: View, where: FigureFilter, scope: Scope) -> list[Backlog]:
    """The standard value of unbilled approved work by the region of the selling entity."""
    to_currency = Conversion(view, where, known_to=last_day_known(view))
    conditions = Conditions()
    conditions.add(UNBILLED)
    NAMES.restrict(conditions, where, scope, "i.selling_entity")
    query = (
        f"SELECT e.region, coalesce(i.functional_currency, ''), {NAMES.month}, count(*),"
        f" coalesce(sum(i.functional_value - {OVER_CAP}) FILTER (WHERE i.state = 'eligible'), 0),"
        " coalesce(sum(i.functional_value) FILTER (WHERE i.state = 'held'), 0),"
        f" coalesce(sum({OVER_CAP}), 0) + coalesce(sum(i.functional_value) FILTER (WHERE i.state = 'over_cap'), 0),"
        " coalesce(sum(i.functional_value) FILTER (WHERE i.state = 'reserved'), 0),"
        " count(*) FILTER (WHERE i.functional_value IS NULL)"
        f" FROM {sold('region', where)} {conditions.where}"
        " GROUP BY 1, 2, 3 ORDER BY 1"
    )
    found: dict[str, Backlog] = {}
    for region, currency, month, lots, eligible, held, over_cap, reserved, missing in view.rows(
        query, conditions.values
    ):
        row = found.setdefault(region, Backlog(region, to_currency.currency))
        rate = to_currency.rate(currency, month) if currency else None
        row.lots += lots
        row.unconverted += missing + (lots - missing if rate is None else 0)
        if rate is not None:
            row.eligible += eligible * rate
            row.held += held * rate
            row.over_cap += over_cap * rate
            row.reserved += reserved * rate
    for row in found.values():
        for name in ("eligible", "held", "over_cap", "reserved"):
            setattr(row, name, Money(getattr(row, name), row.currency).rounded().amount)
    return list(found.values())
