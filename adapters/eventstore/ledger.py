"""The ledger on PostgreSQL: the eventsourcing library's application, with batches, receipts and one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import psycopg
from eventsourcing.persistence import IntegrityError, InterfaceError, InternalError, OperationalError, Tracking
from eventsourcing.utils import retry
from psycopg.rows import tuple_row
from psycopg.sql import SQL

from adapters.eventstore import arrays
from adapters.eventstore.arrays import numbers, texts
from adapters.eventstore.base import HISTORY_EVENTS_MAX, BaseLedger, Stored
from adapters.eventstore.codec import Codec, Upcasts
from adapters.eventstore.errors import AlreadyRecorded, LedgerUnreachable, TooLarge, VersionConflict
from adapters.eventstore.recorder import CommitInFlight, LedgerApplication
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
from adapters.eventstore.unit import Committed, Outgoing, UnitOfWork, nothing_leaves
from adapters.eventstore.wakeup import Listener, Signal
from adapters.postgres import SCHEMA, require_migrated
from domain.kernel import Decider, Recorded, StreamId

_READ_ATTEMPTS: Final = 4
_READ_WAIT_SECONDS: Final = 0.2

_RECORDED: Final = "originator_id, originator_version, notification_id, topic, state, recorded_at"

_NEWER: Final = """
SELECT e.originator_id, e.originator_version, e.topic, e.state
FROM unnest(%b::text[], %b::bigint[]) AS wanted (stream, known)
CROSS JOIN LATERAL (
    SELECT originator_id, originator_version, topic,
           CASE WHEN originator_version > wanted.known THEN state END AS state
    FROM stored_events
    WHERE originator_id = wanted.stream AND originator_version >= wanted.known
    ORDER BY originator_version
) AS e
"""

_READ: Final = f"""
SELECT {_RECORDED} FROM stored_events
WHERE notification_id > %s AND notification_id <= %s ORDER BY notification_id LIMIT %s
"""

_READ_NAMED: Final = f"""
SELECT {_RECORDED} FROM stored_events
WHERE notification_id > %s AND notification_id <= %s AND topic = ANY(%b::text[]) ORDER BY notification_id LIMIT %s
"""

_HISTORY: Final = f"""
SELECT {_RECORDED} FROM stored_events
WHERE originator_id = %s AND originator_version > %s
  AND notification_id <= coalesce(%s::bigint, notification_id) AND recorded_at <= coalesce(%s::timestamptz, recorded_at)
ORDER BY originator_version LIMIT %s
"""

_EVENTS: Final = f"""
SELECT {_RECORDED}
FROM unnest(%b::text[], %t::bigint[]) AS wanted (stream, version)
CROSS JOIN LATERAL (
    SELECT * FROM stored_events WHERE originator_id = wanted.stream AND originator_version = wanted.version LIMIT 1
) AS e
ORDER BY notification_id
"""

_HEAD: Final = "SELECT coalesce(max(notification_id), 0) FROM stored_events"

_POSITION_AT: Final = """
SELECT notification_id FROM stored_events WHERE recorded_at <= %s
ORDER BY recorded_at DESC, notification_id DESC LIMIT 1
"""

_MESSAGE: Final = """
m.message_id, m.system, m.subject, m.business_message_id, m.payload_sha256, m.headers, {payload}, m.received_at,
m.broker_sequence, m.fate, m.code, m.detail, m.streams, m.events, m.deliveries
"""
_WITHOUT_PAYLOAD: Final = _MESSAGE.format(payload="''::bytea")
_WHOLE: Final = _MESSAGE.format(payload="m.payload")

_RECEIPTS: Final = f"""
SELECT {_WITHOUT_PAYLOAD}
FROM unnest(%b::text[], %b::text[]) AS wanted (system, business_message_id)
CROSS JOIN LATERAL (
    SELECT * FROM received_message r
    WHERE r.system = wanted.system AND r.business_message_id = wanted.business_message_id
    ORDER BY r.payload_sha256 LIMIT 1000
) AS m
"""

_PARKED: Final = f"""
SELECT p.waits_for, p.order_key, {_WHOLE}
FROM parked_message p JOIN received_message m USING (message_id)
WHERE p.waits_for = ANY(%b::text[]) ORDER BY p.order_key, p.message_id LIMIT %s
"""

_WAITING: Final = """
SELECT DISTINCT waits_for FROM parked_message WHERE waits_for > %s ORDER BY waits_for LIMIT %s
"""

_SOURCE_OBJECTS: Final = """
SELECT s.system, s.object, s.external_id, s.revision, s.home
FROM unnest(%b::text[], %b::text[], %b::text[]) AS wanted (system, object, external_id)
CROSS JOIN LATERAL (
    SELECT * FROM source_object o
    WHERE o.system = wanted.system AND o.object = wanted.object AND o.external_id = wanted.external_id LIMIT 1
) AS s
"""

_UNRELAYED: Final = """
SELECT stream, version, target, subject, nats_msg_id, payload, headers, id FROM outbox
WHERE relayed_at IS NULL AND target = coalesce(%s, target) ORDER BY id LIMIT %s
"""

_MARK_RELAYED: Final = """
UPDATE outbox SET relayed_at = clock_timestamp() WHERE id = ANY(%t::bigint[]) AND relayed_at IS NULL RETURNING id
"""


class Ledger(BaseLedger):
    """The event log in PostgreSQL.

    A lost reply to COMMIT is resolved by the commit's own receipt: the library sends the transaction again, the
    receipt is there, and what was recorded is read back.
    """

    def __init__(
        self,
        url: str,
        catalogue: Mapping[str, type],
        deciders: Mapping[str, Decider[Any, Any, Any]],
        *,
        upcasts: Upcasts | None = None,
        schema: str = SCHEMA,
        pool_size: int = 5,
        cache_streams: int = 50_000,
        outgoing: Outgoing = nothing_leaves,
    ) -> None:
        super().__init__(Codec(catalogue, upcasts, on_demand=True), deciders, cache_streams, outgoing)
        self._app = _open(url, schema, self.codec, pool_size)
        self._signal = Signal()
        self._listener = Listener(self._app.parameters, self._app.recorder.channel_name, self._signal)

    def close(self) -> None:
        """Gives back all connections and the listening thread."""
        self._listener.stop()
        self._app.close()

    @property
    def era(self) -> int:
        return self._app.recorder.starts.count

    # -- recording ---------------------------------------------------------------------------------------------------

    def _record(self, unit: UnitOfWork) -> Committed:
        stored = [self._app.mapper.to_stored_event(event) for event in unit.new]
        tracking = Tracking(*unit.extras.tracking) if unit.extras.tracking else None
        commit = CommitInFlight(uuid.uuid4(), unit.extras, unit.era)
        try:
            self._app.recorder.insert_events(stored, tracking=tracking, commit=commit)
        except IntegrityError as error:
            match _constraint(error):
                case "commit_receipt_pkey":
                    self._recall(unit, commit)
                case "stored_events_pkey":
                    raise VersionConflict(str(error)) from error
                case other:
                    raise AlreadyRecorded(other) from error
        except (OperationalError, InterfaceError) as error:
            raise LedgerUnreachable(str(error)) from error
        except InternalError as error:
            if isinstance(error.__cause__, psycopg.errors.ReadOnlySqlTransaction):
                raise LedgerUnreachable(str(error)) from error
            raise
        return _committed(unit, commit)

    def _recall(self, unit: UnitOfWork, commit: CommitInFlight) -> None:
        """Reads back what an earlier attempt of this very commit has recorded."""
        if not unit.new:
            return
        rows = self._rows(_EVENTS, _columns([event.id for event in unit.new]))
        places = {(stream, version): (position, at) for stream, version, position, _, _, at in rows}
        found = [places[event.stream, event.version] for event in unit.new]
        commit.positions = [position for position, _ in found]
        commit.recorded_at = found[0][1]

    def _newer(self, wanted: Mapping[StreamId, int]) -> dict[StreamId, list[Stored]]:
        grouped: dict[StreamId, list[Stored]] = {}
        if wanted:
            for row in self._rows(_NEWER, (texts(wanted), numbers(wanted.values()))):
                grouped.setdefault(row[0], []).append(Stored._make(row))
        for rows in grouped.values():
            rows.sort(key=_version)
        return grouped

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(
        self, after: int, limit: int, until: int | None = None, names: Collection[str] | None = None
    ) -> list[Recorded[Any]]:
        if names is None:
            return [self._recorded(row) for row in self.read_raw(after, limit, until)]
        end = until if until is not None else 2**63 - 1
        return [self._recorded(row) for row in self._rows(_READ_NAMED, (after, end, list(names), limit))]

    def read_raw(self, after: int, limit: int, until: int | None = None) -> list[tuple[Any, ...]]:
        """Rows as they are stored: stream, version, position, name, stored form, recorded time."""
        return self._rows(_READ, (after, until if until is not None else 2**63 - 1, limit))

    def history(
        self,
        stream: StreamId,
        after: int = 0,
        until_position: int | None = None,
        until_recorded_at: datetime | None = None,
    ) -> list[Recorded[Any]]:
        rows = self._rows(_HISTORY, (stream, after, until_position, until_recorded_at, HISTORY_EVENTS_MAX + 1))
        if len(rows) > HISTORY_EVENTS_MAX:
            raise TooLarge(f"{stream} has more than {HISTORY_EVENTS_MAX} events; read it in parts")
        return [self._recorded(row) for row in rows]

    def events(self, ids: Iterable[str]) -> list[Recorded[Any]]:
        columns = _columns(ids)
        return [self._recorded(row) for row in self._rows(_EVENTS, columns)] if columns[0] else []

    def head(self) -> int:
        return int(self._rows(_HEAD)[0][0])

    def position_at(self, recorded_at: datetime) -> int:
        rows = self._rows(_POSITION_AT, (recorded_at,))
        return int(rows[0][0]) if rows else 0

    def wait_for_events(self, after: int, timeout_seconds: float) -> bool:
        self._listener.start()
        return self._signal.wait(lambda: self.head() > after, timeout_seconds)

    # -- what came in, what goes out ---------------------------------------------------------------------------------

    def receipts(self, keys: Iterable[MessageKey]) -> dict[MessageKey, list[ReceivedMessage]]:
        asked = {(key_text(system), key_text(business_id)): (system, business_id) for system, business_id in keys}
        found: dict[MessageKey, list[ReceivedMessage]] = {}
        if asked:
            for row in self._rows(_RECEIPTS, (texts(key[0] for key in asked), texts(key[1] for key in asked))):
                message = _message(row)
                found.setdefault(asked[message.key], []).append(message)
        return found

    def message(self, message_id: str) -> ReceivedMessage | None:
        rows = self._rows(f"SELECT {_WHOLE} FROM received_message m WHERE message_id = %s", (key_text(message_id),))
        return _message(rows[0]) if rows else None

    def parked(self, waits_for: Iterable[str], limit: int = 1000) -> list[tuple[ParkedMessage, ReceivedMessage]]:
        rows = self._rows(_PARKED, ([key_text(thing) for thing in waits_for], limit))
        return [(ParkedMessage(row[2], row[0], row[1]), _message(row[2:])) for row in rows]

    def waiting(self, after: str = "", limit: int = 1000) -> list[str]:
        return [row[0] for row in self._rows(_WAITING, (after, limit))]

    def source_objects(self, keys: Iterable[ObjectKey]) -> dict[ObjectKey, SourceObject]:
        asked = {(system, kind, key_text(id_)): (system, kind, id_) for system, kind, id_ in keys}
        if not asked:
            return {}
        columns = tuple(texts(key[part] for key in asked) for part in range(3))
        found = (SourceObject(*row) for row in self._rows(_SOURCE_OBJECTS, columns))
        return {asked[source.key]: source for source in found}

    def tracked(self, name: str) -> int:
        rows = self._rows("SELECT notification_id FROM notification_tracking WHERE application_name = %s", (name,))
        return int(rows[0][0]) if rows else 0

    def command_receipt(self, key: str) -> CommandReceipt | None:
        rows = self._rows(
            "SELECT idempotency_key, actor, payload_sha256, outcome FROM command_receipt WHERE idempotency_key = %s",
            (key_text(key),),
        )
        if not rows:
            return None
        key, actor, sha256, outcome = rows[0]
        return CommandReceipt(key, actor, bytes(sha256), outcome["versions"], tuple(outcome["events"]))

    def unrelayed(self, limit: int, target: str | None = None) -> list[OutboxRow]:
        return [OutboxRow(*row) for row in self._rows(_UNRELAYED, (target, limit))]

    def mark_relayed(self, ids: Iterable[int]) -> int:
        return len(self._rows(_MARK_RELAYED, (list(ids),)))

    # -- rows --------------------------------------------------------------------------------------------------------

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            rows: list[tuple[Any, ...]] = self._try_rows(statement, values)
        except (OperationalError, InterfaceError) as error:
            raise LedgerUnreachable(str(error)) from error
        return rows

    @retry((InterfaceError, OperationalError), max_attempts=_READ_ATTEMPTS, wait=_READ_WAIT_SECONDS)
    def _try_rows(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        datastore = self._app.recorder.datastore
        with datastore.get_connection() as conn, conn.cursor(row_factory=tuple_row, binary=True) as cursor:
            self._app.recorder.starts.seen_by(conn)
            arrays.register(cursor)
            return cursor.execute(SQL(statement), values or None, prepare=True).fetchall()

    def _recorded(self, row: tuple[Any, ...]) -> Recorded[Any]:
        stream, version, position, name, state, recorded_at = row
        event, cause = self.codec.decode(name, state)
        return Recorded(stream, version, position, self.codec.current_name(name), event, cause, recorded_at)


def _open(url: str, schema: str, codec: Codec, pool_size: int) -> LedgerApplication:
    """The library's application on a schema that is what this program expects; a busy server is asked again."""
    try:
        app: LedgerApplication = _try_open(url, schema, codec, pool_size)
    except (OperationalError, InterfaceError) as error:
        raise LedgerUnreachable(str(error)) from error
    return app


@retry((InterfaceError, OperationalError), max_attempts=_READ_ATTEMPTS, wait=_READ_WAIT_SECONDS)
def _try_open(url: str, schema: str, codec: Codec, pool_size: int) -> LedgerApplication:
    app = LedgerApplication(url, schema, codec, pool_size)
    try:
        with app.recorder.datastore.get_connection() as conn:
            require_migrated(conn)
    except BaseException:
        app.close()
        raise
    return app


def _version(row: Stored) -> int:
    return row.version


def _constraint(error: IntegrityError) -> str:
    """Which promise of the database an insert broke; the library's own complaint about tracking names none."""
    broken = error.__cause__
    if isinstance(broken, psycopg.IntegrityError) and broken.diag.constraint_name:
        return broken.diag.constraint_name
    ours = ("received_message_fate", "source_object_revision")
    return next((promise for promise in ours if promise in str(error)), "notification_tracking")


def _columns(ids: Iterable[str]) -> tuple[list[str], list[int]]:
    parts = [id_.rpartition("@") for id_ in ids]
    return [stream for stream, _, _ in parts], [int(version) for _, _, version in parts]


def _committed(unit: UnitOfWork, commit: CommitInFlight) -> Committed:
    at = commit.recorded_at
    if at is None:
        return Committed(None, None, None, {}, ())
    events = tuple(
        Recorded(new.stream, new.version, position, new.name, new.event, new.cause, at)
        for new, position in zip(unit.new, commit.positions, strict=True)
    )
    versions = {event.stream: event.version for event in events}
    return Committed(commit.positions[0], commit.positions[-1], at, versions, events)


def _message(row: tuple[Any, ...]) -> ReceivedMessage:
    return ReceivedMessage(*row)
