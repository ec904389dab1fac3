from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.money import Money
from domain.reference.identifier import AssignIdentifier, ExternalRef
from domain.reference.legal_entity import Address, DefineLegalEntity, LegalEntityTerms
from domain.reference.resource import DescribeResource, ResourceTerms
from tests.adapters.inbox.office import Office
from tests.adapters.vendors.payloads import ANNA, NINE, Letter, company, worker
from tests.adapters.vendors.reading import commands, intakes, mail, problem


def test_a_worker_is_a_resource_with_its_terms_from_a_day_on_and_all_its_names() -> None:
    asked = commands(worker())
    assert asked[0].stream == "resource:W-1"
    assert asked[0].command == DescribeResource(
        "W-1",
        ResourceTerms(
            effective_from=date(2026, 1, 1),
            role="Senior",
            legal_entity="DE01",
            location="Berlin",
            practice="Data",
            cost_rate=Money(Decimal("62.50"), "EUR"),
            capacity_hours_per_week=Decimal(40),
            stated_at=NINE - timedelta(days=90),
        ),
    )
    assert [each.command for each in asked[1:]] == [
        AssignIdentifier(ExternalRef("workday", "worker", "wid-W-1"), "W-1"),
        AssignIdentifier(ExternalRef("workday", "employee", "W-1"), "W-1"),
        AssignIdentifier(ExternalRef("jira", "user", ANNA), "W-1"),
    ]


def test_a_company_is_a_legal_entity_with_its_terms_from_a_day_on() -> None:
    asked = commands(company())
    assert asked[0].command == DefineLegalEntity(
        "DE01",
        LegalEntityTerms(
            effective_from=date(2020, 1, 1),
            name="Firm GmbH",
            address=Address("Linden 1", "Berlin", "10117", "DE"),
            functional_currency="EUR",
            time_zone="Europe/Berlin",
            tax_id="DE123456789",
            number_prefix="DE01",
            approval_limit=Money(Decimal(25_000), "EUR"),
            region="EMEA",
            payment_terms_days=30,
        ),
    )
    assert asked[1].command == AssignIdentifier(ExternalRef("workday", "company", "wid-DE01"), "DE01")


def test_the_region_of_a_companys_address_is_its_state_because_tax_may_depend_on_it() -> None:
    body = company().body
    body["Address"] |= {"Country_ISO_Code": "IN", "Country_Region_ISO_Code": "KA"}
    [asked, *_] = commands(Letter("p2c.in.workday.company.updated", body))
    assert asked.command.terms.address.state == "KA"


def test_corrections_of_the_past_and_plans_for_the_future_find_their_place_in_any_order() -> None:
    letters = [
        worker(rate="60", effective="2026-01-01", entered=NINE),
        worker(rate="61", effective="2026-01-01", entered=NINE + timedelta(days=1)),
        worker(rate="70", effective="2027-01-01", entered=NINE),
        worker(rate="55", effective="2025-06-01", entered=NINE + timedelta(days=2)),
    ]
    for order in (letters, letters[::-1]):
        office = Office()
        office.deliver(*order)
        rates = [office.state("resource:W-1").on(day).cost_rate.amount for day in _DAYS]
        assert rates == [55, 61, 70]


_DAYS = (date(2025, 7, 1), date(2026, 7, 1), date(2027, 7, 1))


def test_of_two_rows_about_a_company_on_one_day_the_one_entered_last_counts_in_any_order() -> None:
    letters = [company(name="Old GmbH"), company(name="New GmbH", entered=NINE)]
    for order in (letters, letters[::-1]):
        office = Office()
        office.deliver_one_by_one(order)
        assert office.state("legal_entity:DE01").on(date(2026, 1, 1)).name == "New GmbH"


def test_a_row_read_again_is_the_same_message_and_a_changed_one_is_another() -> None:
    assert mail(worker()).message_id == mail(worker()).message_id
    assert mail(worker()).message_id != mail(worker(rate="63")).message_id


def test_a_report_holds_many_rows() -> None:
    report = {"Report_Entry": [worker("W-1").body, worker("W-2", None).body]}
    told = intakes(Letter("p2c.in.workday.worker.updated", report))
    assert [each.source.id for each in told] == ["wid-W-1", "wid-W-2"]


def test_a_date_with_the_tenants_offset_behind_it_is_that_date() -> None:
    [asked, *_] = commands(worker(effective="2026-01-01-08:00"))
    assert asked.command.terms.effective_from == date(2026, 1, 1)


@pytest.mark.parametrize("amount", [62.5, "62.50", 62])
def test_an_amount_may_be_text_or_number(amount: Any) -> None:
    body = worker().body
    body["Cost_Rate"]["Amount"] = amount
    [asked, *_] = commands(Letter("p2c.in.workday.worker.updated", body))
    assert asked.command.terms.cost_rate.amount == Decimal(str(amount))


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("Effective_Date", "soon"),
        ("Effective_Date", "9999-12-31"),
        ("Entry_Moment", "2026-01-01T00:00:00"),
        ("Cost_Rate", {"Amount": "much", "Currency": "EUR"}),
        ("Cost_Rate", {"Amount": "NaN", "Currency": "EUR"}),
        ("Cost_Rate", {"Amount": "1e40", "Currency": "EUR"}),
        ("Worker", {"WID": "1"}),
        ("Worker", {"WID": "1", "Employee_ID": "W:1"}),
        ("Other_IDs", {"Type": "x"}),
        ("Job_Profile", ""),
    ],
)
def test_a_field_of_the_wrong_type_is_named(part: str, value: Any) -> None:
    body = worker().body
    body[part] = value
    code, detail = problem(Letter("p2c.in.workday.worker.updated", body))
    assert code == "message.wrong_type"
    assert part.partition("_")[0] in detail or "Employee_ID" in detail


def test_an_account_that_stands_for_somebody_else_is_refused_and_says_so() -> None:
    office = Office()
    office.deliver(worker("W-1", ANNA))
    other = worker("W-2", ANNA)
    office.deliver(other)
    assert office.fate(other) == ("refused", "identifier.taken")
    assert "W-1" in office.problem("refused", "workday", "worker", "wid-W-2").message


def test_a_cost_rate_in_another_currency_than_the_employers_is_refused_until_it_is_corrected() -> None:
    office = Office()
    office.deliver(company())
    dollars = worker(currency="USD")
    office.deliver(dollars)
    assert office.fate(dollars) == ("refused", "cost_rate.currency_differs")
    item = office.problem("refused", "workday", "worker", "wid-W-1")
    assert "62.50 USD at DE01, which keeps its books in EUR" in item.message
    assert "in the HR system" in item.what_to_do
    office.deliver(worker(entered=NINE))
    assert office.state("resource:W-1").on(NINE.date()).cost_rate == Money(Decimal("62.50"), "EUR")
    assert not office.exception("refused", "workday", "worker", "wid-W-1").is_open


def test_an_employer_that_changes_its_currency_has_costs_in_the_new_one_from_that_day_on() -> None:
    office = Office()
    dollars = Letter("p2c.in.workday.company.updated", {**company(effective="2026-03-01").body, "Currency": "USD"})
    office.deliver(company(), dollars)
    early, late = worker(currency="USD", effective="2026-02-28"), worker(currency="USD", effective="2026-03-01")
    office.deliver(early)
    office.deliver(late)
    assert [office.fate(each)[0] for each in (early, late)] == ["refused", "recorded"]


def test_a_negative_cost_and_an_unknown_zone_are_refused() -> None:
    office = Office()
    cheap = worker(rate="-1")
    body = company().body
    nowhere = Letter("p2c.in.workday.company.updated", {**body, "Time_Zone": "Europe/Atlantis"})
    office.deliver(cheap, nowhere)
    assert office.fate(cheap) == ("refused", "resource.negative_cost_rate")
    assert office.fate(nowhere) == ("refused", "legal_entity.unknown_time_zone")
