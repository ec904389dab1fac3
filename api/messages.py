"""Received messages: by their ids, and all that a filter lets through, each with what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import Connection, sql

from adapters.eventstore.rows import ReceivedMessage
from projections.pages import Conditions, Page, PageRequest, Sort, paged

_SELECT: Final = (
    "SELECT message_id, system, subject, business_message_id, payload_sha256, headers, payload, received_at,"
    " broker_sequence, fate, code, detail, streams, events, deliveries"
)
SORTS: Final = {"received_at": Sort((("m.received_at", "timestamptz"), ("m.message_id", "text")))}


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages; ``contains`` asks for a text in what was sent, for example a source's own id of an object."""

    messages: tuple[str, ...] | None = None
    business_message_id: str | None = None
    system: str | None = None
    subject: str | None = None
    fates: tuple[str, ...] | None = None
    code: str | None = None
    stream: str | None = None
    contains: str | None = None
    received_from: datetime | None = None
    received_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class MessageTotals:
    """How many messages of a system had a fate, and why."""

    system: str
    fate: str
    code: str | None
    count: int


class Received:
    """The messages that the ledger received, over one connection."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn = conn

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self._conn.cursor(binary=True) as cursor:
            return cursor.execute(sql.SQL(query), values or None).fetchall()

    def by_id(self, ids: Sequence[str]) -> dict[str, ReceivedMessage]:
        """The messages with these ids, whole; unknown ones are left out."""
        rows = self.rows(f"{_SELECT} FROM received_message WHERE message_id = ANY(%s)", [list(dict.fromkeys(ids))])
        return {row[0]: ReceivedMessage(*row) for row in rows}

    def find(self, where: MessageFilter, page: PageRequest) -> Page[ReceivedMessage]:
        """One page of messages."""
        return paged(
            self, _SELECT, "received_message m", _conditions(where), SORTS, page, lambda row: ReceivedMessage(*row)
        )

    def totals(self, where: MessageFilter) -> tuple[MessageTotals, ...]:
        """How many there are of each system, fate and code."""
        conditions = _conditions(where)
        query = (
            f"SELECT system, fate, code, count(*) FROM received_message {conditions.where}"
            " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        return tuple(MessageTotals(*row) for row in self.rows(query, conditions.values))


def _conditions(where: MessageFilter) -> Conditions:
    conditions = Conditions()
    conditions.one_of("message_id", where.messages)
    conditions.one_of("fate", where.fates)
    for name in ("business_message_id", "system", "subject", "code"):
        conditions.equal(name, getattr(where, name))
    if where.stream is not None:
        conditions.add("streams @> ARRAY[%s]", where.stream)
    if where.contains:
        conditions.add("position(%s::bytea IN payload) > 0", where.contains.encode())
    conditions.between("received_at", where.received_from, where.received_to)
    return conditions
