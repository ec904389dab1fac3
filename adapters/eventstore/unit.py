"""A unit of work: what was loaded, what was decided on it, and all that is recorded with it or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from adapters.eventstore.codec import Codec
from adapters.eventstore.errors import BadStreamName, UnknownDecider
from adapters.eventstore.rows import (
    CommandReceipt,
    OutboxRow,
    ParkedMessage,
    ReceivedMessage,
    Settlement,
    SourceObject,
    key_text,
)
from domain.kernel import Addressed, Cause, Decider, Recorded, Refused, StreamId, decider_name, local_id


class Loaded(NamedTuple):
    """The state of one aggregate, and the version of the last event that made it; 0 when nothing was recorded yet."""

    state: Any
    version: int


class NewEvent(NamedTuple):
    """An event that was decided and has its place in its stream; it has no position until it is recorded."""

    stream: StreamId
    version: int
    name: str
    event: Any
    cause: Cause
    encoded: bytes

    @property
    def id(self) -> str:
        """The event's own name for references: ``stream@version``."""
        return f"{self.stream}@{self.version}"

    @property
    def originator_id(self) -> str:
        """The stream, in the library's words."""
        return self.stream

    @property
    def originator_version(self) -> int:
        """The version, in the library's words."""
        return self.version


Outgoing = Callable[[NewEvent, Callable[[StreamId], Any]], Sequence[OutboxRow]]
"""What other systems have to be told because of an event, given the states as they are with that event."""


def nothing_leaves(_event: NewEvent, _read: Callable[[StreamId], Any]) -> Sequence[OutboxRow]:
    """For a ledger whose events concern nobody else."""
    return ()


@dataclass(frozen=True, slots=True)
class Committed:
    """What one commit recorded: its first and last position, its time, the new version of each stream, and the events.

    A commit without events has no positions and no time.
    """

    first: int | None
    last: int | None
    recorded_at: datetime | None
    versions: Mapping[StreamId, int]
    events: tuple[Recorded[Any], ...]


@dataclass(frozen=True, slots=True)
class Outcome(Committed):
    """The answer to a request; ``repeated`` when the same request had been answered before and this is that answer."""

    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's own name for one request, and what the request said."""

    key: str
    payload_sha256: bytes

    @staticmethod
    def of(key: str, payload: Any) -> Idempotency:
        """The fingerprint of anything that JSON can say, whatever the order of its members."""
        text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
        return Idempotency(key, hashlib.sha256(text.encode(errors="surrogatepass")).digest())


@dataclass(slots=True)
class Extras:
    """The rows that are written in the transaction of the events."""

    received: list[ReceivedMessage] = field(default_factory=list)
    redelivered: list[str] = field(default_factory=list)
    settled: list[Settlement] = field(default_factory=list)
    parked: list[ParkedMessage] = field(default_factory=list)
    sources: list[SourceObject] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    tracking: tuple[str, int] | None = None
    command: CommandReceipt | None = None

    def __bool__(self) -> bool:
        return any(self.lists()) or self.tracking is not None or self.command is not None

    def lists(self) -> tuple[list[Any], ...]:
        """All rows that a savepoint may cut off again."""
        return (self.received, self.redelivered, self.settled, self.parked, self.sources, self.outbox)


class Savepoint(NamedTuple):
    """How far a unit of work had come, so that what follows can be undone alone."""

    undo: int
    new: int
    lists: tuple[int, ...]
    tracking: tuple[str, int] | None
    command: CommandReceipt | None


class UnitOfWork:
    """Decides commands one after the other on states that already contain what was decided before.

    It belongs to one thread. Nothing is recorded until the ledger commits it, and after a conflict it is thrown away.
    ``era`` is that of the ledger when it began: what it has loaded is so in no other one.
    """

    __slots__ = ("_codec", "_deciders", "_load", "_outgoing", "_states", "_undo", "era", "extras", "new")

    def __init__(
        self,
        load: Callable[[Iterable[StreamId]], Mapping[StreamId, Loaded]],
        deciders: Mapping[str, Decider[Any, Any, Any]],
        codec: Codec,
        outgoing: Outgoing = nothing_leaves,
        era: int = 0,
    ) -> None:
        self.era = era
        self._load = load
        self._deciders = deciders
        self._codec = codec
        self._outgoing = outgoing
        self._states: dict[StreamId, Loaded] = {}
        self._undo: list[tuple[StreamId, Loaded]] = []
        self.new: list[NewEvent] = []
        self.extras = Extras()

    def prefetch(self, streams: Iterable[StreamId]) -> None:
        """Loads many streams at once, those that this unit does not hold yet."""
        if missing := [stream for stream in dict.fromkeys(streams) if stream not in self._states]:
            self._states.update(self._load(missing))

    def state(self, stream: StreamId) -> Any:
        """The state of an aggregate, including what this unit has decided."""
        return self._loaded(stream).state

    def version(self, stream: StreamId) -> int:
        """The version of a stream, including what this unit has decided."""
        return self._loaded(stream).version

    def decide(self, addressed: Addressed, cause: Cause) -> list[NewEvent]:
        """The events that a command leads to, none when the wish is already true. A refusal changes nothing.

        What the events oblige us to tell other systems is noted with them.
        """
        stream = addressed.stream
        decider = self._deciders.get(decider_name(stream))
        if decider is None:
            raise UnknownDecider(stream)
        if key_text(stream) != stream:
            raise BadStreamName(repr(stream[:80]))
        before = self._loaded(stream)
        state, version = before.state, before.version
        decided: list[NewEvent] = []
        try:
            events = decider.decide(addressed.command, state)
        except Refused as refused:
            raise refused.about(local_id(stream)) from refused.__cause__
        for event in events:
            name, encoded = self._codec.encode(event, cause)
            state = decider.evolve(state, event)
            version += 1
            decided.append(NewEvent(stream, version, name, event, cause, encoded))
        if decided:
            self.extras.outbox.extend(self._leaving(decided, stream, state))
            self._undo.append((stream, before))
            self._states[stream] = Loaded(state, version)
            self.new.extend(decided)
        return decided

    def receive(self, message: ReceivedMessage) -> None:
        """Notes a delivered message, whole, and what became of it."""
        self.extras.received.append(message)

    def redelivered(self, message_id: str) -> None:
        """Notes that a known message, with the same content, was delivered once more."""
        self.extras.redelivered.append(message_id)

    def settle(self, settlement: Settlement) -> None:
        """Notes what became of a message that was driven again; its fate must be what it was when this commits."""
        self.extras.settled.append(settlement)

    def park(self, parked: ParkedMessage) -> None:
        """Notes what a message waits for; the newest word on the same message counts."""
        self.extras.parked.append(parked)

    def source(self, source: SourceObject) -> None:
        """Notes where a source system's object lives and its revision; an older revision never replaces a newer one."""
        self.extras.sources.append(source)

    def send(self, row: OutboxRow) -> None:
        """Notes what another system has to get; its message id may be used once only."""
        self.extras.outbox.append(row)

    def track(self, name: str, position: int) -> None:
        """Notes how far a process has acted on the log; it can only go forward."""
        self.extras.tracking = (name, position)

    def answer(self, receipt: CommandReceipt) -> None:
        """Notes the answer to a request, for when the same request comes again."""
        self.extras.command = receipt

    def savepoint(self) -> Savepoint:
        """Marks the point to come back to if what follows is refused as a whole."""
        extras = self.extras
        lengths = tuple(map(len, extras.lists()))
        return Savepoint(len(self._undo), len(self.new), lengths, extras.tracking, extras.command)

    def rollback(self, savepoint: Savepoint) -> None:
        """Forgets everything that was decided and noted since the savepoint."""
        while len(self._undo) > savepoint.undo:
            stream, before = self._undo.pop()
            self._states[stream] = before
        del self.new[savepoint.new :]
        for rows, length in zip(self.extras.lists(), savepoint.lists, strict=True):
            del rows[length:]
        self.extras.tracking, self.extras.command = savepoint.tracking, savepoint.command

    def changed(self) -> dict[StreamId, Loaded]:
        """The streams that this unit adds to, as they will be."""
        return {event.stream: self._states[event.stream] for event in self.new}

    def _leaving(self, decided: Sequence[NewEvent], stream: StreamId, state: Any) -> list[OutboxRow]:
        def read(asked: StreamId) -> Any:
            return state if asked == stream else self.state(asked)

        return [row for event in decided for row in self._outgoing(event, read)]

    def _loaded(self, stream: StreamId) -> Loaded:
        found = self._states.get(stream)
        if found is None:
            self.prefetch([stream])
            found = self._states[stream]
        return found
