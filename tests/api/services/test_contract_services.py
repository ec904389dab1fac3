"""What is promised, through the governed services: lines of every method, change orders, limits, retainers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from api.access import NotPermitted, Role
from api.services.contracts.line_input import CategoryInput, LineInput, PartInput, ResourceCapInput, RevenueInput
from api.services.service import Amount, InputIncomplete
from domain.books.accounting_period import OpenPeriod, PeriodIsSoftClosed, SoftClosePeriod, accounting_period_stream
from domain.contract import FixedFeeSchedule, ManagedService, PercentComplete, Retainer, TimeAndMaterials, revenue_of
from domain.contract.rules import PartsDoNotAddUp
from domain.engagement.change_orders import ChangeOrderSelfApproval
from domain.engagement.progress import MeasureProgress
from domain.expense import DaysNotPositive
from projections.journal.tables import POSTINGS
from tests.api.services.desk import ADMIN, APPROVER, PREPARER, Counter, person
from tests.api.services.test_services import names
from tests.projections.books import fold
from tests.world import ENGAGEMENT, NINE, World, euros


def money(amount: int) -> Amount:
    return Amount(Decimal(amount), "EUR")


@pytest.fixture
def counter() -> Counter:
    return Counter(World().firm().contract())


PARTS = (PartInput("1", "First", money(60), date(2026, 1, 1)), PartInput("2", "Second", money(40), date(2026, 2, 1)))


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (LineInput("L2", "Work", "time_and_materials", hours_cap=Decimal(8)), TimeAndMaterials),
        (LineInput("L2", "Run", "fixed_fee_schedule", price=money(100), parts=PARTS), FixedFeeSchedule),
        (
            LineInput("L2", "Build", "percent_complete", price=money(9), measure="hours", budget=Decimal(5)),
            PercentComplete,
        ),
        (LineInput("L2", "Advice", "retainer", price=money(9), overage="held"), Retainer),
        (LineInput("L2", "Advice", "retainer", price=money(9), overage="rate", overage_rate=money(2)), Retainer),
        (LineInput("L2", "Care", "managed_service", price=money(9), starts=date(2026, 1, 1)), ManagedService),
    ],
)
def test_a_line_of_each_method_is_agreed(counter: Counter, line: LineInput, kind: type) -> None:
    answer = counter.ask("agree-line", PREPARER, engagement="E-1", line=line)
    assert names(answer) == ["engagement.line_agreed.v1"]
    assert isinstance(answer.states[ENGAGEMENT].lines["L2"].billing, kind)


def test_an_instalment_pays_for_a_period_and_earns_over_it(counter: Counter) -> None:
    half_year = (date(2026, 1, 1), date(2026, 6, 30))
    part = PartInput("1", "Half a year", money(600), date(2026, 1, 1), starts=half_year[0], ends=half_year[1])
    line = LineInput("L2", "Run", "fixed_fee_schedule", price=money(600), parts=(part,))
    answer = counter.ask("agree-line", PREPARER, engagement="E-1", line=line)
    terms = revenue_of(answer.states[ENGAGEMENT].lines["L2"])
    assert (terms.method, terms.starts, terms.ends) == ("straight_line", *half_year)


def test_costs_of_a_category_may_be_taxed_otherwise_than_the_line(counter: Counter) -> None:
    line = LineInput("L2", "Work", "time_and_materials", expenses=(CategoryInput("books", tax_category="reduced"),))
    answer = counter.ask("agree-line", PREPARER, engagement="E-1", line=line)
    assert answer.states[ENGAGEMENT].lines["L2"].expense_terms.of("books").tax_category == "reduced"


def test_a_per_diem_pays_for_the_days_that_are_told(counter: Counter) -> None:
    line = LineInput("L2", "On site", "time_and_materials", expenses=(CategoryInput("*", per_diem=money(28)),))
    counter.ask("agree-line", PREPARER, engagement="E-1", line=line)
    spent = {"report": "ER-1", "line": "1", "resource": "W-1", "project": "P-1-L2", "category": "meals"}
    asked: dict[str, Any] = {**spent, "spent_on": date(2026, 3, 2), "amount": money(100), "receipt": "scan"}
    with pytest.raises(DaysNotPositive):
        counter.ask("submit-billable-expense", ADMIN, **asked, days=Decimal(0))
    counter.ask("submit-billable-expense", ADMIN, **asked, days=Decimal("2.5"))
    answer = counter.ask("approve-expense", ADMIN, report="ER-1", lines=("1",), approved_by="W-9")
    (held,) = counter.world.react().read(next(iter(answer.states))).lots.values()
    assert held.lot.value == euros(70)


def test_what_is_beyond_a_retainer_may_be_free(counter: Counter) -> None:
    line = LineInput("L2", "Advice", "retainer", price=money(9), overage="multiplier", overage_multiplier=Decimal(0))
    answer = counter.ask("agree-line", PREPARER, engagement="E-1", line=line)
    assert answer.states[ENGAGEMENT].lines["L2"].billing.overage_multiplier == 0


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        (LineInput("L2", "Run", "fixed_fee_schedule", price=money(99), parts=PARTS), PartsDoNotAddUp),
        (LineInput("L2", "Run", "fixed_fee_schedule"), InputIncomplete),
        (LineInput("L2", "?", "barter"), InputIncomplete),
    ],
)
def test_a_line_that_is_incomplete_or_contradicts_itself_is_refused(
    counter: Counter, line: LineInput, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        counter.ask("agree-line", PREPARER, engagement="E-1", line=line)


def test_new_terms_of_a_line_count_today_and_a_softly_closed_month_takes_them_from_approvers_alone(
    counter: Counter,
) -> None:
    stream = accounting_period_stream("DE01")
    for command in (OpenPeriod, SoftClosePeriod):
        counter.world.tell(stream, command("DE01", "2026-04", "ann", NINE, "Month end."))
    hand = RevenueInput("percent_complete", "manual")
    known = LineInput("L2", "Run", "fixed_fee_schedule", price=money(100), parts=PARTS, revenue=hand)
    counter.ask("agree-line", PREPARER, engagement="E-1", line=known)
    told = MeasureProgress("L2", date(2026, 3, 31), Decimal("0.5"), "manual", "report", "pm", NINE)
    counter.world.tell(ENGAGEMENT, told)
    parts = (PARTS[0], replace(PARTS[1], amount=money(60)))
    new = replace(known, price=money(120), parts=parts)
    with pytest.raises(PeriodIsSoftClosed):
        counter.ask("agree-line", PREPARER, engagement="E-1", line=new)
    counter.ask("agree-line", APPROVER, engagement="E-1", line=new)
    rows = map(POSTINGS.row, fold(counter.world.ledger).all(POSTINGS).values())
    earned = {(each.effective_on, -each.amount) for each in rows if each.account == "REVENUE_FIXED"}
    assert earned == {(date(2026, 3, 31), Decimal(50)), (date(2026, 4, 1), Decimal(10))}


def change(**more: Any) -> dict[str, Any]:
    lines = (LineInput("L1", "Work", "time_and_materials", cap=money(5000)),)
    return {
        "engagement": "E-1",
        "change_order": "CO-1",
        "effective_from": date(2026, 4, 1),
        "lines": lines,
        "adds_distinct": True,
        "at_stand_alone_price": True,
        "remaining_distinct": True,
        "because": "more work",
        **more,
    }


def test_a_change_order_is_proposed_by_one_and_approved_by_another(counter: Counter) -> None:
    proposed = counter.ask("propose-change-order", APPROVER, **change())
    assert proposed.states[ENGAGEMENT].change_orders["CO-1"].proposed.treatment == "separate"
    with pytest.raises(ChangeOrderSelfApproval):
        counter.ask("approve-change-order", APPROVER, engagement="E-1", change_order="CO-1")
    with pytest.raises(NotPermitted):
        counter.ask("approve-change-order", PREPARER, engagement="E-1", change_order="CO-1")
    other = person(Role.FINANCE_APPROVER, subject="zoe")
    answer = counter.ask("approve-change-order", other, engagement="E-1", change_order="CO-1")
    assert [version.effective_from for version in answer.states[ENGAGEMENT].versions["L1"]] == [
        date.min,
        date(2026, 4, 1),
    ]


def test_limits_of_people_are_stated_anew(counter: Counter) -> None:
    caps = (ResourceCapInput("W-1", hours=Decimal(8)),)
    answer = counter.ask("change-limits", PREPARER, engagement="E-1", line="L1", resource_caps=caps)
    assert names(answer) == ["engagement.limits_changed.v1"]
    assert [room.level for room in answer.states[ENGAGEMENT].rooms()] == ["W-1 on line L1"]


def test_a_retainer_is_granted_and_what_is_left_refunded_after_its_use(counter: Counter) -> None:
    line = LineInput("L2", "Advice", "retainer", price=money(1000))
    counter.ask("agree-line", PREPARER, engagement="E-1", line=line)
    granted = counter.ask("grant-retainer", PREPARER, engagement="E-1", line="L2", grant="R1")
    assert names(granted) == ["engagement.retainer_granted.v1", "lot.rated.v1"]
    asked: dict[str, Any] = {
        "engagement": "E-1",
        "line": "L2",
        "grant": "R1",
        "amount": money(400),
        "reason": "ended early",
    }
    refunded = counter.ask("refund-retainer", APPROVER, **asked)
    assert refunded.states[ENGAGEMENT].account("L2").grants["R1"].available.amount == 600
