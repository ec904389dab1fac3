"""What the machine, the database and the broker say about themselves, read for ``p2c doctor`` and ``p2c systems``."""

from __future__ import annotations

import asyncio
import json
import platform
import shutil
import urllib.request
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import nats
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, StreamInfo

from adapters import postgres
from adapters.settings import Settings
from api.reactions import seconds_behind
from projections import row_security
from projections.generation import registry_of

CONNECT_SECONDS_MAX = 3
PAGES_MAX = 100

Page = TypeVar("Page")


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The machine that the ledger runs on."""

    python: str
    eventsourcing: str
    disk_free_bytes: int


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """The database as it answers a client; ``clock_ahead_seconds`` is against this machine's clock.

    ``wide_views`` says why a view of some legal entities is not narrowed by the database too; None when it is.
    ``processes`` are the seconds by which each process of the automation is behind the log.
    """

    version: int
    settings: Mapping[str, str]
    schema_problem: str | None
    clock_ahead_seconds: float
    wide_views: str | None
    processes: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ConsumerFacts:
    """How far one consumer of a stream is: what waits for it, what it works on, what it got more than once."""

    stream: str
    name: str
    pending: int
    in_progress: int
    redelivered: int


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """One stream of the ledger: what it keeps and for how long, and how many messages it holds for each subject."""

    name: str
    subjects: tuple[str, ...]
    discard: str
    deny_delete: bool
    deny_purge: bool
    age_seconds_max: float
    duplicate_window_seconds: float
    replicas: int
    messages: int
    messages_by_subject: Mapping[str, int]
    consumers: tuple[ConsumerFacts, ...]


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """The broker as it answers a client; ``sync_always`` is None when its monitoring address is not known."""

    version: str
    sync_always: bool | None
    clock_ahead_seconds: float | None
    streams: tuple[StreamFacts, ...]


def host(home: Path) -> HostFacts:
    """This machine."""
    place = next(path for path in (home, *home.parents) if path.exists())
    return HostFacts(platform.python_version(), version("eventsourcing"), shutil.disk_usage(place).free)


DATABASE_SETTINGS = (
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "data_checksums",
    "synchronous_standby_names",
    "transaction_read_only",
)


def database(settings: Settings, processes: Sequence[str] = ()) -> DatabaseFacts:
    """The database, and how far these processes are; raises psycopg.Error when it does not answer."""
    assert settings.database_url is not None
    with postgres.connect(settings.database_url, settings.db_schema, "p2c-doctor") as conn:
        rows = conn.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(DATABASE_SETTINGS)])
        found = {str(name): str(value) for name, value in rows}
        problem = None
        try:
            postgres.require_migrated(conn)
        except postgres.DatabaseProblem as outdated:
            problem = f"{type(outdated).__name__}: {outdated}"
        before = datetime.now(UTC)
        row = conn.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        ahead = _ahead(row[0], before)
        wide = row_security.obstacle(conn, registry_of(settings.db_schema))
        behind = seconds_behind(conn, processes) if problem is None else {}
        return DatabaseFacts(conn.info.server_version, found, problem, ahead, wide, behind)


def broker(settings: Settings) -> BrokerFacts:
    """The broker; raises nats.errors.Error or OSError when it does not answer."""
    return asyncio.run(_broker(settings))


async def _broker(settings: Settings) -> BrokerFacts:
    assert settings.nats_url is not None
    client = await nats.connect(
        servers=settings.nats_url.split(","),
        connect_timeout=CONNECT_SECONDS_MAX,
        allow_reconnect=False,
        max_reconnect_attempts=1,
        error_cb=_quiet,
        name="p2c-doctor",
    )
    try:
        stream_context = client.jetstream()
        infos = await _pages(lambda offset: stream_context.streams_info(offset=offset))
        streams = [await _stream(stream_context, info) for info in infos]
        before = datetime.now(UTC)
        varz = await asyncio.to_thread(_varz, settings.nats_monitor_url)
        config = varz.get("jetstream", {}).get("config", {})
        return BrokerFacts(
            version=str(client.connected_server_version).strip("<>").removeprefix("nats server v"),
            sync_always=bool(config.get("sync_always", False)) if varz else None,
            clock_ahead_seconds=_ahead(datetime.fromisoformat(varz["now"]), before) if varz else None,
            streams=tuple(sorted((s for s in streams if _is_ours(s)), key=lambda s: s.name)),
        )
    finally:
        await client.close()


async def _quiet(_problem: Exception) -> None:
    """The connection is tried once and its failure is raised; it need not be logged as well."""


async def _pages(fetch: Callable[[int], Awaitable[Sequence[Page]]]) -> list[Page]:
    found: list[Page] = []
    for _ in range(PAGES_MAX):
        page = await fetch(len(found))
        if not page:
            break
        found += page
    return found


async def _stream(context: JetStreamContext, info: StreamInfo) -> StreamFacts:
    config = info.config
    name = config.name or ""
    detail = await context.stream_info(name, subjects_filter=">")
    consumers = await _pages(lambda offset: context.consumers_info(name, offset=offset))
    return StreamFacts(
        name=name,
        subjects=tuple(config.subjects or ()),
        discard=str(DiscardPolicy(config.discard).value),
        deny_delete=config.deny_delete,
        deny_purge=config.deny_purge,
        age_seconds_max=float(config.max_age or 0),
        duplicate_window_seconds=float(config.duplicate_window),
        replicas=config.num_replicas or 1,
        messages=info.state.messages,
        messages_by_subject=dict(detail.state.subjects or {}),
        consumers=tuple(
            ConsumerFacts(name, c.name, c.num_pending or 0, c.num_ack_pending or 0, c.num_redelivered or 0)
            for c in consumers
        ),
    )


def _is_ours(stream: StreamFacts) -> bool:
    return any(subject.startswith("p2c.") for subject in stream.subjects)


def _varz(monitor_url: str | None) -> dict[str, Any]:
    if monitor_url is None:
        return {}
    with urllib.request.urlopen(f"{monitor_url}/varz", timeout=CONNECT_SECONDS_MAX) as answer:  # noqa: S310 - http(s) only
        varz: dict[str, Any] = json.load(answer)
        return varz


def _ahead(theirs: datetime, before: datetime) -> float:
    """Their clock against the middle of the time that the question took here."""
    now = datetime.now(UTC)
    return (theirs - (before + (now - before) / 2)).total_seconds()
