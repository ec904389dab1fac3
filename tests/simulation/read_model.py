"""A read model that follows the log a little behind, for those who ask which work a fact may touch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from adapters.eventstore.memory import MemoryLedger
from domain.expense import ExpenseReport, source_of
from domain.kernel import StreamId, decider_name
from domain.lots import Lot, LotBook, LotStatus
from domain.ports import LotAt, SourceAt
from domain.project import Project
from domain.timesheet import Timesheet

PAGE = 200


class ReadModel:
    """Approved work and open lots as they were at a position; every look brings it some way on."""

    def __init__(self, store: MemoryLedger, rng: Random) -> None:
        self._store = store
        self._rng = rng
        self._states: dict[StreamId, Any] = {}
        self._position = 0

    def position(self) -> int:
        """How far it has read; asked once more, it has read on."""
        self._follow(self._store.read(self._position, self._rng.choice((1, 20, PAGE))))
        return self._position

    def wait_for(self, position: int, _timeout_seconds: float) -> bool:
        """Whether it has read up to a position, which it does at once."""
        while self._position < position:
            self._follow(self._store.read(self._position, PAGE))
        return True

    def _follow(self, facts: Sequence[Any]) -> None:
        for fact in facts:
            kind = decider_name(fact.stream)
            if kind in ("timesheet", "expense_report", "engagement", "project"):
                decider = self._store.deciders[kind]
                known = self._states.get(fact.stream, decider.initial)
                self._states[fact.stream] = decider.evolve(known, fact.event)
            self._position = fact.position

    def unbilled_of(
        self,
        *,
        engagement: str | None = None,
        customer: str | None = None,
        resource: str | None = None,
        lacking_rate_of: str | None = None,
    ) -> Sequence[SourceAt]:
        """Approved work that is on no invoice; it may name some more, since the aggregates look for themselves."""
        return [
            SourceAt(stream, source)
            for stream, source, project, owner, lots in self._unbilled()
            if (engagement is None or self._engagement_of(project) == engagement)
            and (resource is None or owner == resource)
            and (lacking_rate_of is None or not lots or any(lot.cost_in_billing_currency is None for lot in lots))
        ]

    def _unbilled(self) -> Iterator[tuple[StreamId, str, str, str, list[Lot]]]:
        for stream, state in sorted(self._states.items()):
            match state:
                case Timesheet(resource, entries, _, book):
                    work = [(name, entry.status, entry.work.project) for name, entry in entries.items()]
                case ExpenseReport(resource, report, lines, book):
                    work = [
                        (source_of(report, name), each.status, each.expense.project) for name, each in lines.items()
                    ]
                case _:
                    continue
            for source, status, project in work:
                lots = [held for held in book.values() if held.lot.source == source]
                if status == "approved" and not any(held.is_live for held in lots):
                    yield stream, source, project, resource, [held.lot for held in lots]

    def _engagement_of(self, project: str) -> str | None:
        state = self._states.get(StreamId(f"project:{project}"))
        return state.created.engagement if isinstance(state, Project) and state.created else None

    def eligible_of(self, engagement: str, cut_off: str | None = None) -> Sequence[LotAt]:
        """The open lots of an engagement, worked up to a day."""
        return [
            LotAt(stream, lot.lot)
            for stream, lot in self._open()
            if lot.engagement == engagement and (cut_off is None or lot.work_date.isoformat() <= cut_off)
        ]

    def engagements_with_eligible(self, entity: str, cut_off: str | None = None) -> Sequence[str]:
        """The engagements of an entity that have open lots."""
        sold = {lot.engagement for _, lot in self._open() if lot.selling_entity == entity}
        return sorted(each for each in sold if self.eligible_of(each, cut_off))

    def _open(self) -> Iterator[tuple[StreamId, Lot]]:
        for stream, state in sorted(self._states.items()):
            lots: LotBook = getattr(state, "lots", {})
            yield from ((stream, held.lot) for held in lots.values() if held.status is LotStatus.OPEN)
