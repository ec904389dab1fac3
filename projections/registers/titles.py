"""What people call the objects that sums are told by: customers by name, engagements and projects by title."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from projections.pages import Conditions
from projections.reader import Scope, View

_TABLES: Final[Mapping[str, str]] = {
    "selling_entity": "(SELECT entity AS key, name AS title, entity AS seller FROM legal_entity)",
    "customer": "(SELECT customer AS key, name AS title, e.selling_entity AS seller FROM customer JOIN engagement e"
    " USING (customer))",
    "engagement": "(SELECT engagement AS key, title, selling_entity AS seller FROM engagement)",
    "project": "(SELECT project AS key, title, selling_entity AS seller FROM project)",
}


def titles(view: View, by: str, keys: Iterable[str], scope: Scope) -> Mapping[str, str]:
    """The title of each key, as far as the asker may know it; what has none, such as a month, is called by its key."""
    asked = sorted(set(keys))
    known = {key: key for key in asked}
    if by not in _TABLES:
        return known
    conditions = Conditions()
    conditions.one_of("key", asked)
    conditions.within(scope, "seller")
    rows = view.rows(f"SELECT key, title FROM {_TABLES[by]} t {conditions.where}", conditions.values)
    return {**known, **dict(rows)}
