"""Jira's webhooks in the ledger's words: worklogs become hours, issues tasks, who leads a project its manager.

A worklog names its issue and its author by ids alone; both must be known before its hours can be placed. The hours
belong to the day on the author's wall clock, whatever offset the body was written with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel

from adapters.vendors.intake import (
    Context,
    Intake,
    Names,
    Resolved,
    Vendor,
    moment,
    moment_of_ms,
    name,
    own_name,
    refusing,
    revision_of,
)
from adapters.vendors.jira import forms
from adapters.vendors.letter import Letter
from adapters.vendors.unreadable import UnknownSubject
from adapters.vendors.worklog import NOTE_CHARACTERS_MAX, Worklog, hours_of_seconds, intake_of
from domain.kernel import Addressed, Refused, StreamId, stream_of
from domain.ports import project_of
from domain.project import AppointManager, DefineTask, Task
from domain.reference.identifier import AssignIdentifier, ExternalRef, identifier_stream
from domain.timesheet import Claim

SYSTEM: Final = "jira"
NOT_CHARGEABLE_LABEL: Final = "non-billable"
WEBHOOK_ID_HEADER: Final = "x-atlassian-webhook-identifier"


class UnknownTimeZone(Refused):
    """The author's time zone is not in the IANA database."""

    code = "jira.unknown_time_zone"
    fix = "Correct the time zone in the author's Jira profile, then save the worklog once more."


def translate(letter: Letter) -> Sequence[Intake]:
    """The statement of one webhook."""
    match letter.object, letter.verb:
        case "worklog", "created" | "updated" | "deleted":
            return [_worklog(letter.read(forms.WorklogEvent))]
        case "issue", "created" | "updated":
            return [_issue(letter.read(forms.IssueEvent))]
        case "project", "created" | "updated":
            return _project(letter.read(forms.ProjectEvent))
        case "project", "deleted":
            return []  # what was worked for it stays what it is
        case "issue", "deleted":
            return []  # hours on it stay what they are; Jira deletes its worklogs one by one
        case _:
            raise UnknownSubject(f"jira has no {letter.object}.{letter.verb} here.")


def message_id(letter: Letter) -> str | None:
    """Jira's own id of a webhook, the same in every repetition."""
    return letter.headers.get(WEBHOOK_ID_HEADER)


def user_ref(account_id: str) -> ExternalRef:
    """The name of a person in Jira and Tempo."""
    return ExternalRef(SYSTEM, "user", account_id)


def issue_ref(issue_id: str) -> ExternalRef:
    """The name of an issue in Jira and Tempo."""
    return ExternalRef(SYSTEM, "issue", issue_id)


def project_ref(key: str) -> ExternalRef:
    """The name of a project in Jira."""
    return ExternalRef(SYSTEM, "project", key)


def _worklog(event: forms.WorklogEvent) -> Intake:
    told, said_at = event.worklog, moment_of_ms(event.timestamp, "timestamp")
    source = ExternalRef(SYSTEM, "worklog", name(told.id, "worklog.id"))
    worker = user_ref(name(told.author.account_id, "worklog.author.accountId"))
    issue = issue_ref(name(told.issue_id, "worklog.issueId"))
    started = moment(told.started, "worklog.started")
    hours = hours_of_seconds(told.seconds)
    if told.author.time_zone is not None:
        zone = _zone(told.author.time_zone)
        if zone is None:
            known = Context(resource=str(worker), project=str(issue), hours=hours)
            return refusing(source, said_at, UnknownTimeZone(repr(told.author.time_zone)), lambda _names: known)
        started = started.astimezone(zone)
    return intake_of(
        Worklog(
            source,
            Claim(SYSTEM, source.id, said_at),
            worker,
            issue,
            started.date(),
            hours,
            f"{started.hour:02d}:{started.minute:02d}:{started.second:02d}",
            _text(told.comment)[:NOTE_CHARACTERS_MAX],
            deleted=event.event.endswith("_deleted"),
        )
    )


@lru_cache(maxsize=1024)
def _zone(time_zone: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _text(comment: Any) -> str:
    """A comment's text: as it is, or gathered from the nodes of the Atlassian Document Format."""
    if isinstance(comment, str):
        return comment
    if not isinstance(comment, dict):
        return ""
    words: list[str] = []
    waiting: list[Any] = [comment]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if isinstance(node.get("text"), str):
                words.append(node["text"])
            inner = node.get("content")
            waiting.extend(reversed(inner) if isinstance(inner, list) else ())
    return " ".join(words)


def _issue(event: forms.IssueEvent) -> Intake:
    issue, said_at = event.issue, moment_of_ms(event.timestamp, "timestamp")
    known_as = issue_ref(name(issue.id, "issue.id"))
    key = own_name(issue.key, "issue.key")
    project = project_ref(name(issue.fields.project.key, "issue.fields.project.key"))
    chargeable = NOT_CHARGEABLE_LABEL not in (issue.fields.labels or ())
    title = issue.fields.summary or key

    def home(names: Names) -> StreamId:
        return stream_of("project", names[project])

    def touches(names: Names) -> Sequence[StreamId]:
        return home(names), identifier_stream(known_as)

    def commands(resolved: Resolved) -> Iterable[Addressed]:
        target = resolved.names[project]
        # Which contract line pays for a task is not Jira's to say: keep what was defined.
        known = project_of(resolved.read, target).tasks.get(key, Task(key, title))
        yield Addressed(stream_of("project", target), DefineTask(replace(known, title=title, chargeable=chargeable)))
        moved = AssignIdentifier(known_as, f"{target}/{key}", reassign=True)  # an issue may move to another project
        yield Addressed(identifier_stream(known_as), moved)

    def about(names: Names) -> Context:
        return Context(project=names.get(project, str(project)))

    return Intake(known_as, revision_of(said_at), said_at, (project,), touches, commands, home, about)


def _project(event: forms.ProjectEvent) -> Sequence[Intake]:
    """Who leads a project; one without a lead says nothing of it."""
    told, said_at = event.project, moment_of_ms(event.timestamp, "timestamp")
    known_as = project_ref(name(told.key, "project.key"))
    if told.lead is None:
        return []
    lead = user_ref(name(told.lead.account_id, "project.projectLead.accountId"))

    def home(names: Names) -> StreamId:
        return stream_of("project", names[known_as])

    def touches(names: Names) -> Sequence[StreamId]:
        return (home(names),)

    def commands(resolved: Resolved) -> Iterable[Addressed]:
        yield Addressed(home(resolved.names), AppointManager(resolved.names[lead]))

    def about(names: Names) -> Context:
        return Context(resource=names.get(lead, str(lead)), project=names.get(known_as, str(known_as)))

    return [Intake(known_as, revision_of(said_at), said_at, (known_as, lead), touches, commands, home, about)]


SUBJECTS: Final[Mapping[str, type[BaseModel]]] = {
    "worklog.created": forms.WorklogEvent,
    "worklog.updated": forms.WorklogEvent,
    "worklog.deleted": forms.WorklogEvent,
    "issue.created": forms.IssueEvent,
    "issue.updated": forms.IssueEvent,
    "issue.deleted": forms.IssueEvent,
    "project.created": forms.ProjectEvent,
    "project.updated": forms.ProjectEvent,
    "project.deleted": forms.ProjectEvent,
}
VENDOR: Final = Vendor(translate, message_id, SUBJECTS)
