"""Published cases of work between legal entities, through the services and questions that people use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.settings import Settings
from api.access import Role
from tests.api.asker import asking
from tests.api.group import BORROWER, LENDER, GroupDesk
from tests.cases.report import Record, published
from tests.drafting import draft_invoice

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


@pytest.fixture
def group(settings: Settings) -> Iterator[GroupDesk]:
    with asking(settings) as asker:
        yield GroupDesk(asker)


def number(value: Any) -> Any:
    return Decimal(str(value))


def first_of(told: str) -> Any:
    """The number in front of a currency."""
    return number(told.split(maxsplit=1)[0])


def test_h30_both_entities_and_the_group_earn_what_the_case_says(group: GroupDesk, case: Record) -> None:
    given, expected = published()["H30"]["inputs"], published()["H30"]["expected"]
    agreed = group.events("stateAgreement", **AGREED, model="fixed", parameter=str(given["transfer_usd"]))
    assert agreed == ["intercompany_agreement.stated.v1"]
    group.world.deliver("1", str(given["hours"]))
    made = group.events("runIntercompany", role=Role.FINANCE_PREPARER, period="2026-03")
    assert made == ["intercompany.invoiced.v1", "transfer.invoiced.v1"]

    (invoice,) = group.ask(INVOICES)["nodes"]
    assert (invoice["number"], invoice["lender"], invoice["borrower"]) == ("IC-GBPM-USPM-0001", LENDER, BORROWER)
    case("H30", "cost of the borrower, USD", first_of(expected["actuals"]["cost"]), number(invoice["borrowerCost"]))
    case(
        "H30",
        "sales between the entities, USD",
        first_of(expected["actuals"]["interorg_sales"]),
        number(invoice["net"]),
    )
    assert (invoice["lenderCurrency"], number(invoice["lenderRevenue"])) == ("GBP", 960)

    margin = group.ask(MARGIN)
    lender, borrower = (
        next(each for each in margin["entities"] if each["entity"] == name) for name in (LENDER, BORROWER)
    )
    case("H30", "unbilled sales, USD", first_of(expected["actuals"]["unbilled_sales"]), number(borrower["revenue"]))
    cost = first_of(expected["actuals"]["resourcing_unit_cost"])
    case("H30", "cost of the lender's people, GBP", cost, number(lender["cost"]))
    case("H30", "margin of USPM, USD", number(expected["margin"]["USPM_usd"]), number(borrower["margin"]))
    case("H30", "margin of GBPM, GBP", number(expected["margin"]["GBPM_gbp"]), number(lender["margin"]))
    case("H30", "margin of the group, USD", number(expected["margin"]["group_usd"]), number(margin["margin"]))
    assert margin["currency"] == "USD"
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


def test_h30_the_books_of_both_entities_say_what_the_case_posts(group: GroupDesk, case: Record) -> None:
    posted = published()["H30"]["postings"]
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
    for entity, entry, accounts in (
        (LENDER, "GBPM cost (GBP)", ("COST_LABOUR", "LABOUR_ABSORBED")),
        (LENDER, "GBPM IC invoice (GBP; 1,200 USD)", ("IC_AR", "REVENUE_IC")),
        (BORROWER, "USPM IC bill (USD)", ("COST_IC", "IC_AP")),
        (BORROWER, "USPM accrue (USD)", ("CONTRACT_ASSET", "REVENUE_TM")),
    ):
        for account, (_, amount) in zip(accounts, posted[entry], strict=True):
            case("H30", f"{entry}: {account}", number(amount), found[entity, account][0])
    assert {found[LENDER, account][1:] for account in ("IC_AR", "REVENUE_IC")} == {("GBP", BORROWER)}
    assert {found[BORROWER, account][1:] for account in ("COST_IC", "IC_AP")} == {("USD", LENDER)}


REPORTED = "trialBalance { accounts { entity account balance reporting } }"


def test_h30_the_customer_is_invoiced_and_what_the_entities_charged_each_other_is_eliminated(
    group: GroupDesk, case: Record
) -> None:
    posted = published()["H30"]["postings"]
    group.events("stateAgreement", **AGREED, model="fixed", parameter="120")
    world, week = group.world, group.world.deliver("1", "10")
    group.events("runIntercompany", period="2026-03")
    lots, day = world.lots(week), date(2026, 3, 31)
    world.record(draft_invoice(world.read, "I-1", "E-9", lots, cut_off=day, by="paul", strict=True))
    world.approve("I-1").issue("I-1", day)
    (entry,) = group.ask('journal(where: {invoice: "I-1", account: AR}) { nodes { entry } }')["nodes"]
    legs = group.ask(f'journal(where: {{entry: "{entry["entry"]}"}}) {{ nodes {{ account functional }} }}')["nodes"]
    amounts = {each["account"]: number(each["functional"]) for each in legs}
    case("H30", "USPM customer invoice (USD)", entry_of(posted["USPM customer invoice (USD)"]), amounts)

    (eliminated,) = group.ask(MARGIN)["eliminations"]
    taken_out = {"REVENUE_IC": number(eliminated["revenue"]), "COST_IC": -number(eliminated["cost"])}
    case("H30", "Elimination P&L (USD)", entry_of(posted["Elimination P&L (USD)"]), taken_out)
    owed = {
        each["account"]: -number(each["reporting"])
        for each in group.ask(REPORTED)["accounts"]
        if each["account"] in ("IC_AR", "IC_AP")
    }
    case("H30", "Elimination B/S (USD)", entry_of(posted["Elimination B/S (USD)"]), owed)


def entry_of(told: list[list[str]]) -> dict[str, Decimal]:
    """A published entry by the roles of its accounts."""
    words = {
        "AR": "AR",
        "Contract asset": "CONTRACT_ASSET",
        "IC revenue": "REVENUE_IC",
        "IC project cost": "COST_IC",
        "IC payable": "IC_AP",
        "IC receivable": "IC_AR",
    }
    return {words[name.split(" ", 1)[1]]: number(amount) for name, amount in told}


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
