"""Answers at one moment: a view is one transaction on one generation, so that all its answers fit together."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from psycopg import Connection, sql
from psycopg.errors import UndefinedTable
from psycopg_pool import ConnectionPool

from domain.kernel import Refused
from projections import build, scheme
from projections.follow import Log
from projections.generation import GenerationInfo, Generations
from projections.row_security import NARROW

STATEMENT_SECONDS_MAX: Final = 10
POLL_SECONDS_MIN: Final = 0.005
POLL_SECONDS_MAX: Final = 0.05


@dataclass(frozen=True, slots=True)
class AtPosition:
    """As everything was when the log had reached a position."""

    position: int


@dataclass(frozen=True, slots=True)
class AtTime:
    """As everything was recorded at a time."""

    recorded_at: datetime


At = AtPosition | AtTime


@dataclass(frozen=True, slots=True)
class Scope:
    """What somebody may see: the selling legal entities, the regions that these are in; None is all of them."""

    entities: frozenset[str] | None = None
    regions: frozenset[str] | None = None


FIRM: Final = Scope()


@dataclass(frozen=True, slots=True)
class SourceLag:
    """The newest fact of a source system, and how long after it was true it was recorded."""

    system: str
    position: int
    recorded_at: datetime
    occurred_at: datetime | None
    lag_seconds: Decimal | None


@dataclass(frozen=True, slots=True)
class Watermark:
    """How fresh an answer is: the position and time of the newest fact in it, and the newest fact of each source."""

    position: int
    recorded_at: datetime | None
    head_position: int
    generation: str
    is_live: bool
    sources: tuple[SourceLag, ...]


class NotReady(Refused):
    """The read models are being made."""

    code = "generation.not_ready"
    fix = "Wait until /health/ready says so, then ask again."


class InTheFuture(Refused):
    """Nothing is known beyond the newest fact that the read models contain."""

    code = "as_of.in_the_future"
    fix = "Ask for a position or time that lies in the past, or wait for the position first."


class View:
    """One generation at one moment. It belongs to one thread and ends with its ``with`` block."""

    def __init__(self, conn: Connection[Any], watermark: Watermark) -> None:
        self._conn = conn
        self.watermark = watermark

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query on the tables of the generation."""
        text = sql.SQL(query)
        with self._conn.cursor(binary=True) as cursor:
            return cursor.execute(text, values or None).fetchall()


class Reader:
    """Opens views; ``pool`` connects to the database of the log."""

    def __init__(self, pool: ConnectionPool[Connection[Any]], log: Log, generations: Generations) -> None:
        self.log = log
        self._pool = pool
        self._generations = generations
        self._find = _FIND.replace("{registry}", generations.registry)
        self._where_live = f"SELECT position, shape FROM {generations.registry}.generation WHERE status = 'live'"

    @contextmanager
    def view(self, at: At | None = None, scope: Scope = FIRM) -> Iterator[View]:
        """The live generation as it is now, or everything as it was; for the past it may have to be folded first.

        Whatever is asked, a scope shows only rows of its own legal entities, where the database has the role for that.
        Raises NotReady while there is no live generation, and InTheFuture.
        """
        with self._pool.connection() as conn:
            with conn.transaction():
                live = self._enter(conn, "status = 'live'", [])
                if at is None:
                    yield self._view(conn, live, scope, is_live=True)
                    return
            past = self._past(at, live)
            with conn.transaction():
                kept = self._enter(conn, "name = %s", [past.name])
                yield self._view(conn, kept, scope, is_live=False)

    def is_ready(self) -> bool:
        """Whether there is a live generation that this program can ask."""
        try:
            live = self._generations.live()
        except UndefinedTable:
            return False
        return live is not None and live.shape == scheme.shape()

    def wait_for(self, position: int, timeout_seconds: float) -> Watermark | None:
        """Waits until the live generation contains a position; None when it did not in time."""
        deadline = time.monotonic() + timeout_seconds
        pause = POLL_SECONDS_MIN
        while self._reached() < position:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(left, pause))
            pause = min(2 * pause, POLL_SECONDS_MAX)
        with self.view() as view:
            return view.watermark

    def _reached(self) -> int:
        """The position of the live generation; -1 while it is being made for the first time."""
        try:
            with self._pool.connection() as conn:
                found = conn.execute(self._where_live).fetchone()
        except UndefinedTable:
            return -1
        return int(found[0]) if found and found[1] == scheme.shape() else -1

    def _past(self, at: At, live: GenerationRow) -> GenerationInfo:
        position = at.position if isinstance(at, AtPosition) else self.log.position_at(at.recorded_at)
        if position > live.position:
            raise InTheFuture(f"{position} asked, {live.position} reached.")
        if position < 0:
            raise InTheFuture(f"Positions begin at 0, not at {position}.")
        past = build.as_of(self.log, self._generations, position)
        self._generations.use(past)
        return past

    def _enter(self, conn: Connection[Any], condition: str, values: Sequence[Any]) -> GenerationRow:
        """Begins to read one generation: unqualified names mean its tables, and nothing changes any more."""
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            found = conn.execute(self._find + condition, values).fetchone()
        except UndefinedTable as error:
            raise NotReady from error
        if found is None or found[4] != scheme.shape():
            raise NotReady
        return GenerationRow(*found[:4])

    def _view(self, conn: Connection[Any], row: GenerationRow, scope: Scope, *, is_live: bool) -> View:
        if scope != FIRM:
            conn.execute(NARROW, [_entities(conn, scope), row.schema])
        systems = conn.execute("SELECT system, position, recorded_at, occurred_at FROM source ORDER BY system")
        sources = tuple(_lag(*each) for each in systems.fetchall())
        head = self.log.head()
        return View(conn, Watermark(row.position, row.recorded_at, head, row.name, is_live, sources))


@dataclass(frozen=True, slots=True)
class GenerationRow:
    """What a view has to know of its generation."""

    name: str
    schema: str
    position: int
    recorded_at: datetime | None


_FIND: Final = f"""
SELECT name, schema, position, recorded_at, shape,
       set_config('search_path', schema, true), set_config('TimeZone', 'UTC', true),
       set_config('statement_timeout', '{STATEMENT_SECONDS_MAX}s', true)
FROM {{registry}}.generation WHERE """


def _entities(conn: Connection[Any], scope: Scope) -> list[str]:
    """The legal entities of a scope."""
    named = scope.entities or frozenset()
    if scope.regions is not None:
        query = "SELECT entity FROM legal_entity WHERE region = ANY(%s)"
        inside = frozenset(entity for (entity,) in conn.execute(query, [sorted(scope.regions)]))
        named = inside if scope.entities is None else named & inside
    return sorted(named)


def _lag(system: str, position: int, recorded_at: datetime, occurred_at: datetime | None) -> SourceLag:
    lag = None if occurred_at is None else Decimal(str((recorded_at - occurred_at).total_seconds()))
    return SourceLag(system, position, recorded_at, occurred_at, lag)
