"""Whether somebody may see an object, whatever its kind: the scope of the lists, for single objects."""

from __future__ import annotations

from typing import Final

from domain.kernel import StreamId, decider_name, local_id
from projections.pages import Conditions
from projections.reader import FIRM, Scope, View

_OF_THE_FIRM: Final = frozenset({"billing_calendar", "fx_policy", "fx_rate", "tax_rule"})
"""Reference data that everybody may see."""

_PLACES: Final = {
    "engagement": ("engagement o", "o.engagement", "o.selling_entity"),
    "project": ("project o", "o.project", "o.selling_entity"),
    "invoice": ("invoice o", "o.invoice", "o.selling_entity"),
    "customer": ("engagement o", "o.customer", "o.selling_entity"),
    "legal_entity": ("legal_entity o", "o.entity", "o.entity"),
}
"""Where each kind of object is found: the tables, its id, and the entity that it belongs to."""


def may_see(view: View, scope: Scope, stream: StreamId) -> bool:
    """Whether the scope contains the object of a stream, or something of it.

    A customer is seen by whoever sells to it, a week by whoever sells some of its work. People and their costs, rate
    cards, deals and identifiers are seen by the whole firm's roles only.
    """
    kind = decider_name(stream)
    if scope == FIRM or kind in _OF_THE_FIRM:
        return True
    conditions = Conditions()
    match kind:
        case "timesheet" | "expense_report":
            tables, entity = "entry e JOIN project p ON p.project = e.project", "p.selling_entity"
            conditions.add("e.stream = %s", stream)
        case "exception":
            tables, entity = "exception o", "o.selling_entity"
            conditions.add("o.stream = %s", stream)
        case "number_series" | "accounting_period" | "account_map" | "intercompany" | "intercompany_agreement":
            tables, entity = "legal_entity o", "o.entity"
            conditions.add("o.entity = %s", local_id(stream).partition(":")[0])
        case _ if kind in _PLACES:
            tables, id_, entity = _PLACES[kind]
            conditions.add(f"{id_} = %s", local_id(stream))
        case _:
            return False
    conditions.within(scope, entity)
    return bool(view.rows(f"SELECT 1 FROM {tables} {conditions.where} LIMIT 1", conditions.values))
