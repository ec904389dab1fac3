"""One simulated run: the sample firm tells its story to the whole ledger while programs, lines and servers fail.

The programs are the product's own: inbox, automation, relay, connectors, service desk. Only what they stand on is
simulated. The same seed gives the same run.
"""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from functools import cache
from random import Random
from typing import Any, Final, Self, TypeVar
from unittest.mock import patch

import structlog
from structlog.typing import EventDict, Processor

from adapters.automation.pages import Pages
from adapters.automation.process import Automated
from adapters.automation.runner import FACTS_MAX, Runner, Step
from adapters.broker import IN, OUT, BrokerUnreachable, Outgoing
from adapters.broker.memory import MemoryBroker, MemoryConsumer
from adapters.eventstore.codec import Codec
from adapters.eventstore.errors import LogError
from adapters.eventstore.memory import MemoryLedger
from adapters.inbox.inbox import Contended, Inbox
from adapters.inbox.waiting import awaited
from adapters.inbox.worker import CONSUMER, Worker
from adapters.outbox.relay import Relay
from adapters.simulation.auditor import Auditor
from adapters.simulation.facts import BillingRun
from adapters.simulation.faults import Faults
from adapters.simulation.firm import Firm, Plan
from adapters.simulation.message import Message
from adapters.simulation.stream import stream
from adapters.targets.circuit import Circuit
from adapters.targets.connector import Connector
from adapters.targets.target import TargetDown, TargetSilent
from domain.catalogue import DECIDERS, EVENTS, UPCASTS
from domain.processes.posting import Posting
from domain.processes.pricing import Pricing
from domain.processes.provisioning import Provisioning
from tests.simulation.connections import BEGINS, Books, Post, Program, Weather
from tests.simulation.finance import Finance
from tests.simulation.machine import Died, Machine
from tests.simulation.mishaps import Luck, Mishaps
from tests.simulation.read_model import ReadModel
from tests.simulation.target import StrictTarget

PROCESSES: Final = (
    Automated(Provisioning()),
    Automated(Pricing(), together=False, owner_role="finance_preparer"),
    Automated(Posting(), owner_role="finance_preparer"),
)
IDLE_SECONDS: Final = 0.4
ACK_WAIT_SECONDS: Final = (1.0, 5.0, 20.0)
BATCHES: Final = (3, 40, 400)
AWAY_SECONDS_MAX: Final = 4.0
REST_SECONDS: Final = 0.5
REST_SECONDS_MAX: Final = 3_600.0
BAD_EACH: Final = 60
"""One message in so many is followed by one that is wrong."""

EXPECTED: Final = (LogError, Contended, BrokerUnreachable, TargetDown, TargetSilent, Died)
"""What may go wrong in a program because something around it did."""

Main = Callable[[Program], Awaitable[None]]
Result = TypeVar("Result")


class NotSettled(Exception):
    """The ledger did not come to rest although nothing went wrong any more."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the programs are made of; a test of the simulation itself puts something broken in its place."""

    books: type[Books] = Books
    post: type[Post] = Post
    runner: type[Runner] = Runner
    relay: type[Relay] = Relay
    store: type[MemoryLedger] = MemoryLedger
    connector: type[Connector] = Connector


@dataclass(slots=True)
class World:
    """Everything in one run."""

    seed: int
    mishaps: Mishaps
    machine: Machine
    parts: Parts = field(default_factory=Parts)
    auditor: Auditor = field(default_factory=Auditor)
    told: list[Outgoing] = field(default_factory=list)
    kills: int = 0
    rng: Random = field(init=False)
    weather: Weather = field(init=False)
    store: MemoryLedger = field(init=False)
    broker: MemoryBroker = field(init=False)
    read_model: ReadModel = field(init=False)
    targets: tuple[StrictTarget, ...] = field(init=False)
    programs: dict[str, Program] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = Random(f"world/{self.seed}")
        self.weather = Weather(self.machine, self.mishaps, Luck(Random(f"luck/{self.seed}")))
        self.store = self.parts.store({}, DECIDERS, clock=self.weather.now)
        self.store.codec = _codec()
        self.broker = MemoryBroker(self.machine.time)
        self.read_model = ReadModel(self.store, Random(f"read model/{self.seed}"))
        self.targets = tuple(StrictTarget(name, self.weather) for name in ("psa", "erp"))

    @property
    def plan(self) -> Plan:
        """The firm of this run."""
        rng = Random(f"plan/{self.seed}")
        return Plan(seed=self.seed, consultants=rng.randint(1, 3), months=1, engagements=rng.randint(1, 3))

    # -- the run -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """The firm's whole story, and then rest."""
        await self.broker.ensure(IN, OUT)
        parts = [asyncio.create_task(self._keep(name, main)) for name, main in self._mains()]
        parts += [asyncio.create_task(each) for each in (self._kill_now_and_then(), self._go_away_now_and_then())]
        try:
            finance = Finance(Firm(self.plan), self.read_model, self.weather, self._books)
            for messages, run in _chapters(stream(Firm(self.plan), Faults(bad_each=BAD_EACH))):
                await self._tell(messages)
                if run is not None:
                    await self._rest()
                    self.weather.luck.is_calm = False
                    await finance.bill(run)
                    self.auditor.bill(run.cut_off)
            await self._rest()
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    def _mains(self) -> Iterator[tuple[str, Main]]:
        for number in range(self.rng.choice((1, 2))):
            yield f"ingest-{number}", self._ingest
        for number in range(self.rng.choice((1, 1, 2))):
            yield f"automate-{number}", self._automate
        for number in range(self.rng.choice((1, 1, 2))):
            yield f"relay-{number}", self._relay
        yield "connect", self._connect

    async def _keep(self, name: str, main: Main) -> None:
        """Run a program, and run it again when it was killed."""
        while True:
            program = self.programs[name] = Program(name)
            running = asyncio.ensure_future(main(program))
            death = asyncio.create_task(program.killed.wait())
            try:
                await asyncio.wait({running, death}, return_when=asyncio.FIRST_COMPLETED)
                if running.done() and program.is_alive:
                    self.machine.defects.append(f"{name} ended by itself: {running.exception()!r}")
            finally:
                program.killed.set()
                running.cancel()
                await asyncio.gather(running, death, return_exceptions=True)

    async def _kill_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(IDLE_SECONDS)
            for program in list(self.programs.values()):
                if program.is_alive and self.weather.luck.strikes(self.mishaps.kills * IDLE_SECONDS):
                    program.killed.set()
                    self.kills += 1

    async def _go_away_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self.rng.uniform(0.5, 10.0))
            back = self.machine.time() + self.rng.uniform(0.1, AWAY_SECONDS_MAX)
            if self.weather.luck.strikes(self.mishaps.database_away):
                self.weather.database_back_seconds = back
            for target in self.targets:
                if self.weather.luck.strikes(self.mishaps.target_away):
                    target.back_seconds = back

    # -- the programs ------------------------------------------------------------------------------------------------

    def _books(self, program: Program) -> Books:
        return self.parts.books(self.store, program, self.weather)

    def _post(self, program: Program) -> Post:
        return self.parts.post(self.broker, program, self.weather)

    async def _ingest(self, program: Program) -> None:
        inbox = Inbox(self._books(program), clock=self.weather.now, pause=self.machine.pause)
        plan = replace(CONSUMER, ack_wait_seconds=Random(self.seed).choice(ACK_WAIT_SECONDS))
        consumer = await self._post(program).consumer(plan)
        await Worker(inbox, consumer, batch_max=self.rng.choice(BATCHES)).run()

    async def _automate(self, program: Program) -> None:
        books = self._books(program)
        runners = [self.parts.runner(books, Pages(books, FACTS_MAX), run, self.read_model) for run in PROCESSES]
        await asyncio.gather(*(self._go_on(runner) for runner in runners))

    async def _go_on(self, runner: Runner) -> None:
        while True:
            try:
                step = await asyncio.to_thread(runner.step)
            except LogError:
                step = Step.IDLE
            if step in (Step.IDLE, Step.WAITING):
                await asyncio.sleep(IDLE_SECONDS)

    async def _relay(self, program: Program) -> None:
        await self.parts.relay(self._books(program), self._post(program)).work(_Mine(), threading.Event())

    async def _connect(self, program: Program) -> None:
        post, stop = self._post(program), threading.Event()
        connectors = [self.parts.connector(target, post, circuit=self._circuit) for target in self.targets]
        await asyncio.gather(*(connector.work(_Mine(), stop) for connector in connectors))

    def _circuit(self) -> Circuit:
        return Circuit(clock=self.machine.time)

    # -- the firm ----------------------------------------------------------------------------------------------------

    async def _tell(self, messages: Sequence[Message]) -> None:
        """Publish messages, some of them again; whoever publishes repeats what was not acknowledged."""
        for message in messages:
            if message.fact is not None:
                self.auditor.hear(message.fact)
        in_order = list(messages)
        if self.mishaps.out_of_order:
            # A proxy that spoils a message under the same id has heard the message before.
            in_order = self.weather.luck.shuffled(in_order)
            in_order.sort(key=lambda message: message.fault == "same id")
        gateway = self.parts.post(self.broker, Program("gateway"), self.weather)
        for message in in_order:
            told = Outgoing(message.subject, message.payload, message.headers, message.key)
            await self._publish(gateway, told)
            if self.weather.luck.strikes(self.mishaps.told_again):
                await self._publish(gateway, replace(told, message_id=f"{message.key}/again"))

    async def _publish(self, gateway: Post, message: Outgoing) -> None:
        self.told.append(message)
        while True:
            try:
                await gateway.publish(message)
            except BrokerUnreachable:
                await asyncio.sleep(IDLE_SECONDS)
            else:
                return

    # -- rest --------------------------------------------------------------------------------------------------------

    async def _rest(self) -> None:
        """Nothing goes wrong any more; wait until everything that was told has been decided, acted on and answered."""
        self.weather.luck.is_calm = True
        self.weather.database_back_seconds = 0.0
        deadline, before, quiet = self.machine.time() + REST_SECONDS_MAX, -1, 0
        while quiet < 2:
            await asyncio.sleep(REST_SECONDS)
            lacks = self._lacks()
            quiet = quiet + 1 if not lacks and before == self.store.head() else 0
            before = self.store.head()
            if self.machine.time() > deadline:
                raise NotSettled(f"it still waits for {lacks}")

    def _lacks(self) -> str:
        """What is not at rest."""
        for (place, name), consumer in self._consumers().items():
            if consumer.unread or consumer.unacknowledged:
                return f"{name} of {place}: {consumer.unread} unread, {consumer.unacknowledged} unacknowledged"
        head = self.store.head()
        for run in PROCESSES:
            if self.store.tracked(run.name) < head:
                return f"the process {run.name}"
        if rows := self.store.unrelayed(1):
            return f"the outbox: {rows[0].nats_msg_id}"
        things = {key: awaited(key) for key in self.store.waiting("", 10_000)}
        states = self.store.load(thing.stream for thing in things.values())
        arrived = [key for key, thing in things.items() if thing.is_here(states[thing.stream])]
        return f"what waits for {arrived[0]}" if arrived else ""

    def _consumers(self) -> dict[tuple[str, str], MemoryConsumer]:
        return self.broker._consumers


class _Mine:
    """The turn is ours, also when others think that it is theirs."""

    def is_mine(self) -> bool:
        return True


@cache
def _codec() -> Codec:
    return Codec(EVENTS, UPCASTS)


def _chapters(items: Iterable[Message | BillingRun]) -> Iterator[tuple[list[Message], BillingRun | None]]:
    """The messages up to each billing run, and those after the last one."""
    chapter: list[Message] = []
    for item in items:
        if isinstance(item, BillingRun):
            yield chapter, item
            chapter = []
        else:
            chapter.append(item)
    yield chapter, None


def simulated(seed: int, mishaps: Mishaps | None = None, parts: Parts | None = None) -> World:
    """A whole run; what it leaves behind is to be checked."""
    machine = Machine(seed)
    drawn = Mishaps.drawn(Random(f"mishaps/{seed}")) if mishaps is None else mishaps
    with _simulated_time(machine, seed):
        world = World(seed, drawn, machine, parts or Parts())
        try:
            machine.run_until_complete(world.run())
        finally:
            machine.close()
    return world


@contextmanager
def _simulated_time(machine: Machine, seed: int) -> Iterator[None]:
    """The product's own clocks and pauses are those of the machine."""
    state = random.getstate()
    random.seed(seed)
    structlog.configure(processors=[_listening(machine.defects)])
    with (
        patch.object(time, "monotonic", machine.time),
        patch.object(time, "sleep", machine.pause),
        patch("adapters.targets.connector.datetime", _calendar_of(machine)),
    ):
        try:
            yield
        finally:
            random.setstate(state)
            structlog.reset_defaults()


def _listening(defects: list[str]) -> Processor:
    """Nobody reads the logs of simulated programs, but what failed there for no reason of ours is a finding."""

    def listen(_logger: Any, _method: str, said: EventDict) -> str:
        if told := said.get("exc_info"):
            problem = told if isinstance(told, BaseException) else sys.exc_info()[1]
            defects.extend(f"{said['event']}: {each!r}" for each in _leaves(problem) if not isinstance(each, EXPECTED))
        raise structlog.DropEvent

    return listen


def _leaves(problem: BaseException | None) -> Iterator[BaseException]:
    if isinstance(problem, BaseExceptionGroup):
        for each in problem.exceptions:
            yield from _leaves(each)
    elif problem is not None:
        yield problem


def _calendar_of(machine: Machine) -> type[datetime]:
    class Simulated(datetime):
        @classmethod
        def now(cls, _zone: tzinfo | None = None) -> Self:
            today = BEGINS + timedelta(seconds=machine.time())
            return cls.combine(today.date(), today.timetz())

    return Simulated


__all__ = ["Died", "NotSettled", "Parts", "World", "simulated"]
