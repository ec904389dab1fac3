"""How a simulated program reaches the books and the broker: over lines that lose requests and replies, until it is killed.

The store and the broker behind them are the in-memory twins; what the programs do is the product's own code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from adapters.broker import Broker, BrokerUnreachable, Consumer, ConsumerPlan, Delivery, Outgoing, Published, StreamPlan
from adapters.eventstore.base import BaseLedger, Stored
from adapters.eventstore.errors import LedgerUnreachable
from adapters.eventstore.memory import MemoryLedger
from adapters.eventstore.rows import (
    CommandReceipt,
    MessageKey,
    ObjectKey,
    OutboxRow,
    ParkedMessage,
    ReceivedMessage,
    SourceObject,
)
from adapters.eventstore.unit import Committed, UnitOfWork
from adapters.outbox.messages import outgoing
from domain.kernel import Recorded, StreamId
from tests.simulation.machine import Died, Machine
from tests.simulation.mishaps import Luck, Mishaps

Answer = TypeVar("Answer")
LOG_POLL_SECONDS: Final = 0.25
BEGINS: Final = datetime(2026, 9, 1, tzinfo=UTC)
"""When every simulated run begins: later than all that the sample firm tells."""


@dataclass(slots=True)
class Weather:
    """What all lines have in common: the machine, the mishaps, and until when the database is away."""

    machine: Machine
    mishaps: Mishaps
    luck: Luck
    database_back_seconds: float = 0.0

    def now(self) -> datetime:
        """The simulated date."""
        return BEGINS + timedelta(seconds=self.machine.time())

    @property
    def database_is_away(self) -> bool:
        return self.machine.time() < self.database_back_seconds


@dataclass(slots=True)
class Program:
    """A program that runs until it is killed; then nothing that it still tries reaches anybody."""

    name: str
    killed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_alive(self) -> bool:
        return not self.killed.is_set()


class Books(BaseLedger):
    """The ledger as one program holds it: with a cache of its own, over a line of its own."""

    def __init__(self, store: MemoryLedger, program: Program, weather: Weather) -> None:
        super().__init__(store.codec, store.deciders, 50_000, outgoing)
        self._store = store
        self._program = program
        self._weather = weather

    def close(self) -> None:
        """Nothing is held."""

    def _reach(self, *, slowly: bool = False) -> None:
        """Come to the database, if there is one, and if there is still somebody who comes."""
        if slowly:
            self._weather.machine.pause()
        if not self._program.is_alive:
            raise Died
        if self._weather.database_is_away:
            raise LedgerUnreachable("the database is away")

    def _asked(self, question: Callable[..., Answer], *said: Any) -> Answer:
        self._reach()
        return question(*said)

    # -- recording ---------------------------------------------------------------------------------------------------

    def _newer(self, wanted: Mapping[StreamId, int]) -> dict[StreamId, list[Stored]]:
        self._reach(slowly=True)
        return self._store._newer(wanted)

    def _record(self, unit: UnitOfWork) -> Committed:
        mishaps, luck = self._weather.mishaps, self._weather.luck
        self._reach(slowly=True)
        if luck.strikes(mishaps.commit_unsent):
            raise LedgerUnreachable("the request got lost")
        committed = self._store._record(unit)
        self._weather.machine.pause()
        if not self._program.is_alive:
            raise Died
        if luck.strikes(mishaps.commit_unheard):
            raise LedgerUnreachable("the reply got lost")
        return committed

    def _pause(self, seconds: float) -> None:
        self._weather.machine.pause(seconds)

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(
        self, after: int, limit: int, until: int | None = None, names: Collection[str] | None = None
    ) -> list[Recorded[Any]]:
        return self._asked(self._store.read, after, limit, until, names)

    def history(
        self,
        stream: StreamId,
        after: int = 0,
        until_position: int | None = None,
        until_recorded_at: datetime | None = None,
    ) -> list[Recorded[Any]]:
        return self._asked(self._store.history, stream, after, until_position, until_recorded_at)

    def events(self, ids: Iterable[str]) -> list[Recorded[Any]]:
        return self._asked(self._store.events, ids)

    def head(self) -> int:
        return self._asked(self._store.head)

    def position_at(self, recorded_at: datetime) -> int:
        return self._asked(self._store.position_at, recorded_at)

    def wait_for_events(self, after: int, timeout_seconds: float) -> bool:
        if self.head() <= after:
            self._weather.machine.pause(min(LOG_POLL_SECONDS, timeout_seconds))
        return self.head() > after

    # -- what came in, what goes out ---------------------------------------------------------------------------------

    def receipts(self, keys: Iterable[MessageKey]) -> dict[MessageKey, list[ReceivedMessage]]:
        return self._asked(self._store.receipts, keys)

    def message(self, message_id: str) -> ReceivedMessage | None:
        return self._asked(self._store.message, message_id)

    def parked(self, waits_for: Iterable[str], limit: int = 1000) -> list[tuple[ParkedMessage, ReceivedMessage]]:
        return self._asked(self._store.parked, waits_for, limit)

    def waiting(self, after: str = "", limit: int = 1000) -> list[str]:
        return self._asked(self._store.waiting, after, limit)

    def source_objects(self, keys: Iterable[ObjectKey]) -> dict[ObjectKey, SourceObject]:
        return self._asked(self._store.source_objects, keys)

    def tracked(self, name: str) -> int:
        return self._asked(self._store.tracked, name)

    def command_receipt(self, key: str) -> CommandReceipt | None:
        return self._asked(self._store.command_receipt, key)

    def unrelayed(self, limit: int, target: str | None = None) -> list[OutboxRow]:
        return self._asked(self._store.unrelayed, limit, target)

    def mark_relayed(self, ids: Iterable[int]) -> int:
        marked = self._asked(self._store.mark_relayed, ids)
        if self._weather.luck.strikes(self._weather.mishaps.commit_unheard):
            raise LedgerUnreachable("the reply got lost")
        return marked


class Post:
    """The broker as one program reaches it."""

    def __init__(self, broker: Broker, program: Program, weather: Weather) -> None:
        self._broker = broker
        self._program = program
        self._weather = weather

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Nothing is held."""

    async def ensure(self, *plans: StreamPlan) -> None:
        await self._broker.ensure(*plans)

    async def publish(self, message: Outgoing) -> Published:
        mishaps, luck = self._weather.mishaps, self._weather.luck
        await reach(self._program, self._weather)
        if luck.strikes(mishaps.publish_unsent):
            raise BrokerUnreachable("the message got lost")
        published = await self._broker.publish(message)
        await reach(self._program, self._weather)
        if luck.strikes(mishaps.publish_unheard):
            raise BrokerUnreachable("the acknowledgement got lost")
        return published

    async def publish_all(self, messages: Iterable[Outgoing], on_progress: Callable[[int], None] | None = None) -> int:
        fresh = 0
        for done, message in enumerate(messages, start=1):
            fresh += not (await self.publish(message)).duplicate
            if on_progress is not None:
                on_progress(done)
        return fresh

    async def consumer(self, plan: ConsumerPlan) -> Consumer:
        return Mailbox(await self._broker.consumer(plan), self._program, self._weather)


class Mailbox:
    """A durable reader as one program reaches it: it may get things late, twice, in another order, or not this time."""

    def __init__(self, consumer: Consumer, program: Program, weather: Weather) -> None:
        self._consumer = consumer
        self._program = program
        self._weather = weather

    async def fetch(self, limit: int, timeout_seconds: float) -> list[Delivery]:
        mishaps, luck = self._weather.mishaps, self._weather.luck
        await reach(self._program, self._weather)
        found = await self._consumer.fetch(limit, timeout_seconds)
        if not self._program.is_alive:
            raise BrokerUnreachable("the connection is closed")
        arrived = [delivery for delivery in found if not luck.strikes(mishaps.delivery_lost)]
        arrived += [delivery for delivery in arrived if luck.strikes(mishaps.delivered_twice)]
        return luck.shuffled(arrived) if mishaps.out_of_order and not luck.is_calm else arrived

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """As with the real one, whether the broker has heard an acknowledgement is not always known."""
        await reach(self._program, self._weather)
        luck, share = self._weather.luck, self._weather.mishaps.ack_lost
        await self._consumer.ack([delivery for delivery in deliveries if not luck.strikes(share)])

    async def nak(self, delivery: Delivery, delay_seconds: float) -> None:
        await reach(self._program, self._weather)
        await self._consumer.nak(delivery, delay_seconds)

    async def term(self, delivery: Delivery, reason: str) -> None:
        await reach(self._program, self._weather)
        if not self._weather.luck.strikes(self._weather.mishaps.ack_lost):
            await self._consumer.term(delivery, reason)

    async def in_progress(self, deliveries: Sequence[Delivery]) -> None:
        await reach(self._program, self._weather)
        await self._consumer.in_progress(deliveries)

    async def close(self) -> None:
        """Nothing was fetched ahead."""


async def reach(program: Program, weather: Weather) -> None:
    """Come to the other side, if there is still somebody who comes."""
    await weather.machine.sleep_a_moment()
    if not program.is_alive:
        raise BrokerUnreachable("the connection is closed")
