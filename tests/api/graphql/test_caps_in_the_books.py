"""Caps of every level decide what is earned, by the same allocation that decides what may be billed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.postgres import connect
from adapters.settings import Settings
from api.access import Role
from api.verification.journal import checks_of
from tests.api.asker import asking
from tests.api.service_desk import ServiceDesk
from tests.world import World

PREPARER = Role.FINANCE_PREPARER
LINE = {"line": "L1", "title": "Work", "method": "time_and_materials"}


class Capped(ServiceDesk):
    """The small firm, whose people cost 150 an hour."""

    def earned(self) -> Decimal:
        found = self.ask("trialBalance(account: REVENUE_TM) { accounts { balance } }")["accounts"]
        return -sum((Decimal(each["balance"]) for each in found), Decimal(0))

    def eligible(self) -> Decimal:
        """What may be billed, as the read model of eligibility says."""
        found = self.ask("billingEligibility(first: 100) { nodes { eligibleValue } }")["nodes"]
        return sum((Decimal(each["eligibleValue"]) for each in found), Decimal(0))

    def offenders(self, settings: Settings) -> list[str]:
        live = self.asker.generations.live()
        assert live is not None
        with connect(settings.database_url or "", settings.db_schema) as conn:
            checks = checks_of(conn, live.schema)
        return [f"{check.name}: {breach.object} {breach.detail}" for check in checks for breach in check.breaches]

    def caps(self, position: int | None = None) -> list[tuple[Any, ...]]:
        """How far each cap is used up, now or as it was."""
        then = f", asOf: {{ position: {position} }}" if position is not None else ""
        asked = f'engagement(id: "E-1"{then}) {{ caps {{ level line unit limit taken earned used percent }} }}'
        found = (list(each.values()) for each in self.ask(asked)["caps"])
        return [(*each[:3], *map(Decimal, each[3:])) for each in found]

    def changes(self, service: str, **asked: Any) -> None:
        assert self.events(service, PREPARER, **asked)


@pytest.fixture
def books(settings: Settings) -> Iterator[Capped]:
    with asking(settings) as asker:
        yield Capped(asker, World(asker.parts.ledger).firm().contract())


def week(books: Capped, *, days: int = 3, person: str = "W-1", first_day: int = 0) -> None:
    """Eight hours on each of some days, 1,200 each."""
    for day in range(first_day, first_day + days):
        books.world.work(f"{person}-{day}", day=day, person=person)


@pytest.mark.parametrize(
    ("service", "asked", "earned"),
    [
        ("changeLimits", {"engagement": "E-1", "line": "L1", "hoursCap": "20"}, 3000),
        (
            "changeLimits",
            {"engagement": "E-1", "line": "L1", "resourceCaps": [{"resource": "W-1", "hours": "10"}]},
            1500,
        ),
        ("agreeEngagementCap", {"engagement": "E-1", "amount": {"amount": "2500", "currency": "EUR"}}, 2500),
        (
            "agreeEngagementCap",
            {"engagement": "E-1", "amount": {"amount": "2500", "currency": "EUR"}, "capPolicy": "whole_item"},
            2400,
        ),
        ("agreeBillingLimit", {"customer": "C-1", "currency": "EUR", "hours": "18"}, 2700),
    ],
)
@pytest.mark.parametrize("first", ["cap", "work"])
def test_a_cap_of_any_level_decides_what_is_earned_whether_it_or_the_work_came_first(
    books: Capped, settings: Settings, service: str, asked: dict[str, Any], earned: int, first: str
) -> None:
    if first == "cap":
        books.changes(service, **asked)
        week(books)
    else:
        week(books)
        assert books.earned() == 3600
        books.changes(service, **asked)
    assert (books.earned(), books.eligible()) == (Decimal(earned), Decimal(earned))
    assert books.offenders(settings) == []


def test_lots_take_up_a_cap_in_the_order_of_the_work_however_late_it_becomes_known(
    books: Capped, settings: Settings
) -> None:
    books.changes("agreeEngagementCap", engagement="E-1", amount={"amount": "2400", "currency": "EUR"})
    week(books, first_day=1)
    assert books.earned() == 2400
    books.world.work("late", "4", day=0)  # 600 of Monday: Wednesday's work now has 600 of its 1,200
    assert books.earned() == 2400
    earned = {
        each["lot"]: Decimal(each["amount"])
        for each in books.ask("journal(where: {account: REVENUE_TM}) { nodes { lot amount } }")["nodes"]
        if each["lot"] == "jira:late#1"
    }
    assert earned == {"jira:late#1": -600}
    assert books.eligible() == 2400
    assert books.offenders(settings) == []


def test_what_is_billed_given_up_or_raised_leaves_room_for_what_waits(books: Capped, settings: Settings) -> None:
    books.changes("changeLimits", engagement="E-1", line="L1", hoursCap="20")
    week(books)
    lots = {at.lot: at for at in books.world.lots(*{at.stream for at in _streams(books)})}
    books.world.draft("I-1", [lots["jira:W-1-0#1"]]).approve("I-1").issue("I-1", date(2026, 3, 31))
    assert books.earned() == 3000
    given_up = {"stream": lots["jira:W-1-1#1"].stream, "lot": "jira:W-1-1#1"}
    assert books.events("writeOffLots", Role.FINANCE_APPROVER, lots=[given_up], because="Rework.")
    assert books.earned() == 2400  # 8 hours billed, 8 of the last day; 4 of the cap are left
    books.changes("changeLimits", engagement="E-1", line="L1", hoursCap="10")
    assert books.earned() == 1500
    books.changes("changeLimits", engagement="E-1", line="L1")
    assert books.earned() == 2400
    assert books.offenders(settings) == []


def test_a_part_of_a_day_that_is_written_off_leaves_the_rest_to_be_billed(books: Capped, settings: Settings) -> None:
    sheet = books.world.work("1", "8")
    part = {"stream": sheet, "lot": "jira:1#1", "quantity": "2"}
    events = books.events("writeOffLots", Role.FINANCE_APPROVER, lots=[part], because="Not worth it.")
    assert events == ["lot.split.v1", "lot.written_off.v1"]
    assert books.eligible() == books.earned() == 900
    assert books.offenders(settings) == []


def _streams(books: Capped) -> list[Any]:
    facts = books.world.ledger.read(0, 10_000)
    return books.world.lots(*dict.fromkeys(fact.stream for fact in facts if fact.name == "lot.rated.v1"))


def test_what_a_draft_bills_is_earned_though_held_work_in_front_of_it_had_taken_the_room(
    books: Capped, settings: Settings
) -> None:
    books.changes("agreeEngagementCap", engagement="E-1", amount={"amount": "1200", "currency": "EUR"})
    week(books, days=2)
    monday = {"stream": _streams(books)[0].stream, "lot": "jira:W-1-0#1"}
    books.events("holdLots", PREPARER, lots=[monday], reason="DISPUTED", because="Asked for a report.")
    assert books.earned() == 1200
    open_lots = [at for at in _streams(books) if at.lot == "jira:W-1-1#1"]
    books.world.draft("I-1", open_lots).approve("I-1").issue("I-1", date(2026, 3, 31))
    found = books.ask("journal(where: {account: REVENUE_TM}) { nodes { lot amount } }")["nodes"]
    by_lot: dict[str, Decimal] = {}
    for each in found:
        by_lot[each["lot"]] = by_lot.get(each["lot"], Decimal(0)) - Decimal(each["amount"])
    assert by_lot == {"jira:W-1-0#1": 0, "jira:W-1-1#1": 1200}
    assert books.offenders(settings) == []


def test_a_project_manager_sees_how_far_the_caps_are_used_up_and_how_far_they_were(books: Capped) -> None:
    books.changes("changeLimits", engagement="E-1", line="L1", hoursCap="40")
    books.changes("agreeBillingLimit", customer="C-1", currency="EUR", amount={"amount": "9000", "currency": "EUR"})
    week(books, days=2)
    before = books.asker.parts.ledger.head()
    books.world.draft("I-1", books.world.lots(books.world.work("late", "4", day=2)))
    hours, limit = ("line L1", "L1", "hour"), ("customer C-1", None, "EUR")
    assert books.caps() == [(*hours, 40, 20, 0, 20, 50), (*limit, 9000, 3000, 0, 3000, Decimal("33.33"))]
    assert books.caps(before) == [(*hours, 40, 0, 16, 16, 40), (*limit, 9000, 0, 2400, 2400, Decimal("26.66"))]
