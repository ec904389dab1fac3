"""The questions of periods: the months of the books, and what came after their close and what it changed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import cast

import strawberry

from api.graphql.asking import Asked, AsOfArgument, Info, Seen, WaitFor, Watermark, ask
from api.graphql.history import Fact
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from api.graphql.scalars import Position
from domain.books.accounting_period import PeriodNotOpened
from domain.kernel import Refused
from projections.finance import finance, period_accounts, period_difference
from projections.history import timeline
from projections.reader import AtPosition


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
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


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

    currency: str = strawberry.field(description="ISO 4217 code.")
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
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.type(description="One page of accounting periods.")
class PeriodConnection(Connection[AccountingPeriod]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")


@strawberry.type
class PeriodQueries:
    """What may be asked about the months of the books."""

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
        return await listed(
            info,
            "periods",
            page,
            lambda asked, request: finance.periods(asked.view, where, asked.scope, request),
            lambda asked: finance.count_of_periods(asked.view, where, asked.scope),
            int,
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
