"""The questions of finance: periods and what came after their close, exchange rates, accounts, intercompany work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar, cast

import strawberry

from api.access import OutOfScope
from api.graphql.asking import Asked, AsOfArgument, Info, Seen, WaitFor, Watermark, ask, filter_of
from api.graphql.history import Fact
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from api.graphql.scalars import Position
from domain.books.accounting_period import PeriodNotOpened
from domain.kernel import Refused
from projections.finance import finance, period_accounts, period_difference
from projections.history import timeline
from projections.intercompany import intercompany
from projections.margin import group_margin
from projections.reader import FIRM, AtPosition

Listed = TypeVar("Listed")
_CODE: Final = "ISO 4217 code."
_FRESH: Final = "How fresh the answer is."


class PeriodNotClosed(Refused):
    """The period was never closed: there is nothing to compare with."""

    code = "period.not_closed"
    fix = "Ask for a period that was closed; periods tells which ones were."


@strawberry.type(description="A month of a legal entity's books.")
class AccountingPeriod:
    """See the description."""

    entity: str
    period: str = strawberry.field(description="As 2026-03.")
    status: str = strawberry.field(description="open, soft_closed (finance approvers post) or closed.")
    by: str = strawberry.field(description="Who brought it there.")
    at: datetime
    reason: str
    closed_position: Position | None = strawberry.field(
        description="Where the log stood at its newest close: asOf {position} answers everything as closed."
    )
    closed_at: datetime | None
    closes: int = strawberry.field(description="How often it was closed; more than once when it was reopened.")
    watermark: Watermark = strawberry.field(description=_FRESH)


@strawberry.type(description="What the work of a month comes to for the entity that sells it.")
class PeriodFigures:
    """See the description."""

    lots: int
    hours: Decimal
    standard: Decimal
    billed: Decimal
    recognised: Decimal
    cost: Decimal
    margin: Decimal = strawberry.field(description="Recognised less cost.")


@strawberry.type(description="Figures in one functional currency as they were at the close, and as they are now.")
class PeriodFiguresCompared:
    """See the description."""

    currency: str = strawberry.field(description=_CODE)
    as_closed: PeriodFigures
    as_known: PeriodFigures
    change: PeriodFigures = strawberry.field(description="As known less as closed.")


@strawberry.type(description="Work of the month that is not what it was at the close, and the event that says so.")
class LateFact:
    """See the description."""

    what: str = strawberry.field(description="added, removed or changed.")
    item: str = strawberry.field(description="The lot, or the work that is not a lot yet.")
    stream: str
    event: str = strawberry.field(description="stream@version; history tells its cause and source message.")
    recorded_at: datetime
    engagement: str
    project: str
    work_date: date
    status_as_closed: str | None
    status_as_known: str | None
    currency: str | None
    value_change: Decimal
    cost_currency: str | None
    cost_change: Decimal


@strawberry.type(description="An account of the month's work and documents, as closed and as known now.")
class PeriodAccountCompared:
    """See the description."""

    account: str = strawberry.field(description="The role of the account.")
    currency: str = strawberry.field(description="The functional currency.")
    as_closed: Decimal = strawberry.field(description="Debits less credits, of what was true in the month.")
    as_known: Decimal
    change: Decimal = strawberry.field(description="As known less as closed: the sum of what the late facts changed.")


@strawberry.type(description="What a late fact moved an account by.")
class PeriodAccountMoved:
    """See the description."""

    account: str
    currency: str = strawberry.field(description="The functional currency.")
    change: Decimal


async def _fact_of(root: strawberry.Parent[period_accounts.LateEntry], info: Info) -> Fact | None:
    fact = await info.context.facts.load(root.event)
    return cast(Fact | None, timeline.entry_of(fact) if fact is not None else None)


@strawberry.type(description="A fact of the month that came after its close, and what it did to the accounts.")
class LateEntry:
    """See the description."""

    event: str = strawberry.field(description="stream@version; history tells its cause and source message.")
    fact: Fact | None = strawberry.field(resolver=_fact_of, description="The fact itself.")
    because: str = strawberry.field(description="The rule that posted it.")
    true_on: date = strawberry.field(description="The day of the work, document or money.")
    effective_on: date = strawberry.field(description="The day of the books, in the first month that was open.")
    recorded_at: datetime
    accounts: list[PeriodAccountMoved]


@strawberry.type(description="A month as closed against as known now, and the facts that make the difference.")
class PeriodDifference:
    """See the description."""

    entity: str
    period: str
    closed_position: Position
    closed_at: datetime
    figures: list[PeriodFiguresCompared]
    facts: list[LateFact] = strawberry.field(description="In the order of recording, 500 at most.")
    fact_count: int = strawberry.field(description="How many there are in all.")
    accounts: list[PeriodAccountCompared] = strawberry.field(
        description="The journal of what was true in the month, account by account, whichever month it was posted in."
    )
    entries: list[LateEntry] = strawberry.field(
        description="The late facts behind the changes of accounts, in the order of recording, 500 at most."
    )
    entry_count: int = strawberry.field(description="How many there are in all.")
    watermark: Watermark = strawberry.field(description=_FRESH)


@strawberry.type(description="What a source says that one unit of a currency was worth in another on a day.")
class FxRate:
    """See the description."""

    base: str = strawberry.field(description=_CODE)
    quote: str = strawberry.field(description=_CODE)
    on: date
    source: str = strawberry.field(description="The feed.")
    rate: Decimal
    rate_id: str = strawberry.field(description="The name by which postings refer to it.")
    corrections: int = strawberry.field(description="How often the source corrected it.")
    recorded_at: datetime
    event: str = strawberry.field(description="stream@version of the publication that counts.")
    watermark: Watermark = strawberry.field(description=_FRESH)


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
    watermark: Watermark = strawberry.field(description=_FRESH)


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
    currency: str = strawberry.field(description=_CODE)
    parameter: Decimal | None = strawberry.field(description="An amount for each hour or item, or a percentage.")
    roles: list[str] = strawberry.field(description="Roles with a parameter of their own: 'Analyst 120'.")
    tax_category: str | None
    tax_percent: Decimal | None
    tax_reason: str | None
    by: str
    recorded_at: datetime
    watermark: Watermark = strawberry.field(description=_FRESH)


@strawberry.type(description="What one entity delivered for another, in one currency and month.")
class IntercompanyBalance:
    """See the description."""

    lender: str
    borrower: str
    currency: str = strawberry.field(description=_CODE)
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
    watermark: Watermark = strawberry.field(description=_FRESH)


@strawberry.type(description="An invoice between two legal entities: a sale and a purchase under one number.")
class IntercompanyInvoice:
    """See the description."""

    number: strawberry.ID
    lender: str
    borrower: str
    period: str
    issued_on: date
    currency: str = strawberry.field(description=_CODE)
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
    watermark: Watermark = strawberry.field(description=_FRESH)


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
    watermark: Watermark = strawberry.field(description=_FRESH)


@strawberry.type(description="One page of accounting periods.")
class PeriodConnection(Connection[AccountingPeriod]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")


@strawberry.type(description="One page of exchange rates.")
class FxRateConnection(Connection[FxRate]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")


@strawberry.type(description="One page of accounts.")
class AccountMappingConnection(Connection[AccountMapping]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")


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


@strawberry.input(description="Which work between entities.")
class IntercompanyFilter:
    """See the description."""

    lender: str | None = strawberry.field(default=None)
    borrower: str | None = strawberry.field(default=None)
    period: str | None = strawberry.field(default=None, description="As 2026-03.")
    currency: str | None = strawberry.field(default=None)


async def _listed(
    info: Info,
    permission: str,
    page: PageAsked,
    find: Callable[..., Any],
    count: Callable[[Asked], tuple[int, ...]],
    kind: type[Listed],
) -> Listed:
    return await listed(info, permission, page, find, count, lambda each: each, kind)


@strawberry.type
class FinanceQueries:
    """What may be asked about finance."""

    @strawberry.field(description="The accounting periods of legal entities: open, softly closed, closed.")
    async def periods(
        self,
        info: Info,
        entity: str | None = None,
        status: str | None = None,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> PeriodConnection:
        """See the description."""
        page = PageAsked(first, after, None, descending, as_of, wait_for)
        where = finance.PeriodFilter(entity, None, status)
        return await _listed(
            info,
            "periods",
            page,
            lambda asked, request: finance.periods(asked.view, where, asked.scope, request),
            lambda asked: finance.count_of_periods(asked.view, where, asked.scope),
            PeriodConnection,
        )

    @strawberry.field(
        description="A closed period as closed against as known now: what came later and what it changed."
    )
    async def period_difference(
        self, info: Info, entity: str, period: str, wait_for: WaitFor = None
    ) -> PeriodDifference:
        """See the description."""

        def question(asked: Asked) -> Seen[period_difference.PeriodDifference]:
            row = finance.period(asked.view, entity, period, asked.scope)
            if row is None:
                raise PeriodNotOpened(f"{period} of {entity}.")
            if row.closed_position is None or row.closed_at is None:
                raise PeriodNotClosed(f"{period} of {entity}.")
            with asked.parts.reader.view(AtPosition(row.closed_position), asked.scope) as closed:
                found = period_difference.difference(
                    closed, asked.view, entity, period, row.closed_position, row.closed_at
                )
            return Seen(found, asked.view.watermark)

        return cast(PeriodDifference, await ask(info, "period_difference", question, wait_for=wait_for))

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
        return await _listed(
            info,
            "fx_rates",
            page,
            lambda asked, request: finance.fx_rates(asked.view, criteria, request),
            lambda asked: finance.count_of_fx_rates(asked.view, criteria),
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
        return await _listed(
            info,
            "account_map",
            page,
            lambda asked, request: finance.account_map(asked.view, criteria, asked.scope, request),
            lambda asked: finance.count_of_accounts(asked.view, criteria, asked.scope),
            AccountMappingConnection,
        )

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
        return await _listed(
            info,
            "intercompany",
            page,
            lambda asked, request: finance.agreements(asked.view, where, asked.scope, request),
            lambda asked: finance.count_of_agreements(asked.view, where, asked.scope),
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
        return await _listed(
            info,
            "intercompany",
            page,
            lambda asked, request: intercompany.balances(asked.view, criteria, asked.scope, request),
            lambda asked: intercompany.count_of_balances(asked.view, criteria, asked.scope),
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
        return await _listed(
            info,
            "intercompany",
            page,
            lambda asked, request: intercompany.invoices(asked.view, criteria, asked.scope, request),
            lambda asked: intercompany.count_of_invoices(asked.view, criteria, asked.scope),
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
