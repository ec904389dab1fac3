"""The tables of a generation in memory: the same promises as PostgreSQL's, for tests of the folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from projections.shelf import Changes
from projections.tables import Row, Table, Values


class KeyTaken(Exception):
    """A row came that was there already, although nothing said that it should go first."""


class MemoryStore:
    """Rows by table and key."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[tuple[Any, ...], Values]] = {}

    def fetch(self, table: Table[Row], keys: Sequence[tuple[Any, ...]]) -> list[Row]:
        """The rows of these keys, those that exist."""
        known = self._rows.get(table.name, {})
        return [table.row(known[key]) for key in keys if key in known]

    def find(self, table: Table[Row], where: Mapping[str, Any]) -> list[Row]:
        """The rows in which these columns have these values."""
        places = [(table.names.index(name), value) for name, value in where.items()]
        known = self._rows.get(table.name, {})
        return [table.row(row) for row in known.values() if all(row[place] == value for place, value in places)]

    def write(self, changes: Changes) -> None:
        """All writes of a batch."""
        for change in changes.tables:
            rows = self._rows.setdefault(change.table.name, {})
            for key in change.gone:
                rows.pop(key, None)
            for values in change.come:
                key = change.table.key_of(values)
                if key in rows:
                    raise KeyTaken(f"{change.table.name} {key}")
                rows[key] = values
        for each in changes.sums:
            sums = self._rows.setdefault(each.table.name, {})
            for key, amounts in each.added.items():
                known = sums.get(key, (*key, *([0] * len(amounts))))[len(key) :]
                added = [mine + more for mine, more in zip(known, amounts, strict=True)]
                sums[key] = (*key, *added)
                if not added[0]:
                    del sums[key]

    def all(self, table: Table[Row]) -> dict[tuple[Any, ...], Values]:
        """Every row of a table, by its key."""
        return dict(self._rows.get(table.name, {}))
