"""Documents: what a customer gets is what was issued, as a PDF that never changes and as EN 16931 in UBL."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pypdf import PdfReader

from adapters.documents.codes import SPECIFICATION
from adapters.documents.pdf import pdf_of
from adapters.documents.printed import Printed, printed_credit_note, printed_invoice
from adapters.documents.ubl import CAC, CBC, ubl_of
from domain.billing import adjusting, crediting
from domain.billing.credit_wishes import CreditWish
from domain.credit_note import CreditForm, credit_note_stream
from domain.invoice import AllowanceCharge, invoice_stream
from domain.kernel import stream_of
from domain.reference.legal_entity import BankAccount, DefineLegalEntity
from tests.drafting import draft_invoice
from tests.world import NINE, World, euros

NAMES = {"cac": CAC, "cbc": CBC}


@pytest.fixture(scope="module")
def world() -> World:
    """An invoice over many days, with a write-down, allowances on line and document, and what is paid to where."""
    world = World().firm().contract()
    entity = stream_of("legal_entity", "DE01")
    terms = replace(
        world.read(entity).versions[-1], bank=BankAccount("DE89370400440532013000", "COBADEFFXXX", "Commerzbank")
    )
    world.tell(entity, DefineLegalEntity("DE01", terms))
    sheets = dict.fromkeys(
        world.work(f"{week}-{day}", "7.5", day=7 * week + day) for week in range(12) for day in range(5)
    )
    lots = world.lots(*sheets)
    world.record(draft_invoice(world.read, "I-1", "E-1", lots, cut_off=date(2026, 5, 31), by="paul", strict=True))
    world.record(adjusting.adjust_line(world.read, "I-1", 1, euros("-500.00"), "Goodwill", "paul"))
    for line, amount in ((1, "12.34"), (None, "100.00")):
        allowance = AllowanceCharge("allowance", euros(amount), "Volume discount", "95")
        world.record(adjusting.state_allowances(world.read, "I-1", line, (allowance,), "paul"))
    return world.approve("I-1").issue("I-1", date(2026, 6, 1))


def invoice(world: World) -> Printed:
    return printed_invoice(world.read(invoice_stream("I-1")))


def credited(world: World, form: CreditForm) -> Printed:
    name = f"CN-{form}"
    stream = credit_note_stream(name)
    wishes = [CreditWish(1, quantity=Decimal("11.25"))]
    world.record(
        crediting.draft_credit_note(world.read, name, "I-1", wishes, form=form, reason="As agreed.", by="paul")
    )
    world.record(crediting.approve_credit_note(world.read, name, "ann", NINE))
    world.record(crediting.issue_credit_note(world.read, name, date(2026, 6, 9)))
    return printed_credit_note(world.read(stream))


def test_the_same_document_has_the_same_bytes(world: World) -> None:
    first = pdf_of(invoice(world))
    assert first == pdf_of(invoice(world))
    assert first.startswith(b"%PDF-")
    assert b"pdfaid" in first


def test_a_long_annex_goes_over_pages(world: World) -> None:
    assert len(PdfReader(BytesIO(pdf_of(invoice(world)))).pages) == 3


def test_three_times_twenty_minutes_are_printed_as_an_hour() -> None:
    world = World().firm().contract()
    sheets = dict.fromkeys(world.work(str(day), "0.333333", day=day) for day in range(3))
    world.draft("I-1", world.lots(*sheets)).approve("I-1").issue("I-1")
    page = PdfReader(BytesIO(pdf_of(invoice(world)))).pages[0].extract_text()
    assert "0.9999" not in page
    assert "1 h" in " ".join(page.split())


def test_the_annex_adds_up_to_the_lines(world: World) -> None:
    printed = invoice(world)
    (part,) = printed.annex
    assert part.quantity == printed.lines[0].quantity == Decimal(450)
    assert len(part.entries) == 60
    assert part.amount == euros("67500.00")
    assert part.amount - euros("12.34") == printed.lines[0].net


def test_a_line_that_is_rounded_once_is_told_so_in_the_annex_and_adds_up() -> None:
    world = World().firm().contract()
    sheets = dict.fromkeys(world.work(str(day), "0.333367", day=day) for day in range(3))
    world.draft("I-1", world.lots(*sheets)).approve("I-1").issue("I-1")
    printed = invoice(world)
    (line,), (part,) = printed.lines, printed.annex
    assert (line.net, part.amount, part.rounding) == (euros("150.02"), euros("150.02"), euros("-0.01"))
    annex = " ".join(PdfReader(BytesIO(pdf_of(printed))).pages[-1].extract_text().split())
    assert "Rounding: price × quantity is rounded once −0.01" in annex
    told = parsed(ubl_of(printed)).find("cac:InvoiceLine", NAMES)
    assert told is not None
    product = Decimal(text(told, "cac:Price/cbc:PriceAmount")) * Decimal(text(told, "cbc:InvoicedQuantity"))
    assert product.quantize(Decimal("0.01")) == Decimal(text(told, "cbc:LineExtensionAmount"))


def parsed(xml: bytes) -> ET.Element:
    return ET.fromstring(xml)  # noqa: S314 -- our own document


def text(root: ET.Element, path: str) -> str:
    found = root.find(path, NAMES)
    assert found is not None, path
    return found.text or ""


def amounts(root: ET.Element, path: str) -> list[Decimal]:
    return [Decimal(each.text or "") for each in root.findall(path, NAMES)]


def check_rules(xml: bytes, kind: str) -> ET.Element:
    """The rules of EN 16931 on sums (BR-CO-10 to 16), on tax (BR-CO-14, 17, 18), and on what has to be there."""
    root = parsed(xml)
    assert root.tag == f"{{urn:oasis:names:specification:ubl:schema:xsd:{kind}-2}}{kind}"
    assert text(root, "cbc:CustomizationID") == SPECIFICATION
    sums = "cac:LegalMonetaryTotal/cbc:"
    lines = amounts(root, f"cac:{kind}Line/cbc:LineExtensionAmount")
    (line_total,) = amounts(root, f"{sums}LineExtensionAmount")
    (net,) = amounts(root, f"{sums}TaxExclusiveAmount")
    (gross,) = amounts(root, f"{sums}TaxInclusiveAmount")
    (payable,) = amounts(root, f"{sums}PayableAmount")
    allowances, charges = (_of_document(root, flag) for flag in ("false", "true"))
    assert sum(lines) == line_total  # BR-CO-10
    assert allowances == sum(amounts(root, f"{sums}AllowanceTotalAmount"))  # BR-CO-11
    assert charges == sum(amounts(root, f"{sums}ChargeTotalAmount"))  # BR-CO-12
    assert line_total - allowances + charges == net  # BR-CO-13
    (tax,) = amounts(root, "cac:TaxTotal/cbc:TaxAmount")
    assert sum(amounts(root, "cac:TaxTotal/cac:TaxSubtotal/cbc:TaxAmount")) == tax  # BR-CO-14
    assert net + tax == gross  # BR-CO-15
    assert gross - sum(amounts(root, f"{sums}PrepaidAmount")) == payable  # BR-CO-16
    for subtotal in root.findall("cac:TaxTotal/cac:TaxSubtotal", NAMES):
        (taxable,), (of_it,) = amounts(subtotal, "cbc:TaxableAmount"), amounts(subtotal, "cbc:TaxAmount")
        rate = Decimal(text(subtotal, "cac:TaxCategory/cbc:Percent"))
        assert abs(taxable * rate / 100 - of_it) < 1  # BR-CO-17, with the tolerance of its published check
    for line in root.findall(f"cac:{kind}Line", NAMES):
        _check_line(line, "CreditedQuantity" if kind == "CreditNote" else "InvoicedQuantity")
    for party in ("Supplier", "Customer"):
        assert text(root, f"cac:Accounting{party}Party/cac:Party/cac:PartyLegalEntity/cbc:RegistrationName")
        assert text(root, f"cac:Accounting{party}Party/cac:Party/cac:PostalAddress/cac:Country/cbc:IdentificationCode")
    assert text(root, "cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID")  # BR-CO-26, BR-S-02
    return root


def _of_document(root: ET.Element, charge: str) -> Decimal:
    found = [each for each in root.findall("cac:AllowanceCharge", NAMES) if text(each, "cbc:ChargeIndicator") == charge]
    assert all(text(each, "cbc:AllowanceChargeReason") for each in found)  # BR-33, BR-38
    return sum((amount for each in found for amount in amounts(each, "cbc:Amount")), Decimal(0))


def _check_line(line: ET.Element, quantity_name: str) -> None:
    quantity, price = Decimal(text(line, f"cbc:{quantity_name}")), Decimal(text(line, "cac:Price/cbc:PriceAmount"))
    allowances = sum(amounts(line, "cac:AllowanceCharge/cbc:Amount"), Decimal(0))
    (net,) = amounts(line, "cbc:LineExtensionAmount")
    assert price >= 0  # BR-27
    assert abs(quantity * price - allowances - net) <= Decimal("0.02")
    assert text(line, "cac:Item/cbc:Name")  # BR-25
    assert text(line, "cac:Item/cac:ClassifiedTaxCategory/cbc:ID") == "S"  # BR-CO-4


def test_an_invoice_in_ubl_keeps_the_rules_of_en_16931(world: World) -> None:
    root = check_rules(ubl_of(invoice(world)), "Invoice")
    assert text(root, "cbc:InvoiceTypeCode") == "380"
    assert text(root, "cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID") == "DE89370400440532013000"
    assert text(root, "cbc:DueDate") == "2026-07-01"


def test_a_credit_note_in_ubl_names_the_invoice_and_keeps_the_rules(world: World) -> None:
    root = check_rules(ubl_of(credited(world, "381")), "CreditNote")
    assert text(root, "cbc:CreditNoteTypeCode") == "381"
    reference = "cac:BillingReference/cac:InvoiceDocumentReference/cbc:"
    assert (text(root, f"{reference}ID"), text(root, f"{reference}IssueDate")) == ("DE01-2026-000001", "2026-06-01")
    assert Decimal(text(root, "cac:LegalMonetaryTotal/cbc:PayableAmount")) > 0


def test_a_negative_invoice_has_its_amounts_below_zero(world: World) -> None:
    printed = credited(world, "380")
    root = check_rules(ubl_of(printed), "Invoice")
    assert Decimal(text(root, "cac:LegalMonetaryTotal/cbc:PayableAmount")) == printed.payable.amount < 0
    assert pdf_of(printed).startswith(b"%PDF-")


def test_elements_stand_in_the_order_of_the_schema(world: World) -> None:
    order: dict[str, list[str]] = {
        "Invoice": [
            *("CustomizationID", "ID", "IssueDate", "DueDate", "InvoiceTypeCode", "Note", "DocumentCurrencyCode"),
            *("TaxCurrencyCode", "BuyerReference", "InvoicePeriod", "OrderReference", "BillingReference"),
            *(
                "ContractDocumentReference",
                "AccountingSupplierParty",
                "AccountingCustomerParty",
                "Delivery",
                "PaymentMeans",
            ),
            *("PaymentTerms", "AllowanceCharge", "TaxTotal", "LegalMonetaryTotal", "InvoiceLine"),
        ],
    }
    names = [re.sub("{.*}", "", each.tag) for each in parsed(ubl_of(invoice(world)))]
    places: Any = [order["Invoice"].index(name) for name in names]
    assert places == sorted(places)


def test_the_tax_is_told_in_the_currency_of_the_books_too(world: World) -> None:
    printed = replace(invoice(world), tax_in_books=euros("77.00"))
    root = parsed(ubl_of(printed))
    assert text(root, "cbc:TaxCurrencyCode") == "EUR"
    assert amounts(root, "cac:TaxTotal/cbc:TaxAmount")[1] == Decimal("77.00")
