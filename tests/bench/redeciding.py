"""How long it takes until one purchase order, or one rate, has reached all the work that waits for it.

A purchase order is one fact that decides every open lot of its engagement anew, in the read models. A rate reverses
and rates each of them, as events, which the read models follow. Each is measured beside one statement of PostgreSQL
that touches the same rows: an update of the items, and a copy of the events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from statistics import median
from typing import Any, Final

from psycopg import sql

from adapters.automation.pages import Pages
from adapters.automation.process import Automated
from adapters.automation.runner import Runner, Step
from adapters.collector import spare_the_collector
from adapters.eventstore.ledger import Ledger
from adapters.postgres import connect, migrate
from adapters.settings import Settings
from api.books import open_ledger
from api.candidates import open_candidates
from domain.engagement import OpenEngagement, PurchaseOrder, RecordPurchaseOrder
from domain.kernel import Addressed, StreamId
from domain.processes.pricing import Pricing
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from projections import build
from projections.changes import channel_of
from projections.fold import Fold
from projections.generation import GenerationInfo, Generations
from projections.projector import EVENTS_PER_BATCH, take_up
from projections.store import PostgresStore
from tests.bench.approved_work import open_lots, written_again
from tests.bench.figures import Figure, Target, at_most, ratio
from tests.bench.rounds import Progress, timed
from tests.bench.sizes import Size
from tests.world import ENGAGEMENT, NEW_YEAR, World, cause, euros

SCHEMA: Final = "bench_redeciding"
LOTS: Final = {"small": (50, 200), "full": (10_000, 100_000)}
ORDERS: Final = 4
"""How many purchase orders are measured, every other one expired: each decides all lots anew."""
EXPIRED, VALID = date(2020, 1, 1), date(2100, 1, 1)

_UPDATE: Final = """
UPDATE {schema}.item SET state = %s, reasons = reasons
WHERE engagement = 'E-1' AND is_lot AND is_open
"""


@dataclass(slots=True)
class _Measured:
    """Seconds of each round: of ours, and of the statement beside it."""

    ours: list[float]
    theirs: list[float]


@dataclass(slots=True)
class _Firm:
    """A firm whose read models are followed by hand."""

    world: World
    ledger: Ledger
    url: str
    info: GenerationInfo
    store: PostgresStore
    fold: Fold

    def record(self, stream: StreamId, command: Any) -> None:
        """One command, to which no process reacts yet."""
        unit = self.ledger.unit()
        unit.decide(Addressed(stream, command), cause())
        self.ledger.commit(unit)

    def follow(self) -> None:
        """The read models take up all that was recorded, as the projector does it."""
        while take_up(self.ledger, self.fold, self.store, channel_of(SCHEMA)):
            pass

    def eligible(self) -> int:
        """How many lots may be billed."""
        counted = sql.SQL("SELECT count(*) FROM {}.item WHERE is_lot AND state = 'eligible'")
        with connect(self.url, SCHEMA, "p2c-bench") as conn:
            row = conn.execute(counted.format(sql.Identifier(self.info.schema))).fetchone()
        return int(row[0]) if row else 0


async def figures(settings: Settings, size: Size, progress: Progress) -> list[Figure]:
    """How quickly a purchase order and a rate reach the work, and whether a lot of many costs more."""
    return await asyncio.to_thread(_figures, settings, size, progress)


def _figures(settings: Settings, size: Size, progress: Progress) -> list[Figure]:
    url = settings.database_url
    assert url is not None
    migrate(url, SCHEMA)
    few, many = LOTS[size.name]
    ordered: dict[int, _Measured] = {}
    spare_the_collector()  # as the roles do
    with _firm(settings) as firm:
        known = 0
        for place, count in enumerate((few, many)):
            progress(place, 3, f"purchase orders for {count:,} lots")
            open_lots(firm.ledger, count - known, f"{count}")
            firm.follow()
            known = count
            ordered[count] = _purchase_orders(firm, count)
        progress(2, 3, f"a rate for {many:,} lots")
        repriced = _rate(settings, firm)
    progress(3, 3, "work decided anew")
    return [*_of_orders(ordered, few, many), *_of_rates(repriced, many)]


@contextmanager
def _firm(settings: Settings) -> Iterator[_Firm]:
    at = settings.model_copy(update={"db_schema": SCHEMA})
    assert at.database_url is not None
    with open_ledger(at, cache_streams=2_000) as ledger:
        world = World(ledger).firm()
        world.tell(ENGAGEMENT, OpenEngagement("E-1", "Work", "C-1", "DE01", "EUR", purchase_order_required=True))
        world.contract_lines()
        generations = Generations(partial(connect, at.database_url, SCHEMA, "p2c-bench"), SCHEMA)
        build.rebuild(ledger, generations)
        live = generations.live()
        assert live is not None
        with generations.store(live) as store:
            yield _Firm(world, ledger, at.database_url, live, store, Fold(ledger, store, live.position))


def _purchase_orders(firm: _Firm, lots: int) -> _Measured:
    """An order that holds and one that has expired, by turns, each beside the statement."""
    found = _Measured([], [])
    for number in range(ORDERS):
        is_valid = number % 2 == 0
        order = PurchaseOrder(f"PO-{lots}-{number}", valid_to=VALID if is_valid else EXPIRED)
        firm.record(ENGAGEMENT, RecordPurchaseOrder(order))
        with timed() as span:
            firm.follow()
        found.ours.append(span.seconds)
        assert firm.eligible() == (lots if is_valid else 0)
        found.theirs.append(_updated(firm))
    return found


def _updated(firm: _Firm) -> float:
    """The seconds of one statement that changes the same rows, of which nothing stays."""
    with connect(firm.url, SCHEMA, "p2c-bench") as conn, conn.transaction(force_rollback=True):
        with timed() as span:
            conn.execute(sql.SQL(_UPDATE).format(schema=sql.Identifier(firm.info.schema)), ["held"])
        return span.seconds


def _rate(settings: Settings, firm: _Firm) -> tuple[float, float, float, int]:
    """Seconds until all lots have a new price and until the read models show it, of the statement, and the events."""
    ledger, at = firm.ledger, settings.model_copy(update={"db_schema": SCHEMA})
    assert at.database_url is not None
    process = Automated(Pricing(), together=False, owner_role="finance_preparer")
    unit = ledger.unit()
    unit.track(process.name, ledger.head())
    ledger.commit(unit)
    before = ledger.head()
    dearer = SetRate(RateRow("senior", euros(160), NEW_YEAR, role="Senior"))
    firm.record(rate_card_stream("firm", "FIRM"), dearer)
    firm.follow()
    with open_candidates(at, ledger) as candidates:
        runner = Runner(ledger, Pages(ledger, EVENTS_PER_BATCH), process, candidates)
        with timed() as priced:
            while runner.position < before + 1 and runner.step() is not Step.IDLE:
                pass
    with timed() as followed:
        firm.follow()
    events = ledger.head() - before - 1
    return priced.seconds, followed.seconds, written_again(at.database_url, SCHEMA, before + 1, ledger.head()), events


def _of_orders(ordered: dict[int, _Measured], few: int, many: int) -> list[Figure]:
    ours, theirs = ordered[many].ours, ordered[many].theirs
    means = f"one purchase order until all {many:,} lots that it concerns are decided anew"
    per_lot = {count: median(ordered[count].ours) / count for count in (few, many)}
    return [
        Figure("redecide_100k_seconds", round(median(ours), 3), f"{means}, in seconds", None, {"seconds": ours}),
        ratio(
            "redecide_vs_statement",
            median(ours),
            median(theirs),
            Target("at most", 30),
            f"{means}, against one statement that updates the same rows",
            ours=ours,
            theirs=theirs,
        ),
        ratio(
            "redecide_growth",
            per_lot[many],
            per_lot[few],
            at_most(1.3),
            f"time per lot of {many:,} that are decided anew, against {few:,}",
            ours=ours,
            theirs=ordered[few].ours,
        ),
    ]


def _of_rates(measured: tuple[float, float, float, int], many: int) -> list[Figure]:
    priced, followed, statement, events = measured
    means = f"one rate until all {many:,} lots that it concerns are priced anew and shown so"
    absolutes = {"priced_seconds": priced, "followed_seconds": followed, "events": events}
    return [
        Figure("reprice_100k_seconds", round(priced + followed, 3), f"{means}, in seconds", None, absolutes),
        ratio(
            "reprice_vs_statement",
            priced + followed,
            statement,
            Target("at most", 100),
            f"{means}, against one statement that writes its events again",
            statement_seconds=statement,
            **absolutes,
        ),
    ]
