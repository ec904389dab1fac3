"""A database server that was started anew may hold other books: it was restored, or a standby has taken its place."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any
from weakref import WeakSet

from psycopg import Connection
from psycopg.rows import scalar_row


class Starts:
    """Counts how often the server was seen to start anew; each connection is asked once, for it does not outlive it."""

    def __init__(self) -> None:
        self.count = 0
        self._started_at: datetime | None = None
        self._asked: WeakSet[Connection[Any]] = WeakSet()
        self._counting = threading.Lock()

    def seen_by(self, conn: Connection[Any]) -> int:
        """The count, in which the server at the other end of this connection is included."""
        if conn not in self._asked:
            with conn.cursor(row_factory=scalar_row) as cursor:
                started_at = cursor.execute("SELECT pg_postmaster_start_time()", prepare=True).fetchone()
            with self._counting:
                if self._started_at is not None and started_at != self._started_at:
                    self.count += 1
                self._started_at = started_at
                self._asked.add(conn)
        return self.count
