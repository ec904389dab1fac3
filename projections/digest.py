"""Whether two generations hold the same rows: a digest of each table, and the rows that differ by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from psycopg import Connection, sql
from psycopg.rows import dict_row

from projections.scheme import TABLES
from projections.store import Connect
from projections.tables import Table

OFFENDERS_MAX: Final = 20
_ROWS_AT_ONCE: Final = 5_000


class NoSuchGeneration(Exception):
    """The registry has no generation of this name."""


@dataclass(frozen=True, slots=True)
class TableDigest:
    """How many rows a table has, and what they add up to whatever their order."""

    rows: int
    digest: Decimal


@dataclass(frozen=True, slots=True)
class Offender:
    """A row that differs: the columns with what the one and the other generation say; None where it has no such row."""

    table: str
    key: str
    mine: dict[str, Any] | None
    theirs: dict[str, Any] | None

    def __str__(self) -> str:
        if self.mine is None:
            return f"{self.table} {self.key} is missing"
        if self.theirs is None:
            return f"{self.table} {self.key} should not be there"
        differing = [name for name, value in self.mine.items() if self.theirs[name] != value]
        shown = ", ".join(f"{name} is {self.mine[name]!r}, not {self.theirs[name]!r}" for name in differing)
        return f"{self.table} {self.key}: {shown}"


class Snapshot:
    """One generation at one moment, however much is written to it meanwhile."""

    def __init__(self, conn: Connection[Any], schema: str, position: int) -> None:
        self._conn = conn
        self._schema = schema
        self.position = position

    def digests(self) -> dict[str, TableDigest]:
        """The digest of every table."""
        return {table.name: self._digest(table) for table in TABLES}

    def hashes(self, table: Table[Any]) -> Iterator[tuple[tuple[Any, ...], int]]:
        """The key and the hash of every row, in the order of the keys."""
        keys = _listed(table.key)
        query = sql.SQL("SELECT {keys}, {hash} FROM {table} ORDER BY {keys}").format(
            keys=keys, hash=_hash(table), table=self._table(table)
        )
        with self._conn.cursor(name=f"hashes_{table.name}") as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            cursor.execute(query)
            for row in cursor:
                yield tuple(row[:-1]), row[-1]

    def row(self, table: Table[Any], key: tuple[Any, ...]) -> dict[str, Any] | None:
        """One row by the names of its columns."""
        same = sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in table.key)
        query = sql.SQL("SELECT * FROM {} WHERE {}").format(self._table(table), same)
        with self._conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, key).fetchone()

    def _digest(self, table: Table[Any]) -> TableDigest:
        query = sql.SQL("SELECT count(*), coalesce(sum({hash}::numeric), 0) FROM {table}").format(
            hash=_hash(table), table=self._table(table)
        )
        found = self._conn.execute(query).fetchone()
        assert found is not None
        return TableDigest(*found)

    def _table(self, table: Table[Any]) -> sql.Composed:
        return sql.SQL("{}").format(sql.Identifier(self._schema, table.name))


@contextmanager
def snapshot(connect: Connect, registry: str, name: str) -> Iterator[Snapshot]:
    """A generation as it is now; raises NoSuchGeneration."""
    with connect() as conn, conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        conn.execute("SET LOCAL TimeZone = 'UTC'")
        query = sql.SQL("SELECT schema, position FROM {}.generation WHERE name = %s").format(sql.Identifier(registry))
        found = conn.execute(query, [name]).fetchone()
        if found is None:
            raise NoSuchGeneration(name)
        yield Snapshot(conn, *found)


def differing(mine: dict[str, TableDigest], theirs: dict[str, TableDigest]) -> list[Table[Any]]:
    """The tables that do not hold the same rows."""
    return [table for table in TABLES if mine[table.name] != theirs[table.name]]


def offenders(table: Table[Any], mine: Snapshot, theirs: Snapshot, most: int = OFFENDERS_MAX) -> list[Offender]:
    """The first rows that are not the same in both, by their keys; both are read once, side by side."""
    found: list[Offender] = []
    left, right = mine.hashes(table), theirs.hashes(table)
    one, other = next(left, None), next(right, None)
    while (one is not None or other is not None) and len(found) < most:
        key = min(each[0] for each in (one, other) if each is not None)
        here, there = one is not None and one[0] == key, other is not None and other[0] == key
        if not (here and there and one is not None and other is not None and one[1] == other[1]):
            found.append(Offender(table.name, "/".join(map(str, key)), *_both(table, key, mine, theirs)))
        one = next(left, None) if here else one
        other = next(right, None) if there else other
    return found


def _both(
    table: Table[Any], key: tuple[Any, ...], mine: Snapshot, theirs: Snapshot
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    return mine.row(table, key), theirs.row(table, key)


def _hash(table: Table[Any]) -> sql.Composed:
    """A number for a row that depends on all its values; 1.50 and 1.5 are the same value."""
    values = [
        sql.SQL("trim_scale({})" if column.is_number else "{}").format(sql.Identifier(column.name))
        for column in table.columns
    ]
    return sql.SQL("hashtextextended(ROW({})::text, 0)").format(sql.SQL(", ").join(values))


def _listed(names: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)
