"""What becomes of messages, whatever is in them and however often and in which order they come."""

from __future__ import annotations

from decimal import Decimal

from adapters.eventstore.rows import ReceivedMessage
from domain.kernel import Cause, StreamId
from tests.adapters.inbox.messages import HOUR
from tests.adapters.inbox.office import Office
from tests.adapters.vendors.payloads import NINE, Letter, jira_worklog, tempo_worklog


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
