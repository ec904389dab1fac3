"""Services for approved work that no connected system tells: hours and expenses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from typing_extensions import Doc

from api.services.service import Amount, Call, Decision, InputIncomplete, Service
from domain.expense import ApproveExpenses, Expense, ExpenseReport, RecordExpense, SubmitExpenses, expense_stream
from domain.kernel import Addressed
from domain.money import zero
from domain.ports import resource_of
from domain.timesheet import ApproveTime, Claim, LogTime, Timesheet, Work, decider, timesheet_stream
from domain.timesheet.week import Entry, own_decision

SYSTEM = "ledger"
"""The system that time told through a service belongs to."""


@dataclass(frozen=True)
class PostApprovedTimeInput:
    """Hours of one person on one day, already approved."""

    resource: Annotated[str, Doc("The person's opaque id.")]
    project: Annotated[str, Doc("The project that was worked for.")]
    work_date: Annotated[date, Doc("The day of the work.")]
    hours: Annotated[Decimal, Doc("More than 0 and at most 24.")]
    approved_by: Annotated[str, Doc("Who approved: the approver's own id, never that of the person who worked.")]
    approved_hours: Annotated[
        Decimal | None,
        Doc("How many may be billed, if not all: fewer leave the rest as cost, held as APPROVER_REDUCED."),
    ] = None
    task: Annotated[str | None, Doc("The task within the project.")] = None
    time_type: Annotated[str, Doc("regular, or a kind with an uplift such as overtime.")] = "regular"
    started: Annotated[str | None, Doc("When it began, by the clock at the worker's place: HH:MM:SS.")] = None
    note: Annotated[str, Doc("What was done.")] = ""
    entry: Annotated[str | None, Doc("The caller's own id of the hours, to correct them later.")] = None


def post_approved_time(asked: PostApprovedTimeInput, call: Call) -> Decision:
    """Record hours and their approval together; they are priced at once and become a lot."""
    call.require_project(asked.project)
    if not resource_of(call.read, asked.resource).versions:
        raise InputIncomplete(f"Nothing is known of resource {asked.resource}.")
    stream = timesheet_stream(asked.resource, asked.work_date)
    sheet: Timesheet = call.read(stream)
    name = asked.entry or call.new_id("T")
    corrected = sheet.claimed_by(Claim(SYSTEM, name, call.now).ref)
    claim = Claim(SYSTEM, name, call.after(*_told(corrected)))
    work = Work(
        asked.project, asked.task, asked.work_date, asked.hours, asked.time_type, asked.started or None, asked.note
    )
    log = LogTime(asked.resource, claim, work)
    entry = _entry_after(log, sheet)
    hours = {} if asked.approved_hours is None else {entry.entry: asked.approved_hours}
    approve = ApproveTime((entry.entry,), asked.approved_by, call.after(*_told(entry)), hours)
    return Decision([Addressed(stream, log), Addressed(stream, approve)], (stream,))


def _told(entry: Entry | None) -> list[datetime]:
    """When an entry was told, by any system, and decided about."""
    if entry is None:
        return []
    own = own_decision(entry)
    return [entry.said_at, *(claim.said_at for claim in entry.claims.values()), *([own.at] if own else [])]


def _entry_after(log: LogTime, sheet: Timesheet) -> Entry:
    """The entry that the hours are: another system may have told of them already."""
    for event in decider.decide(log, sheet):
        sheet = decider.evolve(sheet, event)
    known = sheet.claimed_by(log.claim.ref)
    assert known is not None, "hours that are told are known"
    return known


@dataclass(frozen=True)
class SubmitBillableExpenseInput:
    """One line of an expense report that a customer shall pay for."""

    report: Annotated[str, Doc("The report that the line is on.")]
    line: Annotated[str, Doc("The line's id within its report.")]
    resource: Annotated[str, Doc("The opaque id of the person who spent it.")]
    project: Annotated[str, Doc("The project that it was spent for.")]
    category: Annotated[str, Doc("What kind of cost it is, e.g. travel.")]
    spent_on: Annotated[date, Doc("The day that it was spent.")]
    amount: Annotated[Amount, Doc("What was paid, tax included; below zero what was given back.")]
    receipt: Annotated[str | None, Doc("The receipt's reference.")] = None
    recoverable_tax: Annotated[Decimal, Doc("The tax in it that the firm gets back, with the sign of the amount.")] = (
        Decimal(0)
    )
    note: Annotated[str, Doc("What it was for.")] = ""
    days: Annotated[Decimal, Doc("How many days a per diem pays for.")] = Decimal(1)


def submit_billable_expense(asked: SubmitBillableExpenseInput, call: Call) -> Decision:
    """Record a billable expense and hand it in for approval."""
    call.require_project(asked.project)
    tax = Amount(asked.recoverable_tax, asked.amount.currency).money
    expense = Expense(
        line=asked.line,
        project=asked.project,
        category=asked.category,
        spent_on=asked.spent_on,
        amount=asked.amount.money,
        recoverable_tax=tax + zero(asked.amount.currency),
        billable=True,
        receipt=asked.receipt,
        note=asked.note,
        days=asked.days,
    )
    stream = expense_stream(asked.report)
    report: ExpenseReport = call.read(stream)
    record = RecordExpense(asked.report, asked.resource, expense, call.after(*_told_of(report, (asked.line,))))
    return Decision([Addressed(stream, record), Addressed(stream, SubmitExpenses((asked.line,)))], (stream,))


@dataclass(frozen=True)
class ApproveExpenseInput:
    """Lines of an expense report to approve."""

    report: Annotated[str, Doc("The report.")]
    lines: Annotated[tuple[str, ...], Doc("The lines to approve.")]
    approved_by: Annotated[str | None, Doc("The approver's own id; left out, the one who asks.")] = None


def approve_expense(asked: ApproveExpenseInput, call: Call) -> Decision:
    """Approve expenses as they stand; each becomes a lot at what it cost."""
    stream = expense_stream(asked.report)
    report: ExpenseReport = call.read(stream)
    for name in asked.lines:
        if line := report.lines.get(name):
            call.require_project(line.expense.project)
    by = asked.approved_by or call.principal.subject
    at = call.after(*_told_of(report, asked.lines))
    return Decision([Addressed(stream, ApproveExpenses(asked.lines, by, at))], (stream,))


def _told_of(report: ExpenseReport, lines: Sequence[str]) -> list[datetime]:
    """When expenses were told and decided about."""
    known = [line for name in lines if (line := report.lines.get(name))]
    return [line.said_at for line in known] + [line.decided.at for line in known if line.decided]


SERVICES = (
    Service("post-approved-time", PostApprovedTimeInput, ("timesheet",), post_approved_time),
    Service("submit-billable-expense", SubmitBillableExpenseInput, ("expense_report",), submit_billable_expense),
    Service("approve-expense", ApproveExpenseInput, ("expense_report",), approve_expense),
)
