"""How far caps are used up, worked out from the lots themselves by the allocation that drafts use: slow, and sure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.billing.billable import rooms_for
from domain.caps import CapUse, Consumed, Earned, allocate, candidate_of
from domain.kernel import StreamId
from domain.lots import Lot
from domain.money import zero
from domain.ports import Read, billing_limit_of, engagement_of


def use_of_caps(read: Read, engagement: str, open_lots: Iterable[tuple[StreamId, Lot]]) -> Sequence[CapUse]:
    """How far each cap of an engagement is used up."""
    state = engagement_of(read, engagement)
    if state.opened is None or not state.rooms():
        return []
    mine = [(stream, lot) for stream, lot in open_lots if lot.engagement == engagement]
    return state.cap_uses(_earned(read, mine))


def use_of_limit(read: Read, customer: str, currency: str, open_lots: Iterable[tuple[StreamId, Lot]]) -> CapUse | None:
    """How far the limit of a customer is used up."""
    earned = Consumed(zero(currency))
    mine = [(s, lot) for s, lot in open_lots if (lot.customer, lot.value.currency) == (customer, currency)]
    for each in _earned(read, mine):
        earned = earned + each.consumed
    return billing_limit_of(read, customer, currency).use(earned)


def _earned(read: Read, lots: Sequence[tuple[StreamId, Lot]]) -> list[Earned]:
    candidates = {f"{lot.lot}@{stream}": (lot, candidate_of(lot, f"{lot.lot}@{stream}")) for stream, lot in lots}
    shares = allocate(rooms_for(read, [lot for _, lot in lots]), (each for _, each in candidates.values()))
    earned = []
    for name, (lot, candidate) in candidates.items():
        share = shares[name]
        part = share.within.amount / lot.value.amount if lot.value else 0
        hours = candidate.hours * part if share.hours is None else share.hours
        earned.append(Earned(lot.line, lot.resource, Consumed(share.within, hours)))
    return earned
