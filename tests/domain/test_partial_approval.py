"""Hours approved in part, or for more than were worked: what may be billed, what is held, and what it all costs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given as such_that
from hypothesis import strategies as st

from domain.lots import (
    BillLots,
    LiftLotHolds,
    Lot,
    LotHoldsLifted,
    LotRated,
    LotReversed,
    LotsHeld,
    LotSplit,
    LotStatus,
    LotTransferred,
    ReserveLots,
    TransferLot,
    WriteOffLots,
)
from domain.money import Money
from domain.timesheet import (
    APPROVER_REDUCED,
    ApprovedHoursOutOfRange,
    ApproveTime,
    EntryInvoiced,
    HeldByApprover,
    RateEntry,
    RejectTime,
    SelfApproval,
    TimeApproved,
    TimeCorrected,
    Timesheet,
    UnknownEntry,
)
from tests.domain.test_timesheet import APPROVER, WORKER, at, eight_hours, lot, nothing, told, week, work
from tests.spec import Given


def approve(hours: str, minute: int = 10) -> ApproveTime:
    return ApproveTime(("jira:1",), APPROVER, at(minute), {"jira:1": Decimal(hours)})


def rate(hours: str = "8", price: str = "150") -> RateEntry:
    """The lot that pricing makes of eight hours worked, of which so many are in lots."""
    value = Money(Decimal(price) * Decimal(hours), "EUR")
    return RateEntry(replace(lot(price), quantity=Decimal(hours), value=value))


def six_of_eight() -> Given:
    return eight_hours().and_then(approve("6"), rate())


def lots_of(state: Timesheet, *, held: bool) -> list[Lot]:
    open_lots = (each for each in state.lots.values() if each.status is LotStatus.OPEN)
    return [each.lot for each in open_lots if (APPROVER_REDUCED in each.holds) is held]


def hours_of(state: Timesheet) -> tuple[Decimal | int, Decimal | int]:
    """The hours that may be billed, and those that are held."""
    free, held = (lots_of(state, held=which) for which in (False, True))
    return sum((each.quantity for each in free), Decimal(0)), sum((each.quantity for each in held), Decimal(0))


def test_an_approval_for_fewer_hours_says_for_how_many() -> None:
    eight_hours().when(approve("6")).then(TimeApproved(("jira:1",), APPROVER, at(10), {"jira:1": Decimal(6)}))


def test_an_approval_for_the_hours_that_were_worked_is_a_plain_one() -> None:
    eight_hours().when(approve("8")).then(TimeApproved(("jira:1",), APPROVER, at(10)))


def test_the_hours_that_were_not_approved_are_held_at_their_price_and_cost() -> None:
    asked = eight_hours().and_then(approve("6")).when(rate())
    asked.then_happens(LotRated, LotSplit, LotsHeld)
    (free,), (held,) = lots_of(asked.state, held=False), lots_of(asked.state, held=True)
    assert (free.quantity, free.value, free.cost) == (
        Decimal(6),
        Money(Decimal(900), "EUR"),
        Money(Decimal(360), "EUR"),
    )
    assert (held.quantity, held.value, held.cost) == (
        Decimal(2),
        Money(Decimal(300), "EUR"),
        Money(Decimal(120), "EUR"),
    )
    assert asked.state.lots[held.lot].holds[APPROVER_REDUCED].because == f"{APPROVER} approved 6 h of 8 h."


def test_the_same_rating_again_stays_quiet() -> None:
    six_of_eight().when(rate()).stays_quiet()


def test_a_new_price_holds_the_same_hours_again() -> None:
    asked = six_of_eight().when(rate(price="160"))
    assert hours_of(asked.state) == (6, 2)
    assert {each.price for each in lots_of(asked.state, held=True)} == {160}


def test_none_of_the_hours_may_be_billed_when_none_were_approved() -> None:
    asked = eight_hours().and_then(approve("0")).when(rate())
    asked.then_happens(LotRated, LotsHeld)
    assert hours_of(asked.state) == (0, 8)


def test_more_hours_than_were_worked_are_in_the_lot() -> None:
    asked = eight_hours().and_then(approve("10")).when(rate("10"))
    asked.then_happens(LotRated)
    assert asked.state.entries["jira:1"].hours_in_lots == 10
    assert hours_of(asked.state) == (10, 0)


class TestApprovingAgain:
    def test_a_later_approval_of_all_lifts_the_hold(self) -> None:
        asked = six_of_eight().when(ApproveTime(("jira:1",), APPROVER, at(20)))
        asked.then_happens(TimeApproved, LotHoldsLifted)
        assert hours_of(asked.state) == (8, 0)

    def test_a_later_approval_of_more_lifts_a_part_of_it(self) -> None:
        asked = six_of_eight().when(approve("7.5", 20))
        asked.then_happens(TimeApproved, LotSplit, LotHoldsLifted)
        assert hours_of(asked.state) == (Decimal("7.5"), Decimal("0.5"))

    def test_a_later_approval_of_fewer_holds_more(self) -> None:
        assert hours_of(six_of_eight().when(approve("1", 20)).state) == (1, 7)

    def test_an_earlier_one_and_the_same_one_stay_quiet(self) -> None:
        six_of_eight().when(approve("7", 9)).stays_quiet()
        six_of_eight().when(approve("6")).stays_quiet()

    def test_a_later_one_of_the_same_hours_is_remembered_and_changes_no_lot(self) -> None:
        again = six_of_eight().and_then(approve("6", 20))
        assert hours_of(again.state) == (6, 2)
        again.when(RejectTime(("jira:1",), APPROVER, at(15), "Which task?")).stays_quiet()

    def test_other_hours_than_are_in_the_lots_have_them_rated_anew(self) -> None:
        asked = six_of_eight().when(approve("10", 20))
        asked.then_happens(TimeApproved, LotReversed, LotReversed)
        assert hours_of(six_of_eight().when(approve("10", 20), rate("10")).state) == (10, 0)
        assert hours_of(six_of_eight().when(approve("10", 20), rate("10"), approve("7", 30), rate()).state) == (7, 1)

    def test_a_period_that_is_approved_leaves_what_was_approved_in_part(self) -> None:
        assert hours_of(six_of_eight().when(week("approved", 30)).state) == (6, 2)


class TestWhatIsBilled:
    def billed(self) -> Given:
        (free,) = lots_of(six_of_eight().state, held=False)
        return six_of_eight().and_then(ReserveLots((free.lot,), "I-1"), BillLots((free.lot,), "I-1", "DE-1"))

    def test_the_rest_is_approved_after_the_first_was_billed(self) -> None:
        asked = self.billed().when(approve("8", 20))
        assert hours_of(asked.state) == (2, 0)

    def test_fewer_hours_than_are_on_an_invoice_are_refused(self) -> None:
        self.billed().when(approve("5", 20)).refuses(EntryInvoiced, "I-1", "5 h")
        self.billed().when(approve("9", 20)).refuses(EntryInvoiced, "I-1")

    def test_hours_that_were_given_up_need_not_be_held(self) -> None:
        (held,) = lots_of(six_of_eight().state, held=True)
        given_up = self.billed().and_then(WriteOffLots((held.lot,), "goodwill", "ann"))
        given_up.when(approve("7", 20)).then(TimeApproved(("jira:1",), APPROVER, at(20), {"jira:1": Decimal(7)}))


def test_a_correction_has_to_be_approved_anew_in_full() -> None:
    asked = six_of_eight().when(told("jira", "1", 30, work("5")))
    asked.then_happens(LotReversed, LotReversed, TimeCorrected)
    assert asked.state.entries["jira:1"].approved_hours is None


def test_a_rejection_reverses_what_was_billable_and_what_was_held() -> None:
    asked = six_of_eight().when(RejectTime(("jira:1",), APPROVER, at(30), "not ours"))
    assert {each.status for each in asked.state.lots.values()} == {LotStatus.REVERSED, LotStatus.SPLIT}


def test_only_an_approval_lifts_the_hold() -> None:
    (held,) = lots_of(six_of_eight().state, held=True)
    six_of_eight().when(LiftLotHolds((held.lot,), APPROVER_REDUCED, "paul")).refuses(HeldByApprover, held.lot)


def test_hours_that_are_held_stay_held_when_they_are_moved_elsewhere() -> None:
    (held,) = lots_of(six_of_eight().state, held=True)
    elsewhere = replace(held, engagement="E-2", line="L9")
    asked = six_of_eight().when(TransferLot(held.lot, elsewhere, "wrong project", "paul"))
    asked.then_happens(LotTransferred, LotRated, LotsHeld)
    assert hours_of(asked.state) == (6, 2)


@pytest.mark.parametrize("hours", ["-0.5", "24.5"])
def test_hours_out_of_range_are_refused(hours: str) -> None:
    eight_hours().when(approve(hours)).refuses(ApprovedHoursOutOfRange, "jira:1")


def test_nobody_approves_a_part_of_their_own_hours_nor_of_unknown_ones() -> None:
    eight_hours().when(replace(approve("6"), by=WORKER)).refuses(SelfApproval)
    nothing().when(approve("6")).refuses(UnknownEntry, "jira:1")
    eight_hours().when(replace(approve("6"), hours={"jira:9": Decimal(1)})).refuses(UnknownEntry, "jira:9")


quarters = st.integers(0, 40).map(lambda number: Decimal(number) / 4)


@such_that(approvals=st.lists(quarters, min_size=1, max_size=6), periods=st.booleans())
def test_whatever_is_approved_in_turn_the_last_word_counts_to_the_hour(approvals: list[Decimal], periods: bool) -> None:
    history = eight_hours()
    for turn, hours in enumerate(approvals):
        entry = history.and_then(approve(str(hours), 10 + turn)).state.entries["jira:1"]
        history = history.and_then(approve(str(hours), 10 + turn), rate(str(entry.hours_in_lots)))
        if periods:
            history = history.and_then(week("approved", 10 + turn))
    assert hours_of(history.state) == (approvals[-1], max(8 - approvals[-1], Decimal(0)))
    value = sum((each.value.amount for each in lots_of(history.state, held=False)), Decimal(0))
    assert value == approvals[-1] * 150
