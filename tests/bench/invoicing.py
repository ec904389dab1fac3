"""How long it takes from eligible lots to an issued invoice with a line for each, at two sizes, on PostgreSQL.

It is measured beside one statement that writes the same events a second time: all that an invoice touches, without any
rules. Lots lie in timesheets of 25 entries, as an invoice of some hundred consultants over some weeks has them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import Final

from psycopg import sql

from adapters.eventstore.ledger import Ledger
from adapters.eventstore.unit import UnitOfWork
from adapters.postgres import connect, migrate
from adapters.settings import Settings
from api.books import open_ledger
from domain.billing import drafting, issuing
from domain.billing.drafting import DraftPlan
from domain.kernel import Addressed, StreamId
from domain.lots import LotStatus
from domain.ports import LotAt
from domain.timesheet import ApproveTime, Claim, LogTime, Work, timesheet_stream
from tests.bench.figures import Figure, Target, at_most, ratio
from tests.bench.rounds import Progress, timed
from tests.bench.sizes import Size
from tests.world import MONDAY, NINE, World, cause

SCHEMA: Final = "bench_invoice"
ENTRIES_PER_WEEK: Final = 25
LINES: Final = {"small": (50, 200), "full": (1_000, 10_000)}
CUT_OFF: Final = date(2100, 1, 1)
ISSUED_ON: Final = date(2026, 4, 1)

_COPY: Final = """
INSERT INTO {schema}.written_again
SELECT * FROM {schema}.stored_events WHERE notification_id > %s AND notification_id <= %s
"""


async def figures(settings: Settings, size: Size, progress: Progress) -> list[Figure]:
    """How fast large invoices are issued, and whether a line of a larger one costs more."""
    return await asyncio.to_thread(_figures, settings, size, progress)


def _figures(settings: Settings, size: Size, progress: Progress) -> list[Figure]:
    url = settings.database_url
    assert url is not None
    migrate(url, SCHEMA)
    few, many = LINES[size.name]
    ours: dict[int, list[float]] = {few: [], many: []}
    theirs: dict[int, list[float]] = {few: [], many: []}
    total, done = 2 * size.rounds, 0
    with open_ledger(settings.model_copy(update={"db_schema": SCHEMA}), cache_streams=2_000) as ledger:
        world = World(ledger).firm().contract()
        for number in range(size.rounds):
            for lines in (few, many):
                progress(done, total, f"an invoice of {lines:,} lines")
                lots = worked(world, lines, f"{number}-{lines}")
                before = ledger.head()
                with timed() as span:
                    _invoiced(ledger, lots, f"I-{number}-{lines}")
                ours[lines].append(span.seconds)
                theirs[lines].append(written_again(url, SCHEMA, before, ledger.head()))
                done += 1
    progress(total, total, "invoices")
    return _told(ours, theirs, few, many)


def _told(ours: dict[int, list[float]], theirs: dict[int, list[float]], few: int, many: int) -> list[Figure]:
    seconds, statement = median(ours[many]), median(theirs[many])
    per_line = {lines: median(ours[lines]) / lines for lines in (few, many)}
    absolutes: dict[str, float | int | str | Sequence[float]] = {
        "lines_few": few,
        "lines_many": many,
        "seconds_few": ours[few],
        "seconds_many": ours[many],
        "statement_seconds_few": theirs[few],
        "statement_seconds_many": theirs[many],
    }
    means = f"eligible lots to an issued invoice of {many:,} lines"
    return [
        Figure("invoice_10k_seconds", round(seconds, 3), f"{means}, in seconds", None, absolutes),
        ratio(
            "invoice_vs_statement",
            seconds,
            statement,
            Target("at most", 100),
            f"{means}, against one statement that writes its events again",
            ours=ours[many],
            theirs=theirs[many],
        ),
        ratio(
            "invoice_growth",
            per_line[many],
            per_line[few],
            at_most(1.2),
            f"time per line of an invoice of {many:,} lines, against one of {few:,}",
            ours=ours[many],
            theirs=ours[few],
        ),
    ]


def worked(world: World, lines: int, name: str) -> list[LotAt]:
    """So many open lots, approved week by week."""
    streams: list[StreamId] = []
    for first in range(0, lines, ENTRIES_PER_WEEK):
        count = min(ENTRIES_PER_WEEK, lines - first)
        week = len(streams)
        person = f"W-{name}-{week % 40}"
        monday = MONDAY + timedelta(days=7 * (week // 40))
        if week < 40:
            world.person(person)
        stream = timesheet_stream(person, monday)
        world.record(list(week_of_work(stream, person, monday, first, count, name)))
        world.react()
        streams.append(stream)
    return [LotAt(stream, lot) for stream in streams for lot in _open(world, stream)]


def week_of_work(stream: StreamId, person: str, monday: date, first: int, count: int, name: str) -> Iterator[Addressed]:
    """So many entries of one person's week, and their approval."""
    names = [f"{name}-{first + place}" for place in range(count)]
    for place, entry in enumerate(names):
        day = monday + timedelta(days=place % 5)
        work = Work("P-1-L1", None, day, Decimal("1.5"), started=f"{9 + place // 5:02}:00:00")
        yield Addressed(stream, LogTime(person, Claim("jira", entry, NINE), work))
    yield Addressed(stream, ApproveTime(tuple(f"jira:{entry}" for entry in names), "W-9", NINE))


def _open(world: World, stream: StreamId) -> list[str]:
    return [lot for lot, held in world.read(stream).lots.items() if held.status is LotStatus.OPEN]


def _invoiced(ledger: Ledger, lots: Sequence[LotAt], invoice: str) -> None:
    """Drafted, approved and issued, each in its transaction, as the services do it."""
    plan = DraftPlan(CUT_OFF, "paul", CUT_OFF, layout="detail", strict=True)
    unit = ledger.unit()
    unit.prefetch({lot.stream for lot in lots})
    _record(ledger, unit, drafting.draft_invoices(unit.state, lots, plan, lambda _: invoice).commands)
    unit = ledger.unit()
    _record(ledger, unit, issuing.approve_invoice(unit.state, invoice, "ann", NINE))
    unit = ledger.unit()
    _record(ledger, unit, issuing.issue_invoice(unit.state, invoice, ISSUED_ON))


def _record(ledger: Ledger, unit: UnitOfWork, commands: Sequence[Addressed]) -> None:
    unit.prefetch(each.stream for each in commands)
    why = cause()
    for each in commands:
        unit.decide(each, why)
    ledger.commit(unit)


def written_again(url: str, schema: str, after: int, until: int) -> float:
    """The seconds that one statement needs to write the same events into a table of the same form."""
    names = {"schema": sql.Identifier(schema)}
    with connect(url, schema, "p2c-bench") as conn:
        conn.execute(sql.SQL("DROP TABLE IF EXISTS {schema}.written_again").format(**names))
        made = "CREATE TABLE {schema}.written_again (LIKE {schema}.stored_events INCLUDING INDEXES)"
        conn.execute(sql.SQL(made).format(**names))
        with timed() as span:
            conn.execute(sql.SQL(_COPY).format(**names), [after, until])
        return span.seconds
