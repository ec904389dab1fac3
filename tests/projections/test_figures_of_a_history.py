"""The figures of a firm in four currencies hold together, however they are added up."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import get_args

import pytest

from domain.periods import month_of
from domain.reference.fx_policy import NoReportingCurrency
from projections.figures.asked import By, Conversion, FigureFilter, last_day_known
from projections.figures.cycle import cycle_times
from projections.figures.earnings import AMOUNTS, figures
from projections.figures.synchronised import sync_latencies, synchronised_projects
from projections.figures.unbilled import unbilled
from projections.figures.waiting import backlogs
from projections.figures.waterfall import waterfalls
from projections.margin.group_margin import group_margin
from projections.reader import FIRM, View
from tests.projections.test_queries import GERMANY, NOBODY, ledger, reader, url, view

__all__ = ["ledger", "reader", "url", "view"]

EUROS = FigureFilter(currency="EUR")
CENTS = Decimal(1)
"""What rounding each key for itself may come to."""


def test_amounts_of_several_currencies_need_one_to_be_told_in(view: View) -> None:
    with pytest.raises(NoReportingCurrency, match="EUR, GBP, JPY, USD"):
        figures(view, "firm", FigureFilter(), FIRM)


@pytest.mark.parametrize("by", get_args(By))
def test_what_is_added_up_by_anything_comes_to_the_figures_of_the_firm(view: View, by: By) -> None:
    (firm,) = figures(view, "firm", EUROS, FIRM)
    assert firm.standard > firm.billed > firm.collected > 0
    found = figures(view, by, EUROS, FIRM)
    for name in ("standard", "unbilled", "billed", "collected", "billable_hours"):
        total = sum((getattr(row, name) for row in found), Decimal(0))
        assert abs(total - getattr(firm, name)) <= CENTS, name
    if by != "selling_entity":
        for name in ("recognised", "cost", "forecast_margin"):
            total = sum((getattr(row, name) for row in found), Decimal(0))
            assert abs(total - getattr(firm, name)) <= CENTS, name


def test_practices_make_up_the_firm_to_the_cent_in_all_its_currencies(view: View) -> None:
    (firm,) = figures(view, "firm", EUROS, FIRM)
    found = figures(view, "practice", EUROS, FIRM)
    assert len({row.key for row in found}) > 2
    for name in (*AMOUNTS, "margin", "forecast_margin"):
        assert sum((getattr(row, name) or Decimal(0) for row in found), Decimal(0)) == getattr(firm, name), name


@pytest.mark.parametrize("currency", ["EUR", "USD"])
def test_the_margin_of_the_firm_is_that_of_the_group(view: View, currency: str) -> None:
    (firm,) = figures(view, "firm", FigureFilter(currency=currency), FIRM)
    group = group_margin(view, "2000-01", "2099-12", currency=currency)
    assert firm.recognised > firm.cost > 0
    for told, same in ((firm.recognised, group.revenue), (firm.cost, group.cost), (firm.margin, group.margin)):
        assert abs(told - same) <= CENTS
    by_entity = {row.key: row.margin for row in figures(view, "selling_entity", FigureFilter(currency=currency), FIRM)}
    for entity in group.entities:
        assert abs(by_entity[entity.entity] - entity.reported) <= CENTS


def test_money_keeps_its_worth_when_rates_are_no_longer_published(view: View) -> None:
    ((last,),) = view.rows("SELECT max(on_day)::date FROM fx_rate")
    years_later = last + timedelta(days=1000)
    to_euros = Conversion(view, FigureFilter(month_from=month_of(years_later), currency="EUR"), known_to=years_later)
    newest = Conversion(view, EUROS, known_to=last).rate("USD", "")
    assert to_euros.rate("USD", "") == newest is not None


@pytest.mark.parametrize("by", get_args(By))
def test_every_waterfall_leads_from_the_standard_value_to_nothing_left(view: View, by: By) -> None:
    standard = {row.key: row.standard for row in figures(view, by, EUROS, FIRM)}
    for found in waterfalls(view, by, EUROS, FIRM):
        assert abs(found.standard - standard[found.key]) <= CENTS
        assert found.steps[-1].left == 0
        if found.standard:
            assert sum(step.percent or 0 for step in found.steps) == 100


def test_the_standard_value_is_that_of_the_lots_one_by_one(view: View) -> None:
    to_euros = Conversion(view, EUROS, known_to=last_day_known(view))
    expected: dict[str, Decimal] = defaultdict(Decimal)
    lots = view.rows(
        "SELECT selling_entity, functional_currency, to_char(work_date, 'YYYY-MM'), functional_value FROM item"
        " WHERE is_lot AND status NOT IN ('reversed', 'split', 'transferred')"
        " AND coalesce(non_billable_because, '') <> 'INCLUDED_IN_FIXED_FEE' AND functional_value IS NOT NULL"
    )
    for entity, currency, month, value in lots:
        rate = to_euros.rate(currency, month)
        assert rate is not None
        expected[entity] += value * rate
    for row in figures(view, "selling_entity", EUROS, FIRM):
        assert abs(row.standard - expected[row.key]) <= Decimal("0.01")


def test_what_is_unbilled_is_the_same_by_age_by_region_and_in_the_figures(view: View) -> None:
    (firm,) = figures(view, "firm", EUROS, FIRM)
    aged = sum((row.value for row in unbilled(view, "firm", EUROS, FIRM)), Decimal(0))
    by_region = sum((row.total for row in backlogs(view, EUROS, FIRM)), Decimal(0))
    assert abs(aged - firm.unbilled) <= CENTS
    assert abs(by_region - firm.unbilled) <= CENTS


def test_months_that_are_asked_for_alone_are_those_of_all(view: View) -> None:
    found = {row.key: row for row in figures(view, "month", EUROS, FIRM)}
    some = sorted(found)[len(found) // 2]
    (alone,) = figures(view, "month", FigureFilter(some, some, currency="EUR"), FIRM)
    assert (alone.standard, alone.billed, alone.recognised) == (
        found[some].standard,
        found[some].billed,
        found[some].recognised,
    )


def test_a_scope_sees_its_own_entities_alone(view: View) -> None:
    (germany,) = figures(view, "selling_entity", EUROS, GERMANY)
    assert germany.key == "DE01"
    whole = {row.key: row for row in figures(view, "selling_entity", EUROS, FIRM)}
    assert germany.standard == whole["DE01"].standard
    assert figures(view, "firm", EUROS, NOBODY) == []
    assert (synchronised_projects(view, EUROS, NOBODY).active, sync_latencies(view, EUROS, NOBODY)) == (0, [])


def test_invoices_take_some_days_and_systems_some_seconds(view: View) -> None:
    (firm,) = cycle_times(view, "firm", FigureFilter(), FIRM)
    months = cycle_times(view, "month", FigureFilter(), FIRM)
    assert firm.invoices == sum(row.invoices for row in months) > 0
    assert firm.from_service_days_median is not None
    assert firm.from_service_days_p90 is not None
    assert firm.from_service_days_median <= firm.from_service_days_p90
    assert {each.system for each in sync_latencies(view, EUROS, FIRM)} == {"erp", "psa"}
    known = synchronised_projects(view, EUROS, FIRM)
    assert 0 < known.synchronised <= known.active
