"""The doctor finds each thing that would break a guarantee, and nothing where all is well."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from api import checks
from api.checks import Check
from api.facts import BrokerFacts, DatabaseFacts, HostFacts, StreamFacts

HOST = HostFacts(python="3.11.7", eventsourcing="9.5.6", disk_free_bytes=50 * 1024**3)
DATABASE = DatabaseFacts(
    version=180004,
    settings={
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "synchronous_standby_names": "ANY 1 (a, b)",
        "transaction_read_only": "off",
    },
    schema_problem=None,
    clock_ahead_seconds=0.01,
    wide_views=None,
    processes={"pricing": 0.0, "posting": 59.0},
)
STREAM = StreamFacts(
    name="intake",
    subjects=("p2c.in.>",),
    discard="new",
    deny_delete=True,
    deny_purge=True,
    age_seconds_max=30 * 24 * 3600.0,
    duplicate_window_seconds=3600.0,
    replicas=3,
    messages=12,
    messages_by_subject={"p2c.in.jira.worklog.created": 12},
    consumers=(),
)
BROKER = BrokerFacts(version="2.15.1", sync_always=True, clock_ahead_seconds=0.0, streams=(STREAM,))


def failed(found: list[Check]) -> list[str]:
    return [check.name for check in found if check.outcome == "failed"]


def test_a_sound_installation_passes_every_check_in_production() -> None:
    found = [
        *checks.of_host(HOST),
        *checks.of_database(DATABASE, production=True),
        *checks.of_broker(BROKER, production=True),
    ]
    assert {check.outcome for check in found} == {"ok"}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"python": "3.10.14"}, "Python"),
        ({"eventsourcing": "9.6.0"}, "event store library"),
        ({"disk_free_bytes": 1024**3}, "disk"),
    ],
)
def test_an_unfit_machine_is_found(change: dict[str, Any], name: str) -> None:
    assert failed(list(checks.of_host(replace(HOST, **change)))) == [name]


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("fsync", "off", "fsync"),
        ("full_page_writes", "off", "full_page_writes"),
        ("synchronous_commit", "off", "synchronous_commit"),
        ("synchronous_commit", "local", "synchronous_commit"),
        ("synchronous_commit", "remote_write", "synchronous_commit"),
        ("data_checksums", "off", "data checksums"),
        ("synchronous_standby_names", "", "synchronous standby"),
        ("transaction_read_only", "on", "writable"),
    ],
)
def test_a_database_that_may_lose_a_commit_is_found(setting: str, value: str, name: str) -> None:
    facts = replace(DATABASE, settings={**DATABASE.settings, setting: value})
    assert failed(list(checks.of_database(facts, production=True))) == [name]


def test_views_that_only_queries_narrow_are_a_warning() -> None:
    facts = replace(DATABASE, wide_views="there is no role p2c_scoped")
    [check] = [each for each in checks.of_database(facts, production=True) if each.outcome != "ok"]
    assert (check.name, check.outcome, check.found) == ("row-level security", "warning", "there is no role p2c_scoped")
    assert "GRANT p2c_scoped" in check.fix
    outdated = replace(facts, schema_problem="SchemaOutdated: nothing was migrated yet")
    assert "row-level security" not in {each.name for each in checks.of_database(outdated, production=True)}


def test_a_process_that_does_not_go_on_is_a_warning_that_names_it() -> None:
    stuck = replace(DATABASE, processes={"cap_alerts": 3600.0, "pricing": 0.0})
    found = [check for check in checks.of_database(stuck, production=True) if check.outcome != "ok"]
    assert [(check.name, check.outcome, check.found) for check in found] == [
        ("processes", "warning", "behind: cap_alerts by 3,600 s")
    ]


def test_only_production_needs_a_standby() -> None:
    facts = replace(DATABASE, settings={**DATABASE.settings, "synchronous_standby_names": ""})
    assert failed(list(checks.of_database(facts, production=False))) == []


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"version": 160010}, "PostgreSQL"),
        ({"schema_problem": "SchemaOutdated: 0002_messages"}, "schema"),
        ({"clock_ahead_seconds": -1.5}, "database clock"),
    ],
)
def test_an_unfit_database_is_found(change: dict[str, Any], name: str) -> None:
    assert failed(list(checks.of_database(replace(DATABASE, **change), production=False))) == [name]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"version": "2.10.4"}, "NATS"),
        ({"sync_always": False}, "broker sync"),
        ({"clock_ahead_seconds": 2.0}, "broker clock"),
    ],
)
def test_an_unfit_broker_is_found(change: dict[str, Any], name: str) -> None:
    assert failed(list(checks.of_broker(replace(BROKER, **change), production=True))) == [name]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"discard": "old"}, "discard is not new"),
        ({"deny_delete": False}, "messages can be deleted"),
        ({"deny_purge": False}, "messages can be deleted"),
        ({"age_seconds_max": 3600.0}, "kept for less than 30 days"),
        ({"duplicate_window_seconds": 120.0}, "duplicate window under an hour"),
        ({"replicas": 1}, "1 replicas"),
    ],
)
def test_a_stream_that_may_lose_a_message_is_found(change: dict[str, Any], complaint: str) -> None:
    facts = replace(BROKER, streams=(STREAM, replace(STREAM, name="broken", **change)))
    [wrong] = [check for check in checks.of_broker(facts, production=True) if check.outcome == "failed"]
    assert (wrong.name, wrong.found) == ("stream broken", complaint)


def test_a_stream_without_an_age_limit_keeps_everything() -> None:
    facts = replace(BROKER, streams=(replace(STREAM, age_seconds_max=0.0),))
    assert failed(list(checks.of_broker(facts, production=True))) == []


def test_what_cannot_be_known_is_a_warning_that_says_what_to_set() -> None:
    facts = BrokerFacts(version="2.15.1", sync_always=None, clock_ahead_seconds=None, streams=())
    warnings = {
        check.name: check.fix for check in checks.of_broker(facts, production=False) if check.outcome == "warning"
    }
    assert set(warnings) == {"broker sync", "streams"}
    assert "P2C_NATS_MONITOR_URL" in warnings["broker sync"]
