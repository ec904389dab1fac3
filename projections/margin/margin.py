"""What work is worth, what of it is billed and recognised, what it costs, and what remains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from projections.pages import Conditions, Page, PageRequest, Sort, paged
from projections.reader import Scope, View

Dimension = Literal["project", "engagement", "customer", "selling_entity", "practice"]

_KNOWN_OF: Final[dict[str, tuple[str, ...]]] = {
    "project": ("selling_entity", "customer", "engagement", "project"),
    "engagement": ("selling_entity", "customer", "engagement"),
    "customer": ("selling_entity", "customer"),
    "selling_entity": ("selling_entity",),
    "practice": ("selling_entity", "practice"),
}
"""What a sum by an object knows besides; a filter by anything else is answered from the cells."""

_OBJECTS: Final = ("selling_entity", "customer", "engagement", "project", "practice")
_AMOUNTS: Final = (
    "hours",
    "standard",
    "billed",
    "recognised",
    "cost",
    "functional_standard",
    "functional_billed",
    "functional_recognised",
    "functional_cost",
)


@dataclass(frozen=True, slots=True)
class MarginRow:
    """The margin of one object, in one month of work or in all, in one currency.

    ``standard`` is the value at the rate card, ``recognised`` what may be invoiced of it, ``margin`` recognised less
    cost. The functional amounts are in the currency of the selling entity, at the rates of the work dates, what is
    billed at the rates on the invoices. ``unconverted`` counts lots for which a rate is missing: their cost or their
    functional amounts are not in the sums.
    """

    by: str
    key: str
    month: str | None
    selling_entity: str
    customer: str
    engagement: str
    project: str
    practice: str
    currency: str
    lots: int
    hours: Decimal
    standard: Decimal
    billed: Decimal
    recognised: Decimal
    cost: Decimal
    margin: Decimal
    functional_currency: str
    functional_standard: Decimal
    functional_billed: Decimal
    functional_recognised: Decimal
    functional_cost: Decimal
    functional_margin: Decimal
    unconverted: int


@dataclass(frozen=True, slots=True)
class MarginFilter:
    """Which work; months as ``2026-03``, both included; ``monthly`` gives a row for each month.

    A ``manager`` stands for the projects that they manage.
    """

    month_from: str | None = None
    month_to: str | None = None
    monthly: bool = False
    project: str | None = None
    manager: str | None = None
    engagement: str | None = None
    customer: str | None = None
    selling_entity: str | None = None
    practice: str | None = None
    currency: str | None = None


_REST: Final = (
    ("m.selling_entity", "text"),
    ("m.customer", "text"),
    ("m.engagement", "text"),
    ("m.project", "text"),
    ("m.practice", "text"),
    ("m.currency", "text"),
    ("m.functional_currency", "text"),
)
SORTS: Final = {
    "key": Sort((("m.key", "text"), ("m.month", "text"), *_REST)),
    "functional_margin": Sort(
        (("m.functional_recognised - m.functional_cost", "numeric"), ("m.key", "text"), ("m.month", "text"), *_REST)
    ),
}
_SELECT: Final = (
    "SELECT m.key, m.month, m.selling_entity, m.customer, m.engagement, m.project, m.practice, m.currency,"
    " m.lots, m.hours, m.standard, m.billed, m.recognised, m.cost, m.recognised - m.cost, m.functional_currency,"
    " m.functional_standard, m.functional_billed, m.functional_recognised, m.functional_cost,"
    " m.functional_recognised - m.functional_cost, m.unconverted"
)


def find(view: View, by: Dimension, where: MarginFilter, scope: Scope, page: PageRequest) -> Page[MarginRow]:
    """One page of margins by project, engagement, customer, selling entity or practice."""
    is_kept = _is_known(by, where) and (where.monthly or (where.month_from is None and where.month_to is None))
    if is_kept:
        conditions = Conditions()
        conditions.word("m.by", by)
        _restrict(conditions, "m.", where, scope)
        tables = "margin m"
    else:
        inner = Conditions()
        inner.word("s.by", by if _is_known(by, where) else "cell")
        _restrict(inner, "s.", where, scope, months=True)
        tables = f"({_added_up(by, where, inner)}) m"
        conditions = Conditions(inner.values)
    return paged(view, _SELECT, tables, conditions, SORTS, page, lambda row: _row(by, row))


def totals(view: View, where: MarginFilter, scope: Scope) -> tuple[MarginRow, ...]:
    """Everything that the filter lets through, added up by currency, for each month if asked."""
    by = next((name for name in _KNOWN_OF if _is_known(name, where) and getattr(where, name) is not None), None)
    if by is None:
        by = "selling_entity" if _is_known("selling_entity", where) else "cell"
    inner = Conditions()
    inner.word("s.by", by)
    _restrict(
        inner, "s.", where, scope, months=by == "cell" or where.month_from is not None or where.month_to is not None
    )
    query = f"{_SELECT} FROM ({_added_up(None, where, inner)}) m ORDER BY m.currency, m.functional_currency, m.month"
    return tuple(_row("firm", row) for row in view.rows(query, inner.values))


def _is_known(by: str, where: MarginFilter) -> bool:
    known = all(getattr(where, name) is None or name in _KNOWN_OF[by] for name in _OBJECTS)
    return known and (where.manager is None or "project" in _KNOWN_OF[by])


def _restrict(conditions: Conditions, of: str, where: MarginFilter, scope: Scope, *, months: bool = False) -> None:
    for name in _OBJECTS:
        conditions.equal(f"{of}{name}", getattr(where, name))
    conditions.managed_by(where.manager, f"{of}project")
    conditions.equal(f"{of}currency", where.currency)
    if where.monthly or months:
        conditions.add(f"{of}month <> ''")
        conditions.between(f"{of}month", where.month_from, where.month_to)
    else:
        conditions.add(f"{of}month = ''")
    conditions.within(scope, f"{of}selling_entity")


def _added_up(by: str | None, where: MarginFilter, conditions: Conditions) -> str:
    """Sums by an object, or by nothing but the currencies."""
    known = _KNOWN_OF[by] if by else ()
    kept = {name: f"s.{name}" if name in known else "''" for name in _OBJECTS}
    month = "s.month" if where.monthly else "''"
    objects = ", ".join(f'{value}::text COLLATE "C" AS {name}' for name, value in kept.items())
    sums = ", ".join(f"sum(s.{name}) AS {name}" for name in _AMOUNTS)
    groups = [*(f"s.{name}" for name in known), *(["s.month"] if where.monthly else [])]
    grouped = ", ".join(["s.currency", "s.functional_currency", *groups])
    key = f"s.{by}" if by else "''"
    return (
        f'SELECT {key}::text COLLATE "C" AS key, {month}::text COLLATE "C" AS month, {objects}, s.currency,'
        f" s.functional_currency, sum(s.lots)::bigint AS lots, sum(s.unconverted)::bigint AS unconverted, {sums}"
        f" FROM margin s {conditions.where} GROUP BY {grouped}"
    )


def _row(by: str, values: Sequence[Any]) -> MarginRow:
    key, month, *rest = values
    return MarginRow(by, key, month or None, *rest)
