"""The forecast margin, by hand: by estimates at completion where somebody has told one, else as it went so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.settings import Settings
from domain.contract import ContractLine, FixedFeeMilestones, Measure, Milestone, PercentComplete
from domain.engagement import AcceptMilestone, AgreeLine, OpenEngagement, SignEngagement
from domain.engagement.progress import ReviseEstimate
from domain.kernel import stream_of
from tests.api.asker import Asker, asking
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE, World, euros, senior


@pytest.fixture
def asker(settings: Settings) -> Iterator[Asker]:
    """A firm whose people cost 60 an hour; W-3 is of the practice Cloud, the others of Data."""
    with asking(settings) as asker:
        described = senior("W-3")
        terms = replace(described.terms, practice="Cloud")
        asker.world.firm().tell(stream_of("resource", "W-3"), replace(described, terms=terms))
        yield asker


def by_cost(budget: int = 60_000) -> ContractLine:
    """A price of 100,000 for what will cost its budget."""
    return ContractLine("L1", "Build", PercentComplete(euros(100_000), "cost", Decimal(budget)))


def milestones_of(world: World) -> None:
    """A price of 40,000, of which a quarter is earned after eight hours that cost 480."""
    steps = (Milestone("M1", "Design", euros(10_000)), Milestone("M2", "Build", euros(30_000)))
    world.contract(line=ContractLine("L1", "Fixed", FixedFeeMilestones(milestones=steps)))
    world.work("1")
    world.tell(ENGAGEMENT, AcceptMilestone("L1", "M1", date(2026, 3, 20), "mail", "eve", NINE))


def estimated(world: World, total: int, measure: Measure) -> None:
    world.tell(ENGAGEMENT, ReviseEstimate("L1", MONDAY, Decimal(total), measure, "Seen anew.", "eve", NINE))


def rows(asker: Asker, by: str = "FIRM", where: str = "") -> dict[str, dict[str, Any]]:
    asker.fold()
    fields = "key recognised cost margin forecastMargin forecastBasis"
    found = asker.ask(f"{{ figures(by: {by}, where: {{{where}}}) {{ rows {{ {fields} }} }} }}")["figures"]["rows"]
    return {row["key"]: row for row in found}


def forecast(row: dict[str, Any]) -> tuple[Any, ...]:
    return Decimal(row["forecastMargin"]), row["forecastBasis"]


@pytest.mark.parametrize(
    ("by", "key"), [("FIRM", ""), ("ENGAGEMENT", "E-1"), ("PROJECT", "P-1-L1"), ("CUSTOMER", "C-1")]
)
def test_without_an_estimate_what_is_promised_comes_at_the_margin_so_far(asker: Asker, by: str, key: str) -> None:
    milestones_of(asker.world)
    row = rows(asker, by)[key]
    assert [Decimal(row[name]) for name in ("recognised", "cost", "margin")] == [10_000, 480, 9_520]
    assert forecast(row) == (9_520 + 30_000 * Decimal("0.952"), "margin_so_far")


def test_a_line_tells_what_the_whole_of_it_is_expected_to_take(asker: Asker) -> None:
    asker.world.contract(line=by_cost())
    told = [line(asker)]
    estimated(asker.world, 80_000, "cost")
    assert [*told, line(asker)] == [
        {"estimate": "60000", "estimateMeasure": "cost"},
        {"estimate": "80000", "estimateMeasure": "cost"},
    ]


def line(asker: Asker) -> dict[str, Any]:
    asker.fold()
    (found,) = asker.ask('{ engagement(id: "E-1") { lines { estimate estimateMeasure } } }')["engagement"]["lines"]
    return dict(found)


def test_an_estimate_of_hours_costs_what_an_hour_has_cost(asker: Asker) -> None:
    milestones_of(asker.world)
    estimated(asker.world, 100, "hours")
    assert forecast(rows(asker)[""]) == (40_000 - 100 * 60, "estimate")


def test_an_estimate_of_cost_says_more_than_one_of_hours(asker: Asker) -> None:
    milestones_of(asker.world)
    estimated(asker.world, 9_000, "cost")
    estimated(asker.world, 100, "hours")
    assert forecast(rows(asker)[""]) == (40_000 - 9_000, "estimate")


def test_the_budget_of_a_contract_is_its_estimate_until_there_is_another(asker: Asker) -> None:
    asker.world.contract(line=by_cost()).work("1")
    row = rows(asker)[""]
    assert [Decimal(row[name]) for name in ("recognised", "cost", "margin")] == [800, 480, 320]
    assert forecast(row) == (100_000 - 60_000, "estimate")
    estimated(asker.world, 80_000, "cost")
    assert forecast(rows(asker)[""]) == (100_000 - 80_000, "estimate")


def test_what_nobody_has_begun_is_forecast_by_its_budget(asker: Asker) -> None:
    asker.world.contract(line=by_cost())
    row = rows(asker)[""]
    assert Decimal(row["margin"]) == 0
    assert forecast(row) == (40_000, "estimate")


def test_an_expected_loss_is_counted_once(asker: Asker) -> None:
    """What is provided for it is in the margin already: the forecast is the price less what all will cost."""
    asker.world.contract(line=by_cost()).work("1")
    estimated(asker.world, 120_000, "cost")
    row = rows(asker)[""]
    assert [Decimal(row[name]) for name in ("recognised", "cost")] == [400, 480 + 19_920]
    assert forecast(row) == (-20_000, "estimate")


def test_an_expected_loss_of_a_line_that_hours_measure_is_counted_once_as_well(asker: Asker) -> None:
    by_hours = PercentComplete(euros(100_000), "hours", Decimal(1_000))
    asker.world.contract(line=ContractLine("L1", "Build", by_hours)).work("1")
    estimated(asker.world, 120_000, "cost")
    row = rows(asker)[""]
    assert Decimal(row["cost"]) > 480, "the loss is provided for"
    assert forecast(row) == (-20_000, "estimate")


def test_who_spent_more_than_the_estimate_is_expected_to_spend_nothing_more(asker: Asker) -> None:
    milestones_of(asker.world)
    estimated(asker.world, 6, "hours")
    assert forecast(rows(asker)[""]) == (40_000 - 480, "estimate")


def test_practices_share_what_is_still_to_come_by_their_hours(asker: Asker) -> None:
    world = asker.world.contract(line=by_cost())
    world.work("1", "6")
    world.work("2", "2", person="W-3")
    found = rows(asker, "PRACTICE")
    assert {key: forecast(row) for key, row in found.items() if key} == {
        "Data": (30_000, "estimate"),
        "Cloud": (10_000, "estimate"),
    }


def test_what_is_still_to_come_is_spread_over_the_months_until_the_project_ends(asker: Asker) -> None:
    """Of the sixty days from 2 March to 1 May 29 are in March, 30 in April and one in May."""
    world = asker.world
    world.tell(ENGAGEMENT, OpenEngagement("E-1", "Data platform", "C-1", "DE01", "EUR"))
    world.tell(ENGAGEMENT, SignEngagement(NEW_YEAR, NEW_YEAR, date(2026, 5, 1)), AgreeLine(by_cost()))
    world.work("1")
    months = rows(asker, "MONTH")
    assert {key: forecast(row)[0] for key, row in months.items()} == {
        "2026-03": 320 + Decimal("19178.67"),
        "2026-04": 19_840,
        "2026-05": Decimal("661.33"),
    }
    (april,) = rows(asker, "FIRM", 'monthFrom: "2026-04", monthTo: "2026-04"').values()
    assert forecast(april) == (19_840, "estimate")


def test_lines_with_and_without_an_estimate_are_told_as_both(asker: Asker) -> None:
    milestones_of(asker.world)
    world = asker.world
    second = stream_of("engagement", "E-2")
    world.tell(second, OpenEngagement("E-2", "Audit", "C-1", "DE01", "EUR"))
    world.tell(second, SignEngagement(NEW_YEAR, NEW_YEAR), AgreeLine(by_cost()))
    (firm,) = rows(asker).values()
    assert forecast(firm) == (9_520 + 30_000 * Decimal("0.952") + 40_000, "both")
