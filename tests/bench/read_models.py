"""The read models: made from the log, against the stock runner with the same folds, and asked, at two sizes of log."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from psycopg import sql

from adapters.postgres import connect, migrate, open_pool
from adapters.settings import Settings
from api.books import open_ledger
from projections.eligibility import billing_eligibility
from projections.eligibility.billing_eligibility import EligibilityFilter
from projections.generation import Generations
from projections.margin import margin
from projections.margin.margin import MarginFilter
from projections.pages import PageRequest
from projections.reader import FIRM, Reader, Scope, View
from projections.systems import sync_status
from projections.systems.sync_status import SyncFilter
from tests.bench.figures import Figure, at_least, at_most, ratio
from tests.bench.histories import History, store
from tests.bench.rounds import Progress, percentile, timed
from tests.bench.sizes import Size
from tests.bench.stock_projection import StockRun

FEW: Final = "bench_few"
MANY: Final = "bench_many"
STOCK: Final = "bench_stock_read"
CLONE: Final = Path(__file__).resolve().parents[2]
SHARE: Final = 0.99


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a process of its own needed to make all read models."""

    events: int
    seconds: float
    memory_mib: float

    @property
    def microseconds_per_event(self) -> float:
        return self.seconds / self.events * 1e6


def _rebuilt(settings: Settings, schema: str) -> Rebuilt:
    """Runs ``p2c rebuild`` on a log without read models."""
    _forget(settings, schema)
    given = {"P2C_DATABASE_URL": settings.database_url, "P2C_NATS_URL": settings.nats_url, "P2C_SCHEMA": schema}
    environment = {**os.environ, **{name: str(value) for name, value in given.items()}}
    command = [sys.executable, "-m", "api.cli", "rebuild", "--json"]
    with subprocess.Popen(command, cwd=CLONE, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    report = json.loads(told)
    return Rebuilt(report["events"], report["seconds"], used.ru_maxrss / 1024)


def _forget(settings: Settings, schema: str) -> None:
    """Removes all read models of a log, so that a rebuild has nothing to compare with."""
    generations = _generations(settings, schema)
    generations.prepare()
    assert settings.database_url is not None
    with connect(settings.database_url, schema, "p2c-bench") as conn:
        for each in generations.all():
            conn.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(each.schema)))
        conn.execute(sql.SQL("DELETE FROM {}.generation").format(sql.Identifier(generations.registry)))


def _generations(settings: Settings, schema: str) -> Generations:
    assert settings.database_url is not None
    return Generations(partial(connect, settings.database_url, schema, "p2c-bench"), schema)


async def figures(settings: Settings, size: Size, progress: Progress) -> list[Figure]:
    """How fast read models are made and answer, and whether that changes as history grows."""
    return await asyncio.to_thread(_figures, settings, size, progress)


def _figures(settings: Settings, size: Size, progress: Progress) -> list[Figure]:
    url = settings.database_url
    assert url is not None
    steps = 2 + 2 * size.rounds + 1
    for step, (schema, events) in enumerate(((FEW, size.history_few), (MANY, size.history_many))):
        progress(step, steps, f"writing a history of {events:,} events")
        migrate(url, schema)
        store(History(events), url, schema)
    few, stock = _in_turns(settings, size, lambda done, what: progress(2 + done, steps, what))
    progress(steps - 1, steps, f"rebuild of {size.history_many:,} events")
    many = _rebuilt(settings, MANY)
    asked = _asked(settings, size.queries)
    narrowed = _narrowed(settings, size.queries)
    progress(steps, steps, "read models")
    return [*_of_rebuilds(few, many, stock), _of_queries(size, asked), _of_scopes(size, narrowed)]


def _in_turns(
    settings: Settings, size: Size, progress: Callable[[int, str], None]
) -> tuple[list[Rebuilt], list[float]]:
    """Rebuilds of the short history and runs of the stock projection, by turns."""
    url = settings.database_url
    assert url is not None
    few: list[Rebuilt] = []
    stock: list[float] = []
    with open_ledger(settings.at(db_schema=FEW)) as log, connect(url, FEW, "p2c-bench") as conn:
        conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(STOCK)))
        with StockRun(url, log, STOCK).opened() as run:
            for number in range(size.rounds):
                progress(2 * number, "stock projection")
                stock.append(run.project(size.stock_events))
                progress(2 * number + 1, f"rebuild of {size.history_few:,} events")
                few.append(_rebuilt(settings, FEW))
    return few, stock


def _of_rebuilds(few: list[Rebuilt], many: Rebuilt, stock: list[float]) -> list[Figure]:
    few_microseconds = median(each.microseconds_per_event for each in few)
    few_memory = max(each.memory_mib for each in few)
    absolutes: dict[str, Any] = {
        "events": many.events,
        "events_few": few[0].events,
        "events_per_second": round(many.events / many.seconds),
        "events_per_second_few": [round(each.events / each.seconds) for each in few],
        "stock_events_per_second": [round(each) for each in stock],
        "memory_peak_mib": round(many.memory_mib, 1),
        "memory_peak_mib_few": round(few_memory, 1),
    }
    return [
        ratio(
            "rebuild_vs_stock",
            many.events / many.seconds,
            median(stock),
            at_least(20),
            "events per second into all read models, against the stock projection runner with the same folds",
            **absolutes,
        ),
        ratio(
            "rebuild_growth",
            many.microseconds_per_event,
            few_microseconds,
            at_most(1.2),
            f"time per event with {many.events:,} events over {few[0].events:,}",
            **absolutes,
        ),
        ratio(
            "rebuild_memory_growth",
            many.memory_mib,
            few_memory,
            at_most(1.5),
            "peak memory of the rebuilding process, the same two histories",
            **absolutes,
        ),
    ]


Dashboard = Callable[[View, Scope], object]

_PAGE: Final = 50
ONE: Final = Scope(entities=frozenset({"DE01"}))


def _eligibility(view: View, scope: Scope) -> object:
    unbilled = EligibilityFilter(unbilled=True)
    page = billing_eligibility.find(view, unbilled, scope, PageRequest(first=_PAGE, sort="work_date"))
    everything = EligibilityFilter()
    return (
        page,
        billing_eligibility.totals(view, unbilled, scope),
        billing_eligibility.reason_totals(view, everything, scope),
    )


def _margin(view: View, scope: Scope) -> object:
    request = PageRequest(first=_PAGE, sort="functional_margin", descending=True)
    return margin.find(view, "engagement", MarginFilter(), scope, request), margin.totals(view, MarginFilter(), scope)


def _sync(view: View, scope: Scope) -> object:
    request = PageRequest(first=_PAGE, sort="updated_at", descending=True)
    return sync_status.find(view, SyncFilter(), scope, request), sync_status.totals(view, SyncFilter(), scope)


DASHBOARDS: Final[dict[str, Dashboard]] = {"billing_eligibility": _eligibility, "margin": _margin, "sync_status": _sync}


def _asked(settings: Settings, queries: int) -> dict[tuple[str, str], list[float]]:
    """How long each dashboard takes to answer on each history, in milliseconds; asked by turns."""
    found: dict[tuple[str, str], list[float]] = {}
    with ExitStack() as stack:
        readers = {schema: stack.enter_context(_reader(settings, schema)) for schema in (FEW, MANY)}
        for number in range(-queries // 10, queries):
            for name, dashboard in DASHBOARDS.items():
                for schema, reader in readers.items():
                    with timed() as span, reader.view() as view:
                        dashboard(view, FIRM)
                    if number >= 0:
                        found.setdefault((name, schema), []).append(span.seconds * 1000)
    return found


def _narrowed(settings: Settings, queries: int) -> dict[tuple[str, bool], list[float]]:
    """How long each dashboard of one legal entity takes, in milliseconds; asked by turns.

    True is in a view of that entity, False in one of the whole firm, where its query alone leaves out the others.
    """
    found: dict[tuple[str, bool], list[float]] = {}
    with ExitStack() as stack:
        views = {narrow: stack.enter_context(_reader(settings, MANY)) for narrow in (False, True)}
        for number in range(-queries // 10, queries):
            for name, dashboard in DASHBOARDS.items():
                for narrow, reader in views.items():
                    with timed() as span, reader.view(scope=ONE if narrow else FIRM) as view:
                        dashboard(view, ONE)
                    if number >= 0:
                        found.setdefault((name, narrow), []).append(span.seconds * 1000)
    return found


def _of_scopes(size: Size, narrowed: dict[tuple[str, bool], list[float]]) -> Figure:
    middle = {key: median(times) for key, times in narrowed.items()}
    worst = max(DASHBOARDS, key=lambda name: middle[name, True] / middle[name, False])
    absolutes: dict[str, Any] = {
        f"{name}_ms_p50{'' if narrow else '_by_query_alone'}": round(value, 3)
        for (name, narrow), value in middle.items()
    }
    return ratio(
        "row_security_cost",
        middle[worst, True],
        middle[worst, False],
        at_most(1.3),
        "median of the dashboard of one legal entity that row-level security slows most, over its query without it,"
        f" with {size.history_many:,} events: {worst}",
        **absolutes,
    )


@contextmanager
def _reader(settings: Settings, schema: str) -> Iterator[Reader]:
    assert settings.database_url is not None
    with (
        open_ledger(settings.at(db_schema=schema), pool_size=2) as log,
        open_pool(settings.database_url, schema, size=1, application_name="p2c-bench") as pool,
    ):
        yield Reader(pool, log, _generations(settings, schema))


def _of_queries(size: Size, asked: dict[tuple[str, str], list[float]]) -> Figure:
    high = {key: percentile(times, SHARE) for key, times in asked.items()}
    worst = max(DASHBOARDS, key=lambda name: high[name, MANY] / high[name, FEW])
    absolutes: dict[str, Any] = {
        f"{name}_{what}{suffix}": round(value, 3)
        for name in DASHBOARDS
        for schema, suffix in ((MANY, ""), (FEW, "_few"))
        for what, value in (("ms_p50", median(asked[name, schema])), ("ms_p99", high[name, schema]))
    }
    return ratio(
        "query_growth",
        high[worst, MANY],
        high[worst, FEW],
        at_most(1.3),
        f"p99 of the slowest growing dashboard with {size.history_many:,} events over {size.history_few:,}: {worst}",
        **absolutes,
    )
