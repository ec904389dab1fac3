"""The question of engagements: what was agreed with whom, on which terms, and how far it is billed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import cast

import strawberry

from api.access import require
from api.graphql.asking import Asked, AsOfArgument, Info, Seen, WaitFor, Watermark, ask_at, ask_one, filter_of
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from domain.kernel import stream_of
from projections.eligibility import cap_use
from projections.eligibility.cap_use import CapUseRow
from projections.reader import FIRM
from projections.registers import engagements
from projections.registers.engagements import EngagementRow


@strawberry.enum(description="Where an engagement is in its life.")
class EngagementStatus(StrEnum):
    """See the description."""

    OPENED = "opened"
    SIGNED = "signed"
    HELD = "held"


@strawberry.enum(description="What engagements can be sorted by.")
class EngagementSort(StrEnum):
    """See the description."""

    ENGAGEMENT = "engagement"
    CUSTOMER = "customer"
    OPENED_AT = "opened_at"
    UPDATED_AT = "updated_at"


@strawberry.type(description="A deliverable with its price, billed once the customer has accepted it.")
class Milestone:
    """See the description."""

    milestone: str
    title: str
    amount: Decimal = strawberry.field(description="Its price, in the engagement's currency.")
    project: str | None
    accepted_on: date | None = strawberry.field(description="Null until the customer accepts it.")
    evidence: str | None = strawberry.field(description="Where the customer's acceptance can be read.")


@strawberry.type(description="The retainers of a line: granted = applied + expired + refunded + available.")
class Retainer:
    """See the description."""

    granted: Decimal = strawberry.field(description="What was sold in advance.")
    applied: Decimal = strawberry.field(description="What paid for work.")
    expired: Decimal = strawberry.field(description="What lapsed.")
    refunded: Decimal = strawberry.field(description="What was paid back.")
    available: Decimal = strawberry.field(description="What is left, usable already or not.")


@strawberry.type(description="One promise inside an engagement, with one billing method.")
class ContractLine:
    """See the description."""

    line: str
    title: str
    method: str = strawberry.field(
        description="time_and_materials, fixed_fee_milestones, fixed_fee_schedule, percent_complete, retainer,"
        " managed_service or pass_through."
    )
    terms: str = strawberry.field(description="How it is billed, in a few words.")
    price: Decimal | None = strawberry.field(description="Its fixed price; null when that depends on what is done.")
    cap: Decimal | None = strawberry.field(description="The most that may be billed on it; null: no limit.")
    cap_policy: str | None = strawberry.field(
        description="partial splits the lot that crosses the cap; whole_item not."
    )
    claimed: Decimal = strawberry.field(description="What drafts and issued invoices take of it, net of credits.")
    hours_cap: Decimal | None = strawberry.field(description="The most hours that may be billed on it.")
    claimed_hours: Decimal = strawberry.field(description="The hours that drafts and issued invoices take of it.")
    progress: Decimal | None = strawberry.field(description="How much of it is done, in percent, as measured last.")
    estimate: Decimal | None = strawberry.field(
        description="What the whole of it is expected to take: the newest estimate, else the budget of its terms."
    )
    estimate_measure: str | None = strawberry.field(
        description="In what that is told: hours, or cost in the currency of the engagement."
    )
    retainer: Retainer | None = strawberry.field(description="What its retainers hold; null before the first.")
    effective_from: date | None = strawberry.field(description="Since when its newest change order holds.")
    change_order: str | None = strawberry.field(description="The change order that made it as it is.")
    milestones: list[Milestone]


@strawberry.type(description="How far a cap is used up, in money or in hours: 75, 90 and 100 % raise a work item.")
class CapUse:
    """See the description."""

    level: str = strawberry.field(description="What it limits: a customer, an engagement, a line, a person on a line.")
    line: str | None
    resource: str | None = strawberry.field(description="The person whose work it limits; null: everybody's.")
    unit: str = strawberry.field(description="A currency, or hour.")
    limit: Decimal
    taken: Decimal = strawberry.field(description="What drafts and invoices take of it, net of credits.")
    earned: Decimal = strawberry.field(description="What approved work has earned under it and is on no draft yet.")
    used: Decimal = strawberry.field(description="Both together.")
    percent: Decimal = strawberry.field(description="How much of it is used.")


async def _caps(root: strawberry.Parent[Seen[EngagementRow]], info: Info) -> list[CapUse]:
    principal = require(info.context.principal, "engagement")

    def question(asked: Asked) -> list[CapUseRow]:
        uses = list(cap_use.of_engagement(asked.view, asked.parts.ledger, root.row.engagement))
        if asked.scope == FIRM:
            limit = cap_use.of_limit(asked.view, asked.parts.ledger, root.row.customer, root.row.currency)
            uses += [limit] if limit is not None else []
        return list(cap_use.rows_of(uses))

    return cast(list[CapUse], await ask_at(info, principal, question, at=root.at))


@strawberry.type(description="The agreement with a customer: who sells, in which currency, which promises.")
class Engagement:
    """See the description."""

    engagement: strawberry.ID = strawberry.field(description="Its id.")
    title: str
    customer: str = strawberry.field(description="The customer's id.")
    customer_name: str
    selling_entity: str = strawberry.field(description="The legal entity that signs and invoices.")
    currency: str
    status: EngagementStatus
    held_because: str | None = strawberry.field(description="Why nothing of it is billed now; null: it is not held.")
    opportunity: str | None = strawberry.field(description="The deal that it came from.")
    signed_on: date | None
    starts: date | None = strawberry.field(description="First day on which its work may happen.")
    ends: date | None = strawberry.field(description="Last day on which its work may happen.")
    purchase_order_required: bool
    purchase_order: str | None = strawberry.field(description="The customer's order number.")
    purchase_order_amount: Decimal | None
    purchase_order_valid_to: date | None
    lines: list[ContractLine]
    caps: list[CapUse] = strawberry.field(
        resolver=_caps,
        description="How far its caps are used up; the customer's limit with them for whoever sees the whole firm.",
    )
    opened_at: datetime = strawberry.field(description="When the ledger recorded that it began.")
    updated_at: datetime = strawberry.field(description="When the ledger recorded its newest fact.")
    version: int = strawberry.field(description="How many facts its stream has.")
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.input(description="Which engagements.")
class EngagementFilter:
    """See the description."""

    engagements: list[str] | None = strawberry.field(default=None, description="Only these.")
    customer: str | None = strawberry.field(default=None)
    selling_entity: str | None = strawberry.field(default=None)
    status: list[EngagementStatus] | None = strawberry.field(default=None)
    currency: str | None = strawberry.field(default=None)
    text: str | None = strawberry.field(default=None, description="Part of the title or the id.")


@strawberry.type(description="How many engagements have a status.")
class EngagementTotals:
    """See the description."""

    status: EngagementStatus
    count: int


@strawberry.type(description="One page of engagements.")
class EngagementConnection(Connection[Engagement]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")
    totals: list[EngagementTotals] = strawberry.field(description="What all of them add up to, beyond the page.")


@strawberry.type
class EngagementQueries:
    """What may be asked about engagements."""

    @strawberry.field(description="What was agreed with whom, on which terms.")
    async def engagements(
        self,
        info: Info,
        where: EngagementFilter | None = None,
        sort: EngagementSort = EngagementSort.ENGAGEMENT,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> EngagementConnection:
        """See the description."""
        page = PageAsked(first, after, sort.value, descending, as_of, wait_for)
        criteria = filter_of(engagements.EngagementFilter, where)
        return await listed(
            info,
            "engagements",
            page,
            lambda asked, request: engagements.find(asked.view, criteria, asked.scope, request),
            lambda asked: engagements.totals(asked.view, criteria, asked.scope),
            lambda each: each.count,
            EngagementConnection,
        )

    @strawberry.field(description="One engagement, also as it was.")
    async def engagement(
        self, info: Info, id: strawberry.ID, as_of: AsOfArgument = None, wait_for: WaitFor = None
    ) -> Engagement | None:
        """See the description."""
        found = await ask_one(
            info,
            "engagement",
            stream_of("engagement", id),
            lambda asked: engagements.get(asked.view, id, asked.scope),
            lambda past, _: past.engagement(id),
            as_of=as_of,
            wait_for=wait_for,
        )
        return cast(Engagement | None, found)
