"""``p2c doctor``: whether the guarantees of the ledger hold where it runs."""

from __future__ import annotations

import json as text
import sys
from collections.abc import Iterator
from dataclasses import asdict

import nats.errors
import psycopg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters import embedded
from adapters.settings import Settings, load
from api import checks, facts
from api.checks import Check
from api.roles.automate import PROCESSES

NAMES = tuple(each.name for each in PROCESSES)
_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}


def run(*, json: bool) -> None:
    """Check everything and show it; exit code 1 when a check has failed."""
    settings = load()
    with embedded.running(settings) as found:
        results = list(examine(found))
    if json:
        sys.stdout.write(text.dumps([asdict(result) for result in results], indent=2) + "\n")
    else:
        Console().print(_table(results))
    if any(result.outcome == "failed" for result in results):
        sys.exit(1)


def examine(settings: Settings) -> Iterator[Check]:
    """All checks; a server that does not answer is one failed check."""
    production = settings.mode == "production"
    yield from checks.of_host(facts.host(settings.home))
    try:
        yield from checks.of_database(facts.database(settings, NAMES), production=production)
    except psycopg.Error as problem:
        yield Check("PostgreSQL", "failed", f"cannot be reached: {problem}".strip(), "start it, check P2C_DATABASE_URL")
    try:
        yield from checks.of_broker(facts.broker(settings), production=production)
    except (nats.errors.Error, OSError) as problem:
        yield Check("NATS", "failed", f"cannot be reached: {problem}", "start it, check P2C_NATS_URL")


def _table(results: list[Check]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("check", "outcome", "found", "what to do"):
        table.add_column(title, header_style="dim")
    for result in results:
        outcome = f"[{_COLOURS[result.outcome]}]{result.outcome}[/]"
        table.add_row(result.name, outcome, escape(result.found), escape(result.fix))
    return table
