"""What cannot be read is kept whole and shown, and nothing else waits for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from adapters.broker import Delivery
from domain.kernel import StreamId
from tests.adapters.inbox.messages import HOUR
from tests.adapters.inbox.office import Office
from tests.adapters.vendors.payloads import ISSUE, NINE, Letter, canonical, jira_worklog, tempo_approval

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
