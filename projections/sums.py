"""Sums that are kept up to date by what each changed row adds and takes away, so that totals need not read all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from operator import add
from typing import Generic, TypeVar

Cell = TypeVar("Cell")
Amounts = tuple[int | Decimal, ...]


class Deltas(Generic[Cell]):
    """What a batch adds to each cell. The first amount counts rows: a cell that counts none has no row."""

    def __init__(self) -> None:
        self._added: dict[Cell, list[int | Decimal]] = {}

    def add(self, cell: Cell, amounts: Sequence[int | Decimal]) -> None:
        """Adds amounts to a cell."""
        known = self._added.get(cell)
        if known is None:
            self._added[cell] = list(amounts)
        else:
            self._added[cell] = list(map(add, known, amounts))

    def take(self, cell: Cell, amounts: Sequence[int | Decimal]) -> None:
        """Takes amounts from a cell."""
        self.add(cell, [-amount for amount in amounts])

    def collect(self) -> Mapping[Cell, Sequence[int | Decimal]]:
        """What was added, without the cells to which nothing was; the next batch begins anew."""
        added, self._added = self._added, {}
        return {cell: amounts for cell, amounts in added.items() if any(amounts)}
