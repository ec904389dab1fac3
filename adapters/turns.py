"""Of several workers of the same kind one is active: the one that holds the lock of that name in the database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.postgres import SCHEMA, advisory_lock, connect

ASKS_AGAIN_SECONDS: Final = 1.0


class Turn:
    """The right to do what only one worker may do at a time; it belongs to a database connection of its own.

    It is lost with that connection, and then another worker may have it at once: so nothing may be wrong if two work
    for a moment, and who holds the turn asks again and again whether it still does.
    """

    def __init__(self, url: str, name: str, schema: str = SCHEMA) -> None:
        self.name = name
        self._url = url
        self._schema = schema
        self._held = ExitStack()
        self._conn: Connection[TupleRow] | None = None
        self._asked_seconds = 0.0

    def is_mine(self) -> bool:
        """Whether we have the turn, taking it if it is free; asks the database at most once a second.

        Raises psycopg.OperationalError when the database cannot be reached.
        """
        if self._conn is None:
            return self._take()
        if time.monotonic() - self._asked_seconds >= ASKS_AGAIN_SECONDS:
            try:
                self._conn.execute("SELECT 1")
            except psycopg.Error:
                self.give_back()
                return self._take()
            self._asked_seconds = time.monotonic()
        return True

    def give_back(self) -> None:
        """Lets another worker have it."""
        self._conn = None
        self._held.close()

    def _take(self) -> bool:
        held = ExitStack()
        with held:
            conn = held.enter_context(connect(self._url, self._schema, f"p2c-turn-{self.name}"))
            if held.enter_context(advisory_lock(conn, self.name)):
                self._held = held.pop_all()
                self._conn = conn
                self._asked_seconds = time.monotonic()
        return self._conn is not None


@contextmanager
def turn_of(url: str, name: str, schema: str = SCHEMA) -> Iterator[Turn]:
    """The turn of a name, given back at the end."""
    turn = Turn(url, name, schema)
    try:
        yield turn
    finally:
        turn.give_back()
