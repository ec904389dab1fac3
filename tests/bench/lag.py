"""How long it takes from a message that is published to an answer of GraphQL that contains it, at a steady rate.

Ingest, project and serve run as processes of their own, as in production. A dashboard asks how far the ledger is, again
and again; a message is visible with the first answer whose position has reached the last event that it led to.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx

from adapters.broker import IN, Outgoing
from adapters.broker.jetstream import NatsBroker
from adapters.embedded.server import free_port
from adapters.eventstore.ledger import Ledger
from adapters.postgres import connect, migrate
from adapters.settings import Settings
from api.access import Role
from api.books import open_ledger
from api.tokens import local_token
from domain.kernel import Addressed, Cause
from tests.bench import backlog
from tests.bench.figures import Figure
from tests.bench.rounds import Progress, percentile
from tests.bench.sizes import LAG_MESSAGES_PER_SECOND, Size

SCHEMA: Final = "bench_lag"
ROLES: Final = ("ingest", "project", "serve")
CLONE: Final = Path(__file__).resolve().parents[2]
WARM_UP_SHARE: Final = 0.1
"""The first messages only warm the processes up."""

MESSAGES_PER_TURN: Final = 5
READY_SECONDS_MAX: Final = 90.0
CATCH_UP_SECONDS_MAX: Final = 60.0
STOP_SECONDS_MAX: Final = 15.0

_QUESTION: Final = {"query": "{ ledger { position headPosition } }"}
_LAST_EVENTS: Final = """
SELECT m.broker_sequence, max(e.notification_id)
FROM received_message m
CROSS JOIN unnest(m.events) AS led (id)
JOIN stored_events e
  ON e.originator_id = substring(led.id FROM '^(.*)@')
 AND e.originator_version = substring(led.id FROM '[0-9]+$')::bigint
GROUP BY 1
"""


class NeverSeen(Exception):
    """A role did not start, or what was published did not become visible."""


@dataclass(slots=True)
class _Teller:
    """Founds the firm past the broker, before the clock starts."""

    ledger: Ledger

    def tell(self, system: str, message: str, at: datetime, *addressed: Addressed) -> None:
        message_id = f"{system}:{message}"
        self.ledger.execute(addressed, Cause(f"system:{system}", message_id, message_id, message_id, at))


@dataclass(slots=True)
class Dashboard:
    """Asks how far the ledger is, one question after the other, and notes when each position was seen first."""

    client: httpx.AsyncClient
    seen_at: list[float] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    questions: int = 0

    async def ask(self) -> tuple[int, int]:
        """The newest position that answers contain, and the newest of the log."""
        answer = await self.client.post("/graphql", json=_QUESTION)
        now = time.perf_counter()
        answer.raise_for_status()
        told = answer.json()["data"]["ledger"]
        position = int(told["position"])
        self.questions += 1
        if not self.positions or position > self.positions[-1]:
            self.positions.append(position)
            self.seen_at.append(now)
        return position, int(told["headPosition"])

    async def watch(self, done: asyncio.Event) -> None:
        """Ask until told to stop."""
        while not done.is_set():
            await self.ask()

    def seen(self, position: int) -> float | None:
        """When an answer contained this position first."""
        place = bisect_left(self.positions, position)
        return self.seen_at[place] if place < len(self.positions) else None


async def figures(settings: Settings, size: Size, progress: Progress) -> list[Figure]:
    """Within what time half of all messages are visible, and within what time 99 of 100."""
    here = settings.at(db_schema=SCHEMA, http_port=free_port())
    assert here.database_url is not None
    migrate(here.database_url, SCHEMA)
    messages = backlog.Week(0).messages(range(backlog.people_for(size.lag_messages)))[: size.lag_messages]
    with open_ledger(here, pool_size=1) as ledger:
        backlog.found_firm(_Teller(ledger), backlog.people_for(size.lag_messages))
    async with NatsBroker(here.nats_url or "", name="p2c-bench") as broker, _dashboard(here) as dashboard:
        await broker.ensure(IN)
        with _roles(here) as running:
            await _until_ready(dashboard, running)
            published, seconds = await _measured(broker, dashboard, messages, progress)
            milliseconds = _lags(here, dashboard, published)
    return _of(milliseconds, dashboard, len(messages) / seconds)


async def _measured(
    broker: NatsBroker, dashboard: Dashboard, messages: Sequence[Outgoing], progress: Progress
) -> tuple[dict[int, float], float]:
    """When each message was handed to the broker, by its place in the stream, and how long all of it took."""
    done = asyncio.Event()
    watching = asyncio.create_task(dashboard.watch(done))
    published: dict[int, float] = {}
    began = time.perf_counter()

    async def publish(message: Outgoing) -> None:
        at = time.perf_counter()
        published[(await broker.publish(message)).sequence] = at

    async with asyncio.TaskGroup() as publishing:
        for start in range(0, len(messages), MESSAGES_PER_TURN):
            for message in messages[start : start + MESSAGES_PER_TURN]:
                publishing.create_task(publish(message))
            progress(start, len(messages), f"{LAG_MESSAGES_PER_SECOND} messages per second")
            due = began + (start + MESSAGES_PER_TURN) / LAG_MESSAGES_PER_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
    seconds = time.perf_counter() - began
    progress(len(messages), len(messages), "published")
    await _until_quiet(dashboard)
    done.set()
    await watching
    return published, seconds


async def _until_quiet(dashboard: Dashboard) -> None:
    """Waits, while the dashboard goes on asking, until nothing new has become visible for a second."""
    deadline = time.monotonic() + CATCH_UP_SECONDS_MAX
    before, quiet_since = -1, time.monotonic()
    while time.monotonic() - quiet_since < 1.0:
        if dashboard.positions[-1] != before:
            before, quiet_since = dashboard.positions[-1], time.monotonic()
        if time.monotonic() > deadline:
            raise NeverSeen(f"still not everything was visible after {CATCH_UP_SECONDS_MAX:.0f} s")
        await asyncio.sleep(0.02)


def _lags(settings: Settings, dashboard: Dashboard, published: Mapping[int, float]) -> list[float]:
    """The lag of each message that led to an event, in milliseconds, in the order of publishing."""
    assert settings.database_url is not None
    with connect(settings.database_url, SCHEMA, "p2c-bench") as conn:
        last = {int(sequence): int(position) for sequence, position in conn.execute(_LAST_EVENTS)}
    ordered = sorted(published, key=published.__getitem__)
    counted = [sequence for sequence in ordered[round(len(ordered) * WARM_UP_SHARE) :] if sequence in last]
    lags = []
    for sequence in counted:
        seen = dashboard.seen(last[sequence])
        if seen is None:
            raise NeverSeen(f"event {last[sequence]} of message {sequence}")
        lags.append((seen - published[sequence]) * 1000)
    return lags


def _of(milliseconds: Sequence[float], dashboard: Dashboard, messages_per_second: float) -> list[Figure]:
    absolutes: dict[str, Any] = {
        "messages": len(milliseconds),
        "messages_per_second": round(messages_per_second),
        "answers": dashboard.questions,
        "ms_mean": round(sum(milliseconds) / len(milliseconds), 1),
        "ms_max": round(max(milliseconds), 1),
    }
    means = "from publishing a message to the first answer of GraphQL that contains it, at 500 messages per second"
    return [
        Figure(f"lag_ms_p{share}", round(percentile(milliseconds, share / 100), 1), means, None, absolutes)
        for share in (50, 99)
    ]


# -- the running ledger ------------------------------------------------------------------------------------------------


@contextmanager
def _roles(settings: Settings) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The roles that a message passes through, each as a process of its own."""
    given = {
        "P2C_HOME": settings.home,
        "P2C_DATABASE_URL": settings.database_url,
        "P2C_NATS_URL": settings.nats_url,
        "P2C_SCHEMA": settings.db_schema,
        "P2C_HTTP_PORT": settings.http_port,
        "P2C_LOG_LEVEL": "warning",
    }
    environment = {**os.environ, **{name: str(value) for name, value in given.items()}}
    settings.logs.mkdir(parents=True, exist_ok=True)
    running: list[subprocess.Popen[bytes]] = []
    try:
        for role in ROLES:
            with (settings.logs / f"bench-{role}.log").open("wb") as log:
                command = [sys.executable, "-m", "api.cli", role]
                running.append(subprocess.Popen(command, cwd=CLONE, env=environment, stdout=log, stderr=log))
        yield running
    finally:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@asynccontextmanager
async def _dashboard(settings: Settings) -> AsyncIterator[Dashboard]:
    headers = {"Authorization": f"Bearer {local_token(settings.home, Role.VIEWER)}"}
    async with httpx.AsyncClient(base_url=settings.http_url, headers=headers, timeout=10.0) as client:
        yield Dashboard(client)


async def _until_ready(dashboard: Dashboard, running: Sequence[subprocess.Popen[bytes]]) -> None:
    """Waits until the read models contain the firm."""
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline:
        if gone := [process.args for process in running if process.poll() is not None]:
            raise NeverSeen(f"{gone} ended; its log is in the home")
        try:
            position, head = await dashboard.ask()
        except (httpx.HTTPError, KeyError, TypeError):
            position, head = -1, 0
        if position == head > 0:
            return
        await asyncio.sleep(0.1)
    raise NeverSeen(f"the ledger was not ready after {READY_SECONDS_MAX:.0f} s")
