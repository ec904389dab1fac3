"""What failed, for whom, how much money waits for it, and who has to do what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, get_args

from domain.exception import Kind, OwnerRole
from domain.money import Money
from projections.finance.worth import NOTHING_KNOWN, WORTH, worth
from projections.pages import Conditions, Page, PageRequest, Sort, paged, require_known
from projections.reader import Scope, View


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """A work item for a person; its age is counted from ``opened_at``."""

    stream: str
    kind: str
    code: str
    about: str
    message: str
    what_to_do: str
    owner_role: str
    system: str | None
    resource: str | None
    project: str | None
    engagement: str | None
    customer: str | None
    invoice: str | None
    selling_entity: str
    money_at_risk: Money | None
    hours_at_risk: str | None
    waits_for: str | None
    is_open: bool
    occurrences: int
    retries: int
    opened_at: datetime
    last_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None
    version: int


@dataclass(frozen=True, slots=True)
class ExceptionFilter:
    """Which work items; ``is_open`` None is open and settled ones."""

    is_open: bool | None = None
    kind: str | None = None
    code: str | None = None
    owner_role: str | None = None
    system: str | None = None
    project: str | None = None
    manager: str | None = None
    currency: str | None = None
    engagement: str | None = None
    customer: str | None = None
    invoice: str | None = None
    resource: str | None = None
    selling_entity: str | None = None
    stream: str | None = None

    def __post_init__(self) -> None:
        require_known(self.kind, get_args(Kind))
        require_known(self.owner_role, get_args(OwnerRole))


@dataclass(frozen=True, slots=True)
class ExceptionTotals:
    """How many work items of a code an owner has, and the money that waits for them in one currency."""

    code: str
    owner_role: str
    count: int
    currency: str | None
    money_at_risk: Decimal


SORTS: Final = {
    "last_at": Sort((("x.last_at", "timestamptz"), ("x.stream", "text"))),
    "opened_at": Sort((("x.opened_at", "timestamptz"), ("x.stream", "text"))),
    "money_at_risk": Sort((("coalesce(x.money_at_risk * coalesce(w.rate, 1), 0)", "numeric"), ("x.stream", "text"))),
}
_SELECT: Final = (
    "SELECT x.stream, x.kind, x.code, x.about, x.message, x.what_to_do, x.owner_role, x.system, x.resource, x.project,"
    " x.engagement, x.customer, x.invoice, x.selling_entity, x.money_at_risk, x.currency, x.hours_at_risk,"
    " x.waits_for, x.is_open, x.occurrences, x.retries, x.opened_at, x.last_at, x.resolved_at, x.resolved_by,"
    " x.resolution, x.version"
)


def find(view: View, where: ExceptionFilter, scope: Scope, page: PageRequest) -> Page[ExceptionRow]:
    """One page of work items."""
    known = worth(view) if page.sort == "money_at_risk" else NOTHING_KNOWN
    tables = f"exception x LEFT JOIN {WORTH} ON w.currency = x.currency"
    return paged(view, _SELECT, tables, _conditions(where, scope, known), SORTS, page, _row)


def get(view: View, stream: str, scope: Scope) -> ExceptionRow | None:
    """One work item, if there is one that the asker may see."""
    found = find(view, ExceptionFilter(stream=stream), scope, PageRequest(first=1))
    return found.items[0] if found.items else None


def totals(view: View, where: ExceptionFilter, scope: Scope) -> tuple[ExceptionTotals, ...]:
    """How many there are of each code and owner, with the money at risk by currency."""
    conditions = _conditions(where, scope)
    query = (
        "SELECT x.code, x.owner_role, count(*), x.currency, coalesce(sum(x.money_at_risk), 0) FROM exception x"
        f" {conditions.where} GROUP BY 1, 2, 4 ORDER BY 1, 2, 4"
    )
    return tuple(ExceptionTotals(*row) for row in view.rows(query, conditions.values))


def _conditions(where: ExceptionFilter, scope: Scope, values_before: Sequence[Any] = ()) -> Conditions:
    conditions = Conditions([list(each) for each in values_before])
    if where.is_open is not None:
        conditions.add("x.is_open" if where.is_open else "NOT x.is_open")
    for name in ("kind", "code", "owner_role", "system", "project", "engagement", "customer", "invoice", "resource"):
        conditions.equal(f"x.{name}", getattr(where, name))
    conditions.managed_by(where.manager, "x.project")
    conditions.equal("x.currency", where.currency)
    conditions.equal("x.selling_entity", where.selling_entity)
    conditions.equal("x.stream", where.stream)
    conditions.within(scope, "x.selling_entity")
    return conditions


def _row(values: Sequence[Any]) -> ExceptionRow:
    amount, currency = values[14], values[15]
    at_risk = Money(amount, currency) if amount is not None and currency is not None else None
    return ExceptionRow(*(*values[:14], at_risk, *values[16:]))
