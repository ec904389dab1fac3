"""Worked figures of tax authorities, each through lots, drafts and issued invoices under the packs that are shipped.

Each test names the publication that prints the figures, or the rule that they follow from.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from pypdf import PdfReader

from adapters.documents.pdf import pdf_of
from adapters.documents.printed import printed_invoice
from adapters.policy_packs.tax_packs import pack_of
from domain.contract import ContractLine, FixedFeeMilestones, Milestone, TimeAndMaterials
from domain.engagement import AcceptMilestone, AgreeLine, OpenEngagement, SignEngagement
from domain.invoice import Document, invoice_stream
from domain.kernel import stream_of
from domain.money import Money
from domain.project import ConfirmSetUp
from domain.reference.customer import DescribeCustomer
from domain.reference.legal_entity import DefineLegalEntity
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.reference.resource import DescribeResource
from domain.reference.tax_pack import RoundingPolicy
from domain.reference.tax_rule import PublishTaxPack, SetTaxRule, TaxRule
from tests.cases.books import Firm
from tests.world import CUSTOMER, ENGAGEMENT, MONDAY, NINE, PROJECT

LONG_AGO = date(2015, 1, 1)


def firm_in(
    country: str,
    currency: str,
    *,
    state: str = "",
    buyer: str = "",
    buyer_state: str = "",
    hourly: str = "100",
    functional: str = "",
    rounding: RoundingPolicy | None = None,
) -> Firm:
    """A firm of a country that sells by the hour, with the pack of its country; its customer is at home by default."""
    firm = Firm(functional=functional or currency, currency=currency, hourly=hourly)
    entity = stream_of("legal_entity", "DE01")
    terms = firm.read(entity).versions[-1]
    address = replace(terms.address, country=country, state=state)
    for since in (LONG_AGO, date(2026, 1, 2)):
        firm.tell(entity, DefineLegalEntity("DE01", replace(terms, address=address, effective_from=since)))
    where = {"country": buyer or country, **({"state": buyer_state} if buyer_state else {})}
    firm.tell(CUSTOMER, DescribeCustomer("C-1", where, NINE + timedelta(hours=1)))
    pack = pack_of(country)
    assert pack is not None
    changed = pack if rounding is None else replace(pack, version="own", rounding=rounding)
    firm.tell(stream_of("tax_rule", country), PublishTaxPack(changed))
    worker = firm.read(stream_of("resource", "W-1")).versions[-1]
    firm.tell(stream_of("resource", "W-1"), DescribeResource("W-1", replace(worker, effective_from=LONG_AGO)))
    firm.tell(rate_card_stream("firm", "FIRM"), SetRate(RateRow("all", firm.money(hourly), LONG_AGO)))
    firm.tell(ENGAGEMENT, OpenEngagement("E-1", "Case", "C-1", "DE01", currency))
    firm.tell(ENGAGEMENT, SignEngagement(LONG_AGO, LONG_AGO))
    firm.tell(ENGAGEMENT, AgreeLine(ContractLine("L1", "Work", TimeAndMaterials())))
    firm.tell(PROJECT, *(ConfirmSetUp(target, f"{target}-1") for target in ("psa", "erp")))
    return firm


def sold(firm: Firm, *nets: str, tax_category: str = "standard") -> Firm:
    """Items of these amounts were accepted, so that each is a line of the next invoice."""
    items = tuple(Milestone(f"M{place}", f"Item {place}", firm.money(net)) for place, net in enumerate(nets))
    line = ContractLine(
        f"items-{tax_category}", "Items", FixedFeeMilestones(milestones=items), tax_category=tax_category
    )
    firm.tell(ENGAGEMENT, AgreeLine(line))
    firm.tell(ENGAGEMENT, *(AcceptMilestone(line.line, item.milestone, MONDAY, "mail", "ann", NINE) for item in items))
    return firm


def invoiced(firm: Firm, on: date = date(2026, 4, 1)) -> Document:
    """Everything that is open, on an issued invoice."""
    streams = dict.fromkeys(fact.stream for fact in firm.ledger.read(0, 10_000) if fact.name == "lot.rated.v1")
    firm.bills("I-1", firm.lots(*streams), on)
    document: Document = firm.read(invoice_stream("I-1")).document
    return document


def taxes(document: Document) -> list[tuple[str, str, str]]:
    """Each tax of a document with its rate and amount."""
    return [(each.name, str(each.rate), str(each.tax.amount)) for each in document.taxes]


def test_revenu_quebec_prints_5_00_of_gst_and_9_98_of_qst_on_100_dollars() -> None:
    """Revenu Québec, "Calculating the taxes", calculation in two steps: 100.00 + 5.00 + 9.98 = 114.98."""
    document = invoiced(sold(firm_in("CA", "CAD", buyer_state="QC"), "100.00"))
    assert taxes(document) == [("GST", "5", "5.00"), ("QST", "9.975", "9.98")]
    assert document.gross == Money(Decimal("114.98"), "CAD")


@pytest.mark.parametrize(
    ("province", "kind", "gross"),
    [("ON", "standard", "113.00"), ("NS", "standard", "114.00"), ("AB", "legal", "105.00"), ("SK", "legal", "111.00")],
)
def test_the_customers_province_decides_about_tax_in_canada(province: str, kind: str, gross: str) -> None:
    """Canada Revenue Agency, rates by province; 100 dollars in Saskatchewan are 111 with 5 % GST and 6 % PST."""
    document = invoiced(sold(firm_in("CA", "CAD", buyer_state=province), "100.00", tax_category=kind))
    assert document.gross == Money(Decimal(gross), "CAD")


def test_swiss_work_around_a_new_rate_stands_on_a_line_of_each_rate() -> None:
    """Swiss Federal Tax Administration, MWST-Info 19: work until 31 December 2023 bears 7.7 %, later work 8.1 %, and
    one invoice over both shows the amount of each period by itself.
    """
    firm = firm_in("CH", "CHF", buyer="CH")
    for day in (date(2023, 12, 28), date(2023, 12, 29), date(2024, 1, 3)):
        firm.work(str(day), "8", day=(day - MONDAY).days)
    document = invoiced(firm, date(2024, 1, 31))
    assert [(str(line.net.amount), str(line.last_work_date)) for line in document.lines] == [
        ("1600.00", "2023-12-29"),
        ("800.00", "2024-01-03"),
    ]
    assert taxes(document) == [("VAT", "7.7", "123.20"), ("VAT", "8.1", "64.80")]


def test_a_new_version_of_a_pack_with_the_same_rates_divides_no_line() -> None:
    firm = firm_in("CH", "CHF")
    known = pack_of("CH")
    assert known is not None
    later = replace(known, version="2026.3", effective_from=date(2026, 3, 10))
    firm.tell(stream_of("tax_rule", "CH"), PublishTaxPack(later))
    firm.works("8", "8", first_day=7)
    assert [line.quantity for line in invoiced(firm).lines] == [Decimal(16)]


def test_where_the_day_of_the_invoice_decides_one_line_holds_the_work_of_both_years() -> None:
    """Singapore: the rate is that of the time of supply, which is the earlier of invoice and payment."""
    firm = firm_in("SG", "SGD")
    for day in (date(2023, 12, 29), date(2024, 1, 3)):
        firm.work(str(day), "8", day=(day - MONDAY).days)
    document = invoiced(firm, date(2024, 1, 31))
    assert len(document.lines) == 1
    assert taxes(document) == [("GST", "9", "144.00")]


def test_a_singapore_invoice_in_dollars_of_another_country_tells_its_tax_in_singapore_dollars() -> None:
    """IRAS, "Invoicing customers": total without tax, tax and total are converted; 700 USD of tax at 0.7431 are 942."""
    firm = firm_in("SG", "USD", functional="SGD", hourly="100")
    firm.rate_on(MONDAY, "SGD", "USD", "0.7431")
    firm.rate_on(date(2026, 4, 1), "SGD", "USD", "0.7431")
    sold(firm, "7777.78")
    printed = printed_invoice(_issued(firm))
    assert printed.tax == Money(Decimal("700.00"), "USD")
    assert printed.tax_in_books == Money(Decimal("942.00"), "SGD")
    assert printed.net_in_books == Money(Decimal("10466.67"), "SGD")
    page = PdfReader(BytesIO(pdf_of(printed))).pages[0].extract_text()
    assert "In SGD: net 10,466.67, tax 942.00, total 11,408.67" in " ".join(page.split())


def _issued(firm: Firm):  # type: ignore[no-untyped-def]  # the aggregate, of whichever state
    invoiced(firm)
    return firm.read(invoice_stream("I-1"))


@pytest.mark.parametrize(("scope", "tax"), [("total", "0.21"), ("line", "0.22")])
def test_australian_tax_is_rounded_by_the_rule_that_the_supplier_has_chosen(scope: str, tax: str) -> None:
    """GST Act 1999, section 9-90: two supplies of 1.05 bear 0.105 each, which is 0.21 in all, or 0.11 and 0.11."""
    rounding = RoundingPolicy(scope="total" if scope == "total" else "line")
    document = invoiced(sold(firm_in("AU", "AUD", rounding=rounding), "1.05", "1.05"))
    assert document.tax == Money(Decimal(tax), "AUD")


@pytest.mark.parametrize(("net", "tax"), [("0.70", "0.10"), ("0.71", "0.11"), ("0.90", "0.13")])
def test_new_zealand_disregards_half_a_cent(net: str, tax: str) -> None:
    """GST Act 1985, section 19O: a fraction of half a cent or less may be disregarded; 0.105 and 0.135 lose it."""
    assert invoiced(sold(firm_in("NZ", "NZD"), net)).tax == Money(Decimal(tax), "NZD")


def test_japanese_tax_is_rounded_once_for_each_rate() -> None:
    """National Tax Agency, questions and answers on qualified invoices: not by line, once per rate and invoice."""
    firm = sold(sold(firm_in("JP", "JPY"), "333", "333", "333"), "115", "115", tax_category="reduced")
    document = invoiced(firm)
    assert taxes(document) == [("Consumption tax", "8", "18"), ("Consumption tax", "10", "100")]


def test_a_japanese_issuer_may_drop_what_is_less_than_a_yen() -> None:
    """National Tax Agency, qualified invoices, question on fractions (from memory): 27,060 bear 2,164.8 at 8 %, 28,158
    bear 2,815.8 at 10 %, each dropped once to 2,164 and 2,815; dropped line by line they would be 2,163 and 2,814.
    """
    firm = firm_in("JP", "JPY", rounding=RoundingPolicy(mode="down"))
    document = invoiced(sold(sold(firm, "4389", "23769"), "13861", "13199", tax_category="reduced"))
    assert taxes(document) == [("Consumption tax", "8", "2164"), ("Consumption tax", "10", "2815")]


@pytest.mark.parametrize(
    ("seller", "currency", "buyer", "kind", "tax_id", "category", "rate"),
    [
        ("DE", "EUR", "AT", "business", "ATU12345675", "AE", "0"),
        ("DE", "EUR", "FR", "consumer", "", "S", "19"),
        ("DE", "EUR", "US", "consumer", "", "O", "0"),
        ("DE", "EUR", "CH", "business", "", "O", "0"),
        ("FR", "EUR", "DE", "consumer", "", "S", "20"),
        ("NL", "EUR", "BE", "business", "BE0428759497", "AE", "0"),
        ("IE", "EUR", "GB", "business", "", "O", "0"),
        ("GB", "GBP", "FR", "business", "FR40303265045", "O", "0"),
        ("GB", "GBP", "FR", "consumer", "", "O", "0"),
        ("CH", "CHF", "LI", "business", "", "S", "8.1"),
        ("CH", "CHF", "DE", "business", "", "O", "0"),
        ("AU", "AUD", "NZ", "business", "", "G", "0"),
        ("NZ", "NZD", "AU", "business", "", "G", "0"),
        ("SG", "SGD", "US", "business", "", "G", "0"),
        ("JP", "JPY", "US", "business", "", "G", "0"),
        ("CA", "CAD", "US", "business", "", "G", "0"),
    ],
)
def test_advice_is_taxed_where_its_customer_is(
    seller: str, currency: str, buyer: str, kind: str, tax_id: str, category: str, rate: str
) -> None:
    """Directive 2006/112/EC, articles 44, 45 and 59; HMRC, VAT Notice 741A: advice for consumers abroad is outside of
    the tax; exports of services elsewhere (from memory).
    """
    firm = firm_in(seller, currency, buyer=buyer, buyer_state="CA" if buyer == "US" else "")
    told = {"tax_status": kind, **({"tax_id": tax_id} if tax_id else {})}
    firm.tell(CUSTOMER, DescribeCustomer("C-1", told, NINE + timedelta(hours=2)))
    (subtotal,) = invoiced(sold(firm, "1000")).taxes
    assert (subtotal.category, str(subtotal.rate)) == (category, rate)


@pytest.mark.parametrize(
    ("state", "rate", "tax"),
    [("HI", "4.5", "45.00"), ("NM", "4.875", "48.75"), ("SD", "4.2", "42.00"), ("WV", "6", "60.00")],
)
def test_states_that_tax_services_broadly_have_a_rule_of_the_firm_with_their_local_rate(
    state: str, rate: str, tax: str
) -> None:
    """General excise of Hawaii with that of Oahu, gross receipts of New Mexico, sales taxes of South Dakota and West
    Virginia, as their departments state them (from memory); a customer in California pays none.
    """
    for place, expected in ((state, tax), ("CA", "0")):
        firm = firm_in("US", "USD", buyer_state=place)
        own = TaxRule(date(2026, 1, 1), f"US-{state}", "S", Decimal(rate), "Tax on services of the state")
        firm.tell(stream_of("tax_rule", "US"), SetTaxRule("US", own))
        assert invoiced(sold(firm, "1000")).tax == Money(Decimal(expected), "USD")


@pytest.mark.parametrize(
    ("buyer_state", "expected"),
    [
        ("KA", [("CGST", "9", "90.00"), ("SGST", "9", "90.00")]),
        ("MH", [("IGST", "18", "180.00")]),
    ],
)
def test_indian_tax_is_shared_within_a_state_and_whole_between_states(
    buyer_state: str, expected: list[tuple[str, str, str]]
) -> None:
    """IGST Act 2017, sections 7 and 8: 1,000 rupees from Karnataka bear 9 % twice at home, 18 % elsewhere."""
    firm = firm_in("IN", "INR", state="KA", buyer_state=buyer_state)
    assert taxes(invoiced(sold(firm, "1000.00"))) == expected


@pytest.mark.parametrize(
    ("currency", "rounded"), [("KWD", "33.333"), ("CLF", "33.3333"), ("JPY", "33"), ("EUR", "33.33")]
)
def test_an_hour_comes_to_the_minor_unit_of_its_currency(currency: str, rounded: str) -> None:
    """ISO 4217: no digits, two, three and four."""
    firm = Firm(functional=currency, currency=currency, hourly="100").sells()
    (lot,) = firm.works("0.333333")
    assert str(firm.read(lot.stream).lots[lot.lot].lot.value.amount) == rounded
