"""The questions of work between legal entities: agreements, balances, invoices, and the margin of the group."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import cast

import strawberry

from api.access import OutOfScope
from api.graphql.asking import Asked, AsOfArgument, Info, Seen, WaitFor, Watermark, ask, filter_of
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from projections.finance import finance
from projections.intercompany import intercompany
from projections.margin import group_margin
from projections.reader import FIRM


@strawberry.type(description="One version of what a legal entity charges another for work on its engagements.")
class IntercompanyAgreement:
    """See the description."""

    lender: str = strawberry.field(description="Who delivers.")
    borrower: str = strawberry.field(description="Whose engagement it is.")
    effective_from: date
    ends: date | None
    model: str = strawberry.field(
        description="fixed, cost_plus_amount, cost_plus_percent, percent_of_sales, sales_minus_amount or"
        " contribution_ratio."
    )
    currency: str = strawberry.field(description="ISO 4217 code.")
    parameter: Decimal | None = strawberry.field(description="An amount for each hour or item, or a percentage.")
    roles: list[str] = strawberry.field(description="Roles with a parameter of their own: 'Analyst 120'.")
    tax_category: str | None
    tax_percent: Decimal | None
    tax_reason: str | None
    by: str
    recorded_at: datetime
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.type(description="What one entity delivered for another, in one currency and month.")
class IntercompanyBalance:
    """See the description."""

    lender: str
    borrower: str
    currency: str = strawberry.field(description="ISO 4217 code.")
    period: str
    invoices: int
    net: Decimal = strawberry.field(description="Invoiced: revenue of the lender, cost of the borrower.")
    tax: Decimal
    gross: Decimal = strawberry.field(description="What one is owed and the other owes: between them it is zero.")
    lender_currency: str | None = strawberry.field(description="The functional currency of the lender.")
    lender_receivable: Decimal
    borrower_currency: str | None = strawberry.field(description="The functional currency of the borrower.")
    borrower_payable: Decimal
    to_invoice: Decimal = strawberry.field(description="Delivered in the month and on no invoice yet.")
    to_take_back: Decimal = strawberry.field(description="On an invoice, and counts no more.")
    settled: Decimal = strawberry.field(description="What was paid of the invoices of the month, gross.")
    open: Decimal = strawberry.field(description="What of them is not paid.")
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.type(description="An invoice between two legal entities: a sale and a purchase under one number.")
class IntercompanyInvoice:
    """See the description."""

    number: strawberry.ID
    lender: str
    borrower: str
    period: str
    issued_on: date
    currency: str = strawberry.field(description="ISO 4217 code.")
    lines: int = strawberry.field(description="How many lots are on it.")
    net: Decimal
    tax: Decimal
    gross: Decimal
    tax_category: str
    lender_currency: str
    lender_revenue: Decimal
    lender_receivable: Decimal
    lender_rate_id: str
    borrower_currency: str
    borrower_cost: Decimal
    borrower_payable: Decimal
    borrower_rate_id: str
    run_by: str
    event: str
    recorded_at: datetime
    settled: Decimal = strawberry.field(description="What was paid of it, gross.")
    open: Decimal = strawberry.field(description="What of it is not paid.")
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.type(description="What the books say that one legal entity earned and spent, in its functional currency.")
class EntityMargin:
    """See the description."""

    entity: str
    functional_currency: str
    revenue: Decimal = strawberry.field(description="From customers: what is recognised.")
    intercompany_revenue: Decimal = strawberry.field(description="From entities that it delivered for.")
    cost: Decimal = strawberry.field(description="Of its own people and expenses.")
    intercompany_cost: Decimal = strawberry.field(description="Of what other entities delivered for it.")
    margin: Decimal
    reported: Decimal = strawberry.field(description="The margin in the currency of the answer.")
    unconverted: int = strawberry.field(description="Sums of days without an exchange rate; they are left out.")


@strawberry.type(description="What two entities charged each other: no revenue and no cost of the group.")
class Elimination:
    """See the description."""

    lender: str
    borrower: str
    currency: str = strawberry.field(description="Of their agreement.")
    amount: Decimal
    revenue: Decimal = strawberry.field(description="Of the lender, in the currency of the answer.")
    cost: Decimal = strawberry.field(description="Of the borrower, in the currency of the answer.")
    difference: Decimal = strawberry.field(description="What rounding in two currencies leaves between them.")


@strawberry.type(
    description="The margin of the group, from the journal: the sum of its entities' margins after elimination."
)
class GroupMargin:
    """See the description."""

    currency: str = strawberry.field(description="The reporting currency of the firm, or the one that was asked for.")
    first_period: str
    last_period: str
    revenue: Decimal = strawberry.field(description="What customers pay.")
    cost: Decimal = strawberry.field(description="What the firm's own people and expenses cost.")
    margin: Decimal = strawberry.field(description="The sum of the entities' margins.")
    elimination_difference: Decimal = strawberry.field(
        description="Margin less (revenue less cost): what rounding leaves of the eliminations."
    )
    entities: list[EntityMargin]
    eliminations: list[Elimination]
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.type(description="One page of agreements between entities.")
class AgreementConnection(Connection[IntercompanyAgreement]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")


@strawberry.type(description="One page of balances between entities.")
class BalanceConnection(Connection[IntercompanyBalance]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")


@strawberry.type(description="One page of invoices between entities.")
class IntercompanyInvoiceConnection(Connection[IntercompanyInvoice]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")


@strawberry.input(description="Which work between entities.")
class IntercompanyFilter:
    """See the description."""

    lender: str | None = strawberry.field(default=None)
    borrower: str | None = strawberry.field(default=None)
    period: str | None = strawberry.field(default=None, description="As 2026-03.")
    currency: str | None = strawberry.field(default=None)


@strawberry.type
class IntercompanyQueries:
    """What may be asked about work between legal entities."""

    @strawberry.field(description="What legal entities charge each other, with all versions.")
    async def intercompany_agreements(
        self,
        info: Info,
        lender: str | None = None,
        borrower: str | None = None,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> AgreementConnection:
        """See the description."""
        page = PageAsked(first, after, None, descending, as_of, wait_for)
        where = finance.AgreementFilter(lender, borrower)
        return await listed(
            info,
            "intercompany",
            page,
            lambda asked, request: finance.agreements(asked.view, where, asked.scope, request),
            lambda asked: finance.count_of_agreements(asked.view, where, asked.scope),
            int,
            AgreementConnection,
        )

    @strawberry.field(description="What entities invoiced each other and have not invoiced yet, by pair and month.")
    async def intercompany_balances(
        self,
        info: Info,
        where: IntercompanyFilter | None = None,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> BalanceConnection:
        """See the description."""
        page = PageAsked(first, after, None, descending, as_of, wait_for)
        criteria = filter_of(intercompany.PairFilter, where)
        return await listed(
            info,
            "intercompany",
            page,
            lambda asked, request: intercompany.balances(asked.view, criteria, asked.scope, request),
            lambda asked: intercompany.count_of_balances(asked.view, criteria, asked.scope),
            int,
            BalanceConnection,
        )

    @strawberry.field(description="The invoices between legal entities.")
    async def intercompany_invoices(
        self,
        info: Info,
        where: IntercompanyFilter | None = None,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> IntercompanyInvoiceConnection:
        """See the description."""
        page = PageAsked(first, after, None, descending, as_of, wait_for)
        criteria = filter_of(intercompany.PairFilter, where)
        return await listed(
            info,
            "intercompany",
            page,
            lambda asked, request: intercompany.invoices(asked.view, criteria, asked.scope, request),
            lambda asked: intercompany.count_of_invoices(asked.view, criteria, asked.scope),
            int,
            IntercompanyInvoiceConnection,
        )

    @strawberry.field(
        description="The margin of the group over some months of the books: its entities, eliminations, and the sum."
    )
    async def group_margin(
        self,
        info: Info,
        first_period: str,
        last_period: str | None = None,
        engagement: str | None = None,
        currency: str | None = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> GroupMargin:
        """See the description."""

        def question(asked: Asked) -> Seen[group_margin.GroupMargin]:
            if asked.scope != FIRM:
                raise OutOfScope("The margin of the group concerns the whole firm.")
            found = group_margin.group_margin(
                asked.view, first_period, last_period or first_period, engagement=engagement, currency=currency
            )
            return Seen(found, asked.view.watermark)

        return cast(GroupMargin, await ask(info, "group_margin", question, as_of=as_of, wait_for=wait_for))
