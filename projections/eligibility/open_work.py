"""Which open work belongs to which engagement, so that a change of the engagement finds what it touches at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from projections.eligibility.items import ITEMS, Item
from projections.shelf import Shelf, Source
from projections.tables import Key

ITEMS_KEPT_MAX: Final = 400_000
"""How many open items are kept in mind; beyond that, those of the engagements that rest are forgotten."""


class OpenWork:
    """The keys of open items by engagement, each with its project.

    An engagement is asked from the table when it is first touched, unless the table was empty when all began.
    """

    def __init__(self, source: Source, items: Shelf[Item], *, from_zero: bool) -> None:
        self._source = source
        self._items = items
        self._by_engagement: dict[str, dict[Key, str]] = {}
        self._all_known = from_zero
        self._forgotten: set[str] = set()
        self._count = 0

    def put(self, engagement: str, key: Key, project: str) -> None:
        """An item is open."""
        known = self._of(engagement)
        if key not in known:
            self._count += 1
        known[key] = project

    def drop(self, engagement: str, key: Key) -> None:
        """An item is no longer open."""
        known = self._of(engagement)
        if known.pop(key, None) is not None:
            self._count -= 1
        if not known and self._all_known:
            del self._by_engagement[engagement]

    def of(self, engagement: str, projects: Iterable[str] | None = None) -> list[Key]:
        """The open items of an engagement, or of some of its projects."""
        known = self._of(engagement)
        if projects is None:
            return list(known)
        wanted = frozenset(projects)
        return [key for key, project in known.items() if project in wanted]

    def engagements(self) -> list[str]:
        """Every engagement that may have open work, of those that were touched since this fold began."""
        return sorted(self._forgotten.union(self._by_engagement))

    def shrink(self) -> None:
        """Forgets the engagements that were not touched for longest."""
        while self._count > ITEMS_KEPT_MAX and len(self._by_engagement) > 1:
            name = next(iter(self._by_engagement))
            self._count -= len(self._by_engagement.pop(name))
            self._forgotten.add(name)
            self._all_known = False

    def _of(self, engagement: str) -> dict[Key, str]:
        known = self._by_engagement.pop(engagement, None)
        if known is None:
            known = {} if self._all_known else self._asked(engagement)
            self._count += len(known)
        self._by_engagement[engagement] = known
        return known

    def _asked(self, engagement: str) -> dict[Key, str]:
        found = self._items.keep(self._source.find(ITEMS, {"engagement": engagement, "is_open": True}))
        return {(row.stream, row.item): row.project for row in found}
