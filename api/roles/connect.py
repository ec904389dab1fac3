"""The part that carries outgoing work to the targets. Here these are simulated, so it also lets them run."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack

from adapters.broker import IN, OUT
from adapters.broker.jetstream import NatsBroker
from adapters.settings import Settings
from adapters.targets.connector import Connector
from adapters.targets.simulated.client import SimulatedTargetClient
from adapters.targets.simulated.fake import KINDS, Kind, SimulatedTarget
from adapters.targets.simulated.service import serve
from adapters.targets.simulated.store import BucketStore
from adapters.turns import turn_of


def main(settings: Settings, stop: threading.Event) -> None:
    """Serve all targets until told to stop."""
    asyncio.run(_connect(settings, stop))


async def _connect(settings: Settings, stop: threading.Event) -> None:
    assert settings.nats_url is not None, "roles are started on servers that run"
    async with (
        NatsBroker(settings.nats_url, name="p2c-connect") as broker,
        NatsBroker(settings.nats_url, name="p2c-targets") as outside,
        AsyncExitStack() as running,
    ):
        await broker.ensure(IN, OUT)
        for kind in KINDS.values():
            await _simulate(kind, outside, running)
        async with asyncio.TaskGroup() as tasks:
            for name in KINDS:
                tasks.create_task(_carry(name, broker, settings, stop))


async def _simulate(kind: Kind, broker: NatsBroker, running: AsyncExitStack) -> None:
    """A target of its own connection, as if it were elsewhere."""
    store = await BucketStore.open(broker.client, f"p2c-simulated-{kind.name}")
    service = await serve(broker.client, SimulatedTarget(kind, store, broker.publish))
    running.push_async_callback(service.stop)


async def _carry(name: str, broker: NatsBroker, settings: Settings, stop: threading.Event) -> None:
    assert settings.database_url is not None, "roles are started on servers that run"
    with turn_of(settings.database_url, f"connect-{name}", settings.db_schema) as turn:
        await Connector(SimulatedTargetClient(name, broker.client), broker).work(turn, stop)
