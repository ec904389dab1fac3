"""What the packs that come with the ledger decide: rates by date, place of supply, states, exemptions, rounding."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given as holds_for
from hypothesis import strategies as st

from adapters.policy_packs.tax_packs import PackUnreadable, pack_of, read, shipped, told
from domain.invoice.totals import TaxedNet, document_totals
from domain.money import Money, total
from domain.reference import customer as customers
from domain.reference.customer import (
    Customer,
    DescribeCustomer,
    ExemptionCertificate,
    ExemptionRecorded,
    ExemptionWithdrawn,
    RecordExemption,
    RecordTaxIdCheck,
    TaxIdVerdict,
    WithdrawExemption,
)
from domain.reference.legal_entity import Address, LegalEntityTerms
from domain.reference.tax_pack import RoundingPolicy, TaxPack, TaxPackContradicts
from domain.reference.tax_rule import (
    PublishTaxPack,
    SetTaxRule,
    TaxPackPublished,
    TaxPackVersionChanged,
    TaxRule,
    TaxRules,
    TaxRuleSet,
    UnknownRuleCountry,
    decider,
)
from domain.tax import TaxDecision, TaxedAs, TaxGap, TaxTreatment, decide_tax, subtotals
from tests.spec import given

ON = date(2026, 3, 31)
COUNTRIES = {"DE", "FR", "NL", "GB", "IE", "US", "CA", "AU", "NZ", "JP", "CH", "SG", "IN"}
AT = datetime(2026, 1, 2, tzinfo=UTC)


@cache
def pack(country: str) -> TaxPack:
    found = pack_of(country)
    assert found is not None
    return found


def rules(country: str) -> TaxRules:
    return decider.fold([TaxPackPublished(pack(country))])


def seller(country: str, state: str = "") -> LegalEntityTerms:
    address = Address("Street 1", "City", "1000", country, state)
    limit = Money(Decimal(1000), "EUR")
    return LegalEntityTerms(date(2014, 1, 1), "Firm", address, "EUR", "Europe/Berlin", None, "X", limit, "EMEA")


def customer(country: str, **fields: str) -> Customer:
    described = {"name": "Acme", "street": "Street 2", "city": "Town", "country": country, **fields}
    return customers.decider.fold(customers.decide(DescribeCustomer("C-1", described, AT), Customer()))


def decided(country: str, buyer: Customer, on: date = ON, *, state: str = "", as_: str = "standard") -> object:
    """The treatments as (tax, category, rate), or what is missing."""
    found = decide_tax(seller(country, state), buyer, rules(country), on, taxed_as=TaxedAs.of(as_))
    if isinstance(found, TaxGap):
        return found.what_to_do
    return [(each.tax, each.category, str(each.rate)) for each in found.treatments]


@pytest.mark.parametrize(
    ("country", "on", "rate"),
    [
        ("DE", date(2020, 6, 30), "19"),
        ("DE", date(2020, 7, 1), "16"),
        ("DE", date(2020, 12, 31), "16"),
        ("DE", date(2021, 1, 1), "19"),
        ("IE", date(2020, 9, 1), "21"),
        ("IE", date(2021, 2, 28), "21"),
        ("IE", date(2021, 3, 1), "23"),
        ("FR", ON, "20"),
        ("NL", ON, "21"),
        ("GB", ON, "20"),
        ("CH", date(2023, 12, 31), "7.7"),
        ("CH", date(2024, 1, 1), "8.1"),
        ("JP", date(2019, 9, 30), "8"),
        ("JP", date(2019, 10, 1), "10"),
        ("SG", date(2022, 12, 31), "7"),
        ("SG", date(2023, 1, 1), "8"),
        ("SG", date(2024, 1, 1), "9"),
        ("AU", ON, "10"),
        ("NZ", ON, "15"),
    ],
)
def test_at_home_services_bear_the_standard_rate_of_the_day(country: str, on: date, rate: str) -> None:
    found = decide_tax(seller(country), customer(country), rules(country), on)
    assert isinstance(found, TaxDecision)
    assert [(each.category, str(each.rate)) for each in found.treatments] == [("S", rate)]


@pytest.mark.parametrize(
    ("country", "buyer", "expected"),
    [
        ("DE", customer("FR", tax_id="FR40303265045"), ("VAT", "AE", "0")),
        ("DE", customer("FR", tax_status="consumer"), ("VAT", "S", "19")),
        ("DE", customer("US"), ("VAT", "O", "0")),
        ("DE", customer("GB"), ("VAT", "O", "0")),
        ("DE", customer("BR", tax_status="consumer"), ("VAT", "O", "0")),
        ("IE", customer("DE", tax_id="DE136695976"), ("VAT", "AE", "0")),
        ("GB", customer("DE"), ("VAT", "O", "0")),
        ("CH", customer("LI"), ("VAT", "S", "8.1")),
        ("CH", customer("DE"), ("VAT", "O", "0")),
        ("JP", customer("US"), ("Consumption tax", "G", "0")),
        ("AU", customer("NZ"), ("GST", "G", "0")),
        ("NZ", customer("AU"), ("GST", "G", "0")),
        ("SG", customer("MY"), ("GST", "G", "0")),
        ("IN", customer("US"), ("IGST", "G", "0")),
        ("CA", customer("US"), ("GST", "G", "0")),
        ("US", customer("GB"), ("Sales tax", "O", "0")),
        ("US", customer("US", state="MA"), ("Sales tax", "O", "0")),
        ("US", customer("US", state="CT"), ("Sales tax", "S", "6.35")),
        ("CA", customer("CA", state="ON"), ("HST", "S", "13")),
        ("CA", customer("CA", state="NS"), ("HST", "S", "14")),
        ("CA", customer("CA", state="AB"), ("GST", "S", "5")),
        ("US", customer("US", state=" us-ct"), ("Sales tax", "S", "6.35")),
        ("US", customer("US", state="DC"), ("Sales tax", "O", "0")),
        ("DE", customer("MC", tax_id="FR40303265045"), ("VAT", "AE", "0")),
        ("FR", customer("MC"), ("VAT", "S", "20")),
        ("GB", customer("IM"), ("VAT", "S", "20")),
    ],
)
def test_services_are_taxed_where_the_rules_place_them(country: str, buyer: Customer, expected: object) -> None:
    assert decided(country, buyer) == [expected]


def test_until_2020_the_united_kingdom_was_a_member_on_both_sides() -> None:
    before, after = date(2020, 12, 31), date(2021, 1, 1)
    british = customer("GB", tax_id="GB980780684")
    assert [decided("DE", british, on) for on in (before, after)] == [[("VAT", "AE", "0")], [("VAT", "O", "0")]]
    german = customer("DE", tax_id="DE136695976")
    assert [decided("GB", german, on) for on in (before, after)] == [[("VAT", "AE", "0")], [("VAT", "O", "0")]]


def test_several_taxes_stand_on_one_line() -> None:
    assert decided("CA", customer("CA", state="QC")) == [("GST", "S", "5"), ("QST", "S", "9.975")]
    assert decided("IN", customer("IN", state="KA"), state="KA") == [("CGST", "S", "9"), ("SGST", "S", "9")]
    assert decided("IN", customer("IN", state="MH"), state="KA") == [("IGST", "S", "18")]
    found = decide_tax(seller("CA"), customer("CA", state="QC"), rules("CA"), ON)
    assert isinstance(found, TaxDecision)
    document = document_totals([TaxedNet(Money(Decimal(1000), "CAD"), found.treatments)], "CAD")
    assert [(each.name, str(each.tax.amount)) for each in document.taxes] == [("GST", "50.00"), ("QST", "99.75")]
    assert document.gross == Money(Decimal("1149.75"), "CAD")


@pytest.mark.parametrize(
    ("state", "as_", "on", "expected"),
    [
        ("BC", "legal", ON, [("GST", "S", "5"), ("PST", "S", "7")]),
        ("BC", "accounting", date(2026, 9, 30), [("GST", "S", "5")]),
        ("MB", "accounting", date(2019, 6, 30), [("GST", "S", "5"), ("RST", "S", "8")]),
        ("MB", "accounting", date(2019, 7, 1), [("GST", "S", "5"), ("RST", "S", "7")]),
        ("SK", "computer", date(2017, 3, 22), [("GST", "S", "5"), ("PST", "S", "5")]),
        ("SK", "computer", date(2017, 3, 23), [("GST", "S", "5"), ("PST", "S", "6")]),
        ("SK", "standard", ON, [("GST", "S", "5")]),
        ("ON", "legal", ON, [("HST", "S", "13")]),
        ("QC", "accounting", ON, [("GST", "S", "5"), ("QST", "S", "9.975")]),
        ("YT", "computer", ON, [("GST", "S", "5")]),
    ],
)
def test_provinces_tax_the_services_that_they_list(state: str, as_: str, on: date, expected: object) -> None:
    assert decided("CA", customer("CA", state=state), on, as_=as_) == expected


@pytest.mark.parametrize(("state", "as_", "on"), [("BC", "accounting", date(2026, 10, 1)), ("MB", "computer", ON)])
def test_services_whose_provincial_tax_is_not_certain_wait_for_a_rule(state: str, as_: str, on: date) -> None:
    assert f"State a tax rule of CA for {as_} services to CA-{state}" in str(
        decided("CA", customer("CA", state=state), on, as_=as_)
    )


@pytest.mark.parametrize(
    ("country", "buyer", "state", "as_", "words"),
    [
        ("DE", customer("FR"), "", "standard", "Record a valid tax id of Acme"),
        ("US", customer("US"), "", "standard", "Complete the state in the address of Acme"),
        ("CA", customer("CA"), "", "standard", "Complete the state in the address of Acme"),
        ("IN", customer("IN"), "KA", "standard", "Complete the state in the address of Acme"),
        ("IN", customer("IN", state="KA"), "", "standard", "Complete the state in the address of Firm"),
        ("US", customer("US", state="Connecticut"), "", "standard", "ISO 3166-2 code instead of 'Connecticut'"),
        ("IN", customer("IN", state="Karnataka"), "KA", "standard", "address of Acme by its ISO 3166-2 code"),
        ("IN", customer("IN", state="KA"), "Karnataka", "standard", "address of Firm by its ISO 3166-2 code"),
        ("US", customer("US", state="XX"), "", "standard", "State a tax rule of US for standard services to US-XX"),
        ("DE", customer("UK"), "", "standard", "Correct the country of Acme: ISO 3166-1 has no code UK"),
        ("US", customer("US", state="HI"), "", "standard", "State a tax rule of US for standard services to US-HI"),
        ("US", customer("US", state="NY"), "", "data_processing", "State a tax rule of US for data_processing"),
        ("DE", customer("DE"), "", "unheard_of", "State a tax rule of DE for unheard_of services to DE"),
    ],
)
def test_what_no_rule_decides_says_what_to_do(country: str, buyer: Customer, state: str, as_: str, words: str) -> None:
    assert words in str(decided(country, buyer, state=state, as_=as_))


def test_a_line_may_be_reduced_or_exempt_while_others_are_standard() -> None:
    assert decided("DE", customer("DE"), as_="reduced") == [("VAT", "S", "7")]
    assert decided("GB", customer("GB"), as_="Z") == [("VAT", "Z", "0")]
    found = decide_tax(seller("DE"), customer("DE"), rules("DE"), ON, taxed_as=TaxedAs.of("education"))
    assert isinstance(found, TaxDecision)
    assert (found.treatments[0].category, found.treatments[0].reason_code) == ("E", "VATEX-EU-132-1I")
    agreed = decide_tax(seller("DE"), customer("DE"), rules("DE"), ON, taxed_as=TaxedAs.of("E:VATEX-EU-132-1C"))
    assert isinstance(agreed, TaxDecision)
    assert agreed.treatments[0].reason_code == "VATEX-EU-132-1C"


def test_the_day_of_the_service_decides_where_the_pack_says_so() -> None:
    def rate(country: str, supplied: date, invoiced: date) -> Decimal:
        found = decide_tax(seller(country), customer(country), rules(country), invoiced, supplied_on=supplied)
        assert isinstance(found, TaxDecision)
        return found.treatments[0].rate

    december, january = date(2020, 12, 31), date(2021, 1, 10)
    assert rate("DE", december, january) == 16
    assert rate("SG", date(2023, 12, 31), date(2024, 1, 10)) == 9


def test_a_certificate_frees_from_tax_while_it_is_valid() -> None:
    certificate = ExemptionCertificate("X-1", "US-CT", date(2026, 1, 1), date(2026, 6, 30), "Charity", "")
    charity = customers.decider.evolve(customer("US", state="CT"), ExemptionRecorded(certificate))
    assert decided("US", charity) == [("Sales tax", "E", "0")]
    assert decided("US", charity, date(2026, 7, 1)) == [("Sales tax", "S", "6.35")]
    withdrawn = customers.decider.evolve(charity, ExemptionWithdrawn("X-1", "expired early"))
    assert decided("US", withdrawn) == [("Sales tax", "S", "6.35")]


def test_exemptions_are_recorded_once_and_withdrawn_by_name() -> None:
    certificate = ExemptionCertificate("X-1", "GB", date(2026, 1, 1), None, "Charity")
    recorded = ExemptionRecorded(certificate)
    given(customers.decider).when(RecordExemption(certificate)).then(recorded)
    given(customers.decider, recorded).when(RecordExemption(certificate)).stays_quiet()
    given(customers.decider).when(WithdrawExemption("X-1", "why")).refuses(customers.UnknownExemption)
    endless = replace(certificate, valid_to=date(2025, 1, 1))
    given(customers.decider).when(RecordExemption(endless)).refuses(customers.ExemptionWithoutReason)


def test_a_verdict_on_a_tax_id_is_recorded_once_and_is_about_that_id_only() -> None:
    wrong = TaxIdVerdict("DE1", "DE", False, "too short")
    given(customers.decider).when(RecordTaxIdCheck(wrong, AT), RecordTaxIdCheck(wrong, AT)).then_happens(
        customers.TaxIdChecked
    )
    state = (
        given(customers.decider)
        .when(DescribeCustomer("C-1", {"country": "DE", "tax_id": "DE1"}, AT), RecordTaxIdCheck(wrong, AT))
        .state
    )
    assert state.invalid_tax_id == wrong
    corrected = DescribeCustomer("C-1", {"tax_id": "DE136695976"}, AT.replace(day=3))
    [event] = customers.decide(corrected, state)
    assert customers.evolve(state, event).invalid_tax_id is None


def test_a_pack_is_published_once_and_a_version_never_changes() -> None:
    german = pack("DE")
    published = TaxPackPublished(german)
    given(decider).when(PublishTaxPack(german)).then(published)
    given(decider, published).when(PublishTaxPack(german)).stays_quiet()
    changed = replace(german, title="changed")
    given(decider, published).when(PublishTaxPack(changed)).refuses(TaxPackVersionChanged, "DE 2026.2")
    given(decider, published).when(PublishTaxPack(replace(changed, version="2026.3"))).then_happens(TaxPackPublished)


def test_the_newest_version_in_force_decides_and_the_firms_own_rule_comes_first() -> None:
    german = pack("DE")
    dearer = tuple(replace(each, percent=Decimal(25)) for each in german.rates)
    later = replace(german, version="2027.1", effective_from=date(2027, 1, 1), rates=dearer)
    state = decider.fold([TaxPackPublished(german), TaxPackPublished(later)])
    found = [decide_tax(seller("DE"), customer("DE"), state, on) for on in (ON, date(2027, 1, 1))]
    assert [each.treatments[0].rate for each in found if isinstance(each, TaxDecision)] == [19, 25]
    [own] = decider.decide(SetTaxRule("DE", TaxRule(date(2026, 1, 1), "DE", "S", Decimal(5))), state)
    mine = decide_tax(seller("DE"), customer("DE"), decider.evolve(state, own), ON)
    assert isinstance(mine, TaxDecision)
    assert mine.treatments[0].rate == 5


def test_a_rule_of_the_firm_is_for_a_country_that_there_is() -> None:
    for country in ("UK", "Germany", "", "US-", "US-Hawaii", "UK-HI"):
        rule = TaxRule(date(2026, 1, 1), country, "S", Decimal(19))
        given(decider).when(SetTaxRule("DE", rule)).refuses(UnknownRuleCountry, repr(country))
    elsewhere = TaxRule(date(2026, 1, 1), "*", "O", Decimal(0), "Outside the scope")
    given(decider).when(SetTaxRule("DE", elsewhere)).then_happens(TaxRuleSet)


def test_a_rule_of_the_firm_for_a_state_comes_before_that_of_its_country_and_before_the_pack() -> None:
    of_state, of_country = (
        TaxRuleSet("US", TaxRule(date(2026, 1, 1), place, "S", Decimal(rate)))
        for place, rate in (("US-HI", "4.5"), ("US", "1"))
    )

    def rate_in(place: str, *stated: TaxRuleSet) -> Decimal:
        found = decide_tax(seller("US"), customer("US", state=place), decider.fold([of_pack, *stated]), ON)
        assert isinstance(found, TaxDecision)
        return found.treatments[0].rate

    of_pack = TaxPackPublished(pack("US"))
    assert [rate_in("hi", of_state), rate_in("CA", of_state)] == [Decimal("4.5"), 0]
    assert [rate_in("US-HI", of_country, of_state), rate_in("CA", of_country, of_state)] == [Decimal("4.5"), 1]


def test_a_pack_that_contradicts_itself_is_refused() -> None:
    german = pack("DE")
    nameless = replace(german, rates=())
    given(decider).when(PublishTaxPack(nameless)).refuses(TaxPackContradicts, "names no such rate: standard")
    given(decider).when(PublishTaxPack(replace(german, groups=()))).refuses(TaxPackContradicts, "no such group: EU")


def test_every_pack_that_comes_with_the_ledger_is_whole_and_names_its_sources() -> None:
    packs = list(shipped())
    assert {each.jurisdiction for each in packs} >= COUNTRIES
    assert all(each.source for each in packs)
    assert all(rate.source for each in packs for rate in each.rates)
    assert all(rule.source for each in packs for rule in each.rules)
    assert all(told(each)["jurisdiction"] == each.jurisdiction for each in packs)


def test_a_misspelt_word_in_a_pack_is_named(tmp_path) -> None:  # type: ignore[no-untyped-def]  # pytest's own fixture
    file = tmp_path / "DE.toml"
    file.write_text('jurisdiction = "DE"\nsupplys = []\n')
    with pytest.raises(PackUnreadable, match="TaxPack has no supplys"):
        read(file)


def taxed(nets: list[str], rate: str, rounding: RoundingPolicy, currency: str = "EUR") -> str:
    treatment = TaxTreatment("S", Decimal(rate))
    found = subtotals([(treatment, Money(Decimal(net), currency)) for net in nets], currency, rounding)
    return str(total((each.tax for each in found), currency).amount)


def test_rounding_is_the_packs() -> None:
    nets = ["0.05", "0.05"]
    assert taxed(nets, "10", pack("AU").rounding) == "0.01"
    assert taxed(nets, "10", replace(pack("AU").rounding, scope="line")) == "0.02"
    assert taxed(["0.10"], "15", pack("NZ").rounding) == "0.01"
    assert taxed(["0.10"], "15", pack("DE").rounding) == "0.02"
    assert taxed(["105", "104"], "10", pack("JP").rounding, "JPY") == "21"
    assert taxed(["105", "104"], "10", replace(pack("JP").rounding, mode="down"), "JPY") == "20"
    assert taxed(["1.5"], "10", pack("DE").rounding, "KWD") == "0.150"


def test_the_total_invoice_rule_rounds_all_rates_once() -> None:
    nets = [(TaxTreatment("S", Decimal(rate)), Money(Decimal("0.05"), "AUD")) for rate in ("10", "9")]
    found = subtotals(nets, "AUD", RoundingPolicy(scope="total"))
    assert [str(each.tax.amount) for each in found] == ["0.01", "0.00"]


def test_swiss_amounts_are_asked_for_in_five_rappen_where_the_policy_says_so() -> None:
    treatment = TaxTreatment("S", Decimal("8.1"))
    lines = [TaxedNet(Money(Decimal("99.99"), "CHF"), (treatment,))]
    policy = RoundingPolicy(payable_step=Decimal("0.05"), payable_currency="CHF")
    found = document_totals(lines, "CHF", rounding=policy)
    assert [str(each.amount) for each in (found.gross, found.payable_rounding, found.due)] == [
        "108.09",
        "0.01",
        "108.10",
    ]
    assert document_totals(lines, "CHF", rounding=pack("CH").rounding).due == found.gross


@holds_for(
    st.lists(
        st.tuples(st.integers(-(10**6), 10**6), st.sampled_from(["0", "5.5", "8.1", "9.975", "19"])),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(["rate", "line", "total"]),
    st.sampled_from(["half_up", "half_down", "half_even", "down", "up"]),
)
def test_totals_always_add_up(cents: list[tuple[int, str]], scope: str, mode: str) -> None:
    rounding = RoundingPolicy(mode=mode, scope=scope)  # type: ignore[arg-type]  # drawn from the words of the policy
    lines = [
        TaxedNet(Money(Decimal(amount).scaleb(-2), "EUR"), (TaxTreatment("S", Decimal(rate)),))
        for amount, rate in cents
    ]
    found = document_totals(lines, "EUR", rounding=rounding)
    assert found.gross == found.net + total((each.tax for each in found.taxes), "EUR")
    assert found.net == total((each.taxable for each in found.taxes), "EUR")
    assert all(each.tax == each.tax.rounded() for each in found.taxes)
    credit = document_totals([TaxedNet(-line.net, line.treatments) for line in lines], "EUR", rounding=rounding)
    if scope != "total":
        assert credit.gross == -found.gross
