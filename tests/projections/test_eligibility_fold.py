from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import orjson

from domain.billing import adjusting
from domain.contract import ContractLine, FixedFeeMilestones, Milestone, TimeAndMaterials
from domain.engagement import (
    AcceptMilestone,
    AgreeLine,
    ChangeCap,
    HoldEngagement,
    LiftHold,
    OpenEngagement,
    PurchaseOrder,
    RecordPurchaseOrder,
)
from domain.expense import ApproveExpenses, Expense, RecordExpense, SubmitExpenses, expense_stream
from domain.kernel import StreamId, stream_of
from domain.lots import WriteOffLots
from domain.project import Assignment, AssignResource, ConfirmSetUp, DefineTask, HoldBilling, Task
from domain.reference.customer import BlockCustomer, DescribeCustomer, UnblockCustomer
from domain.reference.tax_rule import SetTaxRule, TaxRule
from domain.timesheet import (
    ApproveTime,
    Claim,
    DecidePeriod,
    LogTime,
    RejectTime,
    SubmitTime,
    WithdrawTime,
    Work,
    timesheet_stream,
)
from projections.eligibility.items import ITEMS, Item
from projections.eligibility.sums import ITEM_SUMS, REASON_SUMS
from tests.projections.books import Rows, folded, given
from tests.world import CUSTOMER, ENGAGEMENT, MONDAY, NEW_YEAR, NINE, PROJECT, World, euros

NOTHING = Decimal(0)


def firm() -> World:
    return World().firm().contract()


def item(rows: Rows, stream: StreamId, name: str) -> Item:
    found: Item = rows.row(ITEMS, stream, name)
    return found


def reason(rows: Rows, stream: StreamId, name: str) -> dict[str, object]:
    (told,) = orjson.loads(item(rows, stream, name).reasons)
    return dict(told)


def last_event(world: World, name: str) -> str:
    return [fact.id for fact in world.ledger.read(0, 10_000) if fact.name == name][-1]


def test_approved_and_priced_work_is_eligible_with_all_of_its_value() -> None:
    world = firm()
    sheet = world.work("1")
    rows = given(world).when(folded)
    rows.then(
        ITEMS,
        sheet,
        "jira:1#1",
        state="eligible",
        is_lot=True,
        source="jira:1",
        engagement="E-1",
        customer="C-1",
        selling_entity="DE01",
        quantity=Decimal(8),
        value=Decimal("1200.00"),
        eligible_quantity=Decimal(8),
        eligible_value=Decimal("1200.00"),
        over_cap_value=NOTHING,
        codes=(),
    ).has_no(ITEMS, sheet, "jira:1")


def test_hours_that_nobody_handed_in_are_captured_and_say_so() -> None:
    world = firm()
    sheet = world.work("1", approve=False)
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:1", state="captured", is_lot=False, codes=("NOT_SUBMITTED",), engagement="E-1")
    assert reason(rows, sheet, "jira:1")["events"] == [f"{sheet}@1"]


def test_hours_that_are_handed_in_wait_for_approval() -> None:
    world = firm()
    sheet = world.work("1", approve=False)
    world.tell(sheet, SubmitTime(("jira:1",)))
    given(world).when(folded).then(ITEMS, sheet, "jira:1", state="submitted", codes=("NOT_APPROVED",))


def test_rejected_hours_wait_for_their_worker() -> None:
    world = firm()
    sheet = world.work("1", approve=False)
    world.tell(sheet, RejectTime(("jira:1",), "W-9", NINE + timedelta(days=9), "Which task?"))
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:1", state="rejected", codes=("REJECTED",), owner_roles=("worker",))


def test_an_approval_that_is_taken_back_reverses_the_lot_and_says_why_the_work_waits() -> None:
    world = firm()
    sheet = world.work("1")
    week = (MONDAY, MONDAY + timedelta(days=6))
    world.tell(sheet, DecidePeriod("W-1", MONDAY, *week, "in_review", "W-9", NINE + timedelta(days=3)))
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:1", state="submitted", codes=("APPROVAL_REVOKED",))
    rows.then(ITEMS, sheet, "jira:1#1", state="reversed", codes=("SUPERSEDED",), is_open=False)


def test_hours_that_the_approver_took_off_are_held_until_they_are_approved_after_all() -> None:
    world = firm()
    sheet = world.work_approved_for("6")
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:1#1/1", state="eligible", quantity=Decimal(6))
    rows.then(ITEMS, sheet, "jira:1#1/2", state="held", codes=("APPROVER_REDUCED",), quantity=Decimal(2))
    told = reason(rows, sheet, "jira:1#1/2")
    assert told["events"] == [last_event(world, "lot.held.v1")]
    assert "W-9 approved 6 h of 8 h." in str(told)
    world.work_approved_for("8", later=1)
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:1#1/2", state="eligible", codes=(), quantity=Decimal(2))


def test_approved_hours_without_a_rate_are_held_for_the_rate() -> None:
    world = firm()
    sheet = world.work("1", person="W-7")
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:1", state="held", codes=("NO_RATE",), value=None)
    assert reason(rows, sheet, "jira:1")["events"] == [last_event(world, "timesheet.entry_unrated.v1")]


def test_withdrawn_hours_leave_nothing_to_bill() -> None:
    world = firm()
    sheet = world.work("1", approve=False)
    world.tell(sheet, WithdrawTime("W-1", MONDAY, Claim("jira", "1", NINE + timedelta(hours=1))))
    given(world).when(folded).has(ITEMS, 0).has(ITEM_SUMS, 0)


def test_hours_told_by_two_systems_are_one_item() -> None:
    world = firm()
    sheet = world.work("1")
    again = Work("P-1-L1", None, MONDAY, Decimal(8), started="09:00:00")
    world.tell(sheet, LogTime("W-1", Claim("tempo", "77", NINE), again))
    given(world).when(folded).has(ITEMS, 1)


def test_corrected_hours_reverse_their_lot_and_are_captured_again() -> None:
    world = firm()
    sheet = world.work("1")
    shorter = Work("P-1-L1", None, MONDAY, Decimal(6), started="09:00:00")
    world.tell(sheet, LogTime("W-1", Claim("jira", "1", NINE + timedelta(days=2)), shorter))
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:1#1", state="reversed").then(ITEMS, sheet, "jira:1", state="captured")
    world.tell(sheet, ApproveTime(("jira:1",), "W-9", NINE + timedelta(days=3)))
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:1#2", state="eligible", quantity=Decimal(6)).has_no(ITEMS, sheet, "jira:1")
    rows.then(ITEM_SUMS, "project", "P-1-L1", "DE01", "eligible", "EUR", items=1, hours=Decimal(6))


def test_a_hold_on_the_engagement_decides_all_its_open_work_again_and_names_its_event() -> None:
    world = firm()
    sheet = world.work("1")
    world.tell(ENGAGEMENT, HoldEngagement("The customer is insolvent."))
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:1#1", state="held", codes=("CONTRACT_ON_HOLD",), eligible_value=NOTHING)
    told = reason(rows, sheet, "jira:1#1")
    assert told["blocking"] == ENGAGEMENT
    assert told["events"] == [last_event(world, "engagement.held.v1")]
    assert "insolvent" in str(told["what_to_do"])
    rows.then(REASON_SUMS, "DE01", "CONTRACT_ON_HOLD", "finance_preparer", "EUR", items=1, value=Decimal("1200.00"))
    world.tell(ENGAGEMENT, LiftHold())
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", state="eligible").has(REASON_SUMS, 0)


def test_a_hold_on_the_project_holds_its_work() -> None:
    world = firm()
    sheet = world.work("1")
    world.tell(PROJECT, HoldBilling("Quality review."))
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", state="held", codes=("PROJECT_BILLING_HOLD",))


def test_work_waits_until_every_target_knows_the_project() -> None:
    world = World().firm()
    world.tell(ENGAGEMENT, OpenEngagement("E-1", "Data platform", "C-1", "DE01", "EUR"))
    world.contract_lines(confirmed=("psa",))
    sheet = world.work("1")
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", state="held", codes=("PROJECT_NOT_SYNCED",))
    world.tell(PROJECT, ConfirmSetUp("erp", "ERP-1"))
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", state="eligible")


def test_a_blocked_customer_holds_all_work_for_it_until_it_is_unblocked() -> None:
    world = firm()
    sheet = world.work("1")
    world.tell(CUSTOMER, BlockCustomer("Overdue."))
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", state="held", codes=("CUSTOMER_BLOCKED",))
    world.tell(CUSTOMER, UnblockCustomer())
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", state="eligible")


def test_all_reasons_are_listed_in_the_order_of_the_closed_list() -> None:
    world = firm()
    sheet = world.work("1")
    world.tell(CUSTOMER, BlockCustomer("Overdue."))
    world.tell(ENGAGEMENT, HoldEngagement("Dispute."))
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:1#1", codes=("CONTRACT_ON_HOLD", "CUSTOMER_BLOCKED"))


def test_a_purchase_order_that_arrives_frees_the_work_that_waited_for_it() -> None:
    world = World().firm()
    opened = OpenEngagement("E-1", "Data platform", "C-1", "DE01", "EUR", purchase_order_required=True)
    world.tell(ENGAGEMENT, opened)
    world.contract_lines()
    sheet = world.work("1")
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", state="held", codes=("PO_MISSING",))
    world.tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-9")))
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", state="eligible")


def test_a_tax_rule_that_is_stated_frees_the_work_of_every_engagement_that_lacked_it() -> None:
    world = firm()
    sheet = world.work("1")
    later = NINE + timedelta(days=1)
    world.tell(CUSTOMER, DescribeCustomer("C-1", {"country": "CH"}, later))
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", state="held", codes=("TAX_UNDETERMINED",))
    abroad = TaxRule(NEW_YEAR, "CH", "G", Decimal(0))
    world.tell(stream_of("tax_rule", "DE"), SetTaxRule("DE", abroad))
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", state="eligible")


def test_a_draft_reserves_its_lots_and_a_discarded_draft_gives_them_back() -> None:
    world = firm()
    sheet = world.work("1")
    world.draft("I-1", world.lots(sheet))
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:1#1", state="reserved", invoice="I-1", codes=("RESERVED_ON_DRAFT",))
    assert reason(rows, sheet, "jira:1#1")["blocking"] == "invoice:I-1"
    world.record(adjusting.discard_draft(world.read, "I-1", "paul", "Wrong month."))
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", state="eligible", invoice=None)


def test_an_issued_invoice_bills_its_lots_under_its_number() -> None:
    world = firm()
    sheet = world.work("1")
    world.draft("I-1", world.lots(sheet)).approve("I-1").issue("I-1")
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:1#1", state="billed", number="DE01-2026-000001", codes=("ALREADY_BILLED",))
    rows.then(ITEM_SUMS, "engagement", "E-1", "DE01", "billed", "EUR", items=1, value=Decimal("1200.00"))


def test_a_written_off_lot_has_ended() -> None:
    world = firm()
    sheet = world.work("1")
    world.tell(sheet, WriteOffLots(("jira:1#1",), "Goodwill.", "cfo"))
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", state="written_off", codes=("WRITTEN_OFF",))


def test_work_on_a_task_that_nobody_pays_for_is_not_billable_and_keeps_its_cost() -> None:
    world = firm()
    world.tell(PROJECT, DefineTask(Task("T-9", "Travel", chargeable=False)))
    sheet = timesheet_stream("W-1", MONDAY)
    world.tell(sheet, LogTime("W-1", Claim("jira", "1", NINE), Work("P-1-L1", "T-9", MONDAY, Decimal(2))))
    world.tell(sheet, ApproveTime(("jira:1",), "W-9", NINE))
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:1#1", state="non_billable", codes=("TASK_NOT_CHARGEABLE",), cost=Decimal("120.00"))


def test_a_cap_is_taken_up_in_the_order_of_work_and_the_lot_that_crosses_it_counts_on_both_sides() -> None:
    world = World().firm().contract(cap=euros(2000))
    sheet = world.work("1")
    world.work("2", day=1)
    world.work("3", day=2)
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:1#1", state="eligible", eligible_value=Decimal("1200.00"), codes=())
    rows.then(
        ITEMS,
        sheet,
        "jira:2#1",
        state="eligible",
        eligible_value=Decimal("800.00"),
        over_cap_value=Decimal("400.00"),
        eligible_quantity=Decimal("5.3333"),
        over_cap_quantity=Decimal("2.6667"),
        codes=("CAP_EXCEEDED",),
    )
    rows.then(ITEMS, sheet, "jira:3#1", state="over_cap", over_cap_value=Decimal("1200.00"), eligible_value=NOTHING)
    rows.then(ITEM_SUMS, "engagement", "E-1", "DE01", "eligible", "EUR", value=Decimal(2000), items=2)
    rows.then(ITEM_SUMS, "engagement", "E-1", "DE01", "over_cap", "EUR", value=Decimal(1600), items=1, parts=2)


def test_a_raised_cap_is_shared_out_again_in_the_same_order() -> None:
    world = World().firm().contract(cap=euros(1200))
    sheet = world.work("1")
    world.work("2", day=1)
    rows = given(world).when(folded).then(ITEMS, sheet, "jira:2#1", state="over_cap")
    assert reason(rows, sheet, "jira:2#1")["resolves_itself"]
    world.tell(ENGAGEMENT, ChangeCap("L1", euros(2400)))
    given(world).when(folded).then(ITEMS, sheet, "jira:2#1", state="eligible", codes=())


def test_what_a_draft_takes_of_a_cap_is_no_longer_left_for_others() -> None:
    world = World().firm().contract(cap=euros(1500))
    sheet = world.work("1")
    world.draft("I-1", world.lots(sheet))
    world.work("2", day=1)
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:2#1", eligible_value=Decimal("300.00"), over_cap_value=Decimal("900.00"))


def test_held_work_takes_nothing_of_a_cap_before_work_that_can_be_billed() -> None:
    world = World().firm().contract(cap=euros(1200))
    world.work("1", person="W-2")
    sheet = world.work("2", day=1)
    world.tell(PROJECT, AssignResource(Assignment("W-1", NEW_YEAR)))
    rows = given(world).when(folded)
    rows.then(ITEMS, "timesheet:W-2:2026-03-02", "jira:1#1", state="held")
    assert item(rows, StreamId("timesheet:W-2:2026-03-02"), "jira:1#1").codes == (
        "WORK_DATE_OUTSIDE_ASSIGNMENT",
        "CAP_EXCEEDED",
    )
    rows.then(ITEMS, sheet, "jira:2#1", state="eligible", eligible_value=Decimal("1200.00"))


def test_what_the_read_model_calls_eligible_is_what_a_draft_takes() -> None:
    world = World().firm().contract(cap=euros(2000))
    sheet = world.work("1")
    world.work("2", day=1)
    world.work("3", day=2)
    shown = given(world).when(folded).row(ITEM_SUMS, "engagement", "E-1", "DE01", "eligible", "EUR").value
    world.draft("I-1", world.lots(sheet), strict=False)
    assert world.read(StreamId("invoice:I-1")).net == euros(shown)
    rows = given(world).when(folded)
    rows.then(ITEMS, sheet, "jira:2#1", state="split").then(ITEMS, sheet, "jira:2#1/1", state="reserved")
    rows.then(ITEMS, sheet, "jira:2#1/2", state="over_cap", over_cap_value=Decimal("400.00"))


def test_an_accepted_milestone_is_a_lot_of_its_engagement_and_its_hours_are_included() -> None:
    milestones = FixedFeeMilestones(milestones=(Milestone("M1", "Design", euros(5000)),))
    world = World().firm().contract(line=ContractLine("L1", "Design", milestones))
    sheet = world.work("1")
    world.tell(ENGAGEMENT, AcceptMilestone("L1", "M1", date(2026, 3, 20), "mail of the customer", "pm", NINE))
    rows = given(world).when(folded)
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/M1#1", state="eligible", kind="milestone", value=Decimal(5000))
    rows.then(ITEMS, sheet, "jira:1#1", state="non_billable", codes=("INCLUDED_IN_FIXED_FEE",))
    world.tell(ENGAGEMENT, HoldEngagement("Dispute."))
    given(world).when(folded).then(ITEMS, ENGAGEMENT, "E-1/L1/M1#1", state="held")


def test_an_expense_waits_for_its_receipt() -> None:
    world = firm()
    report = expense_stream("ER-1")
    ticket = Expense("1", "P-1-L1", "Train", MONDAY, euros(119), euros(19), billable=True)
    world.tell(report, RecordExpense("ER-1", "W-1", ticket, NINE), SubmitExpenses(("1",)))
    rows = given(world).when(folded)
    rows.then(ITEMS, report, "ER-1/1", state="submitted", codes=("NOT_APPROVED", "RECEIPT_MISSING"))
    world.tell(report, ApproveExpenses(("1",), "W-9", NINE))
    rows = given(world).when(folded)
    rows.then(ITEMS, report, "ER-1/1#1", state="held", codes=("RECEIPT_MISSING",), value=Decimal("100.00"))


def test_work_told_before_its_project_finds_its_engagement_when_that_comes() -> None:
    world = World().firm()
    sheet = world.work("1", approve=False)
    given(world).when(folded).then(ITEMS, sheet, "jira:1", engagement="", selling_entity="", state="captured")
    world.contract()
    given(world).when(folded).then(ITEMS, sheet, "jira:1", engagement="E-1", customer="C-1", selling_entity="DE01")


def test_a_new_line_in_place_of_the_old_decides_its_work_again() -> None:
    world = firm()
    sheet = world.work("1")
    capped = ContractLine("L1", "Work", TimeAndMaterials(cap=euros(600)))
    world.tell(ENGAGEMENT, AgreeLine(capped))
    given(world).when(folded).then(ITEMS, sheet, "jira:1#1", eligible_value=Decimal("600.00"), codes=("CAP_EXCEEDED",))


def test_since_when_is_the_time_at_which_the_cause_was_recorded() -> None:
    world = firm()
    sheet = world.work("1")
    world.tell(CUSTOMER, BlockCustomer("Overdue."))
    rows = given(world).when(folded)
    (fact,) = [fact for fact in world.ledger.read(0, 10_000) if fact.name == "customer.blocked.v1"]
    since = datetime.fromisoformat(str(reason(rows, sheet, "jira:1#1")["since"]))
    assert since == fact.recorded_at.astimezone(UTC)
