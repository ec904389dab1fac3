"""The process that the roles are forked from, started before anything else is imported: everybody waits for it."""

from __future__ import annotations

import multiprocessing as mp
import signal
from typing import Final

CONTEXT: Final = mp.get_context("forkserver")


def warm_up() -> None:
    """Begin to import what the roles share (``preload``), while this process goes on; again it does nothing."""
    from multiprocessing import forkserver  # noqa: PLC0415 - the one use of a module that few know

    CONTEXT.set_forkserver_preload(["api.running.preload"])
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited: a Ctrl-C while it imports is not its business
    try:
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, before)
