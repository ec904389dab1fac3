"""The database, the broker and the turns as one process sees them: real promises, and everything that may go wrong.

Every call lets others move, and none reaches anything once the process is dead.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

from adapters.broker import BrokerUnreachable, Consumer, ConsumerPlan, Delivery, Outgoing, Published, StreamPlan
from adapters.broker.memory import MemoryBroker
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
from domain.kernel import Recorded, StreamId
from tests.simulation.faults import Dice
from tests.simulation.machinery import Bell, Killed, SeededLoop, pause

Result = TypeVar("Result")
EPOCH = datetime(2026, 4, 1, 8, tzinfo=UTC)
WAIT_SECONDS = 0.3


@dataclass(eq=False)
class Process:
    """A process of the operating system, which can die at any moment and takes its memory with it."""

    name: str
    loop: SeededLoop
    dice: Dice
    is_alive: bool = True
    died: asyncio.Event = field(default_factory=asyncio.Event)

    def require_alive(self) -> None:
        if not self.is_alive:
            raise Killed(self.name)

    def die(self) -> None:
        self.is_alive = False
        self.died.set()

    def moment(self) -> None:
        """Others move; then this process may be dead."""
        self.require_alive()
        pause(self.loop.moment())
        self.require_alive()

    async def instant(self) -> None:
        """The same where code can wait."""
        self.require_alive()
        await asyncio.sleep(self.loop.moment())
        self.require_alive()

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.loop.shown_by("programs"))


class Stop(threading.Event):
    """The wish that a process ends, which is never made here: processes die."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._process = process

    def is_set(self) -> bool:
        self._process.require_alive()
        return False

    def wait(self, timeout: float | None = None) -> bool:
        pause(timeout or 0.0)
        return self.is_set()


@dataclass(frozen=True, slots=True)
class Commit:
    """One transaction as the database saw it."""

    process: str
    events: tuple[Recorded[Any], ...]
    tracking: tuple[str, int] | None
    tracked_before: int


class Database(MemoryLedger):
    """The log that all processes share, with a list of its transactions; ``away_until`` is the end of an outage."""

    def __init__(self, loop: SeededLoop, like: MemoryLedger, **arguments: Any) -> None:
        super().__init__(
            {}, like.deciders, clock=lambda: EPOCH + timedelta(seconds=loop.shown_by("database")), **arguments
        )
        self.codec = like.codec
        self.loop = loop
        self.commits: list[Commit] = []
        self.away_until = 0.0
        self.publish: Callable[[Outgoing], Coroutine[Any, Any, Published]] | None = None
        self.bell = Bell()
        self._decoded: dict[int, Recorded[Any]] = {}

    def take(self, process: str, unit: UnitOfWork) -> Committed:
        """One transaction of a process."""
        tracking = unit.extras.tracking
        before = self.tracked(tracking[0]) if tracking else 0
        done = self._record(unit)
        self.commits.append(Commit(process, done.events, tracking, before))
        self.bell.ring()
        return done

    def _recorded(self, row: Any) -> Recorded[Any]:
        """What is stored never changes, so it is decoded once."""
        if row.position not in self._decoded:
            self._decoded[row.position] = super()._recorded(row)
        return self._decoded[row.position]


class Post(MemoryBroker):
    """The broker, which notes what leaves although nothing of it is recorded."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.loop.time)
        self._database = database
        self.too_early: list[str] = []

    async def publish(self, message: Outgoing) -> Published:
        if message.subject.startswith("p2c.out.") and not self._database.events([str(message.message_id)]):
            self.too_early.append(str(message.message_id))
        return await super().publish(message)


class Connected(BaseLedger):
    """The ledger as one process uses it: a memory of its own, and a connection that may break."""

    def __init__(self, database: Database, process: Process, cache_streams: int = 50_000) -> None:
        super().__init__(database.codec, database.deciders, cache_streams, database.outgoing)
        self._database = database
        self._process = process
        self._random = process.dice.random

    # -- recording ---------------------------------------------------------------------------------------------------

    def _record(self, unit: UnitOfWork) -> Committed:
        process, dice = self._process, self._process.dice
        self._reach()
        if dice.falls("commit refused"):
            raise LedgerUnreachable("the connection broke before COMMIT")
        self._may_crash("crash before commit")
        done = self._database.take(process.name, unit)
        self._may_crash("crash after commit")
        lost = dice.falls("commit lost")
        process.moment()
        if lost:
            raise LedgerUnreachable("the connection broke after COMMIT")
        return done

    def _may_crash(self, when: str) -> None:
        if self._process.dice.falls(when):
            self._process.die()
            self._process.require_alive()

    def _pause(self, seconds: float) -> None:
        pause(seconds)
        self._process.require_alive()

    # -- reading -----------------------------------------------------------------------------------------------------

    def _reach(self) -> None:
        self._process.moment()
        if self._process.loop.now < self._database.away_until or self._process.dice.falls("database away"):
            raise LedgerUnreachable("the database does not answer")

    def _ask(self, question: Callable[..., Result], *arguments: Any) -> Result:
        self._reach()
        return question(*arguments)

    def _newer(self, wanted: Mapping[StreamId, int]) -> dict[StreamId, list[Stored]]:
        return self._ask(self._database._newer, wanted) if wanted else {}

    def read(
        self, after: int, limit: int, until: int | None = None, names: Collection[str] | None = None
    ) -> list[Recorded[Any]]:
        return self._ask(self._database.read, after, limit, until, names)

    def history(
        self,
        stream: StreamId,
        after: int = 0,
        until_position: int | None = None,
        until_recorded_at: datetime | None = None,
    ) -> list[Recorded[Any]]:
        return self._ask(self._database.history, stream, after, until_position, until_recorded_at)

    def events(self, ids: Iterable[str]) -> list[Recorded[Any]]:
        return self._ask(self._database.events, list(ids))

    def head(self) -> int:
        return self._ask(self._database.head)

    def position_at(self, recorded_at: datetime) -> int:
        return self._ask(self._database.position_at, recorded_at)

    def wait_for_events(self, after: int, timeout_seconds: float) -> bool:
        deadline = self._process.loop.now + timeout_seconds
        while self._database.head() <= after:
            if self._process.loop.now >= deadline:
                return False
            pause(deadline - self._process.loop.now, self._database.bell)
            self._process.require_alive()
        return True

    def receipts(self, keys: Iterable[MessageKey]) -> dict[MessageKey, list[ReceivedMessage]]:
        return self._ask(self._database.receipts, list(keys))

    def message(self, message_id: str) -> ReceivedMessage | None:
        return self._ask(self._database.message, message_id)

    def parked(self, waits_for: Iterable[str], limit: int = 1000) -> list[tuple[ParkedMessage, ReceivedMessage]]:
        return self._ask(self._database.parked, list(waits_for), limit)

    def waiting(self, after: str = "", limit: int = 1000) -> list[str]:
        return self._ask(self._database.waiting, after, limit)

    def source_objects(self, keys: Iterable[ObjectKey]) -> dict[ObjectKey, SourceObject]:
        return self._ask(self._database.source_objects, list(keys))

    def tracked(self, name: str) -> int:
        return self._ask(self._database.tracked, name)

    def command_receipt(self, key: str) -> CommandReceipt | None:
        return self._ask(self._database.command_receipt, key)

    def unrelayed(self, limit: int, target: str | None = None) -> list[OutboxRow]:
        return self._ask(self._database.unrelayed, limit, target)

    def mark_relayed(self, ids: Iterable[int]) -> int:
        marked = self._ask(self._database.mark_relayed, list(ids))
        self._process.moment()
        return marked

    def close(self) -> None:
        """Nothing is held that must be given back."""


class Wire:
    """The broker as one process reaches it."""

    def __init__(self, broker: MemoryBroker, process: Process) -> None:
        self._broker = broker
        self._process = process

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The broker stays."""

    async def close(self) -> None:
        """The broker stays."""

    async def ensure(self, *plans: StreamPlan) -> None:
        await self._broker.ensure(*plans)

    async def publish(self, message: Outgoing) -> Published:
        await self._process.instant()
        if self._process.dice.falls("publish refused"):
            raise BrokerUnreachable("not sent")
        published = await self._broker.publish(message)
        lost = self._process.dice.falls("publish unconfirmed")
        await self._process.instant()
        if lost:
            raise BrokerUnreachable("sent, and no acknowledgement came")
        return published

    async def publish_all(self, messages: Iterable[Outgoing], on_progress: Callable[[int], None] | None = None) -> int:
        return sum([not (await self.publish(message)).duplicate for message in messages])

    async def consumer(self, plan: ConsumerPlan) -> Consumer:
        await self._process.instant()
        return Reading(await self._broker.consumer(plan), self._process, in_order=plan.stream == "P2C_OUT")


class Reading:
    """A durable reader as one process uses it."""

    def __init__(self, consumer: Consumer, process: Process, *, in_order: bool) -> None:
        self._consumer = consumer
        self._process = process
        self._in_order = in_order

    async def fetch(self, limit: int, timeout_seconds: float) -> list[Delivery]:
        loop, dice = self._process.loop, self._process.dice
        deadline = loop.now + timeout_seconds
        if dice.falls("fetch failed"):
            raise BrokerUnreachable("no answer")
        most = dice.random.randint(1, 3) if dice.falls("fetch in part") else limit
        while not (found := await self._consumer.fetch(min(most, limit), 0.0)) and loop.now < deadline:
            await asyncio.sleep(min(WAIT_SECONDS, deadline - loop.now))
            self._process.require_alive()
        if len(found) > 1 and not self._in_order and dice.falls("delivered in another order"):
            dice.random.shuffle(found)
        await self._process.instant()
        return found

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        await self._process.instant()
        if self._process.dice.falls("acknowledgement lost"):
            raise BrokerUnreachable("no acknowledgement of the acknowledgement")
        await self._consumer.ack(deliveries)
        await self._process.instant()

    async def nak(self, delivery: Delivery, delay_seconds: float) -> None:
        await self._process.instant()
        await self._consumer.nak(delivery, delay_seconds)

    async def term(self, delivery: Delivery, reason: str) -> None:
        await self._process.instant()
        await self._consumer.term(delivery, reason)

    async def in_progress(self, deliveries: Sequence[Delivery]) -> None:
        await self._process.instant()
        await self._consumer.in_progress(deliveries)

    async def close(self) -> None:
        self._process.require_alive()


@dataclass
class Turns:
    """Who is the active one, by what it is that only one may do."""

    held: dict[str, Process] = field(default_factory=dict)

    @contextmanager
    def turn(self, process: Process, name: str) -> Iterator[Turn]:
        yield Turn(self, process, name)


@dataclass(frozen=True)
class Turn:
    """The right to be the active one; a dead process does not have it any more."""

    turns: Turns
    process: Process
    name: str

    def is_mine(self) -> bool:
        self.process.require_alive()
        holder = self.turns.held.get(self.name)
        if holder is None or not holder.is_alive:
            self.turns.held[self.name] = holder = self.process
        return holder is self.process
