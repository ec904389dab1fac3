"""Which open work a batch of facts touches: that of every object whose state decides about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from domain.books.accounting_period import AccountingPeriods, accounting_period_stream
from domain.calendar import FIRM, DayOpened
from domain.engagement import BillingClaimed, BillingReleased, Engagement, MilestoneAccepted
from domain.engagement.caps import BillingCredited, CapReached
from domain.kernel import StreamId, decider_name, local_id
from domain.lots import (
    LotHoldsLifted,
    LotRated,
    LotReversed,
    LotsBilled,
    LotsDrawn,
    LotsGivenFree,
    LotsHeld,
    LotSplit,
    LotsPostponed,
    LotsReleased,
    LotsReserved,
    LotsUndrawn,
    LotsWrittenOff,
)
from domain.periods import month_of
from domain.reference.source_system import SourceHeard
from projections.contexts import Contexts
from projections.eligibility.lots import LotsFold
from projections.registers.fold import RegistersFold
from projections.tables import Key

_UNDECIDING: Final = (
    LotRated,
    LotSplit,
    LotsReserved,
    LotsReleased,
    LotsBilled,
    LotReversed,
    LotsWrittenOff,
    LotsHeld,
    LotHoldsLifted,
    LotsGivenFree,
    LotsPostponed,
    LotsDrawn,
    LotsUndrawn,
    CapReached,
    MilestoneAccepted,
)
"""Events of an engagement that say nothing about the eligibility of other work."""


@dataclass(slots=True)
class _Touched:
    """The objects whose work is concerned; of an engagement only some projects, where no more of it is."""

    engagements: set[str] = field(default_factory=set)
    projects: dict[str, set[str]] = field(default_factory=dict)
    customers: list[str] = field(default_factory=list)
    entities: list[str] = field(default_factory=list)


class TouchedWork:
    """Finds the open work of the engagements, projects, customers, entities and countries that a batch has changed."""

    def __init__(self, contexts: Contexts, lots: LotsFold, registers: RegistersFold) -> None:
        self._contexts = contexts
        self._lots = lots
        self._registers = registers

    def work(self) -> Iterator[Key]:
        """The keys of all open items that have to be decided again."""
        touched = _Touched()
        for stream, events in self._contexts.touched.items():
            self._find(stream, events, touched)
            if stream == FIRM:
                yield from self._lots.waited_for(events[-1].day)
        if touched.customers or touched.entities:
            touched.engagements |= self._registers.engagements_of(touched.customers, touched.entities)
        for engagement in touched.engagements:
            yield from self._lots.open_work.of(engagement)
        for engagement in sorted(touched.projects.keys() - touched.engagements):
            yield from self._lots.open_work.of(engagement, touched.projects[engagement])

    def _find(self, stream: StreamId, events: list[Any], touched: _Touched) -> None:
        name = local_id(stream)
        match decider_name(stream):
            case "engagement" if self._decides(stream, events):
                touched.engagements.add(name)
            case "project":
                touched.projects.setdefault(self._engagement_of(name), set()).add(name)
                touched.projects.setdefault("", set()).add(name)
            case "customer" | "billing_limit":
                touched.customers.append(name.partition(":")[0])
            case "legal_entity" | "account_map":
                touched.entities.append(name.partition(":")[0])
            case _:
                touched.entities += self._entities_of(stream, events)

    def _entities_of(self, stream: StreamId, events: list[Any]) -> Sequence[str]:
        """The entities to whose work days, months and the rules of a country matter."""
        name = local_id(stream)
        match decider_name(stream):
            case "tax_rule":
                return self._registers.entities_in(name)
            case "billing_calendar":
                return [name, *self._registers.entities_in(name.partition("-")[0])]
            case "accounting_period" if self._moves_today(events):
                return [name]
            case "source_system":
                return self._freed_by(events)
            case "calendar":
                return self._changed_by_the_day(events)
            case _:
                return []

    def _decides(self, stream: StreamId, events: Iterable[object]) -> bool:
        """Whether what happened to an engagement can change what is decided about its work."""
        state: Engagement = self._contexts.of(stream).state
        order = state.purchase_order
        limits_all = order is not None and order.amount is not None
        for event in events:
            if isinstance(event, BillingClaimed | BillingReleased | BillingCredited):
                if limits_all or state.rooms():
                    return True
            elif not isinstance(event, _UNDECIDING):
                return True
        return False

    def _engagement_of(self, project: str) -> str:
        created = self._contexts.project(project).created
        return created.engagement if created else ""

    def _moves_today(self, events: Iterable[Any]) -> bool:
        """Whether months were closed or reopened that say whether an invoice of today could be posted."""
        today: date | None = self._contexts.of(FIRM).state.today
        return today is not None and any(event.period >= month_of(today) for event in events)

    def _changed_by_the_day(self, events: Sequence[DayOpened]) -> list[str]:
        """The entities whose terms begin, or whose books are closed or open again, with the days that have begun."""
        before, today = events[0].previous, events[-1].day
        return [name for name in self._registers.entities() if before is None or self._turns(name, before, today)]

    def _freed_by(self, events: Sequence[SourceHeard]) -> list[str]:
        """The entities whose work may have waited for a system that was heard again."""
        silent = max((each.on - (each.previous or each.on)).days for each in events)
        return [name for name in self._registers.entities() if self._waits_for_sources(name, silent)]

    def _waits_for_sources(self, entity: str, silent: int) -> bool:
        limits = (each.source_silent_days_max for each in self._contexts.entity(entity).versions)
        return any(limit is not None and limit < silent for limit in limits)

    def _turns(self, entity: str, before: date, today: date) -> bool:
        terms = self._contexts.entity(entity).versions
        if any(before < each.effective_from <= today or each.source_silent_days_max is not None for each in terms):
            return True
        periods: AccountingPeriods = self._contexts.of(accounting_period_stream(entity)).state
        return periods.status_of(month_of(before)) != periods.status_of(month_of(today))
