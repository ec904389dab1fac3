"""One run: the real parts of the ledger as processes that die and start again, in a world that a seed has made.

Messages come in, everything settles; then two people bill the same engagements at the same time, and it settles again.
"""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from random import Random
from typing import Any

import structlog

from adapters.automation.runner import Runner
from adapters.automation.service import Automation
from adapters.broker import IN, OUT, BrokerUnreachable, Outgoing
from adapters.eventstore.codec import Codec
from adapters.eventstore.errors import LogError
from adapters.eventstore.memory import MemoryLedger
from adapters.inbox.inbox import Inbox
from adapters.inbox.waiting import awaited
from adapters.inbox.worker import CONSUMER, Worker
from adapters.outbox.messages import outgoing
from adapters.outbox.relay import Relay
from adapters.targets.circuit import Circuit
from adapters.targets.connector import Connector
from api.access import Principal, Role
from api.roles.automate import PROCESSES
from api.services.catalogue import SERVICES
from api.services.desk import Desk, ReadModelsBehind
from domain.catalogue import DECIDERS, EVENTS
from domain.kernel import Refused
from tests.api.services.desk import APPROVER, person
from tests.simulation.faults import Dice
from tests.simulation.machinery import Killed, SeededLoop, pause, seeded
from tests.simulation.messages import SmallWorld, in_some_order
from tests.simulation.reading import Asked, ReadModels, project
from tests.simulation.target import Outside, Reached
from tests.simulation.twins import Connected, Database, Post, Process, Stop, Turns, Wire

FAULT_SECONDS = 4.0
"""How long things go wrong; then all must settle."""

HOURS = 6 * 3600.0
"""How far a clock may be wrong, before or after."""

SETTLED_SECONDS_MAX = 60.0
ACK_WAIT_SECONDS = 2.0
LOOK_SECONDS = 0.25
CUT_OFF = date(2026, 3, 31)
ISSUED_ON = date(2026, 4, 1)


class _Remembering(Codec):
    """What is stored never changes, so the same bytes are decoded once, in all runs."""

    def __init__(self) -> None:
        super().__init__(EVENTS)
        self._known: dict[tuple[str, bytes], Any] = {}

    def decode(self, name: str, stored: bytes) -> Any:
        if (name, stored) not in self._known:
            self._known[name, stored] = super().decode(name, stored)
        return self._known[name, stored]


_LEDGER = MemoryLedger({}, DECIDERS)
_LEDGER.codec = _Remembering()
"""What does not change between runs is made once."""


class NotSettled(Exception):
    """Everything that went wrong is over, and still something waits."""


@dataclass
class Parts:
    """What the processes are made of; a planted fault puts something else in a place."""

    database: type[Database] = Database
    connected: type[Connected] = Connected
    worker: type[Worker] = Worker
    relay: type[Relay] = Relay
    connector: type[Connector] = Connector
    read_models: type[ReadModels] = ReadModels
    desk: type[Desk] = Desk


@dataclass
class Run:
    """Everything that there is in one run, and what has become of it.

    ``promised``: the events that an answer of the service desk named as recorded, by the key of the request.
    """

    seed: int
    world: SmallWorld
    loop: SeededLoop
    dice: Dice
    parts: Parts
    database: Database = field(init=False)
    broker: Post = field(init=False)
    models: ReadModels = field(init=False)
    targets: dict[str, Outside] = field(init=False)
    turns: Turns = field(default_factory=Turns)
    processes: dict[str, Process] = field(default_factory=dict)
    runners: dict[str, Runner] = field(default_factory=dict)
    invoices: list[str] = field(default_factory=list)
    promised: dict[str, tuple[str, ...]] = field(default_factory=dict)
    is_over: bool = False

    def __post_init__(self) -> None:
        self.database = self.parts.database(self.loop, _LEDGER, outgoing=outgoing)
        self.broker = Post(self.database)
        self.database.publish = self.broker.publish
        self.models = self.parts.read_models()
        self.targets = {name: Outside(name, self.loop, self.dice, self.broker) for name in ("psa", "erp")}

    # -- processes ---------------------------------------------------------------------------------------------------

    async def keep(self, name: str, main: Callable[[Process], Awaitable[None]]) -> None:
        """Starts a process, and again whenever it is dead."""
        while not self.is_over:
            process = self.processes[name] = Process(name, self.loop, self.dice)
            task = asyncio.ensure_future(main(process))
            dying = asyncio.ensure_future(process.died.wait())
            await asyncio.wait({task, dying}, return_when=asyncio.FIRST_COMPLETED)
            process.die()
            dying.cancel()
            task.cancel()
            with suppress(BaseException):
                await task
            await asyncio.sleep(self.loop.random.uniform(0.05, 0.5))

    def ledger(self, process: Process) -> Connected:
        return self.parts.connected(self.database, process)

    async def ingest(self, process: Process) -> None:
        wire = Wire(self.broker, process)
        consumer = await wire.consumer(replace(CONSUMER, ack_wait_seconds=ACK_WAIT_SECONDS))
        inbox = Inbox(self.ledger(process), clock=process.now, pause=pause)
        await self.parts.worker(inbox, consumer, stop=Stop(process)).run()

    async def automate(self, which: int, process: Process) -> None:
        turns = self.turns
        asked = Asked(self.models, process)
        automation = Automation(self.ledger(process), [PROCESSES[which]], asked, lambda name: turns.turn(process, name))
        (runner,) = automation._runners
        self.runners[process.name] = runner
        await asyncio.to_thread(automation._keep_running, runner, Stop(process))

    async def follow(self, process: Process) -> None:
        with self.turns.turn(process, "project") as turn:
            await asyncio.to_thread(project, self.ledger(process), self.models, turn, process)

    async def relay(self, process: Process) -> None:
        with self.turns.turn(process, "relay") as turn:
            await self.parts.relay(self.ledger(process), Wire(self.broker, process)).work(turn, Stop(process))

    async def connect(self, name: str, process: Process) -> None:
        connector = self.parts.connector(
            Reached(self.targets[name], process),
            Wire(self.broker, process),
            circuit=lambda: Circuit(clock=self.loop.time),
            ack_wait_seconds=ACK_WAIT_SECONDS,
            clock=process.now,
        )
        with self.turns.turn(process, f"connect-{name}") as turn:
            await connector.work(turn, Stop(process))

    def start(self) -> None:
        """One of each, or two."""
        self._start("ingest", self.ingest)
        self._start("project", self.follow)
        self._start("relay", self.relay)
        for name in self.targets:
            self._start(f"connect-{name}", partial(self.connect, name))
        for which, automated in enumerate(PROCESSES):
            self._start(automated.name, partial(self.automate, which))

    def _start(self, name: str, main: Callable[[Process], Awaitable[None]]) -> None:
        for number in range(self.loop.random.choice((1, 1, 2))):
            self.loop.create_task(self.keep(f"{name}-{number}", main))

    async def harm(self) -> None:
        """Kills processes, takes turns away, closes the database and the targets, at times of the seed."""
        dice = self.dice
        while True:
            await asyncio.sleep(dice.random.expovariate(1 / 0.25))
            if not dice.is_on:
                return
            what = dice.random.choice(
                ("process killed", "process killed", "turn lost", "database outage", "target outage", "clock jumped")
            )
            dice.happened[what] += 1
            if what == "process killed":
                dice.random.choice(list(self.processes.values())).die()
            elif what == "turn lost" and self.turns.held:
                self.turns.held.pop(dice.random.choice(list(self.turns.held)))
            elif what == "database outage":
                self.database.away_until = self.loop.now + dice.random.uniform(0.1, 1.5)
            elif what == "clock jumped":
                self.loop.wrong_by[dice.random.choice(("programs", "database"))] = dice.random.uniform(-HOURS, HOURS)
            else:
                target = dice.random.choice(list(self.targets.values()))
                target.closed_until = self.loop.now + dice.random.uniform(0.5, 4.0)

    # -- the world ---------------------------------------------------------------------------------------------------

    async def publish(self) -> None:
        """The source systems tell what they know; gateways repeat what was not acknowledged, or out of habit."""
        dice = self.dice
        wire = Wire(self.broker, Process("sources", self.loop, dice))
        again: list[Outgoing] = []
        for number, told in enumerate(in_some_order(self.world, dice.random)):
            letter = told.letter
            message = Outgoing(letter.subject, letter.payload, letter.headers, f"m-{number}")
            await self._surely(wire, message)
            if dice.falls("published again"):
                await self._surely(wire, message)
            if dice.falls("published twice"):
                again.append(replace(message, message_id=f"m-{number}-again"))
            if dice.is_on and dice.random.random() < 0.3:
                await asyncio.sleep(dice.random.expovariate(1 / 0.15))
                while again:
                    await self._surely(wire, again.pop())
        for message in again:
            await self._surely(wire, message)

    async def _surely(self, wire: Wire, message: Outgoing) -> None:
        while True:
            with suppress(BrokerUnreachable):
                await wire.publish(message)
                return

    async def bill(self, name: str) -> None:
        """Somebody of finance bills every engagement, and asks again, under the same key, until there is an answer."""
        for deal in self.world.caps:
            engagement, invoice = f"E-{deal}", f"{name}-{deal}"
            asked = {"engagement": engagement, "cut_off": CUT_OFF, "invoice": invoice}
            if not await self._ask("request-invoice", person(Role.FINANCE_PREPARER, subject=name), **asked):
                continue
            self.invoices.append(invoice)
            await self._ask("approve-invoice", APPROVER, invoice=invoice, approved_on=ISSUED_ON)
            await self._ask("issue-invoice", APPROVER, invoice=invoice, issued_on=ISSUED_ON)

    async def _ask(self, service: str, who: Principal, **fields: Any) -> bool:
        """Whether a service did it, rather than refuse."""
        found = SERVICES[service]
        while True:
            process = Process("serve", self.loop, self.dice)
            self.processes[f"serve-{who.subject}"] = process
            asked = Asked(self.models, process)
            desk = self.parts.desk(self.ledger(process), asked, asked, clock=process.now, wait_seconds_max=2.0)
            desk._random = self.dice.random
            key = f"{service}/{fields['invoice']}"
            try:
                answer = await asyncio.to_thread(desk.run, found, found.input(**fields), who, key)
            except ReadModelsBehind:
                pass
            except Refused:
                return False
            except (LogError, Killed):
                await asyncio.sleep(0.3)
            else:
                self.promised[f"service/{who.subject}/{key}"] = tuple(event.id for event in answer.events)
                return True

    # -- until nothing moves any more --------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Waits until everybody has done what there is to do; raises NotSettled when that does not come."""
        deadline, calm = self.loop.now + SETTLED_SECONDS_MAX, 0
        while calm < 2:
            await asyncio.sleep(LOOK_SECONDS)
            calm = calm + 1 if not self.waiting() else 0
            if self.loop.now > deadline:
                raise NotSettled("; ".join(self.waiting()))

    def waiting(self) -> list[str]:
        """What is not done yet."""
        head = self.database.head()
        found = [
            f"{key}: {consumer.unread} unread, {consumer.unacknowledged} in hand"
            for key, consumer in self.broker._consumers.items()
            if consumer.unread or consumer.unacknowledged
        ]
        found += [] if len(self.broker._consumers) == 3 else ["nobody reads"]
        things = [awaited(name) for name in self.database.waiting()]
        states = self.database.load(thing.stream for thing in things)
        found += [f"{thing.key} is here" for thing in things if thing.is_here(states[thing.stream])]
        if left := self.database.unrelayed(10):
            found.append(f"{len(left)} not relayed")
        if self.models.position < head:
            found.append(f"read models at {self.models.position} of {head}")
        for automated in PROCESSES:
            reached = [r._position or 0 for r in self.runners.values() if r.run.name == automated.name]
            if max(reached, default=0) < head:
                found.append(f"{automated.name} at {reached} of {head}")
        return found

    async def live(self) -> None:
        """The whole story."""
        await self.broker.ensure(replace(IN, duplicate_window_seconds=0.5), OUT)
        self.start()
        harm = self.loop.create_task(self.harm())
        await self.publish()
        await asyncio.sleep(max(0.0, FAULT_SECONDS / 2 - self.loop.now) if self.dice.is_on else 0.0)
        was_on, self.dice.is_on = self.dice.is_on, False
        await self.settle()
        self.dice.is_on = was_on
        if was_on:
            harm = self.loop.create_task(self.harm())
        await asyncio.gather(self.bill("paul"), self.bill("petra"))
        await asyncio.sleep(FAULT_SECONDS / 8 if was_on else 0.0)
        self.dice.stop()
        await self.settle()
        harm.cancel()
        self.is_over = True


def simulate(seed: int, world: SmallWorld, *, with_faults: bool = True, parts: Parts | None = None) -> Run:
    """Lives through one run, and returns what there is at its end."""
    state = random.getstate()
    random.seed(seed)
    gc.disable()  # looking for circles all the time takes a third of it
    try:
        with seeded(seed) as loop, structlog.testing.capture_logs():
            dice = Dice(Random(f"{seed}/faults"), is_on=with_faults)
            made = Run(seed, world, loop, dice, parts or Parts())
            loop.run_until_complete(made.live())
            return made
    finally:
        gc.enable()
        random.setstate(state)
