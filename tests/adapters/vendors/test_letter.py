from __future__ import annotations

from typing import Any

import orjson
import pytest

from adapters.vendors.letter import PAYLOAD_BYTES_MAX, opened
from adapters.vendors.unreadable import BadEnvelope, MalformedJson, Oversize, UnknownSubject, Unreadable

SUBJECT = "p2c.in.jira.worklog.created"
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "7",
    "source": "/gateway/eu",
    "type": "com.example.worklog",
    "time": "2026-03-02T09:00:00Z",
    "datacontenttype": "application/json",
    "someextension": "kept",
    "data": {"timestamp": 1},
}
HEADERS = {"ce-specversion": "1.0", "ce-id": "8", "ce-source": "/gateway/eu", "ce-type": "t", "ce-custom": "x"}


def test_a_bare_payload_is_the_content_itself() -> None:
    letter = opened(SUBJECT, {"X-Hook": "1"}, b'{"timestamp": 1}')
    assert (letter.system, letter.object, letter.verb) == ("jira", "worklog", "created")
    assert (letter.content, dict(letter.headers), letter.event_id) == (b'{"timestamp": 1}', {"x-hook": "1"}, None)


def test_an_envelope_in_the_payload_is_taken_off() -> None:
    letter = opened(SUBJECT, {}, orjson.dumps(EVENT))
    assert (letter.content, letter.event_id) == (b'{"timestamp":1}', "/gateway/eu#7")
    assert letter.event_time is not None


def test_an_envelope_in_the_headers_is_read_in_any_case_of_letters() -> None:
    headers = {name.upper(): value for name, value in HEADERS.items()}
    letter = opened(SUBJECT, headers, b'{"timestamp": 1}')
    assert (letter.content, letter.event_id) == (b'{"timestamp": 1}', "/gateway/eu#8")


def test_a_payload_that_only_speaks_of_versions_has_no_envelope() -> None:
    payload = b'{"comment": "set \\"specversion\\" please", "x": "specversion"}'
    assert opened(SUBJECT, {}, payload).content == payload


@pytest.mark.parametrize(
    "change",
    [
        {"specversion": "0.3"},
        {"specversion": 1},
        {"id": None},
        {"source": 5},
        {"time": "noon"},
        {"time": "2026-03-02T09:00:00"},
    ],
)
def test_an_envelope_that_is_not_version_one_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(BadEnvelope):
        opened(SUBJECT, {}, orjson.dumps({**EVENT, **change}))


def test_headers_without_the_required_ones_are_named() -> None:
    with pytest.raises(BadEnvelope, match="id: Field required"):
        opened(SUBJECT, {"ce-specversion": "1.0", "ce-source": "s", "ce-type": "t"}, b"{}")


@pytest.mark.parametrize(
    "subject",
    [
        "p2c.in.jira.worklog",
        "p2c.in.jira.worklog.created.twice",
        "p2c.out.jira.worklog.created",
        "p2c.in..worklog.x",
        "",
    ],
)
def test_a_subject_of_another_shape_is_named(subject: str) -> None:
    with pytest.raises(UnknownSubject):
        opened(subject, {}, b"{}")


def test_more_bytes_than_a_message_has_are_not_even_parsed() -> None:
    with pytest.raises(Oversize, match=str(PAYLOAD_BYTES_MAX)):
        opened(SUBJECT, {}, b"[" * (PAYLOAD_BYTES_MAX + 1))


def test_an_envelope_that_is_no_json_is_named() -> None:
    with pytest.raises(MalformedJson):
        opened(SUBJECT, {}, b'{"specversion": "1.0",')


def test_every_way_of_being_unreadable_has_its_own_code_and_says_what_to_do() -> None:
    kinds = Unreadable.__subclasses__()
    codes = {kind.code for kind in kinds}
    assert len(codes) == len(kinds)
    assert all(code.startswith("message.") for code in codes)
    assert all(kind.fix and kind.__doc__ for kind in kinds)
