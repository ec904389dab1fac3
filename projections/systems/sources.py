"""How fresh each source system's facts are: the newest that it told, when that was true, and when it was recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.kernel import Recorded
from projections.model import Handler
from projections.row_security import TO_EVERYBODY
from projections.shelf import Changes
from projections.tables import Table

_ACTOR: Final = "system:"


@dataclass(slots=True)
class SourceRecord:
    """One row of ``source``."""

    system: str
    position: int
    recorded_at: datetime
    occurred_at: datetime | None


SOURCES: Final = Table("source", SourceRecord, ("system",), shown=TO_EVERYBODY)


class SourcesFold:
    """Remembers the last fact of each source system."""

    wants: Mapping[type, Handler] = {}
    on: Mapping[type, Handler] = {}

    def __init__(self) -> None:
        self._newest: dict[str, Recorded[Any]] = {}

    def see(self, fact: Recorded[Any]) -> None:
        """One more fact; those that people or processes caused do not count."""
        actor = fact.cause.actor
        if actor.startswith(_ACTOR):
            self._newest[actor] = fact

    def prepare(self) -> None:
        """Nothing has to be read."""

    def finish(self) -> None:
        """Nothing here depends on the batch as a whole."""

    def collect(self, changes: Changes) -> None:
        """The systems that told something."""
        newest, self._newest = self._newest, {}
        rows = [
            SourceRecord(actor.removeprefix(_ACTOR), fact.position, fact.recorded_at, fact.cause.occurred_at)
            for actor, fact in newest.items()
        ]
        changes.replace(SOURCES, [(row.system,) for row in rows], rows)
