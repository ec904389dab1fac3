"""Periods are opened, closed and reopened by those who may; what comes after a close is told apart from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from adapters.settings import Settings
from api.access import Role
from projections.keeping import keep_closed
from tests.api.asker import asking
from tests.api.group import BORROWER, LENDER, GroupDesk

MARCH: dict[str, Any] = {"entity": BORROWER, "period": "2026-03"}
PERIODS = "periods { nodes { entity period status by closedPosition closes } }"
DIFFERENCE = (
    f'periodDifference(entity: "{BORROWER}", period: "2026-03") {{ closedPosition factCount'
    " figures { currency asClosed { recognised cost } asKnown { recognised cost } change { recognised cost margin } }"
    " facts { what item event statusAsKnown valueChange costChange } }"
)


@pytest.fixture
def group(settings: Settings) -> Iterator[GroupDesk]:
    with asking(settings) as asker:
        yield GroupDesk(asker)


def test_a_period_is_closed_by_an_approver_who_did_not_prepare_it_and_reopened_with_a_reason(group: GroupDesk) -> None:
    assert group.refusals("closePeriod", **MARCH) == ["period.not_opened"]
    assert group.events("openPeriod", Role.FINANCE_PREPARER, **MARCH) == ["period.opened.v1"]
    assert group.events("openPeriod", Role.FINANCE_PREPARER, **MARCH) == []
    assert group.events("softClosePeriod", Role.FINANCE_PREPARER, **MARCH) == ["period.soft_closed.v1"]
    assert group.refusals("closePeriod", Role.FINANCE_PREPARER, **MARCH) == ["access.not_permitted"]
    assert group.events("closePeriod", **MARCH) == ["period.closed.v1"]
    assert group.refusals("reopenPeriod", **MARCH) == ["period.reason_missing"]
    (period,) = group.ask(PERIODS)["nodes"]
    assert (period["period"], period["status"], period["closes"]) == ("2026-03", "closed", 1)
    assert group.events("reopenPeriod", **MARCH, reason="a late invoice") == ["period.reopened.v1"]
    (period,) = group.ask(PERIODS)["nodes"]
    assert period["status"] == "open"


def test_what_comes_after_a_close_is_told_apart_fact_by_fact(group: GroupDesk) -> None:
    group.world.deliver("1", "8")
    group.events("openPeriod", **MARCH)
    group.events("closePeriod", **MARCH)
    log, generations = group.asker.parts.ledger, group.asker.generations
    (kept,) = keep_closed(log, generations)
    assert (kept.status, kept.name.startswith("close_uspm_2026_03_")) == ("kept", True)
    assert list(keep_closed(log, generations)) == []
    group.world.deliver("2", "2", day=1)
    found = group.ask(DIFFERENCE)
    assert int(found["closedPosition"]) == kept.position
    (figures,) = found["figures"]
    assert figures["asClosed"] == {"recognised": "1600.00", "cost": "880.00"}
    assert figures["asKnown"] == {"recognised": "2000.00", "cost": "1100.00"}
    assert figures["change"] == {"recognised": "400.00", "cost": "220.00", "margin": "180.00"}
    (fact,) = found["facts"]
    assert (fact["what"], fact["item"], fact["valueChange"]) == ("added", "jira:2#1", "400.00")
    as_closed = group.asker.ask(
        "query($p: Position!) { margin(by: SELLING_ENTITY, asOf: {position: $p}) { nodes { recognised }"
        " watermark { generation } } }",
        {"p": found["closedPosition"]},
    )["margin"]
    assert as_closed["nodes"] == [{"recognised": "1600.00"}]
    assert as_closed["watermark"]["generation"] == kept.name


def test_a_run_is_dated_into_the_first_month_that_both_entities_may_post_in(group: GroupDesk) -> None:
    agreed: dict[str, Any] = {"lender": LENDER, "borrower": BORROWER, "effectiveFrom": "2026-01-01", "currency": "USD"}
    group.events("stateAgreement", **agreed, model="fixed", parameter="120")
    group.world.deliver("1", "8")
    for entity, role in ((LENDER, "closePeriod"), (BORROWER, "softClosePeriod")):
        group.events("openPeriod", entity=entity, period="2026-03")
        group.events(role, entity=entity, period="2026-03")
    closed: dict[str, Any] = {"period": "2026-03", "issuedOn": "2026-03-31"}
    assert group.refusals("runIntercompany", **closed) == ["period.closed"]
    group.events("reopenPeriod", entity=LENDER, period="2026-03", reason="the run was forgotten")
    assert group.refusals("runIntercompany", Role.FINANCE_PREPARER, **closed) == ["period.soft_closed"]
    assert group.events("runIntercompany", **closed) == ["intercompany.invoiced.v1", "transfer.invoiced.v1"]
