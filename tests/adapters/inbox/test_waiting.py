"""What arrives late or before its time is late, or waits for what it speaks of."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.kernel import StreamId
from tests.adapters.inbox.messages import HOUR, WEEK
from tests.adapters.inbox.office import Office
from tests.adapters.vendors.payloads import (
    NINE,
    Letter,
    canonical,
    identifier,
    jira_issue,
    jira_worklog,
    tempo_approval,
    tempo_worklog,
    worker,
)


def test_hours_of_an_unknown_person_wait_and_are_taken_up_when_the_person_is_told(any_office: Office) -> None:
    unknown = jira_worklog(author="557058:ff-new")
    any_office.deliver(unknown, tempo_worklog(author="557058:ff-new"))
    assert any_office.fate(unknown) == ("parked", "message.waits")
    problem = any_office.problem("waiting", "jira", "user", "557058:ff-new")
    assert (problem.waits_for, problem.hours_at_risk) == ("jira:user:557058:ff-new", "4")
    assert any_office.exception("waiting", "jira", "user", "557058:ff-new").occurrences == 2

    any_office.deliver(worker("W-7", "557058:ff-new"))
    assert any_office.fate(unknown) == ("recorded", None)
    assert any_office.hours("W-7") == 2
    assert not any_office.exception("waiting", "jira", "user", "557058:ff-new").is_open
    assert any_office.ledger.waiting() == []


def test_a_message_waits_for_one_thing_after_the_other(any_office: Office) -> None:
    told = jira_worklog(author="acc-7", issue="777")
    any_office.deliver(told, jira_issue("777", key="BETA-1", project="BETA"))
    any_office.deliver(worker("W-7", "acc-7"))
    assert any_office.row(told).detail == "Waits for jira:issue:777."
    any_office.deliver(identifier("jira", "project", "BETA", "P-1-L1"))
    assert any_office.fate(told) == ("recorded", None)
    assert any_office.state("project:P-1-L1").tasks["BETA-1"].title == "Design"


def test_what_arrives_by_another_route_is_found_by_the_next_look(any_office: Office) -> None:
    told = jira_worklog(author="acc-7")
    any_office.deliver(told)
    assert any_office.inbox.tick() == 0
    elsewhere = Office(any_office.ledger)
    elsewhere.deliver(identifier("jira", "user", "acc-7", "W-7"))
    assert any_office.inbox.tick() == 1
    assert any_office.fate(told) == ("recorded", None)


def test_messages_that_waited_are_driven_in_the_order_of_their_source(office: Office) -> None:
    later = jira_worklog(author="acc-7", seconds=3600, at=NINE + HOUR, verb="updated")
    office.deliver(later, jira_worklog(author="acc-7"))
    office.deliver(identifier("jira", "user", "acc-7", "W-7"))
    assert [fact.name for fact in office.ledger.history(StreamId("timesheet:W-7:2026-03-02"))] == [
        "timesheet.time_logged.v1",
        "timesheet.time_corrected.v1",
    ]


def test_more_messages_than_fit_in_a_batch_wait_for_the_same_and_all_are_driven(office: Office) -> None:
    letters = [
        jira_worklog(str(n), author="acc-7", seconds=60, started=NINE + timedelta(weeks=n)) for n in range(1_100)
    ]
    office.deliver(*letters)
    office.deliver(identifier("jira", "user", "acc-7", "W-7"))
    assert office.names().count("timesheet.time_logged.v1") == 1_100
    assert office.ledger.waiting() == []


@pytest.mark.parametrize(
    ("early", "parent"),
    [
        (
            canonical("project.define_task.v1", "project:P-9", {"task": {"task": "T-1", "title": "Build"}}, name="t"),
            canonical(
                "project.create.v1",
                "project:P-9",
                {
                    "project": "P-9",
                    "engagement": "E-1",
                    "title": "Nine",
                    "line": "L1",
                    "delivering_entity": "DE01",
                    "starts": "2026-01-01",
                },
                name="p",
            ),
        ),
        (
            canonical(
                "timesheet.approve.v1",
                "timesheet:W-1:2026-03-02",
                {"entries": ["jira:10320"], "by": "W-9", "at": "2026-03-09T09:00:00Z"},
                name="a",
            ),
            jira_worklog(),
        ),
        (
            canonical(
                "engagement.approve_change_order.v1",
                "engagement:E-1",
                {"change_order": "CO-1", "by": "ann", "at": "2026-03-09T09:00:00Z"},
                name="a",
            ),
            canonical(
                "engagement.propose_change_order.v1",
                "engagement:E-1",
                {
                    "change_order": "CO-1",
                    "effective_from": "2026-03-01",
                    "lines": [{"line": "L1", "title": "More", "billing": {"kind": "time_and_materials"}}],
                    "adds_distinct": False,
                    "at_stand_alone_price": False,
                    "remaining_distinct": True,
                    "because": "More.",
                    "by": "pam",
                    "at": "2026-03-09T08:00:00Z",
                },
                name="p",
            ),
        ),
        (
            canonical("rate_card.approve_rate.v1", "rate_card:firm:FIRM", {"row": "new", "by": "ann"}, name="a"),
            canonical(
                "rate_card.set_rate.v1",
                "rate_card:firm:FIRM",
                {
                    "row": {
                        "row": "new",
                        "rate": {"amount": "90", "currency": "EUR"},
                        "effective_from": "2026-01-01",
                        "role": "Junior",
                        "pending": True,
                    }
                },
                name="p",
            ),
        ),
    ],
)
def test_a_command_told_before_its_turn_waits_for_it(any_office: Office, early: Letter, parent: Letter) -> None:
    any_office.deliver(early)
    assert any_office.fate(early) == ("parked", "message.waits")
    any_office.deliver(parent)
    assert any_office.fate(early) == ("recorded", None)


EUROS = {"currency": "EUR", "amount": "1"}
LIMIT = {"amount": EUROS, "hours": None, "policy": "partial"}
STATED = [
    ("engagement.hold", "engagement:E-1", {"reason": "The budget."}, "engagement.lift_hold", {}),
    ("customer.block", "customer:C-1", {"reason": "It does not pay."}, "customer.unblock", {}),
    ("project.hold_billing", "project:P-1-L1", {"reason": "Quality."}, "project.release_billing_hold", {}),
    ("project.appoint_manager", "project:P-1-L1", {"manager": "W-1"}, "", {"manager": "W-2"}),
    ("engagement.change_cap", "engagement:E-1", {"line": "L1", "cap": EUROS}, "", {"line": "L1", "cap": None}),
    ("engagement.agree_cap", "engagement:E-1", {"limit": LIMIT}, "", {"limit": None}),
    (
        "engagement.sign",
        "engagement:E-1",
        {"signed_on": "2026-01-01", "starts": "2026-01-01"},
        "",
        {"signed_on": "2026-02-01", "starts": "2026-01-01", "ends": "2026-12-31"},
    ),
    (
        "project.define_task",
        "project:P-1-L1",
        {"task": {"task": "T-1", "title": "Design", "chargeable": True}},
        "",
        {"task": {"task": "T-1", "title": "Design", "chargeable": False}},
    ),
    (
        "fx_rate.publish",
        "fx_rate:USD:EUR",
        {"base": "USD", "quote": "EUR", "on": "2026-03-02", "rate": "0.9", "source": "desk"},
        "",
        {"base": "USD", "quote": "EUR", "on": "2026-03-02", "rate": "0.8", "source": "desk"},
    ),
    (
        "identifier.assign",
        "identifier:jira:user:new",
        {"ref": {"system": "jira", "object": "user", "id": "new"}, "target": "W-1"},
        "",
        {"ref": {"system": "jira", "object": "user", "id": "new"}, "target": "W-2", "reassign": True},
    ),
]


@pytest.mark.parametrize(("command", "stream", "old", "again", "new"), STATED, ids=[each[0] for each in STATED])
def test_of_what_is_stated_anew_the_newest_counts_in_whatever_order(
    command: str, stream: str, old: dict[str, Any], again: str, new: dict[str, Any]
) -> None:
    first = canonical(f"{command}.v1", stream, old, name="first")
    second = canonical(f"{again or command}.v1", stream, new, name="second", at=NINE + HOUR)
    in_order, crossed = (Office().know_people_and_issues() for _ in range(2))
    in_order.deliver_one_by_one([first, second])
    crossed.deliver_one_by_one([second, first])
    assert crossed.fate(first) == ("quiet", "late")
    assert in_order.fate(second)[0] == "recorded"
    assert crossed.state(stream) == in_order.state(stream)


def test_canonical_hours_wait_for_their_project_and_their_person(office: Office) -> None:
    told = canonical(
        "timesheet.log_time.v1",
        "timesheet:W-8:2026-03-02",
        {
            "resource": "W-8",
            "claim": {"system": "kimai", "id": "5", "said_at": NINE.isoformat()},
            "work": {"project": "P-1-L1", "task": None, "work_date": "2026-03-03", "hours": "7.5"},
        },
    )
    office.deliver(told)
    assert office.row(told).detail == "Waits for after:resource:W-8@0."
    office.deliver(worker("W-8", None))
    assert office.hours("W-8") == Decimal("7.5")


def test_an_older_revision_is_late_when_the_hours_live_in_another_week_by_now(any_office: Office) -> None:
    older, newer = jira_worklog(), jira_worklog(verb="updated", started=NINE + WEEK, at=NINE + HOUR)
    any_office.deliver(newer)
    any_office.deliver(older)
    assert any_office.fate(older) == ("quiet", "late")
    assert any_office.hours() == 0
    assert any_office.hours(day=date(2026, 3, 9)) == 2


def test_hours_that_moved_to_another_week_are_withdrawn_where_they_were(any_office: Office) -> None:
    any_office.deliver(jira_worklog(), jira_worklog(verb="updated", started=NINE + WEEK, at=NINE + HOUR))
    assert any_office.hours() == 0
    assert any_office.hours(day=date(2026, 3, 9)) == 2


def test_an_approval_may_come_before_the_hours_that_it_covers(office: Office) -> None:
    office.deliver(tempo_approval())
    office.deliver(jira_worklog())
    assert [entry.status for entry in office.sheet().entries.values()] == ["approved"]
