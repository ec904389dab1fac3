"""Legal entities pay each other, practices charge each other, and a closed month differs from what is known today."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, LiteralString

import pytest
from psycopg import sql

from adapters.postgres import connect
from adapters.settings import Settings
from api.access import Role
from api.verification.journal import checks_of
from domain.kernel import stream_of
from domain.money import Money
from domain.project import CreateProject
from domain.reference.fx_rate import PublishFxRate, fx_stream
from domain.reference.resource import DescribeResource, ResourceTerms
from domain.timesheet import ApproveTime, Claim, LogTime, Work, timesheet_stream
from tests.api.asker import asking
from tests.api.group import BORROWER, LENDER, GroupDesk
from tests.world import MONDAY, NEW_YEAR, NINE

AGREED: dict[str, Any] = {
    "lender": LENDER,
    "borrower": BORROWER,
    "effectiveFrom": "2026-01-01",
    "currency": "USD",
    "model": "fixed",
    "parameter": "120",
}
NUMBER = "IC-GBPM-USPM-0001"
PAID: dict[str, Any] = {"lender": LENDER, "borrower": BORROWER, "paidOn": "2026-04-15"}
INVOICES = "intercompanyInvoices { nodes { number gross settled open } }"
BALANCES = 'intercompanyBalances(where: {period: "2026-03"}) { nodes { gross settled open } }'
MARGIN = (
    'groupMargin(firstPeriod: "2026-03") { margin revenue cost'
    " entities { entity revenue intercompanyRevenue cost intercompanyCost margin } eliminations { amount } }"
)
DIFFERENCE = (
    f'periodDifference(entity: "{BORROWER}", period: "2026-03") {{ entryCount'
    " accounts { account asClosed asKnown change }"
    " entries { event because trueOn effectiveOn fact { sentence } accounts { account change } } }"
)


@pytest.fixture
def group(settings: Settings) -> Iterator[GroupDesk]:
    with asking(settings) as asker:
        yield GroupDesk(asker)


def balances(group: GroupDesk, entity: str) -> dict[str, Decimal]:
    found = group.ask(f'trialBalance(entity: "{entity}") {{ accounts {{ account balance }} }}')["accounts"]
    summed: dict[str, Decimal] = {}
    for each in found:
        summed[each["account"]] = summed.get(each["account"], Decimal(0)) + Decimal(each["balance"])
    return summed


def plant(group: GroupDesk, settings: Settings, statement: LiteralString) -> None:
    """A breach in the tables of the live read models."""
    group.fold()
    live = group.asker.generations.live()
    assert live is not None
    with connect(settings.database_url or "", settings.db_schema) as conn, conn.transaction():
        conn.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(live.schema)))
        assert conn.execute(sql.SQL(statement)).rowcount > 0, "the breach was planted"


def offenders(group: GroupDesk, settings: Settings) -> list[str]:
    live = group.asker.generations.live()
    assert live is not None
    with connect(settings.database_url or "", settings.db_schema) as conn:
        checks = checks_of(conn, live.schema)
    return [f"{check.name}: {breach.object} {breach.detail}" for check in checks for breach in check.breaches]


def invoiced(group: GroupDesk, hours: str = "10") -> None:
    """The American entity owes 1,200 USD for ten hours, which are 960 GBP in the British books."""
    group.events("stateAgreement", **AGREED)
    group.world.deliver("1", hours)
    group.events("runIntercompany", period="2026-03")
    group.world.tell(
        fx_stream("GBP", "USD"), PublishFxRate("GBP", "USD", date(2026, 4, 15), Decimal("1.5"), "treasury")
    )


def test_a_payment_between_entities_clears_both_sides_and_each_realises_its_own_difference(
    group: GroupDesk, settings: Settings
) -> None:
    invoiced(group)
    assert group.events("settleIntercompany", settlement="S-1", **PAID) == ["intercompany.settled.v1"]
    lender, borrower = balances(group, LENDER), balances(group, BORROWER)
    assert (lender["IC_AR"], borrower["IC_AP"]) == (Decimal(0), Decimal(0))
    assert (lender["CASH"], lender["FX_REALISED"]) == (Decimal(800), Decimal(160))  # 1,200 USD at 1.5, owed at 960
    assert (borrower["CASH"], borrower.get("FX_REALISED")) == (Decimal(-1200), None)
    assert group.ask(INVOICES)["nodes"] == [
        {"number": NUMBER, "gross": "1200.00", "settled": "1200.00", "open": "0.00"}
    ]
    assert offenders(group, settings) == []


def test_the_proof_finds_a_balance_between_entities_that_no_invoice_explains(
    group: GroupDesk, settings: Settings
) -> None:
    invoiced(group)
    group.events("settleIntercompany", settlement="S-1", **PAID)
    plant(group, settings, "UPDATE intercompany_invoice SET settled = settled - 1")
    assert offenders(group, settings) == [
        "owed between entities: GBPM IC_AR USPM USD posted 0.00, the register says 1.00",
        "owed between entities: USPM IC_AP GBPM USD posted 0.00, the register says -1.00",
    ]


def test_an_invoice_is_paid_in_parts_and_never_beyond_what_is_open(group: GroupDesk, settings: Settings) -> None:
    invoiced(group)
    part = {"settlement": "S-1", **PAID, "numbers": [NUMBER], "amount": {"amount": "500", "currency": "USD"}}
    assert group.events("settleIntercompany", **part) == ["intercompany.settled.v1"]
    assert group.events("settleIntercompany", **part) == []
    (balance,) = group.ask(BALANCES)["nodes"]
    assert balance == {"gross": "1200.00", "settled": "500.00", "open": "700.00"}
    assert balances(group, LENDER)["IC_AR"] == 560  # 700 of 1,200 USD at 960 GBP
    above = {**part, "settlement": "S-2", "amount": {"amount": "700.01", "currency": "USD"}}
    assert group.refusals("settleIntercompany", **above) == ["intercompany.settled_above_open"]
    assert offenders(group, settings) == []
    group.events("settleIntercompany", settlement="S-2", **PAID)
    assert balances(group, LENDER)["IC_AR"] == 0
    assert group.refusals("settleIntercompany", settlement="S-3", **PAID) == ["intercompany.nothing_to_settle"]


def test_what_was_taken_back_is_paid_with_the_rest_in_one_sum(group: GroupDesk, settings: Settings) -> None:
    group.events("stateAgreement", **AGREED)
    week = group.world.deliver("1", "8")
    group.events("runIntercompany", period="2026-03")
    group.world.correct(week, "1", "6")
    group.events("runIntercompany", period="2026-03")
    group.world.tell(
        fx_stream("GBP", "USD"), PublishFxRate("GBP", "USD", date(2026, 4, 15), Decimal("1.25"), "treasury")
    )
    group.events("settleIntercompany", settlement="S-1", **PAID)
    assert balances(group, BORROWER)["CASH"] == -720
    assert offenders(group, settings) == []


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"numbers": ["IC-GBPM-USPM-0009"]}, "intercompany.unknown_invoice"),
        ({"currency": "GBP"}, "intercompany.nothing_to_settle"),
        ({"numbers": [NUMBER], "amount": {"amount": "5", "currency": "GBP"}}, "money.mixed_currencies"),
        ({"paidOn": "2026-06-15"}, "fx_rate.missing"),
    ],
)
def test_what_cannot_be_paid_is_refused(group: GroupDesk, asked: dict[str, Any], code: str) -> None:
    invoiced(group)
    (refused,) = group.refusals("settleIntercompany", settlement="S-1", **{**PAID, **asked})
    assert refused == code


def test_a_settlement_is_not_recorded_twice_with_other_values(group: GroupDesk) -> None:
    invoiced(group)
    group.events("settleIntercompany", settlement="S-1", **PAID)
    other = {**PAID, "paidOn": "2026-04-16"}
    assert group.refusals("settleIntercompany", settlement="S-1", **other) == [
        "intercompany.settlement_known_otherwise"
    ]


def crossed(group: GroupDesk, hours: str = "8") -> Any:
    """The Data practice of the British entity works on a project that its Cloud practice runs."""
    terms = ResourceTerms(
        NEW_YEAR, "Manager", BORROWER, "Austin", "Cloud", Money(Decimal(90), "USD"), Decimal(40), NINE
    )
    group.world.tell(stream_of("resource", "W-5"), DescribeResource("W-5", terms))
    data = ResourceTerms(NEW_YEAR, "Senior", BORROWER, "Austin", "Data", Money(Decimal(70), "USD"), Decimal(40), NINE)
    group.world.tell(stream_of("resource", "W-6"), DescribeResource("W-6", data))
    project = CreateProject("P-9", "E-9", "Phase 2", "L1", BORROWER, NEW_YEAR, manager="W-5")
    group.world.tell(stream_of("project", "P-9"), project)
    charged = {"lender": f"{BORROWER}/Data", "borrower": f"{BORROWER}/Cloud", "parameter": "100"}
    group.events("stateAgreement", **{**AGREED, **charged})
    week = timesheet_stream("W-6", MONDAY)
    log(group, week, hours)
    return week


def log(group: GroupDesk, week: Any, hours: str, later: int = 0) -> None:
    said_at = NINE + timedelta(hours=later)
    work = Work("P-9", None, MONDAY, Decimal(hours), started="09:00:00")
    group.world.tell(week, LogTime("W-6", Claim("jira", "70", said_at), work))
    group.world.tell(week, ApproveTime(("jira:70",), "W-1", said_at + timedelta(minutes=1)))


def between_practices(group: GroupDesk) -> dict[tuple[str, str], Decimal]:
    query = "journal(first: 200) { nodes { account counterparty functional } }"
    sums: dict[tuple[str, str], Decimal] = {}
    for each in group.ask(query)["nodes"]:
        if "/" in each["counterparty"]:
            key = (each["account"], each["counterparty"])
            sums[key] = sums.get(key, Decimal(0)) + Decimal(each["functional"])
    return sums


def test_practices_of_one_entity_charge_each_other_in_the_journal_without_an_invoice(
    group: GroupDesk, settings: Settings
) -> None:
    week = crossed(group)
    data, cloud = f"{BORROWER}/Data", f"{BORROWER}/Cloud"
    assert between_practices(group) == {("COST_IC", data): 800, ("REVENUE_IC", cloud): -800}
    log(group, week, "6", later=2)
    assert between_practices(group) == {("COST_IC", data): 600, ("REVENUE_IC", cloud): -600}
    group.events("stateAgreement", **{**AGREED, "lender": data, "borrower": cloud, "parameter": "110"})
    assert between_practices(group) == {("COST_IC", data): 660, ("REVENUE_IC", cloud): -660}
    assert group.ask(INVOICES)["nodes"] == []
    assert offenders(group, settings) == []


def test_the_proof_finds_a_cross_charge_that_is_not_the_transfer_price(group: GroupDesk, settings: Settings) -> None:
    crossed(group)
    plant(group, settings, "UPDATE transfer SET value = value + 1 WHERE crossing")
    assert offenders(group, settings) == [
        f"cross-charges: {BORROWER}/Data to {BORROWER}/Cloud posted 800.00, charged 801.00 USD"
    ]


def test_the_margin_of_the_group_is_that_of_the_journal_whatever_is_charged_within(group: GroupDesk) -> None:
    invoiced(group)
    crossed(group)
    group.events("settleIntercompany", settlement="S-1", **PAID)
    margin = group.ask(MARGIN)
    lender, borrower = margin["entities"]
    names = ("revenue", "intercompanyRevenue", "cost", "intercompanyCost", "margin")
    assert [Decimal(lender[name]) for name in names] == [0, 960, 880, 0, 80]
    assert [Decimal(borrower[name]) for name in names] == [3600, 0, 560, 1200, 1840]  # 18 h at 200; 8 h at 70
    assert [Decimal(margin[name]) for name in ("revenue", "cost", "margin")] == [3600, 1660, 1940]
    assert [Decimal(each["amount"]) for each in margin["eliminations"]] == [1200]
    books = balances(group, BORROWER)
    assert Decimal(borrower["revenue"]) == -sum(amount for name, amount in books.items() if name == "REVENUE_TM")


def test_a_closed_month_differs_by_account_by_what_came_later_and_each_fact_says_what_it_changed(
    group: GroupDesk,
) -> None:
    march: dict[str, Any] = {"entity": BORROWER, "period": "2026-03"}
    group.world.deliver("1", "8")
    group.events("openPeriod", Role.FINANCE_PREPARER, **march)
    group.events("closePeriod", **march)
    assert [each["change"] for each in group.ask(DIFFERENCE)["accounts"]] == ["0.00", "0.00"]
    group.world.deliver("2", "2", day=1)
    week = group.world.deliver("3", "1", day=2)
    group.world.correct(week, "3", "3", day=2)
    found = group.ask(DIFFERENCE)
    accounts = {
        each["account"]: [Decimal(each[name]) for name in ("asClosed", "asKnown", "change")]
        for each in found["accounts"]
    }
    assert accounts == {"CONTRACT_ASSET": [1600, 2600, 1000], "REVENUE_TM": [-1600, -2600, -1000]}
    moved: list[Any] = [
        (each["because"], {part["account"]: Decimal(part["change"]) for part in each["accounts"]})
        for each in found["entries"]
    ]
    assert moved == [
        ("revenue is recognised", {"CONTRACT_ASSET": 400, "REVENUE_TM": -400}),
        ("revenue is recognised", {"CONTRACT_ASSET": 200, "REVENUE_TM": -200}),
        ("work is reversed", {"CONTRACT_ASSET": -200, "REVENUE_TM": 200}),
        ("revenue is recognised", {"CONTRACT_ASSET": 600, "REVENUE_TM": -600}),
    ]
    assert found["entryCount"] == 4
    assert {(each["trueOn"][:7], each["effectiveOn"]) for each in found["entries"]} == {("2026-03", "2026-04-01")}
    assert all(each["fact"]["sentence"] for each in found["entries"])
    for account, (*_, change) in accounts.items():
        assert change == sum(amounts[account] for _, amounts in moved)
