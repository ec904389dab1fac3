"""Explains one lot: whether it may be billed and why not, under any policy, and how its price and cost were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain.catalogue import DECIDERS
from domain.eligibility.reasons import AS_IT_IS, Policy
from domain.kernel import Refused, StreamId, decider_name
from domain.lots import Explanation
from projections.contexts import Contexts
from projections.eligibility import billing_eligibility, reasons
from projections.eligibility.billing_eligibility import EligibilityRow
from projections.eligibility.fold import EligibilityFold
from projections.eligibility.lots import LotsFold
from projections.follow import Log
from projections.invoices.fold import InvoicesFold
from projections.reader import Scope, View
from projections.registers.fold import RegistersFold
from projections.registers.timesheets_fold import TimesheetsFold
from projections.tables import Key, Row, Table


class SeveralLotsOfThisName(Refused):
    """The same entry was told in two weeks, so that two lots have this id."""

    code = "lot.several_of_this_name"
    fix = "Name the stream of the one that is meant, as billingEligibility shows it."


@dataclass(frozen=True, slots=True)
class Explained:
    """A lot or entry as it would be decided, and how its price and cost were found; None for what has no price."""

    row: EligibilityRow
    rating: Explanation | None


def find(view: View, lot: str, stream: str | None, scope: Scope) -> EligibilityRow | None:
    """A lot or entry by its id, as far as the asker may see it; raises SeveralLotsOfThisName."""
    if stream is not None:
        return billing_eligibility.get(view, stream, lot, scope)
    named = view.rows("SELECT stream FROM item WHERE item = %s ORDER BY stream", [lot])
    seen = [row for (name,) in named if (row := billing_eligibility.get(view, name, lot, scope)) is not None]
    if len(seen) > 1:
        raise SeveralLotsOfThisName(f"{lot}: {', '.join(row.stream for row in seen)}.")
    return seen[0] if seen else None


def explain(view: View, log: Log, row: EligibilityRow, policy: Policy = AS_IT_IS) -> Explained:
    """What is decided about a lot at the moment of a view; under another policy it is decided anew, by the same fold.

    Nothing is recorded by it, and the caps are shared out as that policy shares them.
    """
    position = view.watermark.position
    if policy != AS_IT_IS:
        row = _decided(view, log, row, policy)
    state = _state(log, StreamId(row.stream), position)
    held = state.lots.get(row.item) if row.is_lot else None
    return Explained(row, held.lot.explanation if held is not None else None)


def _state(log: Log, stream: StreamId, position: int) -> Any:
    facts = log.history(stream, until_position=position)
    return DECIDERS[decider_name(stream)].fold([fact.event for fact in facts])


def _decided(view: View, log: Log, row: EligibilityRow, policy: Policy) -> EligibilityRow:
    source, key = _OfView(view), (row.stream, row.item)
    contexts = Contexts(log, view.watermark.position)
    lots = LotsFold(source, contexts, TimesheetsFold(source), InvoicesFold(source), from_zero=False)
    EligibilityFold(contexts, lots, RegistersFold(source, contexts, from_zero=False), policy).decide([key])
    item = lots.items.get(key)
    assert item is not None, "what is shown has a row"
    at_risk, over_cap = billing_eligibility.at_risk(item.currency, item.value, item.over_cap_value, item.is_open)
    return replace(
        row,
        state=item.state,
        eligible_quantity=item.eligible_quantity,
        eligible_value=item.eligible_value,
        over_cap_quantity=item.over_cap_quantity,
        over_cap_value=item.over_cap_value,
        reasons=reasons.read(item.reasons, at_risk, over_cap),
    )


class _OfView:
    """The rows of a generation, for a fold whose writes are thrown away."""

    def __init__(self, view: View) -> None:
        self._view = view

    def fetch(self, table: Table[Row], keys: Sequence[Key]) -> list[Row]:
        """The rows of these keys, those that exist."""
        wanted = ", ".join(["%s::text[]"] * len(table.key))
        same = " AND ".join(f"t.{name} = k.{name}" for name in table.key)
        query = (
            f"SELECT {_columns(table)} FROM unnest({wanted}) AS k ({', '.join(table.key)})"
            f" JOIN {table.name} AS t ON {same}"
        )
        columns = [[key[place] for key in keys] for place in range(len(table.key))]
        return [table.row(row) for row in self._view.rows(query, columns)]

    def find(self, table: Table[Row], where: Mapping[str, Any]) -> list[Row]:
        """The rows in which these columns have these values."""
        conditions = [f"t.{name} IS NULL" if value is None else f"t.{name} = %s" for name, value in where.items()]
        query = f"SELECT {_columns(table)} FROM {table.name} AS t WHERE {' AND '.join(['true', *conditions])}"
        values = [value for value in where.values() if value is not None]
        return [table.row(row) for row in self._view.rows(query, values)]


def _columns(table: Table[Any]) -> str:
    """The columns of a table; JSON stays text, as the folds keep it."""
    return ", ".join(f"t.{name}::text" if name in table.json else f"t.{name}" for name in table.names)
