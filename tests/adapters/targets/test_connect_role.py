"""The connectors and the simulated targets as they run: on NATS and PostgreSQL, in one part of the ledger."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest

from adapters.broker import IN, OUT, Consumer, ConsumerPlan
from adapters.broker.jetstream import NatsBroker
from adapters.settings import Settings
from adapters.targets.control import Control, ControlRefused
from adapters.targets.target import Work
from api.roles import connect
from tests.adapters.targets.orders import invoice, project, published
from tests.waiting import until


class Stage:
    """A running ``connect`` part, and the broker that it works on."""

    def __init__(self, broker: NatsBroker, settings: Settings) -> None:
        self.broker = broker
        self.settings = settings
        self.erp = Control(broker.client, "erp")
        self.psa = Control(broker.client, "psa")
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._consumer: Consumer | None = None

    async def send(self, target: str, *works: Work) -> None:
        for work in works:
            await self.broker.publish(published(target, work))

    async def reports(self, count: int) -> list[tuple[str, dict[str, Any]]]:
        """So many reports, or fails."""

        async def enough() -> bool:
            for delivery in await consumer.fetch(100, 0.05):
                self.heard.append((delivery.subject, json.loads(delivery.payload)))
                await consumer.ack([delivery])
            return len(self.heard) >= count

        if self._consumer is None:
            self._consumer = await self.broker.consumer(ConsumerPlan("P2C_IN", "test"))
        consumer = self._consumer
        await until(enough)
        assert len(self.heard) == count
        return self.heard


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[None]:
    stop = threading.Event()
    running = asyncio.create_task(asyncio.to_thread(connect.main, settings, stop))
    try:
        yield
    finally:
        stop.set()
        await running


@pytest.fixture
def play(settings: Settings) -> Callable[[Callable[[Stage], Awaitable[None]]], None]:
    async def run(scene: Callable[[Stage], Awaitable[None]]) -> None:
        assert settings.nats_url is not None
        async with NatsBroker(settings.nats_url, name="test") as broker:
            await broker.ensure(IN, OUT)
            await scene(Stage(broker, settings))

    return lambda scene: asyncio.run(run(scene))


def test_both_targets_get_their_work_and_answer(play: Callable[..., None]) -> None:
    async def scene(stage: Stage) -> None:
        await stage.send("psa", project("P-1"))
        await stage.send("erp", project("P-1", request=3), invoice("I-1"))
        async with connected(stage.settings):
            reports = await stage.reports(3)
            assert {subject for subject, _ in reports} == {
                "p2c.in.psa.project.confirmed",
                "p2c.in.erp.project.confirmed",
                "p2c.in.erp.invoice.posted",
            }

    play(scene)


def test_an_outage_of_the_erp_delays_its_work_and_not_the_psas_and_outlives_a_restart(
    play: Callable[..., None],
) -> None:
    async def scene(stage: Stage) -> None:
        async with connected(stage.settings):
            await until(lambda: _answers(stage.erp))
            await stage.erp.outage()
        await stage.send("erp", *(invoice(f"I-{number}") for number in range(10)))
        await stage.send("psa", project("P-1"))
        async with connected(stage.settings):
            assert [subject for subject, _ in await stage.reports(1)] == ["p2c.in.psa.project.confirmed"]
            await stage.erp.recover()
            reports = await stage.reports(11)
            assert [told["invoice"] for _, told in reports[1:]] == [f"I-{number}" for number in range(10)]
            assert (await stage.erp.state())["documents"] == 10

    play(scene)


def test_a_lost_reply_over_the_network_is_in_doubt_then_posted_as_one_document(play: Callable[..., None]) -> None:
    async def scene(stage: Stage) -> None:
        async with connected(stage.settings):
            await until(lambda: _answers(stage.erp))
            await stage.erp.lose_replies(1)
            await stage.send("erp", invoice("I-1"))
            reports = await stage.reports(2)
            assert [subject for subject, _ in reports] == ["p2c.in.erp.invoice.in_doubt", "p2c.in.erp.invoice.posted"]
            assert "no answer within 2 s" in reports[0][1]["reason"]
            assert (await stage.erp.state())["keys"] == ["invoice:I-1"]

    play(scene)


def test_the_hand_on_a_target_refuses_pays_and_says_what_is_wrong(play: Callable[..., None]) -> None:
    async def scene(stage: Stage) -> None:
        async with connected(stage.settings):
            await until(lambda: _answers(stage.erp))
            await stage.erp.refuse("buyer.id", "C-1", "C-1 is blocked")
            await stage.send("erp", invoice("I-1"))
            assert (await stage.reports(1))[0][1]["reason"] == "C-1 is blocked"
            await stage.erp.accept_all()
            await stage.send("erp", invoice("I-1", request=6))
            await stage.reports(2)
            await stage.erp.pay("I-1", date(2026, 4, 20))
            subject, told = (await stage.reports(3))[-1]
            assert (subject, told["amount"]["amount"]) == ("p2c.in.erp.payment.received", "2380.00")
            with pytest.raises(ControlRefused, match="no invoice I-9"):
                await stage.erp.pay("I-9", date(2026, 4, 20))
            with pytest.raises(ControlRefused, match="lose_replies"):
                await stage.erp.lose_replies(-1)

    play(scene)


async def _answers(control: Control) -> bool:
    try:
        await control.state()
    except Exception:  # noqa: BLE001 - nobody answers yet
        return False
    return True
