"""Capture: work that is not handed in, not approved, sent back, or told twice; and proof that is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from domain.eligibility.reasons import Blocker, Context, EntryFacts, LotFacts, OwnerRole, PlannedFacts, Subject
from domain.kernel import stream_of
from domain.reason_codes import ReasonCode


def of_capture(subject: Subject) -> Iterator[Blocker]:
    if subject.receipt_missing:
        caused_by: tuple[str, ...] = ("expense.recorded.v1",)
        what = "Attach the receipt in the expense system."
        yield Blocker(ReasonCode.RECEIPT_MISSING, subject.stream, caused_by, "worker", what, True)
    match subject:
        case LotFacts():
            yield from _of_holds(subject)
        case EntryFacts():
            yield from _of_entry(subject)
        case PlannedFacts():
            return


def _of_entry(subject: EntryFacts) -> Iterator[Blocker]:
    match subject.status:
        case "captured":
            caused_by: tuple[str, ...] = (
                "timesheet.time_logged.v1",
                "timesheet.time_corrected.v1",
                "expense.recorded.v1",
            )
            what = "Submit the work for approval in the time system."
            yield Blocker(ReasonCode.NOT_SUBMITTED, subject.stream, caused_by, "worker", what, True)
        case "submitted" if subject.was_revoked:
            caused_by = ("timesheet.approval_revoked.v1",)
            what = "Approve the work again, or have it corrected."
            yield Blocker(ReasonCode.APPROVAL_REVOKED, subject.stream, caused_by, "project_manager", what, True)
        case "submitted":
            caused_by = ("timesheet.submitted.v1", "expense.submitted.v1")
            what = "Approve or reject the work."
            yield Blocker(ReasonCode.NOT_APPROVED, subject.stream, caused_by, "project_manager", what, True)
        case "rejected":
            caused_by = ("timesheet.rejected.v1", "expense.rejected.v1")
            what = "Correct the work and submit it again."
            yield Blocker(ReasonCode.REJECTED, subject.stream, caused_by, "worker", what, True)
        case _:
            return


_HELD: Final[Mapping[str, tuple[OwnerRole, str, bool]]] = {
    "DUPLICATE_ENTRY": (
        "project_manager",
        "Withdraw one of the two in the time system, or confirm both",
        True,
    ),
    "HOURS_EXCEED_DAILY_LIMIT": ("project_manager", "Have the hours corrected, or confirm them", True),
    "APPROVER_REDUCED": ("project_manager", "Approve these hours as well, if they may be billed", True),
    "EXPENSE_POLICY_VIOLATION": ("finance_approver", "Allow the expense, or have it corrected", False),
    "ZERO_RATE_UNCONFIRMED": ("finance_preparer", "Set a rate, or confirm that it is billed at nothing", False),
    "DISPUTED": ("project_manager", "Settle the dispute with the customer, then lift the hold", False),
}
"""For each reason that holds a lot itself: who removes it, how, and whether it can go by itself."""


def _of_holds(subject: LotFacts) -> Iterator[Blocker]:
    for hold in subject.holds:
        role, what, by_itself = _HELD.get(hold.code, ("finance_preparer", "Lift the hold", False))
        yield Blocker(
            ReasonCode(hold.code),
            subject.stream,
            ("lot.held.v1",),
            role,
            f"{what}: {hold.because}",
            by_itself,
            hold.event,
            hold.since,
        )


def of_postponement(subject: Subject, context: Context) -> Iterator[Blocker]:
    until = subject.postponed_until if isinstance(subject, LotFacts) else None
    if until is not None and (context.today is None or context.today < until):
        what = f"Wait until {until}, or take the postponement back."
        caused_by = ("lot.postponed.v1",)
        yield Blocker(
            ReasonCode.POSTPONED_BY_USER, subject.stream, caused_by, "finance_preparer", what, True, until=until
        )


def of_cut_off(subject: Subject, context: Context) -> Iterator[Blocker]:
    """Work that was told after the cut-off of its month goes with the first month whose cut-off it meets."""
    told_at, calendar = subject.told_at, context.calendar
    if told_at is None or not calendar.is_late(subject.day, told_at):
        return
    until = calendar.billing_day_of_late(subject.day, told_at)
    if until is not None and (context.today is None or context.today < until):
        cut_off = calendar.cut_off_of(subject.day)
        what = f"It was told after {cut_off}: bill it on {until}, or let late entries pass by the entity's policy."
        yield Blocker(
            ReasonCode.LATE_ENTRY_AFTER_CUTOFF, subject.stream, (), "finance_preparer", what, True, until=until
        )


def of_assignment(subject: Subject, context: Context) -> Iterator[Blocker]:
    project = context.project
    if project is None or project.created is None or not project.assignments or not subject.person:
        return
    if project.assignment_of(subject.person, subject.day) is None:
        caused_by: tuple[str, ...] = ("project.resource_assigned.v1",)
        what = f"Assign {subject.person} to the project for the work date, or have the entry moved."
        stream = stream_of("project", project.terms.project)
        yield Blocker(ReasonCode.WORK_DATE_OUTSIDE_ASSIGNMENT, stream, caused_by, "project_manager", what, True)
