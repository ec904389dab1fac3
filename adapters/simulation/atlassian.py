"""Jira's and Tempo's webhooks: seconds, issue ids without keys, the author's own clock, the same hours told by both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.simulation.crm import project_key
from adapters.simulation.facts import HoursDeleted, HoursTold, IssueTold, LeadTold, PeriodTold
from adapters.simulation.firm import ContractLine, Engagement, Task, Worker
from adapters.simulation.message import Message, message
from adapters.simulation.names import uuid_of
from adapters.simulation.own import overtime
from adapters.targets.names import jira_project_key

_SITE = "https://norvane.atlassian.net"
_FIRST_PROJECT = 10_000
_FIRST_WORKLOG = 100_000
_FIRST_TEMPO = 5_000_000


def project(fact: LeadTold) -> Iterator[Message]:
    """A project as it is set up for the work of a line, with the person who leads it."""
    engagement, line = fact.engagement, fact.line
    key = jira_project_key(project_key(engagement, line))
    number = str(_FIRST_PROJECT + engagement.number * 8 + line.number)
    body = {
        "timestamp": _millis(fact.said_at),
        "webhookEvent": "project_created",
        "project": {
            "self": f"{_SITE}/rest/api/2/project/{number}",
            "id": int(number),
            "key": key,
            "name": f"{engagement.title}: {line.title}",
            "projectLead": _user(fact.lead),
            "assigneeType": "admin.assignee.type.unassigned",
        },
    }
    yield message(fact, "jira", "project", "created", body, headers=_jira_headers("project", number, fact.said_at))


def _user(worker: Worker) -> dict[str, Any]:
    return {
        "self": f"{_SITE}/rest/api/2/user?accountId={worker.account}",
        "accountId": worker.account,
        "displayName": f"Consultant {worker.number}",
        "active": True,
        "timeZone": worker.entity.zone,
        "accountType": "atlassian",
    }


def issue(fact: IssueTold) -> Iterator[Message]:
    """A task as a new issue; the label says that the customer does not pay for it."""
    key = issue_key(fact.engagement, fact.line, fact.task)
    body = {
        "timestamp": _millis(fact.said_at),
        "webhookEvent": "jira:issue_created",
        "issue": {
            "id": fact.task.issue,
            "self": f"{_SITE}/rest/api/2/issue/{fact.task.issue}",
            "key": key,
            "fields": {
                "summary": fact.task.title,
                "issuetype": {"name": "Task"},
                "project": {"id": fact.task.issue[:-1], "key": key.rpartition("-")[0]},
                "labels": [] if fact.task.chargeable else ["non-billable"],
            },
        },
    }
    yield message(fact, "jira", "issue", "created", body, headers=_jira_headers("issue", fact.task.issue, fact.said_at))


def issue_key(engagement: Engagement, line: ContractLine, task: Task) -> str:
    """What people call an issue: the key of its project and a number."""
    number = line.tasks.index(task) + 1
    return f"{jira_project_key(project_key(engagement, line))}-{number}"


def hours(fact: HoursTold) -> Iterator[Message]:
    """Hours as the system words them that tells them."""
    match fact.system:
        case "jira":
            yield _worklog(fact, fact, "created" if fact.revision == 0 else "updated", fact.said_at)
        case "tempo":
            yield _tempo(fact, fact, "created" if fact.revision == 0 else "updated", fact.said_at)
        case _:
            yield from overtime(fact, issue_key(fact.engagement, fact.line, fact.task))


def deletion(fact: HoursDeleted) -> Iterator[Message]:
    """The deletion of hours, with the record as it was."""
    if fact.hours.system == "jira":
        yield _worklog(fact, fact.hours, "deleted", fact.said_at)
    else:
        yield _tempo(fact, fact.hours, "deleted", fact.said_at)


def _worklog(fact: HoursTold | HoursDeleted, told: HoursTold, verb: str, said: datetime) -> Message:
    zone, worker = told.worker.entity.time_zone, told.worker
    author = _user(worker)
    number = str(_FIRST_WORKLOG + told.entry)
    body = {
        "timestamp": _millis(said),
        "webhookEvent": f"worklog_{verb}",
        "worklog": {
            "self": f"{_SITE}/rest/api/2/issue/{told.task.issue}/worklog/{number}",
            "author": author,
            "updateAuthor": author,
            "comment": told.note,
            "created": _stamp(told.created_at.astimezone(zone)),
            "updated": _stamp(said.astimezone(zone)),
            "started": _stamp(datetime.combine(told.day, told.started, tzinfo=zone)),
            "timeSpent": _spent(told.seconds),
            "timeSpentSeconds": told.seconds,
            "id": number,
            "issueId": told.task.issue,
        },
    }
    return message(fact, "jira", "worklog", verb, body, headers=_jira_headers("worklog", number, said))


def _tempo(fact: HoursTold | HoursDeleted, told: HoursTold, verb: str, said: datetime) -> Message:
    number = _FIRST_TEMPO + told.entry
    body = {
        "eventId": uuid_of("tempo", number, verb, said.isoformat()),
        "eventType": f"worklog.{verb}",
        "payload": {
            **tempo_record(told, said),
            "startDate": f"{told.day.isoformat()}T00:00:00.000Z",
            "startTime": told.started.hour * 3600 + told.started.minute * 60 + told.started.second,
        },
    }
    return message(fact, "tempo", "worklog", verb, body)


def tempo_row(fact: HoursTold) -> Message:
    """Hours as Tempo's REST interface gives them to who polls: other types in the same fields."""
    record = tempo_record(fact, fact.said_at)
    body = {**record, "startDate": fact.day.isoformat(), "startTime": fact.started.isoformat(timespec="seconds")}
    return message(fact, "tempo", "worklog", "row", body)


def tempo_record(told: HoursTold, said: datetime) -> dict[str, Any]:
    """What both of Tempo's interfaces say alike."""
    return {
        "tempoWorklogId": _FIRST_TEMPO + told.entry,
        "issue": {"id": int(told.task.issue)},
        "author": {"accountId": told.worker.account},
        "updater": {"accountId": told.worker.account},
        "timeSpentSeconds": told.seconds,
        "billableSeconds": told.seconds if told.task.chargeable else 0,
        "description": told.note,
        "createdAt": _zulu(told.created_at + timedelta(seconds=2)),
        "updatedAt": _zulu(said),
    }


def approval(fact: PeriodTold) -> Iterator[Message]:
    """Where the approval of a person's period stands, as read from Tempo's log of approvals."""
    actor: Worker = fact.worker if fact.verdict == "IN_REVIEW" else fact.by
    body = {
        "user": {"accountId": fact.worker.account},
        "period": {"from": fact.starts.isoformat(), "to": fact.ends.isoformat()},
        "status": {
            "key": fact.verdict,
            "actor": {"accountId": actor.account},
            "comment": fact.reason,
            "updatedAt": _zulu(fact.said_at),
        },
    }
    yield message(fact, "tempo", "timesheet-approval", "updated", body)


def _jira_headers(thing: str, number: str, said: datetime) -> dict[str, str]:
    return {
        "x-atlassian-webhook-identifier": uuid_of("jira", thing, number, said.isoformat()),
        "x-atlassian-webhook-flow": "Primary",
    }


def _spent(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    return " ".join(part for part in (f"{hours}h" if hours else "", f"{minutes}m" if minutes else "") if part)


def _stamp(moment: datetime) -> str:
    """Jira's way: milliseconds, and an offset without a colon."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}{moment:%z}"


def _zulu(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
