"""Examples of IFRS 15 and IAS 11 in which the price depends on what customers do later; ``examples`` names each."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from domain.contract import ContractLine, FixedFeeSchedule, Instalment, PercentComplete, Revenue
from domain.engagement.schedule import FallDue
from domain.invoice import RecordPayment, invoice_stream
from tests.cases.report import Record
from tests.cases.test_standards import APRIL, JUNE, MARCH, MAY, Contract, cents, delivered, measured, money
from tests.world import ENGAGEMENT, NINE


def test_x22_what_may_be_given_back_is_not_revenue(case: Record) -> None:
    """100 products at 100, of which three are expected to come back."""
    product = delivered("L1", 10_000, revenue=Revenue("point_in_time", constrained=money(300)))
    firm = Contract(product).takes_over("L1").bills_what_is_open(APRIL)
    case("X22", "revenue", cents(9_700), firm.earned("L1"))
    case("X22", "receivable", Decimal(10_000), firm.balances()["AR"])
    case("X22", "liability to give back", Decimal(-300), firm.contract_position())


def test_x23_a_price_that_the_customer_will_probably_be_let_off(case: Record) -> None:
    """1,000 units at 100, with a concession of 20 % that is expected."""
    units = delivered("L1", 100_000, revenue=Revenue("point_in_time", constrained=money(20_000)))
    case("X23A", "revenue", cents(80_000), Contract(units).takes_over("L1").earned("L1"))


def test_x32_what_is_paid_to_the_customer_takes_its_share_off_each_sale(case: Record) -> None:
    """15 million are sold in a year, and 1.5 million are paid to the customer: of 2 million 10 % are not revenue."""
    billing = PercentComplete(money(15_000_000), "units", Decimal(15_000_000))
    revenue = Revenue("percent_complete", "units", Decimal(15_000_000), constrained=money(1_500_000))
    firm = Contract(ContractLine("L1", "Goods", billing, revenue)).measures("L1", 2_000_000)
    case("X32", "revenue of the first month", cents(1_800_000), firm.earned("L1"))


def test_x49_a_discount_on_later_purchases_has_its_part_of_the_price(case: Record) -> None:
    """Of 100, the option on 40 % off is worth 12: the standard rounds to 89 and 11."""
    option = measured("option", 0, 12, stand_alone_price=money(12))
    firm = Contract(delivered("A", 100, 100), option).takes_over("A")
    firm.measures("option", 12, on=MAY)
    case("X49", "product and option", cents("89.29", "10.71"), firm.earned("A", "option"))


def test_ias_11_a_variation_in_the_second_of_three_years(case: Record) -> None:
    """9,000 for a bridge, 9,200 from year 2; materials of 100 that wait for year 3 do not count as progress."""
    firm = Contract(measured("L1", 9_000, 8_050, "cost"))
    firm.measures("L1", 2_093, "cost", MARCH)
    years = firm.earned("L1")
    firm.becomes(measured("L1", 9_200, 8_200, "cost"), on=APRIL)
    for done, on in ((6_068, MAY), (8_200, JUNE)):
        firm.measures("L1", done, "cost", on)
        years.append(firm.earned("L1")[0] - sum(years))
    case("IAS11", "revenue by year", cents(2_340, 4_468, 2_392), years)
    firm.proven()


def test_ifric_22_an_advance_keeps_its_rate_and_the_rest_has_that_of_the_delivery(case: Record) -> None:
    """FC100, of which FC40 on 1 August and the rest after the delivery on 1 September; the rates are ours."""
    advance, delivery, paid = date(2026, 8, 1), date(2026, 9, 1), date(2026, 9, 30)
    parts = (Instalment("1", "Advance", advance, money(40)), Instalment("2", "Rest", delivery, money(60)))
    line = ContractLine("L1", "Goods", FixedFeeSchedule(money(100), parts), Revenue("completed_contract"))
    firm = Contract(line, functional="USD")
    for day, rate in ((date(2026, 4, 1), "1.40"), (advance, "1.50"), (delivery, "1.70"), (paid, "1.90")):
        firm.rate_on(day, "EUR", "USD", rate)
    firm.tell(ENGAGEMENT, FallDue(advance, NINE))
    firm.bills_what_is_open(advance)
    firm.tell(invoice_stream("I-1"), RecordPayment("P-1", advance, money(40)))
    firm.completes("L1", delivery).tell(ENGAGEMENT, FallDue(delivery, NINE))
    firm.bills_what_is_open(delivery)
    case("IFRIC22-2", "revenue: 40 at 1.50 and 60 at 1.70", Decimal(162), -firm.balances()["REVENUE_FIXED"])
    case("IFRIC22-2", "receivable: 60 at 1.70", Decimal(102), firm.balances()["AR"])
    firm.tell(invoice_stream("I-2"), RecordPayment("P-2", paid, money(60)))
    case("IFRIC22-2", "exchange gain of the receipt at 1.90", Decimal(12), -firm.balances()["FX_REALISED"])


def test_a_bonus_that_is_not_highly_probable_is_left_out_of_progress(case: Record) -> None:
    """4 million and a bonus of 1 million; 0.5 of 2.5 million of cost are spent."""
    billing = PercentComplete(money(5_000_000), "cost", Decimal(2_500_000))
    revenue = Revenue("percent_complete", "cost", Decimal(2_500_000), constrained=money(1_000_000))
    firm = Contract(ContractLine("L1", "Building", billing, revenue))
    firm.spends("L1", "to date", 500_000, MARCH)
    case("AMOS", "revenue", cents(800_000), firm.earned("L1"))


def test_the_same_change_is_prospective_or_catches_up_by_what_remains(case: Record) -> None:
    """36 months at 1,000; after 12 the others cost 30,000: 1,250 a month, or 14,000 to date and then 1,166.67."""
    for distinct, to_date, next_month in ((True, "12000", "13250"), (False, "14000", "15166.67")):
        firm = Contract(measured("L1", 36_000, 36)).measures("L1", 12)
        firm.becomes(measured("L1", 42_000, 36), on=MARCH, distinct=distinct)
        earned = firm.earned("L1")
        firm.measures("L1", 13, on=APRIL)
        name = "prospective" if distinct else "cumulative catch-up"
        case("CADEL", f"{name}: to date, and a month later", cents(to_date, next_month), earned + firm.earned("L1"))
        firm.proven()
