"""What has to leave reaches the broker in its order, and once, whatever fails on the way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.broker import OUT, Broker, BrokerRefused, BrokerUnreachable, ConsumerPlan, Delivery, Outgoing, Published
from adapters.broker.jetstream import NatsBroker
from adapters.broker.memory import MemoryBroker
from adapters.eventstore.base import BaseLedger
from adapters.eventstore.ledger import Ledger
from adapters.eventstore.memory import MemoryLedger
from adapters.outbox.messages import outgoing
from adapters.outbox.relay import Relay
from adapters.turns import turn_of
from domain.catalogue import DECIDERS, EVENTS
from domain.engagement import OpenEngagement
from domain.kernel import Addressed, stream_of
from domain.project import CreateProject, RequestSetUp
from tests.waiting import until
from tests.world import ENGAGEMENT, NEW_YEAR, cause


@pytest.fixture(params=["memory", "postgres"])
def ledger(request: pytest.FixtureRequest) -> Iterator[BaseLedger]:
    kept: BaseLedger
    if request.param == "memory":
        kept = MemoryLedger(EVENTS, DECIDERS, outgoing=outgoing)
    else:
        kept = Ledger(request.getfixturevalue("database_url"), EVENTS, DECIDERS, pool_size=3, outgoing=outgoing)
    with kept:
        yield kept


def ask_for(ledger: BaseLedger, *projects: str, targets: tuple[str, ...] = ("psa", "erp")) -> None:
    """Projects that the targets have to set up."""
    for project in projects:
        stream = stream_of("project", project)
        create = CreateProject(project, "E-1", "Work", "L1", "DE01", NEW_YEAR, targets=targets)
        wishes = [Addressed(ENGAGEMENT, OpenEngagement("E-1", "Data platform", "C-1", "DE01", "EUR"))]
        wishes += [Addressed(stream, create), *(Addressed(stream, RequestSetUp(target)) for target in targets)]
        ledger.execute(wishes, cause())


class Faulty:
    """A broker that does what it is told to do wrong, and keeps what it was given."""

    def __init__(self, inner: Broker) -> None:
        self._inner = inner
        self.unanswered: set[str] = set()
        self.refused: set[str] = set()
        self.asked: list[str] = []

    async def publish(self, message: Outgoing) -> Published:
        assert message.message_id is not None
        self.asked.append(message.message_id)
        if message.message_id in self.refused:
            raise BrokerRefused(message.message_id)
        published = await self._inner.publish(message)
        if message.message_id in self.unanswered:
            self.unanswered.remove(message.message_id)
            raise BrokerUnreachable("the acknowledgement was lost")
        return published

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@asynccontextmanager
async def memory_broker() -> AsyncIterator[Faulty]:
    broker = MemoryBroker()
    await broker.ensure(OUT)
    yield Faulty(broker)


async def arrived(broker: Any, target: str) -> list[Delivery]:
    """All that is there for a target: one fetch may bring a part of it."""
    consumer = await broker.consumer(ConsumerPlan("P2C_OUT", f"test-{target}", (f"p2c.out.{target}.>",)))
    found: list[Delivery] = []
    while more := await consumer.fetch(100, 0.2):
        found += more
    return found


def killed(_ids: object) -> int:
    raise ConnectionError("killed")


def ids(deliveries: list[Delivery]) -> list[str]:
    return [delivery.headers["Nats-Msg-Id"] for delivery in deliveries]


def test_rows_reach_the_broker_in_order_per_target_and_only_once(ledger: BaseLedger) -> None:
    async def scene() -> None:
        async with memory_broker() as broker:
            ask_for(ledger, "P-1", "P-2", "P-3")
            assert await Relay(ledger, broker).relay_waiting() == 6
            assert await Relay(ledger, broker).relay_waiting() == 0
            assert ids(await arrived(broker, "psa")) == [f"project:P-{n}@2" for n in (1, 2, 3)]
            assert ids(await arrived(broker, "erp")) == [f"project:P-{n}@3" for n in (1, 2, 3)]
            assert ledger.unrelayed(1) == []

    asyncio.run(scene())


def test_what_the_broker_gets_is_what_was_recorded(ledger: BaseLedger) -> None:
    async def scene() -> None:
        async with memory_broker() as broker:
            ask_for(ledger, "P-1")
            [row] = ledger.unrelayed(10, target="psa")
            await Relay(ledger, broker).relay_waiting()
            [delivery] = await arrived(broker, "psa")
            assert (delivery.subject, delivery.payload) == (row.subject, row.payload)
            assert delivery.headers == {**row.headers, "Nats-Msg-Id": row.nats_msg_id}

    asyncio.run(scene())


def test_when_an_acknowledgement_is_lost_the_same_id_is_published_again_and_the_order_stays(ledger: BaseLedger) -> None:
    async def scene() -> None:
        async with memory_broker() as broker:
            ask_for(ledger, "P-1", "P-2", "P-3", targets=("erp",))
            broker.unanswered = {"project:P-2@2"}
            with pytest.raises(BrokerUnreachable):
                await Relay(ledger, broker).relay_waiting()
            assert [row.nats_msg_id for row in ledger.unrelayed(10)] == ["project:P-2@2", "project:P-3@2"]
            assert await Relay(ledger, broker).relay_waiting() == 2
            assert broker.asked.count("project:P-2@2") == 2
            assert ids(await arrived(broker, "erp")) == [f"project:P-{n}@2" for n in (1, 2, 3)]

    asyncio.run(scene())


def test_after_a_crash_between_publishing_and_marking_nothing_arrives_twice(
    ledger: BaseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        async with memory_broker() as broker:
            ask_for(ledger, "P-1", "P-2", targets=("erp",))
            with monkeypatch.context() as crash:
                crash.setattr(ledger, "mark_relayed", killed)
                with pytest.raises(ConnectionError):
                    await Relay(ledger, broker).relay_waiting()
            assert len(ledger.unrelayed(10)) == 2
            await Relay(ledger, broker).relay_waiting()
            assert ids(await arrived(broker, "erp")) == ["project:P-1@2", "project:P-2@2"]
            assert ledger.unrelayed(10) == []

    asyncio.run(scene())


def test_a_message_that_the_broker_refuses_holds_up_its_own_target_alone(ledger: BaseLedger) -> None:
    async def scene() -> None:
        async with memory_broker() as broker:
            ask_for(ledger, "P-1", "P-2")
            broker.refused = {"project:P-1@2"}
            assert await Relay(ledger, broker).relay_waiting() == 2
            assert ids(await arrived(broker, "psa")) == []
            assert ids(await arrived(broker, "erp")) == ["project:P-1@3", "project:P-2@3"]
            broker.refused = set()
            await Relay(ledger, broker).relay_waiting()
            assert ids(await arrived(broker, "psa")) == ["project:P-1@2", "project:P-2@2"]

    asyncio.run(scene())


def test_two_relays_on_real_servers_take_turns_and_everything_arrives_once(database_url: str, nats_url: str) -> None:
    """One relay stops half-way; the other, which had been waiting for its turn, goes on."""

    async def relay(ledger: Ledger, stop: threading.Event) -> None:
        with turn_of(database_url, "relay") as turn:
            async with NatsBroker(nats_url, name="test-relay") as broker:
                await Relay(ledger, broker, rows_per_batch=5).work(turn, stop)

    async def scene(ledger: Ledger) -> None:
        async with NatsBroker(nats_url, name="test") as broker:
            await broker.ensure(OUT)
            stops = [threading.Event(), threading.Event()]
            relays = [asyncio.create_task(relay(ledger, stop)) for stop in stops]
            await asyncio.to_thread(ask_for, ledger, *(f"P-{n}" for n in range(10)))
            await asyncio.sleep(0.3)
            stops[0].set()
            await relays[0]
            await asyncio.to_thread(ask_for, ledger, *(f"P-{n}" for n in range(10, 20)))
            await until(lambda: not ledger.unrelayed(1))
            stops[1].set()
            await relays[1]
            assert ids(await arrived(broker, "psa")) == [f"project:P-{n}@2" for n in range(20)]
            assert ids(await arrived(broker, "erp")) == [f"project:P-{n}@3" for n in range(20)]

    with Ledger(database_url, EVENTS, DECIDERS, pool_size=4, outgoing=outgoing) as ledger:
        asyncio.run(scene(ledger))
