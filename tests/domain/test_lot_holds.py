"""What holds a lot itself: it is raised when it is true, and goes when it is cured or a person answers for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain import eligibility
from domain.billing.billable import context_of
from domain.calendar import FIRM, OpenDay
from domain.contract import ContractLine, Retainer
from domain.eligibility.reasons import Hold, LotFacts
from domain.engagement import OpenEngagement
from domain.engagement.retainer import GrantRetainer, MakeGrantUsable
from domain.expense import ApproveExpenses, Expense, RecordExpense, expense_stream
from domain.kernel import StreamId
from domain.lots import GiveLotsFree, HoldLots, LiftLotHolds, LotNotOpen, LotStatus, PostponeLots
from domain.money import zero
from domain.ports import entity_of
from domain.project import Assignment, AssignResource, RejectSetUp
from domain.reason_codes import ReasonCode
from domain.reference.legal_entity import DefineLegalEntity, ExpenseLimit
from domain.timesheet import Claim, LogTime, WithdrawTime, Work
from projections.eligibility.items import ITEMS
from tests.projections.books import folded, given
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE, PROJECT, World, euros


def firm() -> World:
    return World().firm().contract()


def with_terms(world: World, **changes: object) -> World:
    terms = entity_of(world.read, "DE01").versions[-1]
    changed = replace(terms, **changes)  # type: ignore[arg-type]  # fields of the terms, by name
    return world.tell(StreamId("legal_entity:DE01"), DefineLegalEntity("DE01", changed))


def codes(world: World, stream: StreamId, lot: str, today: date | None = None) -> list[ReasonCode]:
    held = world.read(stream).lots[lot]
    holds = tuple(Hold(hold.code, hold.because) for hold in held.holds.values())
    facts = LotFacts(stream, held.lot, holds=holds, postponed_until=held.postponed_until)
    return [each.code for each in eligibility.decide(facts, context_of(world.read, held.lot, today))]


def twice() -> tuple[World, StreamId]:
    world = firm()
    world.work("1", "4")
    return world, world.work("2", "4")


def test_the_same_hours_told_twice_by_one_system_are_held_once() -> None:
    world, sheet = twice()
    assert codes(world, sheet, "jira:1#1") == []
    assert codes(world, sheet, "jira:2#1") == [ReasonCode.DUPLICATE_ENTRY]
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:2#1", state="held", codes=("DUPLICATE_ENTRY",))
    rows.then(ITEMS, sheet, "jira:1#1", state="eligible")


def on_a_retainer(amount: int = 5000) -> World:
    """A retainer that may be drawn."""
    world = World().firm().contract(line=ContractLine("L1", "Retainer", Retainer(euros(amount))))
    grant = GrantRetainer("L1", "R1", NEW_YEAR, NINE)
    return world.tell(ENGAGEMENT, grant, MakeGrantUsable("L1", "R1", NEW_YEAR, "paid"))


def drawn_and_held(world: World, sheet: StreamId) -> tuple[Decimal, Decimal]:
    """The hours that the retainer paid for, and those that something holds."""
    lots = world.read(sheet).lots.values()
    drawn = sum((each.lot.quantity for each in lots if each.status is LotStatus.DRAWN), Decimal(0))
    return drawn, sum((each.lot.quantity for each in lots if each.holds), Decimal(0))


def test_a_retainer_does_not_pay_for_what_is_held_until_the_hold_is_lifted() -> None:
    world = on_a_retainer()
    world.work("1", "4")
    sheet = world.work("2", "4")
    assert drawn_and_held(world, sheet) == (Decimal(4), Decimal(4))
    world.tell(sheet, LiftLotHolds(("jira:2#1",), "DUPLICATE_ENTRY", "paul"))
    assert drawn_and_held(world, sheet) == (Decimal(8), Decimal(0))


def test_a_retainer_pays_for_the_hours_that_were_approved_and_for_the_others_once_they_are() -> None:
    world = on_a_retainer()
    sheet = world.work_approved_for("6")
    assert drawn_and_held(world, sheet) == (Decimal(6), Decimal(2))
    world.work_approved_for("8", later=1)
    assert drawn_and_held(world, sheet) == (Decimal(8), Decimal(0))


def test_a_duplicate_goes_when_the_other_telling_is_withdrawn() -> None:
    world, sheet = twice()
    world.tell(sheet, WithdrawTime("W-1", MONDAY, Claim("jira", "1", NINE + timedelta(days=2))))
    assert codes(world, sheet, "jira:2#1") == []
    given(world).when(folded).then(ITEMS, sheet, "jira:2#1", state="eligible")


def test_a_duplicate_goes_when_the_other_telling_is_corrected() -> None:
    world, sheet = twice()
    shorter = Work("P-1-L1", None, MONDAY, Decimal(3), started="14:00:00")
    world.tell(sheet, LogTime("W-1", Claim("jira", "1", NINE + timedelta(days=2)), shorter))
    assert codes(world, sheet, "jira:2#1") == []


def test_what_a_person_has_lifted_is_not_raised_again_when_the_price_changes() -> None:
    world, sheet = twice()
    world.tell(sheet, LiftLotHolds(("jira:2#1",), "DUPLICATE_ENTRY", "user:pam"))
    assert codes(world, sheet, "jira:2#1") == []
    assert world.tell(sheet, LiftLotHolds(("jira:2#1",), "DUPLICATE_ENTRY", "user:pam")).names()[-1] == (
        "lot.hold_lifted.v1"
    )


def test_a_day_over_the_limit_of_the_employer_holds_its_hours_until_they_are_confirmed() -> None:
    world = with_terms(firm(), hours_per_day_max=Decimal(10))
    sheet = world.work("1", "11")
    assert codes(world, sheet, "jira:1#1") == [ReasonCode.HOURS_EXCEED_DAILY_LIMIT]
    world.tell(sheet, LiftLotHolds(("jira:1#1",), "HOURS_EXCEED_DAILY_LIMIT", "user:pam"))
    assert codes(world, sheet, "jira:1#1") == []


def test_an_expense_over_the_limit_of_the_employer_waits_until_it_is_allowed() -> None:
    world = with_terms(firm(), expense_limits=(ExpenseLimit("hotel", euros(150)),))
    report = expense_stream("ER-1")
    hotel = Expense("1", "P-1-L1", "hotel", MONDAY, euros(220), zero("EUR"), billable=True, receipt="r.pdf")
    world.tell(report, RecordExpense("ER-1", "W-1", hotel, NINE), ApproveExpenses(("1",), "W-9", NINE))
    assert codes(world, report, "ER-1/1#1") == [ReasonCode.EXPENSE_POLICY_VIOLATION]
    given(world).when(folded).then(ITEMS, report, "ER-1/1#1", codes=("EXPENSE_POLICY_VIOLATION",))
    world.tell(report, LiftLotHolds(("ER-1/1#1",), "EXPENSE_POLICY_VIOLATION", "user:ann"))
    assert codes(world, report, "ER-1/1#1") == []
    given(world).when(folded).then(ITEMS, report, "ER-1/1#1", state="eligible", codes=())


def test_disputed_work_waits_until_the_dispute_is_settled() -> None:
    world = firm()
    sheet = world.work("1")
    hold = HoldLots(("jira:1#1",), "DISPUTED", "The customer denies the day.", "user:pam")
    world.tell(sheet, hold)
    assert codes(world, sheet, "jira:1#1") == [ReasonCode.DISPUTED]
    before = len(world.names())
    assert len(world.tell(sheet, hold).names()) == before, "the same hold again says nothing new"
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", state="held", codes=("DISPUTED",))
    world.tell(sheet, LiftLotHolds(("jira:1#1",), "DISPUTED", "user:pam"))
    assert codes(world, sheet, "jira:1#1") == []


def test_work_that_is_given_free_costs_and_earns_nothing() -> None:
    world = firm()
    sheet = world.work("1")
    world.tell(sheet, GiveLotsFree(("jira:1#1",), "goodwill", "user:ann"))
    assert world.read(sheet).lots["jira:1#1"].status is LotStatus.NON_BILLABLE
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:1#1", state="non_billable", codes=("COMPLIMENTARY",), is_open=False)


def test_work_on_a_draft_is_neither_held_nor_given_free() -> None:
    world = firm()
    sheet = world.work("1")
    world.draft("I-1", world.lots(sheet))
    with pytest.raises(LotNotOpen):
        world.tell(sheet, GiveLotsFree(("jira:1#1",), "goodwill", "user:ann"))
    with pytest.raises(LotNotOpen):
        world.tell(sheet, HoldLots(("jira:1#1",), "DISPUTED", "why", "user:pam"))


def test_postponed_work_waits_for_its_day_and_is_then_eligible_by_itself() -> None:
    world = firm()
    sheet = world.work("1")
    world.tell(sheet, PostponeLots(("jira:1#1",), date(2026, 5, 1), "next quarter", "user:pam"))
    assert codes(world, sheet, "jira:1#1", date(2026, 4, 30)) == [ReasonCode.POSTPONED_BY_USER]
    world.tell(FIRM, OpenDay(date(2026, 4, 30), NINE))
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", state="held", codes=("POSTPONED_BY_USER",))
    world.tell(FIRM, OpenDay(date(2026, 5, 2), NINE))
    assert codes(world, sheet, "jira:1#1", date(2026, 5, 2)) == []
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", state="eligible", codes=())


def test_a_role_that_the_customer_does_not_pay_for_is_not_billable_until_the_assignment_says_so() -> None:
    world = firm()
    world.tell(PROJECT, AssignResource(Assignment("W-1", NEW_YEAR, chargeable=False)))
    sheet = world.work("1")
    assert world.read(sheet).lots["jira:1#1"].lot.non_billable_because == "ROLE_NOT_CHARGEABLE"
    assert given(world).when(folded).row(ITEMS, sheet, "jira:1#1").codes == ("ROLE_NOT_CHARGEABLE",)


def test_a_project_that_the_erp_refused_holds_its_work_with_the_words_of_the_erp() -> None:
    world = firm()
    sheet = world.work("1")
    world.tell(PROJECT, RejectSetUp("erp", "cost centre unknown"))
    assert codes(world, sheet, "jira:1#1") == [], "what was confirmed stays confirmed"
    fresh = World().firm()
    fresh.tell(ENGAGEMENT, OpenEngagement("E-1", "Data platform", "C-1", "DE01", "EUR"))
    fresh.contract_lines(confirmed=("psa",))
    fresh.tell(PROJECT, RejectSetUp("erp", "cost centre unknown"))
    sheet = fresh.work("1")
    assert codes(fresh, sheet, "jira:1#1") == [ReasonCode.ERP_REJECTED]
