"""What several practices have done together is told of each of them, and makes up the whole, to the cent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.settings import Settings
from domain.billing import crediting
from domain.billing.credit_wishes import CreditWish
from domain.contract import ContractLine, FixedFeeMilestones, Milestone
from domain.engagement import AcceptMilestone
from domain.invoice import RecordPayment, invoice_stream
from domain.kernel import stream_of
from tests.api.asker import Asker, asking
from tests.world import ENGAGEMENT, NINE, World, euros, senior

AMOUNTS = (
    "standard unbilled billedStandard billed collected recognised cost margin contractAsset receivable"
    " trailingRevenue trailingBillings"
)
FIGURES = f"key {AMOUNTS} wipDays dsoDays lockUpDays"


@pytest.fixture
def asker(settings: Settings) -> Iterator[Asker]:
    """A firm in which W-1 is of the practice Data, and W-3 of Cloud."""
    with asking(settings) as asker:
        world = asker.world.firm()
        described = senior("W-3")
        world.tell(stream_of("resource", "W-3"), replace(described, terms=replace(described.terms, practice="Cloud")))
        yield asker


def billed_together(world: World) -> None:
    """Data works eight hours and Cloud four, on one invoice of 2,142, of which 1,000 is paid; Cloud eight more."""
    data, cloud = world.contract().work("1"), world.work("2", "4", person="W-3")
    world.draft("I-1", world.lots(data, cloud)).approve("I-1").issue("I-1", date(2026, 4, 1))
    world.tell(invoice_stream("I-1"), RecordPayment("p-1", date(2026, 4, 20), euros("1000")))
    world.work("3", day=1, person="W-3")


def credited(world: World, lot: str) -> None:
    """What an invoice asks for a lot is credited, and the lot given up."""
    document = world.read(invoice_stream("I-1")).document
    line = next(each.line for each in document.lines if lot in {held.lot for held in each.lots})
    wish = CreditWish(line, lot=lot, disposition="write_off")
    drafted = crediting.draft_credit_note(world.read, "CN-1", "I-1", [wish], form="381", reason="Wrong.", by="paul")
    world.record(drafted)
    world.record(crediting.approve_credit_note(world.read, "CN-1", "ann", NINE + timedelta(days=40)))
    world.record(crediting.issue_credit_note(world.read, "CN-1", date(2026, 4, 20)))


def by(asker: Asker, object_: str, where: str = 'monthTo: "2026-04"') -> dict[str, dict[str, Any]]:
    found = asker.ask(f"{{ figures(by: {object_}, where: {{{where}}}) {{ rows {{ {FIGURES} }} }} }}")
    return {row["key"]: row for row in found["figures"]["rows"]}


def amounts(row: dict[str, Any], names: str) -> list[Decimal]:
    return [Decimal(row[name]) for name in names.split()]


def test_an_invoice_and_its_open_balance_are_shared_by_the_value_of_the_lots(asker: Asker) -> None:
    billed_together(asker.world)
    asker.fold()
    found = by(asker, "PRACTICE")
    assert amounts(found["Data"], "billed receivable trailingBillings contractAsset trailingRevenue") == [
        1200,
        Decimal("761.33"),  # two thirds of the 1,142 that are open
        1428,
        0,
        1200,
    ]
    assert amounts(found["Cloud"], "billed receivable trailingBillings contractAsset trailingRevenue") == [
        600,
        Decimal("380.67"),
        714,
        1200,
        1800,
    ]
    assert amounts(found["Data"], "wipDays dsoDays lockUpDays") == [0, 48, 48]  # 761.33 / 1,428 of 90 days
    assert amounts(found["Cloud"], "wipDays dsoDays lockUpDays") == [60, 48, 108]


def test_the_practices_make_up_the_firm(asker: Asker) -> None:
    billed_together(asker.world)
    asker.fold()
    (firm,), practices = by(asker, "FIRM").values(), by(asker, "PRACTICE").values()
    for name in AMOUNTS.split():
        assert sum(Decimal(row[name] or 0) for row in practices) == Decimal(firm[name]), name


def test_one_practice_alone_is_told_as_beside_the_others(asker: Asker) -> None:
    billed_together(asker.world)
    asker.fold()
    (cloud,) = by(asker, "FIRM", 'monthTo: "2026-04", practice: "Cloud"').values()
    beside = by(asker, "PRACTICE")["Cloud"]
    assert {name: cloud[name] for name in cloud if name != "key"} == {
        name: beside[name] for name in cloud if name != "key"
    }
    months = by(asker, "MONTH", 'practice: "Cloud"')
    assert amounts(months["2026-04"], "contractAsset receivable") == [1200, Decimal("380.67")]


@pytest.mark.parametrize("object_", ["SELLING_ENTITY", "REGION", "CUSTOMER", "ENGAGEMENT", "PROJECT", "MONTH"])
def test_what_one_practice_did_is_told_by_any_other_object(asker: Asker, object_: str) -> None:
    billed_together(asker.world)
    asker.fold()
    found = by(asker, object_, 'practice: "Cloud"').values()
    for name, amount in {"standard": 1800, "billed": 600, "recognised": 1800, "cost": 720}.items():
        assert sum(Decimal(row[name]) for row in found) == amount, name


def test_what_is_credited_leaves_the_practice_that_did_it(asker: Asker) -> None:
    """The invoice still bills what Data has done, so that all of its balance is theirs."""
    billed_together(asker.world)
    credited(asker.world, "jira:2#1")
    asker.fold()
    found = by(asker, "PRACTICE")
    assert amounts(found["Data"], "billed receivable trailingBillings") == [1200, 428, 1428]
    assert amounts(found["Cloud"], "billed receivable trailingBillings") == [0, 0, 0]


def test_a_milestone_is_shared_by_the_hours_on_its_line(asker: Asker) -> None:
    """Nobody works a milestone by the hour: three quarters of the hours of its line are those of Data."""
    steps = (Milestone("M1", "Design", euros(10_000)), Milestone("M2", "Build", euros(30_000)))
    world = asker.world.contract(line=ContractLine("L1", "Fixed", FixedFeeMilestones(milestones=steps)))
    world.work("1", "6")
    world.work("2", "2", person="W-3")
    world.tell(ENGAGEMENT, AcceptMilestone("L1", "M1", date(2026, 3, 20), "mail", "eve", NINE))
    world.react()
    asker.fold()
    found = by(asker, "PRACTICE")
    assert amounts(found["Data"], "standard unbilled recognised cost contractAsset") == [7500, 7500, 7500, 360, 7500]
    assert amounts(found["Cloud"], "standard unbilled recognised cost contractAsset") == [2500, 2500, 2500, 120, 2500]
    unbilled = asker.ask("{ unbilledWork(by: PRACTICE) { rows { key reason lots value } } }")["unbilledWork"]["rows"]
    assert sorted((row["key"], row["lots"], Decimal(row["value"])) for row in unbilled) == [
        ("Cloud", 1, Decimal(2500)),
        ("Data", 1, Decimal(7500)),
    ]


def test_an_invoice_took_its_time_for_each_practice_that_it_bills_work_of(asker: Asker) -> None:
    billed_together(asker.world)
    asker.fold()
    query = "{ invoiceCycle(by: PRACTICE) { rows { key invoices fromServiceDaysMedian } } }"
    found = asker.ask(query)["invoiceCycle"]["rows"]
    assert [(row["key"], row["invoices"], Decimal(row["fromServiceDaysMedian"])) for row in found] == [
        ("Cloud", 1, Decimal(30)),
        ("Data", 1, Decimal(30)),
    ]
