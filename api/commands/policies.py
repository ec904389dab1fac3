"""``p2c policies``: tax packs and billing calendars published into the log, each version once."""

from __future__ import annotations

import json as text
import sys
from collections.abc import Sequence
from pathlib import Path

from adapters import embedded
from adapters.postgres import migrate
from adapters.settings import load
from api.books import open_ledger
from api.policies import publish
from api.running.screen import Screen


def run(*, files: Sequence[Path], json: bool = False) -> None:
    """Publish, and tell which facts are new."""
    with embedded.running(load()) as settings:
        assert settings.database_url is not None, "running servers have addresses"
        migrate(settings.database_url, settings.db_schema)
        with open_ledger(settings, pool_size=1) as ledger:
            new = publish(ledger, files)
    if json:
        sys.stdout.write(text.dumps({"published": new}) + "\n")
    elif new:
        Screen().list([("Published", each) for each in new])
    else:
        Screen().list([("Published", "nothing new")])
