"""A simulated target has each document once, and misbehaves as it is told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.broker import Outgoing
from adapters.broker.jetstream import NatsBroker
from adapters.targets.names import jira_project_key
from adapters.targets.simulated.fake import ERP, PSA, CannotPay, Kind, SimulatedTarget
from adapters.targets.simulated.records import Pay
from adapters.targets.simulated.store import BucketStore, MemoryStore, Store
from adapters.targets.target import Work
from tests.adapters.targets.orders import invoice, project

START = datetime(2026, 4, 1, 9, tzinfo=UTC)


class Scene:
    """One target, its clock, and what it has told."""

    def __init__(self, store: Store, kind: Kind = ERP) -> None:
        self.now = START
        self.told: list[Outgoing] = []
        self.store = store
        self.target = SimulatedTarget(kind, store, self._tell, lambda: self.now)

    async def _tell(self, message: Outgoing) -> None:
        self.told.append(message)

    async def create(self, work: Work) -> dict[str, Any] | None:
        return await self.target.create(work.id, work.type, work.key, work.payload)

    async def keys(self) -> list[str]:
        return [document.key for document in await self.target.documents()]


Play = Callable[[Callable[[Scene], Awaitable[None]]], None]


@pytest.fixture(params=["memory", "bucket"])
def play(request: pytest.FixtureRequest) -> Play:
    """Plays a scene on a store in memory, and on one in the real broker."""
    url = request.getfixturevalue("nats_url") if request.param == "bucket" else None

    @asynccontextmanager
    async def store() -> AsyncIterator[Store]:
        if url is None:
            yield MemoryStore()
            return
        async with NatsBroker(url, name="test-target") as broker:
            yield await BucketStore.open(broker.client, "test")

    async def run(scene: Callable[[Scene], Awaitable[None]]) -> None:
        async with store() as kept:
            await scene(Scene(kept))

    return lambda scene: asyncio.run(run(scene))


def test_what_it_is_asked_for_again_is_the_same_document(play: Play) -> None:
    async def scene(erp: Scene) -> None:
        first = await erp.create(invoice("I-1"))
        await erp.create(invoice("I-2"))
        erp.now += timedelta(hours=1)
        assert await erp.create(invoice("I-1", request=9)) == first
        assert await erp.target.find("invoice:I-1") == first
        assert await erp.keys() == ["invoice:I-1", "invoice:I-2"]

    play(scene)


def test_many_who_ask_for_the_same_at_once_get_one_document(play: Play) -> None:
    async def scene(erp: Scene) -> None:
        replies = await asyncio.gather(*(erp.create(invoice("I-1", request=n)) for n in range(10)))
        assert len({json.dumps(reply) for reply in replies}) == 1
        assert await erp.keys() == ["invoice:I-1"]

    play(scene)


def test_documents_have_ids_of_their_own(play: Play) -> None:
    async def scene(erp: Scene) -> None:
        replies = [await erp.create(invoice(f"I-{n}")) for n in range(3)]
        assert len({reply["externalId"] for reply in replies if reply}) == 3

    play(scene)


def test_a_restart_forgets_nothing(play: Play) -> None:
    async def scene(erp: Scene) -> None:
        first = await erp.create(invoice("I-1"))
        await erp.target.behave(lose_replies=7)
        again = Scene(erp.store)
        assert await again.create(invoice("I-1")) == first
        assert (await again.target.behaviour()).lose_replies == 7

    play(scene)


def test_while_it_is_down_it_does_nothing_and_says_so(play: Play) -> None:
    async def scene(erp: Scene) -> None:
        await erp.target.behave(outage_from=START + timedelta(hours=1), outage_until=START + timedelta(hours=2))
        assert (await erp.create(invoice("I-1")) or {})["status"] == "done"
        erp.now += timedelta(hours=1)
        assert (await erp.create(invoice("I-2")) or {})["status"] == "down"
        assert (await erp.target.find("invoice:I-1"))["status"] == "down"
        erp.now += timedelta(hours=1)
        assert (await erp.target.find("invoice:I-2"))["status"] == "unknown"
        assert await erp.keys() == ["invoice:I-1"]

    play(scene)


def test_a_lost_reply_is_lost_after_the_document_was_made(play: Play) -> None:
    async def scene(erp: Scene) -> None:
        await erp.target.behave(lose_replies=1)
        assert await erp.create(invoice("I-1")) is None
        assert (await erp.target.find("invoice:I-1"))["status"] == "done"
        await erp.target.behave(lose_replies=1)
        assert (await erp.create(invoice("I-1")) or {})["status"] == "done", "nothing is changed, so nothing is lost"
        assert await erp.create(invoice("I-2")) is None
        assert (await erp.create(invoice("I-3")) or {})["status"] == "done"

    play(scene)


def test_when_it_is_slow_it_accepts_first_and_has_the_document_later(play: Play) -> None:
    async def scene(erp: Scene) -> None:
        await erp.target.behave(slow_seconds=60)
        assert (await erp.create(invoice("I-1")) or {})["status"] == "accepted"
        erp.now += timedelta(seconds=59)
        assert (await erp.target.find("invoice:I-1"))["status"] == "accepted"
        erp.now += timedelta(seconds=1)
        assert (await erp.target.find("invoice:I-1"))["status"] == "done"

    play(scene)


def test_a_rule_refuses_what_it_names_until_it_is_lifted(play: Play) -> None:
    async def scene(erp: Scene) -> None:
        rule = {"field": "buyer.taxId", "equals": None, "reason": "a tax id is required"}
        await erp.target.behave(refuse=[rule])
        refused = await erp.create(invoice("I-1"))
        assert refused is not None
        assert (refused["status"], refused["reason"]) == ("declined", "a tax id is required")
        assert (await erp.target.find("invoice:I-1"))["status"] == "unknown"
        await erp.target.behave(refuse=[])
        assert (await erp.create(invoice("I-1", request=9)) or {})["status"] == "done"

    play(scene)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"gross": {"amount": "2380.01", "currency": "EUR"}}, "net and tax do not add up to the gross"),
        ({"net": {"amount": "1999.00", "currency": "EUR"}}, "the lines do not add up to the net"),
        ({"number": "DE01-2026-I-0"}, "the number DE01-2026-I-0 belongs to invoice:I-0"),
    ],
)
def test_an_erp_refuses_an_invoice_that_does_not_add_up_or_takes_a_used_number(
    changes: dict[str, Any], reason: str
) -> None:
    async def scene() -> None:
        erp = Scene(MemoryStore())
        await erp.create(invoice("I-0"))
        refused = await erp.create(invoice("I-1", **changes))
        assert refused is not None
        assert (refused["status"], refused["reason"]) == ("declined", reason)
        assert await erp.keys() == ["invoice:I-0"]

    asyncio.run(scene())


def test_a_psa_names_the_jira_project_and_wants_no_invoices() -> None:
    async def scene() -> None:
        psa = Scene(MemoryStore(), PSA)
        made = await psa.create(project("P-1"))
        assert made is not None
        assert made["identifiers"] == [{"system": "jira", "object": "project", "id": jira_project_key("P-1")}]
        assert (await psa.create(invoice("I-1")) or {})["status"] == "declined"

    asyncio.run(scene())


def test_a_jira_key_follows_from_the_project_and_is_one_that_jira_allows() -> None:
    keys = {jira_project_key(f"P-{number}") for number in range(2000)}
    assert len(keys) == 2000
    assert all(len(key) == 8 and key.isalnum() and key.isupper() and key[0].isalpha() for key in keys)
    assert jira_project_key("P-006-L1") == jira_project_key("P-006-L1")


def test_a_payment_is_told_once_however_often_it_is_made(play: Play) -> None:
    async def scene(erp: Scene) -> None:
        await erp.create(invoice("I-1"))
        wish = Pay(invoice="I-1", on=date(2026, 4, 20), payment="BANK-9", amount=Decimal("380.00"))
        first = await erp.target.pay(wish)
        erp.now += timedelta(days=1)
        assert await erp.target.pay(wish) == first
        [one, two] = erp.told
        assert one == two
        assert one.subject == "p2c.in.erp.payment.received"
        assert json.loads(one.payload) == {
            "id": "payment/BANK-9",
            "invoice": "I-1",
            "payment": "BANK-9",
            "receivedOn": "2026-04-20",
            "amount": {"amount": "380.00", "currency": "EUR"},
            "reference": "",
            "at": "2026-04-01T09:00:00Z",
        }

    play(scene)


def test_a_payment_without_an_amount_settles_what_is_left_and_nothing_can_be_paid_after(play: Play) -> None:
    async def scene(erp: Scene) -> None:
        await erp.create(invoice("I-1"))
        day = date(2026, 4, 20)
        await erp.target.pay(Pay(invoice="I-1", on=day, amount=Decimal(380)))
        assert (await erp.target.pay(Pay(invoice="I-1", on=day))).amount.amount == Decimal("2000.00")
        with pytest.raises(CannotPay):
            await erp.target.pay(Pay(invoice="I-1", on=day))
        with pytest.raises(CannotPay):
            await erp.target.pay(Pay(invoice="I-unknown", on=day))
        assert len(erp.told) == 2

    play(scene)
