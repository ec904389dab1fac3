"""``p2c refeed``: after the database was restored to an earlier point, the broker tells again what it still keeps.

What the database knows is counted as repeated and changes nothing; what it had forgotten is decided again. The parts
may be at work meanwhile, and their own reader of the broker is left alone.
"""

from __future__ import annotations

import asyncio
import json as text
import secrets
import sys
from dataclasses import asdict, dataclass
from typing import Final

import typer
from nats.js import JetStreamContext
from rich.console import Console

from adapters import embedded, logs
from adapters.broker import IN, BrokerRefused, BrokerUnreachable, ConsumerPlan
from adapters.broker.jetstream import NatsBroker
from adapters.collector import spare_the_collector
from adapters.eventstore.ledger import Ledger
from adapters.inbox.inbox import Inbox
from adapters.inbox.worker import CONSUMER, FETCH_SECONDS, Worker
from adapters.postgres import connect
from adapters.settings import Settings, load
from api.books import open_ledger
from api.running.screen import Screen
from api.running.supervisor import Progress

UNAVAILABLE: Final = 3
CONNECTIONS: Final = 3
IDLE_SECONDS_MAX: Final = 300.0
"""How long the broker remembers a run that was broken off."""


@dataclass(frozen=True, slots=True)
class Refed:
    """How many messages the broker told again, and how many of them the ledger did not have."""

    heard: int
    forgotten: int


def run(*, json: bool) -> None:
    """Take in everything that the broker keeps; exits with 3 when it is out of reach."""
    logs.configure("refeed", "warning")
    screen = Screen(Console(stderr=True) if json else None)
    with embedded.running(load()) as settings, screen.measuring("Hearing again") as progress:
        try:
            refed = asyncio.run(refeed(settings, progress))
        except (BrokerUnreachable, BrokerRefused) as problem:
            sys.stderr.write(f"p2c: {problem}\nWhat was heard is recorded; run it again.\n")
            raise typer.Exit(UNAVAILABLE) from None
    if json:
        sys.stdout.write(text.dumps(asdict(refed)) + "\n")
    else:
        screen.say(f"{refed.heard:,} messages heard again; the ledger did not have {refed.forgotten:,} of them.")


async def refeed(settings: Settings, progress: Progress) -> Refed:
    """Everything that the broker has at this moment is in the ledger when this returns."""
    assert settings.nats_url is not None, "the servers run"
    spare_the_collector()
    with open_ledger(settings, pool_size=CONNECTIONS) as ledger:
        known = await asyncio.to_thread(_known, settings)
        async with NatsBroker(settings.nats_url, name="p2c-refeed", connect_attempts_max=5) as broker:
            await broker.ensure(IN)
            heard = await _heard(ledger, broker, progress)
    return Refed(heard, await asyncio.to_thread(_known, settings) - known)


async def _heard(ledger: Ledger, broker: NatsBroker, progress: Progress) -> int:
    context = broker.client.jetstream()
    newest = (await context.stream_info(IN.name)).state.last_seq
    name = f"refeed-{secrets.token_hex(4)}"
    plan = ConsumerPlan(IN.name, name, CONSUMER.subjects, idle_seconds_max=IDLE_SECONDS_MAX)
    worker = Worker(Inbox(ledger), await broker.consumer(plan))
    heard = 0
    while (reached := await _reached(context, name, newest)) < newest:
        progress(reached, newest, "messages")
        heard += await worker.step(FETCH_SECONDS)
    await worker.finish()
    await context.delete_consumer(IN.name, name)
    return heard


async def _reached(context: JetStreamContext, name: str, newest: int) -> int:
    """The place in the stream up to which everything was acknowledged; the newest when nothing is left."""
    told = await context.consumer_info(IN.name, name)
    if not told.num_pending and not told.num_ack_pending:
        return newest
    return min(newest, told.ack_floor.stream_seq if told.ack_floor else 0)


def _known(settings: Settings) -> int:
    assert settings.database_url is not None, "the servers run"
    with connect(settings.database_url, settings.db_schema, "p2c-refeed") as conn:
        (count,) = conn.execute("SELECT count(*) FROM received_message").fetchone() or (0,)
        return int(count)
