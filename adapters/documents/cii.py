"""An issued document as EN 16931 in CII, the Cross Industry Invoice of UN/CEFACT (business terms in brackets).

It says what the UBL of the document says, from the same print; invoices, credit notes and negative invoices have one
form here and differ by their type code. It is what a Factur-X file carries.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final
from xml.etree import ElementTree as ET

from adapters.documents.codes import (
    SPECIFICATION,
    TO_AN_ACCOUNT,
    UNITS,
    allowances_in_all,
    delivered_to,
    figure,
    is_outside_of_tax,
    paid_before,
    quantity_and_price,
    reason_without_tax,
)
from adapters.documents.printed import Printed, PrintedLine
from adapters.documents.single_tax import with_a_single_tax
from adapters.documents.within_the_norm import require_within_the_norm
from domain.invoice import AllowanceCharge, Party
from domain.money import Money
from domain.tax import TaxSubtotal, TaxTreatment

RSM: Final = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
RAM: Final = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
QDT: Final = "urn:un:unece:uncefact:data:standard:QualifiedDataType:100"
UDT: Final = "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"


def cii_of(printed: Printed) -> bytes:
    """The document as CII, in UTF-8; refused where EN 16931 has no form for it."""
    printed = with_a_single_tax(printed)
    require_within_the_norm(printed)
    for prefix, namespace in (("rsm", RSM), ("ram", RAM), ("qdt", QDT), ("udt", UDT)):
        ET.register_namespace(prefix, namespace)
    root = ET.Element(f"{{{RSM}}}CrossIndustryInvoice")
    context = ET.SubElement(root, f"{{{RSM}}}ExchangedDocumentContext")
    _text(_group(context, "GuidelineSpecifiedDocumentContextParameter"), "ID", SPECIFICATION)  # BT-24
    _document(ET.SubElement(root, f"{{{RSM}}}ExchangedDocument"), printed)
    transaction = ET.SubElement(root, f"{{{RSM}}}SupplyChainTradeTransaction")
    for line in printed.lines:
        _line(_group(transaction, "IncludedSupplyChainTradeLineItem"), line)
    _agreement(_group(transaction, "ApplicableHeaderTradeAgreement"), printed)
    _delivery(_group(transaction, "ApplicableHeaderTradeDelivery"), printed)
    _settlement(_group(transaction, "ApplicableHeaderTradeSettlement"), printed)
    ET.indent(root)
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _document(parent: ET.Element, printed: Printed) -> None:
    _text(parent, "ID", printed.number)  # BT-1
    _text(parent, "TypeCode", printed.type_code)  # BT-3
    _day(parent, "IssueDateTime", printed.issued_on)  # BT-2
    if printed.reason:
        _text(_group(parent, "IncludedNote"), "Content", printed.reason)  # BT-22


def _line(parent: ET.Element, line: PrintedLine) -> None:
    quantity, price = quantity_and_price(line)
    _text(_group(parent, "AssociatedDocumentLineDocument"), "LineID", str(line.number))  # BT-126
    _text(_group(parent, "SpecifiedTradeProduct"), "Name", line.description)  # BT-153
    priced = _group(_group(parent, "SpecifiedLineTradeAgreement"), "NetPriceProductTradePrice")
    _text(priced, "ChargeAmount", f"{price.normalize():f}")  # BT-146
    if line.base_quantity != 1:
        _text(priced, "BasisQuantity", f"{line.base_quantity:f}", unitCode=UNITS[line.unit])  # BT-149
    delivered = _group(parent, "SpecifiedLineTradeDelivery")
    _text(delivered, "BilledQuantity", f"{quantity.normalize():f}", unitCode=UNITS[line.unit])  # BT-129
    settled = _group(parent, "SpecifiedLineTradeSettlement")
    for each in line.treatments:
        _category(_group(settled, "ApplicableTradeTax"), each.category, each.rate)  # BG-30
    _period(settled, line.first_day, line.last_day)  # BG-26
    for allowance in line.allowances:
        _allowance(settled, allowance, ())
    _amount(_group(settled, "SpecifiedTradeSettlementLineMonetarySummation"), "LineTotalAmount", line.net)  # BT-131


def _agreement(parent: ET.Element, printed: Printed) -> None:
    _text(parent, "BuyerReference", printed.customer)  # BT-10
    is_outside = is_outside_of_tax(printed)
    _party(_group(parent, "SellerTradeParty"), printed.seller, "FC" if is_outside else "VA")  # BT-31, BT-32
    _party(_group(parent, "BuyerTradeParty"), printed.buyer, None if is_outside else "VA")  # BT-48
    if printed.purchase_order:
        _text(_group(parent, "BuyerOrderReferencedDocument"), "IssuerAssignedID", printed.purchase_order)  # BT-13
    if printed.engagements:
        contract = _group(parent, "ContractReferencedDocument")
        _text(contract, "IssuerAssignedID", ", ".join(printed.engagements))  # BT-12


def _party(parent: ET.Element, party: Party, tax_scheme: str | None) -> None:
    _text(parent, "ID", party.id)  # BT-29, BT-46
    _text(parent, "Name", party.name)  # BT-27, BT-44
    address = _group(parent, "PostalTradeAddress")
    _text(address, "PostcodeCode", party.address.postal_code)
    _text(address, "LineOne", party.address.street)
    _text(address, "CityName", party.address.city)
    _text(address, "CountryID", party.address.country)
    if party.address.state:
        _text(address, "CountrySubDivisionName", party.address.state)
    if party.tax_id and tax_scheme:
        _text(_group(parent, "SpecifiedTaxRegistration"), "ID", party.tax_id, schemeID=tax_scheme)


def _delivery(parent: ET.Element, printed: Printed) -> None:
    if there := delivered_to(printed):
        address = _group(_group(parent, "ShipToTradeParty"), "PostalTradeAddress")
        _text(address, "CountryID", there.address.country)  # BT-80
    _day(_group(parent, "ActualDeliverySupplyChainEvent"), "OccurrenceDateTime", printed.period[1])  # BT-72


def _settlement(parent: ET.Element, printed: Printed) -> None:
    _text(parent, "PaymentReference", printed.number)  # BT-83
    if printed.tax_in_books is not None:
        _text(parent, "TaxCurrencyCode", printed.tax_in_books.currency)  # BT-6
    _text(parent, "InvoiceCurrencyCode", printed.currency)  # BT-5
    _means(parent, printed)
    for each in printed.taxes:
        _subtotal(_group(parent, "ApplicableTradeTax"), each)  # BG-23
    _period(parent, *printed.period)  # BG-14
    for allowance, treatments in printed.allowances:
        _allowance(parent, allowance, treatments)
    terms = _group(parent, "SpecifiedTradePaymentTerms")
    _text(terms, "Description", printed.terms)  # BT-20
    if printed.due_on is not None:
        _day(terms, "DueDateDateTime", printed.due_on)  # BT-9
    _totals(_group(parent, "SpecifiedTradeSettlementHeaderMonetarySummation"), printed)
    if printed.corrects is not None:
        number, issued_on = printed.corrects
        reference = _group(parent, "InvoiceReferencedDocument")  # BG-3
        _text(reference, "IssuerAssignedID", number)
        formatted = _group(reference, "FormattedIssueDateTime")
        ET.SubElement(formatted, f"{{{QDT}}}DateTimeString", {"format": "102"}).text = f"{issued_on:%Y%m%d}"


def _means(parent: ET.Element, printed: Printed) -> None:
    """Where to pay (BG-16, BG-17): an IBAN as such, any other account under its own number."""
    if printed.bank is None:
        return
    account = printed.bank.account.replace(" ", "")
    means = _group(parent, "SpecifiedTradeSettlementPaymentMeans")
    _text(means, "TypeCode", TO_AN_ACCOUNT)
    name = "IBANID" if account[:2].isalpha() and account[2:4].isdigit() else "ProprietaryID"
    _text(_group(means, "PayeePartyCreditorFinancialAccount"), name, account)  # BT-84
    if printed.bank.bic:
        _text(_group(means, "PayeeSpecifiedCreditorFinancialInstitution"), "BICID", printed.bank.bic)  # BT-86


def _subtotal(parent: ET.Element, tax: TaxSubtotal) -> None:
    is_free = tax.category not in ("S", "Z")
    _amount(parent, "CalculatedAmount", tax.tax)
    _text(parent, "TypeCode", "VAT")
    if is_free:
        _text(parent, "ExemptionReason", reason_without_tax(tax.category, tax.reason))  # BT-120
    _amount(parent, "BasisAmount", tax.taxable)
    _text(parent, "CategoryCode", tax.category)
    if is_free and tax.reason_code:
        _text(parent, "ExemptionReasonCode", tax.reason_code)  # BT-121
    if tax.category != "O":
        _text(parent, "RateApplicablePercent", f"{tax.rate:f}")


def _category(parent: ET.Element, category: str, rate: Decimal) -> None:
    _text(parent, "TypeCode", "VAT")
    _text(parent, "CategoryCode", category)
    if category != "O":
        _text(parent, "RateApplicablePercent", f"{rate:f}")


def _allowance(parent: ET.Element, allowance: AllowanceCharge, treatments: Sequence[TaxTreatment]) -> None:
    """An allowance or charge, of the document with its tax (BG-20, BG-21) or of a line without (BG-27, BG-28)."""
    group = _group(parent, "SpecifiedTradeAllowanceCharge")
    indicator = ET.SubElement(_group(group, "ChargeIndicator"), f"{{{UDT}}}Indicator")
    indicator.text = "true" if allowance.kind == "charge" else "false"
    if allowance.percent is not None:
        _text(group, "CalculationPercent", f"{allowance.percent:f}")
    if allowance.base is not None:
        _amount(group, "BasisAmount", allowance.base)
    _amount(group, "ActualAmount", allowance.amount)
    if allowance.reason_code:
        _text(group, "ReasonCode", allowance.reason_code)
    if allowance.reason:
        _text(group, "Reason", allowance.reason)
    for each in treatments:
        _category(_group(group, "CategoryTradeTax"), each.category, each.rate)


def _totals(parent: ET.Element, printed: Printed) -> None:
    """The totals that were issued (BG-22); they are not computed anew."""
    charges, allowances = allowances_in_all(printed, "charge"), allowances_in_all(printed, "allowance")
    _amount(parent, "LineTotalAmount", printed.line_total)  # BT-106
    if charges is not None:
        _amount(parent, "ChargeTotalAmount", charges)  # BT-108
    if allowances is not None:
        _amount(parent, "AllowanceTotalAmount", allowances)  # BT-107
    _amount(parent, "TaxBasisTotalAmount", printed.net)  # BT-109
    _amount(parent, "TaxTotalAmount", printed.tax, currencyID=printed.currency)  # BT-110
    if printed.tax_in_books is not None:
        _amount(parent, "TaxTotalAmount", printed.tax_in_books, currencyID=printed.tax_in_books.currency)  # BT-111
    if printed.rounding:
        _amount(parent, "RoundingAmount", printed.rounding)  # BT-114
    _amount(parent, "GrandTotalAmount", printed.gross)  # BT-112
    if before := paid_before(printed):
        _amount(parent, "TotalPrepaidAmount", before)  # BT-113
    _amount(parent, "DuePayableAmount", printed.payable)  # BT-115


def _period(parent: ET.Element, first: date, last: date) -> None:
    period = _group(parent, "BillingSpecifiedPeriod")
    _day(period, "StartDateTime", first)
    _day(period, "EndDateTime", last)


def _day(parent: ET.Element, name: str, day: date) -> None:
    """A day as CCYYMMDD (UNTDID 2379, 102)."""
    ET.SubElement(_group(parent, name), f"{{{UDT}}}DateTimeString", {"format": "102"}).text = f"{day:%Y%m%d}"


def _group(parent: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(parent, f"{{{RAM}}}{name}")


def _text(parent: ET.Element, name: str, value: str, **attributes: str) -> None:
    ET.SubElement(parent, f"{{{RAM}}}{name}", attributes).text = value


def _amount(parent: ET.Element, name: str, money: Money, **attributes: str) -> None:
    _text(parent, name, figure(money), **attributes)
