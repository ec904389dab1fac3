"""What every ledger can do, on PostgreSQL or in memory: load, decide, record once, read back."""

from __future__ import annotations

import random
import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from adapters.eventstore.codec import Codec
from adapters.eventstore.errors import AlreadyRecorded, IdempotencyKeyReused, TooLarge, UnknownDecider, VersionConflict
from adapters.eventstore.rows import (
    CommandReceipt,
    MessageKey,
    ObjectKey,
    OutboxRow,
    ParkedMessage,
    ReceivedMessage,
    SourceObject,
    key_text,
)
from adapters.eventstore.unit import (
    Committed,
    Idempotency,
    Loaded,
    NewEvent,
    Outcome,
    Outgoing,
    UnitOfWork,
    nothing_leaves,
)
from domain.kernel import Addressed, Cause, Decider, Recorded, StreamId, decider_name

ATTEMPTS_MAX: Final = 10
BACKOFF_SECONDS: Final = 0.005
EVENTS_PER_COMMIT_MAX: Final = 20_000
HISTORY_EVENTS_MAX: Final = 100_000

OutboxOf = Callable[[Sequence[NewEvent]], Sequence[OutboxRow]]


class Stored(NamedTuple):
    """A row of the log, not decoded; ``state`` is missing where only the row's existence was asked for."""

    stream: str
    version: int
    name: str
    state: bytes | None


class StateCache:
    """The states of the streams used last, in this process; shared by its threads, for states never change.

    What was kept in one era of the database is not believed in the next.
    """

    def __init__(self, streams_max: int) -> None:
        self._max = streams_max
        self._era = 0
        self._kept: OrderedDict[StreamId, Loaded] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, streams: Iterable[StreamId], era: int) -> dict[StreamId, Loaded]:
        """Those of the streams that are kept."""
        with self._lock:
            if era > self._era:
                self._kept.clear()
                self._era = era
            found = {stream: self._kept[stream] for stream in streams if stream in self._kept}
            for stream in found:
                self._kept.move_to_end(stream)
        return found

    def put(self, states: Mapping[StreamId, Loaded], era: int) -> None:
        """Keeps the newer states, and forgets those that were not used for longest."""
        with self._lock:
            if era != self._era:
                return
            for stream, loaded in states.items():
                known = self._kept.get(stream)
                if loaded.version and (known is None or known.version < loaded.version):
                    self._kept[stream] = loaded
                    self._kept.move_to_end(stream)
            while len(self._kept) > self._max:
                self._kept.popitem(last=False)

    def drop(self, streams: Iterable[StreamId]) -> None:
        """Forgets these streams."""
        with self._lock:
            for stream in streams:
                self._kept.pop(stream, None)


class BaseLedger(ABC):
    """The log of everything that was decided, and the one way to add to it.

    Everything may be called from several threads at once.
    """

    def __init__(
        self,
        codec: Codec,
        deciders: Mapping[str, Decider[Any, Any, Any]],
        cache_streams: int,
        outgoing: Outgoing = nothing_leaves,
    ) -> None:
        self.codec = codec
        self.deciders = dict(deciders)
        self.outgoing = outgoing
        self._cache = StateCache(cache_streams)
        self._random = random.Random()  # noqa: S311  # spreads retries, hides nothing

    # -- recording ---------------------------------------------------------------------------------------------------

    def unit(self) -> UnitOfWork:
        """A new unit of work on this ledger."""
        return UnitOfWork(self.load, self.deciders, self.codec, self.outgoing, self.era)

    @property
    def era(self) -> int:
        """How often the database was seen to start anew: it may have gone back to a backup."""
        return 0

    def load(self, streams: Iterable[StreamId]) -> dict[StreamId, Loaded]:
        """The present states of many aggregates, by one query for what this process does not know yet."""
        wanted, era = list(dict.fromkeys(streams)), self.era
        known = self._cache.get(wanted, era)
        rows = self._newer({s: known[s].version if s in known else 0 for s in wanted if key_text(s) == s})
        if stale := [stream for stream in known if not self._continues(known[stream], rows.get(stream))]:
            # The database went back behind what we knew, e.g. to a backup: believe the database.
            self._cache.drop(stale)
            rows |= self._newer(dict.fromkeys(stale, 0))
            for stream in stale:
                del known[stream]
        if self.era != era:
            return self.load(wanted)
        loaded = {stream: self._fold(stream, known.get(stream), rows.get(stream, [])) for stream in wanted}
        self._cache.put(loaded, era)
        return loaded

    def commit(self, unit: UnitOfWork) -> Committed:
        """Records a unit of work, all of it or nothing.

        Raises VersionConflict when somebody else was first on a stream, AlreadyRecorded when a receipt says that part
        of it was recorded before, and LedgerUnreachable when the outcome is unknown.
        """
        if not unit.new and not unit.extras:
            return Committed(None, None, None, {}, ())
        if len(unit.new) > EVENTS_PER_COMMIT_MAX:
            raise TooLarge(f"{len(unit.new)} events, at most {EVENTS_PER_COMMIT_MAX}")
        committed = self._record(unit)
        self._cache.put(unit.changed(), unit.era)
        return committed

    def execute(
        self,
        addressed: Sequence[Addressed],
        cause: Cause,
        *,
        idempotency: Idempotency | None = None,
        outbox: OutboxOf | None = None,
    ) -> Outcome:
        """Decides commands and records the result in one transaction; decides again when somebody else was first.

        With an idempotency key the same request again returns the first answer, and another request under the same
        key raises IdempotencyKeyReused. Refusals pass through and nothing is recorded.
        """
        for attempt in range(ATTEMPTS_MAX):
            if idempotency and (answer := self._answer(idempotency)):
                return answer
            unit = self.unit()
            unit.prefetch(command.stream for command in addressed)
            for command in addressed:
                unit.decide(command, cause)
            for row in outbox(unit.new) if outbox else ():
                unit.send(row)
            if idempotency:
                events = tuple(event.id for event in unit.new)
                versions = {stream: loaded.version for stream, loaded in unit.changed().items()}
                receipt = CommandReceipt(idempotency.key, cause.actor, idempotency.payload_sha256, versions, events)
                unit.answer(receipt)
            try:
                done = self.commit(unit)
                return Outcome(done.first, done.last, done.recorded_at, done.versions, done.events)
            except (VersionConflict, AlreadyRecorded) as conflict:
                lost_race = isinstance(conflict, VersionConflict) or conflict.constraint == "command_receipt_pkey"
                if not lost_race or attempt == ATTEMPTS_MAX - 1:
                    raise
                self._pause(self._random.uniform(0, BACKOFF_SECONDS * 2**attempt))
        raise AssertionError("every attempt returns or raises")

    # -- reading -----------------------------------------------------------------------------------------------------

    @abstractmethod
    def read(
        self, after: int, limit: int, until: int | None = None, names: Collection[str] | None = None
    ) -> list[Recorded[Any]]:
        """The events behind a position, in the order in which they were recorded; positions may have gaps.

        ``names``: only events that were recorded under these published names.
        """

    @abstractmethod
    def history(
        self,
        stream: StreamId,
        after: int = 0,
        until_position: int | None = None,
        until_recorded_at: datetime | None = None,
    ) -> list[Recorded[Any]]:
        """One stream's events behind a version, up to a position or a recorded time."""

    @abstractmethod
    def events(self, ids: Iterable[str]) -> list[Recorded[Any]]:
        """The events with these ids (``stream@version``), in the order in which they were recorded."""

    @abstractmethod
    def head(self) -> int:
        """The newest position, 0 while nothing was recorded."""

    @abstractmethod
    def position_at(self, recorded_at: datetime) -> int:
        """The newest position that was recorded at or before a time, 0 if there is none."""

    @abstractmethod
    def wait_for_events(self, after: int, timeout_seconds: float) -> bool:
        """Whether something was recorded behind a position; waits for it no longer than the timeout."""

    # -- what came in, what goes out ---------------------------------------------------------------------------------

    @abstractmethod
    def receipts(self, keys: Iterable[MessageKey]) -> dict[MessageKey, list[ReceivedMessage]]:
        """What became of messages with these business ids: one row for each different content, without its payload."""

    @abstractmethod
    def message(self, message_id: str) -> ReceivedMessage | None:
        """One received message, whole."""

    @abstractmethod
    def parked(self, waits_for: Iterable[str], limit: int = 1000) -> list[tuple[ParkedMessage, ReceivedMessage]]:
        """The messages that wait for one of these things, whole, in the order in which they are to be driven."""

    @abstractmethod
    def waiting(self, after: str = "", limit: int = 1000) -> list[str]:
        """The things that parked messages wait for, each once, sorted, behind ``after``."""

    @abstractmethod
    def source_objects(self, keys: Iterable[ObjectKey]) -> dict[ObjectKey, SourceObject]:
        """Where these objects of source systems live; unknown ones are left out."""

    @abstractmethod
    def tracked(self, name: str) -> int:
        """The position up to which a process has acted, 0 before it began."""

    @abstractmethod
    def command_receipt(self, key: str) -> CommandReceipt | None:
        """The remembered answer to the request with this idempotency key."""

    @abstractmethod
    def unrelayed(self, limit: int, target: str | None = None) -> list[OutboxRow]:
        """The oldest outgoing messages that were not published yet, for one target or for all."""

    @abstractmethod
    def mark_relayed(self, ids: Iterable[int]) -> int:
        """Notes that outgoing messages were published; returns how many were not marked before."""

    @abstractmethod
    def close(self) -> None:
        """Gives back all connections and threads."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- for the two kinds of ledgers --------------------------------------------------------------------------------

    @abstractmethod
    def _newer(self, wanted: Mapping[StreamId, int]) -> dict[StreamId, list[Stored]]:
        """The rows of many streams from a known version on, that version's row included without its state."""

    @abstractmethod
    def _record(self, unit: UnitOfWork) -> Committed:
        """One transaction."""

    def _pause(self, seconds: float) -> None:
        time.sleep(seconds)

    def _decider(self, stream: StreamId) -> Decider[Any, Any, Any]:
        decider = self.deciders.get(decider_name(stream))
        if decider is None:
            raise UnknownDecider(stream)
        return decider

    @staticmethod
    def _continues(known: Loaded, rows: list[Stored] | None) -> bool:
        return bool(rows) and rows[0].version == known.version  # type: ignore[index]  # rows is not empty here

    def _fold(self, stream: StreamId, known: Loaded | None, rows: Sequence[Stored]) -> Loaded:
        if known is not None and len(rows) <= 1:
            return known  # its own last event, and none behind it
        decider = self._decider(stream)
        state, version = (known.state, known.version) if known else (decider.initial, 0)
        for row in rows:
            if row.state is not None:
                state = decider.evolve(state, self.codec.decode(row.name, row.state)[0])
                version = row.version
        return Loaded(state, version)

    def _answer(self, idempotency: Idempotency) -> Outcome | None:
        receipt = self.command_receipt(idempotency.key)
        if receipt is None:
            return None
        if receipt.payload_sha256 != idempotency.payload_sha256:
            raise IdempotencyKeyReused(idempotency.key)
        events = tuple(self.events(receipt.events))
        if not events:
            return Outcome(None, None, None, receipt.versions, (), repeated=True)
        first, last = events[0], events[-1]
        return Outcome(first.position, last.position, last.recorded_at, receipt.versions, events, repeated=True)
