"""The firm's calendar says which day it is, as an event: whatever waits for a day needs no clock of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from domain.kernel import Decider, StreamId, stream_of
from domain.periods import month_ends

FIRM: Final[StreamId] = stream_of("calendar", "firm")
"""The one calendar of the firm."""


@dataclass(frozen=True, slots=True)
class OpenDay:
    """Say that a day has begun; ``at`` is when that was said."""

    day: date
    at: datetime


@dataclass(frozen=True, slots=True)
class DayOpened:
    """A day began; ``previous`` is the last one that was opened, so that nobody misses days without service."""

    day: date
    at: datetime
    previous: date | None


def months_ended(opened: DayOpened) -> Sequence[date]:
    """The month ends behind the day that was opened before and before this one; the first day opens no past."""
    return month_ends(opened.previous, opened.day) if opened.previous is not None else ()


Event = DayOpened
Command = OpenDay


@dataclass(frozen=True, slots=True)
class Calendar:
    """The newest day that has begun; None before the first."""

    today: date | None = None


def decide(command: Command, state: Calendar) -> Sequence[Event]:
    if state.today is not None and command.day <= state.today:
        return []
    return [DayOpened(command.day, command.at, state.today)]


def evolve(_state: Calendar, event: Event) -> Calendar:
    return Calendar(event.day)


decider: Decider[Command, Calendar, Event] = Decider("calendar", Calendar(), decide, evolve)
