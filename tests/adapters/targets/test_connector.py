"""Work reaches its target once and in order, and the ledger learns what became of it, whatever the target does."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from adapters.broker import IN, OUT, BrokerUnreachable, ConsumerPlan, Delivery, Outgoing, Published
from adapters.broker.memory import MemoryBroker, MemoryConsumer
from adapters.targets.circuit import Circuit
from adapters.targets.connector import Connector
from adapters.targets.names import jira_project_key
from adapters.targets.reports import Doubt, report
from adapters.targets.simulated.client import answer_of
from adapters.targets.simulated.fake import ERP, PSA, Kind, SimulatedTarget
from adapters.targets.simulated.store import MemoryStore
from adapters.targets.target import Answer, TargetDown, TargetSilent, Work
from tests.adapters.targets.orders import invoice, project, published
from tests.waiting import until


class MyTurn:
    def is_mine(self) -> bool:
        return True


class Target:
    """A simulated target without a network, which counts what it is asked."""

    def __init__(self, kind: Kind, broker: MemoryBroker) -> None:
        self.name = kind.name
        self.repeats_are_safe = True
        self.final_after_seconds = 0.3
        self.fake = SimulatedTarget(kind, MemoryStore(), broker.publish)
        self.created: list[str] = []
        self.looked_up: list[str] = []
        self.deaf_to: set[str] = set()
        self.dies_after: set[str] = set()

    async def create(self, work: Work) -> Answer:
        self.created.append(work.key)
        if work.key in self.deaf_to:
            self.deaf_to.remove(work.key)
            raise TargetSilent("the request was lost on its way")
        reply = await self.fake.create(work.id, work.type, work.key, work.payload)
        if work.key in self.dies_after:
            await asyncio.sleep(60)
        if reply is None:
            raise TargetSilent("no answer in time")
        answer = answer_of(reply)
        assert answer is not None
        return answer

    async def find(self, work: Work) -> Answer | None:
        self.looked_up.append(work.key)
        return answer_of(await self.fake.find(work.key))

    async def documents(self) -> list[str]:
        return [document.key for document in await self.fake.documents()]


class Scene:
    """A broker, a target, and a connector that carries work from the one to the other."""

    def __init__(self, kind: Kind) -> None:
        self.broker = MemoryBroker()
        self.target = Target(kind, self.broker)
        self._reports: MemoryConsumer | None = None
        self._heard: list[Delivery] = []

    async def send(self, *works: Work) -> None:
        for work in works:
            await self.broker.publish(published(self.target.name, work))

    @asynccontextmanager
    async def connected(self, ack_wait_seconds: float = 15.0) -> AsyncIterator[Connector]:
        stop = threading.Event()
        quick = partial(Circuit, failures_max=2, pause_seconds_min=0.05, pause_seconds_max=0.1)
        connector = Connector(self.target, self.broker, circuit=quick, ack_wait_seconds=ack_wait_seconds)
        working = asyncio.create_task(connector.work(MyTurn(), stop))
        try:
            yield connector
        finally:
            stop.set()
            await working

    async def reports(self) -> list[tuple[str, dict[str, Any]]]:
        """What the ledger was told so far: the end of each subject, and the message."""
        if self._reports is None:
            self._reports = await self.broker.consumer(ConsumerPlan("P2C_IN", "test"))
        self._heard += await self._reports.fetch(100, 0)
        return [
            (each.subject.removeprefix(f"p2c.in.{self.target.name}."), json.loads(each.payload)) for each in self._heard
        ]

    async def heard(self, *verbs: str) -> None:
        """Waits until exactly these reports were made, in this order."""

        async def enough() -> bool:
            return len(await self.reports()) >= len(verbs)

        await until(enough)
        assert [verb for verb, _ in await self.reports()] == list(verbs)

    async def at_rest(self) -> None:
        """Waits until no work is in anybody's hands."""
        consumer = await self.broker.consumer(ConsumerPlan("P2C_OUT", f"connect-{self.target.name}"))
        await until(lambda: consumer.unacknowledged == 0)


def play(scene: Callable[[Scene], Awaitable[None]], kind: Kind = ERP) -> None:
    async def run() -> None:
        stage = Scene(kind)
        await stage.broker.ensure(IN, OUT)
        await scene(stage)

    asyncio.run(run())


def test_an_invoice_is_posted_and_the_ledger_learns_the_erps_own_document_id() -> None:
    async def scene(erp: Scene) -> None:
        await erp.send(invoice("I-1"))
        async with erp.connected():
            await erp.heard("invoice.posted")
            [(_, told)] = await erp.reports()
            assert told["invoice"] == "I-1"
            assert told["externalId"] == "ERP-000002"
            await erp.at_rest()

    play(scene)


def test_the_psa_confirms_a_project_with_its_own_id_and_the_jira_project_that_belongs_to_it() -> None:
    async def scene(psa: Scene) -> None:
        await psa.send(project("P-1"))
        async with psa.connected():
            await psa.heard("project.confirmed")
            [(_, told)] = await psa.reports()
            assert told["project"] == "P-1"
            assert told["externalId"] == "PSA-000001"
            assert told["identifiers"] == [{"system": "jira", "object": "project", "id": jira_project_key("P-1")}]

    play(scene, PSA)


def test_while_the_target_is_down_its_work_waits_in_order_and_all_of_it_is_done_afterwards() -> None:
    async def scene(erp: Scene) -> None:
        await erp.target.fake.behave(outage_from=datetime.now(UTC))
        names = [f"I-{number}" for number in range(20)]
        async with erp.connected(ack_wait_seconds=0.2) as connector:
            await erp.send(*map(invoice, names))
            await until(lambda: connector.circuit.value == "open")
            await asyncio.sleep(0.5)
            assert await erp.reports() == []
            assert set(erp.target.created) == {"invoice:I-0"}
            assert len(erp.target.created) < 12
            await erp.target.fake.behave(outage_from=None)
            await erp.heard(*["invoice.posted"] * 20)
            assert await erp.target.documents() == [f"invoice:{name}" for name in names]
            await erp.at_rest()

    play(scene)


def test_a_timeout_after_success_is_in_doubt_then_looked_up_and_never_sent_again() -> None:
    async def scene(erp: Scene) -> None:
        await erp.target.fake.behave(lose_replies=1)
        await erp.send(invoice("I-1"))
        async with erp.connected():
            await erp.heard("invoice.in_doubt", "invoice.posted")
            assert (await erp.reports())[0][1]["reason"] == "no answer in time"
            assert erp.target.created == ["invoice:I-1"]
            assert await erp.target.documents() == ["invoice:I-1"]
            await erp.at_rest()

    play(scene)


def test_what_is_in_doubt_holds_up_nothing_else() -> None:
    async def scene(erp: Scene) -> None:
        erp.target.final_after_seconds = 60
        erp.target.deaf_to = {"invoice:I-1"}
        await erp.send(invoice("I-1"), invoice("I-2"), invoice("I-3"))
        async with erp.connected():
            await erp.heard("invoice.in_doubt", "invoice.posted", "invoice.posted")
            assert await erp.target.documents() == ["invoice:I-2", "invoice:I-3"]

    play(scene)


def test_a_request_that_provably_never_arrived_is_made_once_more() -> None:
    async def scene(erp: Scene) -> None:
        erp.target.deaf_to = {"invoice:I-1"}
        await erp.send(invoice("I-1"))
        async with erp.connected():
            await erp.heard("invoice.in_doubt", "invoice.posted")
            assert erp.target.created == ["invoice:I-1"] * 2
            assert await erp.target.documents() == ["invoice:I-1"]

    play(scene)


def test_a_slow_target_is_sent_first_and_confirmed_when_it_has_done_its_work() -> None:
    async def scene(psa: Scene) -> None:
        await psa.target.fake.behave(slow_seconds=0.3)
        await psa.send(project("P-1"), project("P-2"))
        async with psa.connected():
            await psa.heard("project.sent", "project.sent", "project.confirmed", "project.confirmed")
            assert psa.target.created == ["project:P-1", "project:P-2"]

    play(scene, PSA)


def test_work_that_takes_long_stays_in_hand_and_is_not_delivered_again() -> None:
    async def scene(psa: Scene) -> None:
        await psa.target.fake.behave(slow_seconds=0.8)
        await psa.send(project("P-1"))
        async with psa.connected(ack_wait_seconds=0.15):
            await psa.heard("project.sent", "project.confirmed")
            await psa.at_rest()
            await asyncio.sleep(0.2)
            assert len(await psa.reports()) == 2

    play(scene, PSA)


def test_a_refusal_is_reported_with_its_reason_and_a_later_request_works() -> None:
    async def scene(erp: Scene) -> None:
        rule = {"field": "buyer.id", "equals": "C-1", "reason": "C-1 is not in the ERP"}
        await erp.target.fake.behave(refuse=[rule])
        await erp.send(invoice("I-1"))
        async with erp.connected():
            await erp.heard("invoice.rejected")
            assert (await erp.reports())[0][1]["reason"] == "C-1 is not in the ERP"
            await erp.target.fake.behave(refuse=[])
            await erp.send(invoice("I-1", request=6))
            await erp.heard("invoice.rejected", "invoice.posted")
            assert await erp.target.documents() == ["invoice:I-1"]

    play(scene)


def test_a_connector_that_dies_after_the_target_has_acted_looks_up_before_it_does_anything() -> None:
    async def scene(erp: Scene) -> None:
        erp.target.dies_after = {"invoice:I-1"}
        await erp.send(invoice("I-1"))
        async with erp.connected():
            await until(erp.target.documents)
        assert await erp.reports() == []
        async with erp.connected():
            await erp.heard("invoice.posted")
        assert erp.target.created == ["invoice:I-1"]
        assert await erp.target.documents() == ["invoice:I-1"]

    play(scene)


def test_where_a_repetition_would_double_work_that_comes_again_is_looked_up_until_that_proves_something() -> None:
    async def scene(erp: Scene) -> None:
        erp.target.repeats_are_safe = False
        await erp.send(invoice("I-1"))
        consumer = await erp.broker.consumer(ConsumerPlan("P2C_OUT", "connect-erp", ("p2c.out.erp.>",)))
        [delivery] = await consumer.fetch(1, 0)
        await consumer.nak(delivery, 0)
        async with erp.connected():
            await erp.heard("invoice.in_doubt", "invoice.posted")
            assert len(erp.target.looked_up) > 1
            assert erp.target.created == ["invoice:I-1"]

    play(scene)


def test_work_of_a_later_version_is_left_alone_and_the_rest_goes_on() -> None:
    async def scene(erp: Scene) -> None:
        later = invoice("I-1")
        await erp.send(Work(later.id, "invoice.post.v2", later.key, later.payload), invoice("I-2"))
        async with erp.connected():
            await erp.heard("invoice.posted")
            assert await erp.target.documents() == ["invoice:I-2"]
            consumer = await erp.broker.consumer(ConsumerPlan("P2C_OUT", "connect-erp"))
            await until(lambda: consumer.unacknowledged == 1)
            assert consumer.terminated == {}

    play(scene)


def test_a_defect_loses_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(erp: Scene) -> None:
        find, failures = erp.target.fake.create, iter([KeyError("a defect"), OSError("another")])

        async def fails_twice(*arguments: Any) -> Any:
            if problem := next(failures, None):
                raise problem
            return await find(*arguments)

        monkeypatch.setattr(erp.target.fake, "create", fails_twice)
        await erp.send(invoice("I-1"))
        async with erp.connected():
            await erp.heard("invoice.posted")

    play(scene)


def test_work_is_put_down_only_when_its_outcome_has_been_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(erp: Scene) -> None:
        publish, failures = erp.broker.publish, iter([BrokerUnreachable("no acknowledgement")] * 2)

        async def fails_twice(message: Outgoing) -> Published:
            if message.subject.startswith("p2c.in.") and (problem := next(failures, None)):
                raise problem
            return await publish(message)

        monkeypatch.setattr(erp.broker, "publish", fails_twice)
        await erp.send(invoice("I-1"))
        async with erp.connected():
            await erp.heard("invoice.posted")
            assert erp.target.created == ["invoice:I-1"]

    play(scene)


def test_the_same_outcome_is_the_same_message_and_another_one_is_another() -> None:
    now = datetime(2026, 4, 1, tzinfo=UTC)
    first = report("erp", invoice("I-1"), Doubt("no answer"), now)
    assert report("erp", invoice("I-1"), Doubt("no answer"), now) == first
    others = [
        report("erp", invoice("I-1"), Doubt("no answer"), now + timedelta(seconds=1)),
        report("erp", invoice("I-1", request=9), Doubt("no answer"), now),
        report("psa", invoice("I-1"), Doubt("no answer"), now),
    ]
    assert len({first.message_id, *(other.message_id for other in others)}) == 4
    assert json.loads(first.payload)["id"] == (first.message_id or "").removeprefix("erp:")


def test_a_target_that_says_it_is_closed_has_certainly_done_nothing() -> None:
    with pytest.raises(TargetDown, match="closed for maintenance"):
        answer_of({"status": "down", "reason": "closed for maintenance"})
    assert answer_of({"status": "unknown"}) is None
