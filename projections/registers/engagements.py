"""What was agreed with whom, on which terms, and how far it is billed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from projections.pages import Conditions, Page, PageRequest, Sort, paged
from projections.reader import Scope, View
from projections.registers.contract_lines import LineRow, read


@dataclass(frozen=True, slots=True)
class EngagementRow:
    """An engagement as it stands; amounts are in its currency."""

    engagement: str
    title: str
    customer: str
    customer_name: str
    selling_entity: str
    currency: str
    status: str
    held_because: str | None
    opportunity: str | None
    signed_on: date | None
    starts: date | None
    ends: date | None
    purchase_order_required: bool
    purchase_order: str | None
    purchase_order_amount: Decimal | None
    purchase_order_valid_to: date | None
    lines: tuple[LineRow, ...]
    opened_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class EngagementFilter:
    """Which engagements; ``text`` is part of the title, the id or the customer's name."""

    engagements: tuple[str, ...] | None = None
    customer: str | None = None
    selling_entity: str | None = None
    status: tuple[str, ...] | None = None
    currency: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class EngagementTotals:
    """How many engagements have a status."""

    status: str
    count: int


SORTS: Final = {
    "engagement": Sort((("e.engagement", "text"),)),
    "customer": Sort((("e.customer", "text"), ("e.engagement", "text"))),
    "opened_at": Sort((("e.opened_at", "timestamptz"), ("e.engagement", "text"))),
    "updated_at": Sort((("e.updated_at", "timestamptz"), ("e.engagement", "text"))),
}
_FROM: Final = "engagement e LEFT JOIN customer c ON c.customer = e.customer"
_SELECT: Final = (
    "SELECT e.engagement, e.title, e.customer, coalesce(c.name, e.customer), e.selling_entity, e.currency, e.status,"
    " e.held_because, e.opportunity, e.signed_on, e.starts, e.ends, e.purchase_order_required, e.purchase_order,"
    " e.purchase_order_amount, e.purchase_order_valid_to, e.lines, e.opened_at, e.updated_at, e.version"
)


def find(view: View, where: EngagementFilter, scope: Scope, page: PageRequest) -> Page[EngagementRow]:
    """One page of engagements."""
    return paged(view, _SELECT, _FROM, _conditions(where, scope), SORTS, page, _row)


def get(view: View, engagement: str, scope: Scope) -> EngagementRow | None:
    """One engagement, if there is one that the asker may see."""
    found = find(view, EngagementFilter(engagements=(engagement,)), scope, PageRequest(first=1))
    return found.items[0] if found.items else None


def totals(view: View, where: EngagementFilter, scope: Scope) -> tuple[EngagementTotals, ...]:
    """How many there are of each status."""
    conditions = _conditions(where, scope)
    query = f"SELECT e.status, count(*) FROM {_FROM} {conditions.where} GROUP BY 1 ORDER BY 1"
    return tuple(EngagementTotals(*row) for row in view.rows(query, conditions.values))


def _conditions(where: EngagementFilter, scope: Scope) -> Conditions:
    conditions = Conditions()
    conditions.one_of("e.engagement", where.engagements)
    conditions.equal("e.customer", where.customer)
    conditions.equal("e.selling_entity", where.selling_entity)
    conditions.one_of("e.status", where.status)
    conditions.equal("e.currency", where.currency)
    conditions.contains(("e.title", "e.engagement", "c.name"), where.text)
    conditions.within(scope, "e.selling_entity")
    return conditions


def _row(values: Sequence[Any]) -> EngagementRow:
    lines = tuple(read(line) for line in values[16])
    return EngagementRow(*(*values[:16], lines, *values[17:]))
