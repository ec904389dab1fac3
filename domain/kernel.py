"""The few words that every other concept is written in: decide, evolve, initial, recorded, cause, refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, NewType, TypeVar

Command = TypeVar("Command")
State = TypeVar("State")
Event = TypeVar("Event")
Event_co = TypeVar("Event_co", covariant=True)

StreamId = NewType("StreamId", str)
"""The name of one aggregate's history: its decider's name, a colon, its own id, e.g. ``timesheet:W-17:2026-03-02``."""


def stream_of(decider: str, *parts: str) -> StreamId:
    """The stream that holds the history of one object, e.g. ``stream_of("project", "P-1")`` is ``project:P-1``."""
    return StreamId(":".join((decider, *parts)))


def decider_name(stream: StreamId) -> str:
    """The decider whose rules govern a stream: the text before its first colon."""
    return stream.partition(":")[0]


def local_id(stream: StreamId) -> str:
    """The object's own id: the text after a stream's first colon."""
    return stream.partition(":")[2]


class Refused(Exception):
    """The ledger's rules do not allow what was asked.

    Each refusal is a subclass: its docstring's first line is the message people read, ``code`` is the contract that
    programs rely on, ``fix`` says what to do. ``detail`` names the values that led to this one.
    """

    code: ClassVar[str] = "refused"
    fix: ClassVar[str] = "Read the message and change the request."

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        super().__init__(self.message)

    def about(self, name: str) -> Refused:
        """The refusal, with the name of the object that refused where it tells no values itself."""
        self.detail = self.detail or name
        self.args = (self.message,)
        return self

    @property
    def message(self) -> str:
        """The sentence shown to people: the rule, then the values that broke it."""
        rule = (type(self).__doc__ or self.code).strip().splitlines()[0]
        return f"{rule} {self.detail}".strip()


@dataclass(frozen=True, slots=True)
class Decider(Generic[Command, State, Event]):
    """The rules of one kind of aggregate.

    ``decide(command, state)`` returns the events that the command causes, none when the wish is already true, or
    raises Refused. ``evolve(state, event)`` is total and holds no rules. ``initial`` is the state before any event.
    """

    name: str
    initial: State
    decide: Callable[[Command, State], Sequence[Event]]
    evolve: Callable[[State, Event], State]

    def fold(self, events: Sequence[Event]) -> State:
        """The state that a history leads to."""
        state = self.initial
        for event in events:
            state = self.evolve(state, event)
        return state


@dataclass(frozen=True, slots=True)
class Addressed:
    """A command and the stream that has to decide it."""

    stream: StreamId
    command: Any


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a fact was recorded: who wished it, which message or event led to it, and when the source says it was so.

    ``actor`` is ``system:jira``, ``user:<subject>`` or ``process:rating``. ``correlation_id`` is shared by all that one
    outside message or request set in motion. ``causation_id`` is the event (``stream@version``) or message that led
    here directly. ``message_id`` is the row of the received messages, for facts that a source system told.
    ``occurred_at`` is the source's own clock, with its zone.
    """

    actor: str
    correlation_id: str
    causation_id: str | None = None
    message_id: str | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recorded(Generic[Event_co]):
    """An event in its envelope: where it stands in its stream and in the log, when it was recorded, and why."""

    stream: StreamId
    version: int
    position: int
    name: str
    event: Event_co
    cause: Cause
    recorded_at: datetime

    @property
    def id(self) -> str:
        """The event's own name for references: ``stream@version``."""
        return f"{self.stream}@{self.version}"
