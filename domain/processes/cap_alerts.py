"""Cap alerts: when 75, 90 or 100 % of a cap is used up, the project manager gets a work item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.billing_limit import LimitReached
from domain.caps import Reached
from domain.engagement.caps import CapReached
from domain.exception import Problem, RaiseException, exception_stream
from domain.kernel import Addressed, Recorded, StreamId, local_id
from domain.ports import Candidates, Read, engagement_of


@dataclass(frozen=True, slots=True)
class CapAlerts:
    """Reacts to caps that are nearly or wholly used up."""

    name: str = "cap_alerts"

    def needs(self, fact: Recorded[object]) -> Sequence[StreamId]:
        """The streams that a reaction reads."""
        return [fact.stream] if isinstance(fact.event, CapReached) else []

    def asks_candidates(self, _fact: Recorded[object]) -> bool:
        """No read model is asked."""
        return False

    def react(self, fact: Recorded[object], read: Read, _candidates: Candidates) -> Sequence[Addressed]:
        """The commands that a fact leads to."""
        match fact.event:
            case CapReached(_, reached):
                terms = engagement_of(read, local_id(fact.stream)).terms
                return [_work_item(reached, fact.stream, terms.customer, terms.engagement)]
            case LimitReached(customer, reached):
                return [_work_item(reached, fact.stream, customer, None)]
            case _:
                return []


def _work_item(reached: Reached, about: StreamId, customer: str, engagement: str | None) -> Addressed:
    used = f"{reached.consumed:,} of {reached.limit:,} {reached.unit}"
    problem = Problem(
        kind="limit_reached",
        code="CAP_EXCEEDED" if reached.percent == 100 else "CAP_NEARLY_USED",
        about=about,
        message=f"{reached.percent} % of the cap of {reached.level} is used: {used}.",
        what_to_do="Agree a higher cap with the customer, or plan the remaining work within it.",
        owner_role="project_manager",
        engagement=engagement,
        customer=customer,
    )
    level = reached.level.replace(" ", "_")
    stream = exception_stream("limit_reached", about, level, f"{reached.percent}", reached.unit)
    return Addressed(stream, RaiseException(problem))
