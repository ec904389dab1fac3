"""Published figures of services that change in the middle of a month, of payments on account, and of hard limits."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from domain.contract import ContractLine, ManagedService, PercentComplete, Revenue, TimeAndMaterials
from domain.engagement.schedule import FallDue
from tests.cases.books import Firm
from tests.cases.report import Record
from tests.cases.test_billing_methods import agreed, net_of_draft, open_lots, rate
from tests.cases.test_standards import APRIL, MAY, Contract, cents, money
from tests.world import ENGAGEMENT, MONDAY, NINE, World, euros

FIRST, MIDDLE, NEXT = date(2026, 4, 1), date(2026, 4, 16), date(2026, 5, 1)


def plan(fee: object, starts: date = FIRST) -> ContractLine:
    return ContractLine("S", "Plan", ManagedService(money(fee), starts))


@pytest.mark.parametrize(("name", "before", "after", "more"), [("STRIPE", 10, 20, 5), ("AUTUMN", 20, 50, 15)])
def test_a_plan_that_is_exchanged_half_way_costs_half_the_difference_more(
    case: Record, name: str, before: int, after: int, more: int
) -> None:
    firm = Contract(plan(before))
    firm.tell(ENGAGEMENT, FallDue(FIRST, NINE))
    firm.bills_what_is_open(FIRST)
    firm.becomes(plan(after), on=MIDDLE, distinct=True)
    firm.tell(ENGAGEMENT, FallDue(NEXT, NINE))
    billed = [held.lot.value.amount for held in firm.read(ENGAGEMENT).lots.values()]
    case(name, "first month, the change, second month", cents(before, more, after), billed)
    firm.proven()


def test_a_service_that_starts_in_the_middle_of_a_month_is_billed_for_its_days(case: Record) -> None:
    firm = Firm().sells(ContractLine("L1", "Plan", ManagedService(money(100), date(2026, 1, 15))))
    firm.tell(ENGAGEMENT, FallDue(date(2026, 1, 15), NINE))
    (held,) = firm.read(ENGAGEMENT).lots.values()
    case("ZUORA", "17 of 31 days at 100", Decimal("54.84"), held.lot.value.amount)


def test_an_application_for_payment_keeps_ten_percent_back(case: Record) -> None:
    """Contract sum 262,500 with change orders; 136,000, then 178,100 are completed and stored."""
    price = money(262_500)
    line = ContractLine(
        "L1",
        "Office",
        PercentComplete(price, "units", price.amount),
        Revenue("percent_complete", "units", price.amount),
        holdback_percent=Decimal(10),
    )
    firm = Contract(line).measures("L1", 136_000, on=MONDAY).bills_what_is_open(APRIL)
    before = firm.balances()["AR"]
    case("G702", "previously certified", Decimal(122_400), before)
    firm.measures("L1", 178_100, on=APRIL).bills_what_is_open(MAY)
    case("G702", "current payment due", Decimal(37_890), firm.balances()["AR"] - before)
    case("G702", "retainage", Decimal(17_810), firm.balances()["RETENTION"])


def test_a_hard_limit_takes_later_items_that_still_fit(case: Record) -> None:
    """Of 1,000 360, 40 and 540 are billed; 80 do not fit, and 60 would."""
    world = agreed(
        World().firm(), ContractLine("L1", "Task 3.0", TimeAndMaterials(cap=euros(1000), cap_policy="whole_item"))
    )
    rate(world, 20)
    sheets = [world.work(str(n), length, day=n) for n, length in enumerate(("18", "2", "20", "7", "4"))]
    world.draft("I-1", open_lots(world, *sheets), strict=False)
    case("ORACLE-LIMIT", "without an item of 60 or less", Decimal(940), net_of_draft(world, "I-1").amount)
    small = world.work("small", "3", day=9)
    world.draft("I-2", open_lots(world, *sheets, small), strict=False)
    case("ORACLE-LIMIT", "with an item of 60", Decimal(60), net_of_draft(world, "I-2").amount)
