"""The question of invoices: where they stand, what is due, and what is behind every line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import cast

import strawberry

from api.access import may
from api.graphql.asking import AsOfArgument, Info, Seen, WaitFor, Watermark, ask_one, filter_of
from api.graphql.credit_notes import CreditNote, of_invoice
from api.graphql.history import Fact
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from api.graphql.values import Money
from domain.invoice import InvoiceLine as LineRow
from domain.kernel import StreamId, stream_of
from domain.lots import Explanation as ExplanationRow
from domain.lots import LotState
from domain.money import Money as MoneyRow
from projections.history import lineage
from projections.history.lineage import InvoiceLineage as LineageRow
from projections.invoices import invoices


@strawberry.enum(description="Where an invoice is in its life.")
class InvoiceStatus(StrEnum):
    """See the description."""

    DRAFT = "draft"
    APPROVED = "approved"
    ISSUED = "issued"
    PAID = "paid"
    CREDITED = "credited"
    WRITTEN_OFF = "written_off"
    DISCARDED = "discarded"


@strawberry.enum(description="What invoices can be sorted by.")
class InvoiceSort(StrEnum):
    """See the description."""

    DRAFTED_AT = "drafted_at"
    NUMBER = "number"
    DUE_ON = "due_on"
    GROSS = "gross"


@dataclass(frozen=True, slots=True)
class LotShown:
    """A lot on a line, with what it is in its own stream, where that was looked up."""

    stream: StreamId
    lot: str
    quantity: Decimal
    value: MoneyRow
    held: LotState | None


@strawberry.type(description="A rate row that was looked at, and what became of it.")
class RowConsidered:
    """See the description."""

    card: str
    row: str
    verdict: str


def _cost_because(root: strawberry.Parent[ExplanationRow], info: Info) -> str | None:
    principal = info.context.principal
    return root.cost_because if principal is not None and may(principal, "cost") else None


@strawberry.type(description="Why a lot has its price: the row that won, and the others that were looked at.")
class Explanation:
    """See the description."""

    winner: str
    because: str
    considered: list[RowConsidered]
    cost_because: str | None = strawberry.field(
        resolver=_cost_because, description="Where its cost comes from; null for roles that see no cost."
    )


def _explanation(root: strawberry.Parent[LotShown]) -> Explanation | None:
    return cast(Explanation, root.held.lot.explanation) if root.held else None


def _lot_status(root: strawberry.Parent[LotShown]) -> str | None:
    return root.held.status.value if root.held else None


def _source(root: strawberry.Parent[LotShown]) -> str | None:
    return root.held.lot.source if root.held else None


def _work_date(root: strawberry.Parent[LotShown]) -> date | None:
    return root.held.lot.work_date if root.held else None


def _resource(root: strawberry.Parent[LotShown]) -> str | None:
    return root.held.lot.resource if root.held else None


def _role(root: strawberry.Parent[LotShown]) -> str | None:
    return root.held.lot.role if root.held else None


@strawberry.type(description="A lot that a line bills; what it is in its own stream is null in a dry run.")
class InvoicedLot:
    """See the description."""

    stream: str = strawberry.field(description="The stream that holds it.")
    lot: str
    quantity: Decimal
    value: Money
    status: str | None = strawberry.field(resolver=_lot_status, description="What has become of it.")
    source: str | None = strawberry.field(
        resolver=_source, description="The entry, expense line or milestone that it came from."
    )
    work_date: date | None = strawberry.field(resolver=_work_date, description="The day of the work.")
    resource: str | None = strawberry.field(resolver=_resource, description="The person, by an opaque id.")
    role: str | None = strawberry.field(resolver=_role, description="The role that it was rated in.")
    explanation: Explanation | None = strawberry.field(resolver=_explanation, description="Why it has its price.")


@strawberry.type(description="An allowance, which is taken off, or a charge, which is added, with its reason.")
class Allowance:
    """See the description."""

    kind: str = strawberry.field(description="allowance or charge")
    amount: Money
    reason: str
    reason_code: str = strawberry.field(description="UNTDID 5189 or 7161, where known.")
    percent: Decimal | None
    base: Money | None


@strawberry.type(description="Why a line writes another up or down, and the part that each lot bears.")
class Adjustment:
    """See the description."""

    of_line: int = strawberry.field(description="The line that is written up or down.")
    reason: str
    by: str
    lots: list[AdjustedLot]


@strawberry.type(description="The part of a write-up or write-down that a lot bears.")
class AdjustedLot:
    """See the description."""

    stream: str
    lot: str
    value: Money


@strawberry.type(description="The tax of one category and rate on a document.")
class TaxSubtotal:
    """See the description."""

    category: str = strawberry.field(description="The category of EN 16931: S, Z, E, AE, K, G or O.")
    rate: Decimal = strawberry.field(description="In percent.")
    taxable: Money
    tax: Money
    name: str = strawberry.field(description="The name of the tax as printed, where a line bears several.")
    reason: str = strawberry.field(description="Why nothing is due, as printed.")
    reason_code: str = strawberry.field(description="The code of the reason in the list of EN 16931 (VATEX).")
    decided_by: str = strawberry.field(description="The tax pack with its version and rule, or the firm's own rule.")


@strawberry.type(description="How a line is taxed.")
class LineTax:
    """See the description."""

    category: str = strawberry.field(description="The category of EN 16931: S, Z, E, AE, K, G or O.")
    rate: Decimal = strawberry.field(description="In percent.")
    reason: str


@strawberry.type(description="One line of an invoice, with the lots behind it.")
class InvoiceLine:
    """See the description."""

    line: int
    description: str
    quantity: Decimal
    unit: str
    price: Decimal = strawberry.field(description="Per unit, in the currency of the invoice.")
    net: Money = strawberry.field(description="Price x quantity / base quantity, rounded, with its allowances.")
    rounding: Money = strawberry.field(
        description="What rounding it once adds to the values of its lots, a write-up or write-down that net includes."
    )
    project: str
    contract_line: str
    first_work_date: date
    last_work_date: date
    engagement: str = strawberry.field(description="The engagement that it bills.")
    base_quantity: Decimal = strawberry.field(description="How many units the price is for.")
    allowances: list[Allowance] = strawberry.field(description="What is taken off or added, included in net.")
    adjustment: Adjustment | None = strawberry.field(description="Set on a line that writes another up or down.")
    holdback_percent: Decimal = strawberry.field(description="How much of it the customer keeps back.")
    tax_category: str = strawberry.field(description="How the contract classes it for tax.")
    taxes: list[LineTax] = strawberry.field(description="How it is taxed, once it is issued.")
    releases: str | None = strawberry.field(description="The invoice whose holdback it asks for.")
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
    found = await info.context.invoices.load((root.row.invoice, root.at))
    return shown_lines(found.lines, found.lots)


async def _taxes(root: strawberry.Parent[Seen[invoices.InvoiceRow]], info: Info) -> list[TaxSubtotal]:
    found = await info.context.invoices.load((root.row.invoice, root.at))
    return cast(list[TaxSubtotal], list(found.taxes))


_AS_THEY_ARE = tuple(name for name in LineRow.__dataclass_fields__ if name not in ("lots", "treatments"))


def shown_lines(
    lines: Sequence[LineRow], held: Mapping[tuple[StreamId, str], LotState] | None = None
) -> list[InvoiceLine]:
    """Lines with their lots, and what each lot is where that was looked up."""
    known = held or {}
    return [
        InvoiceLine(
            **{name: getattr(line, name) for name in _AS_THEY_ARE},
            taxes=cast(list[LineTax], list(line.treatments)),
            rounding=cast(Money, line.rounding),
            lots=cast(
                list[InvoicedLot],
                [LotShown(o.stream, o.lot, o.quantity, o.value, known.get((o.stream, o.lot))) for o in line.lots],
            ),
        )
        for line in lines
    ]


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
    customer_name: str = strawberry.field(description="As it is called now; once it is issued, as the document says.")
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
    held_back: Decimal = strawberry.field(description="What the customer keeps back until it is released; not in due.")
    written_off: Decimal = strawberry.field(description="What was given up of it.")
    credited: Decimal = strawberry.field(description="What credit notes took off what it asked for.")
    disputes: int = strawberry.field(description="How many disputes are open; a disputed invoice is not dunned.")
    collections_on: date | None = strawberry.field(description="When it was handed to collections.")
    issued_on: date | None
    due_on: date | None
    paid_on: date | None
    delivered_on: date | None = strawberry.field(description="When the customer was sent it.")
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
    taxes: list[TaxSubtotal] = strawberry.field(
        resolver=_taxes, description="The tax of each category and rate, once it is issued."
    )
    lineage: InvoiceLineage = strawberry.field(
        resolver=_lineage, description="Everything behind it, or behind one of its lines, and what came of it."
    )
    credit_notes: list[CreditNote] = strawberry.field(
        resolver=of_invoice, description="The credit notes that correct it, drafts included."
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
