"""What a serving process is made of, each part once, handed to whoever needs it by the composition root."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import anyio
import anyio.to_thread
from psycopg import Connection
from psycopg_pool import ConnectionPool

from adapters.eventstore.ledger import Ledger
from adapters.settings import Settings
from api.reads import Reads
from api.services.desk import Desk
from api.serving.changes import Changes
from api.serving.metrics import Metrics
from api.tokens import Verifier
from projections.reader import Reader

Result = TypeVar("Result")
REQUEST_SECONDS_MAX: Final = 30.0


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one serving process. ``threads`` are as many as there are connections to the database."""

    settings: Settings
    ledger: Ledger
    pool: ConnectionPool[Connection[Any]]
    reader: Reader
    desk: Desk
    verifier: Verifier
    changes: Changes
    reads: Reads
    metrics: Metrics
    threads: anyio.CapacityLimiter

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """Run blocking work in a thread, no longer than a request may take."""
        async with asyncio.timeout(REQUEST_SECONDS_MAX):
            return await anyio.to_thread.run_sync(work, limiter=self.threads, abandon_on_cancel=True)
