"""What could not be passed: the broker's own client without any work done, and the database without any program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nats.js import JetStreamContext
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed, Identifier

_FETCH_SECONDS: Final = 5.0
_RECEIVED: Final = """
message_id, system, subject, business_message_id, payload_sha256, headers, payload, received_at, broker_sequence, fate,
code, detail, streams, events, deliveries
"""
_WRITTEN: Final = (
    ("stored_events", "originator_id, originator_version, topic, state, recorded_at", "notification_id > {after}"),
    ("received_message", _RECEIVED, "broker_sequence > {after_message}"),
    ("source_object", "system, object, external_id, revision, home", "changed_at > {since}"),
)
_ROWS: Final = """
COPY (
    SELECT {columns} FROM (SELECT *, ntile({batches}) OVER (ORDER BY ctid) AS batch FROM {table} WHERE {where})
    WHERE batch = {batch}
) TO STDOUT (FORMAT BINARY)
"""


async def fetch_and_ack(subscription: JetStreamContext.PullSubscription, messages: int, batch: int) -> None:
    """Takes messages in batches and acknowledges each, the last one of a batch until the server knows."""
    left = messages
    while left > 0:
        fetched = await subscription.fetch(min(batch, left), timeout=_FETCH_SECONDS)
        for message in fetched[:-1]:
            await message.ack()
        await fetched[-1].ack_sync()
        left -= len(fetched)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the tables were before a round."""

    position: int
    sequence: int
    at: str


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a table's rows in PostgreSQL's own binary form."""

    insert: Composed
    rows: bytes


def mark(conn: Connection[TupleRow]) -> Mark:
    """Notes how far the tables are."""
    row = conn.execute(
        "SELECT coalesce((SELECT max(notification_id) FROM stored_events), 0),"
        " coalesce((SELECT max(broker_sequence) FROM received_message), 0), clock_timestamp()::text"
    ).fetchone()
    assert row is not None
    return Mark(*row)


def written(conn: Connection[TupleRow], since: Mark, batches: int) -> list[list[Block]]:
    """All rows that were written since, in as many batches, each of them one block for each table."""
    names = {"after": since.position, "after_message": since.sequence, "since": since.at}
    by_table = [_blocks(conn, *table, names, batches) for table in _WRITTEN]
    return [list(blocks) for blocks in zip(*by_table, strict=True)]


def _blocks(
    conn: Connection[TupleRow], table: str, columns: str, where: str, names: dict[str, object], batches: int
) -> list[Block]:
    listed = SQL(columns)
    select = SQL(_ROWS)
    insert = SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(Identifier(table), listed)
    found = SQL(where).format(**names)
    blocks = []
    for batch in range(1, batches + 1):
        query = select.format(columns=listed, table=Identifier(table), where=found, batches=batches, batch=batch)
        with conn.cursor().copy(query) as rows:
            blocks.append(Block(insert, b"".join(bytes(part) for part in rows)))
    return blocks


def insert(conn: Connection[TupleRow], batches: Sequence[Sequence[Block]]) -> None:
    """Writes the blocks of each batch in one transaction."""
    for batch in batches:
        with conn.transaction():
            for block in batch:
                with conn.cursor().copy(block.insert) as copy:
                    copy.write(block.rows)
