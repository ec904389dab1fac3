"""Keeps what each contract is going to bill, by milestone, instalment or month, beside its lots until it is one."""

from __future__ import annotations

from itertools import islice
from typing import Final

from domain.engagement import Engagement, EngagementOpened, MilestoneAccepted
from domain.engagement.agreement import EngagementSigned, LineAgreed
from domain.engagement.change_orders import ChangeOrderApproved
from domain.engagement.planned import planned_of
from domain.engagement.progress import EstimateRevised, ProgressMeasured
from domain.engagement.schedule import InstalmentDue, ServicePeriodDue
from domain.kernel import decider_name, local_id, stream_of
from domain.lots import LotRated
from projections.contexts import Contexts, Folded, Happened
from projections.eligibility.items import PLANNED, item_of_plan
from projections.eligibility.lots import LotsFold

_TELLING: Final = (
    EngagementOpened,
    EngagementSigned,
    LineAgreed,
    ChangeOrderApproved,
    MilestoneAccepted,
    InstalmentDue,
    ServicePeriodDue,
    ProgressMeasured,
    EstimateRevised,
    LotRated,
)
"""What may change what an engagement is going to bill."""
_AGREED: Final = ("engagement.opened.v1", "engagement.line_agreed.v1", "engagement.change_order_approved.v1")


class PlannedFold:
    """Notes the engagements whose plans a batch may have changed, and puts their items right."""

    def __init__(self, contexts: Contexts, lots: LotsFold) -> None:
        self._contexts = contexts
        self._lots = lots
        self._noted: dict[str, None] = {}

    def note(self) -> None:
        """The batch is complete: the engagements that it says something of."""
        for stream, events in self._contexts.touched.items():
            if decider_name(stream) == "engagement" and any(isinstance(event, _TELLING) for event in events):
                self._noted[local_id(stream)] = None

    def take_up(self, most: int | None = None) -> bool:
        """Makes the items of some of the engagements that were noted; whether there were any."""
        names = list(islice(self._noted, most))
        for name in names:
            del self._noted[name]
            self._put(name)
        return bool(names)

    def _put(self, name: str) -> None:
        stream, items = stream_of("engagement", name), self._lots.items
        folded = self._contexts.of(stream)
        state: Engagement = folded.state
        planned = {(stream, each.source): each for each in planned_of(state)}
        open_now = [key for key in self._lots.open_work.of(name) if key[0] == stream]
        items.fetch([*planned, *open_now])
        for key in open_now:
            item = items.get(key)
            if item is not None and item.status == PLANNED and key not in planned:
                self._lots.leave(key)
        agreed = _agreed(folded)
        for key, each in planned.items():
            starts = state.signed.starts if state.signed else agreed.at.date()
            new = item_of_plan(stream, state.agreement, each, each.day or starts, agreed.version, agreed.at)
            self._lots.stand(key, new)


def _agreed(folded: Folded) -> Happened:
    """The newest fact that says what is going to be billed."""
    told = [folded.happened[name] for name in _AGREED if name in folded.happened]
    return max(told, key=lambda each: each.version)
