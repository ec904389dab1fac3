"""The register of people: their employer, practice and contractual hours, version by version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from domain.kernel import Recorded
from domain.reference.resource import ResourceDescribed
from projections.model import Handler
from projections.row_security import shown_with
from projections.shelf import Changes, Shelf, Source
from projections.tables import Table


@dataclass(slots=True)
class ResourceRecord:
    """One row of ``resource_terms``: what holds for a person from a day until the next row's."""

    resource: str
    effective_from: str  # ISO 8601
    employer: str
    practice: str
    role: str
    capacity_hours_per_week: Decimal
    stated_at: datetime


RESOURCES: Final = Table(
    "resource_terms", ResourceRecord, ("resource", "effective_from"), shown=shown_with("employed", resource="resource")
)


class PeopleFold:
    """Keeps what was stated last about each day from which something holds."""

    def __init__(self, source: Source) -> None:
        self._resources: Shelf[ResourceRecord] = Shelf(RESOURCES, source)
        self.wants: Mapping[type, Handler] = {ResourceDescribed: self._want}
        self.on: Mapping[type, Handler] = {ResourceDescribed: self._described}

    def prepare(self) -> None:
        """Brings the rows of the days that are spoken of."""
        self._resources.fetch()

    def finish(self) -> None:
        """Every fact was taken up by itself."""

    def collect(self, changes: Changes) -> None:
        """The rows that changed."""
        changes.tables.append(self._resources.changes())
        self._resources.shrink()

    def _want(self, fact: Recorded[ResourceDescribed]) -> None:
        self._resources.wanted.add(_key(fact.event))

    def _described(self, fact: Recorded[ResourceDescribed]) -> None:
        event, terms, key = fact.event, fact.event.terms, _key(fact.event)
        known = self._resources.get(key)
        if known is not None and known.stated_at > terms.stated_at:
            return
        row = ResourceRecord(
            *key, terms.legal_entity, terms.practice, terms.role, terms.capacity_hours_per_week, terms.stated_at
        )
        if known is None:
            self._resources.add(_key(event), row)
        else:
            self._resources.put(key, row)


def _key(event: ResourceDescribed) -> tuple[str, str]:
    return event.resource, event.terms.effective_from.isoformat()
