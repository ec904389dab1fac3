"""The part that says which day it is."""

from __future__ import annotations

import threading

from adapters.scheduler import Scheduler
from adapters.settings import Settings
from adapters.turns import turn_of
from api.books import open_ledger
from api.sample.mark import sample_state

CONNECTIONS = 1
LOOKS_AGAIN_SECONDS = 1.0


def main(settings: Settings, stop: threading.Event) -> None:
    """Open each day until told to stop; the months of a sample that is being loaded begin before ours."""
    assert settings.database_url is not None, "roles are started on servers that run"
    with (
        open_ledger(settings, pool_size=CONNECTIONS, cache_streams=0) as ledger,
        turn_of(settings.database_url, "schedule", settings.db_schema) as turn,
    ):
        while sample_state(settings.home) == "expected" and not stop.is_set():
            stop.wait(LOOKS_AGAIN_SECONDS)
        Scheduler(ledger).work(turn, stop)
