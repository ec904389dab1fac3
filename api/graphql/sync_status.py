"""The question of synchronisation: what each target system knows of our projects and invoices."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import strawberry

from api.graphql.asking import AsOfArgument, Info, WaitFor, Watermark, filter_of
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from projections.systems import sync_status


@strawberry.enum(description="How far a target system is with an object.")
class SyncState(StrEnum):
    """See the description."""

    PENDING = "pending"
    SENT = "sent"
    IN_DOUBT = "in_doubt"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    DRIFTED = "drifted"


@strawberry.enum(description="What they can be sorted by.")
class SyncSort(StrEnum):
    """See the description."""

    UPDATED_AT = "updated_at"
    SINCE = "since"


@strawberry.type(description="How far one target system is with one project or invoice.")
class SyncStatus:
    """See the description."""

    stream: str = strawberry.field(description="The stream of the object.")
    kind: str = strawberry.field(description="project, invoice or credit_note.")
    object: str = strawberry.field(description="The object's id.")
    target: str = strawberry.field(description="The target system.")
    state: SyncState
    since: datetime = strawberry.field(description="When it came to this state; its age counts from here.")
    external_id: str | None = strawberry.field(description="What the target calls it.")
    reason: str | None
    our_version: int = strawberry.field(description="The newest version of the object that concerns the target.")
    confirmed_version: int | None = strawberry.field(
        description="The version that the target has confirmed; an older one than ours has drifted."
    )
    attempts: int = strawberry.field(description="How often it was requested.")
    pending_at: datetime
    requested_at: datetime | None
    sent_at: datetime | None
    in_doubt_at: datetime | None
    confirmed_at: datetime | None
    rejected_at: datetime | None
    engagement: str
    customer: str = strawberry.field(description="The customer's id.")
    selling_entity: str = strawberry.field(description="The legal entity that signs and invoices.")
    updated_at: datetime = strawberry.field(description="When the ledger recorded its newest fact.")
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.input(description="Which objects and targets.")
class SyncFilter:
    """See the description."""

    kind: str | None = strawberry.field(default=None, description="project, invoice or credit_note.")
    target: str | None = strawberry.field(default=None)
    states: list[SyncState] | None = strawberry.field(default=None)
    selling_entity: str | None = strawberry.field(default=None)
    engagement: str | None = strawberry.field(default=None)
    customer: str | None = strawberry.field(default=None)
    stream: str | None = strawberry.field(default=None)


@strawberry.type(description="How many objects are in a state, and since when the oldest of them.")
class SyncTotals:
    """See the description."""

    kind: str
    target: str
    state: SyncState
    count: int
    oldest_since: datetime | None


@strawberry.type(description="One page of objects and targets.")
class SyncConnection(Connection[SyncStatus]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")
    totals: list[SyncTotals] = strawberry.field(description="What all of them add up to, beyond the page.")


@strawberry.type
class SyncQueries:
    """What may be asked about synchronisation."""

    @strawberry.field(description="What each target system knows of each project and invoice.")
    async def sync_status(
        self,
        info: Info,
        where: SyncFilter | None = None,
        sort: SyncSort = SyncSort.UPDATED_AT,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> SyncConnection:
        """See the description."""
        page = PageAsked(first, after, sort.value, descending, as_of, wait_for)
        criteria = filter_of(sync_status.SyncFilter, where)
        return await listed(
            info,
            "sync_status",
            page,
            lambda asked, request: sync_status.find(asked.view, criteria, asked.scope, request),
            lambda asked: sync_status.totals(asked.view, criteria, asked.scope),
            lambda each: each.count,
            SyncConnection,
        )
