"""PostgreSQL: how connections are made, how the schema comes to be, how one of several workers is the active one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

MIGRATIONS: Final = Path(__file__).parent / "migrations"
SCHEMA: Final = "ledger"
SERVER_VERSION_MIN: Final = 170000
CONNECT_TIMEOUT_SECONDS: Final = 3
LOCK_TIMEOUT_SECONDS: Final = 5
MIGRATION_WAIT_SECONDS: Final = 60

_SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


class DatabaseProblem(Exception):
    """The database is not in the state that this program needs."""


class UnsupportedServer(DatabaseProblem):
    """The ledger needs PostgreSQL 17 or later: its writer locks the log with the MAINTAIN privilege."""


class MigrationChanged(DatabaseProblem):
    """A migration that was applied before has another text now: restore the file and add a new migration."""


class SchemaNewer(DatabaseProblem):
    """The database was migrated by a newer program: start that version, or a later one."""


class SchemaOutdated(DatabaseProblem):
    """The database lacks migrations that this program needs: run the migrations first."""


def parameters(url: str, schema: str = SCHEMA, application_name: str = "p2c") -> dict[str, Any]:
    """Everything libpq needs to reach the ledger's schema: unqualified names mean this schema on every connection.

    A silent network is noticed within about 15 seconds, a waiting lock after 5. Of several hosts the one is meant that
    can be written to.
    """
    if not _SCHEMA_NAME.fullmatch(schema):
        raise ValueError(f"not a plain schema name: {schema!r}")
    given = conninfo_to_dict(url)
    options = f"{given.get('options') or ''} -c search_path={schema} -c lock_timeout={LOCK_TIMEOUT_SECONDS}s"
    defaults = {
        "application_name": application_name,
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "keepalives_idle": 5,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
    }
    if "," in str(given.get("host") or ""):
        defaults["target_session_attrs"] = "read-write"
    return {**defaults, **{k: v for k, v in given.items() if v is not None}, "options": options.strip()}


def connect(url: str, schema: str = SCHEMA, application_name: str = "p2c") -> Connection[TupleRow]:
    """One connection of one's own, each statement committed by itself unless a transaction is opened."""
    return psycopg.connect(**parameters(url, schema, application_name), autocommit=True)


def open_pool(
    url: str, schema: str = SCHEMA, *, size: int = 5, application_name: str = "p2c"
) -> ConnectionPool[Connection[TupleRow]]:
    """A pool whose connections are checked before use, so that a restarted server costs nobody an error."""
    return ConnectionPool(
        kwargs={**parameters(url, schema, application_name), "autocommit": True},
        min_size=1,
        max_size=size,
        timeout=CONNECT_TIMEOUT_SECONDS,
        check=ConnectionPool.check_connection,
        open=True,
    )


@contextmanager
def advisory_lock(conn: Connection[Any], name: str) -> Iterator[bool]:
    """Picks the single active one of several workers: yields whether this connection got the lock.

    The lock belongs to the session: give it a connection of its own, and stop working when that connection breaks,
    for then another one may be active already. Names are separate per schema.
    """
    row = conn.execute("SELECT pg_try_advisory_lock(hashtextextended(current_schema() || ':' || %s, 0))", [name])
    held = bool((row.fetchone() or [False])[0])
    try:
        yield held
    finally:
        if held and not conn.broken and not conn.closed:
            conn.execute("SELECT pg_advisory_unlock(hashtextextended(current_schema() || ':' || %s, 0))", [name])


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema, applied exactly once."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """What proves that the step has not changed since it was applied."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations(directory: Path = MIGRATIONS) -> list[Migration]:
    """All steps in order; the numbers count from one without a gap."""
    steps: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        named = _FILE_NAME.fullmatch(path.name)
        if named is None or int(named[1]) != len(steps) + 1:
            raise ValueError(f"migration out of line: {path.name}")
        steps.append(Migration(int(named[1]), path.stem, path.read_text(encoding="utf-8")))
    return steps


def migrate(url: str, schema: str = SCHEMA, directory: Path = MIGRATIONS) -> list[str]:
    """Brings the schema up to date and returns the names of the steps applied now; several may call it at once."""
    steps = migrations(directory)
    with connect(url, schema, "p2c-migrate") as conn:
        if conn.info.server_version < SERVER_VERSION_MIN:
            raise UnsupportedServer(f"this one is {conn.info.server_version}")
        conn.execute(sql.SQL("SET lock_timeout = {}").format(f"{MIGRATION_WAIT_SECONDS}s"))
        conn.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"migrate:{schema}"])
        conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        conn.execute(
            "CREATE TABLE IF NOT EXISTS schema_migration (number integer PRIMARY KEY, name text NOT NULL,"
            " sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
        missing = _missing(conn, steps)
        for step in missing:
            _apply(conn, step)
        return [step.name for step in missing]


def require_migrated(conn: Connection[Any], directory: Path = MIGRATIONS) -> None:
    """Raises SchemaOutdated, SchemaNewer or MigrationChanged unless the schema is exactly what this program expects."""
    with conn.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        found = cursor.execute("SELECT to_regclass('schema_migration')").fetchone()
    if found is None or found[0] is None:
        raise SchemaOutdated("nothing was migrated yet")
    if missing := _missing(conn, migrations(directory)):
        raise SchemaOutdated(", ".join(step.name for step in missing))


def _missing(conn: Connection[Any], steps: list[Migration]) -> list[Migration]:
    with conn.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        applied: dict[int, str] = dict(cursor.execute("SELECT number, sha256 FROM schema_migration").fetchall())
    if newer := set(applied) - {step.number for step in steps}:
        raise SchemaNewer(f"unknown steps: {sorted(newer)}")
    for step in steps:
        if applied.get(step.number, step.sha256) != step.sha256:
            raise MigrationChanged(step.name)
    return [step for step in steps if step.number not in applied]


def _apply(conn: Connection[Any], step: Migration) -> None:
    with conn.transaction():
        conn.execute(sql.SQL(step.text))
        conn.execute(
            "INSERT INTO schema_migration (number, name, sha256) VALUES (%s, %s, %s)",
            [step.number, step.name, step.sha256],
        )
