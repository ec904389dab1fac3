"""The scheduler turns time into events: it says once that a day has begun, so that nothing else needs a clock.

The firm's day is the day in UTC. What a contract sets for a day is decided by the engagement when it hears of the day;
days on which nobody ran the scheduler are made up for, because everything set for an earlier day falls due as well.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol

import structlog

from adapters.backoff import backoff_seconds
from adapters.eventstore.base import BaseLedger
from domain.calendar import FIRM, OpenDay
from domain.kernel import Addressed, Cause

LOOKS_AGAIN_SECONDS: Final = 15.0

_log = structlog.get_logger(__name__)


class Turn(Protocol):
    """The right to do what only one may do at a time."""

    def is_mine(self) -> bool:
        """Whether we have it, taking it if it is free."""
        ...


class Scheduler:
    """Opens each day once, however many schedulers run: the calendar's own stream decides."""

    def __init__(self, ledger: BaseLedger, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._ledger = ledger
        self._clock = clock

    def open_today(self) -> bool:
        """Say that today has begun; whether that was news."""
        now = self._clock()
        today = now.astimezone(UTC).date()
        unit = self._ledger.unit()
        cause = Cause("system:scheduler", f"day:{today}", occurred_at=now)
        unit.decide(Addressed(FIRM, OpenDay(today, now)), cause)
        if not unit.new:
            return False
        self._ledger.commit(unit)
        return True

    def work(self, turn: Turn, stop: threading.Event) -> None:
        """Open each day as it begins, until told to stop."""
        failures = 0
        while not stop.is_set():
            try:
                if turn.is_mine() and self.open_today():
                    _log.info("day opened")
                failures = 0
                stop.wait(LOOKS_AGAIN_SECONDS)
            except Exception:  # noqa: BLE001 - the day is opened as soon as it can be
                failures += 1
                _log.exception("failed", failures=failures)
                stop.wait(backoff_seconds(failures))
