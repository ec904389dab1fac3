"""The question of margin: what work is worth, what of it is billed and recognised, and what it costs."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import strawberry

from api.graphql.asking import AsOfArgument, Info, WaitFor, Watermark, filter_of
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from projections.margin import margin as margins


@strawberry.enum(description="What margins are summed by.")
class MarginBy(StrEnum):
    """See the description."""

    PROJECT = "project"
    ENGAGEMENT = "engagement"
    CUSTOMER = "customer"
    SELLING_ENTITY = "selling_entity"
    PRACTICE = "practice"


@strawberry.enum(description="What margins can be sorted by.")
class MarginSort(StrEnum):
    """See the description."""

    KEY = "key"
    FUNCTIONAL_MARGIN = "functional_margin"


@strawberry.type(description="What work comes to, in one pair of currencies.")
class MarginAmounts:
    """See the description."""

    month: str | None = strawberry.field(description="Month of the work, 2026-03; null: all months.")
    currency: str
    lots: int = strawberry.field(description="How many lots.")
    hours: Decimal = strawberry.field(description="Hours worked.")
    standard: Decimal = strawberry.field(description="Value at the rate card.")
    billed: Decimal = strawberry.field(
        description="Value at the rate card of what is invoiced; figures tell what invoices ask."
    )
    recognised: Decimal = strawberry.field(description="What may be invoiced of it, so far.")
    cost: Decimal = strawberry.field(description="In the billing currency, at the exchange rates of the work dates.")
    margin: Decimal = strawberry.field(description="Recognised less cost.")
    functional_currency: str = strawberry.field(description="The currency of the selling entity.")
    functional_standard: Decimal
    functional_billed: Decimal
    functional_recognised: Decimal
    functional_cost: Decimal
    functional_margin: Decimal
    unconverted: int = strawberry.field(
        description="Lots for which an exchange rate is missing: their cost or functional amounts are not in the sums."
    )


@strawberry.type(description="The margin of one object in one currency.")
class Margin(MarginAmounts):
    """See the description."""

    by: str = strawberry.field(description="What it is summed by.")
    key: str = strawberry.field(description="The object.")
    title: str = strawberry.field(
        description="Its name: that of a customer or entity, the title of an engagement or project; else the key."
    )
    selling_entity: str
    customer: str
    engagement: str
    project: str
    practice: str
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.type(description="What margins add up to, in one pair of currencies.")
class MarginTotal(MarginAmounts):
    """See the description."""


@strawberry.input(description="Which work; months as 2026-03, both included.")
class MarginFilter:
    """See the description."""

    month_from: str | None = strawberry.field(default=None)
    month_to: str | None = strawberry.field(default=None)
    monthly: bool | None = strawberry.field(default=None, description="A row for each month.")
    project: str | None = strawberry.field(default=None)
    manager: str | None = strawberry.field(default=None, description="Only the projects that this person manages.")
    engagement: str | None = strawberry.field(default=None)
    customer: str | None = strawberry.field(default=None)
    selling_entity: str | None = strawberry.field(default=None)
    practice: str | None = strawberry.field(default=None)
    currency: str | None = strawberry.field(default=None)


@strawberry.type(description="One page of margins.")
class MarginConnection(Connection[Margin]):
    """See the description."""

    totals: list[MarginTotal] = strawberry.field(description="What all of it adds up to, by currency.")


@strawberry.type
class MarginQueries:
    """What may be asked about margins."""

    @strawberry.field(description="Standard value, billed, recognised, cost and margin.")
    async def margin(
        self,
        info: Info,
        by: MarginBy = MarginBy.PROJECT,
        where: MarginFilter | None = None,
        sort: MarginSort = MarginSort.KEY,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> MarginConnection:
        """See the description."""
        page = PageAsked(first, after, sort.value, descending, as_of, wait_for)
        dimension: margins.Dimension = by.value
        criteria = filter_of(margins.MarginFilter, where)
        return await listed(
            info,
            "margin",
            page,
            lambda asked, request: margins.find(asked.view, dimension, criteria, asked.scope, request),
            lambda asked: margins.totals(asked.view, criteria, asked.scope),
            lambda each: each.lots,
            MarginConnection,
            lambda asked, rows: asked.titled(by.value, rows),
        )
