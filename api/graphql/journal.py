"""The questions of the books: what the accounts come to, and the postings, facts and messages behind it."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast

import strawberry

from api.graphql.asking import Asked, AsOfArgument, Info, Seen, WaitFor, Watermark, ask, filter_of
from api.graphql.history import Fact
from api.graphql.messages import SourceMessage
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from domain.books.account_role import AccountRole
from projections.history import timeline
from projections.journal import journal as books

strawberry.enum(AccountRole, description="What an account is for; each ERP's own accounts are mapped to these.")


@strawberry.enum(description="What postings can be sorted by.")
class PostingSort(StrEnum):
    """See the description."""

    EFFECTIVE_ON = "effective_on"
    POSTING = "posting"


@strawberry.type(description="What an account of a legal entity comes to in one transaction currency.")
class AccountBalance:
    """See the description."""

    entity: str
    account: AccountRole
    account_class: str = strawberry.field(description="Assets, Liabilities, Income or Expenses.")
    currency: str = strawberry.field(description="The transaction currency.")
    amount: Decimal = strawberry.field(description="The balance in it; debits are positive.")
    functional_currency: str
    debit: Decimal = strawberry.field(description="All debits, functional.")
    credit: Decimal = strawberry.field(description="All credits, functional.")
    balance: Decimal = strawberry.field(description="Debits less credits, functional.")
    reporting_currency: str
    reporting: Decimal | None = strawberry.field(description="The balance there; null where a rate is missing.")
    postings: int = strawberry.field(description="How many postings it is made of.")


@strawberry.type(description="All accounts on a day of the books; they add up to zero in each entity.")
class TrialBalance:
    """See the description."""

    accounts: list[AccountBalance]
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


async def _event(root: strawberry.Parent[Seen[books.PostingRow]], info: Info) -> Fact | None:
    fact = await info.context.facts.load(root.row.event)
    return cast(Fact | None, timeline.entry_of(fact) if fact is not None else None)


async def _message(root: strawberry.Parent[Seen[books.PostingRow]], info: Info) -> SourceMessage | None:
    found: Any = await info.context.messages.load(root.row.message) if root.row.message is not None else None
    return cast(SourceMessage | None, found)


@strawberry.type(description="One debit (positive) or credit (negative) of an account.")
class JournalPosting:
    """See the description."""

    posting: strawberry.ID
    entry: str = strawberry.field(description="The balanced entry that it belongs to.")
    because: str = strawberry.field(description="The rule that posted it.")
    entity: str
    account: AccountRole
    counterparty: str = strawberry.field(description="The other legal entity of an intercompany balance.")
    customer: str
    engagement: str
    line: str = strawberry.field(description="The contract line.")
    project: str
    lot: str
    invoice: str
    payment: str
    period: str = strawberry.field(description="The month of the books, as 2026-03.")
    effective_on: date = strawberry.field(description="The day in the books.")
    true_on: date = strawberry.field(description="The day of the work, document or money: earlier if it came late.")
    currency: str = strawberry.field(description="The transaction currency.")
    amount: Decimal
    functional_currency: str
    functional: Decimal
    reporting_currency: str
    reporting: Decimal | None
    rate_id: str = strawberry.field(description="The exchange rate that was used; empty where none was needed.")
    reporting_rate_id: str
    event: Fact | None = strawberry.field(resolver=_event, description="The fact that led to it.")
    message: SourceMessage | None = strawberry.field(
        resolver=_message, description="The message behind that; null when a person or a process caused it."
    )
    recorded_at: datetime
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.type(description="What postings add up to in one functional currency.")
class JournalTotals:
    """See the description."""

    functional_currency: str
    count: int
    debit: Decimal
    credit: Decimal


@strawberry.type(description="One page of the journal.")
class JournalConnection(Connection[JournalPosting]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")
    totals: list[JournalTotals] = strawberry.field(description="What all of them add up to, beyond the page.")


@strawberry.input(description="Which postings.")
class JournalFilter:
    """See the description."""

    entity: str | None = strawberry.field(default=None)
    account: AccountRole | None = strawberry.field(default=None)
    engagement: str | None = strawberry.field(default=None)
    customer: str | None = strawberry.field(default=None)
    project: str | None = strawberry.field(default=None)
    invoice: str | None = strawberry.field(default=None)
    lot: str | None = strawberry.field(default=None)
    period: str | None = strawberry.field(default=None, description="As 2026-03.")
    currency: str | None = strawberry.field(default=None, description="The transaction currency.")
    entry: str | None = strawberry.field(default=None)
    event: str | None = strawberry.field(default=None, description="The fact that led to it, as stream@version.")
    since: date | None = strawberry.field(default=None, description="From this day of the books.")
    until: date | None = strawberry.field(default=None, description="Up to this day of the books.")


@strawberry.type(description="An account between two days of the books, in one functional currency.")
class AccountStatement:
    """See the description."""

    entity: str
    account: AccountRole
    functional_currency: str
    opening: Decimal = strawberry.field(description="What it came to before the first day.")
    debit: Decimal
    credit: Decimal
    closing: Decimal = strawberry.field(description="What it comes to on the last day.")


@strawberry.type(description="What an engagement has earned beyond its bills, or been billed beyond that.")
class ContractPosition:
    """See the description."""

    engagement: str
    customer: str
    entity: str
    currency: str
    recognised: Decimal = strawberry.field(description="Revenue to date.")
    billed: Decimal = strawberry.field(description="Net of what was issued.")
    contract_asset: Decimal = strawberry.field(description="Earned and not billed, net per engagement (IFRS 15.107).")
    contract_liability: Decimal = strawberry.field(description="Billed and not earned (IFRS 15.106).")
    functional_currency: str
    functional: Decimal = strawberry.field(description="What the position is carried at; negative for a liability.")
    loss_provision: Decimal = strawberry.field(description="Provided for a loss that is expected.")


@strawberry.type
class JournalQueries:
    """What may be asked about the books."""

    @strawberry.field(description="What every account comes to on a day of the books, and as of any moment.")
    async def trial_balance(
        self,
        info: Info,
        on: date | None = None,
        since: date | None = None,
        entity: str | None = None,
        account: AccountRole | None = None,
        currency: str | None = None,
        engagement: str | None = None,
        customer: str | None = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> TrialBalance:
        """See the description."""
        name = account.value if account is not None else None
        where = books.BalanceFilter(on, since, entity, name, currency, engagement, customer)

        def question(asked: Asked) -> TrialBalance:
            found = books.trial_balance(asked.view, where, asked.scope)
            return TrialBalance(
                accounts=cast(list[AccountBalance], list(found)), watermark=cast(Watermark, asked.view.watermark)
            )

        return await ask(info, "journal", question, as_of=as_of, wait_for=wait_for)

    @strawberry.field(description="An account between two days: opening balance, movements and closing balance.")
    async def account_statement(
        self,
        info: Info,
        entity: str,
        account: AccountRole,
        since: date | None = None,
        until: date | None = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> list[AccountStatement]:
        """See the description."""

        def question(asked: Asked) -> list[AccountStatement]:
            found = books.statement(asked.view, entity, account.value, since, until, asked.scope)
            return cast(list[AccountStatement], list(found))

        return await ask(info, "journal", question, as_of=as_of, wait_for=wait_for)

    @strawberry.field(description="Contract asset or liability of each engagement, with what was earned and billed.")
    async def contract_positions(
        self,
        info: Info,
        engagement: str | None = None,
        customer: str | None = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> list[ContractPosition]:
        """See the description."""

        def question(asked: Asked) -> list[ContractPosition]:
            found = books.positions(asked.view, asked.scope, engagement, customer)
            return cast(list[ContractPosition], list(found))

        return await ask(info, "journal", question, as_of=as_of, wait_for=wait_for)

    @strawberry.field(description="The postings, each with the fact and the message that led to it.")
    async def journal(
        self,
        info: Info,
        where: JournalFilter | None = None,
        sort: PostingSort = PostingSort.POSTING,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> JournalConnection:
        """See the description."""
        page = PageAsked(first, after, sort.value, descending, as_of, wait_for)
        criteria = filter_of(books.PostingFilter, where)
        return await listed(
            info,
            "journal",
            page,
            lambda asked, request: books.find(asked.view, criteria, asked.scope, request),
            lambda asked: books.totals(asked.view, criteria, asked.scope),
            lambda each: each.count,
            JournalConnection,
        )
