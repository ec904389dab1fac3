"""Published cases of document totals: what is on the lines is agreed, accepted or worked, billed and issued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from adapters.policy_packs.tax_packs import pack_of
from api.services.drafts import AllowanceInput, LotInput, PrepaymentInput
from api.services.service import Amount
from domain.contract import ContractLine, FixedFeeMilestones, ManagedService, Milestone
from domain.engagement import AcceptMilestone, AgreeLine
from domain.engagement.schedule import FallDue, GiveServiceCredit
from domain.invoice import Document, invoice_stream
from domain.kernel import stream_of
from domain.lots import LotStatus
from domain.money import Money
from domain.ports import LotAt
from domain.reference.customer import DescribeCustomer
from domain.reference.legal_entity import DefineLegalEntity
from domain.reference.tax_pack import RoundingPolicy, TaxPack
from domain.reference.tax_rule import PublishTaxPack
from domain.timesheet import timesheet_stream
from tests.api.services.desk import APPROVER, PREPARER, Counter
from tests.cases.books import Firm
from tests.cases.report import Record, published
from tests.world import CUSTOMER, ENGAGEMENT, MONDAY, NINE, PROJECT

COUNTRY = "DK"
"""Where the firm and its customer are, so that the pack below decides, and no rule of the firm's own."""


def number(value: object) -> Decimal:
    return Decimal(str(value).rstrip("%").strip())


TO_THE_CENT: Final = RoundingPolicy()


def taxed(firm: Firm, standard: object, reduced: object = 0, rounding: RoundingPolicy = TO_THE_CENT) -> Firm:
    """The firm and its customer are in a country with these two rates."""
    terms = firm.read(stream_of("legal_entity", "DE01")).versions[-1]
    moved = replace(terms, address=replace(terms.address, country=COUNTRY), effective_from=date(2026, 1, 2))
    firm.tell(stream_of("legal_entity", "DE01"), DefineLegalEntity("DE01", moved))
    firm.tell(CUSTOMER, DescribeCustomer("C-1", {"country": COUNTRY}, NINE))
    firm.tell(
        stream_of("tax_rule", COUNTRY),
        PublishTaxPack(replace(_pack(number(standard), number(reduced)), rounding=rounding)),
    )
    return firm


def _pack(standard: Decimal, reduced: Decimal) -> TaxPack:
    """After the pattern of a published one."""
    pattern = pack_of("DE")
    assert pattern is not None

    def moved(places: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(COUNTRY if place == "DE" else place for place in places)

    rules = tuple(replace(rule, places=moved(rule.places), not_places=moved(rule.not_places)) for rule in pattern.rules)
    rates = tuple(replace(rate, percent=standard if rate.rate == "standard" else reduced) for rate in pattern.rates)
    return replace(pattern, jurisdiction=COUNTRY, rules=rules, rates=rates)


def sells_items(firm: Firm, nets: Sequence[tuple[Decimal, str]]) -> Firm:
    """Each amount is due to be billed: above zero as an accepted milestone, below zero as what is taken off a service.

    The months of the services are on an earlier invoice, so that nothing but these amounts is open.
    """
    firm.sells()
    services = _services(firm, [(-net, kind) for net, kind in nets if net < 0])
    if services:
        firm.tell(ENGAGEMENT, FallDue(MONDAY, NINE))
        issued(firm, items_of(firm), invoice="I-0")
    for line, fee in services:
        firm.tell(ENGAGEMENT, GiveServiceCredit(line, "C1", MONDAY, fee, "Discount", "ann", NINE))
    for kind in ("standard", "reduced"):
        _milestones(firm, kind, [net for net, category in nets if category == kind and net > 0])
    return firm


def _services(firm: Firm, fees: Sequence[tuple[Decimal, str]]) -> list[tuple[str, Money]]:
    starts = MONDAY.replace(day=1)
    lines = [
        ContractLine(f"service-{place}", "Service", ManagedService(firm.money(fee), starts), tax_category=kind)
        for place, (fee, kind) in enumerate(fees)
    ]
    firm.tell(ENGAGEMENT, *(AgreeLine(line) for line in lines))
    return [(line.line, firm.money(fee)) for line, (fee, _) in zip(lines, fees, strict=True)]


def _milestones(firm: Firm, kind: str, nets: Sequence[Decimal]) -> None:
    if not nets:
        return
    items = tuple(Milestone(f"M{place}", "Item", firm.money(net)) for place, net in enumerate(nets))
    firm.tell(ENGAGEMENT, AgreeLine(ContractLine(kind, kind, FixedFeeMilestones(milestones=items), tax_category=kind)))
    firm.tell(ENGAGEMENT, *(AcceptMilestone(kind, item.milestone, MONDAY, "mail", "ann", NINE) for item in items))


def issued(
    firm: Firm, lots: Sequence[LotAt], *, allowances: tuple[AllowanceInput, ...] = (), invoice: str = "I-1"
) -> Document:
    """The lots, a line for each, on an issued invoice."""
    counter = Counter(firm)
    named = tuple(LotInput(each.stream, each.lot) for each in lots)
    counter.ask(
        "request-invoice",
        PREPARER,
        key=f"{invoice}-request-invoice",
        engagement="E-1",
        invoice=invoice,
        lots=named,
        layout="detail",
    )
    if allowances:
        counter.ask(
            "state-allowances",
            PREPARER,
            key=f"{invoice}-state-allowances",
            invoice=invoice,
            line=1,
            allowances=allowances,
        )
    counter.ask("approve-invoice", APPROVER, key=f"{invoice}-approve-invoice", invoice=invoice)
    counter.ask("issue-invoice", PREPARER, key=f"{invoice}-issue-invoice", invoice=invoice)
    document: Document = firm.read(invoice_stream(invoice)).document
    return document


def items_of(firm: Firm) -> list[LotAt]:
    book = firm.read(ENGAGEMENT).lots
    return [LotAt(ENGAGEMENT, name) for name, held in book.items() if held.status is LotStatus.OPEN]


def document_of(rate: object, *nets: object) -> Document:
    firm = taxed(Firm(), rate)
    return issued(firm, items_of(sells_items(firm, [(number(net), "standard") for net in nets])))


def test_h33_twenty_lines_at_two_rates_one_of_them_below_zero(case: Record) -> None:
    told = published()["H33"]
    expected = told["expected"]
    kinds = {"21": "standard", "6": "reduced"}
    nets = [(number(net), kinds[str(rate)]) for net, rate in told["inputs"]["lines"]]
    firm = taxed(Firm(), "21", "6")
    document = issued(firm, items_of(sells_items(firm, nets)))
    assert len(document.lines) == len(nets)
    by_rate = {f"{each.rate.normalize():f}": each.tax.amount for each in document.taxes}
    for rate, tax in expected["vat"].items():
        case("H33", f"tax at {rate} %", number(tax), by_rate[rate])
    case("H33", "net", number(expected["net"]), document.net.amount)
    case("H33", "gross", number(expected["gross"]), document.gross.amount)


def test_h39_a_discount_of_four_percent_is_rounded_before_tax(case: Record) -> None:
    firm = taxed(Firm(hourly="348.35"), "22").sells()
    firm.tell(PROJECT)
    firm.works("16")
    lots = firm.lots(timesheet_stream("W-1", MONDAY))
    document = issued(firm, lots, allowances=(AllowanceInput("allowance", "Discount", percent=Decimal(4)),))
    case("H39", "a: gross", number(published()["H39"]["expected"]["a"]), document.gross.amount)


def test_h39_tax_is_of_the_invoice_and_not_of_its_lines(case: Record) -> None:
    expected = published()["H39"]["expected"]
    case("H39", "b: tax", number(expected["b"]), document_of(23, "55.55", "11.11").tax.amount)
    discounted = document_of("8.5", "598.89", "329.84", "-59.89", "-32.98")
    case("H39", "c: tax", number(expected["c"]), discounted.tax.amount)
    case("H39", "d: tax", number(expected["d"]), document_of(21, "9.37").tax.amount)


def test_h39_yen_have_no_minor_unit(case: Record) -> None:
    firm = taxed(Firm(functional="JPY", currency="JPY", hourly="100.5"), "0").sells()
    document = issued(firm, firm.works("1", "1"))
    assert [line.net for line in document.lines] == [Money(Decimal(101), "JPY")] * 2
    case("H39", "e: net", number(published()["H39"]["expected"]["e"]), document.net.amount)


def test_the_rates_of_a_case_are_those_of_its_pack() -> None:
    document = document_of(25, "1460.50")
    assert (document.tax, document.gross) == (Money(Decimal("365.13"), "EUR"), Money(Decimal("1825.63"), "EUR"))


def test_the_ubl_example_with_three_taxes_a_line_below_zero_and_an_amount_paid_in_whole_units() -> None:
    """OASIS UBL 2.1, UBL-Invoice-2.1-Example: 1,436.50 net, 100 on and off, tax 292.20, 1,000 paid before, due 729."""
    firm = taxed(Firm(), "20", "10", RoundingPolicy(payable_step=Decimal(1)))
    nets = [("1273", "standard"), ("-3.96", "reduced"), ("4.96", "reduced"), ("-25", "exempt"), ("187.50", "standard")]
    sells_items(firm, [(number(net), kind) for net, kind in nets])
    counter = Counter(firm)
    cash: dict[str, Any] = {
        "payment": "p-1",
        "customer": "C-1",
        "entity": "DE01",
        "amount": Amount(Decimal(1000), "EUR"),
    }
    counter.ask("receive-payment", PREPARER, key="paid", **cash)
    lots = tuple(LotInput(each.stream, each.lot) for each in items_of(firm))
    draft: dict[str, Any] = {"engagement": "E-1", "invoice": "I-1", "lots": lots, "layout": "detail"}
    counter.ask("request-invoice", PREPARER, key="draft", **draft)
    of_document = tuple(AllowanceInput(kind, "Agreed", Decimal(100)) for kind in ("charge", "allowance"))
    counter.ask("state-allowances", PREPARER, key="allowances", invoice="I-1", allowances=of_document)
    prepaid = (PrepaymentInput("p-1", Amount(Decimal(1000), "EUR")),)
    counter.ask("state-prepayments", PREPARER, key="prepaid", invoice="I-1", prepayments=prepaid)
    counter.ask("approve-invoice", APPROVER, key="approve", invoice="I-1")
    counter.ask("issue-invoice", PREPARER, key="issue", invoice="I-1")
    document: Document = firm.read(invoice_stream("I-1")).document
    found = {(each.category, str(each.rate)): (each.taxable.amount, each.tax.amount) for each in document.taxes}
    assert found == {
        ("S", "20"): (Decimal("1460.50"), Decimal("292.10")),
        ("S", "10"): (Decimal("1.00"), Decimal("0.10")),
        ("E", "0"): (Decimal(-25), Decimal(0)),
    }
    assert (document.net, document.tax) == (firm.money("1436.50"), firm.money("292.20"))
    assert (document.payable_rounding, document.payable) == (firm.money("0.30"), firm.money("729.00"))
