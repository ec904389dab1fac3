"""The log of what auditors read and of what is exported: written before anybody gets an answer, append-only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
        roles = sorted(role.value for role in principal.roles)
        self._write(principal.subject, roles, channel, operation, query, variables)

    def note_export(self, login: str, what: str, variables: Mapping[str, Any]) -> None:
        """Note that a login of this machine takes books away; when this raises, nothing may be written."""
        self._write(f"login:{login}", [], "export", what, f"p2c export {what}", variables)

    def _write(
        self, subject: str, roles: Sequence[str], channel: Channel, operation: str, query: str, said: Mapping[str, Any]
    ) -> None:
        with self._pool.connection() as conn:
            noted = (_text(subject, 200), list(roles), channel, _text(operation, 200), _text(query), _shortened(said))
            conn.execute(_NOTE, noted)


def _text(text: str, characters_max: int = CHARACTERS_MAX) -> str:
    return storable(text)[:characters_max]


def _shortened(variables: Mapping[str, Any]) -> str:
    text = json.dumps(dict(variables), default=str).replace("\\u0000", "\\ufffd")
    return text if len(text) <= CHARACTERS_MAX else json.dumps({"shortened": text[:CHARACTERS_MAX]})
