"""What people call the objects that sums are told by: customers by name, engagements and projects by title."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from projections.reader import View

_QUERIES: Final[Mapping[str, str]] = {
    "selling_entity": "SELECT entity, name FROM legal_entity WHERE entity = ANY(%s)",
    "customer": "SELECT customer, name FROM customer WHERE customer = ANY(%s)",
    "engagement": "SELECT engagement, title FROM engagement WHERE engagement = ANY(%s)",
    "project": "SELECT project, title FROM project WHERE project = ANY(%s)",
}


def titles(view: View, by: str, keys: Iterable[str]) -> Mapping[str, str]:
    """The title of each key; what has none, such as a month or a practice, is called by its key."""
    asked = sorted(set(keys))
    known = {key: key for key in asked}
    return {**known, **dict(view.rows(_QUERIES[by], [asked]))} if by in _QUERIES else known
