"""What the ledger on PostgreSQL and the one in memory promise alike."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.eventstore.base import BaseLedger
from adapters.eventstore.errors import (
    AlreadyRecorded,
    BadStreamName,
    IdempotencyKeyReused,
    UnfaithfulEvent,
    UnknownDecider,
    VersionConflict,
)
from adapters.eventstore.ledger import Ledger
from adapters.eventstore.memory import MemoryLedger
from adapters.eventstore.rows import OutboxRow, ParkedMessage, ReceivedMessage, Settlement, SourceObject
from adapters.eventstore.unit import Idempotency, NewEvent
from domain.kernel import Addressed, StreamId
from tests.adapters.eventstore.toy_domain import (
    CAUSE,
    DECIDERS,
    EVENTS,
    A,
    Account,
    B,
    C,
    Open,
    Opened,
    Overdrawn,
    Paid,
    Pay,
    draw,
    pay,
    received,
)


@pytest.fixture(params=["postgres", "memory"])
def ledger(request: pytest.FixtureRequest) -> Iterator[BaseLedger]:
    kept: BaseLedger
    if request.param == "memory":
        kept = MemoryLedger(EVENTS, DECIDERS)
    else:
        kept = Ledger(request.getfixturevalue("database_url"), EVENTS, DECIDERS, pool_size=3)
    with kept:
        yield kept


def outgoing(stream: StreamId, version: int, name: str, target: str = "erp") -> OutboxRow:
    return OutboxRow(stream, version, target, f"p2c.out.{target}.account.post", name, b'{"a":1}', {"h": "1"})


# -- recording -------------------------------------------------------------------------------------------------------


def test_a_stream_that_nobody_wrote_to_is_in_its_initial_state(ledger: BaseLedger) -> None:
    assert ledger.load([A])[A].state == Account()
    assert ledger.load([A])[A].version == 0
    assert ledger.head() == 0


def test_what_was_decided_is_recorded_in_order_with_one_time_and_folded_into_the_state(ledger: BaseLedger) -> None:
    outcome = ledger.execute([Addressed(A, Open("Ann")), pay(A, "2.50", times=2), pay(B, 7)], CAUSE)
    assert [event.id for event in outcome.events] == ["account:A@1", "account:A@2", "account:A@3", "account:B@1"]
    assert outcome.versions == {A: 3, B: 1}
    assert not outcome.repeated
    assert ledger.load([A, B]) == ledger.load([B, A])
    assert ledger.load([A])[A].state == Account("Ann", Decimal("5.00"))
    assert ledger.read(0, 100) == list(outcome.events)
    assert len({event.recorded_at for event in outcome.events}) == 1
    assert (outcome.first, outcome.last) == (outcome.events[0].position, ledger.head())


def test_a_wish_that_is_already_true_records_nothing(ledger: BaseLedger) -> None:
    first = ledger.execute([Addressed(A, Open("Ann"))], CAUSE)
    again = ledger.execute([Addressed(A, Open("Ann"))], CAUSE)
    assert (again.first, again.last, again.events) == (None, None, ())
    assert ledger.head() == first.last


def test_a_refusal_passes_through_and_nothing_of_the_request_is_recorded(ledger: BaseLedger) -> None:
    with pytest.raises(Overdrawn, match="10 of 0"):
        ledger.execute([pay(B, 1), draw(A, 10)], CAUSE)
    assert ledger.head() == 0


def test_two_units_on_the_same_version_of_a_stream_conflict_and_the_second_records_nothing(ledger: BaseLedger) -> None:
    first, second = ledger.unit(), ledger.unit()
    first.decide(pay(A, 1), CAUSE)
    second.decide(pay(B, 1), CAUSE)
    second.decide(pay(A, 1), CAUSE)
    second.receive(received("m1"))
    ledger.commit(first)
    with pytest.raises(VersionConflict):
        ledger.commit(second)
    assert [event.stream for event in ledger.read(0, 10)] == [A]
    assert ledger.receipts([("jira", "m1")]) == {}


def test_positions_may_have_gaps_and_versions_never(ledger: BaseLedger) -> None:
    lost = ledger.unit()
    lost.decide(pay(A, 1, times=3), CAUSE)
    ledger.execute([pay(A, 1)], CAUSE)
    with pytest.raises(VersionConflict):
        ledger.commit(lost)
    ledger.execute([pay(A, 1)], CAUSE)
    assert [event.version for event in ledger.read(0, 10)] == [1, 2]
    first, second = (event.position for event in ledger.read(0, 10))
    assert second > first + 1


def test_a_command_that_lost_a_race_is_decided_again_on_the_new_state(ledger: BaseLedger) -> None:
    ledger.execute([pay(A, 100)], CAUSE)
    drawn: list[str] = []

    def draw_all(name: str) -> None:
        for _ in range(10):
            try:
                ledger.execute([draw(A, 10)], CAUSE)
                drawn.append(name)
            except Overdrawn:
                return

    threads = [threading.Thread(target=draw_all, args=[str(n)]) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drawn) == 10
    assert ledger.load([A])[A].state.balance == 0
    assert [event.version for event in ledger.history(A)] == list(range(1, 12))


def test_a_state_that_others_changed_meanwhile_is_brought_up_to_date(ledger: BaseLedger) -> None:
    ledger.execute([pay(A, 1)], CAUSE)
    behind = ledger.unit()
    assert behind.state(A).balance == 1
    ledger.execute([pay(A, 1)], CAUSE)
    assert behind.state(A).balance == 1
    assert ledger.unit().state(A).balance == 2


def test_a_stream_of_an_unknown_kind_is_named(ledger: BaseLedger) -> None:
    with pytest.raises(UnknownDecider, match="spaceship:7"):
        ledger.execute([Addressed(StreamId("spaceship:7"), Pay(Decimal(1)))], CAUSE)


@pytest.mark.parametrize("name", ["account:\x00", "account:\ud800", "account:" + "x" * 400])
def test_a_stream_that_cannot_be_named_in_the_database_is_refused_alone(ledger: BaseLedger, name: str) -> None:
    unit = ledger.unit()
    unit.prefetch([StreamId(name), A])
    with pytest.raises(BadStreamName):
        unit.decide(pay(StreamId(name)), CAUSE)
    unit.decide(pay(A), CAUSE)
    assert ledger.commit(unit).versions == {A: 1}


def test_an_event_that_would_not_read_back_is_refused_when_it_is_decided(ledger: BaseLedger) -> None:
    unit = ledger.unit()
    with pytest.raises(UnfaithfulEvent):
        unit.decide(Addressed(A, Pay(2.5)), CAUSE)  # type: ignore[arg-type]  # the wrong type is the point
    assert unit.new == []
    assert unit.version(A) == 0


# -- units of work ---------------------------------------------------------------------------------------------------


def test_a_unit_decides_on_what_it_has_decided_before(ledger: BaseLedger) -> None:
    unit = ledger.unit()
    unit.decide(pay(A, 10), CAUSE)
    assert [event.version for event in unit.decide(draw(A, 10), CAUSE)] == [2]
    with pytest.raises(Overdrawn):
        unit.decide(draw(A, 1), CAUSE)
    assert ledger.head() == 0
    assert ledger.commit(unit).versions == {A: 2}


def test_a_savepoint_undoes_one_message_and_leaves_the_others(ledger: BaseLedger) -> None:
    unit = ledger.unit()
    unit.decide(pay(A, 10), CAUSE)
    unit.receive(received("m1"))
    unit.track("process:x", 3)
    before = unit.savepoint()
    unit.decide(draw(A, 10), CAUSE)
    unit.decide(pay(B, 1), CAUSE)
    unit.receive(received("m2"))
    unit.send(outgoing(A, 2, "post-1"))
    unit.track("process:x", 4)
    unit.rollback(before)
    assert (unit.version(A), unit.version(B)) == (1, 0)
    unit.decide(pay(A, 1), CAUSE)
    ledger.commit(unit)
    assert ledger.load([A])[A].state.balance == 11
    assert ledger.load([B])[B].version == 0
    assert ledger.message("jira:m1") is not None
    assert ledger.message("jira:m2") is None
    assert ledger.unrelayed(10) == []
    assert ledger.tracked("process:x") == 3


def test_a_unit_with_nothing_in_it_commits_nothing(ledger: BaseLedger) -> None:
    committed = ledger.commit(ledger.unit())
    assert (committed.first, committed.events, committed.versions) == (None, (), {})


# -- idempotency -----------------------------------------------------------------------------------------------------


def test_the_same_request_again_gets_the_first_answer(ledger: BaseLedger) -> None:
    key = Idempotency.of("key-1", {"amount": "1", "to": "A"})
    first = ledger.execute([pay(A)], CAUSE, idempotency=key)
    ledger.execute([pay(A)], CAUSE)
    again = ledger.execute([pay(A)], CAUSE, idempotency=Idempotency.of("key-1", {"to": "A", "amount": "1"}))
    assert again.repeated
    assert again.events == first.events
    assert (again.first, again.last, again.recorded_at) == (first.first, first.last, first.recorded_at)
    assert again.versions == {A: 1}
    assert ledger.load([A])[A].version == 2


def test_a_request_that_changed_nothing_is_remembered_as_such(ledger: BaseLedger) -> None:
    ledger.execute([Addressed(A, Open("Ann"))], CAUSE)
    key = Idempotency.of("key-1", "open A for Ann")
    assert ledger.execute([Addressed(A, Open("Ann"))], CAUSE, idempotency=key).events == ()
    ledger.execute([Addressed(A, Open("Bob"))], CAUSE)
    assert ledger.execute([Addressed(A, Open("Ann"))], CAUSE, idempotency=key).repeated
    assert ledger.load([A])[A].state.owner == "Bob"


def test_another_request_under_a_used_key_is_refused(ledger: BaseLedger) -> None:
    ledger.execute([pay(A)], CAUSE, idempotency=Idempotency.of("key-1", 1))
    with pytest.raises(IdempotencyKeyReused):
        ledger.execute([pay(A)], CAUSE, idempotency=Idempotency.of("key-1", 2))
    assert ledger.load([A])[A].version == 1


def test_the_same_request_from_many_threads_at_once_is_recorded_once(ledger: BaseLedger) -> None:
    answers = []

    def ask() -> None:
        answers.append(ledger.execute([pay(A)], CAUSE, idempotency=Idempotency.of("key-1", 1)))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.load([A])[A].version == 1
    assert len({answer.last for answer in answers}) == 1
    assert [answer.repeated for answer in answers].count(False) == 1


@pytest.mark.parametrize("key", ["k" * 3000, "nul\x00", "half \ud800"])
def test_any_text_can_be_an_idempotency_key(ledger: BaseLedger, key: str) -> None:
    ledger.execute([pay(A)], CAUSE, idempotency=Idempotency.of(key, 1))
    assert ledger.execute([pay(A)], CAUSE, idempotency=Idempotency.of(key, 1)).repeated


# -- reading ---------------------------------------------------------------------------------------------------------


def test_the_log_is_read_in_parts_and_up_to_a_position(ledger: BaseLedger) -> None:
    recorded = list(ledger.execute([pay(A, times=3), pay(B, times=2)], CAUSE).events)
    head = ledger.head()
    assert ledger.read(0, 2) == recorded[:2]
    assert ledger.read(recorded[1].position, 10) == recorded[2:]
    assert ledger.read(0, 10, until=recorded[2].position) == recorded[:3]
    assert ledger.read(head, 10) == []


def test_a_stream_is_read_behind_a_version_and_as_of_a_position_or_a_time(ledger: BaseLedger) -> None:
    first = ledger.execute([pay(A, 1)], CAUSE)
    time.sleep(0.002)
    second = ledger.execute([pay(A, 2), pay(B, 9)], CAUSE)
    assert first.recorded_at is not None
    assert first.last is not None
    assert [e.version for e in ledger.history(A)] == [1, 2]
    assert [e.version for e in ledger.history(A, after=1)] == [2]
    assert [e.version for e in ledger.history(A, until_position=first.last)] == [1]
    assert [e.version for e in ledger.history(A, until_recorded_at=first.recorded_at)] == [1]
    assert ledger.history(A)[1].event == Paid(Decimal(2))
    assert ledger.position_at(first.recorded_at) == first.last
    assert second.recorded_at is not None
    assert ledger.position_at(second.recorded_at) == second.last
    assert ledger.position_at(first.recorded_at - timedelta(days=1)) == 0


def test_events_are_found_by_their_ids(ledger: BaseLedger) -> None:
    ledger.execute([pay(A, 1), pay(B, 2), pay(A, 3)], CAUSE)
    found = ledger.events(["account:A@2", "account:B@1", "account:B@9", "account:C@1"])
    assert [event.id for event in found] == ["account:B@1", "account:A@2"]
    assert ledger.events([]) == []


def test_an_event_comes_with_its_envelope(ledger: BaseLedger) -> None:
    ledger.execute([Addressed(A, Open("Ann"))], CAUSE)
    [recorded] = ledger.read(0, 10)
    assert (recorded.name, recorded.cause, recorded.id) == ("account.opened.v1", CAUSE, "account:A@1")
    assert recorded.recorded_at.tzinfo is not None
    assert isinstance(recorded.event, Opened)


def test_a_follower_is_woken_when_something_is_recorded(ledger: BaseLedger) -> None:
    """Who is not woken finds it at the next poll, a second after the wait began, however quick the machine is."""

    def seconds_until_seen() -> float:
        head = ledger.head()
        assert not ledger.wait_for_events(head, timeout_seconds=0.05)
        timer = threading.Timer(0.2, lambda: ledger.execute([pay(A, head + 1)], CAUSE))
        timer.start()
        began = time.monotonic()
        assert ledger.wait_for_events(head, timeout_seconds=60)
        seconds = time.monotonic() - began
        assert ledger.wait_for_events(head, timeout_seconds=0)
        timer.join()
        return seconds

    assert any(seconds_until_seen() < 0.9 for _ in range(10)), "it was never woken"


# -- messages --------------------------------------------------------------------------------------------------------


def test_a_message_and_what_became_of_it_are_kept_with_its_events(ledger: BaseLedger) -> None:
    unit = ledger.unit()
    events = tuple(event.id for event in unit.decide(pay(A), CAUSE))
    message = received("m1", payload=b'{"hours": 8}\x00\xff', streams=(A,), events=events)
    unit.receive(message)
    refused = received("m2", "refused", code="account.overdrawn", detail="10 of 0", streams=(B,))
    unit.receive(refused)
    ledger.commit(unit)
    assert ledger.message("jira:m1") == message
    assert ledger.message("jira:m2") == refused
    receipts = ledger.receipts([("jira", "m1"), ("jira", "m2"), ("jira", "m3")])
    assert {key: [row.fate for row in rows] for key, rows in receipts.items()} == {
        ("jira", "m1"): ["recorded"],
        ("jira", "m2"): ["refused"],
    }
    assert receipts["jira", "m1"][0].payload_sha256 == message.payload_sha256


def test_a_message_that_was_recorded_meanwhile_is_not_recorded_again(ledger: BaseLedger) -> None:
    first, second = ledger.unit(), ledger.unit()
    for unit, stream in ((first, A), (second, B)):
        unit.decide(pay(stream), CAUSE)
        unit.receive(received("m1"))
    ledger.commit(first)
    with pytest.raises(AlreadyRecorded, match="received_message_pkey"):
        ledger.commit(second)
    assert ledger.load([B])[B].version == 0


def test_a_message_alone_is_also_not_recorded_twice(ledger: BaseLedger) -> None:
    for expected in (False, True):
        unit = ledger.unit()
        unit.receive(received("m1", "quiet"))
        if expected:
            with pytest.raises(AlreadyRecorded, match="received_message_pkey"):
                ledger.commit(unit)
        else:
            assert ledger.commit(unit).first is None


def test_each_delivery_of_the_same_message_is_counted_in_its_one_row(ledger: BaseLedger) -> None:
    unit = ledger.unit()
    unit.receive(received("m1"))
    unit.redelivered("jira:m1")
    ledger.commit(unit)
    again = ledger.unit()
    again.redelivered("jira:m1")
    again.redelivered("jira:m1")
    ledger.commit(again)
    message = ledger.message("jira:m1")
    assert message is not None
    assert message.deliveries == 4


def test_the_same_id_with_another_content_has_its_own_row(ledger: BaseLedger) -> None:
    unit = ledger.unit()
    unit.receive(received("m1"))
    other = received("m1", "conflict", b"other", code="message.conflict")
    conflict_id = ReceivedMessage.conflict_id_for("jira", "m1", other.payload_sha256)
    unit.receive(received("m1", "conflict", b"other", message_id=conflict_id))
    ledger.commit(unit)
    rows = ledger.receipts([("jira", "m1")])["jira", "m1"]
    assert {row.fate for row in rows} == {"recorded", "conflict"}
    twice = ledger.unit()
    twice.receive(received("m1", "conflict", b"other", message_id="jira:m1#again"))
    with pytest.raises(AlreadyRecorded, match="received_message_business_id_idx"):
        ledger.commit(twice)


@pytest.mark.parametrize("name", ["nul \x00", "half \udc00", "long " + "x" * 5000])
def test_a_message_with_an_unstorable_id_is_kept_and_found(ledger: BaseLedger, name: str) -> None:
    unit = ledger.unit()
    unit.receive(received(name, "quarantined", headers={"a\x00": "\ud800"}, detail="bad \x00" + "x" * 20_000))
    ledger.commit(unit)
    [row] = ledger.receipts([("jira", name)])["jira", name]
    assert row.fate == "quarantined"
    assert ledger.message(ReceivedMessage.id_for("jira", name)) is not None


def test_parked_messages_are_driven_in_order_and_settled_once(ledger: BaseLedger) -> None:
    unit = ledger.unit()
    for name, order in (("m1", "2026-03-03"), ("m2", "2026-03-02"), ("m3", "2026-03-01")):
        unit.receive(received(name, "parked", payload=name.encode()))
        unit.park(ParkedMessage(f"jira:{name}", "project:P-2" if name == "m3" else "project:P-1", order))
    ledger.commit(unit)
    waiting = ledger.parked(["project:P-1", "project:P-9"])
    assert [(parked.order_key, message.payload) for parked, message in waiting] == [
        ("2026-03-02", b"m2"),
        ("2026-03-03", b"m1"),
    ]
    assert len(ledger.parked(["project:P-1", "project:P-2"], limit=2)) == 2

    resumed, rival = ledger.unit(), ledger.unit()
    events = tuple(event.id for event in resumed.decide(pay(A), CAUSE))
    resumed.settle(Settlement("jira:m2", "recorded", streams=(A,), events=events))
    resumed.settle(Settlement("jira:m1", "parked", "parent.unknown", "waits for task T-1"))
    resumed.park(ParkedMessage("jira:m1", "task:T-1", "2026-03-03"))
    ledger.commit(resumed)
    rival.decide(pay(B), CAUSE)
    rival.settle(Settlement("jira:m2", "recorded"))
    with pytest.raises(AlreadyRecorded, match="received_message_fate"):
        ledger.commit(rival)
    assert ledger.parked(["project:P-1"]) == []
    assert [parked.message_id for parked, _ in ledger.parked(["task:T-1"])] == ["jira:m1"]
    settled = ledger.message("jira:m2")
    assert settled is not None
    assert (settled.fate, settled.events) == ("recorded", events)
    assert ledger.load([B])[B].version == 0


def test_the_newest_revision_of_a_source_object_stays(ledger: BaseLedger) -> None:
    key = ("jira", "worklog", "10042")
    for revisions in (["2026-03-02T10"], ["2026-03-02T12", "2026-03-02T11"], ["2026-03-01T00"]):
        unit = ledger.unit()
        for revision in revisions:
            unit.source(SourceObject(*key, revision, A if revision == "2026-03-02T11" else None))
        ledger.commit(unit)
    found = ledger.source_objects([key, ("jira", "worklog", "1")])
    assert found == {key: SourceObject(*key, "2026-03-02T12", A)}


@pytest.mark.parametrize("seen", [(), ("2026-03-02T10",)])
def test_what_was_decided_on_another_revision_of_a_source_object_is_not_recorded(
    ledger: BaseLedger, seen: tuple[str, ...]
) -> None:
    key, other = ("jira", "worklog", "10042"), ("jira", "worklog", "7")
    for revision, saw in (("2026-03-02T10", ()), ("2026-03-02T11", ("2026-03-02T10",))):
        unit = ledger.unit()
        unit.source(SourceObject(*key, revision, A, saw))
        ledger.commit(unit)
    late = ledger.unit()
    late.decide(pay(B), CAUSE)
    late.source(SourceObject(*other, "2026-03-02T12", B, ()))
    late.source(SourceObject(*key, "2026-03-02T12", B, seen))
    with pytest.raises(AlreadyRecorded, match="source_object_revision"):
        ledger.commit(late)
    assert ledger.load([B])[B].version == 0
    assert ledger.source_objects([key, other]) == {key: SourceObject(*key, "2026-03-02T11", A)}


# -- processes and the outbox ----------------------------------------------------------------------------------------


def test_a_process_acts_on_each_position_once(ledger: BaseLedger) -> None:
    assert ledger.tracked("process:billing") == 0
    for position in (5, 9):
        unit = ledger.unit()
        unit.decide(pay(A), CAUSE)
        unit.track("process:billing", position)
        ledger.commit(unit)
    replayed = ledger.unit()
    replayed.decide(pay(A), CAUSE)
    replayed.track("process:billing", 9)
    with pytest.raises(AlreadyRecorded, match="notification_tracking"):
        ledger.commit(replayed)
    assert ledger.tracked("process:billing") == 9
    assert ledger.load([A])[A].version == 2


def test_a_position_alone_is_also_tracked_once(ledger: BaseLedger) -> None:
    for _ in range(2):
        unit = ledger.unit()
        unit.track("process:billing", 5)
        if ledger.tracked("process:billing"):
            with pytest.raises(AlreadyRecorded, match="notification_tracking"):
                ledger.commit(unit)
        else:
            ledger.commit(unit)


def test_outgoing_messages_leave_with_the_events_and_are_marked_once(ledger: BaseLedger) -> None:
    def to_erp(new: Any) -> list[OutboxRow]:
        return [outgoing(e.stream, e.version, e.id, "psa" if e.stream == C else "erp") for e in new]

    ledger.execute([pay(A), pay(B), pay(C)], CAUSE, outbox=to_erp)
    waiting = ledger.unrelayed(10)
    assert [(row.nats_msg_id, row.target, row.payload, row.headers) for row in waiting] == [
        ("account:A@1", "erp", b'{"a":1}', {"h": "1"}),
        ("account:B@1", "erp", b'{"a":1}', {"h": "1"}),
        ("account:C@1", "psa", b'{"a":1}', {"h": "1"}),
    ]
    assert [row.stream for row in ledger.unrelayed(10, target="psa")] == [C]
    assert len(ledger.unrelayed(1)) == 1
    assert ledger.mark_relayed([waiting[0].id, 999]) == 1
    assert ledger.mark_relayed([waiting[0].id]) == 0
    assert [row.stream for row in ledger.unrelayed(10)] == [B, C]


def test_the_same_outgoing_message_is_never_sent_for_two_reasons(ledger: BaseLedger) -> None:
    def always_the_same(new: Any) -> list[OutboxRow]:
        event: NewEvent = new[0]
        return [outgoing(event.stream, event.version, "post-1")]

    ledger.execute([pay(A)], CAUSE, outbox=always_the_same)
    with pytest.raises(AlreadyRecorded, match="outbox_nats_msg_id_key"):
        ledger.execute([pay(B)], CAUSE, outbox=always_the_same)
    assert ledger.load([B])[B].version == 0
