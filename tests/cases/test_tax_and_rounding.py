"""Published cases on tax and rounding, each to the cent through the rules that invoices use.

The numbers of the cases that are shared are read from their file; further ones name their source.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.policy_packs.tax_packs import pack_of
from domain.invoice.totals import (
    AllowanceCharge,
    DocumentTotals,
    TaxedAdjustment,
    TaxedNet,
    document_totals,
    line_net,
    percentage,
)
from domain.kernel import stream_of
from domain.money import Money
from domain.reference.customer import DescribeCustomer
from domain.reference.tax_rule import PublishTaxPack
from domain.tax import TaxTreatment, net_and_gross
from tests.cases.report import Record, published
from tests.world import CUSTOMER, World

EXEMPT = TaxTreatment("E", Decimal(0), "Exempt", "VATEX-EU-132-1I")


def number(value: Any) -> Decimal:
    return Decimal(str(value).rstrip("%").strip())


def money(value: Any, currency: str = "EUR") -> Money:
    return Money(number(value), currency)


def standard(rate: Any) -> TaxTreatment:
    return TaxTreatment("S", number(rate))


def totals_of(*lines: tuple[Any, Any], prepaid: Any = 0) -> DocumentTotals:
    """A document of nets and the rates that they bear."""
    nets = [TaxedNet(money(net), (standard(rate),)) for net, rate in lines]
    return document_totals(nets, "EUR", prepaid=money(prepaid))


def test_h33_en_16931_guide_example_1() -> None:
    told = published()["H33"]
    found = totals_of(*told["inputs"]["lines"])
    expected = told["expected"]
    assert {f"{each.rate.normalize():f}": str(each.tax.amount) for each in found.taxes} == expected["vat"]
    assert (found.net, found.gross) == (money(expected["net"]), money(expected["gross"]))


def test_h36_peppol_allowance_example() -> None:
    told = published()["H36"]
    expected, rate = told["expected"], standard(told["inputs"]["rate"])
    off, on = (
        AllowanceCharge("allowance", money(101), "Discount", "95"),
        AllowanceCharge("charge", money(1), "Cleaning", "CG"),
    )
    lines = [
        TaxedNet(line_net(Decimal(410), Decimal(10), "EUR", adjustments=[on, off]), (rate,)),
        TaxedNet(line_net(Decimal(200), Decimal(10), "EUR", base_quantity=Decimal(2)), (EXEMPT,)),
        TaxedNet(line_net(Decimal(100), Decimal(10), "EUR", adjustments=[on, off]), (rate,)),
    ]
    of_document = [
        TaxedAdjustment(percentage("charge", Decimal(20), money(1000), "Cleaning", "CG"), (rate,)),
        TaxedAdjustment(AllowanceCharge("allowance", money(told["inputs"]["document allowance"]), "Discount"), (rate,)),
    ]
    found = document_totals(lines, "EUR", adjustments=of_document, prepaid=money(told["inputs"]["prepaid"]))
    assert [line.net for line in lines] == [money(4000), money(1000), money(900)]
    assert (found.net, found.tax) == (money(expected["net"]), money(expected["vat"]))
    assert (found.gross, found.due) == (money(expected["gross"]), money(expected["due"]))
    assert [(each.category, each.taxable) for each in found.taxes] == [("S", money(4900)), ("E", money(1000))]


def test_h39a_odoo_a_discount_of_four_percent_is_rounded_before_tax() -> None:
    item = line_net(Decimal("348.35"), Decimal(16), "EUR")
    net = line_net(
        Decimal("348.35"), Decimal(16), "EUR", adjustments=[percentage("allowance", Decimal(4), item, "Discount")]
    )
    assert totals_of((net.amount, 22)).gross == money(published()["H39"]["expected"]["a"])


def test_h39b_odoo_tax_is_of_the_invoice_not_of_its_lines() -> None:
    assert totals_of(("55.55", 23), ("11.11", 23)).tax == money(published()["H39"]["expected"]["b"])


def test_h39c_odoo_discounts_as_lines_reduce_the_base() -> None:
    lines = (("598.89", "8.5"), ("329.84", "8.5"), ("-59.89", "8.5"), ("-32.98", "8.5"))
    assert totals_of(*lines).tax == money(published()["H39"]["expected"]["c"])


def test_h39d_odoo_one_line_is_rounded_half_up() -> None:
    assert totals_of(("9.37", 21)).tax == money(published()["H39"]["expected"]["d"])


def test_h39e_odoo_yen_have_no_minor_unit() -> None:
    lines = [TaxedNet(line_net(Decimal("100.5"), Decimal(1), "JPY"), ()) for _ in range(2)]
    assert document_totals(lines, "JPY").net == money(published()["H39"]["expected"]["e"], "JPY")


@pytest.mark.parametrize("includes_tax", [False, True], ids=["excl", "incl"])
def test_h22_dynamics_the_price_of_an_expense_with_and_without_tax(includes_tax: bool) -> None:
    told = published()["H22"]
    cost, rate, markup = (number(told["inputs"][name]) for name in ("cost", "tax", "markup"))
    prices = [cost, cost * (100 + markup) / 100, cost + 10]
    found = [net_and_gross(Money(price, "EUR"), rate, includes_tax=includes_tax) for price in prices]
    expected = told["expected"]["incl" if includes_tax else "excl"]
    assert found == [(money(net), money(gross)) for net, gross in expected]


def test_s1_eight_hours_with_tax() -> None:
    told = published()["S1"]
    hours, rate = number(told["inputs"]["hours"]), number(told["inputs"]["rate"])
    found = totals_of((line_net(rate, hours, "EUR").amount, told["inputs"]["vat"]))
    assert (found.net, found.gross) == (money(told["expected"]["revenue"]), money(told["expected"]["invoice_gross"]))


def test_rc_a_german_firm_bills_a_french_business_with_reverse_charge(case: Record) -> None:
    told = published()["RC"]
    world = World().firm().contract()
    pack = pack_of("DE")
    assert pack is not None
    # The firm's own rule of the sample is for Germany alone, so that the pack decides about France.
    world.tell(stream_of("tax_rule", "DE"), PublishTaxPack(pack))
    french = {"country": "FR", "city": "Lyon", "tax_id": "FR40303265045"}
    world.tell(CUSTOMER, DescribeCustomer("C-1", french, datetime(2026, 3, 9, tzinfo=UTC)))
    world.draft("I-1", world.lots(world.work("1"))).approve("I-1").issue("I-1")
    document = world.read(stream_of("invoice", "I-1")).document
    (subtotal,) = document.taxes
    case("RC", "category", told["expected"]["category"], str(subtotal.category))
    case("RC", "vat", Decimal(told["expected"]["vat"]), document.tax.amount)
    assert subtotal.reason_code == "VATEX-EU-AE"
    assert document.gross == document.net
    assert subtotal.decided_by == "DE 2026.2, eu_business"


def test_en_16931_guide_example_2_half_a_cent_of_tax_is_rounded_up() -> None:
    assert totals_of(("1460.50", 25)).tax == money("365.13")


def test_peppol_base_example_two_lines_a_charge_and_a_payment_made_before() -> None:
    """The base example of Peppol BIS Billing 3.0: 7 x 400, -3 x 500, a charge of 25, all at 25 %."""
    rate = standard(25)
    lines = [
        TaxedNet(line_net(Decimal(400), Decimal(7), "EUR"), (rate,)),
        TaxedNet(line_net(Decimal(500), Decimal(-3), "EUR"), (rate,)),
    ]
    charge = TaxedAdjustment(AllowanceCharge("charge", money(25), "Insurance"), (rate,))
    found = document_totals(lines, "EUR", adjustments=[charge])
    assert (found.lines, found.charges, found.net) == (money(1300), money(25), money(1325))
    assert (found.tax, found.gross, found.due) == (money("331.25"), money("1656.25"), money("1656.25"))


def test_en_16931_br_co_16_the_amount_due_is_gross_less_prepaid_plus_rounding() -> None:
    found = totals_of(("100.00", 19), prepaid="19.00")
    assert found.due == found.gross - found.prepaid + found.payable_rounding == money(100)
