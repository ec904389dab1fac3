"""A managed service over changes of its terms: every day is billed once, at the fee that holds on it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from api.verification.law import Law
from domain.calendar import FIRM, OpenDay
from domain.contract import ContractLine, ManagedService
from domain.engagement import AgreeLine
from domain.engagement.change_orders import ApproveChangeOrder, ProposeChangeOrder
from domain.lots import LotStatus
from domain.money import total
from tests.world import ENGAGEMENT, NINE, LogCandidates, World, euros

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


def serving(service: ManagedService, *days: date) -> World:
    """A firm whose service is billed as these days begin."""
    world = World()
    world.candidates = LogCandidates(world)
    world.firm().contract(line=ContractLine("L1", "Desk", service))
    return began(world, *days)


def began(world: World, *days: date) -> World:
    for day in days:
        world.tell(FIRM, OpenDay(day, NINE))
    return world


def changed(world: World, service: ManagedService, on: date, name: str = "CO-1") -> World:
    """A change order puts other terms of the service in force."""
    facts: dict[str, Any] = {"adds_distinct": False, "at_stand_alone_price": False, "remaining_distinct": True}
    line = ContractLine("L1", "Desk", service)
    proposed = ProposeChangeOrder(name, on, (line,), because="agreed", by="ann", at=NINE, **facts)
    return world.tell(ENGAGEMENT, proposed, ApproveChangeOrder(name, "bob", NINE))


def items(world: World) -> list[tuple[str, str]]:
    """What was let be billed, by its day."""
    lots = [held.lot for held in world.read(ENGAGEMENT).lots.values()]
    return [(lot.work_date.isoformat(), str(lot.value.amount)) for lot in lots]


def breaches(world: World) -> list[Any]:
    """What the auditor of the conservation law finds."""
    law = Law()
    found = [breach for fact in world.ledger.read(0, 10_000) for breach in law.see(fact)]
    return [*found, *law.settle(), *law.totals()]


def test_a_dearer_fee_from_the_middle_of_a_billed_month_on_adds_the_difference_of_its_days() -> None:
    """16 of 31 days at 6,000 instead of 3,000 are 1,548.39 more."""
    world = serving(ManagedService(euros(3000), MARCH), MARCH)
    world.draft("I-1", world.lots(ENGAGEMENT)).approve("I-1").issue("I-1")
    changed(world, ManagedService(euros(6000), MARCH), date(2026, 3, 16))
    assert items(world) == [("2026-03-01", "3000.00")], "it is not the day yet"
    began(world, date(2026, 3, 16), date(2026, 3, 17), APRIL)
    assert items(world) == [("2026-03-01", "3000.00"), ("2026-03-16", "1548.39"), ("2026-04-01", "6000.00")]
    assert breaches(world) == []


def test_a_service_that_ends_early_gives_back_the_days_that_are_not_served() -> None:
    world = serving(ManagedService(euros(3000), MARCH), MARCH, APRIL)
    changed(world, ManagedService(euros(3000), MARCH, date(2026, 3, 15)), date(2026, 3, 16))
    assert items(world)[2:] == [("2026-03-16", "-1548.39"), ("2026-04-01", "-3000.00")]


def test_terms_that_begin_with_the_change_bill_no_day_twice() -> None:
    world = serving(ManagedService(euros(3000), MARCH), MARCH)
    changed(world, ManagedService(euros(6000), date(2026, 3, 16)), date(2026, 3, 16))
    began(world, date(2026, 3, 16), APRIL)
    assert items(world)[1:] == [("2026-03-16", "1548.39"), ("2026-04-01", "6000.00")]


def test_a_fee_that_is_agreed_anew_before_anything_is_billed_holds_for_the_months_that_are_open() -> None:
    world = serving(ManagedService(euros(3000), MARCH), MARCH)
    world.tell(ENGAGEMENT, AgreeLine(ContractLine("L1", "Desk", ManagedService(euros(3500), MARCH))))
    began(world, APRIL, date(2026, 4, 2))
    assert items(world)[1:] == [("2026-03-01", "500.00"), ("2026-04-01", "3500.00")]


@pytest.mark.parametrize("timing", ["advance", "arrears"])
def test_however_often_the_terms_change_a_month_comes_to_the_fees_of_its_days(timing: Any) -> None:
    world = serving(ManagedService(euros(3100), MARCH, timing=timing), MARCH)
    for place, fee in enumerate((6200, 9300, 3100)):
        day = date(2026, 3, 11) + timedelta(days=5 * place)
        changed(world, ManagedService(euros(fee), MARCH, timing=timing), day, f"CO-{place}")
        began(world, day)
    began(world, date(2026, 3, 31))
    lots = [held.lot for held in world.read(ENGAGEMENT).lots.values() if held.status is LotStatus.OPEN]
    assert total((lot.value for lot in lots), "EUR") == euros(10 * 100 + 5 * 200 + 5 * 300 + 11 * 100)


def test_a_month_of_leap_year_has_one_day_more() -> None:
    """From 10 to 29 February 2024 are 20 of 29 days."""
    world = serving(ManagedService(euros(2900), date(2024, 2, 10)), date(2024, 2, 10))
    assert items(world) == [("2024-02-10", "2000.00")]
