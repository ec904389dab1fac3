"""What only the ledger on PostgreSQL has to prove: several writers, lost replies, broken connections, a bad start."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from adapters.eventstore.errors import (
    AlreadyRecorded,
    DatabaseFunctionsEnabled,
    LedgerUnreachable,
    UnknownEventName,
    VersionConflict,
)
from adapters.eventstore.ledger import Ledger
from adapters.eventstore.unit import Idempotency
from adapters.postgres import SchemaNewer, SchemaOutdated, connect, migrate
from domain.kernel import Recorded, stream_of
from tests.adapters.eventstore.cutting_proxy import CuttingProxy
from tests.adapters.eventstore.toy_domain import CAUSE, DECIDERS, EVENTS, A, B, Paid, draw, pay, received


@pytest.fixture
def proxy(database_url: str) -> Iterator[CuttingProxy]:
    with CuttingProxy(database_url) as proxy:
        yield proxy


@pytest.fixture
def behind_proxy(proxy: CuttingProxy) -> Iterator[Ledger]:
    with Ledger(proxy.url, EVENTS, DECIDERS, pool_size=2) as ledger:
        ledger.execute([pay(A, 100)], CAUSE)
        yield ledger


def another(database_url: str) -> Ledger:
    return Ledger(database_url, EVENTS, DECIDERS, pool_size=2)


# -- several writers -------------------------------------------------------------------------------------------------


def test_two_ledgers_on_the_same_stream_see_each_other_and_conflict(ledger: Ledger, database_url: str) -> None:
    with another(database_url) as rival:
        ledger.execute([pay(A, 1)], CAUSE)
        assert rival.unit().state(A).balance == 1
        late = ledger.unit()
        late.decide(pay(A, 1), CAUSE)
        rival.execute([draw(A, 1)], CAUSE)
        with pytest.raises(VersionConflict):
            ledger.commit(late)
        assert ledger.unit().state(A).balance == 0


def test_a_later_position_is_never_visible_before_an_earlier_one(ledger: Ledger, database_url: str) -> None:
    commits_each = 60
    seen: list[Recorded[Any]] = []

    def write(name: str, writer: Ledger) -> None:
        for n in range(commits_each):
            writer.execute([pay(stream_of("account", name, str(n)), 1, times=3)], CAUSE)

    def follow() -> None:
        deadline = time.monotonic() + 30
        while len(seen) < 2 * 3 * commits_each and time.monotonic() < deadline:
            seen.extend(ledger.read(seen[-1].position if seen else 0, 1000))

    with another(database_url) as first, another(database_url) as second:
        work = [("x", first), ("y", second)]
        threads = [threading.Thread(target=write, args=pair) for pair in work] + [threading.Thread(target=follow)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == ledger.read(0, 10_000), "the follower has missed nothing"
    assert len(seen) == 2 * 3 * commits_each
    assert all(one.recorded_at <= next_.recorded_at for one, next_ in pairwise(seen))


def test_a_writer_waits_until_the_one_before_it_has_committed(ledger: Ledger, database_url: str) -> None:
    with connect(database_url) as other:
        with other.transaction():
            other.execute("LOCK TABLE stored_events IN EXCLUSIVE MODE")
            waiting = threading.Thread(target=lambda: ledger.execute([pay(A)], CAUSE))
            waiting.start()
            waiting.join(0.3)
            assert waiting.is_alive()
            row = other.execute(
                "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
                " VALUES ('account:Z', 1, %s, %s) RETURNING notification_id",
                ledger.codec.encode(Paid(Decimal(1)), CAUSE),
            ).fetchone()
        waiting.join(10)
    assert row is not None
    assert [(event.stream, event.position) for event in ledger.read(0, 10)] == [
        ("account:Z", row[0]),
        (A, row[0] + 1),
    ]


def test_recorded_times_never_go_back_although_the_clock_did(ledger: Ledger, database_url: str) -> None:
    first = ledger.execute([pay(A)], CAUSE)
    assert first.recorded_at is not None
    ahead = first.recorded_at + timedelta(hours=1)
    with connect(database_url) as conn:
        conn.execute(
            "INSERT INTO stored_events SELECT 'account:Z', 1, topic, state, notification_id + 1, %s FROM stored_events",
            [ahead],
        )
        conn.execute("SELECT nextval('stored_events_notification_id_seq')")
    later = ledger.execute([pay(A)], CAUSE)
    assert later.recorded_at == ahead
    assert ledger.position_at(ahead) == later.last
    assert ledger.position_at(ahead - timedelta(seconds=1)) == first.last


# -- lost replies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after_reply", [True, False], ids=["committed", "still committing"])
def test_a_command_whose_commit_reply_was_lost_is_recorded_once(
    behind_proxy: Ledger, proxy: CuttingProxy, after_reply: bool
) -> None:
    proxy.cut(after_reply=after_reply)
    outcome = behind_proxy.execute([draw(A, 60)], CAUSE)
    assert proxy.cuts == 1
    assert behind_proxy.unit().state(A).balance == 40
    assert outcome.events == tuple(behind_proxy.history(A, after=1))
    assert len(outcome.events) == 1


def test_replies_may_be_lost_several_times_in_a_row(behind_proxy: Ledger, proxy: CuttingProxy) -> None:
    proxy.cut(times=3)
    outcome = behind_proxy.execute([draw(A, 60)], CAUSE, idempotency=Idempotency.of("key-1", 60))
    assert proxy.cuts >= 2, "the last loss goes unseen when the refusal of the repetition came before it"
    assert behind_proxy.history(A, after=1) == list(outcome.events)
    assert behind_proxy.execute([draw(A, 60)], CAUSE, idempotency=Idempotency.of("key-1", 60)).repeated


def test_a_batch_of_messages_whose_reply_was_lost_is_recorded_once(behind_proxy: Ledger, proxy: CuttingProxy) -> None:
    unit = behind_proxy.unit()
    for name in ("m1", "m2"):
        events = tuple(event.id for event in unit.decide(draw(A, 30), CAUSE))
        unit.receive(received(name, streams=(A,), events=events))
    proxy.cut()
    committed = behind_proxy.commit(unit)
    assert proxy.cuts == 1
    assert committed.events == tuple(behind_proxy.history(A, after=1))
    assert [
        row.deliveries for rows in behind_proxy.receipts([("jira", "m1"), ("jira", "m2")]).values() for row in rows
    ] == [
        1,
        1,
    ]


def test_rows_without_events_whose_reply_was_lost_are_written_once(behind_proxy: Ledger, proxy: CuttingProxy) -> None:
    unit = behind_proxy.unit()
    unit.receive(received("m1", "quiet"))
    unit.track("process:billing", 5)
    proxy.cut()
    assert behind_proxy.commit(unit).first is None
    assert proxy.cuts == 1
    assert behind_proxy.tracked("process:billing") == 5
    assert behind_proxy.message("jira:m1") is not None


def test_a_real_conflict_is_still_told_from_a_lost_reply(
    behind_proxy: Ledger, proxy: CuttingProxy, database_url: str
) -> None:
    late = behind_proxy.unit()
    late.decide(pay(A), CAUSE)
    with another(database_url) as rival:
        rival.execute([pay(A)], CAUSE)
    proxy.cut()
    with pytest.raises(VersionConflict):
        behind_proxy.commit(late)
    assert len(behind_proxy.history(A)) == 2


def test_a_process_step_that_another_worker_did_is_told_from_a_lost_reply(
    behind_proxy: Ledger, proxy: CuttingProxy, database_url: str
) -> None:
    step = behind_proxy.unit()
    step.decide(pay(B), CAUSE)
    step.track("process:billing", 5)
    with another(database_url) as rival:
        same = rival.unit()
        same.track("process:billing", 5)
        rival.commit(same)
    proxy.cut()
    with pytest.raises(AlreadyRecorded, match="notification_tracking"):
        behind_proxy.commit(step)
    assert behind_proxy.history(B) == []


# -- broken connections ----------------------------------------------------------------------------------------------


def test_work_goes_on_after_the_server_has_ended_every_connection(ledger: Ledger, server_url: str) -> None:
    ledger.execute([pay(A, 5)], CAUSE)
    assert not ledger.wait_for_events(ledger.head(), 0.05)
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'p2c-ledger%'"
        )
    outcome = ledger.execute([draw(A, 5)], CAUSE)
    assert outcome.last is not None
    assert ledger.unit().state(A).balance == 0
    assert ledger.wait_for_events(outcome.last - 1, 5)


def test_a_refused_commit_leaves_its_connection_usable(database_url: str) -> None:
    def record(ledger: Ledger, name: str, *more: str) -> None:
        unit = ledger.unit()
        unit.decide(pay(stream_of("account", name)), CAUSE)
        for received_name in (name, *more):
            unit.receive(received(received_name, payload=b"x" * 1000))
        ledger.commit(unit)

    rounds, until_prepared = 8, 5  # psycopg prepares a statement by itself after it was sent five times
    for r in range(rounds):
        with Ledger(database_url, EVENTS, DECIDERS, pool_size=1) as ledger:
            for n in range(until_prepared):
                record(ledger, f"{r}-{n}")
            with pytest.raises(AlreadyRecorded):
                record(ledger, "0-0", *(f"new {n}" for n in range(200)))
            record(ledger, f"{r}-last")
            assert len(ledger.read(0, 100)) == (r + 1) * (until_prepared + 1)


def test_a_database_that_does_not_answer_is_reported_within_seconds(database_url: str) -> None:
    began = time.monotonic()
    with pytest.raises(LedgerUnreachable):
        Ledger(make_conninfo(database_url, host="127.0.0.1", port=1), EVENTS, DECIDERS)
    assert time.monotonic() - began < 20


def test_a_database_that_lets_nobody_write_is_waited_for(ledger: Ledger, database_url: str) -> None:
    with connect(database_url) as conn:
        conn.execute(f"ALTER DATABASE {conn.info.dbname} SET default_transaction_read_only = on".encode())
        with Ledger(database_url, EVENTS, DECIDERS) as read_only, pytest.raises(LedgerUnreachable):
            read_only.execute([pay(A)], CAUSE)
    assert ledger.execute([pay(A)], CAUSE).versions == {A: 1}


def test_states_that_a_restored_database_does_not_know_are_forgotten(ledger: Ledger, database_url: str) -> None:
    ledger.execute([pay(A, 1, times=3)], CAUSE)
    ledger.execute([pay(B, 1)], CAUSE)
    with ExitStack() as stack:
        conn = stack.enter_context(connect(database_url))
        conn.execute("ALTER TABLE stored_events DISABLE TRIGGER stored_events_append_only")
        conn.execute("DELETE FROM stored_events WHERE originator_id = 'account:B' OR originator_version = 3")
    loaded = ledger.load([A, B])
    assert (loaded[A].version, loaded[A].state.balance) == (2, Decimal(2))
    assert loaded[B].version == 0
    assert ledger.execute([pay(A)], CAUSE).versions == {A: 3}


# -- a bad start -----------------------------------------------------------------------------------------------------


def test_the_library_is_not_used_with_its_database_functions(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")
    with pytest.raises(DatabaseFunctionsEnabled):
        Ledger(database_url, EVENTS, DECIDERS)


def test_the_librarys_other_settings_in_the_environment_change_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "POSTGRES_SCHEMA": "elsewhere",
        "CREATE_TABLE": "yes",
        "PERSISTENCE_MODULE": "eventsourcing.popo",
        "COMPRESSOR_TOPIC": "eventsourcing.compressor:ZlibCompressor",
        "IS_SNAPSHOTTING_ENABLED": "y",
    }.items():
        monkeypatch.setenv(name, value)
    with Ledger(database_url, EVENTS, DECIDERS) as ledger:
        ledger.execute([pay(A)], CAUSE)
    with connect(database_url) as conn:
        found = conn.execute("SELECT convert_from(state, 'UTF8')::jsonb->'e' FROM ledger.stored_events").fetchall()
    assert found == [({"amount": "1", "note": None},)]


def test_a_schema_that_was_not_migrated_is_refused(database_url: str) -> None:
    with pytest.raises(SchemaOutdated):
        Ledger(database_url, EVENTS, DECIDERS, schema="empty")


def test_a_schema_of_a_newer_program_is_refused(database_url: str) -> None:
    with connect(database_url) as conn:
        conn.execute("INSERT INTO schema_migration (number, name, sha256) VALUES (9999, 'future', '')")
    with pytest.raises(SchemaNewer, match="9999"):
        Ledger(database_url, EVENTS, DECIDERS)


def test_two_schemas_of_one_database_are_two_ledgers(ledger: Ledger, database_url: str) -> None:
    migrate(database_url, "second_cell")
    with Ledger(database_url, EVENTS, DECIDERS, schema="second_cell") as other:
        ledger.execute([pay(A, 1)], CAUSE)
        other.execute([pay(A, 2)], CAUSE)
        assert ledger.unit().state(A).balance == 1
        assert other.unit().state(A).balance == 2


def test_an_event_that_this_program_does_not_know_stops_the_reader_by_name(ledger: Ledger, database_url: str) -> None:
    ledger.execute([pay(A)], CAUSE)
    fewer = {name: kind for name, kind in EVENTS.items() if name != "account.paid.v1"}
    with Ledger(database_url, fewer, DECIDERS) as older, pytest.raises(UnknownEventName, match=r"account\.paid\.v1"):
        older.read(0, 10)
