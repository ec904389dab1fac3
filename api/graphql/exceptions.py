"""The question of exceptions: what failed, for whom, how much money waits, and what to do."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import strawberry

from api.graphql.asking import AsOfArgument, Info, WaitFor, Watermark, filter_of
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from api.graphql.values import Money
from projections.exceptions import exceptions


@strawberry.enum(description="What work items can be sorted by; money by what it is worth to the firm.")
class ExceptionSort(StrEnum):
    """See the description."""

    LAST_AT = "last_at"
    OPENED_AT = "opened_at"
    MONEY_AT_RISK = "money_at_risk"


@strawberry.type(description="A work item for a person.")
class ExceptionItem:
    """See the description."""

    stream: str = strawberry.field(description="Its stream, and its id.")
    kind: str = strawberry.field(
        description="refused, waiting, conflict, quarantined, rejected_by_target, in_doubt or limit_reached."
    )
    code: str = strawberry.field(description="Which rule or problem it is.")
    about: str = strawberry.field(description="The object that could not be dealt with.")
    message: str
    what_to_do: str
    owner_role: str = strawberry.field(description="Who has to act.")
    system: str | None
    resource: str | None
    project: str | None
    engagement: str | None
    customer: str | None = strawberry.field(description="The customer's id.")
    invoice: str | None
    selling_entity: str = strawberry.field(description="The legal entity that signs and invoices.")
    money_at_risk: Money | None = strawberry.field(description="What waits for it, as far as known.")
    hours_at_risk: str | None
    waits_for: str | None = strawberry.field(description="What it waits for; it ends by itself once that is known.")
    is_open: bool
    occurrences: int = strawberry.field(description="How often it came up.")
    retries: int
    opened_at: datetime
    last_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None = strawberry.field(description="What was done.")
    version: int = strawberry.field(description="How many facts its stream has.")
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.input(description="Which work items.")
class ExceptionFilter:
    """See the description."""

    is_open: bool | None = strawberry.field(default=None, description="Open ones, or settled ones; left out: both.")
    kind: str | None = strawberry.field(default=None)
    code: str | None = strawberry.field(default=None)
    owner_role: str | None = strawberry.field(default=None)
    system: str | None = strawberry.field(default=None)
    project: str | None = strawberry.field(default=None)
    manager: str | None = strawberry.field(default=None, description="Only the projects that this person manages.")
    currency: str | None = strawberry.field(default=None, description="Only money in this currency.")
    engagement: str | None = strawberry.field(default=None)
    customer: str | None = strawberry.field(default=None)
    invoice: str | None = strawberry.field(default=None)
    resource: str | None = strawberry.field(default=None)
    selling_entity: str | None = strawberry.field(default=None)
    stream: str | None = strawberry.field(default=None)


@strawberry.type(description="How many work items of a code an owner has, and the money that waits for them.")
class ExceptionTotals:
    """See the description."""

    code: str
    owner_role: str
    count: int
    currency: str | None
    money_at_risk: Decimal


@strawberry.type(description="One page of work items.")
class ExceptionConnection(Connection[ExceptionItem]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")
    totals: list[ExceptionTotals] = strawberry.field(description="What all of them add up to, beyond the page.")


@strawberry.type
class ExceptionQueries:
    """What may be asked about exceptions."""

    @strawberry.field(description="What failed and waits for a person.")
    async def exceptions(
        self,
        info: Info,
        where: ExceptionFilter | None = None,
        sort: ExceptionSort = ExceptionSort.LAST_AT,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> ExceptionConnection:
        """See the description."""
        page = PageAsked(first, after, sort.value, descending, as_of, wait_for)
        criteria = filter_of(exceptions.ExceptionFilter, where)
        return await listed(
            info,
            "exceptions",
            page,
            lambda asked, request: exceptions.find(asked.view, criteria, asked.scope, request),
            lambda asked: exceptions.totals(asked.view, criteria, asked.scope),
            lambda each: each.count,
            ExceptionConnection,
        )
