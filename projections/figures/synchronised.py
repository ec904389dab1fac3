"""What the other systems know of us, and how long they take to say so."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from projections.figures.asked import FigureFilter, Names, ratio
from projections.pages import Conditions
from projections.reader import Scope, View

PROJECT_NAMES: Final = Names(
    month="''",
    selling_entity="p.selling_entity",
    region="e.region",
    customer="p.customer",
    engagement="p.engagement",
    project="p.project",
)
"""Projects are counted as they stand, in whatever months they are worked for."""

LATENCY_NAMES: Final = Names(
    month="to_char(s.confirmed_at, 'YYYY-MM')",
    selling_entity="s.selling_entity",
    region="e.region",
    customer="s.customer",
    engagement="s.engagement",
    project="CASE WHEN s.kind = 'project' THEN s.object END",
)


@dataclass(frozen=True, slots=True)
class SynchronisedProjects:
    """Projects that work may be done for, and those of which the ERP has confirmed the version that we have."""

    active: int
    synchronised: int

    @property
    def share(self) -> Decimal | None:
        """Synchronised as a share of active."""
        return ratio(Decimal(self.synchronised), Decimal(self.active))


@dataclass(frozen=True, slots=True)
class SyncLatency:
    """How long a system takes from our fact to its confirmation, in seconds."""

    system: str
    confirmed: int
    p50_seconds: Decimal
    p95_seconds: Decimal
    max_seconds: Decimal


def synchronised_projects(view: View, where: FigureFilter, scope: Scope) -> SynchronisedProjects:
    """The share of active projects whose financial status the ERP knows as we do; closed and internal ones are none."""
    PROJECT_NAMES.require("firm", where)
    conditions = Conditions()
    conditions.add("p.closed_on IS NULL AND NOT p.internal")
    PROJECT_NAMES.restrict(conditions, where.of_all_months(), scope, "p.selling_entity")
    ((active, known),) = view.rows(
        "SELECT count(*), count(*) FILTER (WHERE s.confirmed_version = s.our_version AND s.state = 'confirmed')"
        " FROM project p LEFT JOIN sync s ON s.kind = 'project' AND s.object = p.project AND s.target = 'erp'"
        " LEFT JOIN legal_entity e ON e.entity = p.selling_entity"
        f" {conditions.where}",
        conditions.values,
    )
    return SynchronisedProjects(active, known)


def sync_latencies(view: View, where: FigureFilter, scope: Scope) -> list[SyncLatency]:
    """Of each system, from the recording of what it was asked to know to the recording of its confirmation."""
    conditions = Conditions()
    conditions.add("s.confirmed_at IS NOT NULL")
    LATENCY_NAMES.restrict(conditions, where, scope, "s.selling_entity")
    query = f"""
SELECT target, count(*), round(percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds), 3),
       round(percentile_disc(0.95) WITHIN GROUP (ORDER BY seconds), 3), round(max(seconds), 3)
FROM (SELECT s.target, extract(epoch FROM s.confirmed_at - s.pending_at) AS seconds FROM sync s
      LEFT JOIN legal_entity e ON e.entity = s.selling_entity {conditions.where}) t
GROUP BY 1 ORDER BY 1"""
    return [SyncLatency(*row) for row in view.rows(query, conditions.values)]
