from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.reference.identifier import ExternalRef
from domain.timesheet import Claim, DecidePeriod, LogTime, WithdrawTime, Work
from tests.adapters.vendors.payloads import (
    ANNA,
    ISSUE,
    LEAD,
    NINE,
    Letter,
    jira_worklog,
    tempo_approval,
    tempo_row,
    tempo_worklog,
)
from tests.adapters.vendors.reading import commands, intake, intakes, mail, problem

USER, LEADER = ExternalRef("jira", "user", ANNA), ExternalRef("jira", "user", LEAD)
ISSUE_REF = ExternalRef("jira", "issue", ISSUE)
NAMES = {USER: "W-1", LEADER: "W-9", ISSUE_REF: "P-1/ACME-7"}
WEEK_LATER = NINE + timedelta(days=7)


def test_a_worklog_names_people_and_issues_as_jira_does() -> None:
    assert intake(tempo_worklog()).needs == (USER, ISSUE_REF)


def test_the_webhooks_z_means_nothing_and_its_second_of_the_day_is_the_workers_wall_clock() -> None:
    [asked] = commands(tempo_worklog(day="2026-03-01", start_second=57_600), NAMES)
    assert asked.stream == "timesheet:W-1:2026-02-23"
    assert asked.command == LogTime(
        "W-1",
        Claim("tempo", "37", NINE),
        Work("P-1", "ACME-7", date(2026, 3, 1), Decimal(2), started="16:00:00", note="design"),
    )


def test_the_same_worklog_as_a_row_has_other_types_and_says_the_same() -> None:
    [webhook], [row] = commands(tempo_worklog(), NAMES), commands(tempo_row(), NAMES)
    assert webhook == row


def test_jira_and_tempo_agree_on_the_fingerprint_of_the_same_hours() -> None:
    [tempo], [jira] = commands(tempo_worklog(start_second=36_000), NAMES), commands(jira_worklog(), NAMES)
    assert tempo.command.work.fingerprint == jira.command.work.fingerprint


def test_billable_seconds_are_not_hours() -> None:
    [asked] = commands(tempo_worklog(seconds=3600), NAMES)
    assert asked.command.work.hours == 1, "none of them is billable, all of them were worked"


def test_a_deleted_worklog_is_withdrawn() -> None:
    [asked] = commands(tempo_worklog(verb="deleted"), NAMES)
    assert asked.command == WithdrawTime("W-1", date(2026, 3, 2), Claim("tempo", "37", NINE))


def test_an_approval_is_told_to_each_week_that_its_days_touch() -> None:
    asked = commands(tempo_approval(starts="2026-03-01", ends="2026-03-10", comment="ok"), NAMES)
    assert [each.stream for each in asked] == [
        "timesheet:W-1:2026-02-23",
        "timesheet:W-1:2026-03-02",
        "timesheet:W-1:2026-03-09",
    ]
    assert asked[1].command == DecidePeriod(
        "W-1", date(2026, 3, 2), date(2026, 3, 1), date(2026, 3, 10), "approved", "W-9", WEEK_LATER, "ok"
    )


def test_an_approval_waits_for_whoever_gave_it_because_the_books_name_people() -> None:
    assert intake(tempo_approval()).needs == (USER, LEADER)
    assert intake(tempo_approval("IN_REVIEW", actor=ANNA)).needs == (USER,)


@pytest.mark.parametrize(
    ("key", "verdict"),
    [("OPEN", "open"), ("IN_REVIEW", "in_review"), ("APPROVED", "approved"), ("REJECTED", "rejected")],
)
def test_tempos_states_of_a_period(key: str, verdict: str) -> None:
    [asked] = commands(tempo_approval(key), NAMES)
    assert asked.command.verdict == verdict


def test_plans_are_not_worked() -> None:
    plan = {"eventId": "p", "eventType": "plan.deleted", "payload": {"plannedSecondsPerDay": 14_400}}
    assert intakes(Letter("p2c.in.tempo.plan.deleted", plan)) == []


def test_a_webhook_is_known_by_its_event_id_and_a_row_by_what_it_says() -> None:
    assert mail(tempo_worklog(event="e-1")).message_id == "tempo:e-1"
    assert mail(tempo_row()).message_id == mail(tempo_row()).message_id
    assert mail(tempo_row()).message_id != mail(tempo_row(start="10:00:01")).message_id


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("startTime", 86_400),
        ("startTime", -1),
        ("startTime", "25:00:00"),
        ("startTime", 1.5),
        ("startDate", "01/03/2026"),
        ("startDate", 20_260_301),
        ("updatedAt", "2026-03-02T09:00:00"),
        ("issue", None),
        ("timeSpentSeconds", "7200"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(part: str, value: Any) -> None:
    body = tempo_worklog().body
    body["payload"][part] = value
    code, detail = problem(Letter("p2c.in.tempo.worklog.created", body))
    assert code == "message.wrong_type"
    assert part in detail


@pytest.mark.parametrize(("starts", "ends"), [("2026-03-08", "2026-03-02"), ("2000-01-01", "2026-01-01")])
def test_a_period_that_nobody_hands_in_is_named(starts: str, ends: str) -> None:
    assert problem(tempo_approval(starts=starts, ends=ends))[0] == "message.wrong_type"


def test_a_state_that_is_not_known_is_named() -> None:
    assert problem(tempo_approval("MAYBE")) == (
        "message.wrong_type",
        "status.key: 'MAYBE' is not a state of a period.",
    )
