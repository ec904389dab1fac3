"""An issued document as EN 16931 in UBL 2.1: Invoice, or CreditNote for form 381 (business terms in brackets).

The specification identifier is that of EN 16931 itself, without a national extension. Amounts have the minor unit's
digits; the totals are those that were issued and are not computed anew, so that both forms of a document agree.
"""

from __future__ import annotations

from collections.abc import Sequence
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

CAC: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
CBC: Final = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
_ROOTS: Final = {
    "380": "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2",
    "381": "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2",
}


def ubl_of(printed: Printed) -> bytes:
    """The document as UBL, in UTF-8; refused where EN 16931 has no form for it."""
    printed = with_a_single_tax(printed)
    require_within_the_norm(printed)
    is_credit = printed.type_code == "381"
    kind = "CreditNote" if is_credit else "Invoice"
    ET.register_namespace("", _ROOTS[printed.type_code])
    ET.register_namespace("cac", CAC)
    ET.register_namespace("cbc", CBC)
    root = ET.Element(f"{{{_ROOTS[printed.type_code]}}}{kind}")
    _heading(root, printed, kind)
    is_outside = is_outside_of_tax(printed)
    _party(_group(root, "AccountingSupplierParty"), printed.seller, "TAX" if is_outside else "VAT")  # BT-31, BT-32
    _party(_group(root, "AccountingCustomerParty"), printed.buyer, None if is_outside else "VAT")  # BT-48
    _delivery(root, printed)
    _payment(root, printed)
    for allowance, treatments in printed.allowances:
        _allowance(root, allowance, treatments)
    _taxes(root, printed)
    _totals(root, printed)
    for line in printed.lines:
        _line(root, line, printed.currency, kind)
    ET.indent(root)
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _heading(root: ET.Element, printed: Printed, kind: str) -> None:
    _text(root, "CustomizationID", SPECIFICATION)  # BT-24
    _text(root, "ID", printed.number)  # BT-1
    _text(root, "IssueDate", printed.issued_on.isoformat())  # BT-2
    if printed.due_on is not None and kind == "Invoice":
        _text(root, "DueDate", printed.due_on.isoformat())  # BT-9
    _text(root, f"{kind}TypeCode", printed.type_code)  # BT-3
    if printed.reason:
        _text(root, "Note", printed.reason)  # BT-22
    _text(root, "DocumentCurrencyCode", printed.currency)  # BT-5
    if printed.tax_in_books is not None:
        _text(root, "TaxCurrencyCode", printed.tax_in_books.currency)  # BT-6
    _text(root, "BuyerReference", printed.customer)  # BT-10
    period = _group(root, "InvoicePeriod")  # BG-14
    first, last = printed.period
    _text(period, "StartDate", first.isoformat())
    _text(period, "EndDate", last.isoformat())
    if printed.purchase_order:
        _text(_group(root, "OrderReference"), "ID", printed.purchase_order)  # BT-13
    if printed.corrects is not None:
        number, issued_on = printed.corrects
        reference = _group(_group(root, "BillingReference"), "InvoiceDocumentReference")  # BG-3
        _text(reference, "ID", number)
        _text(reference, "IssueDate", issued_on.isoformat())
    if printed.engagements:
        _text(_group(root, "ContractDocumentReference"), "ID", ", ".join(printed.engagements))  # BT-12


def _party(parent: ET.Element, party: Party, tax_scheme: str | None) -> None:
    known = _group(parent, "Party")
    _text(_group(known, "PartyIdentification"), "ID", party.id)  # BT-29, BT-46
    address = _group(known, "PostalAddress")
    _text(address, "StreetName", party.address.street)
    _text(address, "CityName", party.address.city)
    _text(address, "PostalZone", party.address.postal_code)
    if party.address.state:
        _text(address, "CountrySubentity", party.address.state)
    _text(_group(address, "Country"), "IdentificationCode", party.address.country)
    if party.tax_id and tax_scheme:
        scheme = _group(known, "PartyTaxScheme")
        _text(scheme, "CompanyID", party.tax_id)
        _text(_group(scheme, "TaxScheme"), "ID", tax_scheme)
    _text(_group(known, "PartyLegalEntity"), "RegistrationName", party.name)  # BT-27, BT-44


def _delivery(root: ET.Element, printed: Printed) -> None:
    delivery = _group(root, "Delivery")
    _text(delivery, "ActualDeliveryDate", printed.period[1].isoformat())  # BT-72
    if there := delivered_to(printed):
        address = _group(_group(delivery, "DeliveryLocation"), "Address")
        _text(_group(address, "Country"), "IdentificationCode", there.address.country)  # BT-80


def _payment(root: ET.Element, printed: Printed) -> None:
    if printed.bank is not None:
        means = _group(root, "PaymentMeans")  # BG-16
        _text(means, "PaymentMeansCode", TO_AN_ACCOUNT)
        _text(means, "PaymentID", printed.number)
        account = _group(means, "PayeeFinancialAccount")
        _text(account, "ID", printed.bank.account.replace(" ", ""))  # BT-84
        if printed.bank.bic:
            _text(_group(account, "FinancialInstitutionBranch"), "ID", printed.bank.bic)  # BT-86
    _text(_group(root, "PaymentTerms"), "Note", printed.terms)  # BT-20


def _allowance(parent: ET.Element, allowance: AllowanceCharge, treatments: Sequence[TaxTreatment]) -> None:
    """An allowance or charge, of the document with its tax (BG-20, BG-21) or of a line without (BG-27, BG-28)."""
    group = _group(parent, "AllowanceCharge")
    _text(group, "ChargeIndicator", "true" if allowance.kind == "charge" else "false")
    if allowance.reason_code:
        _text(group, "AllowanceChargeReasonCode", allowance.reason_code)
    if allowance.reason:
        _text(group, "AllowanceChargeReason", allowance.reason)
    if allowance.percent is not None:
        _text(group, "MultiplierFactorNumeric", f"{allowance.percent:f}")
    _amount(group, "Amount", allowance.amount)
    if allowance.base is not None:
        _amount(group, "BaseAmount", allowance.base)
    for each in treatments:
        _category(group, "TaxCategory", each.category, each.rate)


def _taxes(root: ET.Element, printed: Printed) -> None:
    group = _group(root, "TaxTotal")
    _amount(group, "TaxAmount", printed.tax)  # BT-110
    for each in printed.taxes:
        subtotal = _group(group, "TaxSubtotal")  # BG-23
        _amount(subtotal, "TaxableAmount", each.taxable)
        _amount(subtotal, "TaxAmount", each.tax)
        _category(subtotal, "TaxCategory", each.category, each.rate, each)
    if printed.tax_in_books is not None:
        _amount(_group(root, "TaxTotal"), "TaxAmount", printed.tax_in_books)  # BT-111


def _category(parent: ET.Element, name: str, category: str, rate: Decimal, exempted: TaxSubtotal | None = None) -> None:
    group = _group(parent, name)
    _text(group, "ID", category)
    if category != "O":
        _text(group, "Percent", f"{rate:f}")
    if exempted is not None and category not in ("S", "Z"):
        if exempted.reason_code:
            _text(group, "TaxExemptionReasonCode", exempted.reason_code)  # BT-121
        _text(group, "TaxExemptionReason", reason_without_tax(category, exempted.reason))  # BT-120
    _text(_group(group, "TaxScheme"), "ID", "VAT")


def _totals(root: ET.Element, printed: Printed) -> None:
    """What a customer keeps back is asked for later: until then it reduces the amount due like a payment (BT-113)."""
    allowances, charges = allowances_in_all(printed, "allowance"), allowances_in_all(printed, "charge")
    group = _group(root, "LegalMonetaryTotal")  # BG-22
    _amount(group, "LineExtensionAmount", printed.line_total)
    _amount(group, "TaxExclusiveAmount", printed.net)
    _amount(group, "TaxInclusiveAmount", printed.gross)
    if allowances is not None:
        _amount(group, "AllowanceTotalAmount", allowances)
    if charges is not None:
        _amount(group, "ChargeTotalAmount", charges)
    if before := paid_before(printed):
        _amount(group, "PrepaidAmount", before)
    if printed.rounding:
        _amount(group, "PayableRoundingAmount", printed.rounding)
    _amount(group, "PayableAmount", printed.payable)


def _line(root: ET.Element, line: PrintedLine, currency: str, kind: str) -> None:
    group = _group(root, f"{kind}Line")  # BG-25
    quantity, price = quantity_and_price(line)
    _text(group, "ID", str(line.number))
    quantity_name = "CreditedQuantity" if kind == "CreditNote" else "InvoicedQuantity"
    _text(group, quantity_name, f"{quantity.normalize():f}", unitCode=UNITS[line.unit])
    _amount(group, "LineExtensionAmount", line.net)
    period = _group(group, "InvoicePeriod")
    _text(period, "StartDate", line.first_day.isoformat())
    _text(period, "EndDate", line.last_day.isoformat())
    for each in line.allowances:
        _allowance(group, each, ())
    item = _group(group, "Item")
    _text(item, "Name", line.description)
    for treatment in line.treatments:
        _category(item, "ClassifiedTaxCategory", treatment.category, treatment.rate)
    priced = _group(group, "Price")
    _text(priced, "PriceAmount", f"{price.normalize():f}", currencyID=currency)
    if line.base_quantity != 1:
        _text(priced, "BaseQuantity", f"{line.base_quantity:f}", unitCode=UNITS[line.unit])


def _group(parent: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(parent, f"{{{CAC}}}{name}")


def _text(parent: ET.Element, name: str, value: str, **attributes: str) -> None:
    ET.SubElement(parent, f"{{{CBC}}}{name}", attributes).text = value


def _amount(parent: ET.Element, name: str, money: Money) -> None:
    _text(parent, name, figure(money), currencyID=money.currency)
