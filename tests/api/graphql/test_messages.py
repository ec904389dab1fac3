"""What became of a message is told to those who connect systems and to auditors, whatever its fate was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from adapters.eventstore.rows import Fate, ReceivedMessage
from adapters.settings import Settings
from api.access import Role
from domain.kernel import StreamId
from tests.api.asker import Asker, asking

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
SHEET = StreamId("timesheet:W-1:2026-03-02")


def received(number: int, system: str, fate: Fate, **more: Any) -> ReceivedMessage:
    payload = f'{{"worklog": {{"id": "{1000 + number}"}}}}'.encode()
    return ReceivedMessage(
        message_id=f"{system}:{number}",
        system=system,
        subject=f"p2c.in.{system}.worklog.created",
        business_message_id=f"{number}",
        payload_sha256=sha256(payload).digest(),
        headers={},
        payload=payload,
        received_at=NINE + timedelta(minutes=number),
        broker_sequence=number,
        fate=fate,
        **more,
    )


@pytest.fixture
def asker(settings: Settings) -> Iterator[Asker]:
    """Four messages of two systems, of which one waits and one cannot be read."""
    with asking(settings) as asker:
        unit = asker.parts.ledger.unit()
        unit.receive(received(1, "jira", "recorded", streams=(SHEET,), events=(f"{SHEET}@1",)))
        unit.receive(received(2, "jira", "parked", code="message.waits", detail="Waits for jira:user:9."))
        unit.receive(received(3, "tempo", "recorded", streams=(SHEET,), events=(f"{SHEET}@2",)))
        unit.receive(received(4, "tempo", "quarantined", code="message.malformed_json"))
        asker.parts.ledger.commit(unit)
        asker.fold()
        yield asker


def ids(asker: Asker, where: str) -> list[str]:
    found = asker.ask(f"{{ messages(where: {{{where}}}) {{ nodes {{ messageId }} }} }}")["messages"]["nodes"]
    return [each["messageId"] for each in found]


def test_the_newest_message_comes_first_and_all_are_counted_by_fate(asker: Asker) -> None:
    question = "{ messages(first: 1) { totalCount totals { system fate code count } nodes { messageId detail } } }"
    found = asker.ask(question)["messages"]
    assert found["totalCount"] == 4
    assert found["nodes"] == [{"messageId": "tempo:4", "detail": None}]
    assert [(each["system"], each["fate"], each["code"]) for each in found["totals"]] == [
        ("jira", "parked", "message.waits"),
        ("jira", "recorded", None),
        ("tempo", "quarantined", "message.malformed_json"),
        ("tempo", "recorded", None),
    ]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ('system: "jira"', ["jira:2", "jira:1"]),
        ("fates: [PARKED, QUARANTINED]", ["tempo:4", "jira:2"]),
        ('code: "message.waits"', ["jira:2"]),
        ('businessMessageId: "3"', ["tempo:3"]),
        ('messages: ["jira:1", "jira:9"]', ["jira:1"]),
        ('subject: "p2c.in.tempo.worklog.created", fates: [RECORDED]', ["tempo:3"]),
        (f'stream: "{SHEET}"', ["tempo:3", "jira:1"]),
        ('contains: "1002"', ["jira:2"]),
        ('receivedFrom: "2026-03-02T09:02:00Z", receivedTo: "2026-03-02T09:03:00Z"', ["tempo:3", "jira:2"]),
    ],
)
def test_messages_are_found_by_what_is_known_of_them(asker: Asker, where: str, found: list[str]) -> None:
    assert ids(asker, where) == found


def test_pages_follow_one_another(asker: Asker) -> None:
    page = asker.ask("{ messages(first: 3) { pageInfo { endCursor } } }")["messages"]["pageInfo"]
    question = "query ($after: String) { messages(after: $after) { nodes { messageId } pageInfo { hasNextPage } } }"
    rest = asker.ask(question, {"after": page["endCursor"]})["messages"]
    assert rest == {"nodes": [{"messageId": "jira:1"}], "pageInfo": {"hasNextPage": False}}


def test_one_message_is_shown_whole(asker: Asker) -> None:
    question = '{ message(id: "jira:1") { fate events streams payload } }'
    assert asker.ask(question, role=Role.AUDITOR)["message"] == {
        "fate": "recorded",
        "events": [f"{SHEET}@1"],
        "streams": [SHEET],
        "payload": '{"worklog": {"id": "1001"}}',
    }
    assert asker.ask('{ message(id: "jira:9") { fate } }')["message"] is None


@pytest.mark.parametrize("question", ["{ messages { totalCount } }", '{ message(id: "jira:1") { fate } }'])
def test_messages_are_for_those_who_connect_systems_or_audit_the_whole_firm(asker: Asker, question: str) -> None:
    assert asker.codes(question, role=Role.FINANCE_APPROVER) == ["access.not_permitted"]
    of_one_entity = asker.token(Role.AUDITOR, entities=["DE01"])
    assert asker.codes(question, token=of_one_entity) == ["access.out_of_scope"]


def test_when_a_message_was_received_is_told_with_its_zone(asker: Asker) -> None:
    assert asker.codes('{ messages(where: {receivedFrom: "2026-03-02T09:02:00"}) { totalCount } }') == [
        "request.time_without_zone"
    ]
