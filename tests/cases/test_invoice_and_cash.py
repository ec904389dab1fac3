"""Published cases of invoices and of what they lead to in cash, through services and read models.

The numbers of the cases are read from their file; each test is named by the id of its case.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.policy_packs.tax_packs import pack_of
from api.services.drafts import AllowanceInput, PrepaymentInput
from api.services.payments import AllocationInput
from api.services.service import Amount
from domain.contract import BillToShare, FixedFeeMilestones, Milestone, TimeAndMaterials
from domain.engagement import AcceptMilestone, AgreeLine, ContractLine
from domain.invoice import Issued, invoice_stream
from domain.kernel import stream_of
from domain.money import Money
from domain.payment import payment_stream
from domain.project import ConfirmSetUp
from domain.reference.customer import DescribeCustomer
from domain.reference.legal_entity import DefineLegalEntity
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.reference.resource import DescribeResource
from domain.reference.tax_pack import TaxPack
from domain.reference.tax_rule import PublishTaxPack, SetTaxRule, TaxRule
from domain.timesheet import ApproveTime, Claim, LogTime, Work, timesheet_stream
from projections.invoices.fold import INVOICES
from projections.invoices.payments_fold import PAYMENTS
from tests.api.services.desk import APPROVER, PREPARER, Counter
from tests.cases.books import Firm
from tests.cases.report import Record, published
from tests.projections.books import fold
from tests.world import CUSTOMER, ENGAGEMENT, MONDAY, NEW_YEAR, NINE, World, euros

MAY = date(2026, 5, 1)


def amount(value: object) -> Amount:
    return Amount(Decimal(str(value)), "EUR")


def taxed(world: World, percent: object) -> None:
    """Services of the firm at home are taxed at this rate."""
    category = "S" if Decimal(str(percent)) else "Z"
    rule = TaxRule(date(2026, 1, 2), "DE", category, Decimal(str(percent)))  # type: ignore[arg-type]  # one of the two
    world.tell(stream_of("tax_rule", "DE"), SetTaxRule("DE", rule))


def priced(world: World, *, rate: object, cost: object) -> None:
    """Everybody is billed at one rate and costs one rate."""
    row = RateRow("senior", euros(str(rate)), NEW_YEAR, role="Senior")
    world.tell(rate_card_stream("firm", "FIRM"), SetRate(row))
    resource = stream_of("resource", "W-1")
    terms = replace(world.read(resource).versions[-1], effective_from=date(2026, 1, 2), cost_rate=euros(str(cost)))
    world.tell(resource, DescribeResource("W-1", terms))


def issued(counter: Counter, invoice: str = "I-1") -> Issued:
    """The lots that are there, drafted, approved and issued by the services."""
    if not isinstance(counter.world.read(invoice_stream(invoice)), Issued):
        counter.ask("approve-invoice", APPROVER, invoice=invoice)
        counter.ask("issue-invoice", PREPARER, invoice=invoice)
    state = counter.world.read(invoice_stream(invoice))
    assert isinstance(state, Issued)
    return state


def row_of(world: World, invoice: str = "I-1") -> Any:
    """The invoice as the read models show it."""
    (row,) = fold(world.ledger).fetch(INVOICES, [(invoice,)])
    return row


def test_s1_eight_hours_are_billed_with_tax_and_paid(case: Record) -> None:
    told = published()["S1"]
    given, expected = told["inputs"], told["expected"]
    world = World().firm().contract()
    taxed(world, given["vat"].rstrip("%"))
    priced(world, rate=given["rate"], cost=given["cost"])
    counter = Counter(world)
    world.work("1", str(given["hours"]))
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-1")
    issued(counter)
    row = row_of(world)
    case("S1", "invoice net", Decimal(expected["revenue"]), row.net)
    case("S1", "invoice gross", Decimal(expected["invoice_gross"]), row.gross)
    assert row.due == row.gross
    cash = {"payment": "p-1", "customer": "C-1", "entity": "DE01", "amount": amount(expected["invoice_gross"])}
    counter.ask("receive-payment", PREPARER, **cash, invoices=(AllocationInput("I-1"),))  # type: ignore[arg-type]
    row = row_of(world)
    assert (row.status, row.paid, row.due) == ("paid", expected["invoice_gross"], 0)
    (receipt,) = fold(world.ledger).fetch(PAYMENTS, [("p-1",)])
    assert receipt.on_account == 0


@pytest.mark.parametrize("functional", ["EUR", "USD"])
def test_a_bad_debt_without_its_tax_is_the_loss(case: Record, functional: str) -> None:
    """5,000 and 20 % of tax are not paid: 5,000 are lost, and 1,000 of tax are claimed back at the invoice's rate."""
    firm = Firm(vat="20", hourly="625", functional=functional)
    if functional != "EUR":
        for day, rate in ((MONDAY, "1.10"), (date(2026, 4, 1), "1.10"), (date(2026, 12, 1), "1.20")):
            firm.rate_on(day, "EUR", functional, rate)
    firm.sells()
    firm.bills("I-1", firm.works("8"))
    reason, on = "Insolvent for six months.", date(2026, 12, 1)
    Counter(firm).ask("write-off-receivable", APPROVER, invoice="I-1", reason=reason, on=on, tax=amount(1000))
    (entry,) = firm.entries("a receivable is given up", functional=True)
    carried = Decimal(1) if functional == "EUR" else Decimal("1.10")
    expected = {"BAD_DEBT": 5000 * carried, "TAX_OUT": 1000 * carried, "AR": -6000 * carried}
    case("BAD-DEBT", f"write-off, {functional}", expected, entry)
    assert firm.balances()["AR"] == firm.balances()["TAX_OUT"] == 0


def held_back(bill: object, percent: object) -> World:
    """A milestone of which the customer keeps a part back is accepted and billed without tax."""
    milestone = Milestone("M1", "Go-live", euros(str(bill)))
    line = ContractLine(
        "L1", "Build", FixedFeeMilestones(milestones=(milestone,)), holdback_percent=Decimal(str(percent))
    )
    world = World().firm().contract(line=line)
    taxed(world, 0)
    world.tell(ENGAGEMENT, AcceptMilestone("L1", "M1", MONDAY, "mail of 2 March", "paul", NINE))
    counter = Counter(world)
    assert world.read(ENGAGEMENT).lots
    world.draft("I-1", world.lots(ENGAGEMENT))
    issued(counter)
    return world


@pytest.mark.parametrize(
    ("name", "bill", "percent"),
    [
        ("H13", "bill", "retention_pct"),
        ("RET", "progress_bill", "ret_pct"),
    ],
)
def test_h13_and_ret_a_part_of_the_bill_is_kept_back_and_later_released(name: str, bill: str, percent: str) -> None:
    told = published()[name]
    expected = told["expected"]
    world = held_back(told["inputs"][bill], told["inputs"][percent])
    row = row_of(world)
    assert (row.due, row.held_back) == (expected["ar"], expected["retention"])
    counter = Counter(world)
    counter.ask("release-holdback", PREPARER, invoice="I-1", reason="Final acceptance.", on=MAY)
    row = row_of(world)
    assert (row.due, row.held_back) == (expected["ar"] + expected["retention"], 0)


def test_h13_what_was_kept_back_is_asked_for_by_an_invoice_of_its_own() -> None:
    told = published()["H13"]
    expected = told["expected"]
    world = held_back(told["inputs"]["bill"], told["inputs"]["retention_pct"])
    counter = Counter(world)
    answer = counter.ask(
        "release-holdback", PREPARER, invoice="I-1", reason="Final acceptance.", own_invoice=True, on=MAY
    )
    own = next(stream.partition(":")[2] for stream in answer.states if stream != invoice_stream("I-1"))
    assert row_of(world).held_back == expected["retention"], "until that invoice is issued it is kept back"
    released = issued(counter, own)
    assert (released.document.gross, released.document.tax) == (euros(expected["retention"]), euros(0))
    assert (row_of(world).due, row_of(world).held_back) == (expected["ar"], 0)
    assert row_of(world, own).due == expected["retention"]


def danish(pack: TaxPack) -> TaxPack:
    """A pack of a country that taxes services at home at 25 %, after the pattern of a published one."""

    def moved(places: tuple[str, ...]) -> tuple[str, ...]:
        return tuple("DK" if place == "DE" else place for place in places)

    rules = tuple(replace(rule, places=moved(rule.places), not_places=moved(rule.not_places)) for rule in pack.rules)
    rates = tuple(replace(rate, percent=Decimal(25)) for rate in pack.rates)
    return replace(pack, jurisdiction="DK", rules=rules, rates=rates)


def test_h36_allowances_charges_a_base_quantity_an_exempt_line_and_a_prepayment(case: Record) -> None:
    told = published()["H36"]
    expected = told["expected"]
    world = World().firm()
    terms = world.read(stream_of("legal_entity", "DE01")).versions[-1]
    moved = replace(terms, address=replace(terms.address, country="DK"), effective_from=date(2026, 1, 2))
    world.tell(stream_of("legal_entity", "DE01"), DefineLegalEntity("DE01", moved))
    world.tell(CUSTOMER, DescribeCustomer("C-1", {"country": "DK"}, NINE))
    pack = pack_of("DE")
    assert pack is not None
    world.tell(stream_of("tax_rule", "DK"), PublishTaxPack(danish(pack)))
    world.contract()
    for line, tax_category in (("L2", "E"), ("L3", "standard")):
        world.tell(ENGAGEMENT, AgreeLine(ContractLine(line, line, TimeAndMaterials(), tax_category=tax_category)))
        world.tell(stream_of("project", f"P-1-{line}"), ConfirmSetUp("psa", line), ConfirmSetUp("erp", line))
    for priced_line, rate in (("L1", 410), ("L2", 100), ("L3", 100)):
        card = rate_card_stream("line", "E-1", priced_line)
        world.tell(card, SetRate(RateRow("all", euros(rate), NEW_YEAR)))
    sheet = timesheet_stream("W-1", MONDAY)
    for day, project in enumerate(("P-1-L1", "P-1-L2", "P-1-L3")):
        on = date(2026, 3, 2 + day)
        work = Work(project, None, on, Decimal(10), started="09:00:00")
        world.tell(sheet, LogTime("W-1", Claim("jira", str(day), NINE), work))
        world.tell(sheet, ApproveTime((f"jira:{day}",), "W-9", NINE))
    counter = Counter(world)
    cash = {"payment": "p-1", "customer": "C-1", "entity": "DE01", "amount": amount(told["inputs"]["prepaid"])}
    counter.ask("receive-payment", PREPARER, **cash)  # type: ignore[arg-type]
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-1")
    discount = AllowanceInput("allowance", "Discount", Decimal(101), reason_code="95")
    cleaning = AllowanceInput("charge", "Cleaning", Decimal(1), reason_code="CG")
    for number in (1, 3):
        counter.ask("state-allowances", PREPARER, invoice="I-1", line=number, allowances=(cleaning, discount))
    counter.ask("state-allowances", PREPARER, invoice="I-1", line=2, allowances=(), base_quantity=Decimal(2))
    freight = AllowanceInput("charge", "Freight", percent=Decimal(20), base=Decimal(1000))
    rebate = AllowanceInput("allowance", "Rebate", Decimal(200))
    counter.ask("state-allowances", PREPARER, invoice="I-1", allowances=(freight, rebate))
    prepaid = PrepaymentInput("p-1", amount(told["inputs"]["prepaid"]))
    counter.ask("state-prepayments", PREPARER, invoice="I-1", prepayments=(prepaid,))
    document = issued(counter).document
    assert [(line.net, line.price, line.base_quantity) for line in document.lines] == [
        (euros("4000.00"), Decimal(410), Decimal(1)),
        (euros("1000.00"), Decimal(200), Decimal(2)),
        (euros("900.00"), Decimal(100), Decimal(1)),
    ]
    figures = {"net": document.net, "vat": document.tax, "gross": document.gross, "due": document.payable}
    for name, figure in figures.items():
        case("H36", name, Decimal(expected[name]), figure.amount)
    row = row_of(world)
    assert (row.gross, row.due) == (expected["gross"], expected["due"])
    assert not world.read(payment_stream("p-1")).on_account


def test_work_is_split_between_customers_by_percent_to_the_cent() -> None:
    """Thirds of 1,000: 333.34, 333.33 and 333.33 (largest remainder, ties to the earlier line)."""
    shares = tuple(BillToShare(f"C-{n}", Decimal(percent)) for n, percent in ((1, "33.34"), (2, "33.33"), (3, "33.33")))
    line = ContractLine("L1", "Work", TimeAndMaterials(), bill_to=shares)
    world = World().firm().contract(line=line)
    described = {"name": "Other", "street": "Ring 1", "city": "Köln", "postal_code": "50667", "country": "DE"}
    for customer in ("C-2", "C-3"):
        world.tell(stream_of("customer", customer), DescribeCustomer(customer, described, NINE))
    world.tell(rate_card_stream("firm", "FIRM"), SetRate(RateRow("senior", euros("100.03"), NEW_YEAR, role="Senior")))
    world.work("1", "5")
    sheet = world.work("2", "5", day=1)
    counter = Counter(world)
    answer = counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-1")
    assert tuple(answer.states) == tuple(invoice_stream(name) for name in ("I-1", "I-1-2", "I-1-3"))
    nets = [issued(counter, name).document.net for name in ("I-1", "I-1-2", "I-1-3")]
    assert nets == [euros("333.50"), euros("333.40"), euros("333.40")]
    assert sum((net.amount for net in nets), Decimal(0)) == Decimal("1000.30")
    buyers = [issued(counter, name).document.buyer.id for name in ("I-1", "I-1-2", "I-1-3")]
    assert buyers == ["C-1", "C-2", "C-3"]
    live = [held for held in world.read(sheet).lots.values() if held.invoice]
    assert sorted({held.invoice for held in live if held.invoice}) == ["I-1", "I-1-2", "I-1-3"]
    assert Money(sum((held.lot.value.amount for held in live), Decimal(0)), "EUR") == euros("1000.30")
