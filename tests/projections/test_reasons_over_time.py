"""Reasons that days bring and take: months, cut-offs, silent systems, the smallest invoice, names in other systems."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from domain.billing.draft_plan import DraftPlan, LotsNotEligible
from domain.billing.drafting import draft_invoices
from domain.books.accounting_period import ClosePeriod, OpenPeriod, ReopenPeriod
from domain.ports import LotAt, customer_of
from domain.reference.billing_calendar import DefineCalendar, calendar_stream
from domain.reference.identifier import AssignIdentifier, identifier_stream
from projections.eligibility.items import ITEMS
from projections.eligibility.sums import ITEM_SUMS
from tests.projections.books import folded, given
from tests.projections.reason_steps import CALENDAR, IN_THE_ERP, ONE_DAY, SHEET, TODAY, day, entity, firm, months, tell
from tests.world import euros


def test_late_work_is_billed_with_the_next_month_and_work_that_was_told_in_time_with_its_own() -> None:
    world = firm()
    world.tell(calendar_stream("DE01"), DefineCalendar("DE01", CALENDAR))
    for number in (0, 2):
        world.work(str(number), day=number)
    rows = given(world).when(folded)
    rows.then(ITEMS, SHEET, "jira:0#1", state="eligible", waits=False)
    rows.then(ITEMS, SHEET, "jira:2#1", codes=("LATE_ENTRY_AFTER_CUTOFF",), waits_until=date(2026, 4, 5))
    later = replace(CALENDAR, cut_off=replace(CALENDAR.cut_off, number=20))
    world.tell(calendar_stream("DE01"), DefineCalendar("DE01", later))
    given(world).when(folded).then(ITEMS, SHEET, "jira:2#1", state="eligible", waits=False)


def test_an_entity_that_keeps_no_accounts_here_and_closes_no_month_waits_for_none() -> None:
    world = firm()
    day(date(2026, 4, 2))(world)
    world.work("1")
    given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", state="eligible")


def test_a_month_that_was_closed_beforehand_holds_the_work_once_it_begins_and_until_the_next() -> None:
    world = firm()
    day(date(2026, 3, 31))(world)
    world.work("1")
    for month in ("2026-03", "2026-04"):
        months(OpenPeriod, ClosePeriod, month=month)(world)
    months(ReopenPeriod, month="2026-03", reason="A bill was forgotten.")(world)
    given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", state="eligible")
    day(date(2026, 4, 1))(world)
    given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", codes=("PERIOD_CLOSED",), waits_until=date(2026, 5, 1))
    day(date(2026, 5, 1))(world)
    given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", state="eligible")


def test_work_below_the_minimum_waits_together_and_stays_out_of_the_sums_of_what_may_be_billed() -> None:
    world = firm()
    entity(world, minimum_invoice=euros(2000))
    world.work("1")
    rows = given(world).when(folded)
    rows.then(ITEM_SUMS, "engagement", "E-1", "DE01", "held", "EUR", value=Decimal(1200))
    world.work("2", day=1)
    rows = given(world).when(folded)
    rows.then(ITEM_SUMS, "engagement", "E-1", "DE01", "eligible", "EUR", value=Decimal(2400))
    world.draft("I-1", [LotAt(SHEET, "jira:1#1"), LotAt(SHEET, "jira:2#1")])
    world.work("3", day=2)
    given(world).when(folded).then(ITEMS, SHEET, "jira:3#1", codes=("BELOW_MINIMUM_INVOICE",))


def test_hours_wait_for_a_silent_system_from_the_day_on_that_the_policy_says() -> None:
    world = firm()
    entity(world, source_silent_days_max=7)
    world.work("1")
    for days, code in ((7, ()), (8, ("STALE_SOURCE",))):
        day(TODAY + days * ONE_DAY)(world)
        given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", codes=code)
    plan = DraftPlan(TODAY, "paul", TODAY + 8 * ONE_DAY, strict=True)
    with pytest.raises(LotsNotEligible, match="STALE_SOURCE"):
        draft_invoices(world.read, [LotAt(SHEET, "jira:1#1")], plan, lambda _: "I-1")


def test_a_customer_is_known_where_its_name_there_is_assigned_to_it() -> None:
    world = firm()
    tell(identifier_stream(IN_THE_ERP), AssignIdentifier(IN_THE_ERP, "C-1"))(world)
    assert customer_of(world.read, "C-1").known_in == {"erp": "4711"}
    entity(world, customers_known_in=("erp", "psa"))
    world.work("1")
    given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", codes=("CUSTOMER_NOT_SYNCED",))
    with pytest.raises(LotsNotEligible, match="CUSTOMER_NOT_SYNCED"):
        world.draft("I-1", world.lots(SHEET))


def test_a_system_is_heard_once_a_day() -> None:
    world = firm()
    for number in range(3):
        world.work(str(number), day=number)
    assert world.names().count("source_system.heard.v1") == 1
