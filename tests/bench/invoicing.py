"""How long it takes from eligible lots to an issued invoice with a line for each, at two sizes, on PostgreSQL.

It is measured beside one statement that writes the same events a second time: all that an invoice touches, without any
rules.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from statistics import median
from typing import Final

from adapters.eventstore.ledger import Ledger
from adapters.eventstore.unit import UnitOfWork
from adapters.postgres import migrate
from adapters.settings import Settings
from api.books import open_ledger
from domain.billing import drafting, issuing
from domain.billing.draft_plan import DraftPlan
from domain.kernel import Addressed
from domain.ports import LotAt
from tests.bench.approved_work import open_lots, written_again
from tests.bench.figures import Figure, at_most, ratio
from tests.bench.rounds import Progress, timed
from tests.bench.sizes import Size
from tests.world import NINE, World, cause

SCHEMA: Final = "bench_invoice"
LINES: Final = {"small": (50, 200), "full": (1_000, 10_000)}
CUT_OFF: Final = date(2100, 1, 1)
ISSUED_ON: Final = date(2026, 4, 1)


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
        World(ledger).firm().contract()
        for number in range(size.rounds):
            for lines in (few, many):
                progress(done, total, f"an invoice of {lines:,} lines")
                lots = open_lots(ledger, lines, f"{number}-{lines}")
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
            None,  # the statement copies some hundred rows, without a rule that prices, taxes or judges a line
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
