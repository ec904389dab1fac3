"""Example files of electronic invoices (EN 16931, Peppol, XRechnung, Factur-X, A-NZ), billed, issued and credited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from api.services.crediting import CreditedPartInput
from api.services.drafts import AllowanceInput, LotInput, PrepaymentInput
from api.services.service import Amount
from domain.credit_note import credit_note_stream
from domain.invoice import Document, invoice_stream
from domain.ports import LotAt
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from tests.api.services.desk import APPROVER, PREPARER, Counter
from tests.cases.books import Firm
from tests.cases.report import Record
from tests.cases.test_documents import items_of, sells_items, taxed
from tests.cases.test_published_taxes import firm_in, invoiced, sold
from tests.world import MONDAY, NEW_YEAR

MAY = date(2026, 5, 1)
Nets = Sequence[tuple[str, str]]
"""What each line comes to, and the kind of supply that it is."""


@dataclass(frozen=True)
class Example:
    """An example file: its rates, its lines, what stands on the document as a whole, and its totals."""

    case: str
    rates: tuple[str, str]
    lines: Nets
    net: str
    tax: str
    gross: str
    of_document: tuple[AllowanceInput, ...] = ()
    of_first_line: tuple[AllowanceInput, ...] = ()
    prepaid: str = "0"


def percent(kind: str, reason: str, base: int) -> AllowanceInput:
    return AllowanceInput(kind, reason, percent=Decimal(10), base=Decimal(base))


def amount(kind: str, reason: str, told: str) -> AllowanceInput:
    return AllowanceInput(kind, reason, Decimal(told))


PAPER: Nets = (("1000", "standard"), ("500", "standard"), ("2500", "reduced"))
EXAMPLES = (
    Example("EN-4", ("25", "12"), PAPER, "4000", "675", "4675"),
    Example(
        "EN-5",
        ("25", "12"),
        PAPER,
        "4000",
        "675",
        "4675",
        of_document=(percent("allowance", "Loyal customer", 1500), percent("charge", "Packaging", 1500)),
        of_first_line=(percent("allowance", "Loyal customer", 1000), percent("charge", "Packaging", 1000)),
        prepaid="2337.50",
    ),
    Example("EN-9", ("21", "0"), [("49", "standard")] * 3, "147.00", "30.87", "177.87"),
    Example(
        "PEPPOL-BASE",
        ("25", "0"),
        (("2800", "standard"), ("-1500", "standard")),
        "1325",
        "331.25",
        "1656.25",
        of_document=(amount("charge", "Insurance", "25"),),
    ),
    Example(
        "PEPPOL-S",
        ("25", "15"),
        (("4000", "standard"), ("2000", "reduced"), ("900", "standard")),
        "7000",
        "1550",
        "8550",
        of_document=(amount("charge", "Cleaning", "200"), amount("allowance", "Discount", "100")),
    ),
    Example("XR-01.01", ("19", "7"), (("288.79", "reduced"), ("26.07", "reduced")), "314.86", "22.04", "336.90"),
    Example(
        "XR-01.05",
        ("19", "7"),
        (("6700", "standard"), ("1500", "standard"), ("450", "standard"), ("220", "standard")),
        "8870",
        "1685.30",
        "10555.30",
    ),
    Example("ZF-SIMPLE", ("19", "7"), (("198", "standard"), ("275", "reduced")), "473", "56.87", "529.87"),
)


def asked(counter: Counter, service: str, who: Any = PREPARER, **fields: Any) -> None:
    """A service is asked; each kind of question has a key of its own."""
    counter.ask(service, who, key=f"{service}-{len(counter.world.names())}", **fields)


def issued(counter: Counter, example: Example) -> Document:
    """The example as people at a desk make it."""
    firm = counter.world
    assert isinstance(firm, Firm)
    if Decimal(example.prepaid):
        money = Amount(Decimal(example.prepaid), "EUR")
        asked(counter, "receive-payment", payment="p-1", customer="C-1", entity="DE01", amount=money)
    lots = tuple(LotInput(each.stream, each.lot) for each in items_of(firm))
    asked(counter, "request-invoice", engagement="E-1", invoice="I-1", lots=lots, layout="detail")
    if example.of_first_line:
        asked(counter, "state-allowances", invoice="I-1", line=1, allowances=example.of_first_line)
    if example.of_document:
        asked(counter, "state-allowances", invoice="I-1", allowances=example.of_document)
    if Decimal(example.prepaid):
        prepaid = (PrepaymentInput("p-1", Amount(Decimal(example.prepaid), "EUR")),)
        asked(counter, "state-prepayments", invoice="I-1", prepayments=prepaid)
    asked(counter, "approve-invoice", APPROVER, invoice="I-1")
    asked(counter, "issue-invoice", invoice="I-1")
    document: Document = firm.read(invoice_stream("I-1")).document
    return document


@pytest.mark.parametrize("example", EXAMPLES, ids=[each.case for each in EXAMPLES])
def test_an_example_is_issued_and_taken_back_in_both_forms(case: Record, example: Example) -> None:
    """A credit note and a negative invoice over everything have the totals of the invoice (Peppol: corrections)."""
    for form in ("381", "380"):
        firm = sells_items(taxed(Firm(), *example.rates), [(Decimal(net), kind) for net, kind in example.lines])
        counter = Counter(firm)
        document = issued(counter, example)
        totals = [document.net.amount, document.tax.amount, document.gross.amount]
        case(
            example.case,
            "net, tax, gross",
            [Decimal(each) for each in (example.net, example.tax, example.gross)],
            totals,
        )
        assert document.payable.amount == Decimal(example.gross) - Decimal(example.prepaid)
        parts = tuple(CreditedPartInput(line.line) for line in document.lines if line.adjustment is None)
        told = {"invoice": "I-1", "parts": parts, "reason": "All of it.", "credit_note": "CN-1", "form": form}
        asked(counter, "draft-credit-note", **told)
        asked(counter, "approve-credit-note", APPROVER, credit_note="CN-1")
        asked(counter, "issue-credit-note", credit_note="CN-1")
        credit = firm.read(credit_note_stream("CN-1")).credit
        case(example.case, "taken back", totals, [credit.net.amount, credit.tax.amount, credit.gross.amount])


def test_new_zealand_charges_for_shipping_on_the_whole_invoice(case: Record) -> None:
    firm = sold(firm_in("NZ", "NZD"), "299.90", "1000", "187.50")
    document = invoiced(firm)
    found = [document.net.amount, document.tax.amount, document.gross.amount]
    case("ANZ-LINES", "net, tax, gross", [Decimal("1487.40"), Decimal("223.11"), Decimal("1710.51")], found)


def test_an_energy_bill_in_australia_has_prices_of_four_digits_and_a_rebate_without_tax(case: Record) -> None:
    """325.2 kWh at 0.3968, 31 days at 0.9803; the rebate of 13.50 is given on a service that bears no tax."""
    firm = sells_items(taxed(Firm(), "10"), [(Decimal("-13.50"), "exempt")])
    card = rate_card_stream("line", "E-1", "L1")
    for price, since in (("0.3968", NEW_YEAR), ("0.9803", MAY)):
        firm.tell(card, SetRate(RateRow(price, firm.money(price), since)))
    power, supply = ["24"] * 13 + ["13.2"], ["20", "11"]
    lots = [*items_of(firm), *worked(firm, MONDAY, power), *worked(firm, MAY, supply)]
    document = billed(firm, lots)
    nets = sorted(line.net.amount for line in document.lines)
    case("AU-ENERGY", "lines", [Decimal("-13.50"), Decimal("30.39"), Decimal("129.04")], nets)
    totals = [document.tax.amount, document.gross.amount]
    case("AU-ENERGY", "tax and gross", [Decimal("15.94"), Decimal("161.87")], totals)


def worked(firm: Firm, first: date, hours: Sequence[str]) -> list[LotAt]:
    """So much on each day."""
    lots: list[LotAt] = []
    for place, each in enumerate(hours):
        on = first + timedelta(days=place)
        sheet = firm.work(f"{on}", each, day=(on - MONDAY).days)
        lots += [at for at in firm.lots(sheet) if at not in lots]
    return lots


def billed(firm: Firm, lots: Sequence[LotAt], base_quantity: Decimal = Decimal(1)) -> Document:
    """The lots on an issued invoice, whose first price is for so many units."""
    counter = Counter(firm)
    told = tuple(LotInput(each.stream, each.lot) for each in lots)
    asked(counter, "request-invoice", engagement="E-1", invoice="I-1", lots=told, cut_off=date(2026, 12, 31))
    asked(counter, "state-allowances", invoice="I-1", line=1, allowances=(), base_quantity=base_quantity)
    asked(counter, "approve-invoice", APPROVER, invoice="I-1")
    asked(counter, "issue-invoice", invoice="I-1")
    document: Document = firm.read(invoice_stream("I-1")).document
    return document


def test_the_price_of_twelve_months_stands_on_a_line_of_kilowatts(case: Record) -> None:
    """132 kW at 15.24 for twelve months come to 167.64 for one."""
    firm = taxed(Firm(hourly="1.27"), "21").sells()
    (line,) = billed(firm, worked(firm, MONDAY, ["22"] * 6), Decimal(12)).lines
    found = [line.quantity, line.price, line.base_quantity, line.net.amount]
    case(
        "EN-8",
        "quantity, price, base quantity, net",
        [Decimal(132), Decimal("15.24"), Decimal(12), Decimal("167.64")],
        found,
    )
