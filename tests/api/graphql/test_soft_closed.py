"""A softly closed month takes what finance approvers state in it; what others do counts later, or is refused."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from adapters.settings import Settings
from api.access import Role
from domain.contract import ContractLine, FixedFeeSchedule, Instalment, Revenue
from domain.engagement import AgreeLine
from domain.reference.fx_policy import FX_POLICY, FxPolicyTerms, StateFxPolicy
from domain.reference.fx_rate import PublishFxRate, fx_stream
from tests.api.asker import asking
from tests.api.group import GroupDesk
from tests.api.service_desk import ServiceDesk
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, World, euros

PREPARER = Role.FINANCE_PREPARER
MARCH: dict[str, Any] = {"entity": "DE01", "period": "2026-03"}


@pytest.fixture
def desk(settings: Settings) -> Iterator[ServiceDesk]:
    """A firm whose March is softly closed, with an invoice of March that is owed and a line that earns by progress."""
    with asking(settings) as asker:
        world = World(asker.parts.ledger).firm().contract()
        parts = (Instalment("1", "All", NEW_YEAR, euros(1000)),)
        revenue = Revenue("percent_complete", "manual")
        world.tell(ENGAGEMENT, AgreeLine(ContractLine("L2", "Study", FixedFeeSchedule(euros(1000), parts), revenue)))
        world.draft("I-1", world.lots(world.work("1"))).approve("I-1").issue("I-1", MONDAY)
        desk = ServiceDesk(asker, world)
        desk.events("openPeriod", PREPARER, **MARCH)
        desk.events("softClosePeriod", PREPARER, **MARCH)
        yield desk


def paid(on: str) -> dict[str, Any]:
    return {"invoice": "I-1", "payment": "P-1", "amount": {"amount": "100", "currency": "EUR"}, "receivedOn": on}


def measured(on: str) -> dict[str, Any]:
    return {"engagement": "E-1", "line": "L2", "toDate": "0.5", "measure": "manual", "evidence": "r", "on": on}


def days_of(desk: ServiceDesk, account: str) -> list[tuple[str, str]]:
    query = f"journal(where: {{account: {account}}}) {{ nodes {{ effectiveOn trueOn }} }}"
    return [(each["effectiveOn"], each["trueOn"]) for each in desk.ask(query)["nodes"]]


@pytest.mark.parametrize(
    ("service", "asked", "role", "account"),
    [
        ("recordPayment", paid("2026-03-31"), PREPARER, "CASH"),
        ("measureProgress", measured("2026-03-31"), PREPARER, "REVENUE_FIXED"),
    ],
)
def test_what_is_stated_in_a_softly_closed_month_is_refused_unless_an_approver_states_it(
    desk: ServiceDesk, service: str, asked: dict[str, Any], role: Role, account: str
) -> None:
    assert desk.refusals(service, role, **asked) == ["period.soft_closed"]
    assert desk.refusals(service, Role.ADMIN, **asked) == ["period.soft_closed"]
    assert days_of(desk, account) == []
    assert desk.events(service, **asked)
    assert days_of(desk, account) == [("2026-03-31", "2026-03-31")]


def test_in_an_open_month_everybody_states_what_they_may(desk: ServiceDesk) -> None:
    assert desk.events("recordPayment", PREPARER, **paid("2026-04-01")) == ["invoice.payment_received.v1"]


def test_a_late_fact_whose_first_open_month_is_softly_closed_is_for_approvers(desk: ServiceDesk) -> None:
    desk.events("closePeriod", **MARCH)
    april = {**MARCH, "period": "2026-04"}
    desk.events("openPeriod", PREPARER, **april)
    desk.events("softClosePeriod", PREPARER, **april)
    assert desk.refusals("recordPayment", PREPARER, **paid("2026-03-31")) == ["period.soft_closed"]
    desk.events("recordPayment", **paid("2026-03-31"))
    assert days_of(desk, "CASH") == [("2026-04-01", "2026-03-31")]


def test_work_that_becomes_known_late_counts_in_the_first_open_month_whoever_told_it(desk: ServiceDesk) -> None:
    desk.world.work("2", day=1)
    assert days_of(desk, "REVENUE_TM") == [("2026-03-02", "2026-03-02"), ("2026-04-01", "2026-03-03")]


REPORTED = "trialBalance { accounts { entity account reportingCurrency reporting } }"


def test_every_entity_reports_in_its_own_currency_until_the_firm_says_which(settings: Settings) -> None:
    with asking(settings) as asker:
        world = World(asker.parts.ledger).firm().contract()
        world.tell(fx_stream("EUR", "CHF"), PublishFxRate("EUR", "CHF", MONDAY, Decimal("0.95"), "ECB"))
        desk = ServiceDesk(asker, world)
        world.work("1")
        assert {each["reportingCurrency"] for each in desk.ask(REPORTED)["accounts"]} == {"EUR"}
        world.tell(FX_POLICY, StateFxPolicy(FxPolicyTerms(NEW_YEAR, "CHF")))
        world.work("2", day=1)
        reported = {
            (each["account"], each["reportingCurrency"]): Decimal(each["reporting"])
            for each in desk.ask(REPORTED)["accounts"]
        }
        assert reported["REVENUE_TM", "CHF"] == -1140  # 8 hours at 150 EUR, at 0.95
        assert reported["REVENUE_TM", "EUR"] == -1200


def test_the_margin_of_a_group_without_a_reporting_currency_asks_for_one(settings: Settings) -> None:
    with asking(settings) as asker:
        group = GroupDesk(asker)
        question = '{ groupMargin(firstPeriod: "2025-12") { currency } }'
        group.fold()
        assert asker.codes(question, role=Role.AUDITOR) == ["fx_policy.no_reporting_currency"]
        named = '{ groupMargin(firstPeriod: "2025-12", currency: "CHF") { currency } }'
        assert asker.ask(named, role=Role.AUDITOR)["groupMargin"] == {"currency": "CHF"}
