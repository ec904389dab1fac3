from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.kernel import StreamId
from domain.project import AppointManager, DefineTask, Task
from domain.reference.identifier import AssignIdentifier, ExternalRef
from domain.timesheet import Claim, LogTime, WithdrawTime, Work
from tests.adapters.vendors.payloads import ANNA, ISSUE, NINE, Letter, jira_issue, jira_project, jira_worklog
from tests.adapters.vendors.reading import commands, intake, intakes, mail, problem

USER, ISSUE_REF = ExternalRef("jira", "user", ANNA), ExternalRef("jira", "issue", ISSUE)
NAMES = {USER: "W-1", ISSUE_REF: "P-1/ACME-7"}


def test_a_worklog_waits_for_its_author_and_its_issue_and_is_hours_of_the_authors_week() -> None:
    told = jira_worklog(seconds=5400)
    assert intake(told).needs == (USER, ISSUE_REF)
    [asked] = commands(told, NAMES)
    assert asked.stream == "timesheet:W-1:2026-03-02"
    assert asked.command == LogTime(
        "W-1",
        Claim("jira", "10320", NINE),
        Work("P-1", "ACME-7", date(2026, 3, 2), Decimal("1.5"), started="10:00:00", note="design"),
    )


@pytest.mark.parametrize(
    ("seconds", "hours"), [(60, "0.016667"), (1, "0.000278"), (3600, "1"), (1200, "0.333333"), (86_400, "24")]
)
def test_jira_tells_seconds_and_the_books_hold_hours(seconds: int, hours: str) -> None:
    [asked] = commands(jira_worklog(seconds=seconds), NAMES)
    assert asked.command.work.hours == Decimal(hours)


@pytest.mark.parametrize(
    ("started", "zone", "hours_ahead", "day", "clock"),
    [
        # The body's offset is that of whoever looked at it; the day is that of the author's wall clock.
        (datetime(2026, 3, 2, 23, 30, tzinfo=UTC), "Europe/Berlin", 0, date(2026, 3, 3), "00:30:00"),
        (datetime(2026, 3, 2, 23, 30, tzinfo=UTC), "America/New_York", 9, date(2026, 3, 2), "18:30:00"),
        (datetime(2026, 3, 2, 3, 0, tzinfo=UTC), "Pacific/Honolulu", 1, date(2026, 3, 1), "17:00:00"),
        (datetime(2026, 3, 2, 23, 30, tzinfo=UTC), None, 3, date(2026, 3, 3), "02:30:00"),
        # The night in which Berlin's clocks go forward.
        (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "Europe/Berlin", 1, date(2026, 3, 29), "03:30:00"),
    ],
)
def test_the_day_is_the_one_on_the_authors_wall_clock(
    started: datetime, zone: str | None, hours_ahead: int, day: date, clock: str
) -> None:
    [asked] = commands(jira_worklog(started=started, zone=zone, hours_ahead=hours_ahead), NAMES)
    assert (asked.command.work.work_date, asked.command.work.started) == (day, clock)


def test_a_deleted_worklog_is_withdrawn() -> None:
    [asked] = commands(jira_worklog(verb="deleted"), NAMES)
    assert asked.command == WithdrawTime("W-1", date(2026, 3, 2), Claim("jira", "10320", NINE))


def test_a_worklog_that_moved_is_withdrawn_where_it_was_in_the_name_of_whom_it_was() -> None:
    withdrawn, logged = commands(jira_worklog(), NAMES, home="timesheet:W-9:2026-02-23")
    assert withdrawn.stream == "timesheet:W-9:2026-02-23"
    assert withdrawn.command == WithdrawTime("W-9", date(2026, 2, 23), Claim("jira", "10320", NINE))
    assert isinstance(logged.command, LogTime)


def test_a_comment_in_the_document_format_is_read_as_text() -> None:
    comment = {
        "type": "doc",
        "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": "first"}, {"type": "text", "text": "part"}]},
            {"type": "paragraph", "content": [{"type": "text", "text": "second"}]},
        ],
    }
    [asked] = commands(jira_worklog(comment=comment), NAMES)
    assert asked.command.work.note == "first part second"


@pytest.mark.parametrize("comment", [None, 5, [], {"content": "x"}, {"content": [None, {"text": 7}]}])
def test_a_comment_of_any_shape_is_no_reason_to_lose_hours(comment: Any) -> None:
    [asked] = commands(jira_worklog(comment=comment), NAMES)
    assert asked.command.work.note == ""


def test_a_long_comment_is_cut() -> None:
    [asked] = commands(jira_worklog(comment="x" * 10_000), NAMES)
    assert len(asked.command.work.note) == 500


def test_numbers_as_ids_are_the_same_ids() -> None:
    body = jira_worklog().body
    body["worklog"]["issueId"] = int(ISSUE)
    assert intake(Letter("p2c.in.jira.worklog.created", body)).needs == (USER, ISSUE_REF)


def test_an_issue_is_a_task_of_its_project_and_its_id_stands_for_the_task() -> None:
    asked = commands(jira_issue(labels=("ops", "non-billable")), {ExternalRef("jira", "project", "ACME"): "P-1"})
    assert [each.stream for each in asked] == ["project:P-1", "identifier:jira:issue:12463"]
    assert asked[0].command == DefineTask(Task("ACME-7", "Design", chargeable=False))
    assert asked[1].command == AssignIdentifier(ISSUE_REF, "P-1/ACME-7", reassign=True)


def test_who_leads_a_project_is_its_manager() -> None:
    project = ExternalRef("jira", "project", "ACME")
    assert intake(jira_project()).needs == (project, USER)
    (asked,) = commands(jira_project(verb="updated"), {project: "P-1", USER: "W-1"})
    assert (asked.stream, asked.command) == ("project:P-1", AppointManager("W-1"))


@pytest.mark.parametrize("told", [jira_project(lead=None), jira_project(verb="deleted")])
def test_a_project_without_a_lead_or_that_is_deleted_tells_nothing(told: Letter) -> None:
    assert intakes(told) == []


def test_a_deleted_issue_tells_nothing() -> None:
    assert intakes(jira_issue(verb="deleted")) == []


def test_the_revision_of_what_jira_tells_is_the_webhooks_own_clock() -> None:
    early, late = jira_worklog(at=NINE), jira_worklog(at=datetime(2026, 3, 2, 9, 0, 0, 1000, tzinfo=UTC))
    assert intake(early).revision < intake(late).revision
    assert intake(early).home({USER: "W-1"}) == StreamId("timesheet:W-1:2026-03-02")


def test_the_webhooks_identifier_names_the_message_in_every_repetition() -> None:
    told = jira_worklog(hook="hook-1")
    again = Letter(told.subject, told.body, {**told.headers, "x-atlassian-webhook-retry": "3"})
    assert mail(told).message_id == mail(again).message_id == "jira:hook-1"
    assert mail(told).sha256 == mail(again).sha256


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("timeSpentSeconds", "3600"),
        ("timeSpentSeconds", 3600.5),
        ("timeSpentSeconds", True),
        ("timeSpentSeconds", None),
        ("timeSpentSeconds", 2**62),
        ("started", "yesterday"),
        ("started", 1_772_442_000_000),
        ("started", "2026-03-02T09:00:00"),
        ("started", "0001-01-01T00:00:00+0000"),
        ("author", "anna"),
        ("author", {"accountId": 7}),
        ("id", None),
        ("id", "a b"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(part: str, value: Any) -> None:
    body = jira_worklog().body
    body["worklog"][part] = value
    code, detail = problem(Letter("p2c.in.jira.worklog.created", body))
    assert code == "message.wrong_type"
    assert part in detail


def test_a_missing_field_is_named() -> None:
    body = jira_worklog().body
    del body["worklog"]["issueId"]
    assert problem(Letter("p2c.in.jira.worklog.created", body)) == (
        "message.wrong_type",
        "worklog.issueId: Field required.",
    )


def test_a_subject_that_jira_does_not_have_is_named() -> None:
    assert problem(Letter("p2c.in.jira.sprint.started", {}))[0] == "message.unknown_subject"
