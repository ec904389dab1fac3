from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import orjson

from domain.billing.credit_wishes import CreditWish
from domain.contract import ContractLine, TimeAndMaterials
from domain.engagement import AgreeLine, ChangeCap, HoldEngagement, OpenEngagement
from domain.exception import (
    ExceptionOpened,
    Problem,
    RaiseException,
    ResolveException,
    RetryException,
    exception_stream,
)
from domain.expense import ApproveExpenses, Expense, RecordExpense, expense_stream
from domain.invoice import (
    ConfirmPosting,
    DeliverInvoice,
    RecordPayment,
    RejectPosting,
    ReportPostingInDoubt,
    ReportPostingSent,
    RequestPosting,
    invoice_stream,
)
from domain.kernel import Cause, stream_of
from domain.project import (
    Assignment,
    AssignResource,
    CloseProject,
    ConfirmSetUp,
    CreateProject,
    DefineTask,
    HoldBilling,
    RejectSetUp,
    Task,
)
from domain.reference.customer import BlockCustomer, DescribeCustomer
from domain.timesheet import ApproveTime, Claim, LogTime, RejectTime, SubmitTime, WithdrawTime, Work
from projections.exceptions.fold import EXCEPTIONS
from projections.history.timeline_fold import TIMELINE
from projections.invoices.fold import INVOICE_SUMS, INVOICES
from projections.registers.fold import CUSTOMERS, ENGAGEMENTS, ENTITIES, PROJECTS
from projections.registers.timesheets_fold import ENTRIES, SHEETS
from projections.systems.sources import SOURCES
from projections.systems.sync_fold import SYNC_SUMS, SYNCS
from tests.domain.test_crediting import credit
from tests.projections.books import Rows, folded, given
from tests.world import CUSTOMER, ENGAGEMENT, MONDAY, NINE, PROJECT, World, euros

INVOICE = invoice_stream("I-1")


def firm() -> World:
    return World().firm().contract()


def billed() -> World:
    world = firm()
    world.draft("I-1", world.lots(world.work("1")))
    return world.approve("I-1").issue("I-1")


# -- engagements, projects, customers, entities --------------------------------------------------------------------


def test_an_engagement_shows_its_terms_its_lines_and_what_is_taken_of_them() -> None:
    world = billed()
    rows = given(world).when(folded)
    rows.then(ENGAGEMENTS, "E-1", title="Data platform", status="signed", currency="EUR", customer="C-1")
    (line,) = orjson.loads(rows.row(ENGAGEMENTS, "E-1").lines)
    assert (line["line"], line["method"], Decimal(line["claimed"])) == ("L1", "time_and_materials", Decimal(1200))


def test_a_held_engagement_says_why() -> None:
    world = firm()
    world.tell(ENGAGEMENT, HoldEngagement("Dispute."))
    given(world).when(folded).then(ENGAGEMENTS, "E-1", status="held", held_because="Dispute.")


def test_a_changed_cap_shows_in_the_line() -> None:
    world = firm()
    world.tell(ENGAGEMENT, AgreeLine(ContractLine("L2", "More", TimeAndMaterials())), ChangeCap("L2", euros(9000)))
    lines = orjson.loads(given(world).when(folded).row(ENGAGEMENTS, "E-1").lines)
    assert [(line["line"], line["cap"]) for line in lines] == [("L1", None), ("L2", "9000")]


def test_a_project_is_set_up_then_open_then_held_then_closed() -> None:
    world = World().firm()
    world.tell(ENGAGEMENT, OpenEngagement("E-1", "Data platform", "C-1", "DE01", "EUR"))
    world.contract_lines(confirmed=("psa",))
    given(world).when(folded).then(PROJECTS, "P-1-L1", status="setting_up", engagement="E-1", selling_entity="DE01")
    world.tell(PROJECT, ConfirmSetUp("erp", "ERP-1"))
    given(world).when(folded).then(PROJECTS, "P-1-L1", status="open")
    world.tell(PROJECT, HoldBilling("Review."))
    given(world).when(folded).then(PROJECTS, "P-1-L1", status="held", held_because="Review.")
    world.tell(PROJECT, CloseProject(date(2026, 6, 30)))
    given(world).when(folded).then(PROJECTS, "P-1-L1", status="closed", closed_on=date(2026, 6, 30))


def test_a_project_lists_its_tasks_and_people() -> None:
    world = firm()
    world.tell(PROJECT, DefineTask(Task("T-1", "Build")), AssignResource(Assignment("W-1", MONDAY, role="Lead")))
    row = given(world).when(folded).row(PROJECTS, "P-1-L1")
    assert [task["title"] for task in orjson.loads(row.tasks)] == ["Build"]
    assert [place["role"] for place in orjson.loads(row.assignments)] == ["Lead"]


def test_a_project_created_before_its_engagement_learns_whose_it_is() -> None:
    world = World().firm()
    world.tell(stream_of("project", "P-9"), CreateProject("P-9", "E-9", "Early", "L1", "DE01", MONDAY))
    given(world).when(folded).then(PROJECTS, "P-9", selling_entity="", customer="")
    world.tell(stream_of("engagement", "E-9"), OpenEngagement("E-9", "Late", "C-1", "DE01", "EUR"))
    given(world).when(folded).then(PROJECTS, "P-9", selling_entity="DE01", customer="C-1")


def test_a_customer_and_an_entity_show_what_is_known_of_them() -> None:
    world = firm()
    world.tell(CUSTOMER, BlockCustomer("Overdue."))
    rows = given(world).when(folded)
    rows.then(CUSTOMERS, "C-1", name="Acme", country="DE", blocked_because="Overdue.")
    rows.then(ENTITIES, "DE01", region="EMEA", functional_currency="EUR", countries=("DE",))


# -- work ------------------------------------------------------------------------------------------------------------


def test_an_entry_shows_what_was_worked_and_where_it_stands() -> None:
    world = firm()
    sheet = world.work("1", approve=False)
    rows = given(world).when(folded)
    rows.then(ENTRIES, sheet, "jira:1", status="captured", hours=Decimal(8), resource="W-1", systems=("jira",), lots=0)
    rows.then(SHEETS, sheet, resource="W-1", week=MONDAY)
    world.tell(sheet, SubmitTime(("jira:1",)))
    world.tell(sheet, ApproveTime(("jira:1",), "W-9", NINE))
    rows = given(world).when(folded)
    rows.then(ENTRIES, sheet, "jira:1", status="approved", approved_by="W-9", approved_at=NINE, lots=1)


def test_an_entry_shows_for_how_many_hours_it_was_approved_where_that_is_not_what_was_worked() -> None:
    world = firm()
    sheet = world.work_approved_for("6")
    rows = given(world).when(folded)
    rows.then(ENTRIES, sheet, "jira:1", status="approved", hours=Decimal(8), approved_hours=Decimal(6), lots=2)
    world.work_approved_for("8", later=1)
    rows = given(world).when(folded)
    rows.then(ENTRIES, sheet, "jira:1", status="approved", hours=Decimal(8), approved_hours=None)
    world.tell(sheet, RejectTime(("jira:1",), "W-9", NINE + timedelta(days=2), "Which task?"))
    given(world).when(folded).then(ENTRIES, sheet, "jira:1", status="rejected", approved_hours=None, lots=0)


def test_an_entry_names_every_system_that_told_it() -> None:
    world = firm()
    sheet = world.work("1")
    again = Work("P-1-L1", None, MONDAY, Decimal(8), started="09:00:00")
    world.tell(sheet, LogTime("W-1", Claim("tempo", "77", NINE), again))
    given(world).when(folded).then(ENTRIES, sheet, "jira:1", systems=("jira", "tempo")).has(ENTRIES, 1)


def test_hours_withdrawn_before_they_were_told_leave_a_mark_only() -> None:
    world = firm()
    sheet = world.work("1", approve=False)
    world.tell(sheet, WithdrawTime("W-1", MONDAY, Claim("jira", "2", NINE)))
    given(world).when(folded).then(ENTRIES, sheet, "jira:2", status="withdrawn", hours=Decimal(0), project="")


def test_an_expense_line_is_an_entry_with_an_amount() -> None:
    world = firm()
    report = expense_stream("ER-1")
    ticket = Expense("1", "P-1-L1", "Train", MONDAY, euros(119), euros(19), billable=True, receipt="scan-1")
    world.tell(report, RecordExpense("ER-1", "W-1", ticket, NINE))
    world.tell(report, ApproveExpenses(("1",), "W-9", NINE))
    rows = given(world).when(folded)
    rows.then(
        ENTRIES, report, "ER-1/1", kind="expense", status="approved", amount=Decimal(119), category="Train", lots=1
    )


# -- invoices --------------------------------------------------------------------------------------------------------


def test_a_draft_is_worth_its_lines() -> None:
    world = firm()
    world.draft("I-1", world.lots(world.work("1")))
    rows = given(world).when(folded)
    rows.then(INVOICES, "I-1", status="draft", net=Decimal("1200.00"), tax=Decimal(0), number=None, lot_count=1)
    rows.then(INVOICE_SUMS, "DE01", "draft", "EUR", invoices=1, net=Decimal(1200))


def test_an_issued_invoice_shows_its_number_tax_and_what_is_due() -> None:
    rows = given(billed()).when(folded)
    rows.then(
        INVOICES,
        "I-1",
        status="issued",
        number="DE01-2026-000001",
        tax=Decimal("228.00"),
        gross=Decimal("1428.00"),
        due=Decimal("1428.00"),
        approved_by="ann",
        issued_on=date(2026, 4, 1),
        first_work_date=MONDAY,
    )
    rows.then(INVOICE_SUMS, "DE01", "issued", "EUR", invoices=1).has(INVOICE_SUMS, 1)


def test_a_customer_that_is_called_otherwise_later_has_its_old_name_on_what_was_issued() -> None:
    world = billed()
    world.tell(CUSTOMER, DescribeCustomer("C-1", {"name": "Acme Holding"}, NINE + timedelta(days=90)))
    given(world).when(folded).then(INVOICES, "I-1", buyer_name="Acme").then(CUSTOMERS, "C-1", name="Acme Holding")


def test_an_invoice_is_delivered_once_whether_an_erp_has_posted_it_or_not() -> None:
    world = billed()
    world.tell(INVOICE, ReportPostingInDoubt("erp", "no answer"), DeliverInvoice(date(2026, 4, 2), "ann", "peppol"))
    rows = given(world).when(folded)
    rows.then(INVOICES, "I-1", status="issued", delivered_on=date(2026, 4, 2), due=Decimal("1428.00"))
    world.tell(INVOICE, DeliverInvoice(date(2026, 4, 3), "ann", "email"))
    given(world).when(folded).then(INVOICES, "I-1", delivered_on=date(2026, 4, 2))


def test_payments_reduce_what_is_due_until_the_invoice_is_paid() -> None:
    world = billed()
    world.tell(INVOICE, RecordPayment("p-1", date(2026, 4, 10), euros(400)))
    rows = given(world).when(folded)
    rows.then(INVOICES, "I-1", status="issued", paid=Decimal(400), due=Decimal("1028.00"))
    rows.then(INVOICE_SUMS, "DE01", "issued", "EUR", due=Decimal("1028.00"))
    world.tell(INVOICE, RecordPayment("p-2", date(2026, 4, 20), euros("1028.00")))
    rows = given(world).when(folded)
    rows.then(INVOICES, "I-1", status="paid", due=Decimal(0), paid_on=date(2026, 4, 20))
    rows.then(INVOICE_SUMS, "DE01", "paid", "EUR", paid=Decimal("1428.00"), due=Decimal(0))


# -- synchronisation -------------------------------------------------------------------------------------------------


def sync(rows: Rows, stream: str, target: str, **columns: object) -> None:
    rows.then(SYNCS, stream, target, **columns)


def test_an_invoice_that_was_credited_before_any_money_came_is_credited_and_not_paid() -> None:
    world = billed()
    credit(world, "CN-1", CreditWish(1, disposition="write_off"))
    due = world.read(INVOICE).due
    assert not due
    given(world).when(folded).then(INVOICES, "I-1", status="credited", paid=Decimal(0), due=Decimal(0))


def test_a_confirmed_project_is_known_in_the_version_that_was_asked_for() -> None:
    rows = given(firm()).when(folded)
    sync(rows, PROJECT, "erp", state="confirmed", external_id="erp-1", our_version=1, confirmed_version=1, attempts=1)
    rows.then(SYNC_SUMS, "DE01", "project", "erp", "confirmed", objects=1)


def test_a_refused_set_up_says_why() -> None:
    world = World().firm()
    world.tell(ENGAGEMENT, OpenEngagement("E-1", "Data platform", "C-1", "DE01", "EUR"))
    world.contract_lines(confirmed=())
    given(world).when(folded).then(SYNCS, PROJECT, "erp", state="pending", attempts=1)
    world.tell(PROJECT, RejectSetUp("erp", "Unknown cost centre."))
    rows = given(world).when(folded)
    sync(rows, PROJECT, "erp", state="rejected", reason="Unknown cost centre.", confirmed_version=None)


def test_a_project_that_was_closed_after_its_confirmation_has_drifted() -> None:
    world = firm()
    world.tell(PROJECT, CloseProject(date(2026, 6, 30)))
    rows = given(world).when(folded)
    sync(rows, PROJECT, "psa", state="drifted", confirmed_version=1)
    assert rows.row(SYNCS, PROJECT, "psa").our_version > 1


def test_a_posting_is_pending_sent_in_doubt_and_confirmed() -> None:
    world = billed()
    given(world).when(folded).then(SYNCS, INVOICE, "erp", state="pending", kind="invoice", engagement="E-1")
    world.tell(INVOICE, ReportPostingSent("erp"))
    given(world).when(folded).then(SYNCS, INVOICE, "erp", state="sent")
    world.tell(INVOICE, ReportPostingInDoubt("erp", "No answer."))
    given(world).when(folded).then(SYNCS, INVOICE, "erp", state="in_doubt", reason="No answer.")
    world.tell(INVOICE, ConfirmPosting("erp", "DOC-1"))
    rows = given(world).when(folded)
    sync(rows, INVOICE, "erp", state="confirmed", external_id="DOC-1", reason=None)
    row = rows.row(SYNCS, INVOICE, "erp")
    assert row.pending_at <= row.requested_at <= row.sent_at <= row.in_doubt_at <= row.confirmed_at == row.since


def test_a_refused_posting_that_is_asked_for_again_is_pending_again() -> None:
    world = billed()
    world.tell(INVOICE, RejectPosting("erp", "Period closed."))
    world.tell(INVOICE, RequestPosting("erp"))
    rows = given(world).when(folded)
    sync(rows, INVOICE, "erp", state="pending", attempts=2, reason=None)


def test_an_invoice_that_was_posted_twice_under_different_names_has_drifted() -> None:
    world = billed()
    world.tell(INVOICE, ConfirmPosting("erp", "DOC-1"), ConfirmPosting("erp", "DOC-2"))
    rows = given(world).when(folded)
    sync(rows, INVOICE, "erp", state="drifted", reason="Confirmed as DOC-1, and then as DOC-2.")


# -- exceptions ------------------------------------------------------------------------------------------------------


def problem(**more: object) -> Problem:
    told = {"message": "A day has 24 hours.", "what_to_do": "Correct it.", "owner_role": "project_manager"}
    return Problem(kind="refused", code="timesheet.day_too_long", about="jira:worklog:7", **{**told, **more})  # type: ignore[arg-type]


def test_an_exception_shows_its_context_also_where_only_the_project_was_named() -> None:
    world = firm()
    stream = exception_stream("refused", "jira", "7")
    world.tell(stream, RaiseException(problem(project="P-1-L1", money_at_risk=euros(700)), "jira:7"))
    rows = given(world).when(folded)
    rows.then(
        EXCEPTIONS,
        stream,
        is_open=True,
        engagement="E-1",
        customer="C-1",
        selling_entity="DE01",
        money_at_risk=Decimal(700),
        currency="EUR",
        occurrences=1,
    )


def test_an_exception_gathers_its_repetitions_and_ends_when_it_is_settled() -> None:
    world = firm()
    stream = exception_stream("refused", "jira", "7")
    world.tell(stream, RaiseException(problem(), "jira:7"), RaiseException(problem(), "jira:8"), RetryException("pm"))
    rows = given(world).when(folded)
    rows.then(EXCEPTIONS, stream, occurrences=2, retries=1, is_open=True, selling_entity="")
    world.tell(stream, ResolveException("pm", "Corrected in Jira."))
    rows = given(world).when(folded)
    rows.then(EXCEPTIONS, stream, is_open=False, resolved_by="pm", resolution="Corrected in Jira.")
    world.tell(stream, RaiseException(problem(), "jira:9"))
    given(world).when(folded).then(EXCEPTIONS, stream, is_open=True, occurrences=3, resolved_at=None)


# -- timeline and sources --------------------------------------------------------------------------------------------


def test_the_timeline_of_an_invoice_gathers_its_lots_its_number_and_its_own_facts() -> None:
    world = billed()
    store = folded(world.ledger)
    positions = [row[1] for row in store.all(TIMELINE).values() if row[0] == INVOICE]
    names = {fact.position: fact.name for fact in world.ledger.read(0, 10_000)}
    assert [names[position] for position in sorted(positions)] == [
        "lot.reserved.v1",
        "engagement.billing_claimed.v1",
        "invoice.drafted.v1",
        "invoice.approved.v1",
        "number_series.number_taken.v1",
        "invoice.issued.v1",
        "lot.billed.v1",
        "invoice.posting_requested.v1",
    ]


def test_the_timeline_of_a_project_gathers_the_work_for_it_and_its_problems() -> None:
    world = firm()
    world.work("1")
    world.tell(exception_stream("refused", "x"), RaiseException(problem(project="P-1-L1"), None))
    store = folded(world.ledger)
    positions = {row[1] for row in store.all(TIMELINE).values() if row[0] == PROJECT}
    kinds = {type(fact.event) for fact in world.ledger.read(0, 10_000) if fact.position in positions}
    assert {"TimeLogged", "LotRated", "ProjectCreated"} <= {kind.__name__ for kind in kinds}
    assert ExceptionOpened in kinds


def test_the_newest_fact_of_each_source_system_is_known() -> None:
    world = firm()
    occurred = NINE - timedelta(minutes=5)
    unit = world.ledger.unit()
    from domain.kernel import Addressed

    unit.decide(
        Addressed(CUSTOMER, BlockCustomer("Overdue.")), Cause("system:salesforce", "c", None, "salesforce:1", occurred)
    )
    world.ledger.commit(unit)
    rows = given(world).when(folded)
    rows.then(SOURCES, "salesforce", position=world.ledger.head(), occurred_at=occurred).has(SOURCES, 1)
