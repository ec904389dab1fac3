"""What operators watch: how much is asked, how long it takes, how far reading is behind writing, what waits."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from psycopg import Connection
from psycopg.rows import TupleRow

from api.reactions import seconds_behind

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_WAITING: Final = """
SELECT (SELECT count(*) FROM parked_message), (SELECT count(*) FROM outbox WHERE relayed_at IS NULL)
"""


class Metrics:
    """The figures of one serving process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "p2c_requests", "Requests answered.", ["channel", "operation", "outcome"], registry=self.registry
        )
        self.seconds = Histogram(
            "p2c_request_seconds", "How long answers took.", ["channel"], buckets=SECONDS, registry=self.registry
        )
        self.subscribers = Gauge("p2c_subscribers", "Who listens to changes now.", registry=self.registry)
        self._head = Gauge("p2c_ledger_position", "Newest position of the ledger.", registry=self.registry)
        self._read = Gauge("p2c_read_model_position", "Position of the live read models.", registry=self.registry)
        self._lag = Gauge("p2c_read_model_lag_seconds", "Age of the oldest fact not read yet.", registry=self.registry)
        self._parked = Gauge("p2c_parked_messages", "Messages that wait for their parents.", registry=self.registry)
        self._behind = Gauge(
            "p2c_process_lag_seconds", "Age of the oldest fact not reacted to yet.", ["process"], registry=self.registry
        )
        self._unrelayed = Gauge("p2c_outbox_unrelayed", "Outgoing messages not published yet.", registry=self.registry)

    def page(self, conn: Connection[TupleRow], head: int, read: int, lag_seconds: float) -> bytes:
        """All figures as Prometheus reads them; what is in the database is counted now."""
        parked, unrelayed = conn.execute(_WAITING).fetchone() or (0, 0)
        self._head.set(head)
        self._read.set(read)
        self._lag.set(lag_seconds)
        self._parked.set(parked)
        self._unrelayed.set(unrelayed)
        for process, seconds in seconds_behind(conn).items():
            self._behind.labels(process).set(seconds)
        return generate_latest(self.registry)
