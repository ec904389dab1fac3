"""Falling due: each day lets be billed, or lapse, what contracts set for it; a new promise is looked at at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.calendar import FIRM, Calendar, DayOpened
from domain.contract import FixedFeeSchedule, ManagedService, Retainer
from domain.engagement import Engagement
from domain.engagement.agreement import EngagementSigned, LineAgreed
from domain.engagement.change_orders import ChangeOrderApproved
from domain.engagement.schedule import FallDue
from domain.kernel import Addressed, Recorded, StreamId, local_id, stream_of
from domain.ports import Candidates, Read, engagement_of


@dataclass(frozen=True, slots=True)
class FallingDue:
    """Reacts to days, and to agreements that may owe something since an earlier one."""

    name: str = "falling_due"

    def needs(self, _fact: Recorded[object]) -> Sequence[StreamId]:
        """The streams that a reaction surely reads."""
        return []

    def asks_candidates(self, fact: Recorded[object]) -> bool:
        """Whether a reaction asks the read model which engagements bill by date."""
        return isinstance(fact.event, DayOpened)

    def react(self, fact: Recorded[object], read: Read, candidates: Candidates) -> Sequence[Addressed]:
        """The commands that a fact leads to."""
        match fact.event:
            case DayOpened(day):
                due = FallDue(day, fact.recorded_at)
                names = candidates.engagements_billed_by_date()
                return [Addressed(stream_of("engagement", name), due) for name in names if _waits(name, read)]
            case LineAgreed() | EngagementSigned() | ChangeOrderApproved():
                calendar: Calendar = read(FIRM)
                if calendar.today is None or not _waits(local_id(fact.stream), read):
                    return []
                return [Addressed(fact.stream, FallDue(calendar.today, fact.recorded_at))]
            case _:
                return []


def _waits(name: str, read: Read) -> bool:
    """Whether an engagement is signed and has lines that days matter to."""
    state: Engagement = engagement_of(read, name)
    by_date = FixedFeeSchedule | ManagedService | Retainer
    return state.signed is not None and any(isinstance(line.billing, by_date) for line in state.lines.values())
