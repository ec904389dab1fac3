"""How far caps are used up: by what is billed or drafted, and by work that is earned and on no draft yet.

Both are taken at the moment of one view, so that a lot which goes on a draft meanwhile is never counted twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Final

from domain.caps import CapUse, Consumed, Earned, measures
from domain.money import Money
from projections.contexts import Contexts
from projections.follow import Log
from projections.pages import Conditions
from projections.reader import View

_SHARE: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class CapUseRow:
    """How far a cap is used up in one unit, a currency or hours; ``percent`` reaches 100 only where nothing is left."""

    level: str
    line: str | None
    resource: str | None
    unit: str
    limit: Decimal
    taken: Decimal
    earned: Decimal
    used: Decimal
    percent: Decimal


def rows_of(uses: Sequence[CapUse]) -> Iterator[CapUseRow]:
    """Caps as they are shown, each in all of its units."""
    for use in uses:
        for used, limit, unit in measures(use.limit, use.consumed):
            earned = use.earned.hours if unit == "hour" else use.earned.amount.amount
            percent = (used * 100 / limit).quantize(_SHARE, ROUND_DOWN)
            yield CapUseRow(use.level, use.line, use.resource, unit, limit, used - earned, earned, used, percent)


def of_engagement(view: View, log: Log, engagement: str) -> Sequence[CapUse]:
    """Each cap of an engagement, of the whole, of its lines, and of people on them; none of one that is unknown."""
    state = Contexts(log, view.watermark.position).engagement(engagement)
    if state.opened is None or not state.rooms():
        return []
    conditions = Conditions()
    conditions.equal("i.engagement", engagement)
    return state.cap_uses(_earned(view, conditions, state.currency))


def of_limit(view: View, log: Log, customer: str, currency: str) -> CapUse | None:
    """A customer's limit over all engagements; None without one."""
    state = Contexts(log, view.watermark.position).billing_limit(customer, currency)
    if state.limit is None:
        return None
    conditions = Conditions()
    conditions.equal("i.customer", customer)
    earned = Consumed(Money(Decimal(0), currency))
    for each in _earned(view, conditions, currency):
        earned = earned + each.consumed
    return state.use(earned)


def _earned(view: View, conditions: Conditions, currency: str) -> Sequence[Earned]:
    """What open lots have earned under their caps, by line and person; what is worth nothing takes no hours."""
    conditions.add("i.is_open AND i.is_lot")
    conditions.equal("i.currency", currency)
    query = (
        "SELECT i.line, i.resource, sum(i.value - i.over_cap_value),"
        " coalesce(sum(i.quantity - i.over_cap_quantity) FILTER (WHERE i.unit = 'hour' AND i.value > 0), 0)"
        f" FROM item i {conditions.where} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return [
        Earned(line, resource, Consumed(Money(amount, currency), hours))
        for line, resource, amount, hours in view.rows(query, conditions.values)
    ]
