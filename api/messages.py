"""Received messages by their ids, as many as one answer needs, by one query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from psycopg import Connection

from adapters.eventstore.rows import ReceivedMessage

_MESSAGES: Final = """
SELECT message_id, system, subject, business_message_id, payload_sha256, headers, payload, received_at,
       broker_sequence, fate, code, detail, streams, events, deliveries
FROM received_message WHERE message_id = ANY(%s)
"""


def messages_of(conn: Connection[Any], ids: Sequence[str]) -> dict[str, ReceivedMessage]:
    """The messages with these ids, whole; unknown ones are left out."""
    rows = conn.execute(_MESSAGES, [list(dict.fromkeys(ids))], binary=True)
    return {row[0]: ReceivedMessage(*row) for row in rows}
