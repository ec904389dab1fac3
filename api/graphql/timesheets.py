"""The question of timesheets: what was worked and spent, by whom, and where it stands."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import cast

import strawberry

from api.access import require
from api.graphql.asking import AsOfArgument, Info, Seen, WaitFor, Watermark, ask_one, filter_of, sees_entity
from api.graphql.folded import Past
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from domain.kernel import StreamId
from projections.registers import timesheets


@strawberry.enum(description="Where an entry stands.")
class EntryStatus(StrEnum):
    """See the description."""

    CAPTURED = "captured"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


@strawberry.enum(description="What weeks can be sorted by.")
class TimesheetSort(StrEnum):
    """See the description."""

    WEEK = "week"
    RESOURCE = "resource"


@strawberry.type(description="An entry of a timesheet, or a line of an expense report.")
class Entry:
    """See the description."""

    stream: str = strawberry.field(description="The stream that holds it.")
    entry: str = strawberry.field(description="Its id within the stream.")
    kind: str = strawberry.field(description="time or expense.")
    resource: str = strawberry.field(description="The person, by an opaque id.")
    project: str
    engagement: str
    customer: str = strawberry.field(description="The customer's id.")
    selling_entity: str = strawberry.field(description="The legal entity that signs and invoices.")
    task: str | None
    work_date: date
    hours: Decimal | None
    time_type: str | None
    started: str | None = strawberry.field(description="The wall clock at the worker's place, HH:MM:SS.")
    note: str
    category: str | None
    amount: Decimal | None
    currency: str | None = strawberry.field(description="ISO 4217 code.")
    receipt: str | None
    status: EntryStatus
    approved_by: str | None
    approved_at: datetime | None
    approved_hours: Decimal | None = strawberry.field(
        description="The hours that may be billed, where the approver said others than were worked."
    )
    merged_into: str | None = strawberry.field(description="The entry that it turned out to be the same hours as.")
    systems: list[str] = strawberry.field(
        description="The systems that told it: the same hours told by two are one entry."
    )
    unrated_code: str | None = strawberry.field(
        description="Why no price was found for it; null: it has one, or is not approved."
    )
    unrated_detail: str | None
    updated_at: datetime = strawberry.field(description="When the ledger recorded its newest fact.")
    version: int = strawberry.field(description="How many facts its stream has.")


def _entry_count(root: strawberry.Parent[Seen[timesheets.TimesheetRow]]) -> int:
    return root.row.entries


async def _entries(
    root: strawberry.Parent[Seen[timesheets.TimesheetRow]], info: Info, first: First = FIRST
) -> list[Entry]:
    """The entries of a week, at the moment of the answer that it belongs to."""
    principal, parts = require(info.context.principal, "timesheets"), info.context.parts
    stream, at = StreamId(root.row.stream), root.at
    if at is None:
        return cast(list[Entry], await info.context.weeks.load((stream, first)))

    def then() -> list[timesheets.EntryRow]:
        return Past(parts.ledger, at).entries(stream, sees_entity(parts, principal), first)

    return cast(list[Entry], await parts.in_thread(then))


@strawberry.type(description="One person's week, summed over the entries that the asker may see and that still count.")
class Timesheet:
    """See the description."""

    stream: str = strawberry.field(description="Its stream, and its id.")
    resource: str = strawberry.field(description="The person, by an opaque id.")
    week: date = strawberry.field(description="The Monday.")
    hours: Decimal = strawberry.field(description="All hours that count.")
    captured: Decimal = strawberry.field(description="Hours that are not handed in yet.")
    submitted: Decimal = strawberry.field(description="Hours that wait for approval.")
    approved: Decimal = strawberry.field(description="Approved hours.")
    rejected: Decimal = strawberry.field(description="Hours that were sent back.")
    updated_at: datetime = strawberry.field(description="When the ledger recorded its newest fact.")
    entry_count: int = strawberry.field(resolver=_entry_count, description="How many entries count.")
    entries: list[Entry] = strawberry.field(
        resolver=_entries, description="Its entries, withdrawn and merged ones too."
    )
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.input(
    description="Which weeks; project and status ask for weeks with such entries, and only these are summed."
)
class TimesheetFilter:
    """See the description."""

    resource: str | None = strawberry.field(default=None)
    week: date | None = strawberry.field(default=None, description="The Monday.")
    week_from: date | None = strawberry.field(default=None)
    week_to: date | None = strawberry.field(default=None)
    project: str | None = strawberry.field(default=None)
    status: list[EntryStatus] | None = strawberry.field(default=None)


@strawberry.type(description="How many entries of a kind stand somewhere, and their hours.")
class EntryTotals:
    """See the description."""

    kind: str
    status: EntryStatus
    count: int
    hours: Decimal


@strawberry.type(description="One page of weeks.")
class TimesheetConnection(Connection[Timesheet]):
    """See the description."""

    totals: list[EntryTotals] = strawberry.field(
        description="What the entries of all weeks of the person, project and status add up to."
    )


@strawberry.type
class TimesheetQueries:
    """What may be asked about timesheets."""

    @strawberry.field(description="People's weeks: what was worked, and where it stands.")
    async def timesheets(
        self,
        info: Info,
        where: TimesheetFilter | None = None,
        sort: TimesheetSort = TimesheetSort.WEEK,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> TimesheetConnection:
        """See the description."""
        page = PageAsked(first, after, sort.value, descending, as_of, wait_for)
        criteria = filter_of(timesheets.TimesheetFilter, where)
        return await listed(
            info,
            "timesheets",
            page,
            lambda asked, request: timesheets.find(asked.view, criteria, asked.scope, request),
            lambda asked: timesheets.totals(asked.view, _entries_of(criteria), asked.scope),
            lambda each: each.count,
            TimesheetConnection,
        )

    @strawberry.field(description="One person's week, also as it was.")
    async def timesheet(
        self, info: Info, id: strawberry.ID, as_of: AsOfArgument = None, wait_for: WaitFor = None
    ) -> Timesheet | None:
        """See the description."""
        stream = StreamId(id)
        found = await ask_one(
            info,
            "timesheet",
            stream,
            lambda asked: timesheets.get(asked.view, stream, asked.scope),
            lambda past, may_see: past.timesheet(stream, may_see),
            as_of=as_of,
            wait_for=wait_for,
        )
        return cast(Timesheet | None, found)


def _entries_of(where: timesheets.TimesheetFilter) -> timesheets.EntryFilter:
    """The entries that a filter of weeks is about; a week is told by its days."""
    first = where.week or where.week_from
    last = where.week or where.week_to
    return timesheets.EntryFilter(
        resource=where.resource,
        project=where.project,
        status=where.status,
        kind="time",
        work_from=first,
        work_to=last + timedelta(days=6) if last else None,
    )
