"""The questions of finance: exchange rates, and the accounts of the ERPs."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from api.graphql.asking import AsOfArgument, Info, WaitFor, Watermark, filter_of
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from projections.finance import finance


@strawberry.type(description="What a source says that one unit of a currency was worth in another on a day.")
class FxRate:
    """See the description."""

    base: str = strawberry.field(description="ISO 4217 code.")
    quote: str = strawberry.field(description="ISO 4217 code.")
    on: date
    source: str = strawberry.field(description="The feed.")
    rate: Decimal
    rate_id: str = strawberry.field(description="The name by which postings refer to it.")
    corrections: int = strawberry.field(description="How often the source corrected it.")
    recorded_at: datetime
    event: str = strawberry.field(description="stream@version of the publication that counts.")
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.type(description="The account of an ERP that stands for a role of the journal from a day on.")
class AccountMapping:
    """See the description."""

    entity: str
    target: str = strawberry.field(description="The ERP.")
    role: str = strawberry.field(description="The role in the journal, e.g. AR.")
    effective_from: date
    account: str
    by: str
    recorded_at: datetime
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.type(description="One page of exchange rates.")
class FxRateConnection(Connection[FxRate]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")


@strawberry.type(description="One page of accounts.")
class AccountMappingConnection(Connection[AccountMapping]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")


@strawberry.input(description="Which exchange rates.")
class FxRateFilter:
    """See the description."""

    base: str | None = strawberry.field(default=None)
    quote: str | None = strawberry.field(default=None)
    source: str | None = strawberry.field(default=None)
    on_from: date | None = strawberry.field(default=None)
    on_to: date | None = strawberry.field(default=None)


@strawberry.input(description="Which accounts.")
class AccountMappingFilter:
    """See the description."""

    entity: str | None = strawberry.field(default=None)
    target: str | None = strawberry.field(default=None)
    role: str | None = strawberry.field(default=None)
    on: date | None = strawberry.field(default=None, description="Only those in force on this day.")


@strawberry.type
class FinanceQueries:
    """What may be asked about rates and accounts."""

    @strawberry.field(description="Exchange rates as they were published, source by source.")
    async def fx_rates(
        self,
        info: Info,
        where: FxRateFilter | None = None,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> FxRateConnection:
        """See the description."""
        page = PageAsked(first, after, None, descending, as_of, wait_for)
        criteria = filter_of(finance.FxRateFilter, where)
        return await listed(
            info,
            "fx_rates",
            page,
            lambda asked, request: finance.fx_rates(asked.view, criteria, request),
            lambda asked: finance.count_of_fx_rates(asked.view, criteria),
            int,
            FxRateConnection,
        )

    @strawberry.field(description="Which accounts of the ERPs stand for the roles of the journal.")
    async def account_map(
        self,
        info: Info,
        where: AccountMappingFilter | None = None,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> AccountMappingConnection:
        """See the description."""
        page = PageAsked(first, after, None, descending, as_of, wait_for)
        criteria = filter_of(finance.AccountMappingFilter, where)
        return await listed(
            info,
            "account_map",
            page,
            lambda asked, request: finance.account_map(asked.view, criteria, asked.scope, request),
            lambda asked: finance.count_of_accounts(asked.view, criteria, asked.scope),
            int,
            AccountMappingConnection,
        )
