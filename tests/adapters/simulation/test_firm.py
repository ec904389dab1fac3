from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from adapters.simulation import names, rates
from adapters.simulation.firm import Engagement, Firm, Plan


def engagements_of(firm: Firm) -> list[Engagement]:
    return [engagement for slot in range(firm.plan.slots) for engagement in firm.engagements(slot)]


def test_the_default_firm_is_a_multinational_of_the_promised_size() -> None:
    firm = Firm(Plan())
    engagements = engagements_of(firm)
    assert len(firm.consultants) == 60
    assert len(engagements) == 25
    assert len({entity.code for entity in firm.entities}) == 4
    assert {each.currency for each in engagements} == {"EUR", "GBP", "USD", "JPY"}
    assert {line.kind for each in engagements for line in each.lines} == {"time_and_materials", "capped", "fixed_fee"}
    assert {worker.entity.code for worker in firm.consultants} == {entity.code for entity in firm.entities}


def test_one_seed_makes_one_firm_and_another_seed_another() -> None:
    assert engagements_of(Firm(Plan(seed=7))) == engagements_of(Firm(Plan(seed=7)))
    assert engagements_of(Firm(Plan(seed=7))) != engagements_of(Firm(Plan(seed=8)))


def test_every_person_and_deal_has_an_id_of_its_own() -> None:
    firm = Firm(Plan(consultants=400, months=30))
    deals = [engagement.deal for engagement in engagements_of(firm)]
    records = [each.line_record(line) for each in engagements_of(firm) for line in each.lines]
    tasks = [task.issue for each in engagements_of(firm) for line in each.lines for task in line.tasks]
    people = [(worker.employee, worker.account) for worker in firm.workers]
    for ids in (deals, records, tasks, [e for e, _ in people], [a for _, a in people]):
        assert len(set(ids)) == len(ids)


def test_the_engagements_of_a_slot_follow_one_another() -> None:
    firm = Firm(Plan(consultants=5, months=40))
    for slot in range(firm.plan.slots):
        found = list(firm.engagements(slot))
        assert len(found) > 3
        assert all(later.won_on > earlier.ends for earlier, later in pairwise(found))


def test_milestones_come_one_after_the_other_and_add_up_to_the_price() -> None:
    lines = [line for each in engagements_of(Firm(Plan())) for line in each.lines if line.kind == "fixed_fee"]
    assert lines
    for line in lines:
        assert sum((stage.amount for stage in line.stages), Decimal(0)) == line.amount
        days = [stage.due for stage in line.stages]
        assert days == sorted(set(days))


@pytest.mark.parametrize("record", ["0015f00002JUXA8AAP", "006SM0000001Tb3YAE"])
def test_a_record_id_tells_its_capitals_in_three_more_characters(record: str) -> None:
    short = record[:15]
    assert short + "".join(names.case_of(short[start : start + 5]) for start in (0, 5, 10)) == record


def test_rates_of_exchange_move_a_little_from_week_to_week() -> None:
    weeks = [date(2026, 1, 5) + timedelta(weeks=number) for number in range(26)]
    dollars = [rates.euro_rate(1, "USD", week) for week in weeks]
    assert len(set(dollars)) > 20
    assert all(abs(later / earlier - 1) < Decimal("0.02") for earlier, later in pairwise(dollars))
