"""The read models: made from the log, against the stock runner with the same folds, at two sizes of log, and asked."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from psycopg import sql

from adapters.postgres import connect, migrate
from adapters.settings import Settings
from api.books import open_ledger
from projections.generation import Generations
from tests.bench import dashboards
from tests.bench.figures import Figure, at_least, at_most, ratio
from tests.bench.histories import History, store
from tests.bench.rounds import Progress
from tests.bench.sizes import Size
from tests.bench.stock_projection import StockRun

FEW: Final = "bench_few"
MANY: Final = "bench_many"
STOCK: Final = "bench_stock_read"
CLONE: Final = Path(__file__).resolve().parents[2]


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
    progress(steps - 1, steps, "dashboards")
    questions = dashboards.figures(settings, size, FEW, MANY)
    progress(steps, steps, "read models")
    return [*_of_rebuilds(few, many, stock), *questions]


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
