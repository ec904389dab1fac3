"""What the figures were measured on: the machine, the versions, and how the servers write."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from adapters.postgres import connect
from adapters.settings import Settings
from api.facts import broker

LIBRARIES = ("eventsourcing", "psycopg", "nats-py", "pydantic", "orjson", "strawberry-graphql")
SETTINGS = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "wal_compression")


def facts(settings: Settings) -> Mapping[str, Any]:
    """All that one needs to compare two runs."""
    assert settings.database_url is not None
    nats = broker(settings)
    with connect(settings.database_url, settings.db_schema, "p2c-bench") as conn:
        rows = conn.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [list(SETTINGS)])
        postgres = {str(name): str(setting) for name, setting in rows}
    return {
        "machine": {
            "processor": _processor(),
            "cores": psutil.cpu_count(logical=True),
            "usable_cores": len(os.sched_getaffinity(0)),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
            "system": platform.platform(),
            "load_before": round(os.getloadavg()[0], 2),
        },
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        "postgres": postgres,
        "nats": {"version": nats.version, "sync_always": nats.sync_always},
    }


def _processor() -> str:
    """The processor's own name, where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
