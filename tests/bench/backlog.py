"""A backlog as it stands in the broker after an outage: what Jira and Tempo tell of a week of a whole firm.

Every hour is told by both systems, some twice, some late, some corrected or deleted; at the end of the week each person
hands in, and is approved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, Final

import orjson

from adapters.broker import Outgoing
from domain.kernel import Addressed, stream_of
from domain.project import CreateProject, DefineTask, Task
from domain.reference.identifier import AssignIdentifier, ExternalRef, identifier_stream
from tests.bench.tiles import LEAD, LONG_AGO, MONDAY, NOON, Teller, account, describe_firm, describe_person

TEAM: Final = 5
ISSUES_PER_TEAM: Final = 4
MESSAGES_PER_PERSON: Final = 13.2
_ZONE: Final = "Europe/Berlin"
_WEBHOOK_ID: Final = "x-atlassian-webhook-identifier"


def person(number: int) -> str:
    """One of the firm's people."""
    return f"W-{number:06d}"


def found_firm(books: Teller, people: int) -> None:
    """The people, their projects and the issues that they write their hours on."""
    describe_firm(books)
    for name in (LEAD, *map(person, range(people))):
        describe_person(books, name, "DE01", "EUR")
    for team in range(-(-people // TEAM)):
        _found_team(books, team)


def _found_team(books: Teller, team: int) -> None:
    project, at = f"P-{team:05d}-L1", datetime.combine(LONG_AGO, NOON)
    stream = stream_of("project", project)
    create = CreateProject(project, f"E-{team:05d}", "Data platform", "L1", "DE01", LONG_AGO)
    books.tell("psa", project, at, Addressed(stream, create))
    for number in range(ISSUES_PER_TEAM):
        ref = ExternalRef("jira", "issue", _issue(team, number))
        key = f"T{team}-{number}"
        books.tell(
            "jira",
            ref.id,
            at,
            Addressed(stream, DefineTask(Task(key, f"Task {number}"))),
            Addressed(identifier_stream(ref), AssignIdentifier(ref, f"{project}/{key}")),
        )


def _issue(team: int, number: int) -> str:
    return str(10_000 + team * ISSUES_PER_TEAM + number)


@dataclass(frozen=True, slots=True)
class _Told:
    """A message and the moment at which it reaches the broker."""

    at: datetime
    message: Outgoing


class Week:
    """What people tell of one week; what a person tells does not depend on who else does."""

    def __init__(self, number: int) -> None:
        self._week = number
        self._random = Random(number)
        self._worklogs = 0
        self._monday = MONDAY + timedelta(weeks=number)

    def messages(self, people: Iterable[int]) -> list[Outgoing]:
        """All messages in the order in which they arrive: roughly that in which they were said."""
        told: list[_Told] = []
        for number in people:
            self._random = Random(f"{number}/{self._week}")
            self._worklogs = (self._week * 100_000 + number) * 100
            told += self._of_person(number)
        return [each.message for each in sorted(told, key=lambda each: each.at)]

    def _of_person(self, number: int) -> Iterator[_Told]:
        for day in range(5):
            for told in self._day(number, day):
                yield told
                if self._random.random() < 0.03:
                    yield self._later(told, minutes=90)
        yield self._period(number, "IN_REVIEW", 4)
        yield self._period(number, "APPROVED", 7)

    def _day(self, number: int, day: int) -> Iterator[_Told]:
        self._worklogs += 1
        seconds = 3600 * (8 if number % 3 else 7)
        started = datetime.combine(self._monday + timedelta(days=day), time(8, tzinfo=UTC))
        said = started + timedelta(hours=9, minutes=self._random.randrange(90))
        yield self._jira(number, "created", seconds, started, said)
        yield self._tempo(number, "created", seconds, started, said + timedelta(minutes=self._random.randrange(3, 90)))
        if self._random.random() < 0.08:
            yield self._jira(number, "updated", seconds - 1800, started, said + timedelta(minutes=120))
            yield self._tempo(number, "updated", seconds - 1800, started, said + timedelta(minutes=121))
        elif self._random.random() < 0.02:
            yield self._jira(number, "deleted", seconds, started, said + timedelta(minutes=120))
            yield self._tempo(number, "deleted", seconds, started, said + timedelta(minutes=121))

    def _later(self, told: _Told, minutes: int) -> _Told:
        return _Told(told.at + timedelta(minutes=minutes), told.message)

    def _arrives(self, said: datetime) -> datetime:
        """Most messages arrive in order, some after others that were said later."""
        return said + timedelta(minutes=self._random.choice((0, 0, 0, 0, 30)))

    def _jira(self, number: int, verb: str, seconds: int, started: datetime, said: datetime) -> _Told:
        who = {"accountId": account(person(number)), "displayName": "x", "active": True}
        stamp = f"{said:%Y-%m-%dT%H:%M:%S.000+0000}"
        worklog = {
            "self": f"https://firm.atlassian.net/rest/api/2/issue/1/worklog/{self._worklogs}",
            "author": {**who, "timeZone": _ZONE},
            "updateAuthor": who,
            "comment": "design and build",
            "created": stamp,
            "updated": stamp,
            "started": f"{started:%Y-%m-%dT%H:%M:%S.000+0000}",
            "timeSpent": f"{seconds // 3600}h",
            "timeSpentSeconds": seconds,
            "id": str(self._worklogs),
            "issueId": self._issue_of(number),
        }
        body = {"timestamp": _milliseconds(said), "webhookEvent": f"worklog_{verb}", "worklog": worklog}
        headers = {_WEBHOOK_ID: f"{self._worklogs}-{verb}"}
        return self._told(f"p2c.in.jira.worklog.{verb}", body, headers, said)

    def _tempo(self, number: int, verb: str, seconds: int, started: datetime, said: datetime) -> _Told:
        local = started + timedelta(hours=_hours_ahead(started.date()))
        payload = {
            "author": {"accountId": account(person(number))},
            "billableSeconds": seconds,
            "createdAt": f"{said:%Y-%m-%dT%H:%M:%S.000Z}",
            "description": "design and build",
            "issue": {"id": int(self._issue_of(number))},
            "startDate": f"{local:%Y-%m-%dT00:00:00.000Z}",
            "startTime": local.hour * 3600 + local.minute * 60,
            "tempoWorklogId": self._worklogs,
            "timeSpentSeconds": seconds,
            "updatedAt": f"{said:%Y-%m-%dT%H:%M:%S.000Z}",
            "updater": {"accountId": account(person(number))},
        }
        body = {"eventId": f"{self._worklogs}-{verb}", "eventType": f"worklog.{verb}", "payload": payload}
        return self._told(f"p2c.in.tempo.worklog.{verb}", body, {}, said)

    def _period(self, number: int, state: str, day: int) -> _Told:
        said = datetime.combine(self._monday + timedelta(days=day), time(20, number % 60, tzinfo=UTC))
        body = {
            "user": {"accountId": account(person(number))},
            "period": {"from": str(self._monday), "to": str(self._monday + timedelta(days=6))},
            "status": {
                "key": state,
                "actor": {"accountId": account(LEAD if state == "APPROVED" else person(number))},
                "comment": "ok",
                "requiredSecondsAtSubmit": 144_000,
                "timeSpentSecondsAtSubmit": 144_000,
                "updatedAt": f"{said:%Y-%m-%dT%H:%M:%SZ}",
            },
        }
        return self._told("p2c.in.tempo.timesheet-approval.updated", body, {}, said)

    def _issue_of(self, number: int) -> str:
        return _issue(number // TEAM, self._worklogs % ISSUES_PER_TEAM)

    def _told(self, subject: str, body: dict[str, Any], headers: dict[str, str], said: datetime) -> _Told:
        return _Told(self._arrives(said), Outgoing(subject, orjson.dumps(body), headers))


def people_for(messages: int) -> int:
    """How many people tell about so many messages in a week."""
    return max(TEAM, round(messages / MESSAGES_PER_PERSON))


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _hours_ahead(day: date) -> int:
    """How far Berlin is ahead of UTC: two hours from the last Sunday of March to the last of October."""
    return 2 if (3, 29) <= (day.month, day.day) < (10, 25) else 1
