"""From what is agreed and done to the trial balance: revenue by every method, through governed services alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adapters.settings import Settings
from api.access import Role
from domain.calendar import FIRM, OpenDay
from domain.engagement import OpenEngagement, SignEngagement
from domain.engagement.schedule import FallDue
from domain.expense import ApproveExpenses, Expense, RecordExpense, expense_stream
from domain.project import ConfirmSetUp
from tests.api.asker import asking
from tests.api.service_desk import ServiceDesk
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE, PROJECT, World
from tests.world import euros as money

PREPARER, MANAGER = Role.FINANCE_PREPARER, Role.PROJECT_MANAGER


class Books(ServiceDesk):
    """The small firm with an engagement that has no line yet."""

    def agree(self, line: str, method: str, **terms: Any) -> None:
        assert self.events("agreeLine", PREPARER, engagement="E-1", line=_line(line, method, **terms))

    def change(self, line: dict[str, Any], on: date, *, separate: bool = False, distinct: bool = False) -> None:
        """A change order for one line, proposed by one and approved by another."""
        asked: dict[str, Any] = {
            "engagement": "E-1",
            "changeOrder": f"CO-{on}",
            "effectiveFrom": str(on),
            "lines": [line],
            "addsDistinct": separate,
            "atStandAlonePrice": separate,
            "remainingDistinct": distinct,
            "because": "The customer asked for it.",
        }
        self.events("proposeChangeOrder", MANAGER, **asked)
        self.events("approveChangeOrder", engagement="E-1", changeOrder=f"CO-{on}")

    def measures(self, line: str, done: str, measure: str, on: date) -> None:
        told = {"toDate": done, "measure": measure, "evidence": "report", "on": str(on)}
        self.events("measureProgress", MANAGER, engagement="E-1", line=line, **told)

    def costs(self, name: str, amount: int, on: date) -> None:
        cost = {"cost": name, "amount": euros(amount), "category": "subcontractor", "on": str(on)}
        self.events("recordCost", MANAGER, engagement="E-1", line="L1", **cost)

    def bills(self, invoice: str) -> None:
        """All that may be billed of the contract itself is billed."""
        held = self.world.read(ENGAGEMENT).lots
        lots = [at for at in self.world.lots(ENGAGEMENT) if held[at.lot].status == "open"]
        self.world.draft(invoice, lots, strict=False).approve(invoice).issue(invoice)

    def balance(self, account: str, on: date | None = None) -> Decimal:
        """What an account comes to, debits less credits."""
        until = f'on: "{on}", ' if on else ""
        query = f"trialBalance({until}account: {account}) {{ accounts {{ balance }} }}"
        return sum((Decimal(each["balance"]) for each in self.ask(query)["accounts"]), Decimal(0))

    def has_earned(self, amount: str, account: str = "REVENUE_FIXED", on: date | None = None) -> None:
        assert -self.balance(account, on) == Decimal(amount)


def _line(line: str, method: str, **terms: Any) -> dict[str, Any]:
    return {"line": line, "title": line, "method": method, **terms}


def euros(amount: object) -> dict[str, str]:
    return {"amount": str(amount), "currency": "EUR"}


def part(name: str, amount: object, due_on: date | None = None) -> dict[str, Any]:
    return {"name": name, "title": name, "amount": euros(amount), **({"dueOn": str(due_on)} if due_on else {})}


@pytest.fixture
def books(settings: Settings) -> Iterator[Books]:
    with asking(settings) as asker:
        world = World(asker.parts.ledger).firm()
        world.tell(ENGAGEMENT, OpenEngagement("E-1", "Programme", "C-1", "DE01", "EUR"))
        world.tell(ENGAGEMENT, SignEngagement(NEW_YEAR, NEW_YEAR))
        yield Books(asker, world)


def accepted(books: Books, line: str, milestone: str) -> None:
    told = {"milestone": milestone, "evidence": "mail", "acceptedOn": str(MONDAY)}
    books.events("acceptMilestone", MANAGER, engagement="E-1", line=line, **told)


def test_a_price_is_earned_by_stand_alone_prices_to_the_cent_whatever_each_part_is_billed_at(books: Books) -> None:
    # IFRS 15 example 33: 100 for three products that cost 50, 25 and 75 alone.
    for name, price, alone in (("A", 40, 50), ("B", 20, 25), ("C", 40, 75)):
        books.agree(name, "fixed_fee_milestones", parts=[part("M", price)], standAlonePrice=euros(alone))
    accepted(books, "A", "M")
    books.has_earned("33.33", "REVENUE_MILESTONE")
    books.bills("I-1")
    assert books.balance("CONTRACT_LIABILITY") == Decimal("-6.67")
    accepted(books, "B", "M")
    books.has_earned("50", "REVENUE_MILESTONE")
    accepted(books, "C", "M")
    books.has_earned("100", "REVENUE_MILESTONE")
    assert books.balance("CONTRACT_ASSET") == 60


def test_a_bonus_that_belongs_to_one_line_is_not_divided_among_all(books: Books) -> None:
    # IFRS 15.85: 90 are divided as 50 to 100, the bonus of 30 is earned with B alone.
    books.agree("A", "fixed_fee_milestones", parts=[part("M", 60)], standAlonePrice=euros(50))
    bonus = {"method": "point_in_time", "forThisLine": euros(30)}
    books.agree("B", "fixed_fee_milestones", parts=[part("M", 60)], standAlonePrice=euros(100), revenue=bonus)
    accepted(books, "A", "M")
    books.has_earned("30", "REVENUE_MILESTONE")
    accepted(books, "B", "M")
    books.has_earned("120", "REVENUE_MILESTONE")


def test_a_line_that_is_agreed_later_moves_what_the_others_have_earned(books: Books) -> None:
    books.agree("A", "fixed_fee_milestones", parts=[part("M", 9000)], standAlonePrice=euros(10000))
    accepted(books, "A", "M")
    books.has_earned("9000", "REVENUE_MILESTONE")
    earned = {"method": "straight_line", "starts": "2026-01-01", "ends": "2026-12-31"}
    parts = [part("1", 3000, NEW_YEAR)]
    books.agree("B", "fixed_fee_schedule", price=euros(3000), parts=parts, revenue=earned, standAlonePrice=euros(5000))
    books.has_earned("8000", "REVENUE_MILESTONE")
    books.world.tell(FIRM, OpenDay(date(2026, 1, 1), NINE), OpenDay(date(2027, 1, 1), NINE))
    books.has_earned("4000", "REVENUE_FIXED")


def test_a_separate_contract_is_earned_after_what_was_promised_before_and_moves_nothing(books: Books) -> None:
    units = {"method": "percent_complete", "measure": "units"}
    price = {"price": euros(12000), "parts": [part("1", 12000, NEW_YEAR)]}
    books.agree("L1", "fixed_fee_schedule", **price, revenue={**units, "budget": "120"})
    books.measures("L1", "60", "units", date(2026, 3, 31))
    books.has_earned("6000")
    price = {"price": euros(14850), "parts": [part("1", 12000, NEW_YEAR), part("2", 2850, date(2026, 6, 1))]}
    more = _line("L1", "fixed_fee_schedule", **price, revenue={**units, "budget": "150"})
    books.change(more, date(2026, 4, 1), separate=True)
    books.has_earned("6000")
    books.measures("L1", "120", "units", date(2026, 4, 30))
    books.has_earned("12000")
    books.measures("L1", "130", "units", date(2026, 5, 31))
    books.has_earned("12950")


def test_a_longer_term_at_its_usual_price_is_earned_in_its_own_days(books: Books) -> None:
    year = {"method": "straight_line", "starts": "2026-01-01", "ends": "2026-12-31"}
    parts = [part("1", 36500, NEW_YEAR)]
    books.agree("L1", "fixed_fee_schedule", price=euros(36500), parts=parts, revenue=year)
    more = [*parts, part("2", 73000, date(2027, 1, 1))]
    two_years = {**year, "ends": "2027-12-31"}
    line = _line("L1", "fixed_fee_schedule", price=euros(109500), parts=more, revenue=two_years)
    books.change(line, date(2026, 7, 1), separate=True)
    books.world.tell(FIRM, *(OpenDay(day, NINE) for day in (NEW_YEAR, date(2027, 1, 1), date(2027, 2, 1))))
    books.has_earned("36500", on=date(2026, 12, 31))
    books.has_earned("42700", on=date(2027, 1, 31))


def test_a_line_that_a_separate_contract_adds_keeps_its_price_and_moves_no_other(books: Books) -> None:
    for name, price, alone in (("A", 90, 100), ("B", 30, 50)):  # 120 in all: 80 and 40 by stand-alone prices
        books.agree(name, "fixed_fee_milestones", parts=[part("M", price)], standAlonePrice=euros(alone))
    accepted(books, "A", "M")
    books.has_earned("80", "REVENUE_MILESTONE")
    added = _line("C", "fixed_fee_milestones", parts=[part("M", 70)], standAlonePrice=euros(70))
    books.change(added, MONDAY, separate=True)
    books.has_earned("80", "REVENUE_MILESTONE")
    accepted(books, "C", "M")
    books.has_earned("150", "REVENUE_MILESTONE")
    accepted(books, "B", "M")
    books.has_earned("190", "REVENUE_MILESTONE")


def test_a_share_told_by_hand_is_one_of_what_was_promised_when_it_was_told(books: Books) -> None:
    by_hand = {"method": "percent_complete", "measure": "manual"}
    terms = {"price": euros(1000), "parts": [part("1", 1000, NEW_YEAR)], "revenue": by_hand}
    books.agree("L1", "fixed_fee_schedule", **terms)
    books.measures("L1", "0.5", "manual", date(2026, 3, 31))
    more = {"price": euros(1400), "parts": [part("1", 1000, NEW_YEAR), part("2", 400, date(2026, 6, 1))]}
    books.change(_line("L1", "fixed_fee_schedule", **more, revenue=by_hand), date(2026, 4, 1), separate=True)
    books.has_earned("500")
    books.measures("L1", "0.75", "manual", date(2026, 5, 31))
    books.has_earned("1050")


def test_a_completed_contract_earns_all_at_its_end_and_its_bills_are_a_liability_until_then(books: Books) -> None:
    parts = [part("1", 25000, NEW_YEAR), part("2", 25000, date(2026, 12, 1))]
    terms = {"price": euros(50000), "parts": parts, "revenue": {"method": "completed_contract"}}
    books.agree("L1", "fixed_fee_schedule", **terms)
    books.costs("1", 30000, date(2026, 3, 31))
    books.world.tell(ENGAGEMENT, FallDue(NEW_YEAR, NINE))
    books.bills("I-1")
    books.has_earned("0")
    assert books.balance("CONTRACT_LIABILITY") == -25000
    books.events("completeEngagement", MANAGER, engagement="E-1", on="2026-06-30")
    books.has_earned("50000", on=date(2026, 6, 30))
    books.has_earned("0", on=date(2026, 6, 29))
    assert books.balance("CONTRACT_LIABILITY") == 0
    assert books.balance("CONTRACT_ASSET") == 25000
    assert books.balance("COST_EXPENSE") == 30000


def by_cost(price: int, budget: int, **revenue: Any) -> dict[str, Any]:
    earned = {"method": "percent_complete", "measure": "cost", "budget": str(budget), **revenue}
    return {"price": euros(price), "measure": "cost", "budget": str(budget), "revenue": earned}


def test_a_bonus_counts_once_it_is_highly_probable_and_catches_up(books: Books) -> None:
    books.agree("L1", "percent_complete", **by_cost(500000, 300000, constrained=euros(100000)))
    books.costs("1", 90000, date(2026, 3, 31))
    books.has_earned("120000")  # 30 % of 400,000
    books.change(_line("L1", "percent_complete", **by_cost(500000, 300000)), date(2026, 4, 30))
    books.has_earned("120000", on=date(2026, 4, 29))
    books.has_earned("150000", on=date(2026, 4, 30))  # 30 % of 500,000


def test_terms_that_are_agreed_anew_before_anything_is_billed_catch_up_at_once(books: Books) -> None:
    books.agree("L1", "percent_complete", **by_cost(500000, 300000, constrained=euros(100000)))
    books.costs("1", 90000, date(2026, 3, 31))
    books.agree("L1", "percent_complete", **by_cost(500000, 300000, constrained=euros(50000)))
    books.has_earned("135000")


def test_the_whole_loss_of_an_onerous_contract_is_a_cost_at_once_and_is_used_up(books: Books) -> None:
    books.agree("L1", "percent_complete", **by_cost(100000, 80000))
    books.costs("1", 60000, date(2026, 3, 31))
    books.has_earned("75000")
    told = {"total": "120000", "measure": "cost", "reason": "Planned anew.", "on": "2026-04-30"}
    books.events("reviseEstimate", MANAGER, engagement="E-1", line="L1", **told)
    books.has_earned("50000")
    assert books.balance("LOSS_PROVISION") == -10000
    assert books.balance("COST_LABOUR") == 10000
    books.costs("2", 60000, date(2026, 6, 30))
    books.has_earned("100000")
    assert books.balance("LOSS_PROVISION") == 0
    assert books.balance("COST_EXPENSE") + books.balance("COST_LABOUR") == 120000


def test_rights_that_will_not_be_used_are_earned_as_the_others_are_and_what_lapses_in_full(books: Books) -> None:
    terms = {"price": euros(10000), "expectedBreakage": euros(1000), "expiresAfterMonths": "3"}
    books.agree("L1", "retainer", **terms)
    books.world.tell(PROJECT, *(ConfirmSetUp(target, f"{target}-1") for target in ("psa", "erp")))
    books.events("grantRetainer", PREPARER, engagement="E-1", line="L1", grant="G-1", on=str(MONDAY))
    books.bills("I-1")
    assert books.balance("CONTRACT_LIABILITY") == -10000
    for day, hours in enumerate(("8", "8", "8", "6")):
        books.world.work(f"{day}", hours, day=day)  # 30 hours at 150
    assert books.balance("CONTRACT_LIABILITY") == -5000
    books.world.tell(ENGAGEMENT, FallDue(date(2026, 9, 1), NINE))
    assert books.balance("CONTRACT_LIABILITY") == 0
    assert books.balance("REVENUE_TM") == -10000


def test_a_service_credit_takes_its_amount_off_for_good(books: Books) -> None:
    books.agree("L1", "managed_service", price=euros(3100), starts="2026-03-01")
    books.world.tell(FIRM, OpenDay(date(2026, 3, 1), NINE))
    books.world.tell(ENGAGEMENT, FallDue(date(2026, 3, 1), NINE))
    credit = {"credit": "SC-1", "amount": euros(100), "reason": "An hour out of service.", "on": "2026-03-20"}
    books.events("giveServiceCredit", MANAGER, engagement="E-1", line="L1", **credit)
    books.world.tell(FIRM, OpenDay(date(2026, 4, 1), NINE), OpenDay(date(2026, 5, 1), NINE))
    books.has_earned("3000", on=date(2026, 3, 31))
    books.has_earned("6100", on=date(2026, 4, 30))


def test_expenses_that_are_passed_on_come_on_top_of_a_price_that_is_earned_by_progress(books: Books) -> None:
    books.agree("L1", "percent_complete", **by_cost(100000, 80000))
    books.world.tell(PROJECT, *(ConfirmSetUp(target, f"{target}-1") for target in ("psa", "erp")))
    spent = Expense("1", "P-1-L1", "travel", MONDAY, money(500), money(0), billable=True, receipt="r")
    books.world.tell(
        expense_stream("ER-1"), RecordExpense("ER-1", "W-1", spent, NINE), ApproveExpenses(("1",), "W-9", NINE)
    )
    books.costs("1", 40000, date(2026, 3, 31))
    books.has_earned("50000")
    books.has_earned("500", "REVENUE_EXPENSE")
    books.costs("2", 8000, date(2026, 4, 30))
    books.has_earned("60000")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (_line("L1", "time_and_materials", revenue={"method": "completed_contract"}), "contract.revenue_needs_price"),
        (
            _line(
                "L1",
                "percent_complete",
                price=euros(9),
                measure="manual",
                revenue={"method": "straight_line", "starts": "2026-01-01"},
            ),
            "contract.revenue_needs_price",
        ),
        (_line("L1", "time_and_materials", revenue={"method": "point_in_time"}), "contract.revenue_needs_points"),
        (_line("L1", "time_and_materials", revenue={"method": "drawdown"}), "contract.revenue_needs_retainer"),
        (
            _line("L1", "retainer", price=euros(9), revenue={"method": "as_invoiceable"}),
            "contract.revenue_needs_retainer",
        ),
        (
            _line(
                "L1",
                "time_and_materials",
                cap=euros(9),
                revenue={"method": "percent_complete", "measure": "milestones"},
            ),
            "contract.revenue_needs_points",
        ),
        (
            _line(
                "L1", "time_and_materials", cap=euros(9), revenue={"method": "as_invoiceable", "constrained": euros(1)}
            ),
            "contract.revenue_needs_price",
        ),
    ],
)
def test_revenue_that_could_never_be_earned_is_refused(books: Books, line: dict[str, Any], code: str) -> None:
    assert books.refusals("agreeLine", PREPARER, engagement="E-1", line=line) == [code]
