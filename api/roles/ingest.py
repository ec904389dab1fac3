"""The part that decides what the source systems tell."""

from __future__ import annotations

import asyncio
import gc
import threading

from adapters.broker import IN
from adapters.broker.jetstream import NatsBroker
from adapters.inbox.inbox import Inbox
from adapters.inbox.worker import CONSUMER, Worker
from adapters.settings import Settings
from api.books import open_ledger

CONNECTIONS = 3
"""One to decide, one to commit, one to spare."""


def main(settings: Settings, stop: threading.Event) -> None:
    """Take messages from the broker until told to stop; several may run side by side."""
    # The states kept in memory are many and live long: looking through all of them often would cost more than it frees.
    gc.set_threshold(50_000, 20, 50)
    asyncio.run(_ingest(settings, stop))


async def _ingest(settings: Settings, stop: threading.Event) -> None:
    assert settings.nats_url is not None, "roles are started on servers that run"
    with open_ledger(settings, pool_size=CONNECTIONS) as ledger:
        async with NatsBroker(settings.nats_url, name="p2c-ingest") as broker:
            await broker.ensure(IN)
            consumer = await broker.consumer(CONSUMER)
            await Worker(Inbox(ledger), consumer, stop=stop).run()
