from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from adapters.simulation.faults import NONE
from adapters.simulation.firm import Firm, Plan
from adapters.simulation.message import Message
from adapters.simulation.stream import stream
from adapters.vendors.canonical.translate import VENDOR as CANONICAL
from adapters.vendors.intake import Intake, Vendor
from adapters.vendors.jira.translate import VENDOR as JIRA
from adapters.vendors.letter import opened
from adapters.vendors.salesforce.translate import VENDOR as SALESFORCE
from adapters.vendors.tempo.translate import VENDOR as TEMPO
from adapters.vendors.unreadable import Unreadable
from adapters.vendors.workday.translate import VENDOR as WORKDAY

VENDORS: dict[str, Vendor] = {
    "canonical": CANONICAL,
    "jira": JIRA,
    "salesforce": SALESFORCE,
    "tempo": TEMPO,
    "workday": WORKDAY,
}


def messages_of(plan: Plan) -> Iterator[Message]:
    return (item for item in stream(Firm(plan)) if isinstance(item, Message))


def intakes_of(message: Message) -> list[Intake]:
    letter = opened(message.subject, message.headers, message.payload)
    return list(VENDORS[letter.system].translate(letter))


def test_every_message_in_order_is_understood_as_one_statement_of_its_clock() -> None:
    for message in messages_of(Plan()):
        if message.fault is None:
            (intake,) = intakes_of(message)
            assert message.fact is not None
            assert abs((intake.said_at - message.fact.said_at).total_seconds()) < 1


def test_what_cannot_be_read_is_only_what_was_spoilt_on_purpose() -> None:
    unread: Counter[str | None] = Counter()
    for message in messages_of(Plan()):
        try:
            intakes_of(message)
        except Unreadable:
            unread[message.fault] += 1
    assert set(unread) == {"malformed", "future version"}


def test_a_repetition_has_the_id_of_its_original_unless_it_came_by_another_way() -> None:
    ids: dict[int, list[tuple[Any, bytes]]] = {}
    for message in list(messages_of(Plan(consultants=15, months=3))):
        if message.fact is not None:
            letter = opened(message.subject, message.headers, message.payload)
            known = letter.event_id or VENDORS[letter.system].message_id(letter)
            ids.setdefault(id(message.fact), []).append((known, message.payload))
    twice = [pairs for pairs in ids.values() if len(pairs) == 2]
    assert len(twice) > 50
    for (first, payload), (second, payload_again) in twice:
        assert (first == second) == (payload == payload_again)


@pytest.mark.parametrize(
    ("subject", "fields"),
    [
        ("p2c.in.jira.worklog.created", {"timestamp", "webhookEvent", "worklog"}),
        ("p2c.in.tempo.worklog.created", {"eventId", "eventType", "payload"}),
        ("p2c.in.tempo.timesheet-approval.updated", {"user", "period", "status"}),
    ],
)
def test_payloads_have_the_fields_that_the_vendors_send_and_no_others(subject: str, fields: set[str]) -> None:
    items = stream(Firm(Plan(consultants=3, months=1)), NONE)
    bodies = [orjson.loads(item.payload) for item in items if isinstance(item, Message) and item.subject == subject]
    assert bodies
    assert all(set(body) == fields for body in bodies)


def test_jira_gives_neither_key_nor_project_and_writes_times_in_the_zone_of_the_author() -> None:
    items = stream(Firm(Plan(consultants=20, months=1)), NONE)
    bodies = [orjson.loads(m.payload) for m in items if isinstance(m, Message) and "jira.worklog" in m.subject]
    offsets = {body["worklog"]["author"]["timeZone"]: body["worklog"]["started"][-5:] for body in bodies}
    assert offsets == {
        "Europe/Berlin": "+0100",
        "Europe/London": "+0000",
        "America/New_York": "-0500",
        "Asia/Tokyo": "+0900",
    }
    assert not any("key" in body["worklog"] or "project" in body["worklog"] for body in bodies)


def test_salesforce_counts_in_milliseconds_and_puts_days_at_midnight_in_utc() -> None:
    items = stream(Firm(Plan(consultants=3, months=1)), NONE)
    deals = [orjson.loads(m.payload) for m in items if isinstance(m, Message) and "opportunity.changed" in m.subject]
    closing = [body["CloseDate"] for body in deals if body["CloseDate"] is not None]
    assert closing
    assert all(datetime.fromtimestamp(day / 1000, tz=UTC).time() == datetime.min.time() for day in closing)
