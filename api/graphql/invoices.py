"""The question of invoices: where they stand, what is due, and what is behind every line."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import cast

import strawberry

from api.graphql.asking import AsOfArgument, Info, Seen, WaitFor, Watermark, ask_one, filter_of
from api.graphql.history import Fact
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from api.graphql.values import Money
from domain.kernel import stream_of
from projections import invoices, lineage, objects
from projections.lineage import InvoiceLineage as LineageRow
from projections.objects import InvoiceAsOf


@strawberry.enum(description="Where an invoice is in its life.")
class InvoiceStatus(StrEnum):
    """See the description."""

    DRAFT = "draft"
    APPROVED = "approved"
    ISSUED = "issued"
    PAID = "paid"
    DISCARDED = "discarded"


@strawberry.enum(description="What invoices can be sorted by.")
class InvoiceSort(StrEnum):
    """See the description."""

    DRAFTED_AT = "drafted_at"
    NUMBER = "number"
    DUE_ON = "due_on"
    GROSS = "gross"


@strawberry.type(description="A lot that a line bills.")
class InvoicedLot:
    """See the description."""

    stream: str = strawberry.field(description="The stream that holds it.")
    lot: str
    quantity: Decimal
    value: Money


@strawberry.type(description="One line of an invoice, with the lots behind it.")
class InvoiceLine:
    """See the description."""

    line: int
    description: str
    quantity: Decimal
    unit: str
    price: Decimal = strawberry.field(description="Per unit, in the currency of the invoice.")
    net: Money
    project: str
    contract_line: str
    first_work_date: date
    last_work_date: date
    lots: list[InvoicedLot]


@strawberry.type(description="Where a billed lot came from.")
class LotLineage:
    """See the description."""

    stream: str
    lot: str
    source: str = strawberry.field(description="The entry, expense line or milestone.")
    facts: list[Fact] = strawberry.field(description="What led to it and what happened to it, in order.")
    messages: list[str] = strawberry.field(description="The received messages behind it, the first teller first.")


@strawberry.type(description="A line of an invoice with everything behind it.")
class LineLineage:
    """See the description."""

    line: int
    description: str
    quantity: Decimal
    net: Money
    lots: list[LotLineage]


@strawberry.type(description="What an ERP was asked and answered about an invoice.")
class PostingStep:
    """See the description."""

    target: str
    state: str
    external_id: str | None = strawberry.field(description="The ERP's own id for the document.")
    reason: str | None


@strawberry.type(description="Money that was received for an invoice.")
class PaymentStep:
    """See the description."""

    payment: str
    received_on: date
    amount: Money


@strawberry.type(
    description="An invoice, back to the messages that told its hours and on to its postings and payments."
)
class InvoiceLineage:
    """See the description."""

    invoice: str
    number: str | None
    facts: list[Fact] = strawberry.field(description="What happened to the invoice itself.")
    lines: list[LineLineage]
    postings: list[PostingStep]
    payments: list[PaymentStep]


async def _lines(root: strawberry.Parent[Seen[invoices.InvoiceRow]], info: Info) -> list[InvoiceLine]:
    parts = info.context.parts
    found: InvoiceAsOf = await parts.in_thread(lambda: objects.invoice_as_of(parts.ledger, root.row.invoice, root.at))
    return cast(list[InvoiceLine], list(found.lines))


async def _lineage(
    root: strawberry.Parent[Seen[invoices.InvoiceRow]], info: Info, line: int | None = None
) -> InvoiceLineage:
    parts, invoice = info.context.parts, root.row.invoice

    def trace() -> LineageRow:
        if line is None:
            return lineage.of_invoice(parts.ledger, invoice, root.at)
        return lineage.of_invoice_line(parts.ledger, invoice, line, root.at)

    return cast(InvoiceLineage, await parts.in_thread(trace))


@strawberry.type(description="An invoice; amounts are in its currency.")
class Invoice:
    """See the description."""

    invoice: strawberry.ID = strawberry.field(description="Its id, from the draft on.")
    number: str | None = strawberry.field(description="Given at issue, without gaps in its series.")
    status: InvoiceStatus
    engagement: str
    customer: str = strawberry.field(description="The customer's id.")
    customer_name: str
    selling_entity: str = strawberry.field(description="The legal entity that signs and invoices.")
    currency: str = strawberry.field(description="ISO 4217 code.")
    purchase_order: str | None
    cut_off: date = strawberry.field(description="Later work is left out.")
    prepared_by: str
    approved_by: str | None
    net: Decimal = strawberry.field(description="Before tax.")
    tax: Decimal = strawberry.field(description="Zero until it is issued.")
    gross: Decimal
    paid: Decimal
    due: Decimal = strawberry.field(description="What is still to be received.")
    issued_on: date | None
    due_on: date | None
    paid_on: date | None
    functional_currency: str | None = strawberry.field(description="The currency of the selling entity.")
    fx_rate: Decimal | None = strawberry.field(
        description="Units of the functional currency for one of its own, on the day of issue."
    )
    line_count: int = strawberry.field(description="How many lines.")
    lot_count: int = strawberry.field(description="How many lots its lines bill.")
    first_work_date: date | None
    last_work_date: date | None
    drafted_at: datetime
    approved_at: datetime | None
    issued_at: datetime | None
    updated_at: datetime = strawberry.field(description="When the ledger recorded its newest fact.")
    version: int = strawberry.field(description="How many facts its stream has.")
    lines: list[InvoiceLine] = strawberry.field(
        resolver=_lines, description="Its lines with their lots, folded from the log."
    )
    lineage: InvoiceLineage = strawberry.field(
        resolver=_lineage, description="Everything behind it, or behind one of its lines, and what came of it."
    )
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.input(description="Which invoices.")
class InvoiceFilter:
    """See the description."""

    invoices: list[str] | None = strawberry.field(default=None, description="Only these.")
    number: str | None = strawberry.field(default=None)
    engagement: str | None = strawberry.field(default=None)
    customer: str | None = strawberry.field(default=None)
    selling_entity: str | None = strawberry.field(default=None)
    status: list[InvoiceStatus] | None = strawberry.field(default=None)
    currency: str | None = strawberry.field(default=None)
    due_to: date | None = strawberry.field(default=None, description="Issued, not paid, and due up to this day.")
    issued_from: date | None = strawberry.field(default=None)
    issued_to: date | None = strawberry.field(default=None)


@strawberry.type(description="What the invoices of a status and currency add up to.")
class InvoiceTotals:
    """See the description."""

    status: InvoiceStatus
    currency: str = strawberry.field(description="ISO 4217 code.")
    count: int
    net: Decimal
    gross: Decimal
    paid: Decimal
    due: Decimal


@strawberry.type(description="One page of invoices.")
class InvoiceConnection(Connection[Invoice]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")
    totals: list[InvoiceTotals] = strawberry.field(description="What all of them add up to, beyond the page.")


@strawberry.type
class InvoiceQueries:
    """What may be asked about invoices."""

    @strawberry.field(description="Which invoices there are, where they stand, and what is due.")
    async def invoices(
        self,
        info: Info,
        where: InvoiceFilter | None = None,
        sort: InvoiceSort = InvoiceSort.DRAFTED_AT,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> InvoiceConnection:
        """See the description."""
        page = PageAsked(first, after, sort.value, descending, as_of, wait_for)
        criteria = filter_of(invoices.InvoiceFilter, where)
        return await listed(
            info,
            "invoices",
            page,
            lambda asked, request: invoices.find(asked.view, criteria, asked.scope, request),
            lambda asked: invoices.totals(asked.view, criteria, asked.scope),
            lambda each: each.count,
            InvoiceConnection,
        )

    @strawberry.field(description="One invoice, also as it was.")
    async def invoice(
        self, info: Info, id: strawberry.ID, as_of: AsOfArgument = None, wait_for: WaitFor = None
    ) -> Invoice | None:
        """See the description."""
        found = await ask_one(
            info,
            "invoice",
            stream_of("invoice", id),
            lambda asked: invoices.get(asked.view, id, asked.scope),
            lambda past, _: past.invoice(id),
            as_of=as_of,
            wait_for=wait_for,
        )
        return cast(Invoice | None, found)
