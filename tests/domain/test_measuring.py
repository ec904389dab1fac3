"""Progress by hours or by cost bills itself: each month's end, what the work took says how far the promise is."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from domain.calendar import FIRM, OpenDay
from domain.contract import ContractLine, Measure, PercentComplete
from domain.engagement.progress import MeasureProgress, RecordCost, ReviseEstimate
from domain.expense import ApproveExpenses, Expense, RecordExpense, expense_stream
from domain.lots import Lot
from domain.money import Money, zero
from domain.timesheet import ApproveTime, Claim, LogTime, Work, timesheet_stream
from tests.world import ENGAGEMENT, MONDAY, NINE, LogCandidates, World, euros

MARCH, APRIL, MAY = date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)


def firm(measure: Measure = "hours", budget: int = 100) -> World:
    """A promise of 10,000 euros, agreed in March, and the days of the calendar since then."""
    world = World()
    world.candidates = LogCandidates(world)
    promise = PercentComplete(euros(10_000), measure, Decimal(budget))
    world.firm().contract(line=ContractLine("L1", "Migration", promise))
    return world.tell(FIRM, OpenDay(MONDAY, NINE))


def ends(world: World, month: date) -> World:
    return world.tell(FIRM, OpenDay(month + timedelta(days=1), NINE))


def bills(world: World) -> list[Lot]:
    return [held.lot for held in world.read(ENGAGEMENT).lots.values()]


def amounts(world: World) -> list[Decimal]:
    return [lot.value.amount for lot in bills(world)]


def test_the_hours_of_a_month_bill_their_share_of_the_price_at_its_end() -> None:
    world = firm()
    world.work("1")
    world.work("2", day=1)
    assert bills(world) == []
    (bill,) = bills(ends(world, MARCH))
    assert (bill.value, bill.work_date) == (euros(1600), MARCH)
    (measured,) = world.read(ENGAGEMENT).progress.measured["L1"]
    assert (measured.to_date, measured.by, measured.evidence) == (16, "ledger", "16 of 100 h of work done")


def test_each_month_bills_what_came_on_top() -> None:
    world = firm()
    world.work("1")
    ends(world, MARCH)
    world.work("2", day=35)
    world.work("3", "4", day=2)
    assert amounts(ends(world, APRIL)) == [800, 1200]


def test_a_month_without_work_measures_nothing() -> None:
    world = firm()
    ends(world, MARCH)
    assert "engagement.progress_measured.v1" not in world.names()
    world.work("1", day=35)
    ends(ends(world, APRIL), MAY)
    assert world.names().count("engagement.progress_measured.v1") == 1


def test_days_without_service_are_made_up_for_at_once() -> None:
    world = firm()
    world.work("1")
    world.work("2", day=35)
    assert [(lot.value.amount, lot.work_date) for lot in bills(ends(world, MAY))] == [(Decimal(1600), MAY)]


def test_hours_that_were_corrected_are_taken_off_the_next_bill() -> None:
    world = firm()
    sheet = world.work("1")
    ends(world, MARCH)
    shorter = Work("P-1-L1", None, MONDAY, Decimal(5), started="09:00:00")
    world.tell(sheet, LogTime("W-1", Claim("jira", "1", NINE + timedelta(days=40)), shorter))
    world.tell(sheet, ApproveTime(("jira:1",), "W-9", NINE + timedelta(days=41)))
    assert amounts(ends(world, APRIL)) == [800, -300]


def test_more_work_than_was_estimated_bills_no_more_than_the_price() -> None:
    world = firm(budget=10)
    world.work("1")
    world.work("2", day=1)
    assert amounts(ends(world, MARCH)) == [10_000]
    (measured,) = world.read(ENGAGEMENT).progress.measured["L1"]
    assert measured.evidence == "16 of 10 h of work done"
    world.tell(ENGAGEMENT, ReviseEstimate("L1", MARCH, Decimal(40), "hours", "harder than thought", "pm", NINE))
    assert amounts(world) == [10_000, -7500]


def test_an_overrun_counts_in_full_once_the_whole_is_estimated_anew() -> None:
    world = firm(budget=10)
    world.work("1")
    world.work("2", day=1)
    ends(world, MARCH)
    world.tell(ENGAGEMENT, ReviseEstimate("L1", APRIL, Decimal(40), "hours", "harder than thought", "pm", NINE))
    assert sum(amounts(ends(world, APRIL))) == 4000


def test_cost_counts_with_what_was_told_by_name_and_without_what_is_passed_on() -> None:
    world = firm("cost", 5000)
    world.work("1")
    world.tell(ENGAGEMENT, RecordCost("L1", "S-1", MARCH, euros(520), "subcontractor", "erp"))
    world.tell(ENGAGEMENT, RecordCost("L1", "S-2", APRIL, euros(900), "subcontractor", "erp"))
    expense = Expense("1", "P-1-L1", "travel", MONDAY, euros(200), zero("EUR"), True, "scan-1")
    world.tell(
        expense_stream("ER-1"), RecordExpense("ER-1", "W-1", expense, NINE), ApproveExpenses(("1",), "W-9", NINE)
    )
    assert amounts(ends(world, MARCH)) == [2000]
    assert sum(amounts(ends(world, APRIL))) == 3800


def test_a_cost_whose_exchange_rate_is_missing_waits() -> None:
    world = firm("cost", 5000)
    world.work("1")
    told = RecordCost("L1", "S-1", MARCH, Money(Decimal(100), "USD"), "subcontractor", "erp")
    world.tell(ENGAGEMENT, told)
    assert bills(ends(world, MARCH)) == []


def test_who_measures_a_line_goes_on_doing_so() -> None:
    world = firm()
    world.work("1")
    world.tell(ENGAGEMENT, MeasureProgress("L1", MONDAY, Decimal(3), "hours", "walk-through", "ann", NINE))
    assert amounts(ends(world, MARCH)) == [300]


def test_units_and_milestones_are_not_measured_by_work() -> None:
    world = firm("units")
    world.work("1")
    assert bills(ends(world, MARCH)) == []


def test_hours_that_nobody_approved_are_not_progress() -> None:
    world = firm()
    world.work("1", approve=False)
    world.work("2", day=1)
    assert world.read(timesheet_stream("W-1", MONDAY)).entries["jira:1"].status == "captured"
    assert amounts(ends(world, MARCH)) == [800]
