"""Our own contestant: the ingest role's worker, inbox and ledger, as they run in production."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from adapters.broker import Broker
from adapters.collector import spare_the_collector
from adapters.eventstore.ledger import Ledger
from adapters.inbox.inbox import Inbox
from adapters.inbox.worker import CONSUMER, FETCH_SECONDS, Worker
from adapters.settings import Settings
from api.books import open_ledger
from domain.kernel import Addressed, Cause


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The way of messages from the broker to the books."""

    ledger: Ledger
    worker: Worker

    def tell(self, system: str, message: str, at: datetime, *addressed: Addressed) -> None:
        """Records the commands of one source message past the broker, to found the firm."""
        message_id = f"{system}:{message}"
        self.ledger.execute(addressed, Cause(f"system:{system}", message_id, message_id, message_id, at))

    async def work(self, messages: int) -> None:
        """Takes this many messages; returns when they are committed and the broker knows."""
        done = 0
        while done < messages:
            done += await self.worker.step(FETCH_SECONDS)
        await self.worker.finish()


@asynccontextmanager
async def pipeline(settings: Settings, broker: Broker) -> AsyncIterator[Pipeline]:
    """The pipeline on the schema that the settings name, ready to work."""
    spare_the_collector()  # as the role does; the other contestants run in the same process and gain as much
    with open_ledger(settings) as ledger:
        consumer = await broker.consumer(CONSUMER)
        try:
            yield Pipeline(ledger, Worker(Inbox(ledger), consumer))
        finally:
            await consumer.close()
