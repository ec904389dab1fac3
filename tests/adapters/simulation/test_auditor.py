from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from adapters.simulation.auditor import Account, Auditor, Place, place_of
from adapters.simulation.facts import (
    BillingRun,
    BillRateTold,
    CapRaised,
    EuroRateTold,
    ExpensesApproved,
    ExpenseTold,
    Fact,
    HoursDeleted,
    HoursTold,
    OrderTold,
    PeriodTold,
    StageAccepted,
    Verdict,
    WorkerTold,
)
from adapters.simulation.faults import NONE
from adapters.simulation.firm import Engagement, Firm, Kind, Order, Plan
from adapters.simulation.message import Message
from adapters.simulation.pricebook import NoPrice
from adapters.simulation.stream import stream

FIRM = Firm(Plan(consultants=20))
WORKER = next(worker for worker in FIRM.consultants if worker.entity.code == "DE01")
LEAD = FIRM.leads["DE01"]
MONDAY = date(2026, 3, 2)
EVENING = datetime(2026, 3, 2, 17, tzinfo=UTC)
JANUARY = date(2026, 1, 1)


def engagement_with(kind: Kind, order: Order = "none") -> Engagement:
    """An engagement of the German entity with a German customer, with one line of a kind."""
    found = next(FIRM.engagements(0))
    kinds = {line.kind: line for slot in range(8) for each in FIRM.engagements(slot) for line in each.lines}
    line = replace(kinds[kind], number=1, amount=Decimal(2_000))
    return replace(found, lines=(line,), order=order, own_rates=False, won_on=JANUARY)


def books(*facts: Fact) -> Auditor:
    """An auditor who knows that the worker is a consultant at 100 euros an hour, and what was told."""
    auditor = Auditor()
    auditor.hear(WorkerTold(WORKER, JANUARY, "Consultant", Decimal(60), EVENING - timedelta(days=90)))
    auditor.hear(rate("100", JANUARY))
    for fact in facts:
        auditor.hear(fact)
    return auditor


def rate(amount: str, since: date, scope: str = "firm", owner: str = "FIRM") -> BillRateTold:
    said, row = EVENING - timedelta(days=80), f"Consultant {since}"
    return BillRateTold(scope, owner, row, "EUR", Decimal(amount), since, said, role="Consultant")  # type: ignore[arg-type]


def hours(
    engagement: Engagement, entry: int = 1, of: str = "8", *, day: int = 0, revision: int = 0, overtime: bool = False
) -> HoursTold:
    said = EVENING + timedelta(days=day, hours=revision)
    line = engagement.lines[0]
    return HoursTold(
        "jira", entry, revision, WORKER, engagement, line, line.tasks[0], MONDAY + timedelta(days=day), time(9),
        int(Decimal(of) * 3600), overtime, "", said, said,
    )  # fmt: skip


def verdict(word: Verdict, days: float) -> PeriodTold:
    return PeriodTold(WORKER, MONDAY, MONDAY + timedelta(days=6), word, LEAD, EVENING + timedelta(days=days))


def only(auditor: Auditor) -> Account:
    ((_, account),) = auditor.accounts().items()
    return account


APPROVED = verdict("APPROVED", 7)
ADVICE = engagement_with("time_and_materials")
CAPPED = engagement_with("capped")


def test_approved_hours_have_the_value_of_their_price() -> None:
    account = only(books(hours(ADVICE), hours(ADVICE, 2, "1.5", day=1, overtime=True), APPROVED))
    assert account == Account(hours=Decimal("9.5"), time=Decimal(1_025), cost=Decimal(570))


def test_hours_that_nobody_approved_do_not_count() -> None:
    assert books(hours(ADVICE)).accounts() == {}
    assert books(hours(ADVICE), verdict("IN_REVIEW", 7)).accounts() == {}
    assert books(hours(ADVICE), APPROVED, verdict("OPEN", 8)).accounts() == {}


def test_an_approval_counts_for_hours_that_arrive_after_it_but_not_for_later_changes() -> None:
    assert only(books(APPROVED, hours(ADVICE))).hours == 8
    late_change = replace(hours(ADVICE, of="7", revision=1), said_at=EVENING + timedelta(days=9))
    assert books(hours(ADVICE), APPROVED, late_change).accounts() == {}


def test_the_newest_version_counts_in_whatever_order_and_however_often_it_is_told() -> None:
    facts: list[Fact] = [
        hours(ADVICE),
        replace(hours(ADVICE), system="tempo", said_at=EVENING + timedelta(seconds=9)),
        hours(ADVICE, of="6", revision=1),
        hours(ADVICE, 2, "3", day=1),
        HoursDeleted(hours(ADVICE, 2, "3", day=1), EVENING + timedelta(days=2)),
        verdict("IN_REVIEW", 6.5),
        APPROVED,
    ] * 2
    for seed in range(50):
        random.Random(seed).shuffle(facts)
        assert only(books(*facts)) == Account(hours=Decimal(6), time=Decimal(600), cost=Decimal(360))


def test_a_price_of_the_engagement_comes_before_the_firms_and_a_newer_one_before_an_older() -> None:
    own = rate("90", JANUARY, "engagement", f"E-{ADVICE.deal}")
    newer = rate("95", MONDAY + timedelta(days=1), "engagement", f"E-{ADVICE.deal}")
    facts: list[Fact] = [hours(ADVICE, 1), hours(ADVICE, 2, day=1), APPROVED]
    assert only(books(*facts, own)).time == Decimal(1_440)
    assert only(books(*facts, own, newer)).time == Decimal(1_480)


def test_what_is_billed_keeps_its_price_and_its_hours() -> None:
    auditor = books(hours(ADVICE), APPROVED)
    auditor.bill(date(2026, 3, 31))
    auditor.hear(rate("90", JANUARY, "engagement", f"E-{ADVICE.deal}"))
    auditor.hear(replace(hours(ADVICE, of="2", revision=1), said_at=EVENING + timedelta(days=40)))
    auditor.hear(verdict("OPEN", 41))
    auditor.hear(HoursDeleted(hours(ADVICE), EVENING + timedelta(days=42)))
    assert only(auditor) == Account(hours=Decimal(8), time=Decimal(800), cost=Decimal(480), billed=Decimal(800))


def test_a_cap_is_filled_to_the_cent_and_billing_goes_on_when_it_is_raised() -> None:
    auditor = books(*(hours(CAPPED, entry, day=entry) for entry in range(3)), APPROVED)
    auditor.bill(date(2026, 3, 31))
    assert only(auditor).billed == Decimal(2_000)
    auditor.hear(CapRaised(CAPPED, CAPPED.lines[0], Decimal(2_300), EVENING))
    auditor.bill(date(2026, 3, 31))
    assert only(auditor).billed == Decimal(2_300)


def test_nothing_is_billed_before_its_order_or_after_the_cut_off() -> None:
    ordered = engagement_with("time_and_materials", order="late")
    auditor = books(hours(ordered), hours(ordered, 2, day=2), APPROVED)
    auditor.bill(date(2026, 3, 31))
    assert only(auditor).billed == 0
    auditor.hear(OrderTold(ordered, "PO-1", EVENING))
    auditor.bill(MONDAY)
    assert only(auditor).billed == Decimal(800)


def test_a_fixed_fee_bills_its_milestones_and_not_its_hours() -> None:
    fixed = engagement_with("fixed_fee")
    stage = replace(fixed.lines[0].stages[0], amount=Decimal(500))
    accepted = StageAccepted(fixed, fixed.lines[0], stage, MONDAY, "protocol", EVENING)
    auditor = books(hours(fixed), APPROVED, accepted, accepted)
    auditor.bill(date(2026, 3, 31))
    expected = Account(
        hours=Decimal(8), time=Decimal(800), milestones=Decimal(500), cost=Decimal(480), billed=Decimal(500)
    )
    assert only(auditor) == expected


def test_expenses_are_billed_at_their_cost_in_the_currency_of_the_engagement() -> None:
    pounds = replace(ADVICE, currency="GBP")
    spent = ExpenseTold(
        "ER-1", 1, WORKER, pounds, pounds.lines[0], "Travel", MONDAY, Decimal("119.00"), Decimal("19.00"), EVENING
    )
    auditor = books(spent, EuroRateTold("GBP", MONDAY - timedelta(days=7), Decimal("0.8615"), EVENING))
    assert auditor.accounts() == {}
    auditor.hear(ExpensesApproved("ER-1", WORKER, (1,), LEAD, EVENING))
    auditor.bill(date(2026, 3, 31))
    assert only(auditor) == Account(expenses=Decimal("86.15"), cost=Decimal("86.15"), billed=Decimal("86.15"))


def test_a_missing_price_is_a_defect_of_the_firm_and_is_not_passed_over() -> None:
    auditor = books(hours(replace(ADVICE, currency="USD")), APPROVED)
    with pytest.raises(NoPrice, match="Consultant in USD"):
        auditor.accounts()


def test_the_books_of_the_default_firm_add_up() -> None:
    auditor, capped = Auditor(), dict[Place, Decimal]()
    for item in stream(Firm(Plan()), NONE):
        match item:
            case BillingRun(cut_off=cut_off):
                auditor.bill(cut_off)
            case Message(fact=HoursTold(engagement=engagement, line=line)) if line.kind == "capped":
                capped.setdefault(place_of(engagement, line), line.amount)
            case Message(fact=CapRaised(engagement=engagement, line=line, amount=amount)):
                capped[place_of(engagement, line)] = amount
            case _:
                pass
        if isinstance(item, Message) and item.fact is not None:
            auditor.hear(item.fact)
    accounts = auditor.accounts()
    assert len(accounts) >= 25
    assert all(account.billed <= account.standard for account in accounts.values())
    assert sum(account.billed > 0 for account in accounts.values()) > 20
    assert any(accounts[place].billed == cap for place, cap in capped.items())
    assert all(accounts[place].billed <= cap for place, cap in capped.items() if place in accounts)
