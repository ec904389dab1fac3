"""Published cases of work between legal entities, through the services and questions that people use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.settings import Settings
from api.access import Role
from tests.api.asker import asking
from tests.api.group import BORROWER, LENDER, GroupDesk

FILE = Path(__file__).parents[3] / "shared" / "spec" / "cases.json"
AGREED: dict[str, Any] = {"lender": LENDER, "borrower": BORROWER, "effectiveFrom": "2026-01-01", "currency": "USD"}
BALANCES = "intercompanyBalances { nodes { lender borrower currency period net gross toInvoice toTakeBack } }"
INVOICES = (
    "intercompanyInvoices { nodes { number lender borrower period net tax gross lines lenderCurrency lenderRevenue"
    " lenderReceivable borrowerCurrency borrowerCost borrowerPayable } }"
)
MARGIN = (
    'groupMargin(firstPeriod: "2026-03") { currency revenue cost margin eliminationDifference'
    " entities { entity functionalCurrency revenue intercompanyRevenue cost intercompanyCost margin unconverted }"
    " eliminations { lender borrower amount revenue cost difference } }"
)


JOURNAL = (
    "journal(first: 100) { nodes { entity account counterparty amount currency functional functionalCurrency because"
    " effectiveOn trueOn rateId } }"
)


def case(name: str) -> dict[str, Any]:
    if not FILE.is_file():
        pytest.skip(f"the published cases are not beside this clone: {FILE}")
    found = next(each for each in json.loads(FILE.read_text(encoding="utf-8")) if each["id"] == name)
    return dict(found)


@pytest.fixture
def group(settings: Settings) -> Iterator[GroupDesk]:
    with asking(settings) as asker:
        yield GroupDesk(asker)


def number(value: Any) -> Any:
    return Decimal(str(value))


def test_h30_both_entities_and_the_group_earn_what_the_case_says(group: GroupDesk) -> None:
    told = case("H30")
    given, expected = told["inputs"], told["expected"]["margin"]
    agreed = group.events("stateAgreement", **AGREED, model="fixed", parameter=str(given["transfer_usd"]))
    assert agreed == ["intercompany_agreement.stated.v1"]
    group.world.deliver("1", str(given["hours"]))
    made = group.events("runIntercompany", role=Role.FINANCE_PREPARER, period="2026-03")
    assert made == ["intercompany.invoiced.v1", "transfer.invoiced.v1"]

    (invoice,) = group.ask(INVOICES)["nodes"]
    assert (invoice["number"], invoice["lender"], invoice["borrower"]) == ("IC-GBPM-USPM-0001", LENDER, BORROWER)
    assert (number(invoice["net"]), number(invoice["gross"])) == (1200, 1200)
    assert (invoice["lenderCurrency"], number(invoice["lenderRevenue"])) == ("GBP", 960)
    assert (invoice["borrowerCurrency"], number(invoice["borrowerCost"])) == ("USD", 1200)

    margin = group.ask(MARGIN)
    by_entity = {each["entity"]: each for each in margin["entities"]}
    assert number(by_entity[BORROWER]["margin"]) == expected["USPM_usd"]
    assert number(by_entity[LENDER]["margin"]) == expected["GBPM_gbp"]
    assert (margin["currency"], number(margin["margin"])) == ("USD", expected["group_usd"])
    assert number(by_entity[LENDER]["cost"]) == 880
    assert number(by_entity[LENDER]["intercompanyRevenue"]) == 960
    assert (number(margin["revenue"]), number(margin["cost"])) == (2000, 1100)
    (eliminated,) = margin["eliminations"]
    assert (number(eliminated["amount"]), number(eliminated["difference"])) == (1200, 0)
    assert number(margin["eliminationDifference"]) == 0


@pytest.mark.parametrize(
    ("model", "parameter", "price"),
    [
        ("fixed", "120", "120"),
        ("cost_plus_amount", "15", "125"),  # 88 GBP are 110 USD
        ("cost_plus_percent", "10", "121"),
        ("percent_of_sales", "60", "120"),
        ("sales_minus_amount", "70", "130"),
        ("contribution_ratio", "20", "137.5"),
    ],
)
def test_each_model_says_what_is_charged(group: GroupDesk, model: str, parameter: str, price: str) -> None:
    group.events("stateAgreement", **AGREED, model=model, parameter=parameter)
    group.world.deliver("1", "8")
    (balance,) = group.ask(BALANCES)["nodes"]
    assert number(balance["toInvoice"]) == number(price) * 8


def test_a_correction_takes_both_sides_back_on_the_next_invoice_and_a_second_run_is_quiet(group: GroupDesk) -> None:
    group.events("stateAgreement", **AGREED, model="fixed", parameter="120")
    week = group.world.deliver("1", "8")
    group.world.deliver("2", "2", day=1)
    assert len(group.events("runIntercompany", period="2026-03")) == 2
    assert group.events("runIntercompany", period="2026-03") == []
    group.world.correct(week, "1", "6")
    (balance,) = group.ask(BALANCES)["nodes"]
    assert (number(balance["net"]), number(balance["toInvoice"]), number(balance["toTakeBack"])) == (1200, 720, 960)
    group.events("runIntercompany", period="2026-03")
    numbers = [(each["number"], number(each["net"]), each["lines"]) for each in group.ask(INVOICES)["nodes"]]
    assert numbers == [("IC-GBPM-USPM-0001", 1200, 2), ("IC-GBPM-USPM-0002", -240, 2)]
    (balance,) = group.ask(BALANCES)["nodes"]
    assert (number(balance["net"]), number(balance["toInvoice"]), number(balance["toTakeBack"])) == (960, 0, 0)


def test_a_changed_agreement_touches_only_what_is_not_invoiced_between_the_entities(group: GroupDesk) -> None:
    group.events("stateAgreement", **AGREED, model="fixed", parameter="120")
    group.world.deliver("1", "8")
    group.events("runIntercompany", period="2026-03")
    group.world.deliver("2", "2", day=1)
    assert group.events("stateAgreement", **AGREED, model="fixed", parameter="130")
    (balance,) = group.ask(BALANCES)["nodes"]
    assert (number(balance["net"]), number(balance["toInvoice"])) == (960, 260)


def test_work_without_an_agreement_lacks_a_price_until_there_is_one(group: GroupDesk) -> None:
    stream = group.world.deliver("1", "8")
    (held,) = group.world.read(stream).lots.values()
    assert held.lot.transfer_gap.code == "INTERCOMPANY_AGREEMENT_MISSING"
    by_role = [{"role": "Analyst", "parameter": "90"}]
    group.events("stateAgreement", **AGREED, model="fixed", byRole=by_role)
    (held,) = group.world.read(stream).lots.values()
    assert held.lot.transfer_gap.code == "TRANSFER_PRICE_MISSING"
    group.events("stateAgreement", **AGREED, model="fixed", byRole=[*by_role, {"role": "Senior", "parameter": "100"}])
    (held,) = group.world.read(stream).lots.values()
    assert (held.lot.transfer_gap, held.lot.transfer.value.amount) == (None, 800)


def test_the_lender_taxes_what_the_agreement_says(group: GroupDesk) -> None:
    tax: dict[str, Any] = {"taxCategory": "S", "taxPercent": "20"}
    group.events("stateAgreement", **AGREED, model="fixed", parameter="120", **tax)
    group.world.deliver("1", "10")
    group.events("runIntercompany", period="2026-03")
    (invoice,) = group.ask(INVOICES)["nodes"]
    assert [number(invoice[name]) for name in ("net", "tax", "gross")] == [1200, 240, 1440]
    assert [number(invoice[name]) for name in ("lenderReceivable", "borrowerPayable")] == [1152, 1440]


def test_h30_the_books_of_both_entities_say_what_the_case_posts(group: GroupDesk) -> None:
    case("H30")
    group.events("stateAgreement", **AGREED, model="fixed", parameter="120")
    group.world.deliver("1", "10")
    group.events("runIntercompany", period="2026-03")
    found = {
        (each["entity"], each["account"]): (
            number(each["functional"]),
            each["functionalCurrency"],
            each["counterparty"],
        )
        for each in group.ask(JOURNAL)["nodes"]
    }
    assert found[LENDER, "COST_LABOUR"][:2] == (880, "GBP")
    assert found[LENDER, "LABOUR_ABSORBED"][:2] == (-880, "GBP")
    assert found[LENDER, "IC_AR"] == (960, "GBP", BORROWER)
    assert found[LENDER, "REVENUE_IC"] == (-960, "GBP", BORROWER)
    assert found[BORROWER, "COST_IC"] == (1200, "USD", LENDER)
    assert found[BORROWER, "IC_AP"] == (-1200, "USD", LENDER)
    assert found[BORROWER, "CONTRACT_ASSET"][:2] == (2000, "USD")
    assert found[BORROWER, "REVENUE_TM"][:2] == (-2000, "USD")


def test_tax_between_entities_is_owed_by_one_and_recovered_by_the_other(group: GroupDesk) -> None:
    tax: dict[str, Any] = {"taxCategory": "S", "taxPercent": "20"}
    group.events("stateAgreement", **AGREED, model="fixed", parameter="120", **tax)
    group.world.deliver("1", "10")
    group.events("runIntercompany", period="2026-03")
    amounts = {(each["entity"], each["account"]): number(each["amount"]) for each in group.ask(JOURNAL)["nodes"]}
    assert (amounts[LENDER, "IC_AR"], amounts[LENDER, "TAX_OUT"]) == (1440, -240)
    assert (amounts[BORROWER, "IC_AP"], amounts[BORROWER, "TAX_IN"]) == (-1440, 240)


def test_late_work_is_posted_in_the_first_open_period_with_its_own_work_date(group: GroupDesk) -> None:
    for entity in (LENDER, BORROWER):
        group.events("openPeriod", entity=entity, period="2026-03")
        group.events("closePeriod", entity=entity, period="2026-03")
    group.world.deliver("1", "8")
    days = {(each["entity"], each["effectiveOn"], each["trueOn"]) for each in group.ask(JOURNAL)["nodes"]}
    assert days == {(entity, "2026-04-01", "2026-03-02") for entity in (LENDER, BORROWER)}
