"""A generation is one schema with all read-model tables, folded up to one position by one version of the code.

Which generation is asked is one row in the registry, so that a new one takes the place of the old in one statement.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import psycopg
from psycopg import Connection, sql
from psycopg.rows import class_row

from projections import scheme
from projections.digest import NoSuchGeneration, Snapshot, snapshot
from projections.row_security import READERS, SCOPED, policies_of_readers
from projections.store import Connect, PostgresStore

Status = Literal["building", "live", "as_of", "kept", "retired"]
RETIRED_SECONDS_MIN: Final = 60.0
"""How long a replaced generation stays for those who are reading it."""

_REGISTRY_SQL: Final = (Path(__file__).parent / "registry.sql").read_text(encoding="utf-8")
_NAME: Final = re.compile(r"[a-z0-9_]{1,40}")


@dataclass(frozen=True, slots=True)
class GenerationInfo:
    """What the registry knows of a generation."""

    name: str
    schema: str
    status: Status
    position: int
    recorded_at: datetime | None
    until: int | None
    events: int
    code_version: str
    shape: str
    created_at: datetime
    used_at: datetime
    retired_at: datetime | None


class Generations:
    """The registry of one ledger's generations; ``ledger_schema`` is the schema of its log."""

    def __init__(self, connect: Connect, ledger_schema: str = "ledger") -> None:
        self._connect = connect
        self.ledger_schema = ledger_schema
        self.registry = registry_of(ledger_schema)

    def prepare(self) -> None:
        """Makes the registry if it is not there; several may call it at once."""
        with self._connect() as conn, conn.transaction():
            conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [self.registry])
            conn.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(self.registry)))
            _in_schema(conn, self.registry, _REGISTRY_SQL)
            _let_read(conn, self.registry)

    def all(self) -> list[GenerationInfo]:
        """Every generation, the oldest first."""
        return self._find("true ORDER BY created_at, name", [])

    def live(self) -> GenerationInfo | None:
        """The generation that is asked, if there is one yet."""
        found = self._find("status = 'live'", [])
        return found[0] if found else None

    def get(self, name: str) -> GenerationInfo:
        """One generation; raises NoSuchGeneration."""
        found = self._find("name = %s", [name])
        if not found:
            raise NoSuchGeneration(name)
        return found[0]

    def create(self, prefix: str, *, until: int | None = None, logged: bool = False) -> GenerationInfo:
        """An empty generation, to be filled.

        Until it is finished its tables are not in the write-ahead log, unless ``logged``: a server that crashes empties
        them, so a filling that was broken off is never taken up again.
        """
        name = f"{prefix}_{secrets.token_hex(4)}"
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a plain name: {name!r}")
        schema = f"{self.ledger_schema}_gen_{name}"
        text = scheme.tables_sql()
        if not logged:
            text = text.replace("CREATE TABLE", "CREATE UNLOGGED TABLE")
        with self._connect() as conn, conn.transaction():
            conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
            _in_schema(conn, schema, text)
            _let_read(conn, schema)
            _guard(conn, schema)
            self._execute(
                conn,
                "INSERT INTO {registry}.generation (name, schema, status, until, code_version, shape)"
                " VALUES (%s, %s, 'building', %s, %s, %s)",
                [name, schema, until, scheme.code_version(), scheme.shape()],
            )
        return self.get(name)

    def clone(self, base: GenerationInfo, prefix: str, *, until: int | None = None) -> GenerationInfo:
        """A generation that begins with the rows of another one, which is not changing."""
        made = self.create(prefix, until=until, logged=True)
        with self._connect() as conn, conn.transaction():
            for table in scheme.TABLES:
                conn.execute(
                    sql.SQL("INSERT INTO {} SELECT * FROM {}").format(
                        sql.Identifier(made.schema, table.name), sql.Identifier(base.schema, table.name)
                    )
                )
            self._execute(
                conn,
                "UPDATE {registry}.generation SET position = %s, recorded_at = %s, events = %s WHERE name = %s",
                [base.position, base.recorded_at, base.events, made.name],
            )
        return self.get(made.name)

    def finish(self, info: GenerationInfo, *, logged: bool = True) -> None:
        """Makes what only queries need: the indexes, the statistics, and tables that survive a crash."""
        with self._connect() as conn:
            with conn.transaction():
                if logged:
                    for table in scheme.TABLES:
                        place = sql.Identifier(info.schema, table.name)
                        conn.execute(sql.SQL("ALTER TABLE {} SET LOGGED").format(place))
                _in_schema(conn, info.schema, scheme.indexes_sql())
            for table in scheme.TABLES:
                conn.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(info.schema, table.name)))

    def settle(self, info: GenerationInfo, status: Literal["as_of", "kept"]) -> GenerationInfo:
        """A generation that was filled and stays as it is."""
        with self._connect() as conn:
            self._execute(conn, "UPDATE {registry}.generation SET status = %s WHERE name = %s", [status, info.name])
        return self.get(info.name)

    @contextmanager
    def standing_still(self, info: GenerationInfo | None) -> Iterator[Connection[Any]]:
        """While this is open nobody can write to the live generation; the connection is to switch it by."""
        with self._connect() as conn, conn.transaction():
            name = info.name if info else None
            self._execute(conn, "SELECT FROM {registry}.generation WHERE name = %s FOR UPDATE", [name])
            yield conn

    @contextmanager
    def snapshot(self, info: GenerationInfo) -> Iterator[Snapshot]:
        """The rows of a generation as they are now."""
        with snapshot(self._connect, self.registry, info.name) as taken:
            yield taken

    @contextmanager
    def locked(self, what: str) -> Iterator[Connection[Any]]:
        """Waits until nobody else does this for this ledger, and keeps others from it."""
        with self._connect() as conn:
            conn.execute("SET lock_timeout = 0")
            conn.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"{self.registry}:{what}"])
            yield conn

    @contextmanager
    def alone(self, what: str) -> Iterator[bool]:
        """Whether this process is the only one of this ledger that does something; decided anew each time."""
        with self._connect() as conn:
            key = f"{self.registry}:{what}"
            row = conn.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key]).fetchone()
            yield bool(row and row[0])

    def drop_unfinished(self, *, as_of: bool = False) -> None:
        """Removes what a builder that was killed has left; only while that kind of building is locked."""
        for info in self._find("status = 'building' AND (until IS NOT NULL) = %s", [as_of]):
            self.drop(info)

    def switch(self, conn: Connection[Any], new: GenerationInfo, old: GenerationInfo | None) -> None:
        """From now on the new generation is asked and followed, and the old one is not."""
        self._execute(
            conn,
            "UPDATE {registry}.generation SET status = CASE name WHEN %(new)s THEN 'live' ELSE 'retired' END,"
            " retired_at = CASE name WHEN %(new)s THEN NULL ELSE clock_timestamp() END"
            " WHERE name IN (%(new)s, %(old)s)",
            {"new": new.name, "old": old.name if old else None},
        )

    def use(self, info: GenerationInfo) -> None:
        """Somebody asks an as-of generation: it is not the next to go."""
        with self._connect() as conn:
            self._execute(
                conn, "UPDATE {registry}.generation SET used_at = clock_timestamp() WHERE name = %s", [info.name]
            )

    def drop(self, info: GenerationInfo) -> None:
        """Removes a generation with its tables, once nobody reads them; others find it gone at once."""
        with self._connect() as conn, conn.transaction():
            self._execute(conn, "DELETE FROM {registry}.generation WHERE name = %s AND status <> 'live'", [info.name])
            conn.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(info.schema)))

    def sweep(self, as_of_max: int) -> list[str]:
        """Removes replaced generations that nobody can be reading any more, and the as-of ones used least recently."""
        retired = self._find(
            "status = 'retired' AND retired_at < clock_timestamp() - make_interval(secs => %s)", [RETIRED_SECONDS_MIN]
        )
        kept = self._find("status = 'as_of' ORDER BY used_at DESC", [])
        dropped: list[str] = []
        for info in (*retired, *kept[as_of_max:]):
            try:
                self.drop(info)
                dropped.append(info.name)
            except psycopg.errors.LockNotAvailable:
                continue  # somebody still reads it; the next sweep will find it again
        return dropped

    def store(self, info: GenerationInfo) -> PostgresStore:
        """The tables of a generation, to be written."""
        return PostgresStore(self._connect, self.registry, info.name, info.schema)

    def _find(self, condition: str, values: Sequence[Any]) -> list[GenerationInfo]:
        columns = ", ".join(field.name for field in fields(GenerationInfo))
        query = f"SELECT {columns} FROM {{registry}}.generation WHERE {condition}"
        composed = sql.SQL(query).format(registry=sql.Identifier(self.registry))
        with self._connect() as conn, conn.cursor(row_factory=class_row(GenerationInfo)) as cursor:
            return cursor.execute(composed, values).fetchall()

    def _execute(self, conn: Connection[Any], statement: str, values: Any) -> None:
        text = sql.SQL(statement)
        conn.execute(text.format(registry=sql.Identifier(self.registry)), values)


def registry_of(ledger_schema: str) -> str:
    """The schema of the registry that belongs to a log."""
    return f"{ledger_schema}_read"


def _in_schema(conn: Connection[Any], schema: str, text: str) -> None:
    """Runs the text of an SQL file in one schema, within the open transaction."""
    conn.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(schema)))
    conn.execute(text)


def _guard(conn: Connection[Any], schema: str) -> None:
    """Shows a view of some legal entities their rows alone, where there is the role for it."""
    known = {name for (name,) in conn.execute("SELECT rolname FROM pg_roles WHERE rolname ^@ 'p2c_'").fetchall()}
    if SCOPED not in known:
        return
    names = [table.name for table in scheme.TABLES]
    _in_schema(conn, schema, scheme.policies_sql())
    for role in known.intersection(READERS):
        conn.execute(policies_of_readers(names, role))
    _grant(conn, schema, SCOPED)


def _let_read(conn: Connection[Any], schema: str) -> None:
    """Readers and auditors may read it, where those roles exist and this login may say so."""
    known = conn.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(READERS)])
    for (role,) in known.fetchall():
        _grant(conn, schema, role)


def _grant(conn: Connection[Any], schema: str, role: str) -> None:
    grant = sql.SQL("GRANT USAGE ON SCHEMA {0} TO {1}; GRANT SELECT ON ALL TABLES IN SCHEMA {0} TO {1}")
    conn.execute(grant.format(sql.Identifier(schema), sql.Identifier(role)))
