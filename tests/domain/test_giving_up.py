"""Work that is given up before it is billed: all of a lot, or so much of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.billing.giving_up import GivenUp, NoSuchPart, give_up
from domain.kernel import StreamId
from domain.lots import GiveLotsFree, LotNotOpen, LotStatus, UnknownLot, WriteOffLots
from domain.money import Money
from domain.ports import LotAt
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from tests.world import NEW_YEAR, World, euros

LOT = "jira:1#1"


def written_off(lots: tuple[str, ...]) -> WriteOffLots:
    return WriteOffLots(lots, "Not worth it.", "cfo")


def gives_up(world: World, sheet: StreamId, quantity: str | None) -> World:
    part = GivenUp(LotAt(sheet, LOT), Decimal(quantity) if quantity is not None else None)
    for commands in give_up(world.read, [part], written_off).values():
        world.record(commands)
    return world.react()


def lots(world: World, sheet: StreamId) -> list[tuple[LotStatus, Decimal, Money]]:
    book = world.read(sheet).lots.values()
    return [(each.status, each.lot.quantity, each.lot.value) for each in book if each.status is not LotStatus.SPLIT]


def test_two_of_ten_hours_are_written_off_and_eight_can_be_billed() -> None:
    world = World().firm().contract()
    sheet = world.work("1", "10")
    gives_up(world, sheet, "2")
    assert lots(world, sheet) == [
        (LotStatus.OPEN, Decimal(8), euros(1200)),
        (LotStatus.WRITTEN_OFF, Decimal(2), euros(300)),
    ]
    world.draft("I-1", [LotAt(sheet, f"{LOT}/1")])


@pytest.mark.parametrize("quantity", [None, "10", "10.0000001"])
def test_all_of_a_lot_is_written_off_undivided(quantity: str | None) -> None:
    world = World().firm().contract()
    sheet = world.work("1", "10")
    assert lots(gives_up(world, sheet, quantity), sheet) == [(LotStatus.WRITTEN_OFF, Decimal(10), euros(1500))]


@pytest.mark.parametrize("quantity", ["0", "-1", "10.5"])
def test_a_part_that_a_lot_does_not_have_is_refused(quantity: str) -> None:
    world = World().firm().contract()
    sheet = world.work("1", "10")
    with pytest.raises(NoSuchPart, match="of 10"):
        gives_up(world, sheet, quantity)


def test_a_cent_is_given_up_whole_or_not_at_all() -> None:
    world = World().firm().contract()
    world.tell(rate_card_stream("line", "E-1", "L1"), SetRate(RateRow("cent", euros("0.01"), NEW_YEAR)))
    sheet = world.work("1", "1")
    with pytest.raises(NoSuchPart, match=r"is worth 0.01 EUR"):
        gives_up(world, sheet, "0.5")


def test_parts_of_two_lots_of_a_week_are_given_free_together() -> None:
    world = World().firm().contract()
    sheet = world.work("1", "8")
    world.work("2", "6", day=1)
    parts = [GivenUp(LotAt(sheet, LOT), Decimal(3)), GivenUp(LotAt(sheet, "jira:2#1"))]
    told = give_up(world.read, parts, lambda names: GiveLotsFree(names, "A trial.", "cfo"))
    world.record(told[sheet])
    assert sorted((status, hours) for status, hours, _ in lots(world, sheet)) == [
        (LotStatus.NON_BILLABLE, Decimal(3)),
        (LotStatus.NON_BILLABLE, Decimal(6)),
        (LotStatus.OPEN, Decimal(5)),
    ]


def test_a_lot_that_was_divided_or_is_unknown_is_not_given_up() -> None:
    world = World().firm().contract()
    sheet = world.work("1", "10")
    gives_up(world, sheet, "2")
    with pytest.raises(LotNotOpen):
        gives_up(world, sheet, "1")
    with pytest.raises(UnknownLot):
        give_up(world.read, [GivenUp(LotAt(sheet, "jira:9#1"))], written_off)
