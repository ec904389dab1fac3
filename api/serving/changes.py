"""Hands every change of the read models to all who listen: one connection to the database, many listeners."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final

import psycopg
import structlog

from domain.kernel import Refused
from projections.changes import Change

WAITING_MAX: Final = 256
LISTENERS_MAX: Final = 500
RETRY_SECONDS_MAX: Final = 5.0
PAUSE_SECONDS_MAX: Final = 15.0

Listen = Callable[[threading.Event], Iterator[Change | None]]
"""Yields changes until the event is set, and now and then None; raises psycopg.Error when its connection breaks."""

_log = structlog.get_logger(__name__)


class ListenerTooSlow(Refused):
    """The listener did not take up changes as fast as they came."""

    code = "changes.too_slow"
    fix = "Listen again and read the present state with a query; narrow the subscription to what is needed."


class TooManyListeners(Refused):
    """This server has as many listeners as it can serve."""

    code = "changes.too_many_listeners"
    fix = "Try again later, or at another server."


class Changes:
    """The present listeners, each with a queue of its own."""

    def __init__(self, listen: Listen) -> None:
        self._listen = listen
        self._stop = threading.Event()
        self._queues: set[asyncio.Queue[Change | None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen; to be called in the event loop that the listeners live in."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._follow, name="changes", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """End all subscriptions and give back the connection."""
        self._stop.set()
        for queue in self._queues:
            _end(queue)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, RETRY_SECONDS_MAX)

    @asynccontextmanager
    async def heard(self) -> AsyncIterator[AsyncIterator[Change | None]]:
        """The changes from now on, and now and then None, so that a listener can look whether it still may listen.

        A listener that falls behind gets ListenerTooSlow.
        """
        if len(self._queues) >= LISTENERS_MAX:
            raise TooManyListeners
        queue: asyncio.Queue[Change | None] = asyncio.Queue(WAITING_MAX)
        self._queues.add(queue)
        try:
            yield self._taken(queue)
        finally:
            self._queues.discard(queue)

    async def _taken(self, queue: asyncio.Queue[Change | None]) -> AsyncIterator[Change | None]:
        while True:
            try:
                change = await asyncio.wait_for(queue.get(), PAUSE_SECONDS_MAX)
            except TimeoutError:
                yield None
                continue
            if change is None:
                break
            yield change
        if not self._stop.is_set():
            raise ListenerTooSlow

    def _follow(self) -> None:
        pause_seconds = 0.1
        while not self._stop.is_set():
            try:
                for change in self._listen(self._stop):
                    pause_seconds = 0.1
                    if change is not None:
                        self._tell(change)
            except psycopg.Error as problem:
                _log.warning("changes are not heard", problem=str(problem))
            except Exception:  # noqa: BLE001 - whatever it was, it is told, and listening goes on
                _log.exception("changes are not heard")
            self._stop.wait(pause_seconds)
            pause_seconds = min(RETRY_SECONDS_MAX, 2 * pause_seconds)

    def _tell(self, change: Change) -> None:
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._spread, change)

    def _spread(self, change: Change) -> None:
        for queue in list(self._queues):
            if queue.full():
                self._queues.discard(queue)
                _end(queue)
            else:
                queue.put_nowait(change)


def _end(queue: asyncio.Queue[Change | None]) -> None:
    """The listener gets what waits no more, only the end."""
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(None)
