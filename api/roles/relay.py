"""The part that hands outgoing work to the broker."""

from __future__ import annotations

import asyncio
import threading

from adapters.broker import OUT
from adapters.broker.jetstream import NatsBroker
from adapters.outbox.relay import Relay
from adapters.settings import Settings
from adapters.turns import turn_of
from api.books import open_ledger

CONNECTIONS = 2


def main(settings: Settings, stop: threading.Event) -> None:
    """Relay until told to stop."""
    asyncio.run(_relay(settings, stop))


async def _relay(settings: Settings, stop: threading.Event) -> None:
    assert settings.database_url is not None, "roles are started on servers that run"
    assert settings.nats_url is not None, "roles are started on servers that run"
    with (
        open_ledger(settings, pool_size=CONNECTIONS, cache_streams=0) as ledger,
        turn_of(settings.database_url, "relay", settings.db_schema) as turn,
    ):
        async with NatsBroker(settings.nats_url, name="p2c-relay") as broker:
            await broker.ensure(OUT)
            await Relay(ledger, broker).work(turn, stop)
