"""From the moment a source publishes to the moment GraphQL answers with it, at a steady stream of messages.

The roles run as processes of their own, as in production. A dashboard asks all the time how far the answers are; what a
message became is looked up afterwards, so that every message is measured and none is singled out.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import nats

from adapters.broker import IN, Outgoing
from adapters.broker.jetstream import NatsBroker
from adapters.embedded.server import free_port
from adapters.postgres import connect, migrate
from adapters.settings import Settings
from api.access import Role
from api.books import open_ledger
from api.tokens import local_token
from tests.bench import backlog
from tests.bench.figures import Figure
from tests.bench.pipeline import Founding
from tests.bench.rounds import Progress, percentile
from tests.bench.sizes import LAG_MESSAGES_PER_SECOND, Size

SCHEMA: Final = "bench_lag"
CLONE: Final = Path(__file__).resolve().parents[2]
ROLES: Final = ("ingest", "project", "serve")
TICK_SECONDS: Final = 0.02
LOOK_SECONDS: Final = 0.005
START_SECONDS_MAX: Final = 60.0
ARRIVAL_SECONDS_MAX: Final = 60.0
QUESTION: Final = {"query": "{ ledger { position } }"}

_POSITIONS: Final = """
SELECT m.broker_sequence, max(e.notification_id)
FROM received_message m
CROSS JOIN LATERAL unnest(m.events) AS event (id)
JOIN stored_events e
    ON e.originator_id = left(event.id, -1 - length(substring(event.id FROM '[0-9]+$')))
    AND e.originator_version = substring(event.id FROM '[0-9]+$')::bigint
WHERE m.broker_sequence IS NOT NULL GROUP BY 1
"""


class NeverSeen(Exception):
    """Some messages did not become visible in time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Answers contained everything up to a position at a time."""

    position: int
    at: float


@contextmanager
def _roles(settings: Settings) -> Iterator[None]:
    """The parts of a ledger that runs, each in its process; they are stopped at the end."""
    given = {
        "P2C_HOME": settings.home,
        "P2C_DATABASE_URL": settings.database_url,
        "P2C_NATS_URL": settings.nats_url,
        "P2C_SCHEMA": settings.db_schema,
        "P2C_HTTP_PORT": settings.http_port,
        "P2C_LOG_LEVEL": "error",
    }
    environment = {**os.environ, **{name: str(value) for name, value in given.items()}}
    with ExitStack() as stack:
        for role in ROLES:
            command = [sys.executable, "-m", "api.cli", role]
            process = stack.enter_context(subprocess.Popen(command, cwd=CLONE, env=environment))
            stack.callback(process.terminate)
        yield


@asynccontextmanager
async def _dashboard(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who may ask, once GraphQL answers."""
    token = local_token(settings.home, Role.VIEWER)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=settings.http_url, headers=headers, trust_env=False) as client:
        deadline = time.monotonic() + START_SECONDS_MAX
        while await _position(client) is None:
            if time.monotonic() > deadline:
                raise NeverSeen("GraphQL did not answer")
            await asyncio.sleep(0.05)
        yield client


async def _position(client: httpx.AsyncClient) -> int | None:
    """How far answers are; None while nobody answers."""
    try:
        answer: Any = (await client.post("/graphql", json=QUESTION)).json()
    except (httpx.HTTPError, ValueError):
        return None
    ledger = (answer.get("data") or {}).get("ledger")
    return int(ledger["position"]) if ledger else None


async def _look(client: httpx.AsyncClient, seen: list[Seen], until: asyncio.Event) -> None:
    """Asks again and again; notes when an answer has got further."""
    while not until.is_set():
        position = await _position(client)
        if position is not None and (not seen or position > seen[-1].position):
            seen.append(Seen(position, time.perf_counter()))
        await asyncio.sleep(LOOK_SECONDS)


async def _publish(broker: NatsBroker, messages: Sequence[Outgoing], progress: Progress) -> list[float]:
    """Publishes at a steady pace; returns when each message was handed to the broker."""
    context = broker.client.jetstream()
    began, times, waiting = time.perf_counter(), list[float](), set[asyncio.Future[Any]]()
    for number, message in enumerate(messages):
        due = began + number / LAG_MESSAGES_PER_SECOND
        if (early := due - time.perf_counter()) > TICK_SECONDS:
            progress(number, len(messages), "messages")
            await asyncio.sleep(early)
        times.append(time.perf_counter())
        future = await context.publish_async(message.subject, message.payload, headers=message.all_headers)
        waiting.add(future)
        future.add_done_callback(waiting.discard)
    await asyncio.gather(*waiting)
    return times


async def figures(settings: Settings, size: Size, progress: Progress) -> list[Figure]:
    """How long it takes until a message can be seen."""
    url, nats_url = settings.database_url, settings.nats_url
    assert url is not None
    assert nats_url is not None
    home = settings.home / "bench-lag"
    ours = settings.at(home=home, db_schema=SCHEMA, http_port=free_port())
    migrate(url, SCHEMA)
    people = range(backlog.people_for(size.lag_messages))
    with open_ledger(ours) as ledger:
        backlog.found_firm(Founding(ledger), len(people))
    messages = backlog.Week(0).messages(people)
    async with NatsBroker(nats_url, name="p2c-bench") as broker:
        await _empty(broker)
        with _roles(ours):
            async with _dashboard(ours) as client:
                times, seen = await _stream(broker, client, url, messages, progress)
    return _figures(_lags(url, times, seen), len(messages) / (times[-1] - times[0]))
