"""``p2c doctor``: whether the guarantees of the ledger hold where it runs."""

from __future__ import annotations

import json as text
import sys
from collections.abc import Iterator
from dataclasses import asdict

import nats.errors
import psycopg
from rich.console import Console
from rich.text import Text

from adapters import embedded
from adapters.settings import Settings, load
from api import checks, facts
from api.checks import Check
from api.commands.tables import table
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
        found_as = ((each.name, Text(each.outcome, _COLOURS[each.outcome]), each.found, each.fix) for each in results)
        Console().print(table(found_as, ("check", "outcome", "found", "what to do")))
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
