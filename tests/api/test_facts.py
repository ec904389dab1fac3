"""What database and broker say about themselves is read from the real servers."""

from __future__ import annotations

import asyncio

import nats
from nats.js.api import ConsumerConfig, DiscardPolicy, StreamConfig

from adapters.settings import Settings
from adapters.vendors.registry import VENDORS
from api import facts
from api.books import open_ledger
from api.commands import doctor, systems
from tests.world import World


def with_traffic(settings: Settings) -> None:
    """Three messages from Jira, one for the ERP, one consumer that has taken one and acknowledged none."""

    async def publish() -> None:
        assert settings.nats_url is not None
        client = await nats.connect(settings.nats_url)
        try:
            context = client.jetstream()
            await context.add_stream(
                StreamConfig(
                    name="intake",
                    subjects=["p2c.in.>"],
                    discard=DiscardPolicy.NEW,
                    deny_delete=True,
                    deny_purge=True,
                    duplicate_window=3600.0,
                )
            )
            await context.add_stream(StreamConfig(name="outgoing", subjects=["p2c.out.>"], duplicate_window=60.0))
            await context.add_stream(StreamConfig(name="elsewhere", subjects=["other.>"]))
            for subject in ("p2c.in.jira.worklog.created",) * 3 + ("p2c.out.erp.invoice.post", "other.x"):
                await context.publish(subject, b"{}")
            await context.add_consumer("intake", ConsumerConfig(durable_name="ingest"))
            await (await context.pull_subscribe_bind("ingest", "intake")).fetch(1)
        finally:
            await client.close()

    asyncio.run(publish())


def test_the_database_tells_its_version_settings_schema_and_clock(settings: Settings) -> None:
    found = facts.database(settings)
    assert found.version >= 180000
    assert set(found.settings) == set(facts.DATABASE_SETTINGS)
    assert found.settings["fsync"] == "off"  # the tests' own server is fast, not durable
    assert found.schema_problem is None
    assert found.wide_views is None
    assert found.processes == {}
    assert abs(found.clock_ahead_seconds) < 60, "one clock; another zone would be half an hour or more"


def test_a_database_without_the_tables_says_so(settings: Settings, empty_database_url: str) -> None:
    problem = facts.database(settings.at(database_url=empty_database_url)).schema_problem
    assert problem is not None
    assert problem.startswith("SchemaOutdated")


def test_the_broker_tells_its_streams_and_who_is_behind(settings: Settings) -> None:
    with_traffic(settings)
    found = facts.broker(settings)
    assert found.version.startswith("2.")
    assert found.sync_always is False
    assert [stream.name for stream in found.streams] == ["intake", "outgoing"]
    intake = found.streams[0]
    assert (intake.discard, intake.deny_delete, intake.deny_purge) == ("new", True, True)
    assert intake.duplicate_window_seconds == 3600
    assert intake.messages_by_subject == {"p2c.in.jira.worklog.created": 3}
    [consumer] = intake.consumers
    assert (consumer.name, consumer.pending, consumer.in_progress) == ("ingest", 2, 1)


def test_without_a_monitoring_address_the_broker_keeps_its_sync_to_itself(settings: Settings) -> None:
    assert facts.broker(settings.at(nats_monitor_url=None)).sync_always is None


def test_the_doctor_finds_the_fast_servers_of_the_tests_unfit(settings: Settings) -> None:
    with_traffic(settings)
    failed = {check.name for check in doctor.examine(settings) if check.outcome == "failed"}
    assert failed == {"fsync", "full_page_writes", "synchronous_commit", "broker sync", "stream outgoing"}


def test_the_doctor_names_a_server_that_does_not_answer(settings: Settings) -> None:
    nowhere = settings.at(database_url="postgresql://127.0.0.1:1/p2c", nats_url="nats://127.0.0.1:1")
    failed = {check.name: check.found for check in doctor.examine(nowhere) if check.outcome == "failed"}
    assert set(failed) == {"PostgreSQL", "NATS"}
    assert all(found.startswith("cannot be reached") for found in failed.values())


def test_systems_counts_what_came_from_each_system_and_what_is_meant_for_it(settings: Settings) -> None:
    with_traffic(settings)
    servers, broker = systems.look(settings)
    assert [server.state.split(",")[0] for server in servers] == ["answers", "answers"]
    assert all(":***@" in server.address for server in servers)
    known = {system.name: (system.received, system.outgoing) for system in systems.known_systems(broker)}
    assert known["jira"] == (3, 0)
    assert known["erp"] == (0, 1)
    assert known.keys() == VENDORS.keys()


def test_a_process_is_as_far_behind_as_the_oldest_fact_that_it_has_not_come_by_is_old(
    settings: Settings,
) -> None:
    with open_ledger(settings, pool_size=1) as ledger:
        World(ledger).firm()
        unit = ledger.unit()
        unit.track("pricing", ledger.head())
        ledger.commit(unit)
    behind = facts.database(settings, ("cap_alerts", "pricing")).processes
    assert behind["pricing"] == 0
    assert 0 < behind["cap_alerts"] < 600
