"""A line of several lots is rounded once: price x quantity, as far as the caps of its work leave room for that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from domain.billing.billable import rooms_for
from domain.billing.draft_plan import Billable
from domain.billing.orders import order_rooms_for
from domain.caps import Room, candidate_of
from domain.lots import Lot
from domain.money import Money, total, zero
from domain.ports import Read


@dataclass(slots=True)
class _Left:
    """A cap in money, and what it leaves."""

    cap: Room
    amount: Money


class LineRounding:
    """What the lines of one billing run ask for; together they pass no cap."""

    def __init__(self, read: Read, billable: Sequence[Billable], on: date) -> None:
        self._read = read
        self._on = on
        self._billable = billable

    def net_of(self, lots: Sequence[Lot]) -> Money:
        """What a line of lots with one price asks for.

        Rounded once, it can be minor units away from its lots, which were rounded one by one when they were rated.
        Work so short that each lot is worth nothing stays worth nothing: no cap counts it, and no payment reaches it.
        """
        currency = lots[0].value.currency
        values = total((lot.value for lot in lots), currency)
        once = total(map(_unrounded, lots), currency).rounded()
        return values + self._within_caps(lots[0], once - values) if values else values

    def _within_caps(self, lot: Lot, difference: Money) -> Money:
        """As much of a difference as the caps leave; a line that fills a cap asks for what the cap left, to the cent.

        Asking for less would let a cent of the work behind the cap be billed.
        """
        if not difference:
            return difference
        nothing, candidate = zero(difference.currency), candidate_of(lot)
        mine = [each for each in self._left if each.cap.applies(candidate) and each.amount.currency == nothing.currency]
        if any(each.amount <= nothing for each in mine):
            return nothing
        taken = min([difference, *(each.amount for each in mine)])
        for each in mine:
            each.amount -= max(taken, nothing)
        return taken

    @cached_property
    def _left(self) -> list[_Left]:
        """What each cap and order leaves once all lots of the run are on drafts; those of people count lots alone."""
        found: list[_Left] = []
        lots = [each.lot for each in self._billable]
        for cap in (*rooms_for(self._read, lots), *order_rooms_for(self._read, lots, self._on)):
            if cap.amount is None or cap.resource is not None:
                continue
            currency = cap.amount.currency
            mine = [each.within for each in self._billable if cap.applies(candidate_of(each.lot))]
            taken = total((each for each in mine if each.currency == currency and each.amount > 0), currency)
            found.append(_Left(cap, cap.amount - taken))
        return found


def _unrounded(lot: Lot) -> Money:
    """Price x quantity; of a part that was cut out of a lot its value, by which its quantity was rounded."""
    exact = Money(lot.price * lot.quantity, lot.value.currency)
    return exact if exact.rounded() == lot.value else lot.value
