"""What purchase orders leave: whole lots fit into an order, in their turn; one that would pass its amount waits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from domain.billing.draft_plan import Billable, LotsUnderOtherOrder
from domain.caps import Room, allocate, candidate_of
from domain.invoice import Draft
from domain.kernel import StreamId
from domain.lots import Lot
from domain.ports import Read, engagement_of, entity_of
from domain.reason_codes import ReasonCode


def lets_orders_pass(read: Read, entity: str, day: date) -> bool:
    """Whether an entity bills beyond the amount of an order, by its policy of a day."""
    terms = entity_of(read, entity).on(day)
    return terms is not None and ReasonCode.PO_EXHAUSTED.value in terms.lets_pass


def order_rooms_for(read: Read, lots: Iterable[Lot], day: date) -> list[Room]:
    """What the orders of some lots' engagements leave, as far as they limit what is billed on a day."""
    sellers = {lot.engagement: lot.selling_entity for lot in lots}
    rooms = (
        engagement_of(read, name).order_room
        for name, entity in sellers.items()
        if not lets_orders_pass(read, entity, day)
    )
    return [room for room in rooms if room is not None]


def beyond_orders(read: Read, within: Sequence[Billable], day: date) -> set[tuple[StreamId, str]]:
    """The lots that would pass the amount of their order, each in its turn beside the others."""
    rooms = order_rooms_for(read, [each.lot for each in within], day)
    if not rooms:
        return set()
    names = {turn_id(each.stream, each.lot): (each.stream, each.lot.lot) for each in within}
    turns = [replace(candidate_of(each.lot, name), value=each.within) for each, name in zip(within, names, strict=True)]
    return {names[name] for name, share in allocate(rooms, turns).items() if share.over}


def turn_id(stream: StreamId, lot: Lot) -> str:
    """A lot's id with its stream behind it: the same entry may have been told in two weeks."""
    return f"{lot.lot}\x00{stream}"


def require_same_order(read: Read, draft: Draft, lots: Iterable[Lot]) -> None:
    """Refuses lots that join a draft which another order than that of today pays for."""
    for name in dict.fromkeys(lot.engagement for lot in lots):
        engagement = engagement_of(read, name)
        order, known = engagement.purchase_order, engagement.ordered.get(draft.invoice)
        if order is not None and known not in (None, order.number):
            raise LotsUnderOtherOrder(f"{draft.invoice} is under {known}, {name} under {order.number}.")
