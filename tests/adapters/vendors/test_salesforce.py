from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import orjson
import pytest

from adapters.vendors.salesforce.record import record_id
from domain.contract import ContractLine, FixedFeeMilestones, Milestone, TimeAndMaterials, Uplift
from domain.engagement import ClaimBilling, OpenEngagement
from domain.kernel import Addressed, Cause, StreamId
from domain.money import Money
from domain.opportunity import TellOpportunity
from domain.processes.provisioning import engagement_id
from domain.reference.customer import DescribeCustomer
from domain.reference.identifier import AssignIdentifier, ExternalRef, identifier_stream
from domain.statements import value
from tests.adapters.inbox.office import Office
from tests.adapters.vendors.payloads import (
    ACCOUNT,
    ACCOUNT_FIELDS,
    DEAL,
    LINE,
    NINE,
    WON_DEAL,
    Letter,
    change,
    ms,
    row,
)
from tests.adapters.vendors.reading import command, commands, intake, intakes, mail, problem

ACCOUNT_REF = ExternalRef("salesforce", "account", ACCOUNT)
DEAL_REF = ExternalRef("salesforce", "opportunity", DEAL)
DEAL_STREAM = StreamId(f"opportunity:salesforce:{DEAL}")
ENGAGEMENT = StreamId(f"engagement:{engagement_id(DEAL_STREAM)}")
SOON = NINE + timedelta(microseconds=1)
"""The clock of a change: its transaction's time, and its place in the transaction."""


# -- deals -----------------------------------------------------------------------------------------------------------


def test_a_won_deal_waits_for_its_account_and_tells_what_an_engagement_needs() -> None:
    won = change("Opportunity", DEAL, WON_DEAL)
    assert intake(won).needs == (ACCOUNT_REF,)
    [asked] = commands(won, {ACCOUNT_REF: "C-1"})
    assert asked.stream == DEAL_STREAM
    assert asked.command == TellOpportunity(
        DEAL,
        {
            "title": "Data platform",
            "customer": "C-1",
            "selling_entity": "DE01",
            "currency": "EUR",
            "closes_on": "2026-01-05",
            "won": "true",
            "purchase_order_required": "false",
        },
        SOON,
    )


def test_null_in_a_change_means_unchanged_unless_the_header_lists_the_field() -> None:
    untouched = dict.fromkeys(WON_DEAL)
    told = change("Opportunity", DEAL, {**untouched, "Name": "New name"}, nulled=("Selling_Entity__c",))
    assert intake(told).needs == ()
    assert command(told).told == {"title": "New name", "selling_entity": None}


def test_null_in_a_row_means_empty() -> None:
    told = row("Opportunity", DEAL, {"Name": "New name", "Selling_Entity__c": None, "CloseDate": None})
    assert command(told).told == {"title": "New name", "selling_entity": None, "closes_on": None}


def test_a_day_is_midnight_in_utc_in_a_change_and_text_in_a_row() -> None:
    in_change = change("Opportunity", DEAL, {"CloseDate": 1_653_955_200_000})
    in_row = row("Opportunity", DEAL, {"CloseDate": "2022-05-31"})
    assert command(in_change).told == command(in_row).told == {"closes_on": "2022-05-31"}


@pytest.mark.parametrize(
    ("fields", "won"),
    [
        ({"StageName": "Closed Won"}, "true"),
        ({"StageName": "Closed Won", "IsWon": False}, "false"),
        ({"StageName": "Signed", "IsWon": True}, "true"),
        ({"IsWon": False}, "false"),
    ],
)
def test_a_deal_is_won_when_salesforce_says_so_or_its_stage_is_the_standard_one(
    fields: dict[str, Any], won: str
) -> None:
    assert command(change("Opportunity", DEAL, fields)).told == {"won": won}


def test_another_stage_says_nothing_about_winning() -> None:
    assert command(change("Opportunity", DEAL, {"StageName": "Negotiation"})).told == {}


def test_one_change_of_many_records_is_one_statement_each() -> None:
    deals = [DEAL, "006000000000002AAA", "006000000000003AAA"]
    told = intakes(change("Opportunity", deals, {"StageName": "Closed Won"}))
    assert [each.source.id for each in told] == deals
    assert (
        mail(change("Opportunity", deals, {}, transaction="t-1", sequence=4)).business_id == f"t-1/4/{','.join(deals)}"
    )


def test_two_changes_of_one_transaction_have_their_order() -> None:
    first, second = (change("Opportunity", DEAL, {"Name": str(n)}, sequence=n) for n in (1, 2))
    assert intake(first).revision < intake(second).revision


def test_a_short_id_and_its_long_form_are_the_same_record() -> None:
    assert record_id("0015f00002JUXA8", "Id") == "0015f00002JUXA8AAP"
    assert intake(row("Account", ACCOUNT[:15], {"Name": "x"})).source == ACCOUNT_REF


@pytest.mark.parametrize("bad", ["", "001", "001'; DROP", "0" * 16, "ä" * 18])
def test_what_is_no_id_is_named(bad: str) -> None:
    assert problem(row("Account", bad, {"Name": "x"}))[0] == "message.wrong_type"


def test_a_gap_asks_for_the_record_to_be_read_again_and_the_row_settles_it() -> None:
    office = Office()
    gap = change("Account", ACCOUNT, {}, kind="GAP_UPDATE")
    office.deliver(gap)
    assert office.fate(gap) == ("refused", "salesforce.gap")
    assert "publish it as a row" in office.problem("refused", "salesforce", "account", ACCOUNT).what_to_do
    office.deliver(row("Account", ACCOUNT, {"Name": "Acme"}, at=NINE + timedelta(hours=1)))
    assert not office.exception("refused", "salesforce", "account", ACCOUNT).is_open


def test_an_unknown_currency_is_refused_before_an_engagement_is_opened_in_it() -> None:
    office = Office()
    office.deliver(change("Account", ACCOUNT, ACCOUNT_FIELDS))
    told = change("Opportunity", DEAL, {**WON_DEAL, "CurrencyIsoCode": "EURO"})
    office.deliver(told)
    assert office.fate(told) == ("refused", "money.unknown_currency")
    assert office.problem("refused", "salesforce", "opportunity", DEAL).customer == f"C-{ACCOUNT}"


def test_a_deleted_deal_is_not_won_and_one_that_is_an_engagement_is_for_a_person() -> None:
    office = Office()
    office.deliver(change("Opportunity", DEAL, {}, kind="DELETE"))
    assert value(office.state(DEAL_STREAM).fields, "won") == "false"
    assign = AssignIdentifier(DEAL_REF, "E-1")
    office.ledger.execute([Addressed(identifier_stream(DEAL_REF), assign)], Cause("user:t", "1"))
    again = change("Opportunity", DEAL, {}, kind="DELETE", at=NINE + timedelta(hours=1))
    office.deliver(again)
    assert office.fate(again) == ("refused", "salesforce.deal_deleted")


def test_records_that_the_ledger_does_not_keep_are_not_for_it() -> None:
    assert intakes(Letter("p2c.in.salesforce.contact.changed", change("Contact", ACCOUNT, {}).body)) == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"Name": 5}, "Name"),
        ({"IsWon": "yes"}, "IsWon"),
        ({"CloseDate": "someday"}, "CloseDate"),
        ({"CloseDate": 10**18}, "CloseDate"),
        ({"AccountId": "x"}, "AccountId"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(fields: dict[str, Any], named: str) -> None:
    code, detail = problem(change("Opportunity", DEAL, fields))
    assert code == "message.wrong_type"
    assert named in detail


# -- customers -------------------------------------------------------------------------------------------------------


def test_an_account_is_a_customer_under_a_name_made_from_its_id() -> None:
    described, named = commands(change("Account", ACCOUNT, ACCOUNT_FIELDS))
    assert described.command == DescribeCustomer(
        f"C-{ACCOUNT}",
        {
            "name": "Acme",
            "street": "1 Rue A",
            "city": "Paris",
            "postal_code": "75001",
            "country": "FR",
            "tax_id": "FR123",
            "payment_terms_days": "45",
        },
        SOON,
    )
    assert named.command == AssignIdentifier(ACCOUNT_REF, f"C-{ACCOUNT}")


def test_one_part_of_an_address_may_change_alone() -> None:
    nested = {"Street": "2 Rue B", "City": None, "State": None, "PostalCode": None, "Country": None}
    assert command(change("Account", ACCOUNT, {"BillingAddress": nested})).told == {"street": "2 Rue B"}
    assert command(change("Account", ACCOUNT, {"BillingCity": "Lyon"})).told == {"city": "Lyon"}
    assert command(change("Account", ACCOUNT, {}, nulled=("BillingAddress.City",))).told == {"city": None}


def test_the_address_of_a_row_is_the_whole_address() -> None:
    told = row("Account", ACCOUNT, {"BillingAddress": {"street": "3 Rue C", "city": "Nice", "countryCode": "FR"}})
    assert command(told).told == {"street": "3 Rue C", "city": "Nice", "postal_code": None, "country": "FR"}
    flat = row("Account", ACCOUNT, {"BillingStreet": "3 Rue C", "BillingCity": None, "ParentId": "001000000000009AAA"})
    assert command(flat).told == {"street": "3 Rue C", "city": None, "parent": "C-001000000000009AAA"}


@pytest.mark.parametrize("country", ["Frankreich", "UK", "EL", "fr"])
def test_a_country_without_its_code_is_refused_because_tax_depends_on_it(country: str) -> None:
    office = Office()
    told = row("Account", ACCOUNT, {"BillingCountry": country})
    office.deliver(told)
    assert office.fate(told) == ("refused", "salesforce.unknown_country")


# -- lines -----------------------------------------------------------------------------------------------------------

FULL_LINE = {
    "OpportunityId": DEAL,
    "Name": "Build",
    "TotalPrice": 120_000.0,
    "Billing_Method__c": "T&M",
    "Cap__c": 100_000.5,
    "Cap_Policy__c": "whole_item",
    "Overtime_Multiplier__c": 1.5,
    "Line_Code__c": "L1",
}


def engaged() -> Office:
    """A deal that has become an engagement, as the provisioning process does it."""
    office = Office()
    engagement = ENGAGEMENT.partition(":")[2]
    opened = OpenEngagement(engagement, "Data platform", "C-1", "DE01", "EUR", opportunity=DEAL)
    named = AssignIdentifier(DEAL_REF, engagement)
    office.ledger.execute(
        [Addressed(ENGAGEMENT, opened), Addressed(identifier_stream(DEAL_REF), named)], Cause("process:p", "1")
    )
    return office


def lines(office: Office) -> dict[str, ContractLine]:
    found: dict[str, ContractLine] = office.state(ENGAGEMENT).lines
    return found


def test_a_line_waits_until_its_deal_is_an_engagement() -> None:
    assert intake(change("OpportunityLineItem", LINE, FULL_LINE)).needs == (DEAL_REF,)


def test_a_line_is_a_contract_line_by_the_hour_up_to_its_cap() -> None:
    office = engaged()
    office.deliver(change("OpportunityLineItem", LINE, FULL_LINE, kind="CREATE"))
    assert lines(office) == {
        "L1": ContractLine(
            "L1",
            "Build",
            TimeAndMaterials(
                cap=Money(Decimal("100000.5"), "EUR"),
                cap_policy="whole_item",
                uplifts=(Uplift("overtime", Decimal("1.5")),),
            ),
        )
    }


def test_a_fixed_fee_line_lists_its_milestones_or_is_one_itself() -> None:
    office = engaged()
    listed = [
        {"id": "M1", "title": "Design", "amount": "20000.00"},
        {"id": "M2", "title": "Go", "amount": 5, "after": ["M1"]},
    ]
    fee = {**FULL_LINE, "Billing_Method__c": "Fixed Fee"}
    office.deliver(
        change("OpportunityLineItem", LINE, {**fee, "Milestones__c": orjson.dumps(listed).decode()}, kind="CREATE"),
        change("OpportunityLineItem", "00k000000000002AAA", {**fee, "Line_Code__c": "L2"}, kind="CREATE"),
    )
    project = f"P-{DEAL}"
    assert lines(office)["L1"].billing == FixedFeeMilestones(
        milestones=(
            Milestone("M1", "Design", Money(Decimal("20000.00"), "EUR"), f"{project}-L1"),
            Milestone("M2", "Go", Money(Decimal(5), "EUR"), f"{project}-L1", ("M1",)),
        )
    )
    assert lines(office)["L2"].billing == FixedFeeMilestones(
        milestones=(Milestone("L2-M1", "Build", Money(Decimal(120_000), "EUR"), f"{project}-L2"),)
    )


def test_partial_changes_of_a_line_come_to_the_same_line_in_any_order() -> None:
    hour = timedelta(hours=1)
    letters = [
        change("OpportunityLineItem", LINE, FULL_LINE, kind="CREATE"),
        change("OpportunityLineItem", LINE, {"Cap__c": 110_000}, at=NINE + hour),
        change("OpportunityLineItem", LINE, {"Cap__c": 90_000, "OpportunityId": DEAL}, at=NINE + 2 * hour),
        change("OpportunityLineItem", LINE, {"Name": "Build it"}, at=NINE + 3 * hour, nulled=("Cap_Policy__c",)),
    ]
    for order in permutations(letters):
        office = engaged()
        office.deliver_one_by_one(order)
        [line] = lines(office).values()
        assert line.title == "Build it"
        assert line.billing == TimeAndMaterials(
            cap=Money(Decimal(90_000), "EUR"), uplifts=(Uplift("overtime", Decimal("1.5")),)
        )
        assert office.ledger.waiting() == []


def test_a_cap_can_be_raised_after_the_line_is_billed_and_other_terms_cannot_change() -> None:
    office = engaged()
    office.deliver(change("OpportunityLineItem", LINE, FULL_LINE, kind="CREATE"))
    claim = ClaimBilling("I-1", "L1", Money(Decimal(500), "EUR"))
    office.ledger.execute([Addressed(ENGAGEMENT, claim)], Cause("user:t", "1"))
    raised = change("OpportunityLineItem", LINE, {"Cap__c": 150_000}, at=NINE + timedelta(hours=1))
    other = change("OpportunityLineItem", LINE, {"Overtime_Multiplier__c": 2}, at=NINE + timedelta(hours=2))
    office.deliver(raised, other)
    assert office.fate(raised) == ("recorded", None)
    billing = lines(office)["L1"].billing
    assert isinstance(billing, TimeAndMaterials)
    assert billing.cap == Money(Decimal(150_000), "EUR")
    assert office.fate(other) == ("refused", "engagement.line_is_billed")
    assert office.problem("refused", "salesforce", "opportunity-line-item", LINE).engagement == f"E-{DEAL}"


def test_a_line_without_a_billing_method_is_refused_until_it_has_one() -> None:
    office = engaged()
    bare = change("OpportunityLineItem", LINE, {**FULL_LINE, "Billing_Method__c": None}, kind="CREATE")
    office.deliver(bare)
    assert office.fate(bare) == ("refused", "salesforce.billing_method_unknown")
    office.deliver(row("OpportunityLineItem", LINE, FULL_LINE, at=NINE + timedelta(hours=1)))
    assert list(lines(office)) == ["L1"]
    assert not office.exception("refused", "salesforce", "opportunity-line-item", LINE).is_open


def test_a_deleted_line_is_for_a_person() -> None:
    office = engaged()
    gone = change("OpportunityLineItem", LINE, {"OpportunityId": DEAL}, kind="DELETE")
    office.deliver(gone)
    assert office.fate(gone) == ("refused", "salesforce.line_deleted")


def test_milestones_that_are_no_list_are_named() -> None:
    code, detail = problem(change("OpportunityLineItem", LINE, {**FULL_LINE, "Milestones__c": '{"id": "M1"}'}))
    assert (code, detail.partition(":")[0]) == ("message.wrong_type", "Milestones__c")


def test_the_clock_of_a_row_is_when_it_was_modified() -> None:
    told = row("Opportunity", DEAL, {"Name": "x"}, at=datetime(2026, 5, 1, 7, 25, 37, tzinfo=UTC))
    assert intake(told).said_at == datetime(2026, 5, 1, 7, 25, 37, tzinfo=UTC)
    assert date(2026, 5, 1) == intake(told).said_at.date()
    assert ms(NINE) == intake(change("Account", ACCOUNT, {})).said_at.timestamp() * 1000 // 1


@pytest.mark.parametrize("cap", ["1e40", "1e-999999"])
def test_a_cap_that_nobody_can_count_is_named(cap: str) -> None:
    code, detail = problem(change("OpportunityLineItem", "00k000000000001AAA", {"Cap__c": cap}))
    assert (code, detail.partition(":")[0]) == ("message.wrong_type", "Cap__c")
