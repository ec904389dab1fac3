"""Lots split and move; no quantity, value or cost is ever made or lost by it."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given as such_that
from hypothesis import strategies as st

from domain.kernel import Decider
from domain.lots import (
    BillLots,
    Lot,
    LotBook,
    LotNotOpen,
    LotNotReserved,
    LotRated,
    LotsBilled,
    LotSplit,
    LotsReleased,
    LotsReserved,
    LotStatus,
    LotsWrittenOff,
    ReleaseLots,
    ReserveLots,
    SplitLot,
    UnknownLot,
    WriteOffLots,
    decide_lots,
    evolve_lots,
)
from domain.money import Money
from tests.domain.test_expense import LOT
from tests.spec import Given, given

BOOK: Decider[object, LotBook, object] = Decider("lots", {}, decide_lots, evolve_lots)  # type: ignore[arg-type]  # the test drives it with lot commands only


def one(value: str = "1200", quantity: str = "8") -> Given:
    lot = replace(LOT, lot="X#1", source="X", quantity=Decimal(quantity), value=Money(Decimal(value), "EUR"))
    return given(BOOK, LotRated(lot))


RESERVE = ReserveLots(("X#1",), "I-1")


def test_a_lot_is_reserved_billed_and_released_once_each() -> None:
    one().when(RESERVE).then(LotsReserved(("X#1",), "I-1"))
    one().and_then(RESERVE).when(RESERVE).stays_quiet()
    one().and_then(RESERVE).when(ReleaseLots(("X#1",), "I-1")).then(LotsReleased(("X#1",), "I-1"))
    one().when(ReleaseLots(("X#1",), "I-1")).stays_quiet()
    bill = BillLots(("X#1",), "I-1", "DE-1")
    one().and_then(RESERVE).when(bill).then(LotsBilled(("X#1",), "I-1", "DE-1"))
    one().and_then(RESERVE, bill).when(bill).stays_quiet()


def test_a_lot_is_on_one_invoice_only() -> None:
    one().and_then(RESERVE).when(ReserveLots(("X#1",), "I-2")).refuses(LotNotOpen, "I-1")
    one().when(BillLots(("X#1",), "I-1", "DE-1")).refuses(LotNotReserved, "I-1")
    one().when(ReserveLots(("Y#1",), "I-1")).refuses(UnknownLot, "Y#1")


def test_open_lots_are_written_off_once() -> None:
    write_off = WriteOffLots(("X#1",), "goodwill", "ann")
    one().when(write_off).then(LotsWrittenOff(("X#1",), "goodwill", "ann"))
    one().and_then(write_off).when(write_off).stays_quiet()
    one().and_then(RESERVE).when(write_off).refuses(LotNotOpen)


def test_work_that_nobody_pays_for_is_not_open() -> None:
    included = replace(LOT, lot="X#1", non_billable_because="INCLUDED_IN_FIXED_FEE")
    assert given(BOOK, LotRated(included)).state["X#1"].status is LotStatus.NON_BILLABLE


def test_a_split_beyond_the_lot_changes_nothing() -> None:
    one().when(SplitLot("X#1", Money(Decimal(1200), "EUR"))).stays_quiet()
    one().when(SplitLot("X#1", Money(Decimal(0), "EUR"))).stays_quiet()


@such_that(st.integers(2, 10**7), st.integers(1, 10**5), st.data())
def test_the_parts_of_a_split_add_up_to_the_lot(value: int, quantity: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, value - 1))
    whole = one(str(Decimal(value) / 100), str(Decimal(quantity) / 100))
    (split,) = whole.when(SplitLot("X#1", Money(Decimal(first) / 100, "EUR"))).events
    assert isinstance(split, LotSplit)
    lot: Lot = whole.state["X#1"].lot
    assert sum(part.quantity for part in split.parts) == lot.quantity
    assert split.parts[0].value + split.parts[1].value == lot.value
    assert split.parts[0].cost + split.parts[1].cost == lot.cost
