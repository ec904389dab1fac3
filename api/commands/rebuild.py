"""``p2c rebuild``: the read models made anew beside the live ones, compared with them, and put in their place."""

from __future__ import annotations

import json as text
import sys
from functools import partial

from adapters import embedded
from adapters.postgres import connect
from adapters.settings import load
from api.books import open_ledger
from api.running.screen import Screen
from projections import build
from projections.build import RebuildReport
from projections.generation import Generations


def run(*, json: bool = False) -> None:
    """Rebuild, show the progress, and tell what was made and where the old generation differed."""
    with embedded.running(load()) as settings:
        assert settings.database_url is not None, "running servers have addresses"
        generations = Generations(
            partial(connect, settings.database_url, settings.db_schema, "p2c-rebuild"), settings.db_schema
        )
        screen = Screen()
        with open_ledger(settings, pool_size=3, cache_streams=0) as ledger:
            if json:
                report = build.rebuild(ledger, generations)
            else:
                with screen.measuring("Rebuilding the read models") as progress:
                    report = build.rebuild(ledger, generations, progress)
    if json:
        sys.stdout.write(text.dumps(as_json(report)) + "\n")
    else:
        screen.list(lines(report))


def as_json(report: RebuildReport) -> dict[str, object]:
    """The report for scripts."""
    return {
        "generation": report.generation.name,
        "replaced": report.replaced.name if report.replaced else None,
        "position": report.generation.position,
        "events": report.events,
        "seconds": round(report.seconds, 3),
        "compared_at": report.compared_at,
        "differing_tables": list(report.differing_tables),
    }


def lines(report: RebuildReport) -> list[tuple[str, str]]:
    """The report for people."""
    per_second = report.events / report.seconds if report.seconds else 0.0
    if report.compared_at is None:
        compared = "with nothing: there was no generation of the same tables"
    elif report.differing_tables:
        compared = f"at {report.compared_at}, different: {', '.join(report.differing_tables)}"
    else:
        compared = f"at {report.compared_at}, all tables are the same"
    return [
        ("Live now", f"{report.generation.name} at position {report.generation.position}"),
        ("Before", report.replaced.name if report.replaced else "nothing"),
        ("Folded", f"{report.events} events in {report.seconds:.1f} s, {per_second:,.0f} a second"),
        ("Compared", compared),
    ]
