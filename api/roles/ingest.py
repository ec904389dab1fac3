"""The part that decides what the source systems tell."""

from __future__ import annotations

import asyncio
import threading

from adapters.broker import IN
from adapters.broker.jetstream import NatsBroker
from adapters.collector import spare_the_collector
from adapters.inbox.inbox import Inbox
from adapters.inbox.worker import CONSUMER, Worker
from adapters.settings import Settings
from api.books import open_ledger

CONNECTIONS = 3
"""One to decide, one to commit, one to spare."""


def main(settings: Settings, stop: threading.Event) -> None:
    """Take messages from the broker until told to stop; several may run side by side."""
    spare_the_collector()
    asyncio.run(_ingest(settings, stop))


async def _ingest(settings: Settings, stop: threading.Event) -> None:
    assert settings.nats_url is not None, "roles are started on servers that run"
    with open_ledger(settings, pool_size=CONNECTIONS) as ledger:
        async with NatsBroker(settings.nats_url, name="p2c-ingest") as broker:
            await broker.ensure(IN)
            consumer = await broker.consumer(CONSUMER)
            await Worker(Inbox(ledger), consumer, stop=stop).run()
