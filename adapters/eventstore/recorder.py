"""The eventsourcing library, set up for the ledger: our codec as its mapper, our rows in its transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from eventsourcing.application import Application
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    ApplicationRecorder,
    InfrastructureFactory,
    IntegrityError,
    JSONTranscoder,
    Mapper,
    StoredEvent,
)
from eventsourcing.postgres import PostgresDatastore, PostgresFactory, PostgresProcessRecorder
from eventsourcing.utils import Environment
from psycopg import Cursor
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composed, Identifier

from adapters.eventstore import arrays
from adapters.eventstore.arrays import byte_strings, numbers, texts
from adapters.eventstore.codec import Codec
from adapters.eventstore.errors import DatabaseFunctionsEnabled, StartedAnew
from adapters.eventstore.rows import SourceObject, merge_sources
from adapters.eventstore.starts import Starts
from adapters.eventstore.unit import Extras, NewEvent
from adapters.postgres import CONNECT_TIMEOUT_SECONDS, LOCK_TIMEOUT_SECONDS, parameters
from domain.kernel import StreamId


class CommitInFlight:
    """One attempt to commit, by its id, and what the database answered."""

    __slots__ = ("commit_id", "era", "extras", "positions", "recorded_at")

    def __init__(self, commit_id: UUID, extras: Extras, era: int) -> None:
        self.commit_id = commit_id
        self.era = era
        self.extras = extras
        self.positions: list[int] = []
        self.recorded_at: datetime | None = None


class CodecMapper(Mapper[str]):
    """Stores events under their published names, in their published form."""

    def __init__(self, codec: Codec) -> None:
        super().__init__(transcoder=JSONTranscoder())
        self.codec = codec

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """The row of an event that a unit of work has decided."""
        assert isinstance(domain_event, NewEvent)
        return StoredEvent(domain_event.stream, domain_event.version, domain_event.name, domain_event.encoded)

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        """The event of a row, in today's shape."""
        event, cause = self.codec.decode(stored_event.topic, stored_event.state)
        name = self.codec.current_name(stored_event.topic)
        stream = StreamId(str(stored_event.originator_id))
        found: Any = NewEvent(stream, stored_event.originator_version, name, event, cause, stored_event.state)
        return found  # type: ignore[no-any-return]  # the protocol asks for an __init__ of any arguments


class LedgerRecorder(PostgresProcessRecorder):
    """Writes events, receipts, messages and outgoing work in one transaction.

    Everything but the events goes first, outside the log's lock, sorted, so that two writers never wait for each other.
    """

    def __init__(self, datastore: PostgresDatastore) -> None:
        super().__init__(datastore)
        self.starts = Starts()
        table = Identifier(datastore.schema, self.events_table_name)
        self.insert_columns_statement: Composed = SQL(_INSERT_EVENTS).format(table=table)

    def _insert_events(self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        commit: CommitInFlight = kwargs["commit"]
        arrays.register(curs)
        if self.starts.seen_by(curs.connection) != commit.era and not _is_recorded(curs, commit):
            raise StartedAnew(str(commit.commit_id))
        curs.execute("INSERT INTO commit_receipt (commit_id) VALUES (%s)", [commit.commit_id], prepare=True)
        super()._insert_events(curs, stored_events, **kwargs)
        _insert_extras(curs, commit.extras)

    def _insert_stored_events(self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **_: Any) -> None:
        arrays.register(curs)
        self._lock_table(curs)
        self._notify_channel(curs)
        columns = (
            texts(str(event.originator_id) for event in stored_events),
            numbers(event.originator_version for event in stored_events),
            texts(event.topic for event in stored_events),
            byte_strings(event.state for event in stored_events),
        )
        curs.execute(self.insert_columns_statement, columns, prepare=True)

    def _notify_channel(self, curs: Cursor[DictRow]) -> None:
        # Every statement in the pipeline says whether it is prepared: psycopg remembers one that it began to prepare
        # by itself in a pipeline that failed, and then asks the server for it in vain.
        curs.execute(SQL("NOTIFY {}").format(Identifier(self.channel_name)), prepare=True)

    def _fetch_ids_after_insert_events(
        self, curs: Cursor[DictRow], stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int]:
        commit: CommitInFlight = kwargs["commit"]
        rows = curs.fetchall()
        assert len(rows) == len(stored_events), "every event has its position"
        commit.positions = [row["notification_id"] for row in rows]
        commit.recorded_at = rows[0]["recorded_at"]
        return commit.positions


_INSERT_EVENTS: Final = """
INSERT INTO {table} (originator_id, originator_version, topic, state, recorded_at)
SELECT e.stream, e.version, e.name, e.state,
       greatest((SELECT clock_timestamp()),
                (SELECT recorded_at FROM {table} ORDER BY notification_id DESC LIMIT 1))
FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::bytea[]) WITH ORDINALITY
    AS e (stream, version, name, state, place)
ORDER BY e.place
RETURNING notification_id, recorded_at
"""

_INSERT_RECEIVED: Final = """
INSERT INTO received_message (message_id, system, subject, business_message_id, payload_sha256, headers, payload,
    received_at, broker_sequence, fate, code, detail, streams, events, deliveries)
SELECT m.message_id, m.system, m.subject, m.business_message_id, m.sha256, m.headers::jsonb, m.payload,
    m.received_at::timestamptz, m.broker_sequence, m.fate, m.code, m.detail,
    ARRAY(SELECT jsonb_array_elements_text(m.streams::jsonb)), ARRAY(SELECT jsonb_array_elements_text(m.events::jsonb)),
    m.deliveries
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bytea[], %b::text[], %b::bytea[], %b::text[],
    %b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[])
    AS m (message_id, system, subject, business_message_id, sha256, headers, payload, received_at, broker_sequence,
    fate, code, detail, streams, events, deliveries)
"""

_COUNT_DELIVERIES: Final = """
UPDATE received_message m SET deliveries = m.deliveries + again.times, last_delivered_at = clock_timestamp()
FROM (SELECT message_id, count(*) AS times FROM unnest(%b::text[]) AS message_id GROUP BY 1) AS again
WHERE m.message_id = again.message_id
"""

_SETTLE: Final = """
UPDATE received_message m SET fate = s.fate, code = s.code, detail = s.detail, decided_at = clock_timestamp(),
    streams = ARRAY(SELECT jsonb_array_elements_text(s.streams::jsonb)),
    events = ARRAY(SELECT jsonb_array_elements_text(s.events::jsonb))
FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[])
    AS s (message_id, fate, code, detail, streams, events, was)
WHERE m.message_id = s.message_id AND m.fate = s.was
RETURNING m.message_id
"""

_UNPARK: Final = "DELETE FROM parked_message WHERE message_id = ANY(%b::text[])"

_PARK: Final = """
INSERT INTO parked_message (message_id, waits_for, order_key)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[])
ON CONFLICT (message_id) DO UPDATE SET waits_for = excluded.waits_for, order_key = excluded.order_key
"""

_SOURCES: Final = """
WITH given AS (
    SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::boolean[], %b::text[])
        AS g (system, object, external_id, revision, home, is_compared, seen)
)
INSERT INTO source_object AS known (system, object, external_id, revision, home)
SELECT system, object, external_id, revision, home FROM given
ON CONFLICT (system, object, external_id) DO UPDATE
SET revision = greatest(known.revision, excluded.revision), home = coalesce(excluded.home, known.home),
    changed_at = clock_timestamp()
WHERE (known.system, known.object, known.external_id, known.revision)
        IN (SELECT system, object, external_id, seen FROM given WHERE is_compared)
   OR (known.system, known.object, known.external_id)
        IN (SELECT system, object, external_id FROM given WHERE NOT is_compared)
RETURNING 1 AS kept
"""

_OUTBOX: Final = """
INSERT INTO outbox (stream, version, target, subject, nats_msg_id, payload, headers)
SELECT o.stream, o.version, o.target, o.subject, o.nats_msg_id, o.payload, o.headers::jsonb
FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[], %b::bytea[], %b::text[])
    WITH ORDINALITY AS o (stream, version, target, subject, nats_msg_id, payload, headers, place)
ORDER BY o.place
"""

_COMMAND: Final = """
INSERT INTO command_receipt (idempotency_key, actor, payload_sha256, outcome) VALUES (%s, %s, %s, %s::jsonb)
"""


def _is_recorded(curs: Cursor[DictRow], commit: CommitInFlight) -> bool:
    """Whether an earlier attempt went through, whose reply was lost."""
    found = curs.execute("SELECT FROM commit_receipt WHERE commit_id = %s", [commit.commit_id], prepare=True)
    return found.fetchone() is not None


def _insert_extras(curs: Cursor[DictRow], extras: Extras) -> None:
    if extras.command is not None:
        receipt = extras.command
        outcome = _json({"versions": dict(receipt.versions), "events": receipt.events})
        curs.execute(_COMMAND, [receipt.key, receipt.actor, receipt.payload_sha256, outcome], prepare=True)
    if extras.received:
        _insert_received(curs, extras)
    if extras.settled:
        _settle(curs, extras)
    if extras.redelivered:
        curs.execute(_COUNT_DELIVERIES, [texts(sorted(extras.redelivered))], prepare=True)
    if extras.parked:
        newest = {row.message_id: row for row in extras.parked}
        parked = [newest[message_id] for message_id in sorted(newest)]
        columns = (
            texts(p.message_id for p in parked),
            texts(p.waits_for for p in parked),
            texts(p.order_key for p in parked),
        )
        curs.execute(_PARK, columns, prepare=True)
    if extras.sources:
        _insert_sources(curs, extras)
    if extras.outbox:
        _insert_outbox(curs, extras)


def _insert_received(curs: Cursor[DictRow], extras: Extras) -> None:
    rows = sorted(extras.received, key=lambda row: row.message_id)
    columns = (
        texts(m.message_id for m in rows),
        texts(m.system for m in rows),
        texts(m.subject for m in rows),
        texts(m.business_message_id for m in rows),
        byte_strings(m.payload_sha256 for m in rows),
        texts(_json(dict(m.headers)) for m in rows),
        byte_strings(m.payload for m in rows),
        texts(m.received_at.isoformat() for m in rows),
        numbers(m.broker_sequence for m in rows),
        texts(m.fate for m in rows),
        texts(m.code for m in rows),
        texts(m.detail for m in rows),
        texts(_json(m.streams) for m in rows),
        texts(_json(m.events) for m in rows),
        numbers(m.deliveries for m in rows),
    )
    curs.execute(_INSERT_RECEIVED, columns, prepare=True)


def _settle(curs: Cursor[DictRow], extras: Extras) -> None:
    newest = {row.message_id: row for row in extras.settled}
    rows = [newest[message_id] for message_id in sorted(newest)]
    columns = (
        texts(s.message_id for s in rows),
        texts(s.fate for s in rows),
        texts(s.code for s in rows),
        texts(s.detail for s in rows),
        texts(_json(s.streams) for s in rows),
        texts(_json(s.events) for s in rows),
        texts(s.was for s in rows),
    )
    curs.execute(_SETTLE, columns, prepare=True)
    if len(curs.fetchall()) < len(rows):
        raise IntegrityError("received_message_fate")
    curs.execute(_UNPARK, [texts(s.message_id for s in rows if s.fate != "parked")], prepare=True)


def _insert_sources(curs: Cursor[DictRow], extras: Extras) -> None:
    merged: list[SourceObject] = sorted(merge_sources(extras.sources), key=lambda source: source.key)
    columns = (
        texts(s.system for s in merged),
        texts(s.object for s in merged),
        texts(s.external_id for s in merged),
        texts(s.revision for s in merged),
        texts(s.home for s in merged),
        [s.seen is not None for s in merged],
        texts(s.seen[0] if s.seen else None for s in merged),
    )
    curs.execute(_SOURCES, columns, prepare=True)
    if len(curs.fetchall()) < len(merged):
        raise IntegrityError("source_object_revision")


def _insert_outbox(curs: Cursor[DictRow], extras: Extras) -> None:
    rows = extras.outbox
    columns = (
        texts(o.stream for o in rows),
        numbers(o.version for o in rows),
        texts(o.target for o in rows),
        texts(o.subject for o in rows),
        texts(o.nats_msg_id for o in rows),
        byte_strings(o.payload for o in rows),
        texts(_json(dict(o.headers)) for o in rows),
    )
    curs.execute(_OUTBOX, columns, prepare=True)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


class LedgerFactory(PostgresFactory):
    """Connects the library with every parameter of our own connections."""

    def __init__(self, env: Environment, extra: dict[str, Any]) -> None:
        super().__init__(env)
        if self.datastore.enable_db_functions:
            raise DatabaseFunctionsEnabled("POSTGRES_ENABLE_DB_FUNCTIONS")
        arguments = self.datastore.pool.kwargs
        assert isinstance(arguments, dict)
        arguments.update(extra)

    def process_recorder(self) -> LedgerRecorder:
        """The recorder of the ledger; its tables are made by our own migrations."""
        return LedgerRecorder(self.datastore)


class LedgerApplication(Application[str]):
    """The library's application around the ledger's codec and recorder."""

    name = "Ledger"
    recorder: LedgerRecorder

    def __init__(self, url: str, schema: str, codec: Codec, pool_size: int) -> None:
        self.codec = codec
        self.parameters = parameters(url, schema, "p2c-ledger")
        given = self.parameters
        super().__init__(
            {
                "POSTGRES_DBNAME": given.get("dbname", ""),
                "POSTGRES_HOST": given.get("host", ""),
                "POSTGRES_PORT": str(given.get("port", "5432")),
                "POSTGRES_USER": given.get("user", ""),
                "POSTGRES_PASSWORD": given.get("password", ""),
                "POSTGRES_SCHEMA": schema,
                "POSTGRES_POOL_SIZE": str(pool_size),
                "POSTGRES_MAX_OVERFLOW": "0",
                "POSTGRES_LOCK_TIMEOUT": str(LOCK_TIMEOUT_SECONDS),
                "POSTGRES_CONNECT_TIMEOUT": str(CONNECT_TIMEOUT_SECONDS),
                "POSTGRES_PRE_PING": "yes",
                "ORIGINATOR_ID_TYPE": "text",
                "CREATE_TABLE": "no",
                "IS_SNAPSHOTTING_ENABLED": "no",
            }
        )

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        """Our factory, whatever the environment names."""
        return LedgerFactory(env, self.parameters)

    def construct_mapper(self) -> Mapper[str]:
        """Our codec in the library's place for it."""
        return CodecMapper(self.codec)

    def construct_recorder(self) -> ApplicationRecorder:
        """The recorder that writes our rows with the events."""
        assert isinstance(self.factory, LedgerFactory)
        return self.factory.process_recorder()
