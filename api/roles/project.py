"""The part that keeps the read models current: one active projector follows the log, whatever breaks on the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

import psycopg
import structlog

from adapters.backoff import backoff_seconds
from adapters.collector import spare_the_collector
from adapters.eventstore.errors import LedgerUnreachable
from adapters.eventstore.ledger import Ledger
from adapters.postgres import connect
from adapters.settings import Settings
from api.books import open_ledger
from projections.build import RebuildReport
from projections.generation import Generations
from projections.keeping import keep_closed
from projections.projector import Projector

CONNECTIONS: Final = 5
"""One to read, one to read ahead, one to ask for the head of the log; two for what is kept of closed periods."""
KEEP_SECONDS: Final = 2.0

_log = structlog.get_logger(__name__)


def main(settings: Settings, stop: threading.Event) -> None:
    """Project until told to stop; a database that goes away is waited for."""
    assert settings.database_url is not None, "roles are started on servers that run"
    spare_the_collector()
    generations = Generations(
        partial(connect, settings.database_url, settings.db_schema, "p2c-project"), settings.db_schema
    )
    failures = 0
    while not stop.is_set():
        try:
            with (
                open_ledger(settings, pool_size=CONNECTIONS, cache_streams=0) as ledger,
                keeping(ledger, generations),
            ):
                Projector(ledger, generations).run(stop, _told)
        except (psycopg.OperationalError, LedgerUnreachable) as problem:
            failures += 1
            _log.warning("database out of reach", problem=str(problem), failures=failures)
            stop.wait(backoff_seconds(failures))
        else:
            failures = 0


@contextmanager
def keeping(ledger: Ledger, generations: Generations) -> Iterator[None]:
    """Beside the projector, generations are kept as of the close of each period."""
    done = threading.Event()
    thread = threading.Thread(target=_keep, args=(ledger, generations, done), name="keep", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _keep(ledger: Ledger, generations: Generations, done: threading.Event) -> None:
    while not done.wait(KEEP_SECONDS):
        try:
            for made in keep_closed(ledger, generations):
                _log.info("read models kept as of a close", generation=made.name, position=made.position)
        except (psycopg.Error, LedgerUnreachable) as problem:
            _log.warning("read models of a close not kept yet", problem=str(problem))


def _told(report: RebuildReport) -> None:
    _log.info(
        "read models made anew",
        generation=report.generation.name,
        events=report.events,
        seconds=round(report.seconds, 1),
        differing_tables=report.differing_tables,
    )
