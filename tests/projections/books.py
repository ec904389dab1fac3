"""Sentences for tests of read models: given what happened, when it is folded, then these rows are there.

Whatever is folded is folded in one batch, fact by fact, and by a fold that is thrown away now and then, and must come
to the same rows each time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from projections.fold import Fold
from projections.follow import Log
from projections.memory import MemoryStore
from projections.scheme import TABLES
from projections.tables import Table, Values
from tests.world import World

EVERYTHING = 1_000_000


def fold(
    log: Log, *, batch: int = EVERYTHING, restart_after: int = EVERYTHING, until: int | None = None
) -> MemoryStore:
    """Folds a log into tables in memory."""
    store = MemoryStore()
    folding, since = Fold(log, store, 0), 0
    while facts := log.read(folding.position, batch, until):
        store.write(folding.apply(facts))
        since += 1
        if since == restart_after:
            folding, since = Fold(log, store, folding.position), 0
    return store


def contents(store: MemoryStore) -> dict[str, dict[tuple[Any, ...], Values]]:
    """All rows of all tables."""
    return {table.name: store.all(table) for table in TABLES}


def differences(one: MemoryStore, other: MemoryStore) -> list[str]:
    """Where two foldings do not agree, column by column."""
    found = []
    for table in TABLES:
        here, there = one.all(table), other.all(table)
        for key in here.keys() | there.keys():
            mine, theirs = here.get(key), there.get(key)
            if mine is None or theirs is None:
                found.append(f"{table.name} {key}: {'missing' if mine is None else 'too much'}")
                continue
            found += [
                f"{table.name} {key}.{name}: {a!r} or {b!r}"
                for name, a, b in zip(table.names, mine, theirs, strict=True)
                if a != b
            ]
    return found


@dataclass(frozen=True)
class Rows:
    """What a folding led to."""

    store: MemoryStore

    def then(self, table: Table[Any], *key: str, **columns: Any) -> Rows:
        """The row of a key has these values, whatever its other columns say."""
        row = self.row(table, *key)
        assert {name: getattr(row, name) for name in columns} == columns
        return self

    def has_no(self, table: Table[Any], *key: str) -> Rows:
        assert key not in self.store.all(table)
        return self

    def has(self, table: Table[Any], count: int) -> Rows:
        assert len(self.store.all(table)) == count
        return self

    def row(self, table: Table[Any], *key: str) -> Any:
        rows = self.store.all(table)
        if key not in rows:
            pytest.fail(f"{table.name} has no {key}, but {sorted(rows)}")
        return table.row(rows[key])


@dataclass(frozen=True)
class Given:
    """A firm with its history."""

    world: World

    def when(self, folding: Callable[[Log], MemoryStore]) -> Rows:
        return Rows(folding(self.world.ledger))


def given(world: World) -> Given:
    return Given(world)


def folded(log: Log) -> MemoryStore:
    """The rows that a log leads to, however it is cut into batches and whenever the projector is killed."""
    at_once = fold(log)
    assert differences(at_once, fold(log, batch=1)) == []
    assert differences(at_once, fold(log, batch=4, restart_after=1)) == []
    return at_once
