"""A worker of the inbox that is stopped by a signal between decision and commit: ``python -m tests.chaos.sleeper``."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from dataclasses import replace
from typing import Final

from adapters.broker.jetstream import NatsBroker
from adapters.eventstore.ledger import Ledger
from adapters.inbox.inbox import Inbox, Prepared
from adapters.inbox.worker import CONSUMER, Worker
from domain.catalogue import DECIDERS, EVENTS

IMPATIENT: Final = replace(CONSUMER, ack_wait_seconds=1.0)
"""The consumer of all workers, whose messages go to another one after a second."""


class Sleeper(Inbox):
    """Falls asleep over its first batch, with everything decided and nothing recorded."""

    slept = False

    def commit(self, prepared: Prepared) -> bool:
        if not self.slept:
            self.slept = True
            os.kill(os.getpid(), signal.SIGSTOP)
        return super().commit(prepared)


async def main(database_url: str, nats_url: str) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with Ledger(database_url, EVENTS, DECIDERS) as ledger:
        async with NatsBroker(nats_url, name="sleeper") as broker:
            await Worker(Sleeper(ledger), await broker.consumer(IMPATIENT), stop=stop).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
