"""Sums of all items by state and by reason, for each project, engagement, customer and selling entity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from projections.eligibility.counted import ReasonCell, StateCell, counted
from projections.eligibility.lots import LotsFold
from projections.margin.fold import MarginFold
from projections.row_security import OF_SELLER
from projections.shelf import Changes, SumChange
from projections.sums import Deltas
from projections.tables import Key, Table


@dataclass(slots=True)
class ItemSumRecord:
    """One row of ``item_sum``: everything of one state and currency that belongs to one object.

    A lot that crosses its cap is one of the ``items`` that are eligible, and has ``parts`` in two states.
    """

    by: str
    key: str
    selling_entity: str
    state: str
    currency: str
    parts: int
    items: int
    hours: Decimal
    value: Decimal


@dataclass(slots=True)
class ReasonSumRecord:
    """One row of ``reason_sum``: everything open of an entity that one reason holds up."""

    selling_entity: str
    code: str
    owner_role: str
    currency: str
    items: int
    value: Decimal


ITEM_SUMS: Final = Table(
    "item_sum", ItemSumRecord, ("by", "key", "selling_entity", "state", "currency"), shown=OF_SELLER
)
REASON_SUMS: Final = Table(
    "reason_sum",
    ReasonSumRecord,
    ("selling_entity", "code", "owner_role", "currency"),
    shown=OF_SELLER,
)


class SumsFold:
    """Adds what the items of a batch count for now, and takes what they counted for when it began."""

    def __init__(self, lots: LotsFold, margin: MarginFold) -> None:
        self._lots = lots
        self._margin = margin
        self._states: Deltas[StateCell] = Deltas()
        self._reasons: Deltas[ReasonCell] = Deltas()

    def finish(self) -> None:
        """The difference that the batch makes for each item."""
        for key, before in self._lots.before.items():
            after = counted(self._lots.items.get(key))
            if after == before:
                continue
            for cell, amounts in before.states:
                self._states.take(cell, amounts)
            for cell, amounts in after.states:
                self._states.add(cell, amounts)
            for reason, figures in before.reasons:
                self._reasons.take(reason, figures)
            for reason, figures in after.reasons:
                self._reasons.add(reason, figures)
            self._margin.count(before.margin, after.margin)

    def collect(self, changes: Changes) -> None:
        """What the batch adds to the sums."""
        changes.sums.append(SumChange(ITEM_SUMS, _by_object(self._states.collect())))
        changes.sums.append(
            SumChange(REASON_SUMS, {tuple(cell): each for cell, each in self._reasons.collect().items()})
        )


def _by_object(added: Mapping[StateCell, Sequence[int | Decimal]]) -> Mapping[Key, Sequence[int | Decimal]]:
    """Each cell counts for its project, its engagement, its customer and its entity."""
    sums: Deltas[Key] = Deltas()
    for cell, amounts in added.items():
        rest = (cell.selling_entity, cell.state, cell.currency)
        sums.add(("project", cell.project, *rest), amounts)
        sums.add(("engagement", cell.engagement, *rest), amounts)
        sums.add(("customer", cell.customer, *rest), amounts)
        sums.add(("selling_entity", cell.selling_entity, *rest), amounts)
    return sums.collect()
