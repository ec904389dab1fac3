"""What has been worked and spent, by whom, for which project, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from projections.pages import Conditions, Page, PageRequest, Sort, paged
from projections.reader import FIRM, Scope, View


@dataclass(frozen=True, slots=True)
class TimesheetRow:
    """One person's week; hours are summed over the entries that the asker may see and that still count."""

    stream: str
    resource: str
    week: date
    hours: Decimal
    captured: Decimal
    submitted: Decimal
    approved: Decimal
    rejected: Decimal
    entries: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An entry of a timesheet or a line of an expense report; ``systems`` are those that told it."""

    stream: str
    entry: str
    kind: str
    resource: str
    project: str
    engagement: str
    customer: str
    selling_entity: str
    task: str | None
    work_date: date
    hours: Decimal | None
    time_type: str | None
    started: str | None
    note: str
    category: str | None
    amount: Decimal | None
    currency: str | None
    receipt: str | None
    status: str
    approved_by: str | None
    approved_at: datetime | None
    approved_hours: Decimal | None
    merged_into: str | None
    systems: tuple[str, ...]
    unrated_code: str | None
    unrated_detail: str | None
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class TimesheetFilter:
    """Which weeks; ``project`` and ``status`` ask for weeks with such an entry, and only these are summed."""

    resource: str | None = None
    week: date | None = None
    week_from: date | None = None
    week_to: date | None = None
    project: str | None = None
    status: tuple[str, ...] | None = None
    streams: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries and expense lines."""

    stream: str | None = None
    entry: str | None = None
    resource: str | None = None
    project: str | None = None
    engagement: str | None = None
    status: tuple[str, ...] | None = None
    kind: str | None = None
    work_from: date | None = None
    work_to: date | None = None


@dataclass(frozen=True, slots=True)
class EntryTotals:
    """How many entries of a kind stand somewhere, and their hours."""

    kind: str
    status: str
    count: int
    hours: Decimal


SORTS: Final = {
    "week": Sort((("s.week", "date"), ("s.stream", "text"))),
    "resource": Sort((("s.resource", "text"), ("s.week", "date"), ("s.stream", "text"))),
}
ENTRY_SORTS: Final = {
    "work_date": Sort((("e.work_date", "date"), ("e.stream", "text"), ("e.entry", "text"))),
}
_ENTRIES: Final = "entry e LEFT JOIN project p ON p.project = e.project"
_SELECT_ENTRY: Final = (
    "SELECT e.stream, e.entry, e.kind, e.resource, e.project, coalesce(p.engagement, ''), coalesce(p.customer, ''),"
    " coalesce(p.selling_entity, ''), e.task, e.work_date, e.hours, e.time_type, e.started, e.note, e.category,"
    " e.amount, e.currency, e.receipt, e.status, e.approved_by, e.approved_at, e.approved_hours, e.merged_into,"
    " e.systems, e.unrated_code, e.unrated_detail, e.updated_at, e.version"
)
_SELECT_SHEET: Final = (
    "SELECT s.stream, s.resource, s.week, t.hours, t.captured, t.submitted, t.approved, t.rejected, t.entries,"
    " s.updated_at"
)
_SHEETS: Final = """
sheet s CROSS JOIN LATERAL (
    SELECT count(*) AS entries, coalesce(sum(e.hours), 0) AS hours,
           coalesce(sum(e.hours) FILTER (WHERE e.status = 'captured'), 0) AS captured,
           coalesce(sum(e.hours) FILTER (WHERE e.status = 'submitted'), 0) AS submitted,
           coalesce(sum(e.hours) FILTER (WHERE e.status = 'approved'), 0) AS approved,
           coalesce(sum(e.hours) FILTER (WHERE e.status = 'rejected'), 0) AS rejected
    FROM entry e LEFT JOIN project p ON p.project = e.project {where}
) t
"""


def find(view: View, where: TimesheetFilter, scope: Scope, page: PageRequest) -> Page[TimesheetRow]:
    """One page of weeks."""
    inner = Conditions()
    inner.add("e.stream = s.stream")
    inner.add("e.status NOT IN ('withdrawn', 'merged')")
    inner.equal("e.project", where.project)
    inner.one_of("e.status", where.status)
    inner.within(scope, "p.selling_entity")
    conditions = Conditions(inner.values)
    conditions.one_of("s.stream", where.streams)
    conditions.equal("s.resource", where.resource)
    conditions.equal("s.week", where.week)
    conditions.between("s.week", where.week_from, where.week_to)
    if scope != FIRM or where.project is not None or where.status is not None:
        conditions.add("t.entries > 0")
    return paged(view, _SELECT_SHEET, _SHEETS.format(where=inner.where), conditions, SORTS, page, _sheet)


def get(view: View, stream: str, scope: Scope) -> TimesheetRow | None:
    """One person's week, if there is one of which the asker may see something."""
    found = find(view, TimesheetFilter(streams=(stream,)), scope, PageRequest(first=1))
    return found.items[0] if found.items else None


def entries(view: View, where: EntryFilter, scope: Scope, page: PageRequest) -> Page[EntryRow]:
    """One page of entries and expense lines."""
    return paged(view, _SELECT_ENTRY, _ENTRIES, _conditions(where, scope), ENTRY_SORTS, page, _entry)


def totals(view: View, where: EntryFilter, scope: Scope) -> tuple[EntryTotals, ...]:
    """How many entries stand where, with their hours."""
    conditions = _conditions(where, scope)
    query = (
        f"SELECT e.kind, e.status, count(*), coalesce(sum(e.hours), 0) FROM {_ENTRIES} {conditions.where}"
        " GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return tuple(EntryTotals(*row) for row in view.rows(query, conditions.values))


def _conditions(where: EntryFilter, scope: Scope) -> Conditions:
    conditions = Conditions()
    conditions.equal("e.stream", where.stream)
    conditions.equal("e.entry", where.entry)
    conditions.equal("e.resource", where.resource)
    conditions.equal("e.project", where.project)
    if where.engagement is not None:
        conditions.add("e.project IN (SELECT project FROM project WHERE engagement = %s)", where.engagement)
    conditions.one_of("e.status", where.status)
    conditions.equal("e.kind", where.kind)
    conditions.between("e.work_date", where.work_from, where.work_to)
    conditions.within(scope, "p.selling_entity")
    return conditions


def _sheet(values: Sequence[Any]) -> TimesheetRow:
    return TimesheetRow(*values)


def _entry(values: Sequence[Any]) -> EntryRow:
    return EntryRow(*(*values[:23], tuple(values[23]), *values[24:]))
