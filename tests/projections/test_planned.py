"""What a contract is going to let be billed is shown with its price, and with all that it waits for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from domain.contract import ContractLine, ManagedService, PercentComplete
from domain.engagement import HoldEngagement
from domain.engagement.change_orders import ApproveChangeOrder, ProposeChangeOrder
from domain.engagement.progress import ReviseEstimate
from projections.eligibility.items import ITEMS
from projections.eligibility.sums import ITEM_SUMS, REASON_SUMS
from tests.projections.books import folded, given
from tests.projections.reason_steps import HOURS, INSTALMENTS, MILESTONE, MILESTONES, accepted, day, line, tell, under
from tests.world import ENGAGEMENT, NINE, euros


def test_milestones_are_planned_with_their_price_until_they_are_lots_and_go_with_the_line_that_named_them() -> None:
    world = under(MILESTONE)()
    rows = given(world).when(folded)
    waiting = ("MILESTONE_NOT_ACCEPTED", "MILESTONE_EVIDENCE_MISSING")
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/M1", state="planned", is_lot=False, value=Decimal(5000), codes=waiting)
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/M2", codes=(*waiting, "PREDECESSOR_INCOMPLETE"))
    rows.then(ITEM_SUMS, "engagement", "E-1", "DE01", "planned", "EUR", items=2, value=Decimal(12000))
    rows.then(REASON_SUMS, "DE01", "PREDECESSOR_INCOMPLETE", "project_manager", "EUR", items=1, value=Decimal(7000))
    accepted("M1")(world)
    rows = given(world).when(folded)
    rows.has_no(ITEMS, ENGAGEMENT, "E-1/L1/M1").then(ITEMS, ENGAGEMENT, "E-1/L1/M1#1", state="eligible")
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/M2", state="planned", codes=waiting)
    other = under(MILESTONE)()
    line(HOURS)(other)
    given(other).when(folded).has_no(ITEMS, ENGAGEMENT, "E-1/L1/M2").has(REASON_SUMS, 0)


def test_months_of_service_are_planned_until_their_day_comes() -> None:
    service = ManagedService(euros(310), date(2026, 3, 16), date(2026, 5, 10))
    world = under(ContractLine("L1", "Care", service))()
    day(date(2026, 3, 15))(world)
    waiting = ("SCHEDULE_NOT_DUE",)
    rows = given(world).when(folded)
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/service/2026-03-16", state="planned", value=Decimal(160), codes=waiting)
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/service/2026-04-01", value=Decimal(310), waits_until=date(2026, 4, 1))
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/service/2026-05-01", value=Decimal(100), work_date=date(2026, 5, 1))
    rows.then(ITEM_SUMS, "engagement", "E-1", "DE01", "planned", "EUR", items=3, value=Decimal(570))
    rows.has(ITEMS, 3)
    day(date(2026, 4, 1))(world)
    rows = given(world).when(folded)
    for month in ("2026-03-16", "2026-04-01"):
        rows.has_no(ITEMS, ENGAGEMENT, f"E-1/L1/service/{month}")
        rows.then(ITEMS, ENGAGEMENT, f"E-1/L1/service/{month}#1", state="eligible")
    rows.then(ITEM_SUMS, "engagement", "E-1", "DE01", "planned", "EUR", items=1, value=Decimal(100))


def test_a_service_without_an_end_is_planned_a_year_ahead_at_the_fee_of_each_day() -> None:
    world = under(ContractLine("L1", "Care", ManagedService(euros(310), date(2026, 1, 1), timing="arrears")))()
    day(date(2026, 3, 31))(world)
    cheaper = ContractLine("L1", "Care", ManagedService(euros(150), date(2026, 1, 1), timing="arrears"))
    order = ProposeChangeOrder("CO-1", date(2026, 6, 1), (cheaper,), False, False, True, "Less.", "pam", NINE)
    tell(ENGAGEMENT, order, ApproveChangeOrder("CO-1", "ann", NINE))(world)
    rows = given(world).when(folded)
    rows.has_no(ITEMS, ENGAGEMENT, "E-1/L1/service/2026-03-01")
    rows.then(ITEM_SUMS, "engagement", "E-1", "DE01", "planned", "EUR", items=12)
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/service/2026-05-01", value=Decimal(310), work_date=date(2026, 5, 31))
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/service/2026-06-01", value=Decimal(150))
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/service/2027-03-01", state="planned")


def test_a_service_at_the_end_of_the_calendar_is_planned_as_far_as_days_go() -> None:
    world = under(ContractLine("L1", "Care", ManagedService(euros(310), date(9999, 12, 1))))()
    given(world).when(folded).then(ITEMS, ENGAGEMENT, "E-1/L1/service/9999-12-01", value=Decimal(310)).has(ITEMS, 1)


def test_milestones_that_measure_progress_are_planned_with_what_each_adds_to_the_bill() -> None:
    """By weights of 5,000 and 7,000 of a price of 24,001; the last one takes what rounding leaves."""
    promise = PercentComplete(euros(24001), "milestones", milestones=MILESTONES)
    world = under(ContractLine("L1", "Design", promise))()
    waiting = ("MILESTONE_NOT_ACCEPTED", "MILESTONE_EVIDENCE_MISSING")
    rows = given(world).when(folded)
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/M1", state="planned", value=Decimal("10000.42"), codes=waiting)
    later = (*waiting, "PREDECESSOR_INCOMPLETE")
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/M2", value=Decimal("14000.58"), codes=later)
    accepted("M1")(world)
    rows = given(world).when(folded)
    rows.has_no(ITEMS, ENGAGEMENT, "E-1/L1/M1")
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/M2", value=Decimal("14000.58"), codes=waiting)
    (lot,) = world.read(ENGAGEMENT).lots
    rows.then(ITEMS, ENGAGEMENT, lot, state="eligible", value=Decimal("10000.42"))
    tell(ENGAGEMENT, ReviseEstimate("L1", date(2026, 4, 2), Decimal(24000), "milestones", "Twice.", "pam", NINE))(world)
    rows = given(world).when(folded)
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/M2", value=Decimal("7000.29"))


def test_what_is_planned_waits_for_all_that_its_contract_waits_for() -> None:
    world = under(ContractLine("L1", "Fixed", INSTALMENTS))()
    tell(ENGAGEMENT, HoldEngagement("dispute"))(world)
    day(date(2026, 3, 31))(world)
    rows = given(world).when(folded)
    held = ("CONTRACT_ON_HOLD", "SCHEDULE_NOT_DUE")
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/I1", codes=held, waits_until=date(2026, 4, 1), work_date=date(2026, 4, 1))
    day(date(2026, 4, 1))(world)
    given(world).when(folded).then(ITEMS, ENGAGEMENT, "E-1/L1/I1#1", state="held", codes=("CONTRACT_ON_HOLD",))
