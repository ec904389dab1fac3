"""What the broker on NATS and the one in memory promise alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import pytest

from adapters.broker import IN as INTAKE
from adapters.broker import (
    OUT,
    Broker,
    BrokerRefused,
    Consumer,
    ConsumerPlan,
    Delivery,
    Outgoing,
    PayloadTooLarge,
    StreamPlan,
    is_subject,
    matches,
)
from adapters.broker.jetstream import NatsBroker
from adapters.broker.memory import MemoryBroker
from adapters.inbox.worker import CONSUMER

IN = StreamPlan("T_IN", ("t.in.>",), duplicate_window_seconds=60)
READER = ConsumerPlan("T_IN", "reader", ack_wait_seconds=0.5, ack_pending_max=50)
WAIT_SECONDS = 5.0
Result = TypeVar("Result")


class OnBroker(Protocol):
    """Runs a test's steps on one broker, with the stream in place."""

    def __call__(self, steps: Callable[[Broker], Awaitable[Result]]) -> Result: ...


@pytest.fixture(params=["nats", "memory"])
def on(request: pytest.FixtureRequest) -> OnBroker:
    def on(steps: Callable[[Broker], Awaitable[Result]]) -> Result:
        async def run() -> Result:
            broker: Broker
            if request.param == "nats":
                broker = NatsBroker(request.getfixturevalue("nats_url"), name="contract")
            else:
                broker = MemoryBroker()
            async with broker:
                await broker.ensure(IN)
                return await steps(broker)

        return asyncio.run(run())

    return on


async def take(consumer: Consumer, count: int) -> list[Delivery]:
    """Exactly so many deliveries, however the broker portions them."""
    found: list[Delivery] = []
    while len(found) < count:
        some = await consumer.fetch(count - len(found), WAIT_SECONDS)
        assert some, f"{len(found)} of {count} came"
        found += some
    return found


def numbered(count: int) -> list[Outgoing]:
    return [Outgoing("t.in.a.b.c", str(n).encode(), {"n": str(n)}, f"id-{n}") for n in range(count)]


def test_what_is_published_is_delivered_with_its_subject_headers_bytes_and_place(on: OnBroker) -> None:
    async def steps(broker: Broker) -> None:
        published = await broker.publish(Outgoing("t.in.a.b.c", b"\x00\xff", {"X-One": "1"}, "id-1"))
        assert (published.sequence, published.duplicate) == (1, False)
        [delivery] = await take(await broker.consumer(READER), 1)
        assert (delivery.subject, delivery.payload, delivery.sequence, delivery.deliveries) == (
            "t.in.a.b.c",
            b"\x00\xff",
            1,
            1,
        )
        assert delivery.headers["X-One"] == "1"
        assert delivery.headers["Nats-Msg-Id"] == "id-1"

    on(steps)


def test_the_same_message_id_again_is_left_out(on: OnBroker) -> None:
    async def steps(broker: Broker) -> None:
        message = Outgoing("t.in.a.b.c", b"1", {}, "id-1")
        await broker.publish(message)
        again = await broker.publish(message)
        assert (again.sequence, again.duplicate) == (1, True)
        assert await broker.publish_all([message, Outgoing("t.in.a.b.c", b"2", {}, "id-2")]) == 1

    on(steps)


def test_many_are_published_in_order_with_progress(on: OnBroker) -> None:
    async def steps(broker: Broker) -> None:
        seen: list[int] = []
        assert await broker.publish_all(numbered(700), seen.append) == 700
        assert seen[-1] == 700
        consumer = await broker.consumer(ConsumerPlan("T_IN", "all", ack_pending_max=1000))
        deliveries = await take(consumer, 700)
        assert [delivery.payload for delivery in deliveries] == [str(n).encode() for n in range(700)]

    on(steps)


def test_what_is_acknowledged_is_not_delivered_again_and_the_rest_is(on: OnBroker) -> None:
    async def steps(broker: Broker) -> None:
        await broker.publish_all(numbered(4))
        consumer = await broker.consumer(READER)
        first = await take(consumer, 4)
        await consumer.ack(first[:2])
        again = await take(consumer, 2)
        assert sorted(delivery.sequence for delivery in again) == [3, 4]
        assert {delivery.deliveries for delivery in again} == {2}
        await consumer.ack(again)
        assert await consumer.fetch(10, 1.0) == []

    on(steps)


def test_what_is_given_back_comes_again_after_its_delay(on: OnBroker) -> None:
    async def steps(broker: Broker) -> None:
        await broker.publish_all(numbered(1))
        consumer = await broker.consumer(ConsumerPlan("T_IN", "patient", ack_wait_seconds=30))
        [delivery] = await take(consumer, 1)
        await consumer.nak(delivery, 0.2)
        [again] = await _until_some(consumer)
        assert (again.sequence, again.deliveries) == (1, 2)

    on(steps)


def test_what_is_terminated_never_comes_again(on: OnBroker) -> None:
    async def steps(broker: Broker) -> None:
        await broker.publish_all(numbered(2))
        consumer = await broker.consumer(READER)
        bad, good = await take(consumer, 2)
        await consumer.term(bad, "it cannot be read: message.malformed_json")
        await consumer.ack([good])
        assert await consumer.fetch(10, 1.0) == []

    on(steps)


def test_what_is_in_progress_is_not_delivered_again_meanwhile(on: OnBroker) -> None:
    async def steps(broker: Broker) -> None:
        await broker.publish_all(numbered(1))
        consumer = await broker.consumer(READER)
        deliveries = await take(consumer, 1)
        for _ in range(5):
            await asyncio.sleep(0.25)
            await consumer.in_progress(deliveries)
        assert await consumer.fetch(1, 0.1) == []
        await consumer.ack(deliveries)

    on(steps)


def test_no_more_are_delivered_than_may_be_unacknowledged(on: OnBroker) -> None:
    async def steps(broker: Broker) -> None:
        await broker.publish_all(numbered(30))
        consumer = await broker.consumer(ConsumerPlan("T_IN", "few", ack_wait_seconds=30, ack_pending_max=10))
        first = await take(consumer, 10)
        assert await consumer.fetch(30, 0.3) == []
        await consumer.ack(first)
        assert [delivery.sequence for delivery in await take(consumer, 10)] == list(range(11, 21))

    on(steps)


def test_a_reader_hears_the_subjects_that_it_asked_for(on: OnBroker) -> None:
    async def steps(broker: Broker) -> None:
        for subject in ("t.in.jira.worklog.created", "t.in.tempo.worklog.created"):
            await broker.publish(Outgoing(subject, b"{}"))
        consumer = await broker.consumer(ConsumerPlan("T_IN", "tempo", ("t.in.tempo.>",)))
        assert [delivery.subject for delivery in await take(consumer, 1)] == ["t.in.tempo.worklog.created"]
        assert await consumer.fetch(1, 0.2) == []

    on(steps)


def test_two_workers_share_a_reader_and_each_message_goes_to_one_of_them(on: OnBroker) -> None:
    async def steps(broker: Broker) -> None:
        plan = ConsumerPlan("T_IN", "shared", ack_wait_seconds=30)
        workers = [await broker.consumer(plan) for _ in range(2)]
        await broker.publish_all(numbered(60))
        found: list[int] = []
        while len(found) < 60:
            for worker in workers:
                some = await worker.fetch(5, 0.5)
                found += [delivery.sequence for delivery in some]
                await worker.ack(some)
        assert sorted(found) == list(range(1, 61))

    on(steps)


def test_a_reader_goes_on_where_it_was_when_it_comes_back(on: OnBroker) -> None:
    async def steps(broker: Broker) -> None:
        await broker.publish_all(numbered(3))
        consumer = await broker.consumer(READER)
        await consumer.ack(await take(consumer, 2))
        await consumer.close()
        back = await broker.consumer(READER)
        assert [delivery.sequence for delivery in await take(back, 1)] == [3]

    on(steps)


def test_a_payload_that_is_too_large_is_refused_at_once(on: OnBroker) -> None:
    async def steps(broker: Broker) -> None:
        with pytest.raises(PayloadTooLarge):
            await broker.publish(Outgoing("t.in.a.b.c", b"x" * (1024 * 1024 + 1)))

    on(steps)


def test_a_subject_that_no_stream_takes_is_refused(on: OnBroker) -> None:
    async def steps(broker: Broker) -> None:
        with pytest.raises(BrokerRefused):
            await broker.publish(Outgoing("elsewhere.a", b"1"))

    on(steps)


def test_a_reader_of_a_stream_that_does_not_exist_is_refused(on: OnBroker) -> None:
    async def steps(broker: Broker) -> None:
        with pytest.raises(BrokerRefused):
            await broker.consumer(ConsumerPlan("NOWHERE", "reader"))

    on(steps)


def test_streams_and_readers_can_be_asked_for_again_and_changed(on: OnBroker) -> None:
    async def steps(broker: Broker) -> None:
        await broker.publish_all(numbered(1))
        await broker.ensure(IN, StreamPlan("T_IN", ("t.in.>", "t.more.>"), duplicate_window_seconds=120))
        await broker.publish(Outgoing("t.more.x", b"2"))
        await broker.consumer(READER)
        changed = await broker.consumer(ConsumerPlan("T_IN", "reader", ack_wait_seconds=9, ack_pending_max=60))
        assert len(await take(changed, 2)) == 2

    on(steps)


def test_streams_and_the_reader_of_the_inbox_are_set_so_that_nothing_is_lost(nats_url: str) -> None:
    async def steps() -> None:
        async with NatsBroker(nats_url, name="contract") as broker:
            await broker.ensure(INTAKE, OUT)
            await broker.consumer(CONSUMER)
            streams = broker.client.jetstream()
            for name in (INTAKE.name, OUT.name):
                kept = (await streams.stream_info(name)).config
                assert (kept.retention, kept.storage, kept.discard) == ("limits", "file", "new")
                assert (kept.deny_delete, kept.deny_purge) == (True, True)
                assert (kept.compression or "none") == "none"
                assert kept.max_age == 30 * 24 * 3600
                assert (kept.duplicate_window or 0) >= 3600
            reader = (await streams.consumer_info(CONSUMER.stream, CONSUMER.name)).config
            assert (reader.durable_name, reader.ack_policy, reader.max_deliver) == (CONSUMER.name, "explicit", -1)
            assert (reader.ack_wait, 64 <= (reader.max_ack_pending or 0) <= 1000) == (60, True)

    asyncio.run(steps())


def test_how_much_disk_its_operator_gives_a_stream_stays_when_it_is_asked_for_again(nats_url: str) -> None:
    async def steps() -> None:
        async with NatsBroker(nats_url, name="contract") as broker:
            await broker.ensure(IN)
            streams = broker.client.jetstream()
            given = (await streams.stream_info(IN.name)).config
            given.max_bytes = 64 * 1024 * 1024
            await streams.update_stream(given)
            await broker.ensure(StreamPlan("T_IN", ("t.in.>", "t.more.>"), duplicate_window_seconds=60))
            kept = (await streams.stream_info(IN.name)).config
            assert (kept.max_bytes, kept.subjects) == (64 * 1024 * 1024, ["t.in.>", "t.more.>"])

    asyncio.run(steps())


def test_a_reader_that_was_deleted_says_so_instead_of_asking_for_ever(nats_url: str) -> None:
    async def steps() -> None:
        async with NatsBroker(nats_url, name="contract") as broker:
            await broker.ensure(IN)
            consumer = await broker.consumer(READER)
            assert await consumer.fetch(1, 0.1) == []
            await broker.client.jetstream().delete_consumer(IN.name, READER.name)
            with pytest.raises(BrokerRefused, match="is gone"):
                await consumer.fetch(1, WAIT_SECONDS)

    asyncio.run(steps())


def test_what_was_fetched_ahead_is_given_back_with_a_delay_when_a_reader_closes(nats_url: str) -> None:
    async def steps() -> None:
        async with NatsBroker(nats_url, name="contract") as broker:
            await broker.ensure(IN)
            answers = await broker.client.subscribe("$JS.ACK.>")
            await broker.publish_all(numbered(6))
            consumer = await broker.consumer(ConsumerPlan("T_IN", "ahead", ack_wait_seconds=30))
            taken = await consumer.fetch(3, WAIT_SECONDS)
            await asyncio.sleep(0.5)  # the others arrive
            await consumer.close()
            given_back = [await answers.next_msg(WAIT_SECONDS) for _ in range(6 - len(taken))]
            assert all(each.data.startswith(b'-NAK {"delay":') for each in given_back)

    asyncio.run(steps())


@pytest.mark.parametrize(
    ("pattern", "subject", "falls_under"),
    [
        ("p2c.in.>", "p2c.in.jira.worklog.created", True),
        ("p2c.in.>", "p2c.in", False),
        ("p2c.*.x", "p2c.in.x", True),
        ("p2c.*.x", "p2c.in.y.x", False),
        ("a.b", "a.b.c", False),
        ("a.b.c", "a.b", False),
    ],
)
def test_a_subject_falls_under_a_pattern_or_not(pattern: str, subject: str, falls_under: bool) -> None:
    assert matches(pattern, subject) is falls_under


@pytest.mark.parametrize("subject", ["", ".", "a..b", "a b", "a.*", "a.>", "a.\x00"])
def test_what_is_no_subject_is_told_apart(subject: str) -> None:
    assert not is_subject(subject)
    assert is_subject("p2c.in.salesforce.opportunity-line-item.changed")


async def _until_some(consumer: Consumer) -> list[Delivery]:
    for _ in range(50):
        if some := await consumer.fetch(1, 0.2):
            return some
    return []
