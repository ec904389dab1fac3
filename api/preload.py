"""What every role needs, imported once in the process that the roles are forked from (docs/decisions/0003)."""

from __future__ import annotations

import gc
import importlib
from contextlib import suppress

from api.roles import ROLES

LIBRARIES = (
    "structlog",
    "psycopg",
    "eventsourcing.postgres",
    "nats",
    "fastapi",
    "strawberry.fastapi",
    "uvicorn",
    "typer",
)


def preload() -> None:
    """Import all that can be; what cannot be imported fails in its own role, which tells and is started again."""
    for name in (*LIBRARIES, "api.supervisor", *(role.module for role in ROLES)):
        with suppress(Exception):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # the collector then leaves these pages shared between the roles


preload()
