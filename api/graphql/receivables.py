"""The questions of cash: what each customer owes and since when, and which money arrived and what it settled."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import cast

import strawberry

from api.graphql.asking import AsOfArgument, Info, Seen, WaitFor, Watermark, filter_of
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from api.graphql.values import Money
from domain.money import Money as Amount
from domain.payment import Payment as PaymentState
from domain.payment import PaymentApplied
from projections.history import objects
from projections.invoices import payments, receivables


@strawberry.enum(description="What receivables can be sorted by; what is due by what it is worth to the firm.")
class ReceivableSort(StrEnum):
    """See the description."""

    DUE = "due"
    CUSTOMER = "customer"


@strawberry.enum(description="What money that arrived can be sorted by.")
class PaymentSort(StrEnum):
    """See the description."""

    RECEIVED_ON = "received_on"
    AMOUNT = "amount"


@strawberry.type(description="What a customer owes a legal entity in one currency, by the days that it is overdue.")
class Receivable:
    """See the description."""

    customer: str
    customer_name: str
    selling_entity: str
    currency: str = strawberry.field(description="ISO 4217 code.")
    invoices: int = strawberry.field(description="How many issued invoices are open.")
    due: Decimal = strawberry.field(description="What is owed by them: the sum of the five buckets.")
    not_yet_due: Decimal
    days_1_to_30: Decimal = strawberry.field(description="Overdue by 1 to 30 days.")
    days_31_to_60: Decimal
    days_61_to_90: Decimal
    days_over_90: Decimal
    disputed: Decimal = strawberry.field(description="Of it, on invoices that the customer disputes.")
    in_collections: Decimal = strawberry.field(description="Of it, on invoices that were handed to collections.")
    held_back: Decimal = strawberry.field(description="What the customer keeps back until it is released; not in due.")
    on_account: Decimal = strawberry.field(description="Money of the customer that settles nothing yet.")
    balance: Decimal = strawberry.field(description="What is due less what is on account.")
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.input(description="Which receivables.")
class ReceivableFilter:
    """See the description."""

    customer: str | None = strawberry.field(default=None)
    selling_entity: str | None = strawberry.field(default=None)
    currency: str | None = strawberry.field(default=None)
    on: date | None = strawberry.field(default=None, description="Ages are counted from this day; else today.")


@strawberry.type(description="What all receivables in a currency add up to.")
class ReceivableTotals:
    """See the description."""

    currency: str = strawberry.field(description="ISO 4217 code.")
    count: int
    due: Decimal
    not_yet_due: Decimal
    days_1_to_30: Decimal
    days_31_to_60: Decimal
    days_61_to_90: Decimal
    days_over_90: Decimal
    on_account: Decimal
    balance: Decimal


@strawberry.type(description="One page of receivables.")
class ReceivableConnection(Connection[Receivable]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")
    totals: list[ReceivableTotals] = strawberry.field(description="What all of them add up to, beyond the page.")


@strawberry.type(description="What a receipt settles of one invoice.")
class Application:
    """See the description."""

    invoice: str
    on: date
    amount: Money = strawberry.field(description="In the currency of the invoice.")
    settled: Money = strawberry.field(description="In the currency of the receipt.")


async def _applications(root: strawberry.Parent[Seen[payments.PaymentRow]], info: Info) -> list[Application]:
    row, parts = root.row, info.context.parts
    if row.invoice is not None:
        amount = Amount(row.amount, row.currency)
        return cast(list[Application], [PaymentApplied(row.invoice, row.received_on, amount, amount)])
    found = await parts.in_thread(lambda: objects.payment_as_of(parts.ledger, row.payment, root.at))
    state: PaymentState = found.state
    return cast(list[Application], list(state.applied.values()))


@strawberry.type(description="Money that a customer sent; amounts are in its currency.")
class Payment:
    """See the description."""

    payment: strawberry.ID
    invoice: str | None = strawberry.field(
        description="The one invoice of which it was reported, as by the ERP; null: a receipt, for any number."
    )
    customer: str
    customer_name: str
    entity: str = strawberry.field(description="The legal entity that received it.")
    currency: str = strawberry.field(description="ISO 4217 code.")
    received_on: date
    reference: str = strawberry.field(description="What the customer wrote.")
    amount: Decimal
    applied: Decimal = strawberry.field(description="What it settled.")
    refunded: Decimal
    on_account: Decimal = strawberry.field(description="What is neither applied nor refunded.")
    recorded_at: datetime
    updated_at: datetime
    version: int = strawberry.field(
        description="How many facts its stream has; it has none if it was reported of one invoice."
    )
    applications: list[Application] = strawberry.field(
        resolver=_applications, description="What it settles, invoice by invoice."
    )
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.input(description="Which money.")
class PaymentFilter:
    """See the description."""

    payments: list[str] | None = strawberry.field(default=None, description="Only these.")
    customer: str | None = strawberry.field(default=None)
    entity: str | None = strawberry.field(default=None)
    currency: str | None = strawberry.field(default=None)
    on_account: bool | None = strawberry.field(default=None, description="With money left, or without.")
    received_from: date | None = strawberry.field(default=None)
    received_to: date | None = strawberry.field(default=None)


@strawberry.type(description="What the money in a currency adds up to.")
class PaymentTotals:
    """See the description."""

    currency: str = strawberry.field(description="ISO 4217 code.")
    count: int
    amount: Decimal
    applied: Decimal
    refunded: Decimal
    on_account: Decimal


@strawberry.type(description="One page of money that arrived.")
class PaymentConnection(Connection[Payment]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")
    totals: list[PaymentTotals] = strawberry.field(description="What all of them add up to, beyond the page.")


@strawberry.type
class ReceivableQueries:
    """What may be asked about cash."""

    @strawberry.field(description="What each customer owes, how long it has been due, and what is on account for them.")
    async def receivables(
        self,
        info: Info,
        where: ReceivableFilter | None = None,
        sort: ReceivableSort = ReceivableSort.DUE,
        descending: Descending = True,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> ReceivableConnection:
        """See the description."""
        page = PageAsked(first, after, sort.value, descending, as_of, wait_for)
        asked_for = where or ReceivableFilter()
        today = datetime.now(UTC).date()
        criteria = receivables.ReceivableFilter(
            asked_for.on or today, asked_for.customer, asked_for.selling_entity, asked_for.currency
        )
        return await listed(
            info,
            "receivables",
            page,
            lambda asked, request: receivables.find(asked.view, criteria, asked.scope, request),
            lambda asked: receivables.totals(asked.view, criteria, asked.scope),
            lambda each: each.count,
            ReceivableConnection,
        )

    @strawberry.field(
        description="Which money arrived, of any number of invoices or of one, what it settled, and what is on account."
    )
    async def payments(
        self,
        info: Info,
        where: PaymentFilter | None = None,
        sort: PaymentSort = PaymentSort.RECEIVED_ON,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> PaymentConnection:
        """See the description."""
        page = PageAsked(first, after, sort.value, descending, as_of, wait_for)
        criteria = filter_of(payments.PaymentFilter, where)
        return await listed(
            info,
            "payments",
            page,
            lambda asked, request: payments.find(asked.view, criteria, asked.scope, request),
            lambda asked: payments.totals(asked.view, criteria, asked.scope),
            lambda each: each.count,
            PaymentConnection,
        )
