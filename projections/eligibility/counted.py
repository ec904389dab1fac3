"""What one item counts for in the sums: by state, by reason, and in the margin."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from domain.lots import LotStatus
from domain.periods import month_of
from domain.timesheet import APPROVER_REDUCED
from projections.eligibility.items import NOTHING, Item


class StateCell(NamedTuple):
    """Where an item counts by state."""

    selling_entity: str
    customer: str
    engagement: str
    project: str
    state: str
    currency: str


class ReasonCell(NamedTuple):
    """Where an open item counts by each of its reasons."""

    selling_entity: str
    code: str
    owner_role: str
    currency: str


class MarginCell(NamedTuple):
    """Where a lot counts in the margin; ``month`` is that of the work."""

    month: str
    selling_entity: str
    customer: str
    engagement: str
    project: str
    practice: str
    currency: str
    functional_currency: str


StateAmounts = tuple[int, int, Decimal, Decimal]
"""Parts of items, items, hours, value."""

ReasonAmounts = tuple[int, Decimal]
"""Items, value."""

MarginAmounts = tuple[int, int, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal]
"""Lots, lots with a figure that could not be converted, hours; standard, billed, recognised, cost; the same four in the
functional currency."""


@dataclass(frozen=True, slots=True)
class Counted:
    """All that one item adds to the sums."""

    states: tuple[tuple[StateCell, StateAmounts], ...] = ()
    reasons: tuple[tuple[ReasonCell, ReasonAmounts], ...] = ()
    margin: tuple[MarginCell, MarginAmounts] | None = None


_NOTHING: Final = Counted()
_GONE: Final = frozenset({LotStatus.REVERSED.value, LotStatus.SPLIT.value, LotStatus.TRANSFERRED.value})
_EARNS_NOTHING: Final = frozenset({LotStatus.NON_BILLABLE.value, LotStatus.WRITTEN_OFF.value})


def counted(item: Item | None) -> Counted:
    """What an item adds to the sums; if another lot stands in its place it counts by its state alone."""
    if item is None:
        return _NOTHING
    if item.status in _GONE:
        return Counted(_states(item))
    return Counted(_states(item), _reasons(item), _margin(item) if item.is_lot else None)


def _states(item: Item) -> tuple[tuple[StateCell, StateAmounts], ...]:
    """An item counts in its state; what is over its cap of an eligible lot adds its hours and value there."""
    entity, currency, by_hour = item.selling_entity, item.currency or "", item.unit == "hour"
    cell = StateCell(entity, item.customer, item.engagement, item.project, item.state, currency)
    if item.state != "eligible" or not item.over_cap_value:
        return ((cell, (1, 1, item.quantity if by_hour else NOTHING, item.value or NOTHING)),)
    within = (1, 1, item.eligible_quantity if by_hour else NOTHING, item.eligible_value)
    over = (1, 0, item.over_cap_quantity if by_hour else NOTHING, item.over_cap_value)
    return ((cell, within), (cell._replace(state="over_cap"), over))


def _reasons(item: Item) -> tuple[tuple[ReasonCell, ReasonAmounts], ...]:
    if not item.is_open or not item.codes:
        return ()
    entity, currency, value = item.selling_entity, item.currency or "", item.value or NOTHING
    return tuple(
        (
            ReasonCell(entity, code, owner, currency),
            (1, item.over_cap_value if code == "CAP_EXCEEDED" else value),
        )
        for code, owner in zip(item.codes, item.owner_roles, strict=True)
    )


def _margin(item: Item) -> tuple[MarginCell, MarginAmounts]:
    """Recognised is what may be invoiced (IFRS 15.B16): not what is over the cap, given up, or not approved for it."""
    cell = MarginCell(
        month_of(item.work_date),
        item.selling_entity,
        item.customer,
        item.engagement,
        item.project,
        item.practice or "",
        item.currency or "",
        item.functional_currency or "",
    )
    value, functional = item.value or NOTHING, item.functional_value
    is_billed = item.status == LotStatus.BILLED.value
    if item.status in _EARNS_NOTHING or APPROVER_REDUCED in item.codes:
        recognised, functional_recognised = NOTHING, NOTHING
    elif item.over_cap_value and value:
        recognised = value - item.over_cap_value
        functional_recognised = _share(functional or NOTHING, recognised, value)
    else:
        recognised, functional_recognised = value, functional or NOTHING
    cost, functional_cost = item.cost_in_billing_currency, item.functional_cost
    amounts = (
        1,
        int(cost is None or functional is None or functional_cost is None),
        item.quantity if item.unit == "hour" else NOTHING,
        value,
        value if is_billed else NOTHING,
        recognised,
        cost or NOTHING,
        functional or NOTHING,
        (item.functional_billed or NOTHING) if is_billed else NOTHING,
        functional_recognised,
        functional_cost or NOTHING,
    )
    return cell, amounts


def _share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """The same share of another amount, at that amount's precision."""
    return (amount * part / whole).quantize(amount, ROUND_HALF_UP)
