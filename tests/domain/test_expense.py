from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import permutations

from domain import expense
from domain.expense import (
    ApproveExpenses,
    Expense,
    ExpenseInvoiced,
    ExpenseNotApproved,
    ExpenseRecorded,
    ExpensesApproved,
    ExpensesRejected,
    ExpensesSubmitted,
    OtherReportOwner,
    RateExpense,
    RecordExpense,
    RejectExpenses,
    ReportExpenseUnrated,
    SelfApprovedExpense,
    SubmitExpenses,
    TaxAboveAmount,
    UnknownExpense,
)
from domain.lots import Explanation, Lot, LotRated, LotReversed, ReserveLots
from domain.money import Money
from tests.spec import Given, given

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
TRAIN = Expense(
    line="1",
    project="P-1",
    category="travel",
    spent_on=date(2026, 3, 2),
    amount=Money(Decimal(600), "EUR"),
    recoverable_tax=Money(Decimal(100), "EUR"),
    billable=True,
    receipt="scan-1",
)
RECORD = RecordExpense("ER-1", "W-1", TRAIN, NINE)
APPROVE = ApproveExpenses(("1",), "W-9", NINE)
LOT = Lot(
    lot="",
    source="ER-1/1",
    project="P-1",
    engagement="E-1",
    line="L1",
    customer="C-1",
    selling_entity="DE01",
    delivering_entity="DE01",
    work_date=TRAIN.spent_on,
    quantity=Decimal(1),
    unit="item",
    price=Decimal(500),
    value=Money(Decimal(500), "EUR"),
    cost=Money(Decimal(500), "EUR"),
    cost_in_billing_currency=Money(Decimal(500), "EUR"),
    approved_at=NINE,
    explanation=Explanation("cost", "at cost"),
)


def nothing() -> Given:
    return given(expense.decider)


def recorded() -> Given:
    return nothing().and_then(RECORD)


def rated() -> Given:
    return recorded().and_then(APPROVE, RateExpense(LOT))


def test_an_expense_costs_the_firm_what_it_cannot_recover() -> None:
    assert TRAIN.net_cost == Money(Decimal(500), "EUR")


def test_a_line_is_recorded_once_and_corrected_by_a_newer_statement() -> None:
    nothing().when(RECORD).then_happens(ExpenseRecorded)
    recorded().when(RECORD).stays_quiet()
    newer = replace(RECORD, expense=replace(TRAIN, note="return"), at=NINE.replace(hour=10))
    recorded().when(newer).then_happens(ExpenseRecorded)
    rated().when(newer).then_happens(LotReversed, ExpenseRecorded)
    rated().and_then(ReserveLots(("ER-1/1#1",), "I-1")).when(newer).refuses(ExpenseInvoiced, "I-1")


def test_a_line_with_impossible_tax_or_another_owner_is_refused() -> None:
    too_much = replace(RECORD, expense=replace(TRAIN, recoverable_tax=Money(Decimal(601), "EUR")))
    nothing().when(too_much).refuses(TaxAboveAmount, "601")
    recorded().when(replace(RECORD, resource="W-2")).refuses(OtherReportOwner, "W-2")


def test_lines_are_submitted_approved_and_rejected_once() -> None:
    recorded().when(SubmitExpenses(("1",))).then(ExpensesSubmitted(("1",)))
    recorded().and_then(SubmitExpenses(("1",))).when(SubmitExpenses(("1",))).stays_quiet()
    recorded().when(APPROVE).then(ExpensesApproved(("1",), "W-9", NINE))
    recorded().and_then(APPROVE).when(APPROVE).stays_quiet()
    reject = RejectExpenses(("1",), "W-9", NINE, "private")
    rated().when(reject).then_happens(LotReversed, ExpensesRejected)
    recorded().and_then(reject).when(reject).stays_quiet()


def test_nobody_approves_their_own_expenses_and_unknown_lines_are_refused() -> None:
    recorded().when(replace(APPROVE, by="W-1")).refuses(SelfApprovedExpense)
    recorded().when(ApproveExpenses(("9",), "W-9", NINE)).refuses(UnknownExpense, "9")


def test_only_approved_lines_are_rated_and_each_once() -> None:
    recorded().when(RateExpense(LOT)).refuses(ExpenseNotApproved)
    recorded().and_then(APPROVE).when(RateExpense(LOT)).then(LotRated(replace(LOT, lot="ER-1/1#1")))
    rated().when(RateExpense(LOT)).stays_quiet()
    missing = ReportExpenseUnrated("1", "FX_RATE_MISSING", "no rate")
    recorded().and_then(APPROVE, missing).when(missing).stays_quiet()


DAY = timedelta(days=1)
LATE_APPROVAL, REJECTION = (
    replace(APPROVE, at=NINE + 2 * DAY),
    RejectExpenses(("1",), "W-9", NINE + 3 * DAY, "Private."),
)
CORRECTED = RecordExpense("ER-1", "W-1", replace(TRAIN, category="taxi"), NINE + DAY)


def test_the_newest_decision_about_an_expense_counts_whenever_it_is_heard() -> None:
    for order in permutations((CORRECTED, LATE_APPROVAL, REJECTION)):
        line = recorded().and_then(*order).state.lines["1"]
        assert (line.status, line.expense.category) == ("rejected", "taxi")


def test_an_approval_covers_a_correction_that_was_made_before_it_and_is_told_after_it() -> None:
    told = recorded().and_then(LATE_APPROVAL).when(CORRECTED)
    told.then_happens(ExpenseRecorded, ExpensesApproved)
    assert told.state.lines["1"].status == "approved"


def test_an_approval_of_what_was_told_before_a_correction_is_void() -> None:
    recorded().and_then(CORRECTED).when(APPROVE).stays_quiet()
