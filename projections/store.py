"""One generation in PostgreSQL: rows are read by key in one query, and written by COPY in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Final, Self

from psycopg import Connection, Cursor, sql
from psycopg.types.string import TextBinaryLoader, TextLoader

from projections.shelf import Changes, SumChange, TableChange
from projections.tables import Key, Row, Table

Connect = Callable[[], Connection[Any]]
"""Makes a connection of one's own to the database of the log, in autocommit mode."""


class NotOurs(Exception):
    """Somebody else has written to this generation, or it is not followed any more: begin anew."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a generation is: the newest fact in it, and where it stood before the batch."""

    before: int
    position: int
    recorded_at: datetime
    events: int


ROWS_WITHOUT_COPY: Final = 500
"""Up to this many rows are inserted by statements that are sent together; more are copied table by table."""

_MOVE: Final = """
UPDATE {registry}.generation SET position = %s, recorded_at = %s, events = events + %s
WHERE name = %s AND position = %s AND status IN ('live', 'building')
"""


class PostgresStore:
    """Reads and writes the tables of one generation.

    ``submit`` writes in the background; ``settle`` waits for it. Rows are fetched by key without waiting, for whatever
    is being written is still in the memory of the fold. A search by anything else waits.
    """

    def __init__(self, connect: Connect, registry: str, name: str, schema: str) -> None:
        self.name = name
        self._schema = schema
        self._statements: dict[tuple[str, str], bytes] = {}
        self._pending: Future[None] | None = None
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"write-{name}")
        self._reads = _prepared(connect())
        self._writes = _prepared(connect())
        self._move = sql.SQL(_MOVE).format(registry=sql.Identifier(registry)).as_bytes(self._reads)

    def close(self) -> None:
        """Gives back both connections; what is still being written is not waited for."""
        self._writer.shutdown(wait=True, cancel_futures=True)
        self._reads.close()
        self._writes.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- reading -----------------------------------------------------------------------------------------------------

    def fetch(self, table: Table[Row], keys: Sequence[Key]) -> list[Row]:
        """The rows of these keys, those that exist."""
        columns = [[key[place] for key in keys] for place in range(len(table.key))]
        with self._reads.cursor(binary=True) as cursor:
            rows = cursor.execute(self._statement("fetch", table), columns, prepare=True).fetchall()
        return [table.row(row) for row in rows]

    def find(self, table: Table[Row], where: Mapping[str, Any]) -> list[Row]:
        """The rows in which these columns have these values."""
        self.settle()
        conditions = [
            sql.SQL("{} IS NULL").format(sql.Identifier(name))
            if value is None
            else sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder())
            for name, value in where.items()
        ]
        query = sql.SQL("SELECT {columns} FROM {table} WHERE {conditions}").format(
            columns=_columns(table.names),
            table=self._table(table),
            conditions=sql.SQL(" AND ").join([sql.SQL("true"), *conditions]),
        )
        with self._reads.cursor(binary=True) as cursor:
            rows = cursor.execute(query, [value for value in where.values() if value is not None]).fetchall()
        return [table.row(row) for row in rows]

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, changes: Changes, mark: Mark, notify: tuple[str, str] | None = None) -> None:
        """All writes of a batch and the new position, in one transaction; ``notify`` is a channel and its message.

        Raises NotOurs when the generation is not where it was left, or not followed any more.
        """
        is_small = changes.row_count <= ROWS_WITHOUT_COPY
        with self._writes.transaction(), self._writes.cursor() as moving:
            with self._writes.pipeline() if is_small else nullcontext(), self._writes.cursor() as cursor:
                values = [mark.position, mark.recorded_at, mark.events, self.name, mark.before]
                moving.execute(self._move, values, prepare=True)
                if not is_small and moving.rowcount != 1:
                    raise NotOurs(self.name)
                self.put(cursor, changes, copy=not is_small)
                if notify is not None:
                    cursor.execute("SELECT pg_notify(%s, %s)", notify, prepare=True)
            if moving.rowcount != 1:
                raise NotOurs(self.name)

    def put(self, cursor: Cursor[Any], changes: Changes, *, copy: bool = True) -> None:
        """The writes of a batch within somebody's own transaction, who has to note the position in it too.

        Without COPY all statements can be sent at once, which is quicker for a few rows.
        """
        for change in changes.tables:
            self._change(cursor, change, copy=copy)
        for sums in changes.sums:
            self._add(cursor, sums)

    def submit(self, changes: Changes, mark: Mark, notify: tuple[str, str] | None = None) -> None:
        """Writes in the background, after what was submitted before."""
        self.settle()
        self._pending = self._writer.submit(self.write, changes, mark, notify)

    def settle(self) -> None:
        """Waits until everything submitted is written; raises what went wrong."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def _change(self, cursor: Cursor[Any], change: TableChange, *, copy: bool) -> None:
        table = change.table
        if change.gone:
            columns = [[key[place] for key in change.gone] for place in range(len(table.key))]
            cursor.execute(self._statement("delete", table), columns, prepare=True)
        if change.come and copy:
            with cursor.copy(self._statement("copy", table)) as copying:
                copying.write(table.copied(change.come).encode())
        elif change.come:
            cursor.execute(self._statement("insert", table), [table.document(change.come)], prepare=True)

    def _add(self, cursor: Cursor[Any], change: SumChange) -> None:
        if not change.added:
            return
        keys = list(change.added)
        amounts = list(change.added.values())
        columns = [
            *([key[place] for key in keys] for place in range(len(change.table.key))),
            *([Decimal(each[place]) for each in amounts] for place in range(len(amounts[0]))),
        ]
        cursor.execute(self._statement("add", change.table), columns, prepare=True)
        ended = [key for key, each in change.added.items() if each[0] < 0]
        if ended:
            columns = [[key[place] for key in ended] for place in range(len(change.table.key))]
            cursor.execute(self._statement("end", change.table), columns, prepare=True)

    # -- statements --------------------------------------------------------------------------------------------------

    def _table(self, table: Table[Any]) -> sql.Composed:
        return sql.SQL("{}").format(sql.Identifier(self._schema, table.name))

    def _statement(self, kind: str, table: Table[Any]) -> bytes:
        known = self._statements.get((kind, table.name))
        if known is None:
            known = self._statements[kind, table.name] = self._composed(kind, table).as_bytes(self._reads)
        return known

    def _composed(self, kind: str, table: Table[Any]) -> sql.Composed:
        amounts = table.names[len(table.key) :]
        parts = {
            "table": self._table(table),
            "columns": _columns(table.names),
            "wanted": sql.SQL(", ").join([sql.SQL("%s::text[]")] * len(table.key)),
            "keys": _columns(table.key),
            "same": sql.SQL(" AND ").join(
                sql.SQL("t.{column} = k.{column}").format(column=sql.Identifier(name)) for name in table.key
            ),
            "given": sql.SQL(", ").join(
                [sql.SQL("%s::text[]")] * len(table.key) + [sql.SQL("%s::numeric[]")] * len(amounts)
            ),
            "sums": sql.SQL(", ").join(
                sql.SQL("{name} = t.{name} + excluded.{name}").format(name=sql.Identifier(name)) for name in amounts
            ),
            "count": sql.Identifier(amounts[0]) if amounts else sql.SQL("1"),
        }
        return sql.SQL(_STATEMENTS[kind]).format(**parts)


_STATEMENTS: Final = {
    "fetch": "SELECT found.* FROM unnest({wanted}) AS k ({keys})"
    " CROSS JOIN LATERAL (SELECT {columns} FROM {table} AS t WHERE {same} LIMIT 1) AS found",
    "delete": "DELETE FROM {table} AS t USING unnest({wanted}) AS k ({keys}) WHERE {same}",
    "copy": "COPY {table} ({columns}) FROM STDIN",
    "insert": "INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s::json)",
    "add": "INSERT INTO {table} AS t ({columns}) SELECT * FROM unnest({given})"
    " ON CONFLICT ({keys}) DO UPDATE SET {sums}",
    "end": "DELETE FROM {table} AS t USING unnest({wanted}) AS k ({keys}) WHERE {same} AND t.{count} = 0",
}


def _columns(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def _prepared(conn: Connection[Any]) -> Connection[Any]:
    """JSON stays text, as the fold keeps it; and every lookup takes its index, also while nothing is counted yet."""
    conn.adapters.register_loader("json", TextLoader)
    conn.adapters.register_loader("json", TextBinaryLoader)
    conn.execute("SET enable_seqscan = off")
    conn.execute("SET synchronous_commit = off")
    return conn
