"""Sums up what lots are worth, billed, recognised and cost, by every question that is asked of the margin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from projections.eligibility.counted import MarginAmounts, MarginCell
from projections.row_security import OF_SELLER
from projections.shelf import Changes, SumChange
from projections.sums import Deltas
from projections.tables import Key, Table


@dataclass(slots=True)
class MarginRecord:
    """One row of ``margin``; ``by`` names the question, ``key`` the object, ``month`` is empty for all months."""

    by: str
    month: str
    key: str
    selling_entity: str
    customer: str
    engagement: str
    project: str
    practice: str
    currency: str
    functional_currency: str
    lots: int
    unconverted: int
    hours: Decimal
    standard: Decimal
    billed: Decimal
    recognised: Decimal
    cost: Decimal
    functional_standard: Decimal
    functional_billed: Decimal
    functional_recognised: Decimal
    functional_cost: Decimal


MARGINS: Final = Table(
    "margin",
    MarginRecord,
    (
        "by",
        "month",
        "key",
        "selling_entity",
        "customer",
        "engagement",
        "project",
        "practice",
        "currency",
        "functional_currency",
    ),
    shown=OF_SELLER,
)


class MarginFold:
    """Keeps the cells of the margin, and their sums, by what each lot adds and takes."""

    def __init__(self) -> None:
        self._cells: Deltas[MarginCell] = Deltas()

    def count(
        self, before: tuple[MarginCell, MarginAmounts] | None, after: tuple[MarginCell, MarginAmounts] | None
    ) -> None:
        """A lot counts otherwise than before."""
        if before == after:
            return
        if before is not None:
            self._cells.take(*before)
        if after is not None:
            self._cells.add(*after)

    def collect(self, changes: Changes) -> None:
        """What the batch adds to the sums."""
        sums: Deltas[Key] = Deltas()
        for cell, amounts in self._cells.collect().items():
            for key in _keys(cell):
                sums.add(key, amounts)
        changes.sums.append(SumChange(MARGINS, sums.collect()))


def _keys(cell: MarginCell) -> Iterator[Key]:
    """The cell itself, and the rows that sum it up: for one month and for all, by each object."""
    entity, customer, engagement, project, practice = cell[1:6]
    money = (cell.currency, cell.functional_currency)
    yield ("cell", cell.month, project, entity, customer, engagement, project, practice, *money)
    for month in (cell.month, ""):
        yield ("project", month, project, entity, customer, engagement, project, "", *money)
        yield ("engagement", month, engagement, entity, customer, engagement, "", "", *money)
        yield ("customer", month, customer, entity, customer, "", "", "", *money)
        yield ("selling_entity", month, entity, entity, "", "", "", "", *money)
        yield ("practice", month, practice, entity, "", "", "", practice, *money)
