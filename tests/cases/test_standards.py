"""Examples of IFRS 15 and of textbooks, through commands and the journal; ``examples`` says where each is from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from domain.billing.credit_wishes import CreditWish
from domain.billing.crediting import transfer_lots
from domain.contract import (
    ContractLine,
    FixedFeeMilestones,
    FixedFeeSchedule,
    Instalment,
    ManagedService,
    Measure,
    Milestone,
    PercentComplete,
    Revenue,
)
from domain.credit_note import RebillTo
from domain.engagement import AgreeLine, LineIsBilled, OpenEngagement, SignEngagement
from domain.engagement.agreement import CompleteEngagement
from domain.engagement.change_orders import ApproveChangeOrder, ProposeChangeOrder
from domain.engagement.milestones import AcceptMilestone
from domain.engagement.progress import MeasureProgress, RecordCost, ReviseEstimate
from domain.engagement.schedule import FallDue, GiveServiceCredit
from domain.invoice import RecordPayment, invoice_stream
from domain.lots import LotStatus
from domain.money import Money
from projections.journal.tables import LINES
from tests.cases.books import Firm
from tests.cases.report import Record
from tests.domain.test_crediting import credit
from tests.projections.books import fold, folded
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE

POINT = Revenue("point_in_time")
MARCH, APRIL, MAY, JUNE = (date(2026, month, 30) for month in (3, 4, 5, 6))


def money(amount: object) -> Money:
    return Money(Decimal(str(amount)), "EUR")


def delivered(name: str, price: object, alone: object = None, revenue: Revenue | None = None) -> ContractLine:
    """A product that is billed and earned when the customer takes it over."""
    milestones = (Milestone("all", f"Product {name}", money(price)),)
    own = money(alone) if alone is not None else None
    return ContractLine(name, name, FixedFeeMilestones(milestones=milestones), revenue, stand_alone_price=own)


def measured(
    name: str,
    price: object,
    whole: object,
    measure: Measure = "units",
    *,
    precision: int | None = None,
    **terms: object,
) -> ContractLine:
    """What is billed and earned by a measure of progress."""
    billing = PercentComplete(money(price), measure, Decimal(str(whole)), precision)
    revenue = Revenue("percent_complete", measure, Decimal(str(whole)), precision=precision)
    return ContractLine(name, name, billing, revenue, **terms)  # type: ignore[arg-type]


def scheduled(name: str, revenue: Revenue, *parts: tuple[date, object], alone: object = None) -> ContractLine:
    """A price that is billed on set days."""
    instalments = tuple(
        Instalment(f"{place}", f"{name} {place}", day, money(amount)) for place, (day, amount) in enumerate(parts, 1)
    )
    price = money(sum((each.amount.amount for each in instalments), Decimal(0)))
    own = money(alone) if alone is not None else None
    return ContractLine(name, name, FixedFeeSchedule(price, instalments), revenue, stand_alone_price=own)


class Contract(Firm):
    """A contract of several promises."""

    def __init__(self, *lines: ContractLine, functional: str = "EUR") -> None:
        super().__init__(functional=functional)
        self.tell(ENGAGEMENT, OpenEngagement("E-1", "Example", "C-1", "DE01", "EUR"))
        self.tell(ENGAGEMENT, SignEngagement(NEW_YEAR, NEW_YEAR), *(AgreeLine(each) for each in lines))
        self.invoices = 0

    def takes_over(self, line: str, on: date = MONDAY) -> Contract:
        self.tell(ENGAGEMENT, AcceptMilestone(line, "all", on, "mail", "pm", NINE))
        return self

    def measures(self, line: str, done: object, measure: Measure = "units", on: date = MONDAY) -> Contract:
        self.tell(ENGAGEMENT, MeasureProgress(line, on, Decimal(str(done)), measure, "report", "pm", NINE))
        return self

    def spends(self, line: str, name: str, amount: int, on: date) -> Contract:
        self.tell(ENGAGEMENT, RecordCost(line, name, on, money(amount), "subcontractor", "erp"))
        return self

    def estimates(self, line: str, total: object, on: date, measure: Measure = "cost") -> Contract:
        revised = ReviseEstimate(line, on, Decimal(str(total)), measure, "Planned anew.", "pm", NINE)
        self.tell(ENGAGEMENT, revised)
        return self

    def becomes(self, *lines: ContractLine, on: date, separate: bool = False, distinct: bool = False) -> Contract:
        """The contract is modified, by one and with the approval of another."""
        name = f"CO-{on}"
        order = ProposeChangeOrder(name, on, lines, separate, separate, distinct, "Agreed anew.", "pm", NINE)
        self.tell(ENGAGEMENT, order, ApproveChangeOrder(name, "cfo", NINE))
        return self

    def completes(self, line: str, on: date) -> Contract:
        self.tell(ENGAGEMENT, CompleteEngagement(on, "pm", line))
        return self

    def bills_what_is_open(self, on: date) -> Contract:
        self.invoices += 1
        book = self.read(ENGAGEMENT).lots
        lots = [at for at in self.lots(ENGAGEMENT) if book[at.lot].status is LotStatus.OPEN]
        self.bills(f"I-{self.invoices}", lots, on)
        return self

    def earned(self, *lines: str) -> list[Decimal]:
        """What each line has earned, to the cent."""
        rows = fold(self.ledger).all(LINES)
        return [LINES.row(rows["E-1", line]).recognised if ("E-1", line) in rows else Decimal(0) for line in lines]

    def contract_position(self) -> Decimal:
        """The contract asset, or with a minus the contract liability."""
        return self.balances()["CONTRACT_ASSET"] + self.balances()["CONTRACT_LIABILITY"]

    def proven(self) -> None:
        """The books are the same however the log is cut."""
        folded(self.ledger)


def cents(*amounts: object) -> list[Decimal]:
    return [Decimal(str(each)) for each in amounts]


def test_x02_a_price_that_is_expected_to_be_conceded_is_not_revenue(case: Record) -> None:
    firm = Contract(delivered("L1", 1_000_000, revenue=Revenue("point_in_time", constrained=money(600_000))))
    firm.takes_over("L1")
    case("X02", "revenue of what is promised for 1,000,000", cents(400_000), firm.earned("L1"))


def test_x05a_further_products_at_their_own_price_are_a_contract_of_their_own(case: Record) -> None:
    firm = Contract(measured("L1", 12_000, 120)).measures("L1", 60)
    case("X05A", "60 of 120 products at 100", cents(6_000), firm.earned("L1"))
    firm.becomes(measured("L1", 14_850, 150), on=MARCH, separate=True)
    firm.measures("L1", 120, on=APRIL)
    case("X05A", "120 products at 100", cents(12_000), firm.earned("L1"))
    firm.measures("L1", 121, on=MAY)
    case("X05A", "the next product at 95", cents(12_095), firm.earned("L1"))
    firm.proven()


def test_x05b_further_products_at_another_price_change_that_of_all_that_are_left(case: Record) -> None:
    firm = Contract(measured("L1", 12_000, 120)).measures("L1", 60)
    firm.becomes(measured("L1", 14_400, 150), on=MARCH, distinct=True)
    firm.tell(ENGAGEMENT, GiveServiceCredit("L1", "defects", MARCH, money(900), "Minor defects.", "pm", NINE))
    case("X05B", "after the credit of 900", cents(5_100), firm.earned("L1"))
    firm.measures("L1", 61, on=APRIL)
    case("X05B", "one more product at 93.33", cents("5193.33"), firm.earned("L1"))
    firm.measures("L1", 150, on=MAY)
    case("X05B", "all products", cents(13_500), firm.earned("L1"))
    firm.proven()


def test_x06_what_is_not_earned_yet_is_divided_among_what_is_left(case: Record) -> None:
    """Of 1,240 for X and Y 40 are not highly probable at first; the standard rounds nothing here."""
    at_first = replace(POINT, constrained=money(20))
    firm = Contract(delivered("X", 620, 600, at_first), delivered("Y", 620, 600, at_first)).takes_over("X")
    case("X06", "product X", cents(600), firm.earned("X"))
    firm.becomes(delivered("Z", 300, 600), on=MARCH, distinct=True)
    case("X06", "product X after the modification", cents(600), firm.earned("X"))
    firm.becomes(delivered("X", 620, 600, POINT), delivered("Y", 620, 600, POINT), on=APRIL)
    case("X06", "change of the price that belongs to product X", Decimal(20), firm.earned("X")[0] - 600)
    firm.takes_over("Y", MAY).takes_over("Z", JUNE)
    case("X06", "products Y and Z", cents(460, 460), firm.earned("Y", "Z"))
    firm.proven()


def test_a_modification_divides_what_is_not_earned_yet_of_the_price_it_changes() -> None:
    firm = Contract(delivered("X", 600, 600), delivered("Y", 600, 600)).takes_over("X")
    firm.becomes(delivered("Z", 300, 600), on=MARCH, distinct=True)
    firm.takes_over("Y", APRIL).takes_over("Z", JUNE)
    assert firm.earned("X", "Y", "Z") == cents(600, 450, 450)


def test_x19_materials_that_are_not_installed_are_earned_at_their_cost(case: Record) -> None:
    elevators = delivered("L2", 1_500_000)
    firm = Contract(measured("L1", 3_500_000, 2_500_000, "cost"), elevators)
    firm.spends("L1", "other", 500_000, MARCH).spends("L2", "elevators", 1_500_000, MARCH).takes_over("L2", MARCH)
    books = firm.balances()
    revenue = -(books["REVENUE_FIXED"] + books["REVENUE_MILESTONE"])
    case("X19", "revenue", Decimal(2_200_000), revenue)
    case("X19", "cost of goods sold", Decimal(2_000_000), books["COST_EXPENSE"])
    case("X19", "profit", Decimal(200_000), revenue - books["COST_EXPENSE"])


def test_x24_a_lower_price_for_larger_volumes_catches_up(case: Record) -> None:
    firm = Contract(measured("L1", 100_000, 1_000)).measures("L1", 75)
    case("X24", "first quarter", cents(7_500), firm.earned("L1"))
    firm.becomes(measured("L1", 90_000, 1_000), on=MARCH)
    firm.measures("L1", 575, on=JUNE)
    case("X24", "second quarter", Decimal(44_250), firm.earned("L1")[0] - 7_500)
    firm.proven()


def test_x33_a_price_is_divided_by_stand_alone_prices(case: Record) -> None:
    firm = Contract(delivered("A", 40, 50), delivered("B", 20, 25), delivered("C", 40, 75))
    for line in ("A", "B", "C"):
        firm.takes_over(line)
    case("X33", "products A, B and C", cents("33.33", "16.67", "50.00"), firm.earned("A", "B", "C"))


def test_instalments_that_are_earned_as_they_fall_due_earn_their_share_of_the_price_of_all() -> None:
    licence = scheduled("A", POINT, (MARCH, 30), (APRIL, 30), alone=50)
    firm = Contract(licence, delivered("B", 40, 150))  # 100 in all, of which a quarter belongs to A
    firm.tell(ENGAGEMENT, FallDue(MARCH, NINE))
    assert firm.earned("A", "B") == cents("12.50", 0)
    firm.tell(ENGAGEMENT, FallDue(APRIL, NINE))
    firm.takes_over("B", MAY).bills_what_is_open(MAY)
    assert firm.earned("A", "B") == cents(25, 75)
    assert firm.contract_position() == 0
    firm.proven()


def test_what_is_highly_probable_later_catches_up_though_it_was_billed_and_its_days_have_passed() -> None:
    year = Revenue("straight_line", starts=NEW_YEAR, ends=date(2026, 2, 28))
    kept = Revenue("straight_line", starts=NEW_YEAR, ends=date(2026, 2, 28), constrained=money(90))
    held = Revenue("point_in_time", constrained=money(600))
    firm = Contract(scheduled("S", kept, (NEW_YEAR, 590)), delivered("M", 1_000, revenue=held)).takes_over("M")
    firm.opens(NEW_YEAR, date(2026, 3, 1))
    firm.bills_what_is_open(APRIL)
    assert firm.earned("S", "M") == cents(500, 400)
    firm.becomes(scheduled("S", year, (NEW_YEAR, 590)), delivered("M", 1_000, revenue=POINT), on=MAY)
    assert firm.earned("S", "M") == cents(590, 1_000)
    firm.proven()


def test_a_bill_that_is_given_up_of_a_price_that_is_earned_by_progress_is_a_lower_price() -> None:
    halves = scheduled("A", Revenue("percent_complete", "manual"), (MARCH, 600), (APRIL, 400))
    firm = Contract(halves).measures("A", "0.5", "manual")
    firm.tell(ENGAGEMENT, FallDue(APRIL, NINE))
    firm.bills_what_is_open(APRIL)
    credit(firm, "CN-1", CreditWish(1, amount=money(600), disposition="write_off"), on=MAY)
    assert firm.earned("A") == cents(-100)
    firm.measures("A", 1, "manual", JUNE)
    assert firm.earned("A") == cents(400)
    assert firm.contract_position() == 0
    firm.proven()


def test_a_bill_that_moves_to_another_line_takes_its_price_along() -> None:
    by_hand = Revenue("percent_complete", "manual")
    firm = Contract(scheduled("A", by_hand, (MARCH, 600), (APRIL, 400)), scheduled("B", by_hand, (JUNE, 100)))
    firm.measures("A", 1, "manual").measures("B", 1, "manual").tell(ENGAGEMENT, FallDue(APRIL, NINE))
    first, _ = firm.lots(ENGAGEMENT)
    firm.record(transfer_lots(firm.read, [first], RebillTo("E-1", "B"), "It was for B.", "paul"))
    assert firm.earned("A", "B") == cents(400, 700)
    firm.tell(ENGAGEMENT, FallDue(JUNE, NINE))
    firm.bills_what_is_open(JUNE)
    assert firm.contract_position() == 0
    firm.proven()


def test_a_service_that_changes_in_the_middle_of_a_month_has_earned_its_days_before() -> None:
    months = Revenue("straight_line", starts=date(2026, 3, 1), ends=date(2026, 4, 30))
    firm = Contract(scheduled("S", months, (MARCH, 610)))  # 10 a day
    firm.opens(date(2026, 3, 1), date(2026, 4, 1))
    cheaper = scheduled("S", months, (MARCH, 535))  # from 16 April 75 less: 15 days at 5
    firm.becomes(cheaper, on=date(2026, 4, 16), distinct=True)
    assert firm.earned("S") == cents(310)
    firm.opens(date(2026, 5, 1))
    assert firm.earned("S") == cents(535)
    late = Contract(scheduled("S", months, (MARCH, 610)))
    late.opens(date(2026, 3, 1), date(2026, 4, 1))
    late.becomes(scheduled("S", months, (MARCH, 385)), on=date(2026, 3, 17), distinct=True)  # 45 days at 5 after 16
    assert late.earned("S") == cents(235)
    late.proven()


def test_a_price_that_was_divided_is_changed_by_change_orders_once_something_fell_due() -> None:
    firm = Contract(delivered("A", 40, 50), delivered("B", 60, 50)).takes_over("A")
    with pytest.raises(LineIsBilled, match="its price was divided"):
        firm.tell(ENGAGEMENT, AgreeLine(delivered("B", 60)))
    firm.becomes(delivered("B", 60), on=MARCH)
    assert firm.earned("A") == cents(40)


def test_a_service_with_a_term_takes_its_part_of_a_price_that_is_divided() -> None:
    """Setting up for 20, and a service of two months of 30 days each at 50; alone they cost 60 and 120."""
    terms = ManagedService(money(50), date(2026, 4, 1), date(2026, 5, 31))
    run = ContractLine("run", "run", terms, stand_alone_price=money(120))
    firm = Contract(delivered("set-up", 20, 60), run).takes_over("set-up", MARCH)
    assert firm.earned("set-up") == cents(40)
    firm.opens(date(2026, 4, 1), date(2026, 5, 1))
    assert firm.earned("run") == cents(40)
    firm.becomes(delivered("more", 40, 60), on=date(2026, 5, 1), distinct=True)  # 80 left for 60 and 60 of them
    firm.opens(date(2026, 6, 1))
    firm.takes_over("more", JUNE)
    assert firm.earned("set-up", "run", "more") == cents(40, 80, 40)
    firm.proven()


def test_x34a_a_discount_belongs_to_the_products_that_are_sold_together(case: Record) -> None:
    firm = Contract(delivered("A", 40), delivered("B", 40, 55), delivered("C", 20, 45))
    for line in ("A", "B", "C"):
        firm.takes_over(line)
    case("X34A", "products A, B and C", cents(40, 33, 27), firm.earned("A", "B", "C"))


def test_x34b_what_no_other_price_tells_is_the_residual(case: Record) -> None:
    lines = (delivered("A", 40), delivered("B", 40, 55), delivered("C", 20, 45), delivered("D", 30))
    firm = Contract(*lines)
    for line in ("A", "B", "C", "D"):
        firm.takes_over(line)
    case("X34B", "products A, B, C and D", cents(40, 33, 27, 30), firm.earned("A", "B", "C", "D"))


def test_x35a_royalties_that_belong_to_one_licence_are_earned_by_it_alone(case: Record) -> None:
    royalties = Revenue("point_in_time", for_this_line=money(1_000))
    firm = Contract(delivered("X", 800, 800), delivered("Y", 1_000, 1_000, royalties))
    firm.takes_over("X")
    case("X35A", "licence X", cents(800), firm.earned("X"))
    firm.takes_over("Y", APRIL)
    case("X35A", "licence Y", cents(1_000), firm.earned("Y"))


def test_x35b_royalties_that_do_not_tell_what_one_licence_is_worth_are_divided(case: Record) -> None:
    later = measured("R", 0, 1, "manual", stand_alone_price=money(0))
    firm = Contract(delivered("X", 300, 800), delivered("Y", 0, 1_000), later)
    firm.takes_over("Y")
    case("X35B", "licence Y when it is transferred", cents("166.67"), firm.earned("Y"))
    firm.becomes(delivered("X", 500, 800), on=MARCH)
    case("X35B", "licence Y with royalties of 200", cents("277.78"), firm.earned("Y"))
    firm.takes_over("X", APRIL)
    case("X35B", "licence X", cents("222.22"), firm.earned("X"))
    firm.proven()


def test_x38_an_amount_that_is_due_before_delivery_is_a_receivable_and_a_liability(case: Record) -> None:
    due = date(2026, 1, 31)
    firm = Contract(scheduled("L1", Revenue("completed_contract"), (due, 1_000)))
    firm.tell(ENGAGEMENT, FallDue(due, NINE))
    firm.bills_what_is_open(due)
    case("X38", "the invoice", {"AR": 1000, "CONTRACT_LIABILITY": -1000}, firm.entries("an invoice is issued")[0])
    firm.tell(invoice_stream("I-1"), RecordPayment("P-1", date(2026, 3, 1), money(1_000)))
    case("X38", "the receipt", {"CASH": 1000, "AR": -1000}, firm.entries("money arrives")[0])
    firm.completes("L1", date(2026, 3, 31))
    earned = firm.entries("the contract is completed")[0]
    case("X38", "the delivery", {"CONTRACT_LIABILITY": 1000, "REVENUE_FIXED": -1000}, earned)


def test_x39_what_is_earned_before_it_may_be_billed_is_a_contract_asset(case: Record) -> None:
    bill = scheduled("A", Revenue("percent_complete", "manual"), (APRIL, 1_000))
    firm = Contract(bill).measures("A", "0.4", "manual")
    case("X39", "product A", Decimal(400), firm.balances()["CONTRACT_ASSET"])
    firm.measures("A", 1, "manual", APRIL).tell(ENGAGEMENT, FallDue(APRIL, NINE))
    firm.bills_what_is_open(APRIL)
    case("X39", "receivable after product B", Decimal(1_000), firm.balances()["AR"])
    case("X39", "contract asset after product B", Decimal(0), firm.contract_position())
    case("X39", "revenue", cents(1_000), firm.earned("A"))


def test_x40_a_bill_above_the_price_that_is_expected_is_a_liability(case: Record) -> None:
    """One product of a million: its bill is 150, of which 25 will be given back."""
    product = delivered("L1", 150, revenue=Revenue("point_in_time", constrained=money(25)))
    firm = Contract(product).takes_over("L1").bills_what_is_open(APRIL)
    case("X40", "receivable", Decimal(150), firm.balances()["AR"])
    case("X40", "revenue", cents(125), firm.earned("L1"))
    case("X40", "liability to give back", Decimal(-25), firm.contract_position())


def test_x52_points_of_a_loyalty_programme_are_earned_as_they_are_used(case: Record) -> None:
    points = measured("P", 0, 9_500, stand_alone_price=money(9_500))
    firm = Contract(delivered("S", 100_000, 100_000), points).takes_over("S")
    case("X52", "products", cents("91324.20"), firm.earned("S"))
    firm.measures("P", 4_500, on=date(2026, 12, 31))
    case("X52", "points of the first year", cents("4109.59"), firm.earned("P"))
    year = date(2027, 12, 31)
    firm.estimates("P", 9_700, year, "units").measures("P", 8_500, on=year)
    case("X52", "points of the second year", Decimal("3493.00"), (firm.earned("P")[0] - Decimal("4109.59")).quantize(1))
    firm.proven()


def by_year(
    price: int, costs: Sequence[int], estimates: Sequence[int], precision: int | None
) -> tuple[list[Decimal], list[Decimal]]:
    """Revenue and gross profit of each year of a building, by cost to date and in all; its years are months here."""
    firm = Contract(measured("L1", price, estimates[0], "cost", precision=precision))
    revenue, profit = [], []
    for month, (to_date, total) in enumerate(zip(costs, estimates, strict=True), start=1):
        on, before = date(2026, month, 28), firm.balances()
        firm.estimates("L1", total, on).spends("L1", f"{month}", to_date - int(before["COST_EXPENSE"]), on)
        books = firm.balances()
        revenue.append(before["REVENUE_FIXED"] - books["REVENUE_FIXED"])
        cost = sum((books[account] - before[account] for account in ("COST_EXPENSE", "COST_LABOUR")), Decimal(0))
        profit.append(revenue[-1] - cost)
    firm.proven()
    return revenue, profit


@pytest.mark.parametrize(
    ("name", "price", "costs", "estimates", "precision", "revenue", "profit"),
    [
        (
            "K-PROFIT",
            4_500_000,
            (1_000_000, 2_916_000, 4_050_000),
            (4_000_000, 4_050_000, 4_050_000),
            None,
            cents(1_125_000, 2_115_000, 1_260_000),
            cents(125_000, 199_000, 126_000),
        ),
        (
            "K-LOSS-YEAR",
            4_500_000,
            (1_000_000, 2_916_000, 4_384_962),
            (4_000_000, 4_384_962, 4_384_962),
            1,
            cents(1_125_000, 1_867_500, 1_507_500),
            cents(125_000, -48_500, 38_538),
        ),
        (
            "K-LOSS",
            4_500_000,
            (1_000_000, 2_916_000, 4_556_250),
            (4_000_000, 4_556_250, 4_556_250),
            None,
            cents(1_125_000, 1_755_000, 1_620_000),
            cents(125_000, -181_250, 0),
        ),
        (
            "HARDING",
            5_000_000,
            (1_500_000, 2_500_000, 4_500_000),
            (3_750_000, 4_500_000, 4_500_000),
            None,
            cents(2_000_000, "777777.78", "2222222.22"),
            cents(500_000, "-222222.22", "222222.22"),
        ),
        (
            "HARDING-LOSS",
            5_000_000,
            (1_500_000, 2_760_000, 5_200_000),
            (3_750_000, 5_100_000, 5_200_000),
            2,
            cents(2_000_000, 706_000, 2_294_000),
            cents(500_000, -600_000, -100_000),
        ),
        (
            "HARDING-10",
            10_000_000,
            (2_300_000, 5_900_000, 8_000_000),
            (7_600_000, 7_900_000, 8_000_000),
            None,
            cents("3026315.79", "4442038.64", "2531645.57"),
            cents("726315.79", "842038.64", "431645.57"),
        ),
        (
            "HOWARD",
            3_000_000,
            (990_000, 1_815_000),
            (1_800_000, 1_815_000),
            None,
            cents(1_650_000, 1_350_000),
            cents(660_000, 525_000),
        ),
        (
            "NANCE",
            6_000_000,
            (1_500_000, 2_640_000, 4_600_000),
            (4_000_000, 4_400_000, 4_600_000),
            None,
            cents(2_250_000, 1_350_000, 2_400_000),
            cents(750_000, 210_000, 440_000),
        ),
        (
            "LTC-LOSS",
            16_000_000,
            (2_500_000, 6_000_000),
            (9_300_000, 12_700_000),
            1,
            cents(4_304_000, 3_248_000),
            cents(1_804_000, -252_000),
        ),
    ],
)
def test_buildings_are_earned_by_cost_to_cost(
    case: Record,
    name: str,
    price: int,
    costs: Sequence[int],
    estimates: Sequence[int],
    precision: int | None,
    revenue: list[Decimal],
    profit: list[Decimal],
) -> None:
    told = by_year(price, costs, estimates, precision)
    case(name, "revenue by year", revenue, told[0])
    case(name, "gross profit by year", profit, told[1])


def test_handler_sells_equipment_that_it_installs_and_explains(case: Record) -> None:
    lines = (("equipment", 2_000_000, 2_000_000), ("installation", 0, 20_000), ("training", 0, 50_000))
    firm = Contract(*(delivered(*each) for each in lines))
    for name, _, _ in lines:
        firm.takes_over(name)
    shares = cents("1932367.15", "19323.67", "48309.18")
    case("HANDLER", "equipment, installation, training", shares, firm.earned(*(name for name, _, _ in lines)))


def test_a_handset_that_is_given_away_has_its_part_of_the_plan(case: Record) -> None:
    plan = measured("plan", 1_200, 12, stand_alone_price=money(960))  # 80 a month alone
    firm = Contract(plan, delivered("handset", 0, 300)).takes_over("handset")
    case("HANDSET", "handset", cents("285.71"), firm.earned("handset"))
    firm.measures("plan", 12)
    case("HANDSET", "plan of twelve months", cents("914.29"), firm.earned("plan"))


def test_ifric_22_each_receipt_in_advance_has_its_own_rate(case: Record) -> None:
    days = (date(2026, 1, 31), date(2026, 3, 1), date(2026, 6, 1))
    firm = Contract(
        scheduled("L1", Revenue("percent_complete", "manual"), *zip(days, (200, 250, 550), strict=True)),
        functional="USD",
    )
    approved = date(2026, 4, 1)  # the limit of approvals is converted at this day's rate
    for day, rate in zip((*days, approved), ("1.50", "1.70", "1.90", "1.70"), strict=True):
        firm.rate_on(day, "EUR", "USD", rate)
    for place, (day, done) in enumerate(zip(days, ("0", "0.45", "1"), strict=True), start=1):
        firm.measures("L1", done, "manual", day).tell(ENGAGEMENT, FallDue(day, NINE))
        firm.bills_what_is_open(day)
        if place == 1:
            firm.tell(invoice_stream("I-1"), RecordPayment("P-1", day, money(200)))
            case("IFRIC22-4", "contract liability", Decimal(300), -firm.balances()["CONTRACT_LIABILITY"])
        if place == 2:
            case("IFRIC22-4", "revenue of the first product", Decimal(725), -firm.balances()["REVENUE_FIXED"])
            case("IFRIC22-4", "receivable", Decimal(425), firm.balances()["AR"])
    case("IFRIC22-4", "revenue of the second product", Decimal(1_045), -firm.balances()["REVENUE_FIXED"] - 725)
    before = firm.balances()["CASH"]
    for invoice, amount in (("I-2", 250), ("I-3", 550)):
        firm.tell(invoice_stream(invoice), RecordPayment("P-2", days[-1], money(amount)))
    case("IFRIC22-4", "cash", Decimal(1_520), firm.balances()["CASH"] - before)
    case("IFRIC22-4", "foreign exchange gain", Decimal(50), -firm.balances()["FX_REALISED"])
    firm.proven()


def test_amerco_sells_in_euros_over_the_end_of_a_year(case: Record) -> None:
    firm = Firm(functional="USD", currency="EUR", hourly="125000")
    for day, rate in ((MONDAY, "1.32"), (date(2026, 3, 31), "1.33"), (date(2026, 5, 1), "1.30")):
        firm.rate_on(day, "EUR", "USD", rate)
    firm.sells()
    firm.bills("I-1", firm.works("8"), MONDAY)
    firm.opens(MONDAY, date(2026, 4, 1))
    case("AMERCO", "sale", Decimal(1_320_000), -firm.balances()["REVENUE_TM"])
    firm.tell(invoice_stream("I-1"), RecordPayment("P-1", date(2026, 5, 1), firm.money(1_000_000)))
    at_end, now = firm.balances(date(2026, 3, 31)), firm.balances()
    case("AMERCO", "receivable at the end of the year", Decimal(1_330_000), at_end["AR"])
    case("AMERCO", "gain of the first year", Decimal(10_000), -at_end["FX_UNREALISED"])
    second = now["FX_REALISED"] + now["FX_UNREALISED"] - at_end["FX_UNREALISED"]
    case("AMERCO", "loss of the second year", Decimal(30_000), second)
    case("AMERCO", "cash", Decimal(1_300_000), now["CASH"])
