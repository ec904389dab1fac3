"""``p2c verify``: every rule of the books, checked on the whole record, and who breaks it."""

from __future__ import annotations

import json as text
import sys
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial

import typer
from rich.console import Console
from rich.table import Table

from adapters import embedded
from adapters.postgres import connect
from adapters.settings import Settings, load
from api.books import open_ledger
from api.running.screen import Screen
from api.running.supervisor import Progress
from api.verification import journal
from api.verification.books import verify
from api.verification.report import Check, Report
from projections import build
from projections.generation import Generations

FOUND = 1
OFFENDERS_SHOWN_MAX = 20


def run(*, json: bool) -> None:
    """Check everything; exits with 1 and names the offenders when a rule is broken."""
    screen = Screen(Console(stderr=True) if json else None)
    with embedded.running(load()) as settings, screen.measuring("Verifying") as progress:
        report = report_of(settings, progress)
    if json:
        sys.stdout.write(text.dumps({"holds": report.holds, **asdict(report)}) + "\n")
    else:
        _show(screen, report)
    if not report.holds:
        raise typer.Exit(FOUND)


def report_of(settings: Settings, progress: Progress) -> Report:
    """The verification of an installation whose servers run."""
    assert settings.database_url is not None, "the servers run"
    connections = partial(connect, settings.database_url, settings.db_schema, "p2c-verify")
    generations = Generations(connections, settings.db_schema)
    generations.prepare()
    with open_ledger(settings, pool_size=2) as ledger, connections() as conn:

        def read_models() -> Iterator[tuple[str, str]]:
            found = build.verify(ledger, generations, progress=progress)
            by_table = {
                table: "; ".join(str(each) for each in found.offenders if each.table == table)
                for table in {each.table for each in found.offenders}
            }
            for check in found.tables:
                yield check.table, "" if check.is_same else by_table.get(check.table, "its rows differ")

        live = generations.live()
        if live is None:
            return verify(ledger, conn, None, progress)

        def proofs() -> list[Check]:
            return journal.checks_of(conn, (generations.live() or live).schema)

        return verify(ledger, conn, read_models, progress, proofs)


def _show(screen: Screen, report: Report) -> None:
    table = Table(title=f"The books up to position {report.position:,}", title_justify="left")
    for column, justify in (
        ("rule", "left"),
        ("checked", "right"),
        ("broken", "right"),
        ("what has to be true", "left"),
    ):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]  # one of rich's words
    for check in report.checks:
        broken = f"[red]{check.breach_count:,}[/]" if check.breach_count else "0"
        table.add_row(check.name, f"{check.looked_at:,}", broken, check.rule)
    screen.console.print(table)
    for check in report.checks:
        for breach in check.breaches[:OFFENDERS_SHOWN_MAX]:
            screen.say(f"{check.name}: {breach.object}: {breach.detail}")
    screen.say("Every rule holds." if report.holds else "The books are not in order.")
