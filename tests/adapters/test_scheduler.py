"""Days become events, each once."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

from adapters.eventstore.memory import MemoryLedger
from adapters.scheduler import Scheduler
from domain.calendar import FIRM, DayOpened
from domain.catalogue import DECIDERS, EVENTS

NEW_YEARS_EVE = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)


def test_each_day_is_opened_once_and_names_the_one_before() -> None:
    ledger, now = MemoryLedger(EVENTS, DECIDERS), [NEW_YEARS_EVE]
    scheduler = Scheduler(ledger, lambda: now[0])
    assert scheduler.open_today()
    assert not scheduler.open_today()
    now[0] += timedelta(days=3)
    assert scheduler.open_today()
    told = [fact.event for fact in ledger.history(FIRM)]
    assert told == [
        DayOpened(date(2026, 12, 31), NEW_YEARS_EVE, None),
        DayOpened(date(2027, 1, 3), now[0], date(2026, 12, 31)),
    ]


def test_who_has_no_turn_opens_nothing() -> None:
    ledger, stop = MemoryLedger(EVENTS, DECIDERS), threading.Event()

    class NotMine:
        def is_mine(self) -> bool:
            stop.set()
            return False

    Scheduler(ledger).work(NotMine(), stop)
    assert ledger.history(FIRM) == []
