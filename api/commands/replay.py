"""``p2c replay``: the whole firm as it was at a position or a time, folded from the record again."""

from __future__ import annotations

import json as text
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from rich.table import Table

from adapters import embedded
from adapters.postgres import connect, open_pool
from adapters.settings import Settings, load
from api.books import open_ledger
from api.commands.moment import moment
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
    with embedded.running(load()) as settings:
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
    screen.say(
        f"As of position {mark.position}, recorded at {mark.recorded_at}; the log has reached {mark.head_position}."
    )
    _table(screen, "Projects", ("status", "projects"), ((each.status, each.count) for each in books.projects))
    work = ((each.state, each.currency, each.items, each.hours, each.value) for each in books.work)
    _table(screen, "Work", ("state", "currency", "items", "hours", "value"), work)
    billed = ((each.status, each.currency, each.count, each.net, each.gross, each.due) for each in books.invoices)
    _table(screen, "Invoices", ("status", "currency", "invoices", "net", "gross", "due"), billed)
    earned = (
        (each.currency, each.standard, each.billed, each.recognised, each.cost, each.margin) for each in books.margin
    )
    _table(screen, "Margin", ("currency", "standard", "billed", "recognised", "cost", "margin"), earned)
    synced = ((each.kind, each.target, each.state, each.count) for each in books.sync)
    _table(screen, "Target systems", ("object", "target", "state", "objects"), synced)
    problems = ((each.code, each.owner_role, each.count) for each in books.exceptions)
    _table(screen, "Open exceptions", ("code", "owner", "exceptions"), problems)


def _table(screen: Screen, title: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, header_style="dim")
    for row in rows:
        table.add_row(*(f"{value:,}" if not isinstance(value, str) else value for value in row))
    screen.console.print(table)
