"""The log of what auditors read: written before they get an answer, append-only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from psycopg import Connection
from psycopg_pool import ConnectionPool

from adapters.eventstore.rows import storable
from api.access import Principal, Role

LOGGED: Final = frozenset({Role.AUDITOR})
CHARACTERS_MAX: Final = 20_000

Channel = Literal["http", "websocket", "nats", "export"]

_NOTE: Final = """
INSERT INTO audit_read (subject, roles, channel, operation, query, variables, head_position)
VALUES (%s, %s, %s, %s, %s, %s::jsonb, (SELECT coalesce(max(notification_id), 0) FROM stored_events))
"""


class Reads:
    """Notes who read what; blocking, to be called from a thread."""

    def __init__(self, pool: ConnectionPool[Connection[Any]]) -> None:
        self._pool = pool

    @staticmethod
    def are_logged(principal: Principal | None) -> bool:
        """Whether the reads of somebody with this token are to be noted."""
        return principal is not None and bool(principal.roles & LOGGED)

    def note(
        self, principal: Principal, channel: Channel, operation: str, query: str, variables: Mapping[str, Any]
    ) -> None:
        """Note one read; when this raises, nothing may be answered."""
        with self._pool.connection() as conn:
            roles = sorted(role.value for role in principal.roles)
            said = _shortened(variables)
            conn.execute(_NOTE, (principal.subject, roles, channel, _text(operation, 200), _text(query), said))


def _text(text: str, characters_max: int = CHARACTERS_MAX) -> str:
    return storable(text)[:characters_max]


def _shortened(variables: Mapping[str, Any]) -> str:
    text = json.dumps(dict(variables), default=str).replace("\\u0000", "\\ufffd")
    return text if len(text) <= CHARACTERS_MAX else json.dumps({"shortened": text[:CHARACTERS_MAX]})
