"""A target system that is not idempotent: asked twice it makes two documents, and it never forgets that it did."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson

from adapters.broker import Outgoing
from adapters.broker.memory import MemoryBroker
from adapters.targets.names import jira_project_key
from adapters.targets.target import Accepted, Answer, Done, OtherName, TargetDown, TargetSilent, Work
from tests.simulation.faults import Dice
from tests.simulation.machinery import SeededLoop
from tests.simulation.twins import Process

LATE_SECONDS_MAX = 2.0
FINAL_AFTER_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Made:
    """One document, and what asked for it."""

    key: str
    request: str
    number: int
    ready_at: float


@dataclass
class Outside:
    """One target system in the world outside, whatever becomes of our processes."""

    name: str
    loop: SeededLoop
    dice: Dice
    broker: MemoryBroker
    made: dict[str, list[Made]] = field(default_factory=dict)
    closed_until: float = 0.0

    def is_down(self) -> bool:
        return self.loop.now < self.closed_until or self.dice.falls("target down")

    def make(self, work: Work) -> Made:
        """The request has arrived."""
        ready_at = self.loop.now + (1.0 if self.dice.falls("answer slow") else 0.0)
        number = sum(map(len, self.made.values())) + 1
        made = Made(work.key, work.id, number, ready_at)
        self.made.setdefault(work.key, []).append(made)
        if work.type == "invoice.post.v1":
            self.loop.create_task(self._pay(orjson.loads(work.payload)))
        return made

    async def _pay(self, posted: dict[str, Any]) -> None:
        """The customer pays all at once, and the payment is told; it may be told twice."""
        await asyncio.sleep(0.5)
        body = {
            "id": f"payment/PAY-{posted['invoice']}",
            "invoice": posted["invoice"],
            "payment": f"PAY-{posted['invoice']}",
            "receivedOn": date(2026, 4, 20).isoformat(),
            "amount": posted["gross"],
            "reference": "",
            "at": "2026-04-20T08:00:00Z",
        }
        for _ in range(2 if self.dice.falls("published twice") else 1):
            await self.broker.publish(Outgoing(f"p2c.in.{self.name}.payment.received", orjson.dumps(body)))


class Reached:
    """The target as one process reaches it. What was sent arrives even when the sender dies."""

    repeats_are_safe = False
    final_after_seconds = FINAL_AFTER_SECONDS

    def __init__(self, outside: Outside, process: Process) -> None:
        self.name = outside.name
        self._outside = outside
        self._process = process

    async def create(self, work: Work) -> Answer:
        outside, dice = self._outside, self._process.dice
        await self._process.instant()
        if outside.is_down():
            raise TargetDown("closed")
        if dice.falls("request lost"):
            await asyncio.sleep(1.0)
            raise TargetSilent("no answer")
        if dice.falls("request late"):
            outside.loop.call_later(dice.random.uniform(0.1, LATE_SECONDS_MAX), outside.make, work)
            await asyncio.sleep(1.0)
            raise TargetSilent("no answer")
        made = outside.make(work)
        await self._process.instant()
        if dice.falls("reply lost"):
            await asyncio.sleep(1.0)
            raise TargetSilent("no answer")
        return self._shown(made)

    async def find(self, work: Work) -> Answer | None:
        await self._process.instant()
        if self._outside.is_down():
            raise TargetDown("closed")
        found = self._outside.made.get(work.key)
        await self._process.instant()
        return self._shown(found[0]) if found else None

    def _shown(self, made: Made) -> Answer:
        if self._outside.loop.now < made.ready_at:
            return Accepted()
        names: tuple[OtherName, ...] = ()
        kind, _, name = made.key.partition(":")
        if self.name == "psa" and kind == "project":
            names = (OtherName("jira", "project", jira_project_key(name)),)
        return Done(f"{self.name.upper()}-{made.number:06d}", names)
