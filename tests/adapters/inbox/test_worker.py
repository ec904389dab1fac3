"""The worker between broker and inbox: whatever fails on the way, each message is recorded once and none is lost."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta

import pytest
from nats.aio.client import Client

from adapters.broker import IN, Broker, Consumer, Delivery, Outgoing
from adapters.broker.jetstream import NatsBroker
from adapters.broker.memory import MemoryBroker, MemoryConsumer
from adapters.eventstore.errors import AlreadyRecorded, LedgerUnreachable, VersionConflict
from adapters.eventstore.ledger import Ledger
from adapters.eventstore.memory import MemoryLedger
from adapters.eventstore.unit import Committed, UnitOfWork
from adapters.inbox import worker as worker_module
from adapters.inbox.inbox import Inbox
from adapters.inbox.worker import CONSUMER, Worker, inline
from domain.catalogue import DECIDERS, EVENTS
from domain.kernel import Addressed, Cause
from domain.reference.identifier import AssignIdentifier, ExternalRef, identifier_stream
from tests.adapters.inbox.office import Office, memory_ledger
from tests.adapters.vendors.payloads import NINE, Letter, jira_worklog, tempo_approval, tempo_worklog

POISON = "poison"


class Mishap(MemoryLedger):
    """A ledger in memory that fails as it is told to, once for each mishap."""

    def __init__(self) -> None:
        super().__init__({}, DECIDERS)
        self.codec = memory_ledger().codec
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.commits = 0

    def _record(self, unit: UnitOfWork) -> Committed:
        self.commits += 1
        if any(POISON in message.message_id and message.fate != "quarantined" for message in unit.extras.received):
            raise ValueError("this row fits into no table")
        if self.before:
            raise self.before.pop(0)
        committed = super()._record(unit)
        if self.after:
            raise self.after.pop(0)
        return committed


def week(days: int = 5) -> list[Letter]:
    """What both systems tell of a week, handed in and approved at its end."""
    letters: list[Letter] = []
    for day in range(days):
        at = NINE + timedelta(days=day)
        letters += [
            jira_worklog(f"{day}", started=at, at=at, seconds=28_800),
            tempo_worklog(100 + day, day=f"{at:%Y-%m-%d}", at=at, seconds=28_800),
        ]
    return [*letters, tempo_approval("IN_REVIEW"), tempo_approval(at=NINE + timedelta(days=8))]


async def publish(broker: Broker, letters: Sequence[Letter]) -> None:
    await broker.ensure(IN)
    await broker.publish_all(Outgoing(letter.subject, letter.payload, letter.headers) for letter in letters)


def require_the_week(office: Office, letters: Sequence[Letter]) -> None:
    assert office.hours() == 40
    assert {entry.status for entry in office.sheet().entries.values()} == {"approved"}
    assert all(office.row(letter).fate in ("recorded", "quiet") for letter in letters)
    assert office.names().count("timesheet.time_logged.v1") == 5


# -- in memory, one step after the other -------------------------------------------------------------------------------


@pytest.fixture
def ledger() -> Mishap:
    return Mishap()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "BACKOFF_SECONDS", (0.0, 0.01))


def worked(
    ledger: Mishap, letters: Sequence[Letter], *, batch_max: int, mishap: Callable[[], None] = lambda: None
) -> tuple[Office, MemoryConsumer]:
    """The office after all letters went through a worker; the mishap begins when the firm is founded."""

    async def run() -> tuple[Office, MemoryConsumer]:
        office = Office(ledger).know_people_and_issues()
        broker = MemoryBroker()
        await publish(broker, letters)
        consumer = await broker.consumer(CONSUMER)
        mishap()
        worker = Worker(office.inbox, consumer, in_thread=inline, batch_max=batch_max)
        assert await worker.drain() == len(letters)
        return office, consumer

    return asyncio.run(run())


@pytest.mark.parametrize("batch_max", [1, 2, 3, 100])
def test_everything_is_recorded_and_acknowledged(ledger: Mishap, batch_max: int) -> None:
    letters = week()
    office, consumer = worked(ledger, letters, batch_max=batch_max)
    require_the_week(office, letters)
    assert consumer.unacknowledged == 0
    assert all(office.row(letter).deliveries == 1 for letter in letters)


@pytest.mark.parametrize("batch_max", [1, 3, 100])
@pytest.mark.parametrize(
    "failure",
    [
        VersionConflict("somebody else was first"),
        AlreadyRecorded("received_message_pkey"),
        LedgerUnreachable("no route to host"),
        RuntimeError("a defect that passes"),
    ],
)
def test_a_commit_that_fails_is_done_again(ledger: Mishap, batch_max: int, failure: Exception) -> None:
    letters = week()
    office, consumer = worked(ledger, letters, batch_max=batch_max, mishap=lambda: ledger.before.extend([failure] * 3))
    require_the_week(office, letters)
    assert consumer.unacknowledged == 0


@pytest.mark.parametrize("batch_max", [1, 3, 100])
def test_a_commit_whose_reply_is_lost_is_not_done_twice(ledger: Mishap, batch_max: int) -> None:
    letters = week()
    lost = LedgerUnreachable("connection reset after COMMIT")
    office, consumer = worked(ledger, letters, batch_max=batch_max, mishap=lambda: ledger.after.extend([lost] * 3))
    require_the_week(office, letters)
    assert consumer.unacknowledged == 0


@pytest.mark.parametrize("batch_max", [1, 4, 100])
def test_a_message_that_no_transaction_takes_is_kept_undecided_and_the_others_go_on(
    ledger: Mishap, batch_max: int
) -> None:
    letters = week()
    poison = jira_worklog("999", hook=POISON, started=NINE + timedelta(weeks=1))
    office, consumer = worked(ledger, [*letters[:4], poison, *letters[4:]], batch_max=batch_max)
    require_the_week(office, letters)
    assert office.fate(poison) == ("quarantined", "message.defect")
    assert "this row fits into no table" in office.problem("quarantined", f"jira:{POISON}").message
    assert consumer.unacknowledged == 0


def test_what_was_recorded_and_not_acknowledged_is_counted_when_it_comes_again(ledger: Mishap) -> None:
    async def run() -> Office:
        office = Office(ledger).know_people_and_issues()
        clock = [0.0]
        broker = MemoryBroker(clock=lambda: clock[0])
        letters = week()
        await publish(broker, letters)
        consumer = await broker.consumer(CONSUMER)
        dying = Worker(Inbox(ledger), Deaf(consumer), in_thread=inline, batch_max=5)
        await dying.drain()
        clock[0] += CONSUMER.ack_wait_seconds + 1
        await Worker(Inbox(ledger), consumer, in_thread=inline, batch_max=7).drain()
        assert consumer.unacknowledged == 0
        require_the_week(office, letters)
        assert {office.row(letter).deliveries for letter in letters} == {2}
        return office

    asyncio.run(run())


class Deaf:
    """A line to the broker on which no answer arrives."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def fetch(self, limit: int, timeout_seconds: float) -> list[Delivery]:
        return await self._consumer.fetch(limit, timeout_seconds)

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Lost."""

    async def nak(self, delivery: Delivery, delay_seconds: float) -> None:
        """Lost."""

    async def term(self, delivery: Delivery, reason: str) -> None:
        """Lost."""

    async def in_progress(self, deliveries: Sequence[Delivery]) -> None:
        """Lost."""

    async def close(self) -> None:
        """Nothing to give back."""


def test_what_cannot_be_read_is_stored_first_and_then_terminated_with_its_reason(ledger: Mishap) -> None:
    bad = Letter("p2c.in.jira.worklog.created", b"{", {"Nats-Msg-Id": "bad"})
    office, consumer = worked(ledger, [bad, jira_worklog()], batch_max=10)
    assert office.fate(bad) == ("quarantined", "message.malformed_json")
    assert list(consumer.terminated.values()) == [office.row(bad).detail]
    assert consumer.unacknowledged == 0


def test_what_arrives_awakes_what_waits_while_the_worker_goes_on(ledger: Mishap) -> None:
    early = [jira_worklog(str(200 + n), author="acc-7", started=NINE + timedelta(days=n)) for n in range(4)]
    letters = [*early, *week()]
    office, _ = worked(ledger, letters, batch_max=2)
    ref = ExternalRef("jira", "user", "acc-7")
    named = Addressed(identifier_stream(ref), AssignIdentifier(ref, "W-7"))
    ledger.execute([named], Cause("user:ann", "1"))
    assert office.inbox.tick() == 4
    assert office.hours("W-7") == 8


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to pass")


def test_a_worker_that_is_told_to_stop_gives_back_what_it_cannot_record(ledger: Mishap) -> None:
    async def run() -> None:
        office = Office(ledger).know_people_and_issues()
        broker, stop = MemoryBroker(), threading.Event()
        await publish(broker, [jira_worklog()])
        consumer = await broker.consumer(CONSUMER)
        ledger.before.extend([LedgerUnreachable("away")] * 1_000)
        working = asyncio.create_task(Worker(office.inbox, consumer, stop=stop).run())
        await until(lambda: len(ledger.before) <= 990)
        stop.set()
        await asyncio.wait_for(working, 60)
        ledger.before.clear()
        await asyncio.sleep(1.1)
        assert await Worker(office.inbox, consumer, in_thread=inline).drain() == 1
        assert office.hours() == 2

    asyncio.run(run())


# -- on real servers ---------------------------------------------------------------------------------------------------


@pytest.fixture
def real(database_url: str) -> Iterator[Ledger]:
    with Ledger(database_url, EVENTS, DECIDERS, pool_size=6) as ledger:
        yield ledger


def on_servers(nats_url: str, steps: Callable[[NatsBroker], Awaitable[None]]) -> None:
    async def run() -> None:
        async with NatsBroker(nats_url, name="test") as broker:
            await broker.ensure(IN)
            await steps(broker)

    asyncio.run(run())


async def nothing_is_left(broker: NatsBroker) -> None:
    """Wait until the broker has delivered everything and all of it is acknowledged.

    What was under way on a connection that broke is delivered again after the acknowledgement wait, not before.
    """
    left = (0, 0)
    deadline = time.monotonic() + CONSUMER.ack_wait_seconds + 30
    while time.monotonic() < deadline:
        info = await broker.client.jetstream().consumer_info(CONSUMER.stream, CONSUMER.name)
        left = (info.num_pending or 0, info.num_ack_pending or 0)
        if left == (0, 0):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{left[0]} not delivered, {left[1]} not acknowledged")


def test_from_nats_to_postgres_and_back(real: Ledger, nats_url: str) -> None:
    async def steps(broker: NatsBroker) -> None:
        office, letters = Office(real).know_people_and_issues(), week()
        await publish(broker, letters)
        stop = threading.Event()
        worker = Worker(office.inbox, await broker.consumer(CONSUMER), stop=stop, batch_max=3)
        working = asyncio.create_task(worker.run())
        await nothing_is_left(broker)
        stop.set()
        await asyncio.wait_for(working, 60)
        require_the_week(office, letters)

    on_servers(nats_url, steps)


def test_several_workers_share_the_work_and_the_books_are_those_of_one(real: Ledger, nats_url: str) -> None:
    async def steps(broker: NatsBroker) -> None:
        office, letters = Office(real).know_people_and_issues(), week()
        repeated = [Letter(each.subject, each.body, each.headers) for each in letters for _ in range(4)]
        await publish(broker, repeated)
        stop = threading.Event()
        workers = [
            Worker(Inbox(real), await broker.consumer(CONSUMER), stop=stop, batch_max=size) for size in (1, 2, 5)
        ]
        working = [asyncio.create_task(worker.run()) for worker in workers]
        await nothing_is_left(broker)
        stop.set()
        await asyncio.wait_for(asyncio.gather(*working), 60)
        require_the_week(office, letters)
        assert sum(office.row(letter).deliveries for letter in letters) >= len(repeated)

    on_servers(nats_url, steps)


def test_a_worker_whose_connection_breaks_goes_on_with_a_new_one(real: Ledger, nats_url: str) -> None:
    async def steps(broker: NatsBroker) -> None:
        office, letters = Office(real).know_people_and_issues(), week()
        stop = threading.Event()
        async with NatsBroker(nats_url, name="fragile") as fragile:
            worker = Worker(office.inbox, await fragile.consumer(CONSUMER), stop=stop, batch_max=4)
            working = asyncio.create_task(worker.run())
            for letter in letters:
                await publish(broker, [letter])
                await _cut(fragile.client)
            await nothing_is_left(broker)
            stop.set()
            await asyncio.wait_for(working, 60)
        require_the_week(office, letters)

    on_servers(nats_url, steps)


async def _cut(client: Client) -> None:
    """Break the connection as a network does."""
    if client.is_connected and client._transport is not None:
        client._transport.close()  # type: ignore[no-untyped-call]  # the library's own transport
        await asyncio.sleep(0.05)


class SlowTick(Inbox):
    """An inbox whose look at what was waiting takes long; it notes when it looked."""

    def __init__(self, ledger: MemoryLedger, driven: int) -> None:
        super().__init__(ledger)
        self.driven = driven
        self.looked: list[float] = []

    def tick(self) -> int:
        self.looked.append(time.monotonic())
        time.sleep(0.2)
        return self.driven


@pytest.mark.parametrize(("driven", "rests"), [(0, True), (7, False)])
def test_only_after_a_look_in_vain_it_rests_before_it_looks_again(driven: int, rests: bool) -> None:
    async def work() -> float:
        async with MemoryBroker() as broker:
            await broker.ensure(IN)
            inbox = SlowTick(memory_ledger(), driven)
            worker = Worker(inbox, await broker.consumer(CONSUMER), in_thread=inline)
            while len(inbox.looked) < 2:
                await worker.step()
            await worker.finish()
            return inbox.looked[1] - inbox.looked[0]

    seconds = asyncio.run(work())
    assert (seconds >= 0.2 / worker_module.TICK_SHARE_MAX) is rests
