"""The trial balance as of any day of the books, against ``beancount`` loading and summing the same journal.

The postings are entered by the rules of posting, through the writer of the journal, over three years of a firm with one
entity; the plain-text journal is the one that ``p2c export`` writes. Ours answers from sums of months and of the days
of the last one, so that it should not grow with the journal.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from beancount import loader
from beancount.core import data
from psycopg import sql

from adapters.eventstore.memory import MemoryLedger
from adapters.postgres import connect, migrate
from adapters.settings import Settings
from api.commands.export import account_of, write_beancount
from domain.books import postings
from domain.books.account_role import AccountRole
from domain.books.journal import Carried, same
from domain.books.postings import BilledOf
from domain.calendar import DayOpened
from domain.catalogue import DECIDERS, EVENTS
from domain.kernel import Cause, Recorded, StreamId
from projections.contexts import Contexts
from projections.generation import Generations
from projections.journal import journal
from projections.journal.journal import BalanceFilter, BalanceRow
from projections.journal.writer import About, JournalWriter
from projections.memory import MemoryStore
from projections.reader import FIRM, View, Watermark
from projections.shelf import Changes
from projections.store import Mark
from tests.bench.figures import Figure, at_least, at_most, ratio
from tests.bench.rounds import Progress, timed
from tests.bench.sizes import Size

SCHEMA: Final = "bench_journal"
POSTINGS: Final = {"small": (500, 4_000), "full": (10_000, 1_000_000)}
BEGAN: Final = date(2023, 1, 1)
DAYS: Final = 3 * 365
ENTRIES_PER_BATCH: Final = 5_000
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
POSTINGS_PER_ROUND: Final = 9
EURO: Final = same("EUR")


async def figures(settings: Settings, size: Size, progress: Progress) -> list[Figure]:
    """How much quicker than loading plain text, and whether a longer journal costs more."""
    return await asyncio.to_thread(_figures, settings, size, progress)


def _figures(settings: Settings, size: Size, progress: Progress) -> list[Figure]:
    url = settings.database_url
    assert url is not None
    migrate(url, SCHEMA)
    generations = Generations(partial(connect, url, SCHEMA), SCHEMA)
    generations.prepare()
    few, many = POSTINGS[size.name]
    ours: dict[int, float] = {}
    theirs = 0.0
    for place, count in enumerate((few, many)):
        progress(place, 2, f"a journal of {count:,} postings")
        with _journal(generations, url, count) as view:
            ours[count] = _asked(view, size.queries)
            if count == many:
                theirs = _loaded(view)
    progress(2, 2, "trial balances")
    return [
        ratio(
            "trial_balance_vs_beancount",
            theirs,
            ours[many],
            at_least(100 if size.name == "full" else 1),
            "times quicker than beancount loads and sums the same journal",
            postings=many,
            ours_seconds_p50=ours[many],
            beancount_seconds=theirs,
        ),
        ratio(
            "trial_balance_growth",
            ours[many],
            ours[few],
            at_most(2 if size.name == "full" else 20),
            f"time of a trial balance over {many:,} postings against {few:,}",
            few_seconds_p50=ours[few],
            many_seconds_p50=ours[many],
        ),
    ]


@contextmanager
def _journal(generations: Generations, url: str, count: int) -> Iterator[View]:
    """A generation whose journal has at least so many postings."""
    info = generations.create("b")
    entered, position = 0, 0
    with generations.store(info) as store:
        writer = JournalWriter(MemoryStore(), Contexts(MemoryLedger(EVENTS, DECIDERS), 0))
        while entered < count:
            before = position
            for _ in range(min(ENTRIES_PER_BATCH, (count - entered) // POSTINGS_PER_ROUND + 1)):
                position += 1
                _work_to_cash(writer, position)
                entered += POSTINGS_PER_ROUND
            changes = Changes()
            writer.collect(changes)
            store.write(changes, Mark(before, position, NOW, position - before))
    generations.finish(info)
    with connect(url, SCHEMA) as conn, conn.transaction():
        conn.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(info.schema)))
        yield View(conn, Watermark(position, NOW, position, info.name, is_live=False, sources=()))
    generations.drop(info)


def _work_to_cash(writer: JournalWriter, number: int) -> None:
    """Eight hours that cost, earn, are billed with tax and paid: four entries, nine postings."""
    day = BEGAN + timedelta(days=number % DAYS)
    fact = Recorded(StreamId("calendar:firm"), number, number, "calendar.day_opened.v1", _DAY, _CAUSE, NOW)
    about = About("C-1", f"E-{number % 500}", "L1", f"P-{number % 500}", f"lot-{number}")
    value, nothing = Decimal(number % 900 + 100), Carried()
    earned = postings.recognise(nothing, value, "EUR", EURO, AccountRole.REVENUE_TM)
    tax = EURO.of(value * Decimal("0.19"))
    issued = postings.issue([BilledOf("E-1", value, earned.left)], tax, Decimal(0), Decimal(0), "EUR", EURO)
    for because, posted in (
        ("work costs", postings.labour(value / 2, "EUR", EURO)),
        ("revenue is recognised", earned.postings),
        ("an invoice is issued", issued.postings),
        ("money arrives", postings.pay(issued.receivable, value + tax, "EUR", EURO).postings),
    ):
        writer.enter(fact, "DE01", because, day, posted, about)


_DAY: Final = DayOpened(BEGAN, NOW, None)
_CAUSE: Final = Cause("process:bench", "bench")


def _asked(view: View, queries: int) -> float:
    """The median time of a trial balance as of a day anywhere in the three years."""
    chosen = random.Random(1)
    seconds = []
    for _ in range(queries + 1):
        where = BalanceFilter(on=BEGAN + timedelta(days=chosen.randrange(DAYS)))
        with timed() as span:
            journal.trial_balance(view, where, FIRM)
        seconds.append(span.seconds)
    return median(seconds[1:])


def _loaded(view: View) -> float:
    """How long beancount needs for the same answer; it must be the same."""
    whole = journal.trial_balance(view, BalanceFilter(), FIRM)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.beancount"
        with path.open("w", encoding="utf-8") as file:
            write_beancount(journal.in_order(view, FIRM), whole, file)
        with timed() as span:
            entries, errors, _ = loader.load_file(str(path))
            sums = _summed(entries)
    assert not errors, errors[:3]
    assert sums == _ours(whole), "both say the same"
    return span.seconds


def _summed(entries: list[data.Directive]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for entry in entries:
        if isinstance(entry, data.Transaction):
            for posting in entry.postings:
                units = posting.units
                assert units is not None
                assert units.number is not None
                sums[posting.account] = sums.get(posting.account, Decimal(0)) + units.number
    return sums


def _ours(rows: tuple[BalanceRow, ...]) -> dict[str, Decimal]:
    return {account_of(row.entity, row.account): row.balance for row in rows}
