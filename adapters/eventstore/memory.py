"""The ledger in memory: the same promises without a database, for simulation and fast tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from adapters.eventstore.base import BaseLedger, Stored
from adapters.eventstore.codec import Codec, Upcasts
from adapters.eventstore.errors import AlreadyRecorded, VersionConflict
from adapters.eventstore.rows import (
    CommandReceipt,
    MessageKey,
    ObjectKey,
    OutboxRow,
    ParkedMessage,
    ReceivedMessage,
    SourceObject,
    key_text,
    merge_sources,
)
from adapters.eventstore.unit import Committed, Extras, Outgoing, UnitOfWork, nothing_leaves
from adapters.eventstore.wakeup import Signal
from domain.kernel import Decider, Recorded, StreamId


class _Row(NamedTuple):
    stream: StreamId
    version: int
    position: int
    name: str
    state: bytes
    recorded_at: datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MemoryLedger(BaseLedger):
    """The event log in memory, with published forms, receipts and gaps between positions like the real one."""

    def __init__(
        self,
        catalogue: Mapping[str, type],
        deciders: Mapping[str, Decider[Any, Any, Any]],
        *,
        upcasts: Upcasts | None = None,
        clock: Callable[[], datetime] = _utc_now,
        cache_streams: int = 50_000,
        outgoing: Outgoing = nothing_leaves,
    ) -> None:
        super().__init__(Codec(catalogue, upcasts, on_demand=True), deciders, cache_streams, outgoing)
        self._clock = clock
        self._lock = threading.RLock()
        self._signal = Signal()
        self._position = 0
        self._log: list[_Row] = []
        self._streams: dict[str, list[_Row]] = {}
        self._received: dict[str, ReceivedMessage] = {}
        self._parked: dict[str, ParkedMessage] = {}
        self._sources: dict[ObjectKey, SourceObject] = {}
        self._outbox: dict[int, OutboxRow] = {}
        self._relayed: set[int] = set()
        self._tracked: dict[str, int] = {}
        self._commands: dict[str, CommandReceipt] = {}

    def close(self) -> None:
        """Nothing is held that must be given back."""

    # -- recording ---------------------------------------------------------------------------------------------------

    def _record(self, unit: UnitOfWork) -> Committed:
        with self._lock:
            if broken := self._broken(unit.extras):
                raise AlreadyRecorded(broken)
            self._position += len(unit.new)  # drawn before the conflict shows, as the database's sequence does
            following: dict[str, int] = {}
            for event in unit.new:
                stored = self._streams.get(event.stream, [])
                expected = following.get(event.stream, stored[-1].version if stored else 0) + 1
                if event.version != expected:
                    raise VersionConflict(event.id)
                following[event.stream] = expected
            self._add_extras(unit.extras)
            committed = self._add_events(unit)
        self._signal.ring()
        return committed

    def _broken(self, extras: Extras) -> str | None:
        """The promise that these rows would break, in the order in which the database looks at them."""
        ids = [message.message_id for message in extras.received]
        contents = {(m.key, m.payload_sha256) for m in self._received.values()} if ids else set()
        known = self._received | {message.message_id: message for message in extras.received}
        sent = [row.nats_msg_id for row in extras.outbox]
        used = {row.nats_msg_id for row in self._outbox.values()} if sent else set()
        promises = {
            "notification_tracking": extras.tracking is None
            or extras.tracking[1] > self._tracked.get(extras.tracking[0], -1),
            "command_receipt_pkey": extras.command is None or extras.command.key not in self._commands,
            "received_message_pkey": len(set(ids)) == len(ids) and not self._received.keys() & set(ids),
            "received_message_business_id_idx": all((m.key, m.payload_sha256) not in contents for m in extras.received),
            "received_message_fate": all(
                s.message_id in known and known[s.message_id].fate == s.was for s in extras.settled
            ),
            "parked_message_message_id_fkey": all(parked.message_id in known for parked in extras.parked),
            "source_object_revision": all(map(self._is_as_seen, merge_sources(extras.sources))),
            "outbox_nats_msg_id_key": len(set(sent)) == len(sent) and not used & set(sent),
        }
        return next((promise for promise, kept in promises.items() if not kept), None)

    def _is_as_seen(self, source: SourceObject) -> bool:
        known = self._sources.get(source.key)
        return source.seen is None or known is None or source.seen == (known.revision,)

    def _add_extras(self, extras: Extras) -> None:
        if extras.tracking:
            self._tracked[extras.tracking[0]] = extras.tracking[1]
        if extras.command:
            self._commands[extras.command.key] = extras.command
        self._received |= {message.message_id: message for message in extras.received}
        for settled in extras.settled:
            self._received[settled.message_id] = replace(
                self._received[settled.message_id],
                fate=settled.fate,
                code=settled.code,
                detail=settled.detail,
                streams=settled.streams,
                events=settled.events,
            )
            if settled.fate != "parked":
                self._parked.pop(settled.message_id, None)
        for message_id in map(key_text, extras.redelivered):
            if message := self._received.get(message_id):
                self._received[message_id] = replace(message, deliveries=message.deliveries + 1)
        self._parked |= {parked.message_id: parked for parked in extras.parked}
        for source in extras.sources:
            known = self._sources.get(source.key)
            self._sources[source.key] = replace(merge_sources([known, source] if known else [source])[0], seen=None)
        for row in extras.outbox:
            self._outbox[len(self._outbox) + 1] = replace(row, id=len(self._outbox) + 1)

    def _add_events(self, unit: UnitOfWork) -> Committed:
        if not unit.new:
            return Committed(None, None, None, {}, ())
        at = max(self._clock(), self._log[-1].recorded_at) if self._log else self._clock()
        events = []
        for position, new in enumerate(unit.new, self._position - len(unit.new) + 1):
            row = _Row(new.stream, new.version, position, new.name, new.encoded, at)
            self._log.append(row)
            self._streams.setdefault(new.stream, []).append(row)
            events.append(Recorded(new.stream, new.version, position, new.name, new.event, new.cause, at))
        versions = {event.stream: event.version for event in events}
        return Committed(events[0].position, events[-1].position, at, versions, tuple(events))

    def _newer(self, wanted: Mapping[StreamId, int]) -> dict[StreamId, list[Stored]]:
        with self._lock:
            found = {stream: self._streams.get(stream, [])[max(known - 1, 0) :] for stream, known in wanted.items()}
        return {
            stream: [Stored(r.stream, r.version, r.name, r.state if r.version > wanted[stream] else None) for r in rows]
            for stream, rows in found.items()
        }

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(
        self, after: int, limit: int, until: int | None = None, names: Collection[str] | None = None
    ) -> list[Recorded[Any]]:
        with self._lock:
            start = self._index_after(after)
            if names is None:
                rows = self._log[start : start + limit]
            else:
                rows = [row for row in self._log[start:] if row.name in names][:limit]
        return [self._recorded(row) for row in rows if until is None or row.position <= until]

    def history(
        self,
        stream: StreamId,
        after: int = 0,
        until_position: int | None = None,
        until_recorded_at: datetime | None = None,
    ) -> list[Recorded[Any]]:
        with self._lock:
            rows = self._streams.get(stream, [])[after:]
        return [
            self._recorded(row)
            for row in rows
            if (until_position is None or row.position <= until_position)
            and (until_recorded_at is None or row.recorded_at <= until_recorded_at)
        ]

    def events(self, ids: Iterable[str]) -> list[Recorded[Any]]:
        found = []
        with self._lock:
            for stream, _, version in (id_.rpartition("@") for id_ in dict.fromkeys(ids)):
                found += [row for row in self._streams.get(stream, []) if row.version == int(version)]
        return [self._recorded(row) for row in sorted(found, key=_position)]

    def head(self) -> int:
        with self._lock:
            return self._log[-1].position if self._log else 0

    def position_at(self, recorded_at: datetime) -> int:
        with self._lock:
            return max((row.position for row in self._log if row.recorded_at <= recorded_at), default=0)

    def wait_for_events(self, after: int, timeout_seconds: float) -> bool:
        return self._signal.wait(lambda: self.head() > after, timeout_seconds)

    # -- what came in, what goes out ---------------------------------------------------------------------------------

    def receipts(self, keys: Iterable[MessageKey]) -> dict[MessageKey, list[ReceivedMessage]]:
        asked = {(system, key_text(business_id)): (system, business_id) for system, business_id in keys}
        found: dict[MessageKey, list[ReceivedMessage]] = {}
        with self._lock:
            rows = sorted(self._received.values(), key=_sha256)
        for message in rows:
            if message.key in asked:
                found.setdefault(asked[message.key], []).append(replace(message, payload=b""))
        return found

    def message(self, message_id: str) -> ReceivedMessage | None:
        with self._lock:
            return self._received.get(key_text(message_id))

    def parked(self, waits_for: Iterable[str], limit: int = 1000) -> list[tuple[ParkedMessage, ReceivedMessage]]:
        things = {key_text(thing) for thing in waits_for}
        with self._lock:
            rows = sorted((p for p in self._parked.values() if p.waits_for in things), key=_turn)[:limit]
            return [(parked, self._received[parked.message_id]) for parked in rows]

    def waiting(self, after: str = "", limit: int = 1000) -> list[str]:
        with self._lock:
            things = sorted({parked.waits_for for parked in self._parked.values()})
        return [thing for thing in things if thing > after][:limit]

    def source_objects(self, keys: Iterable[ObjectKey]) -> dict[ObjectKey, SourceObject]:
        asked = {(system, kind, key_text(id_)): (system, kind, id_) for system, kind, id_ in keys}
        with self._lock:
            return {given: self._sources[key] for key, given in asked.items() if key in self._sources}

    def tracked(self, name: str) -> int:
        with self._lock:
            return self._tracked.get(name, 0)

    def command_receipt(self, key: str) -> CommandReceipt | None:
        with self._lock:
            return self._commands.get(key_text(key))

    def unrelayed(self, limit: int, target: str | None = None) -> list[OutboxRow]:
        with self._lock:
            waiting = (row for id_, row in self._outbox.items() if id_ not in self._relayed)
            return [row for row in waiting if target in (None, row.target)][:limit]

    def mark_relayed(self, ids: Iterable[int]) -> int:
        with self._lock:
            new = (set(ids) & set(self._outbox)) - self._relayed
            self._relayed |= new
        return len(new)

    # -- rows --------------------------------------------------------------------------------------------------------

    def _index_after(self, position: int) -> int:
        low, high = 0, len(self._log)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self._log[middle].position <= position else (low, middle)
        return low

    def _recorded(self, row: _Row) -> Recorded[Any]:
        event, cause = self.codec.decode(row.name, row.state)
        name = self.codec.current_name(row.name)
        return Recorded(row.stream, row.version, row.position, name, event, cause, row.recorded_at)


def _position(row: _Row) -> int:
    return row.position


def _turn(parked: ParkedMessage) -> tuple[str, str]:
    return (parked.order_key, parked.message_id)


def _sha256(message: ReceivedMessage) -> bytes:
    return message.payload_sha256
