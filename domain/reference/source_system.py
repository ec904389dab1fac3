"""A source system tells the ledger of work; the last day on which it told anything says whether it may be behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.kernel import Decider, StreamId, stream_of


def source_system_stream(system: str) -> StreamId:
    """The days on which a system was heard: ``source_system:jira``."""
    return stream_of("source_system", system)


@dataclass(frozen=True, slots=True)
class HearSource:
    """Note that a system told something on a day."""

    system: str
    on: date


@dataclass(frozen=True, slots=True)
class SourceHeard:
    """A system told something, for the first time on a day; ``previous`` is the day on which it had told something."""

    system: str
    on: date
    previous: date | None


@dataclass(frozen=True, slots=True)
class Heard:
    """The system that told some hours, and the last day on which it told anything."""

    system: str
    on: date


Event = SourceHeard
Command = HearSource


@dataclass(frozen=True, slots=True)
class SourceSystem:
    """When a system was heard last; None before the first time."""

    heard_on: date | None = None


def decide(command: Command, state: SourceSystem) -> Sequence[Event]:
    if state.heard_on is not None and command.on <= state.heard_on:
        return []
    return [SourceHeard(command.system, command.on, state.heard_on)]


def evolve(_state: SourceSystem, event: Event) -> SourceSystem:
    return SourceSystem(event.on)


decider: Decider[Command, SourceSystem, Event] = Decider("source_system", SourceSystem(), decide, evolve)
