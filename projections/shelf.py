"""The rows that a fold works on: fetched in one query per table, changed in memory, written in one statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, Generic, Protocol

from projections.tables import Key, Row, Table, Values

ROWS_KEPT_MAX: Final = 10_000
"""How many rows of one table are kept between batches, so that what is changed soon again is not read again."""


def never(_row: object) -> bool:
    """Every row may be changed again soon."""
    return False


def always(_row: object) -> bool:
    """Rows are made anew, never changed."""
    return True


class Inconsistent(Exception):
    """The log says something about an object that it never mentioned before, which no decider allows."""


@dataclass(slots=True)
class TableChange:
    """What a batch does to one table: first the rows of these keys go, then these rows come."""

    table: Table[Any]
    gone: Sequence[Key]
    come: Sequence[Values]


@dataclass(slots=True)
class SumChange:
    """What a batch adds to a table of sums: for each key, what is added to each amount; a row without items goes."""

    table: Table[Any]
    added: Mapping[Key, Sequence[Any]]


@dataclass(slots=True)
class Changes:
    """All writes of one batch."""

    tables: list[TableChange] = field(default_factory=list)
    sums: list[SumChange] = field(default_factory=list)

    def replace(self, table: Table[Row], keys: Sequence[Key], rows: Iterable[Row]) -> None:
        """Rows that take the place of whatever their keys had."""
        self.tables.append(TableChange(table, keys, [table.values(row) for row in rows]))

    def append(self, table: Table[Any], rows: Sequence[Values]) -> None:
        """Rows that are new and that nothing ever changes."""
        self.tables.append(TableChange(table, (), rows))

    @property
    def row_count(self) -> int:
        """How many rows are written."""
        return sum(len(each.come) for each in self.tables) + sum(len(each.added) for each in self.sums)


class Source(Protocol):
    """Where rows come from that are not in memory."""

    def fetch(self, table: Table[Row], keys: Sequence[Key]) -> list[Row]:
        """The rows of these keys, those that exist."""
        ...

    def find(self, table: Table[Row], where: Mapping[str, Any]) -> list[Row]:
        """The rows in which these columns have these values."""
        ...


class Shelf(Generic[Row]):
    """The rows of one table that are in memory.

    ``wanted`` collects the keys that a batch will touch. A row is changed through ``change``, which remembers that it
    has to be written. A key that is known to have no row is kept as None. A row that ``rests`` will hardly be changed
    again, and is forgotten once it is written.
    """

    def __init__(self, table: Table[Row], source: Source, rests: Callable[[Row], bool] = never) -> None:
        self.table = table
        self._rests = rests
        self.wanted: set[Key] = set()
        self.changed: dict[Key, None] = {}
        self._rows: dict[Key, Row | None] = {}
        self._born: set[Key] = set()
        self._recent: frozenset[Key] = frozenset()
        self._source = source

    def fetch(self, more: Iterable[Key] = ()) -> None:
        """Brings all wanted rows that are not in memory, by one query."""
        self.wanted.update(more)
        rows = self._rows
        if missing := {key for key in self.wanted if key not in rows}:
            self._rows.update(dict.fromkeys(missing))
            for row in self._source.fetch(self.table, sorted(missing)):
                self._rows[self.table.key_of_row(row)] = row
        self.wanted.clear()

    def bring(self, key: Key) -> Row | None:
        """The row of a key, which is fetched alone where nobody wanted it before."""
        if key not in self._rows:
            self.fetch([key])
        return self._rows[key]

    def keep(self, rows: Iterable[Row]) -> list[Row]:
        """Takes rows that were found by a query; what is in memory already is newer and stays."""
        kept: list[Row] = []
        for row in rows:
            key = self.table.key_of_row(row)
            present = self._rows.setdefault(key, row)
            if present is not None:
                kept.append(present)
        return kept

    def get(self, key: Key) -> Row | None:
        """The row of a key that was fetched."""
        return self._rows.get(key)

    def is_new(self, key: Key) -> bool:
        """Whether the row did not exist before this batch."""
        return key in self._born

    def changing(self) -> list[Row]:
        """The rows that the batch has changed so far and that still exist."""
        return [row for key in self.changed if (row := self._rows[key]) is not None]

    def change(self, key: Key) -> Row:
        """The row of a key, which is going to be changed."""
        row = self._rows.get(key)
        if row is None:
            raise Inconsistent(f"{self.table.name} has no row {key}")
        self.changed[key] = None
        return row

    def add(self, key: Key, row: Row) -> Row:
        """Puts a row in the place of whatever the key had; a key that was never seen is taken to be new."""
        if key not in self._rows or (self._rows[key] is None and key not in self.changed):
            self._born.add(key)
        self._rows[key] = row
        self.changed[key] = None
        return row

    def put(self, key: Key, row: Row) -> Row:
        """Puts a row in the place of whatever the key had, which may be a row that was never read."""
        self._rows[key] = row
        self.changed[key] = None
        return row

    def remove(self, key: Key) -> None:
        """Takes a row away."""
        if self._rows.get(key) is not None:
            self._rows[key] = None
            self.changed[key] = None

    def changes(self) -> TableChange:
        """What has to be written, as it is now; the shelf then begins a new batch."""
        rows, values = self._rows, self.table.values
        come = [values(row) for key in self.changed if (row := rows[key]) is not None]
        gone = [key for key in self.changed if key not in self._born]
        for key in self._recent:
            if key not in self.changed and key in rows and ((row := rows[key]) is None or self._rests(row)):
                del rows[key]
        for key in self.changed:
            rows[key] = rows.pop(key)
        self._recent = frozenset(self.changed)
        self.changed = {}
        self._born = set()
        return TableChange(self.table, gone, come)

    def shrink(self) -> None:
        """Forgets the rows that were not changed for longest, but none of the last batch: it may not be written yet."""
        excess = len(self._rows) - ROWS_KEPT_MAX
        if excess > 0:
            for key in [key for key in islice(self._rows, excess) if key not in self._recent]:
                del self._rows[key]
