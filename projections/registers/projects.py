"""Which work goes on under which engagement, who works on it, and whether it is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from projections.pages import Conditions, Page, PageRequest, Sort, paged
from projections.reader import Scope, View


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A piece of the project's work; ``line`` is the contract line that pays, None for the project's own."""

    task: str
    title: str
    line: str | None
    chargeable: bool


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    """A person's place on the project."""

    resource: str
    starts: date
    ends: date | None
    role: str | None


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project as it stands; customer and selling entity are those of its engagement."""

    project: str
    engagement: str
    customer: str
    customer_name: str
    selling_entity: str
    delivering_entity: str
    title: str
    line: str
    starts: date
    ends: date | None
    closed_on: date | None
    manager: str | None
    internal: bool
    status: str
    held_because: str | None
    tasks: tuple[TaskRow, ...]
    assignments: tuple[AssignmentRow, ...]
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class ProjectFilter:
    """Which projects; ``text`` is part of the title or the id."""

    projects: tuple[str, ...] | None = None
    engagement: str | None = None
    customer: str | None = None
    selling_entity: str | None = None
    status: tuple[str, ...] | None = None
    manager: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class ProjectTotals:
    """How many projects have a status."""

    status: str
    count: int


SORTS: Final = {
    "project": Sort((("p.project", "text"),)),
    "engagement": Sort((("p.engagement", "text"), ("p.project", "text"))),
    "created_at": Sort((("p.created_at", "timestamptz"), ("p.project", "text"))),
    "updated_at": Sort((("p.updated_at", "timestamptz"), ("p.project", "text"))),
}
_FROM: Final = "project p LEFT JOIN customer c ON c.customer = p.customer"
_SELECT: Final = (
    "SELECT p.project, p.engagement, p.customer, coalesce(c.name, p.customer), p.selling_entity, p.delivering_entity,"
    " p.title, p.line, p.starts, p.ends, p.closed_on, p.manager, p.internal, p.status, p.held_because, p.tasks,"
    " p.assignments, p.created_at, p.updated_at, p.version"
)


def find(view: View, where: ProjectFilter, scope: Scope, page: PageRequest) -> Page[ProjectRow]:
    """One page of projects."""
    return paged(view, _SELECT, _FROM, _conditions(where, scope), SORTS, page, _row)


def get(view: View, project: str, scope: Scope) -> ProjectRow | None:
    """One project, if there is one that the asker may see."""
    found = find(view, ProjectFilter(projects=(project,)), scope, PageRequest(first=1))
    return found.items[0] if found.items else None


def totals(view: View, where: ProjectFilter, scope: Scope) -> tuple[ProjectTotals, ...]:
    """How many there are of each status."""
    conditions = _conditions(where, scope)
    query = f"SELECT p.status, count(*) FROM {_FROM} {conditions.where} GROUP BY 1 ORDER BY 1"
    return tuple(ProjectTotals(*row) for row in view.rows(query, conditions.values))


def _conditions(where: ProjectFilter, scope: Scope) -> Conditions:
    conditions = Conditions()
    conditions.one_of("p.project", where.projects)
    conditions.equal("p.engagement", where.engagement)
    conditions.equal("p.customer", where.customer)
    conditions.equal("p.selling_entity", where.selling_entity)
    conditions.one_of("p.status", where.status)
    conditions.equal("p.manager", where.manager)
    conditions.contains(("p.title", "p.project"), where.text)
    conditions.within(scope, "p.selling_entity")
    return conditions


def _row(values: Sequence[Any]) -> ProjectRow:
    tasks = tuple(TaskRow(**told) for told in values[15])
    assignments = tuple(_assignment(told) for told in values[16])
    return ProjectRow(*(*values[:15], tasks, assignments, *values[17:]))


def _assignment(told: dict[str, Any]) -> AssignmentRow:
    ends = date.fromisoformat(told["ends"]) if told["ends"] else None
    return AssignmentRow(told["resource"], date.fromisoformat(told["starts"]), ends, told["role"])
