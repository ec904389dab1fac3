"""What the other systems know of us, and how long they take to say so."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from projections.figures.asked import ratio
from projections.pages import Conditions
from projections.reader import Scope, View


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


def synchronised_projects(view: View, scope: Scope) -> SynchronisedProjects:
    """The share of active projects whose financial status the ERP knows as we do; closed and internal ones are none."""
    conditions = Conditions()
    conditions.add("p.closed_on IS NULL AND NOT p.internal")
    conditions.within(scope, "p.selling_entity")
    ((active, known),) = view.rows(
        "SELECT count(*), count(*) FILTER (WHERE s.confirmed_version = s.our_version AND s.state = 'confirmed')"
        " FROM project p LEFT JOIN sync s ON s.kind = 'project' AND s.object = p.project AND s.target = 'erp'"
        f" {conditions.where}",
        conditions.values,
    )
    return SynchronisedProjects(active, known)


def sync_latencies(view: View, scope: Scope) -> list[SyncLatency]:
    """Of each system, from the recording of what it was asked to know to the recording of its confirmation."""
    conditions = Conditions()
    conditions.add("s.confirmed_at IS NOT NULL")
    conditions.within(scope, "s.selling_entity")
    query = f"""
SELECT target, count(*), round(percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds), 3),
       round(percentile_disc(0.95) WITHIN GROUP (ORDER BY seconds), 3), round(max(seconds), 3)
FROM (SELECT s.target, extract(epoch FROM s.confirmed_at - s.pending_at) AS seconds FROM sync s {conditions.where}) t
GROUP BY 1 ORDER BY 1"""
    return [SyncLatency(*row) for row in view.rows(query, conditions.values)]
