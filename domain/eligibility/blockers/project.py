"""Project: the work is internal, stopped, closed, unknown to a system, or not what the customer pays for."""

from __future__ import annotations

from collections.abc import Iterator

from domain.contract import bills_hours
from domain.eligibility.reasons import Blocker, Context, EntryFacts, Subject
from domain.kernel import StreamId, stream_of
from domain.project import Project
from domain.reason_codes import ReasonCode


def of_project(subject: Subject, context: Context) -> Iterator[Blocker]:
    project = context.project
    if project is None or project.created is None:
        return
    stream = stream_of("project", project.terms.project)
    if project.terms.internal:
        what = "Internal work is not billed; move the entry if it was for a customer."
        yield Blocker(ReasonCode.PROJECT_INTERNAL, stream, ("project.created.v1",), "project_manager", what)
    if project.held_because is not None:
        what = f"Release the billing hold: {project.held_because}"
        yield Blocker(ReasonCode.PROJECT_BILLING_HOLD, stream, ("project.billing_held.v1",), "project_manager", what)
    if project.closed_on is not None and subject.day > project.closed_on:
        what = f"The project was closed on {project.closed_on}: move the work, or reopen the project."
        yield Blocker(ReasonCode.WORK_DATE_AFTER_END, stream, ("project.closed.v1",), "project_manager", what)
    yield from _of_set_up(project, stream)
    yield from _of_scope(subject, context, project, stream)


def _of_set_up(project: Project, stream: StreamId) -> Iterator[Blocker]:
    refused = {name: set_up.reason for name, set_up in project.set_ups.items() if set_up.state == "rejected"}
    for name, reason in refused.items():
        what = f"Correct what {name} names, then retry the exception: {reason}"
        yield Blocker(ReasonCode.ERP_REJECTED, stream, ("project.set_up_rejected.v1",), "integration", what, True)
    waiting = [name for name, set_up in project.set_ups.items() if set_up.state not in ("confirmed", "rejected")]
    if not project.open_for_time and waiting:
        what = f"Wait for, or repair, the project's set-up in {', '.join(waiting)}."
        caused_by: tuple[str, ...] = ("project.set_up_requested.v1", "project.set_up_rejected.v1", "project.created.v1")
        yield Blocker(ReasonCode.PROJECT_NOT_SYNCED, stream, caused_by, "integration", what, True)


def _of_scope(subject: Subject, context: Context, project: Project, stream: StreamId) -> Iterator[Blocker]:
    if not isinstance(subject, EntryFacts):
        return
    if not project.is_chargeable(subject.task):
        what = "The task is not chargeable; move the entry if the customer pays for it."
        yield Blocker(ReasonCode.TASK_NOT_CHARGEABLE, stream, ("project.task_defined.v1",), "project_manager", what)
    line = context.engagement.lines.get(project.line_of(subject.task))
    if line is not None and not bills_hours(line.billing):
        engagement = stream_of("engagement", context.engagement.terms.engagement)
        what = "The hours are part of the fixed fee; bill its milestones."
        caused_by: tuple[str, ...] = ("engagement.line_agreed.v1",)
        yield Blocker(ReasonCode.INCLUDED_IN_FIXED_FEE, engagement, caused_by, "project_manager", what)
