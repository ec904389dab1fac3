"""Work that is given up before it is billed, whole or in part: written off, or done for nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from domain.billing.credit_wishes import QUANTITY
from domain.kernel import Addressed, Refused, StreamId
from domain.lots import GiveLotsFree, Lot, SplitLot, WriteOffLots
from domain.lots.book import lot_in
from domain.money import money_of, zero
from domain.ports import LotAt, Read, lots_of

GiveUp = WriteOffLots | GiveLotsFree


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A lot that is given up, or so much of it, in the unit of the lot."""

    at: LotAt
    quantity: Decimal | None = None


class NoSuchPart(Refused):
    """A part of a lot is more than nothing, not more than the lot, and worth something."""

    code = "lot.no_such_part"
    fix = "Name a quantity between zero and that of the lot, or leave it out for all of it."


def give_up(
    read: Read, parts: Sequence[GivenUp], command: Callable[[tuple[str, ...]], GiveUp]
) -> dict[StreamId, list[Addressed]]:
    """What each stream is told: a lot of which a part stays is split, and its second part is given up."""
    told: dict[StreamId, list[Addressed]] = {}
    names: dict[StreamId, list[str]] = {}
    for each in parts:
        stream, lot = each.at.stream, lot_in(lots_of(read, each.at.stream), each.at.lot).lot
        split = _split(lot, each.quantity)
        told.setdefault(stream, []).extend([Addressed(stream, split)] if split else [])
        names.setdefault(stream, []).append(f"{lot.lot}/2" if split else lot.lot)
    for stream, commands in told.items():
        commands.append(Addressed(stream, command(tuple(names[stream]))))
    return told


def _split(lot: Lot, quantity: Decimal | None) -> SplitLot | None:
    """How a lot is split so that its second part has a quantity; None where all of it is meant."""
    given = lot.quantity if quantity is None else quantity.quantize(QUANTITY)
    if quantity is None or given == lot.quantity:
        return None
    kept = lot.quantity - given
    if not (0 < given < lot.quantity):
        raise NoSuchPart(f"{given} of {lot.quantity} of {lot.lot}.")
    value = money_of(Fraction(lot.value.amount) * Fraction(kept) / Fraction(lot.quantity), lot.value.currency)
    if not (zero(value.currency) < value < lot.value):
        raise NoSuchPart(f"{lot.lot} is worth {lot.value}.")
    return SplitLot(lot.lot, value, kept)
