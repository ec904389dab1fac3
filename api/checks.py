"""What the ledger's guarantees rest on, checked against the facts: durable commits, a broker that keeps, room, time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from api.facts import BrokerFacts, DatabaseFacts, HostFacts, StreamFacts

PYTHON_MIN = (3, 11)
EVENTSOURCING_SERIES = "9.5."
POSTGRES_MIN = 170000
NATS_MIN = (2, 11)
DISK_FREE_BYTES_MIN = 2 * 1024**3
CLOCK_SECONDS_MAX = 1.0
BEHIND_SECONDS_MAX = 60.0
KEPT_SECONDS_MIN = 30 * 24 * 3600.0
DUPLICATE_WINDOW_SECONDS_MIN = 3600.0
REPLICAS_MIN = 3
SURE_COMMITS = ("on", "remote_apply")
"""With ``remote_write`` the standby has a commit in its memory only."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what was found, and what to do if it is not as it must be."""

    name: str
    outcome: Literal["ok", "warning", "failed"]
    found: str
    fix: str = ""


def _check(name: str, good: bool, found: object, fix: str, otherwise: Literal["warning", "failed"] = "failed") -> Check:
    return Check(name, "ok", str(found)) if good else Check(name, otherwise, str(found), fix)


def _numbers(version: str) -> tuple[int, ...]:
    """The first two numbers in a version, whatever stands around them."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def of_host(facts: HostFacts) -> Iterator[Check]:
    """Programs and room."""
    yield _check("Python", _numbers(facts.python) >= PYTHON_MIN, facts.python, "install Python 3.11 or later")
    yield _check(
        "event store library",
        facts.eventsourcing.startswith(EVENTSOURCING_SERIES),
        facts.eventsourcing,
        "install eventsourcing 9.5.6 or later, below 9.6",
    )
    free = f"{facts.disk_free_bytes / 1024**3:.1f} GiB free"
    yield _check("disk", facts.disk_free_bytes >= DISK_FREE_BYTES_MIN, free, "make room: at least 2 GiB")


def of_database(facts: DatabaseFacts, *, production: bool) -> Iterator[Check]:
    """A commit that was answered must survive the loss of power, and in production the loss of the machine."""
    shown = f"{facts.version // 10000}.{facts.version % 10000}"
    yield _check("PostgreSQL", facts.version >= POSTGRES_MIN, shown, "use PostgreSQL 17 or later: it has MAINTAIN")
    settings = facts.settings
    for name in ("fsync", "full_page_writes"):
        value = settings.get(name, "unknown")
        yield _check(name, value == "on", value, f"ALTER SYSTEM SET {name} = on, and reload")
    commit = settings.get("synchronous_commit", "unknown")
    yield _check("synchronous_commit", commit in SURE_COMMITS, commit, "ALTER SYSTEM SET synchronous_commit = on")
    checksums = settings.get("data_checksums", "unknown")
    yield _check("data checksums", checksums == "on", checksums, "stop the server and run pg_checksums --enable")
    if production:
        standbys = settings.get("synchronous_standby_names", "") or "none"
        yield _check(
            "synchronous standby", standbys != "none", standbys, "set synchronous_standby_names = 'ANY 1 (...)'"
        )
    writable = settings.get("transaction_read_only", "unknown") == "off"
    yield _check("writable", writable, "yes" if writable else "no", "connect to the primary, not to a standby")
    yield _check("schema", facts.schema_problem is None, facts.schema_problem or "current", "run p2c up, or migrate")
    yield _clock("database clock", facts.clock_ahead_seconds)
    if facts.schema_problem is None:  # a migration makes the role
        yield _check(
            "row-level security",
            facts.wide_views is None,
            facts.wide_views or "on",
            "CREATE ROLE p2c_scoped NOLOGIN; GRANT p2c_scoped TO the login of p2c WITH INHERIT FALSE; then p2c rebuild",
            otherwise="warning",
        )
    late = [f"{name} by {seconds:,.0f} s" for name, seconds in facts.processes.items() if seconds > BEHIND_SECONDS_MAX]
    yield _check(
        "processes",
        not late,
        f"behind: {', '.join(late)}" if late else f"{len(facts.processes)} up to date",
        "run p2c automate, or read in its log why it does not go on",
        otherwise="warning",
    )


def of_broker(facts: BrokerFacts, *, production: bool) -> Iterator[Check]:
    """A message that was acknowledged must be on the disk, and stay there until it can be read again."""
    yield _check("NATS", _numbers(facts.version) >= NATS_MIN, facts.version, "use nats-server 2.11 or later")
    if facts.sync_always is None:
        yield Check(
            "broker sync", "warning", "not known", "set P2C_NATS_MONITOR_URL to the broker's monitoring address"
        )
    else:
        found = "always" if facts.sync_always else "at intervals"
        yield _check("broker sync", facts.sync_always, found, "set jetstream { sync_interval: always }")
    if facts.clock_ahead_seconds is not None:
        yield _clock("broker clock", facts.clock_ahead_seconds)
    if not facts.streams:
        yield Check("streams", "warning", "none", "start p2c ingest once: it makes them")
    for stream in facts.streams:
        yield _stream(stream, production=production)


def _stream(stream: StreamFacts, *, production: bool) -> Check:
    wrong = []
    if stream.discard != "new":
        wrong.append("discard is not new")
    if not (stream.deny_delete and stream.deny_purge):
        wrong.append("messages can be deleted")
    if 0 < stream.age_seconds_max < KEPT_SECONDS_MIN:
        wrong.append("kept for less than 30 days")
    if stream.duplicate_window_seconds < DUPLICATE_WINDOW_SECONDS_MIN:
        wrong.append("duplicate window under an hour")
    if production and stream.replicas < REPLICAS_MIN:
        wrong.append(f"{stream.replicas} replicas")
    return _check(
        f"stream {stream.name}", not wrong, "; ".join(wrong) or f"{stream.messages} messages", "edit the stream"
    )


def _clock(name: str, ahead_seconds: float) -> Check:
    near = abs(ahead_seconds) <= CLOCK_SECONDS_MAX
    return _check(name, near, f"{ahead_seconds:+.3f} s", "let both machines keep time with NTP")
