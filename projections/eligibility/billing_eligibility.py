"""Whether work may be billed, and if not, why not, since when, and who can change that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, get_args

from domain.eligibility.reasons import OwnerRole
from domain.money import Money
from domain.reason_codes import ReasonCode
from projections.eligibility import reasons
from projections.eligibility.reasons import Reason
from projections.pages import Conditions, Page, PageRequest, Sort, paged, require_known
from projections.reader import Scope, View

UNBILLED: Final = ("eligible", "held", "over_cap", "reserved")
"""The states of approved work that is on no issued invoice and has not been given up."""


@dataclass(frozen=True, slots=True)
class EligibilityRow:
    """A lot, or work that is not a lot yet (``is_lot`` is False, it has no price).

    A lot that crosses its cap is eligible with the part that fits; the rest is in ``over_cap_...``.
    """

    stream: str
    item: str
    is_lot: bool
    kind: str
    source: str
    state: str
    engagement: str
    project: str
    customer: str
    selling_entity: str
    delivering_entity: str | None
    line: str | None
    task: str | None
    resource: str | None
    role: str | None
    practice: str | None
    work_date: date
    quantity: Decimal
    unit: str
    currency: str | None
    price: Decimal | None
    value: Decimal | None
    eligible_quantity: Decimal
    eligible_value: Decimal
    over_cap_quantity: Decimal
    over_cap_value: Decimal
    cost: Decimal | None
    cost_currency: str | None
    cost_in_billing_currency: Decimal | None
    invoice: str | None
    number: str | None
    description: str
    approved_at: datetime | None
    recorded_at: datetime
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class EligibilityFilter:
    """Which work; ``unbilled`` asks for approved work that is not billed and not given up, ``lots_only`` leaves out the
    rest; ``reason`` and ``owner_role`` ask for open work that is held up by such a reason. A ``manager`` stands for the
    projects that they manage.
    """

    states: tuple[str, ...] | None = None
    engagement: str | None = None
    project: str | None = None
    manager: str | None = None
    currency: str | None = None
    customer: str | None = None
    selling_entity: str | None = None
    resource: str | None = None
    line: str | None = None
    reason: str | None = None
    owner_role: str | None = None
    invoice: str | None = None
    work_from: date | None = None
    work_to: date | None = None
    unbilled: bool = False
    lots_only: bool = False
    stream: str | None = None
    item: str | None = None

    def __post_init__(self) -> None:
        require_known(self.reason, ReasonCode)
        require_known(self.owner_role, get_args(OwnerRole))


@dataclass(frozen=True, slots=True)
class EligibilityTotals:
    """What the work of a state adds up to.

    A lot that crosses its cap is one eligible item; its hours and its value count in both of its states by their parts.
    """

    state: str
    currency: str
    items: int
    hours: Decimal
    value: Decimal


@dataclass(frozen=True, slots=True)
class ReasonTotals:
    """How much open work a reason holds up; work with several reasons counts for each of them."""

    code: str
    owner_role: str
    currency: str
    items: int
    value: Decimal


SORTS: Final = {
    "work_date": Sort((("i.work_date", "date"), ("i.stream", "text"), ("i.item", "text"))),
    "value": Sort((("coalesce(i.value, 0)", "numeric"), ("i.stream", "text"), ("i.item", "text"))),
}
_SELECT: Final = (
    "SELECT i.stream, i.item, i.is_lot, i.kind, i.source, i.state, i.engagement, i.project, i.customer,"
    " i.selling_entity, i.delivering_entity, i.line, i.task, i.resource, i.role, i.practice, i.work_date, i.quantity,"
    " i.unit, i.currency, i.price, i.value, i.eligible_quantity, i.eligible_value, i.over_cap_quantity,"
    " i.over_cap_value, i.cost, i.cost_currency, i.cost_in_billing_currency, i.invoice, i.number, i.description,"
    " i.approved_at, i.recorded_at, i.reasons, i.is_open"
)
_PARTS: Final = """
item i CROSS JOIN LATERAL (
    SELECT i.state AS state, 1 AS items,
           CASE i.state WHEN 'eligible' THEN i.eligible_quantity ELSE i.quantity END AS quantity,
           CASE i.state WHEN 'eligible' THEN i.eligible_value ELSE coalesce(i.value, 0) END AS value
    UNION ALL
    SELECT 'over_cap', 0, i.over_cap_quantity, i.over_cap_value WHERE i.state = 'eligible' AND i.over_cap_value <> 0
) AS part
"""
_OBJECTS: Final = ("project", "engagement", "customer", "selling_entity")
"""What sums are kept by, the narrowest first."""


def find(view: View, where: EligibilityFilter, scope: Scope, page: PageRequest) -> Page[EligibilityRow]:
    """One page of work."""
    return paged(view, _SELECT, "item i", _conditions(where, scope), SORTS, page, _row)


def get(view: View, stream: str, item: str, scope: Scope) -> EligibilityRow | None:
    """One lot or entry, if there is one that the asker may see."""
    found = find(view, EligibilityFilter(stream=stream, item=item), scope, PageRequest(first=1))
    return found.items[0] if found.items else None


def totals(view: View, where: EligibilityFilter, scope: Scope) -> tuple[EligibilityTotals, ...]:
    """What the work adds up to by state and currency; by one object it is kept as sums, otherwise it is added up."""
    kept = _kept_sums(where, scope)
    if kept is not None:
        query = (
            "SELECT state, currency, sum(items)::bigint, sum(hours), sum(value) FROM item_sum"
            f" {kept.where} GROUP BY 1, 2 ORDER BY 1, 2"
        )
        return tuple(EligibilityTotals(*row) for row in view.rows(query, kept.values))
    conditions = _conditions(where, scope, states="part.state")
    query = (
        "SELECT part.state, coalesce(i.currency, ''), sum(part.items)::bigint,"
        " coalesce(sum(part.quantity) FILTER (WHERE i.unit = 'hour'), 0), sum(part.value)"
        f" FROM {_PARTS} {conditions.where} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return tuple(EligibilityTotals(*row) for row in view.rows(query, conditions.values))


def reason_totals(view: View, where: EligibilityFilter, scope: Scope) -> tuple[ReasonTotals, ...]:
    """How much each reason holds up; the firm's and each entity's are kept as sums, others are added up."""
    if _asked(where) <= {"selling_entity", "reason", "owner_role", "unbilled"} and not where.unbilled:
        conditions = Conditions()
        conditions.equal("selling_entity", where.selling_entity)
        conditions.equal("code", where.reason)
        conditions.equal("owner_role", where.owner_role)
        conditions.within(scope)
        query = (
            "SELECT code, owner_role, currency, sum(items)::bigint, sum(value) FROM reason_sum"
            f" {conditions.where} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        return tuple(ReasonTotals(*row) for row in view.rows(query, conditions.values))
    conditions = _conditions(where, scope)
    conditions.add("i.is_open")
    conditions.equal("r.code", where.reason)
    conditions.equal("r.owner_role", where.owner_role)
    query = (
        "SELECT r.code, r.owner_role, coalesce(i.currency, ''), count(*),"
        " sum(CASE r.code WHEN 'CAP_EXCEEDED' THEN i.over_cap_value ELSE coalesce(i.value, 0) END)"
        " FROM item i CROSS JOIN LATERAL unnest(i.codes, i.owner_roles) AS r (code, owner_role)"
        f" {conditions.where} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    return tuple(ReasonTotals(*row) for row in view.rows(query, conditions.values))


def _asked(where: EligibilityFilter) -> set[str]:
    return {name for name in EligibilityFilter.__dataclass_fields__ if getattr(where, name) not in (None, False)}


def _kept_sums(where: EligibilityFilter, scope: Scope) -> Conditions | None:
    """Which sums answer the question; None if they do not."""
    objects = [name for name in _OBJECTS if getattr(where, name) is not None]
    if len(objects) > 1 or not _asked(where) <= {"states", "unbilled", *objects}:
        return None
    by = objects[0] if objects else "selling_entity"
    conditions = Conditions()
    conditions.word("by", by)
    conditions.equal("key", getattr(where, by))
    conditions.one_of("state", where.states)
    if where.unbilled:
        conditions.add(f"state IN {UNBILLED}")
    conditions.within(scope)
    return conditions


def _conditions(where: EligibilityFilter, scope: Scope, states: str = "i.state") -> Conditions:
    conditions = Conditions()
    conditions.equal("i.stream", where.stream)
    conditions.equal("i.item", where.item)
    conditions.one_of(states, where.states)
    if where.unbilled:
        # Written out, so that the index of unbilled work serves.
        conditions.add("i.state IN ('eligible', 'held', 'over_cap', 'reserved')")
    conditions.equal("i.engagement", where.engagement)
    conditions.equal("i.project", where.project)
    conditions.managed_by(where.manager, "i.project")
    conditions.equal("i.currency", where.currency)
    conditions.equal("i.customer", where.customer)
    conditions.equal("i.selling_entity", where.selling_entity)
    conditions.equal("i.resource", where.resource)
    conditions.equal("i.line", where.line)
    if where.reason is not None:
        conditions.add("i.is_open AND i.codes @> ARRAY[%s]", where.reason)
    if where.owner_role is not None:
        conditions.add("i.is_open AND i.owner_roles @> ARRAY[%s]", where.owner_role)
    conditions.equal("i.invoice", where.invoice)
    conditions.between("i.work_date", where.work_from, where.work_to)
    if where.lots_only:
        conditions.add("i.is_lot")
    conditions.within(scope, "i.selling_entity")
    return conditions


def _row(values: Sequence[Any]) -> EligibilityRow:
    *plain, stored, is_open = values
    currency, value, over = values[19], values[21], values[25]
    return EligibilityRow(*(*plain, reasons.read(stored, *at_risk(currency, value, over, is_open))))


def at_risk(
    currency: str | None, value: Decimal | None, over: Decimal, is_open: bool
) -> tuple[Money | None, Money | None]:
    """What waits for the reasons of an item, and what of it waits for its cap."""
    if not is_open or currency is None:
        return None, None
    return Money(value, currency) if value is not None else None, Money(over, currency)
