from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from domain.contract import ContractLine, FixedFeeMilestones, Milestone, TimeAndMaterials
from domain.engagement import AcceptMilestone, AgreeLine, OpenEngagement, SignEngagement
from domain.kernel import stream_of
from domain.lots import WriteOffLots
from domain.money import Money
from domain.project import ConfirmSetUp
from domain.reference.fx_rate import PublishFxRate, fx_stream
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from projections.margin.fold import MARGINS, MarginRecord
from tests.projections.books import Rows, folded, given
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE, PROJECT, World, euros

EUR = ("EUR", "EUR")
NOTHING = Decimal(0)


def firm() -> World:
    return World().firm().contract()


def margin(rows: Rows, by: str, month: str, key: str, *place: str, money: tuple[str, str] = EUR) -> MarginRecord:
    places = (*place, *[""] * (5 - len(place)))
    found: MarginRecord = rows.row(MARGINS, by, month, key, *places, *money)
    return found


def figures(row: MarginRecord, names: str) -> list[Any]:
    return [getattr(row, name) for name in names.split()]


def test_approved_work_earns_its_value_and_costs_its_hours() -> None:
    world = firm()
    world.work("1")
    row = margin(given(world).when(folded), "project", "2026-03", "P-1-L1", "DE01", "C-1", "E-1", "P-1-L1")
    assert figures(row, "lots hours unconverted") == [1, Decimal(8), 0]
    assert figures(row, "standard recognised billed cost") == [1200, 1200, 0, 480]


def test_every_question_adds_up_to_the_same() -> None:
    world = firm()
    world.work("1")
    world.work("2", day=1, person="W-2")
    rows = given(world).when(folded)
    for by, key, place in (
        ("project", "P-1-L1", ("DE01", "C-1", "E-1", "P-1-L1")),
        ("engagement", "E-1", ("DE01", "C-1", "E-1")),
        ("customer", "C-1", ("DE01", "C-1")),
        ("selling_entity", "DE01", ("DE01",)),
        ("practice", "Data", ("DE01", "", "", "", "Data")),
    ):
        for month in ("2026-03", ""):
            row = margin(rows, by, month, key, *place)
            assert figures(row, "lots standard cost") == [2, 2400, 960]


def test_billed_is_what_is_on_issued_invoices() -> None:
    world = firm()
    sheet = world.work("1")
    world.work("2", day=1)
    (first, *_) = world.lots(sheet)
    world.draft("I-1", [first])
    assert margin(given(world).when(folded), "engagement", "", "E-1", "DE01", "C-1", "E-1").billed == NOTHING
    world.approve("I-1").issue("I-1")
    row = margin(given(world).when(folded), "engagement", "", "E-1", "DE01", "C-1", "E-1")
    assert figures(row, "billed recognised functional_billed") == [1200, 2400, 1200]


def test_what_is_over_the_cap_or_written_off_is_not_recognised_but_costs() -> None:
    world = World().firm().contract(cap=euros(1500))
    sheet = world.work("1")
    world.work("2", day=1)
    row = margin(given(world).when(folded), "engagement", "", "E-1", "DE01", "C-1", "E-1")
    assert figures(row, "standard recognised cost") == [2400, 1500, 960]
    world.tell(sheet, WriteOffLots(("jira:1#1",), "Goodwill.", "cfo"))
    row = margin(given(world).when(folded), "engagement", "", "E-1", "DE01", "C-1", "E-1")
    assert figures(row, "standard recognised cost") == [2400, 1200, 960]


def test_hours_that_were_not_approved_for_billing_cost_and_are_not_recognised() -> None:
    world = firm()
    world.work_approved_for("6")
    row = margin(given(world).when(folded), "engagement", "", "E-1", "DE01", "C-1", "E-1")
    assert figures(row, "standard recognised cost hours") == [1200, 900, 480, 8]
    world.work_approved_for("8", later=1)
    row = margin(given(world).when(folded), "engagement", "", "E-1", "DE01", "C-1", "E-1")
    assert figures(row, "standard recognised cost hours") == [1200, 1200, 480, 8]


def test_fixed_fee_hours_cost_and_the_accepted_milestone_earns() -> None:
    milestones = FixedFeeMilestones(milestones=(Milestone("M1", "Design", euros(5000)),))
    world = World().firm().contract(line=ContractLine("L1", "Design", milestones))
    world.work("1")
    world.tell(ENGAGEMENT, AcceptMilestone("L1", "M1", date(2026, 3, 20), "mail", "pm", NINE))
    row = margin(given(world).when(folded), "engagement", "2026-03", "E-1", "DE01", "C-1", "E-1")
    assert figures(row, "standard recognised cost hours") == [6200, 5000, 480, 8]


def dollars(world: World | None = None) -> World:
    """An engagement in dollars, sold by the entity that keeps its books in euros."""
    world = (world or World()).firm()
    world.tell(ENGAGEMENT, OpenEngagement("E-1", "Data platform", "C-1", "DE01", "USD"))
    world.tell(ENGAGEMENT, SignEngagement(NEW_YEAR, NEW_YEAR))
    world.tell(ENGAGEMENT, AgreeLine(ContractLine("L1", "Work", TimeAndMaterials())))
    world.tell(PROJECT, ConfirmSetUp("psa", "1"), ConfirmSetUp("erp", "1"))
    row = RateRow("usd", Money(Decimal(200), "USD"), NEW_YEAR, role="Senior")
    return world.tell(rate_card_stream("engagement", "E-1"), SetRate(row))


def rate(world: World, day: date, value: str) -> None:
    world.tell(fx_stream("EUR", "USD"), PublishFxRate("EUR", "USD", day, Decimal(value), "ECB"))


def test_amounts_are_converted_at_the_rate_of_the_work_date_whatever_is_published_later() -> None:
    world = dollars()
    rate(world, MONDAY, "1.25")
    world.work("1")
    rate(world, date(2026, 3, 20), "2.00")
    row = margin(given(world).when(folded), "engagement", "", "E-1", "DE01", "C-1", "E-1", money=("USD", "EUR"))
    assert figures(row, "standard cost unconverted") == [1600, Decimal("600.00"), 0]
    assert figures(row, "functional_standard functional_cost") == [Decimal("1280.00"), Decimal("480.00")]


def test_a_missing_rate_is_counted_and_the_first_that_comes_is_used() -> None:
    world = dollars()
    world.work("1")
    rows = given(world).when(folded)
    row = margin(rows, "engagement", "", "E-1", "DE01", "C-1", "E-1", money=("USD", ""))
    assert figures(row, "standard cost unconverted functional_standard") == [1600, 0, 1, 0]
    rate(world, MONDAY, "1.25")
    rows = given(world).when(folded)
    row = margin(rows, "engagement", "", "E-1", "DE01", "C-1", "E-1", money=("USD", "EUR"))
    assert figures(row, "functional_standard functional_recognised") == [Decimal("1280.00"), Decimal("1280.00")]
    assert {key[-2:] for key in rows.store.all(MARGINS)} == {("USD", "EUR")}


def test_billed_work_is_converted_at_the_rate_on_its_invoice() -> None:
    world = dollars()
    rate(world, MONDAY, "1.25")
    sheet = world.work("1")
    rate(world, date(2026, 4, 1), "1.60")
    world.tell(
        stream_of("fx_rate", "EUR", "USD"), PublishFxRate("EUR", "USD", date(2026, 4, 1), Decimal("1.60"), "ECB")
    )
    world.draft("I-1", world.lots(sheet)).approve("I-1").issue("I-1")
    row = margin(given(world).when(folded), "engagement", "", "E-1", "DE01", "C-1", "E-1", money=("USD", "EUR"))
    assert figures(row, "functional_recognised functional_billed") == [Decimal("1280.00"), Decimal("1000.00")]


def test_reversed_work_leaves_nothing_in_the_margin() -> None:
    world = firm()
    sheet = world.work("1")
    from domain.timesheet import RejectTime

    world.tell(sheet, RejectTime(("jira:1",), "W-9", NINE + timedelta(days=9), "Not this project."))
    given(world).when(folded).has(MARGINS, 0)
