"""Approved and priced work for the benchmarks of lots: weeks of 25 entries, as some hundred consultants have them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from psycopg import sql

from adapters.eventstore.ledger import Ledger
from adapters.postgres import connect
from domain.kernel import Addressed, StreamId, stream_of
from domain.lots import Lot
from domain.ports import LotAt
from domain.pricing.lots import lot_of_entry
from domain.timesheet import ApproveTime, Claim, LogTime, RateEntry, Work, timesheet_stream
from tests.bench.rounds import timed
from tests.world import MONDAY, NINE, cause, senior

ENTRIES_PER_WEEK: Final = 25
PEOPLE: Final = 40
EVENTS_PER_COMMIT: Final = 2_000

_COPY: Final = """
INSERT INTO {schema}.written_again
SELECT * FROM {schema}.stored_events WHERE notification_id > %s AND notification_id <= %s
"""


def open_lots(ledger: Ledger, count: int, name: str) -> list[LotAt]:
    """So many open lots, of people and entries of this name; nobody has to react to anything."""
    made: list[LotAt] = []
    unit = ledger.unit()
    for week, first in enumerate(range(0, count, ENTRIES_PER_WEEK)):
        person, monday = f"W-{name}-{week % PEOPLE}", MONDAY + timedelta(days=7 * (week // PEOPLE))
        if week < PEOPLE:
            unit.decide(Addressed(stream_of("resource", person), senior(person)), cause())
        stream = timesheet_stream(person, monday)
        for command in _week(stream, person, monday, f"{name}-{week}", min(ENTRIES_PER_WEEK, count - first)):
            unit.decide(command, cause())
        for entry in list(unit.state(stream).entries.values()):
            lot = lot_of_entry(person, entry, unit.state)
            assert isinstance(lot, Lot), lot
            unit.decide(Addressed(stream, RateEntry(lot)), cause())
        made += [LotAt(stream, lot) for lot in unit.state(stream).lots]
        if len(unit.new) >= EVENTS_PER_COMMIT:
            ledger.commit(unit)
            unit = ledger.unit()
    ledger.commit(unit)
    return made


def _week(stream: StreamId, person: str, monday: date, name: str, count: int) -> Iterator[Addressed]:
    """So many entries of one person's week, and their approval."""
    names = [f"{name}-{place}" for place in range(count)]
    for place, entry in enumerate(names):
        day = monday + timedelta(days=place % 5)
        work = Work("P-1-L1", None, day, Decimal("1.5"), started=f"{9 + place // 5:02}:00:00")
        yield Addressed(stream, LogTime(person, Claim("jira", entry, NINE), work))
    yield Addressed(stream, ApproveTime(tuple(f"jira:{entry}" for entry in names), "W-9", NINE))


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
