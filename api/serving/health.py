"""Whether this installation lives, and whether it is ready: tables current, read models caught up, sample loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from adapters.eventstore.base import BaseLedger
from adapters.eventstore.errors import LedgerUnreachable
from adapters.postgres import DatabaseProblem, require_migrated
from api.sample.mark import sample_state

LAG_SECONDS_MAX: Final = 2.0


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that has to be so before people are let in."""

    name: str
    holds: bool
    found: str


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the read models are: their position, the ledger's, and the age of the oldest fact between."""

    read: int
    head: int
    seconds: float


def lag_of(ledger: BaseLedger, read: int, now: datetime | None = None) -> Lag:
    """How far reading is behind writing."""
    head = ledger.head()
    unread = ledger.read(read, 1) if read < head else []
    if not unread:
        return Lag(read, head, 0.0)
    age = (datetime.now(UTC) if now is None else now) - unread[0].recorded_at
    return Lag(read, head, max(0.0, age.total_seconds()))


def readiness(
    ledger: BaseLedger,
    pool: ConnectionPool[Any],
    read_position: Callable[[], int | None],
    home: Path,
) -> tuple[Condition, ...]:
    """All conditions; blocking. What cannot be asked does not hold."""
    return (_database(pool), _read_models(ledger, read_position), _sample(home))


def _database(pool: ConnectionPool[Any]) -> Condition:
    try:
        with pool.connection() as conn:
            require_migrated(conn)
    except DatabaseProblem as problem:
        return Condition("database", holds=False, found=f"{type(problem).__name__}")
    except (psycopg.Error, PoolTimeout):
        return Condition("database", holds=False, found="does not answer")
    return Condition("database", holds=True, found="current")


def _read_models(ledger: BaseLedger, read_position: Callable[[], int | None]) -> Condition:
    try:
        read = read_position()
        if read is None:
            return Condition("read models", holds=False, found="not made yet")
        lag = lag_of(ledger, read)
    except (psycopg.Error, PoolTimeout, LedgerUnreachable):
        return Condition("read models", holds=False, found="cannot be asked")
    holds = lag.read >= lag.head or lag.seconds <= LAG_SECONDS_MAX
    return Condition("read models", holds, f"at {lag.read} of {lag.head}, {lag.seconds:.1f} s behind")


def _sample(home: Path) -> Condition:
    state = sample_state(home)
    return Condition("sample", state != "expected", {"expected": "being loaded"}.get(state, state))
