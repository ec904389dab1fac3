"""From a backlog in the broker to committed events: our pipeline, the stock consumer, and two ceilings.

All take turns on the same servers with the same messages. The stock consumer hears fewer people, but whole weeks of
them; at the end its books of these people must be equal to ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from adapters.broker import IN, Outgoing, StreamPlan
from adapters.broker.jetstream import NatsBroker
from adapters.inbox.inbox import BATCH_MAX
from adapters.postgres import connect, migrate
from adapters.settings import Settings
from domain.timesheet import timesheet_stream
from tests.bench import backlog, ceilings
from tests.bench.figures import Figure, at_least, ratio
from tests.bench.pipeline import Pipeline, pipeline
from tests.bench.rounds import Progress, interleaved, medians, timed
from tests.bench.sizes import Size
from tests.bench.stock import StockLedger, StockTeller, environment
from tests.bench.stock_consumer import STREAM_PREFIX, StockConsumer
from tests.bench.tiles import MONDAY

OURS: Final = "bench_ours"
STOCK: Final = "bench_stock"
RAW: Final = "bench_raw"
STOCK_STREAM: Final = StreamPlan("BENCH_STOCK", (f"{STREAM_PREFIX}p2c.in.>",))


class UnequalBooks(Exception):
    """The contestants did not do the same work, so that their speeds cannot be compared."""


@dataclass(frozen=True, slots=True)
class Round:
    """The messages of one week in the broker: everybody's, and those of the people that the stock consumer hears."""

    first_sequence: int
    messages: int
    stock_messages: int


@dataclass(slots=True)
class Weeks:
    """The backlogs, one week of messages for each round, published before anybody's clock starts."""

    broker: NatsBroker
    size: Size
    _rounds: dict[int, Round] = field(default_factory=dict)
    _published: int = 0

    @property
    def people(self) -> range:
        """Everybody."""
        return range(backlog.people_for(self.size.backlog_messages))

    @property
    def stock_people(self) -> range:
        """Those that the stock consumer hears too."""
        return range(backlog.people_for(self.size.stock_messages))

    async def of(self, number: int) -> Round:
        """The backlog of a round."""
        if number not in self._rounds:
            week = backlog.Week(number)
            everybody, some = week.messages(self.people), week.messages(self.stock_people)
            await self.broker.publish_all(everybody)
            await self.broker.publish_all(map(_for_stock, some))
            self._rounds[number] = Round(self._published + 1, len(everybody), len(some))
            self._published += len(everybody)
        return self._rounds[number]


def _for_stock(message: Outgoing) -> Outgoing:
    return replace(message, subject=f"{STREAM_PREFIX}{message.subject}")


@dataclass(frozen=True, slots=True)
class Written:
    """What our pipeline wrote in one round."""

    messages: int
    batches: Sequence[Sequence[ceilings.Block]]


@dataclass(slots=True)
class Ours:
    """Our pipeline; the rows that it wrote are kept for the database's own turn."""

    weeks: Weeks
    pipeline: Pipeline
    conn: Connection[TupleRow]
    written: dict[int, Written] = field(default_factory=dict)

    async def measure(self, number: int) -> float:
        messages = (await self.weeks.of(number)).messages
        before = ceilings.mark(self.conn)
        with timed() as span:
            await self.pipeline.work(messages)
        batches = ceilings.written(self.conn, before, -(-messages // BATCH_MAX))
        self.written[number] = Written(messages, batches)
        return messages / span.seconds


@dataclass(slots=True)
class Stock:
    """The stock consumer."""

    weeks: Weeks
    consumer: StockConsumer
    subscription: JetStreamContext.PullSubscription

    async def measure(self, number: int) -> float:
        messages = (await self.weeks.of(number)).stock_messages
        with timed() as span:
            await self.consumer.work(self.subscription, messages)
        return messages / span.seconds


@dataclass(slots=True)
class BrokerAlone:
    """The broker's client, which takes the same messages and acknowledges them."""

    weeks: Weeks
    context: JetStreamContext

    async def measure(self, number: int) -> float:
        backlog_of_round = await self.weeks.of(number)
        start = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=backlog_of_round.first_sequence
        )
        subscription = await self.context.pull_subscribe(
            IN.subjects[0], durable=f"bench-{number}", stream=IN.name, config=start
        )
        with timed() as span:
            await ceilings.fetch_and_ack(subscription, backlog_of_round.messages, BATCH_MAX)
        await subscription.unsubscribe()
        await self.context.delete_consumer(IN.name, f"bench-{number}")
        return backlog_of_round.messages / span.seconds


@dataclass(slots=True)
class DatabaseAlone:
    """The database, which gets the rows that our pipeline wrote in its round before."""

    ours: Ours
    conn: Connection[TupleRow]

    async def measure(self, number: int) -> float:
        before = self.ours.written.pop(number - 1, Written(0, ()))
        with timed() as span:
            ceilings.insert(self.conn, before.batches)
        return before.messages / span.seconds


@dataclass(frozen=True, slots=True)
class Arena:
    """The contestants, with all that they need."""

    weeks: Weeks
    ours: Ours
    stock: Stock
    broker: BrokerAlone
    database: DatabaseAlone


@asynccontextmanager
async def _arena(settings: Settings, size: Size) -> AsyncIterator[Arena]:
    url, nats_url = settings.database_url, settings.nats_url
    assert url is not None
    assert nats_url is not None
    for schema in (OURS, RAW):
        migrate(url, schema)
    with connect(url, OURS, "p2c-bench") as ours, connect(url, RAW, "p2c-bench") as raw:
        ours.execute(SQL("CREATE SCHEMA {}").format(Identifier(STOCK)))
        async with NatsBroker(nats_url, name="p2c-bench") as broker:
            await broker.ensure(IN, STOCK_STREAM)
            weeks = Weeks(broker, size)
            context = broker.client.jetstream()
            heard = await context.pull_subscribe(STOCK_STREAM.subjects[0], durable="stock", stream=STOCK_STREAM.name)
            with StockLedger(environment(url, STOCK)) as app:
                backlog.found_firm(StockTeller(app), len(weeks.stock_people))
                async with pipeline(settings.at(db_schema=OURS), broker) as ours_at_work:
                    backlog.found_firm(ours_at_work, len(weeks.people))
                    mine = Ours(weeks, ours_at_work, ours)
                    yield Arena(
                        weeks,
                        mine,
                        Stock(weeks, StockConsumer(app), heard),
                        BrokerAlone(weeks, context),
                        DatabaseAlone(mine, raw),
                    )


async def figures(settings: Settings, size: Size, progress: Progress) -> list[Figure]:
    """How fast our pipeline is against the stock consumer, and against what could not be passed."""
    async with _arena(settings, size) as arena:
        contestants = {
            "ours": arena.ours.measure,
            "stock": arena.stock.measure,
            "broker_alone": arena.broker.measure,
            "database_alone": arena.database.measure,
        }
        results = await interleaved(contestants, size.rounds, progress)
        _require_equal_books(arena, weeks=size.rounds + 1)
    middle = medians(results)
    absolutes = {f"{name}_messages_per_second": [round(each) for each in found] for name, found in results.items()}
    ceiling = min(middle["broker_alone"], middle["database_alone"])
    return [
        ratio(
            "ingest_vs_stock",
            middle["ours"],
            middle["stock"],
            at_least(10),
            "messages per second from backlog to committed events, against a stock one-by-one consumer",
            **absolutes,
        ),
        ratio(
            "ingest_vs_ceiling",
            middle["ours"],
            ceiling,
            at_least(0.5),
            "the same, against the lower of fetch+ack alone and writing the same rows alone",
            **absolutes,
        ),
    ]


def _require_equal_books(arena: Arena, weeks: int) -> None:
    """Raises UnequalBooks unless both hold the same hours in the same state for everybody whom both have heard."""
    days = [MONDAY + timedelta(weeks=week) for week in range(weeks)]
    streams = [timesheet_stream(backlog.person(number), day) for number in arena.weeks.stock_people for day in days]
    ours = arena.ours.pipeline.ledger.load(streams)
    for stream in streams:
        theirs = arena.stock.consumer.app.known(stream)
        if ours[stream].state != theirs.state:
            raise UnequalBooks(f"{stream}: {ours[stream].state} is not {theirs.state}")
