"""``p2c replay``: the whole firm as it was at a position or a time, folded from the record again."""

from __future__ import annotations

import json as text
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial

from rich.console import Console
from rich.table import Table

from adapters import embedded
from adapters.postgres import connect, open_pool
from adapters.settings import Settings, load
from api.books import open_ledger
from api.commands.moment import moment
from api.commands.tables import table
from api.running.screen import Screen
from projections import build
from projections.eligibility import billing_eligibility
from projections.eligibility.billing_eligibility import EligibilityFilter, EligibilityTotals
from projections.exceptions import exceptions
from projections.exceptions.exceptions import ExceptionFilter, ExceptionTotals
from projections.generation import Generations
from projections.invoices import invoices
from projections.invoices.invoices import InvoiceFilter, InvoiceTotals
from projections.margin import margin
from projections.margin.margin import MarginFilter, MarginRow
from projections.reader import FIRM, At, Reader, View, Watermark
from projections.registers import projects
from projections.registers.projects import ProjectFilter, ProjectTotals
from projections.systems import sync_status
from projections.systems.sync_status import SyncFilter, SyncTotals


@dataclass(frozen=True, slots=True)
class Books:
    """The firm at one moment, in sums."""

    watermark: Watermark
    projects: tuple[ProjectTotals, ...]
    work: tuple[EligibilityTotals, ...]
    invoices: tuple[InvoiceTotals, ...]
    margin: tuple[MarginRow, ...]
    sync: tuple[SyncTotals, ...]
    exceptions: tuple[ExceptionTotals, ...]


def run(*, position: int | None = None, recorded_at: str | None = None, json: bool = False) -> None:
    """Fold up to that moment, or find the generation that was folded before, and show its books."""
    at = moment(position, recorded_at)
    with embedded.running(load()) as settings, Screen(Console(stderr=True)).doing("Folding the record"):
        books = books_at(settings, at)
    if json:
        sys.stdout.write(text.dumps(asdict(books), default=str) + "\n")
    else:
        _show(Screen(), books)


def books_at(settings: Settings, at: At | None) -> Books:
    """The books at one moment; the present ones when none is named."""
    assert settings.database_url is not None, "running servers have addresses"
    url, schema = settings.database_url, settings.db_schema
    generations = Generations(partial(connect, url, schema, "p2c-replay"), schema)
    with open_ledger(settings, pool_size=3, cache_streams=0) as ledger:
        generations.prepare()
        if generations.live() is None:
            build.rebuild(ledger, generations)
        with (
            open_pool(url, schema, size=2, application_name="p2c-replay") as pool,
            Reader(pool, ledger, generations).view(at) as view,
        ):
            return books_of(view)


def books_of(view: View) -> Books:
    """The books that a view shows."""
    return Books(
        watermark=view.watermark,
        projects=projects.totals(view, ProjectFilter(), FIRM),
        work=billing_eligibility.totals(view, EligibilityFilter(), FIRM),
        invoices=invoices.totals(view, InvoiceFilter(), FIRM),
        margin=margin.totals(view, MarginFilter(), FIRM),
        sync=sync_status.totals(view, SyncFilter(), FIRM),
        exceptions=exceptions.totals(view, ExceptionFilter(is_open=True), FIRM),
    )


def _show(screen: Screen, books: Books) -> None:
    mark = books.watermark
    recorded = f", recorded at {mark.recorded_at:%Y-%m-%d %H:%M:%S %Z}" if mark.recorded_at else ""
    screen.say(f"As of position {mark.position:,}{recorded}; the log has reached {mark.head_position:,}.")
    for each in _tables(books):
        if each.row_count:
            screen.console.print("", each)


def _tables(books: Books) -> Iterator[Table]:
    projects = ((each.status, each.count) for each in books.projects)
    yield table(projects, ("status",), ("projects",), "Projects")
    work = ((each.state, each.currency, each.items, each.hours, each.value) for each in books.work)
    yield table(work, ("state", "currency"), ("items", "hours", "value"), "Work")
    billed = ((each.status, each.currency, each.count, each.net, each.gross, each.due) for each in books.invoices)
    yield table(billed, ("status", "currency"), ("invoices", "net", "gross", "due"), "Invoices")
    earned = (
        (each.currency, each.functional_currency, each.standard, each.billed, each.recognised, each.cost, each.margin)
        for each in books.margin
    )
    amounts = ("standard", "billed", "recognised", "cost", "margin")
    yield table(earned, ("currency", "books"), amounts, "Margin")
    synced = ((each.kind, each.target, each.state, each.count) for each in books.sync)
    yield table(synced, ("object", "target", "state"), ("objects",), "Target systems")
    problems = (
        (each.code, each.owner_role, each.currency or "", each.count, each.money_at_risk) for each in books.exceptions
    )
    yield table(problems, ("code", "owner", "currency"), ("exceptions", "money at risk"), "Open exceptions")
