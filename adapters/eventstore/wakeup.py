"""How followers of the log learn of new events at once: a signal within the process, and one from the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg
from psycopg import sql

POLL_SECONDS: Final = 1.0
RECONNECT_SECONDS: Final = 1.0


class Signal:
    """Wakes every waiting thread whenever something may have been recorded."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    def ring(self) -> None:
        """Something may have been recorded."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait(self, reached: Callable[[], bool], timeout_seconds: float) -> bool:
        """Waits until the log has reached something, and looks at least every second even if nothing rings."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            seen = self._count
            if reached():
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            with self._changed:
                self._changed.wait_for(lambda seen=seen: self._count != seen, min(left, POLL_SECONDS))  # type: ignore[misc]


class Listener:
    """Rings the signal on each NOTIFY of the log's channel, and after each reconnection; starts when first needed."""

    def __init__(self, parameters: dict[str, Any], channel: str, signal: Signal) -> None:
        self._parameters = {**parameters, "application_name": "p2c-ledger-listen"}
        self._channel = channel
        self._signal = signal
        self._starting = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to listen, once; the thread ends with the process or with stop."""
        with self._starting:
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._run, name="ledger-listen", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Stops listening and waits for the thread."""
        with self._starting:
            self._stopped.set()
            thread = self._thread
        if thread is not None:
            thread.join(timeout=2 * POLL_SECONDS + 5)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                with psycopg.connect(**self._parameters, autocommit=True) as conn:
                    conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
                    self._signal.ring()
                    while not self._stopped.is_set():
                        for _ in conn.notifies(timeout=POLL_SECONDS / 4, stop_after=1):
                            self._signal.ring()
            except psycopg.Error:
                # Waiters poll meanwhile, so a lost connection costs them time and never an event.
                self._stopped.wait(RECONNECT_SECONDS)
