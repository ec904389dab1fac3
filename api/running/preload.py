"""What the roles share, imported once in the process that they are forked from (docs/decisions/0003).

Not what one of them needs alone: ``serve`` needs the most, and imports it while the others begin their work.
"""

from __future__ import annotations

import gc
import importlib
from contextlib import suppress

SHARED = (
    "structlog",
    "typer",  # multiprocessing imports the program anew in each child, and ``p2c`` is made with it
    "api.running.supervisor",
    "api.roles.relay",
    "api.roles.schedule",
    "api.roles.project",
)


def preload() -> None:
    """Import all that can be; what cannot be imported fails in its own role, which tells and is started again."""
    gc.disable()  # what is imported is no garbage; looking for some took a tenth of the time
    for name in SHARED:
        with suppress(Exception):
            importlib.import_module(name)
    gc.freeze()  # the collector then leaves these pages shared between the roles
    gc.enable()


preload()
