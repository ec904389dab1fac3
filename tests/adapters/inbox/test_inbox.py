"""What becomes of messages, whatever is in them and however often and in which order they come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.broker import Delivery
from adapters.eventstore.rows import ReceivedMessage
from domain.exception import ResolveException
from domain.kernel import Addressed, Cause, StreamId
from domain.money import Money
from tests.adapters.inbox.office import Office
from tests.adapters.vendors.payloads import (
    ANNA,
    ISSUE,
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

HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)


# -- what goes through -----------------------------------------------------------------------------------------------


def test_a_worklog_becomes_hours_and_its_row_names_the_events(any_office: Office) -> None:
    told = jira_worklog()
    any_office.deliver(told)
    row = any_office.row(told)
    assert (row.fate, row.code, row.deliveries) == ("recorded", None, 1)
    assert row.events == ("timesheet:W-1:2026-03-02@1",)
    assert row.streams == ("timesheet:W-1:2026-03-02",)
    assert row.payload == told.payload
    assert any_office.hours() == 2


def test_the_books_say_which_message_led_to_a_fact_and_when_its_source_says_it_was_so(office: Office) -> None:
    told = jira_worklog()
    office.deliver(told)
    [fact] = office.ledger.history(StreamId("timesheet:W-1:2026-03-02"))
    assert fact.cause == Cause(
        "system:jira", office.row(told).message_id, office.row(told).message_id, office.row(told).message_id, NINE
    )


def test_jira_and_tempo_tell_of_the_same_hours_once(any_office: Office) -> None:
    any_office.deliver(jira_worklog(), tempo_worklog())
    assert any_office.hours() == 2
    assert len(any_office.sheet().entries) == 1


def test_a_repeated_delivery_is_counted_and_changes_nothing(any_office: Office) -> None:
    told = jira_worklog()
    any_office.deliver(told, told)
    any_office.deliver(told)
    assert any_office.row(told).deliveries == 3
    assert any_office.names().count("timesheet.time_logged.v1") == 1


def test_what_tells_nothing_new_is_quiet(office: Office) -> None:
    office.deliver(jira_worklog(at=NINE), jira_worklog(at=NINE, hook="again"))
    assert office.fate(jira_worklog(at=NINE, hook="again")) == ("quiet", "nothing_new")


def test_what_is_not_for_the_ledger_is_quiet(office: Office) -> None:
    plan = Letter("p2c.in.tempo.plan.created", {"eventId": "p-1", "eventType": "plan.created", "payload": {"id": 17}})
    office.deliver(plan)
    assert office.fate(plan) == ("quiet", "not_for_us")


def conflicting(office: Office, business_id: str) -> ReceivedMessage:
    """The one message under this id that came after another content."""
    rows = office.ledger.receipts([("jira", business_id)])[("jira", business_id)]
    [kept] = [row for row in rows if row.fate == "conflict"]
    return kept


# -- ids -------------------------------------------------------------------------------------------------------------


def test_the_same_id_with_another_content_is_kept_and_shown_to_a_person(any_office: Office) -> None:
    first, other = jira_worklog(seconds=3600, hook="hook-1"), jira_worklog(seconds=5400, hook="hook-1")
    any_office.deliver(first)
    any_office.deliver(other, other)
    [kept] = [
        row for row in any_office.ledger.receipts([("jira", "hook-1")])[("jira", "hook-1")] if row.fate == "conflict"
    ]
    assert (kept.code, kept.deliveries) == ("message.id_reused", 2)
    assert any_office.problem("conflict", kept.message_id).code == "message.id_reused"
    assert any_office.hours() == 1


def test_the_other_content_is_taken_when_a_person_retries_the_conflict(any_office: Office) -> None:
    any_office.deliver(jira_worklog(seconds=3600, hook="hook-1"))
    any_office.deliver(jira_worklog(seconds=5400, hook="hook-1", at=NINE + HOUR))
    [kept] = [
        row for row in any_office.ledger.receipts([("jira", "hook-1")])[("jira", "hook-1")] if row.fate == "conflict"
    ]
    any_office.retry("conflict", kept.message_id)
    assert any_office.hours() == Decimal("1.5")
    assert not any_office.exception("conflict", kept.message_id).is_open
    settled = any_office.ledger.message(kept.message_id)
    assert settled is not None
    assert settled.fate == "recorded"


def test_a_message_is_known_by_its_envelope_then_by_its_vendor_then_by_the_gateway_then_by_its_content(
    office: Office,
) -> None:
    bare = jira_worklog().body
    event = {
        "specversion": "1.0",
        "id": "7",
        "source": "/gw",
        "type": "w",
        "time": "2026-03-02T09:00:00Z",
        "data": bare,
    }
    subject = "p2c.in.jira.worklog.created"
    binary = {"ce-specversion": "1.0", "ce-id": "8", "ce-source": "/gw", "ce-type": "w"}
    letters = {
        "jira:/gw#7": Letter(subject, event, {"Nats-Msg-Id": "n-1"}),
        "jira:/gw#8": Letter(subject, bare, {**binary, "x-atlassian-webhook-identifier": "h-1"}),
        "jira:h-2": Letter(subject, bare, {"X-Atlassian-Webhook-Identifier": "h-2", "Nats-Msg-Id": "n-2"}),
        "jira:n-3": Letter(subject, bare, {"Nats-Msg-Id": "n-3"}),
    }
    office.deliver(*letters.values(), Letter(subject, bare))
    assert [office.row(letter).message_id for letter in letters.values()] == list(letters)
    assert office.row(Letter(subject, bare)).message_id.startswith("jira:sha256:")
    assert office.hours() == 2


# -- what arrives late or before its time ----------------------------------------------------------------------------


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


# -- what the rules refuse -------------------------------------------------------------------------------------------


def test_a_day_of_thirty_hours_becomes_a_work_item_with_the_business_around_it(any_office: Office) -> None:
    told = jira_worklog(seconds=30 * 3600)
    any_office.deliver(told, jira_worklog("10321"))
    assert any_office.fate(told) == ("refused", "timesheet.hours_out_of_range")
    problem = any_office.problem("refused", "jira", "worklog", "10320")
    assert (problem.resource, problem.project, problem.engagement, problem.customer) == ("W-1", "P-1-L1", "E-1", "C-1")
    assert (problem.hours_at_risk, problem.money_at_risk) == ("30", Money(Decimal(4500), "EUR").rounded())
    assert (problem.owner_role, problem.about) == ("project_manager", "jira:worklog:10320")
    assert any_office.hours() == 2, "the other message of the batch goes through"


@pytest.mark.parametrize("seconds", [-3600, 0])
def test_no_hours_and_negative_hours_are_refused(office: Office, seconds: int) -> None:
    told = jira_worklog(seconds=seconds)
    office.deliver(told)
    assert office.fate(told) == ("refused", "timesheet.hours_out_of_range")


def test_a_later_message_about_the_same_object_settles_the_work_item(any_office: Office) -> None:
    wrong = jira_worklog(seconds=30 * 3600)
    any_office.deliver(wrong)
    any_office.deliver(jira_worklog(verb="updated", at=NINE + HOUR))
    assert not any_office.exception("refused", "jira", "worklog", "10320").is_open
    [*_, last] = any_office.ledger.history(StreamId("exception:refused:jira:worklog:10320"))
    assert last.event.how == "settled by a later message"
    assert any_office.fate(wrong)[0] == "refused", "what was refused stays refused"
    assert any_office.hours() == 2


def test_a_correction_in_the_same_batch_settles_the_work_item_too(office: Office) -> None:
    office.deliver(jira_worklog(seconds=30 * 3600), jira_worklog(verb="updated", at=NINE + HOUR))
    assert not office.exception("refused", "jira", "worklog", "10320").is_open
    assert office.hours() == 2


def test_a_retried_message_is_decided_again_and_its_row_tells_so(any_office: Office) -> None:
    full = jira_worklog("1", seconds=20 * 3600)
    too_much = jira_worklog("2", seconds=5 * 3600)
    any_office.deliver(full, too_much)
    assert any_office.fate(too_much) == ("refused", "timesheet.day_too_long")
    any_office.retry("refused", "jira", "worklog", "2")
    assert any_office.problem("refused", "jira", "worklog", "2").code == "timesheet.day_too_long"
    any_office.deliver(jira_worklog("1", verb="deleted", at=NINE + HOUR))
    any_office.retry("refused", "jira", "worklog", "2")
    assert any_office.fate(too_much) == ("recorded", None)
    assert not any_office.exception("refused", "jira", "worklog", "2").is_open
    assert any_office.hours() == 5


def test_a_retry_is_acted_on_once_by_however_many_workers(any_office: Office) -> None:
    any_office.deliver(jira_worklog("1", seconds=20 * 3600), jira_worklog("2", seconds=5 * 3600))
    other = Office(any_office.ledger)
    any_office.deliver(jira_worklog("1", verb="deleted", at=NINE + HOUR))
    assert any_office.retry("refused", "jira", "worklog", "2") == 1
    assert other.inbox.tick() == 0


def test_a_work_item_that_a_person_resolved_stays_resolved(office: Office) -> None:
    office.deliver(jira_worklog(seconds=30 * 3600))
    stream = StreamId("exception:refused:jira:worklog:10320")
    office.ledger.execute([Addressed(stream, ResolveException("user:ann", "known"))], Cause("user:ann", "1"))
    office.deliver(jira_worklog(verb="updated", at=NINE + HOUR))
    assert office.exception("refused", "jira", "worklog", "10320").occurrences == 1


def test_approving_ones_own_hours_is_refused(office: Office) -> None:
    own = tempo_approval(actor=ANNA)
    office.deliver(jira_worklog(), own)
    assert office.fate(own) == ("refused", "timesheet.self_approval")
    assert office.problem("refused", "tempo", "timesheet-approval", f"{ANNA}/2026-03-02/2026-03-08").resource == "W-1"


def test_an_unknown_time_zone_is_refused_and_named(office: Office) -> None:
    told = jira_worklog(zone="Mars/Olympus")
    office.deliver(told)
    assert office.fate(told) == ("refused", "jira.unknown_time_zone")
    assert "Mars/Olympus" in office.problem("refused", "jira", "worklog", "10320").message


@pytest.mark.parametrize("zone", ["../etc/passwd", "Europe", "", "/", "A" * 3000])
def test_a_time_zone_that_is_no_name_at_all_is_refused_too(office: Office, zone: str) -> None:
    told = jira_worklog(zone=zone or " ")
    office.deliver(told)
    assert office.fate(told) == ("refused", "jira.unknown_time_zone")


def test_an_unknown_currency_is_refused_whoever_tells_it(office: Office) -> None:
    hr = worker("W-8", None, currency="EURO")
    rate = canonical(
        "rate_card.set_rate.v1",
        "rate_card:firm:FIRM",
        {"row": {"row": "x", "rate": {"amount": "1", "currency": "XXX"}, "effective_from": "2026-01-01"}},
    )
    office.deliver(hr, rate)
    assert office.fate(hr) == ("refused", "money.unknown_currency")
    assert office.fate(rate) == ("refused", "money.unknown_currency")
    assert "'EURO'" in office.problem("refused", "workday", "worker", "wid-W-8").message
    assert office.problem("refused", "canonical", "rate_card.set_rate", "m-1").owner_role == "integration"


# -- what cannot be read ---------------------------------------------------------------------------------------------

UNREADABLE = {
    "message.malformed_json": Letter("p2c.in.jira.worklog.created", b'{"timestamp": 1', {"Nats-Msg-Id": "bad"}),
    "message.wrong_type": Letter("p2c.in.jira.worklog.created", {"timestamp": "soon", "worklog": []}),
    "message.future_version": canonical("timesheet.log_time.v2", "timesheet:W-1:2026-03-02", {}),
    "message.unknown_command": canonical("timesheet.forget.v1", "timesheet:W-1:2026-03-02", {}),
    "message.wrong_stream": canonical("customer.block.v1", "engagement:E-1", {"reason": "addressed to an engagement"}),
    "message.oversize": Letter("p2c.in.jira.worklog.created", b'{"x":"' + b"y" * 600_000 + b'"}'),
    "message.unknown_subject": Letter("p2c.in.lotus.notes.created", {}),
    "message.bad_envelope": Letter(
        "p2c.in.jira.worklog.created", {"specversion": "0.3", "id": "1", "source": "s", "type": "t"}
    ),
}


@pytest.mark.parametrize("code", sorted(UNREADABLE))
def test_an_unreadable_message_is_kept_whole_and_shown_and_the_others_go_on(any_office: Office, code: str) -> None:
    bad = UNREADABLE[code]
    replies = any_office.deliver(jira_worklog("1"), bad, jira_worklog("2"))
    row = any_office.row(bad)
    assert (row.fate, row.code, row.payload) == ("quarantined", code, bad.payload)
    problem = any_office.problem("quarantined", row.message_id)
    assert (problem.code, problem.owner_role) == (code, "integration")
    assert [reply.reason is None for reply in replies] == [True, False, True]
    assert any_office.hours() == 4


def test_a_message_that_could_not_be_read_is_read_anew_when_it_is_retried(office: Office) -> None:
    bad = UNREADABLE["message.malformed_json"]
    office.deliver(bad)
    name = office.row(bad).message_id
    assert office.retry("quarantined", name) == 1
    assert office.fate(bad) == ("quarantined", "message.malformed_json")
    assert office.exception("quarantined", name).is_open


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe\x00",
        b'{"a":' * 5_000,
        b'{"timestamp":1e400,"webhookEvent":"x","worklog":{}}',
        b'{"timestamp":99999999999999999999,"webhookEvent":"x","worklog":{}}',
        b'{"specversion":"1.0"}',
        b'{"specversion":"1.0","id":"1","source":"s","type":"t","data":null}',
    ],
)
@pytest.mark.parametrize(
    "subject", ["jira.worklog.created", "tempo.worklog.created", "salesforce.account.changed", "workday.worker.updated",
                "canonical.customer.describe", "psa.project.confirmed", "erp.payment.received"]
)  # fmt: skip
def test_no_bytes_on_any_subject_are_lost_or_in_the_way(office: Office, subject: str, payload: bytes) -> None:
    strange = Letter(f"p2c.in.{subject}", payload, {"Nats-Msg-Id": "strange"})
    office.deliver(strange, jira_worklog())
    assert office.row(strange).fate == "quarantined"
    assert office.row(strange).code in {"message.malformed_json", "message.wrong_type", "message.bad_envelope"}
    assert office.hours() == 2


def test_an_id_that_is_not_one_is_not_taken_for_one(office: Office) -> None:
    for number, strange in enumerate(["", " ", "a b", "line\nbreak", "nul\x00", "x" * 500]):
        told = jira_worklog(author=strange, hook=f"hook-{number}")
        office.deliver(told)
        assert office.fate(told) == ("quarantined", "message.wrong_type")


def test_headers_and_ids_that_no_database_takes_are_kept_readably(any_office: Office) -> None:
    told = jira_worklog(hook="nul\x00id" + "x" * 1_000)
    any_office.deliver(told)
    assert any_office.row(told).fate == "recorded"


def test_a_defect_in_the_program_costs_one_message(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, command: object) -> None:
        raise ZeroDivisionError("on the seventh line")

    told = tempo_approval()
    with monkeypatch.context() as patched:
        patched.setattr("adapters.vendors.tempo.translate.DecidePeriod", broken)
        office.deliver(told, jira_worklog())
    assert office.fate(told) == ("quarantined", "message.defect")
    assert office.hours() == 2
    assert office.retry("quarantined", office.row(told).message_id) == 1
    assert office.fate(told) == ("recorded", None)
    assert not office.exception("quarantined", office.row(told).message_id).is_open


def test_the_bytes_are_the_same_for_whoever_looks_them_up(office: Office) -> None:
    told = jira_worklog()
    office.deliver(told)
    again = Delivery(told.subject, told.headers, office.row(told).payload, 99)
    office.inbox.process([again])
    assert office.row(told).deliveries == 2
    assert ISSUE.encode() in office.row(told).payload


def test_a_batch_asks_the_database_as_often_whether_it_tells_of_few_objects_or_many_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An object that the batch tells of a second time is corrected, and what it was refused for is looked up too."""

    def loads(objects: int) -> int:
        office, asked = Office().know_people_and_issues(), []
        load = office.ledger.load

        def noting(streams: Iterable[StreamId]) -> Any:
            asked.append(wanted := list(streams))
            return load(wanted)

        monkeypatch.setattr(office.ledger, "load", noting)
        first = [jira_worklog(str(n), seconds=60 * n) for n in range(1, objects + 1)]
        later = [jira_worklog(str(n), verb="updated", seconds=90 * n, at=NINE + HOUR) for n in range(1, objects + 1)]
        office.deliver(*first, *later)
        assert {office.fate(letter) for letter in later} == {("recorded", None)}
        return len(asked)

    assert loads(12) == loads(2)


def test_a_text_with_a_nul_is_kept_whole_and_never_recorded_and_a_backslash_is_none(any_office: Office) -> None:
    told = jira_worklog(comment="nul \x00")
    any_office.deliver(told)
    assert any_office.fate(told) == ("quarantined", "message.text_with_nul")
    written = jira_worklog(hook="hook-2", comment="\\u0000 is written so")
    any_office.deliver(written)
    assert any_office.row(written).code != "message.text_with_nul"
