"""Runs one process: follows the log from where it was, reacts, and records reaction and position in one transaction."""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import Enum
from typing import Any, Final

import structlog

from adapters.automation.pages import Pages
from adapters.automation.process import Automated, LiveCandidates
from adapters.automation.refusals import work_item
from adapters.automation.window import CapUses, Window
from adapters.eventstore.base import BaseLedger
from adapters.eventstore.errors import AlreadyRecorded, VersionConflict
from adapters.eventstore.unit import UnitOfWork
from domain.kernel import Addressed, Cause, Recorded, Refused

EVENTS_PER_COMMIT: Final = 4_000
SOURCES_PER_WINDOW: Final = 2_000
FACTS_MAX: Final = 500
SAVE_SECONDS: Final = 1.0
"""How often a position is noted while the facts that go by concern nobody."""

_log = structlog.get_logger(__name__)


class Step(Enum):
    """What came of looking at the log once."""

    ACTED = "went on in the log"
    AGAIN = "somebody else was first: look again"
    WAITING = "waits for the read model"
    IDLE = "nothing new"


class Runner:
    """One process at work. It belongs to one thread; a second runner of the same process does no harm.

    Whoever records a reaction moves the process's position in the same transaction, and a position is recorded once.
    """

    def __init__(
        self,
        ledger: BaseLedger,
        pages: Pages,
        run: Automated,
        candidates: LiveCandidates,
        *,
        events_per_commit: int = EVENTS_PER_COMMIT,
        sources_per_window: int = SOURCES_PER_WINDOW,
    ) -> None:
        self.run = run
        self._ledger = ledger
        self._pages = pages
        self._candidates = candidates
        self._events_per_commit = events_per_commit
        self._sources_per_window = sources_per_window
        self._facts_max = FACTS_MAX
        self._position: int | None = None
        self._era = 0
        self._saved = 0
        self._saved_seconds = 0.0

    @property
    def position(self) -> int:
        """How far it has come; facts behind its recorded position may have gone by without concerning it."""
        if self._position is None:
            self._era = self._ledger.era
            self._position = self._saved = self._ledger.tracked(self.run.name)
        return self._position

    def forget(self) -> None:
        """Looks up its position anew before it goes on: somebody else may have moved it."""
        self._position = None

    def rest(self) -> None:
        """Notes how far it is before it stops, also where the newest facts concerned nobody."""
        if self.position > self._saved:
            self._recorded(self._unit())

    def step(self) -> Step:
        """Acts on the next facts. What fails is not acted on, and raised; the next step tries it again."""
        if self._era != self._ledger.era:
            self.forget()
        facts = self._pages.behind(self.position)
        ready = self._askable(facts[: self._facts_max])
        if not ready:
            self._save()
            return Step.WAITING if facts else Step.IDLE
        try:
            self._act(ready)
        except (VersionConflict, AlreadyRecorded):
            # Many facts touch many streams; fewer of them are done before somebody else is first again.
            self._facts_max = max(1, len(ready) // 2)
            self.forget()
            return Step.AGAIN
        except BaseException:
            self.forget()
            raise
        self._facts_max = min(self._facts_max * 2, FACTS_MAX)
        return Step.ACTED

    def _askable(self, facts: Sequence[Recorded[Any]]) -> Sequence[Recorded[Any]]:
        """The facts up to the first that asks a read model which does not know that fact yet."""
        asking = [index for index, fact in enumerate(facts) if self.run.process.asks_candidates(fact)]
        if not asking:
            return facts
        known = self._candidates.position()
        unknown = (index for index in asking if facts[index].position > known)
        return facts[: next(unknown, len(facts))]

    def _act(self, facts: Sequence[Recorded[Any]]) -> None:
        """Reacts to the facts, in one transaction unless they lead to very much."""
        process = self.run.process
        unit = self._unit()
        unit.prefetch(stream for fact in facts for stream in process.needs(fact))
        concerned, uses = False, CapUses(self._candidates)
        for fact in facts:
            window = Window(self._candidates, uses, self._sources_per_window, unit.prefetch)
            concerned |= self._react(unit, fact, window)
            while window.has_more and not self.run.together:
                # The position stays before this fact, so that after a crash all of it is done again, mostly in quiet.
                unit = self._recorded(unit)
                window.move_on(unit.prefetch)
                self._react(unit, fact, window)
            self._position = fact.position
            if len(unit.new) > self._events_per_commit:
                unit, concerned = self._recorded(unit), False
        if concerned:
            self._recorded(unit)
        self._save()

    def _react(self, unit: UnitOfWork, fact: Recorded[Any], window: Window) -> bool:
        """Decides what a fact leads to; whether it concerned the process at all."""
        try:
            commands = self.run.process.react(fact, unit.state, window)
        except Refused as refused:
            self._report(unit, fact, refused, None)
            return True
        for wish in [commands] if self.run.together else [[command] for command in commands]:
            self._decide(unit, fact, wish)
        return bool(commands)

    def _decide(self, unit: UnitOfWork, fact: Recorded[Any], commands: Sequence[Addressed]) -> None:
        """Decides commands that stand or fall together."""
        cause, before = self._cause(fact), unit.savepoint()
        for command in commands:
            try:
                unit.decide(command, cause)
            except Refused as refused:
                unit.rollback(before)
                self._report(unit, fact, refused, command)
                return

    def _report(self, unit: UnitOfWork, fact: Recorded[Any], refused: Refused, command: Addressed | None) -> None:
        _log.info("refused", process=self.run.name, fact=fact.id, code=refused.code, detail=refused.detail)
        unit.decide(work_item(self.run, fact, refused, unit.state, command), self._cause(fact))

    def _cause(self, fact: Recorded[Any]) -> Cause:
        told = fact.cause
        return Cause(f"process:{self.run.name}", told.correlation_id, fact.id, occurred_at=told.occurred_at)

    def _recorded(self, unit: UnitOfWork) -> UnitOfWork:
        """Records what was decided, and how far all is done; then a new unit of work."""
        if self.position > self._saved:
            unit.track(self.run.name, self.position)
        self._ledger.commit(unit)
        self._saved, self._saved_seconds = self.position, time.monotonic()
        return self._unit()

    def _save(self) -> None:
        """Notes a position that moved over facts of no concern, now and then."""
        if time.monotonic() - self._saved_seconds >= SAVE_SECONDS:
            self.rest()

    def _unit(self) -> UnitOfWork:
        """A unit of work that counts in the era of our position alone: in another one these are other facts."""
        unit = self._ledger.unit()
        unit.era = self._era
        return unit
