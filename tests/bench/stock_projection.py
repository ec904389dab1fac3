"""The stock way of projecting: the library's runner hands over one event at a time, and each is one commit.

The folds, their tables and the writing of rows are ours; the application with its log, the subscription, the tracking
and the transactions are the library's. The folds keep their rows in memory between events, as ours do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Final, Self

from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner

from adapters.eventstore.ledger import Ledger
from adapters.postgres import connect
from domain.catalogue import EVENTS
from domain.kernel import Recorded, StreamId
from projections.fold import Fold
from projections.generation import Generations
from projections.shelf import Changes
from projections.store import PostgresStore
from tests.bench.rounds import timed
from tests.bench.stock import Decided, StockLedger, environment

WAIT_SECONDS: Final = 300.0
_NAMES: Final = {kind: name for name, kind in EVENTS.items()}


class StockView(PostgresTrackingRecorder):
    """The read models, written in the transaction that notes the position."""

    def save(self, store: PostgresStore, changes: Changes, tracking: Tracking) -> None:
        """The writes of one event and its position, in one commit."""
        with self.datastore.transaction(commit=True) as cursor:
            store.put(cursor, changes)
            self._insert_tracking(cursor, tracking=tracking)


@dataclass(frozen=True, slots=True)
class Models:
    """The folds of all read models and the tables that they write."""

    fold: Fold
    store: PostgresStore


class StockProjection(Projection[StockView]):
    """All read models as one projection of the library; ``models`` is what the next one made will fold."""

    models: ClassVar[Models]

    def __init__(self, view: StockView) -> None:
        super().__init__(view)
        self._models = self.models

    def process_event(self, domain_event: Decided, tracking: Tracking) -> None:
        """One event: fold, write, commit."""
        changes = self._models.fold.apply([_fact(domain_event, tracking.notification_id)])
        self.view.save(self._models.store, changes, tracking)


def _fact(event: Decided, position: int) -> Recorded[Any]:
    name = _NAMES[type(event.fact)]
    stream = StreamId(event.originator_id)
    return Recorded(stream, event.originator_version, position, name, event.fact, event.cause, event.timestamp)


class StockRun:
    """The beginning of one of our logs as the stock application stores it, projected part by part."""

    def __init__(self, url: str, log: Ledger, schema: str) -> None:
        self._log = log
        self._env = environment(url, schema)
        self._generations = Generations(partial(connect, url, schema, "p2c-bench"), schema)
        self._generations.prepare()
        self._position = 0

    @contextmanager
    def opened(self) -> Iterator[Self]:
        """While this is open the tables are there and may be written."""
        made = self._generations.create("s", logged=True)
        with self._generations.store(made) as store:
            StockProjection.models = Models(Fold(self._log, store, 0), store)
            yield self

    def project(self, events: int) -> float:
        """Stores the next part of the log, then projects it; returns how many events a second were projected."""
        until = self._position + events
        with StockLedger(self._env) as app:
            app.save(*(_decided(fact) for fact in self._log.read(self._position, events, until)))
        with timed() as span:
            runner = ProjectionRunner(
                application_class=StockLedger, projection_class=StockProjection, view_class=StockView, env=self._env
            )
            with runner:
                runner.wait(until, timeout=WAIT_SECONDS)
        self._position = until
        return events / span.seconds


def _decided(fact: Recorded[Any]) -> Decided:
    return Decided(fact.stream, fact.version, fact.recorded_at, fact.event, fact.cause)
