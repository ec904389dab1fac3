"""The questions of credit notes: which there are, of which invoice, what they give back and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, cast

import strawberry

from api.access import require
from api.graphql.asking import Asked, AsOfArgument, Info, Seen, WaitFor, Watermark, ask, ask_at, filter_of
from api.graphql.paging import FIRST, After, Connection, Descending, First, PageAsked, listed
from api.graphql.values import Money
from domain.credit_note import (
    ApprovedCredit,
    Credit,
    DiscardedCredit,
    DraftedCredit,
    IssuedCredit,
)
from domain.credit_note import (
    CreditNote as CreditNoteState,
)
from projections.history import objects
from projections.invoices import credit_notes
from projections.pages import PageRequest

CREDIT_NOTES_MAX: Final = 100
"""How many credit notes of one invoice are shown with it."""


@strawberry.enum(description="How far a credit note is.")
class CreditNoteStatus(StrEnum):
    """See the description."""

    DRAFT = "draft"
    APPROVED = "approved"
    ISSUED = "issued"
    DISCARDED = "discarded"


@strawberry.enum(description="What credit notes can be sorted by.")
class CreditNoteSort(StrEnum):
    """See the description."""

    DRAFTED_AT = "drafted_at"
    NUMBER = "number"
    GROSS = "gross"


@strawberry.type(description="How much of a lot is credited, and what becomes of it.")
class CreditedLot:
    """See the description."""

    stream: str = strawberry.field(description="The stream that holds the lot.")
    lot: str = strawberry.field(description="The lot, as the invoice names it.")
    quantity: Decimal
    value: Money = strawberry.field(description="At its standard value.")
    disposition: str = strawberry.field(description="rebill, rebill_elsewhere, write_off or non_billable.")
    engagement: str | None = strawberry.field(description="The engagement that is billed instead.")
    work_date: date | None
    resource: str | None


@strawberry.type(description="What is given back of one line of the invoice.")
class CreditNoteLine:
    """See the description."""

    line: int
    of_line: int = strawberry.field(description="The line of the invoice.")
    description: str
    quantity: Decimal
    unit: str
    price: Decimal
    net: Money
    tax: Money
    completes: bool = strawberry.field(description="Whether nothing of the invoice's line is left.")
    lots: list[CreditedLot]


async def _lines(root: strawberry.Parent[Seen[credit_notes.CreditNoteRow]], info: Info) -> list[CreditNoteLine]:
    parts = info.context.parts
    found = await parts.in_thread(lambda: objects.credit_note_as_of(parts.ledger, root.row.credit_note, root.at))
    credit = credit_in(found.state)
    return list(shown(credit)) if credit else []


def credit_in(state: CreditNoteState) -> Credit | None:
    """What a credit note says, in whatever state it is."""
    match state:
        case (
            DraftedCredit(credit=credit)
            | ApprovedCredit(draft=DraftedCredit(credit=credit))
            | DiscardedCredit(draft=DraftedCredit(credit=credit))
            | IssuedCredit(credit=credit)
        ):
            found: Credit = credit
            return found
        case _:
            return None


def shown(credit: Credit) -> Iterator[CreditNoteLine]:
    """The lines of a credit note as they are answered."""
    for line in credit.lines:
        lots = [
            CreditedLot(
                stream=lot.stream,
                lot=lot.lot,
                quantity=lot.quantity,
                value=cast(Money, lot.value),
                disposition=lot.disposition,
                engagement=lot.rebill_to.engagement if lot.rebill_to else None,
                work_date=lot.work_date,
                resource=lot.resource,
            )
            for lot in line.lots
            if lot.lot and not line.of_adjustment
        ]
        tax = line.net * Decimal(0)
        for each in line.taxes:
            tax = tax + each
        yield CreditNoteLine(
            line=line.line,
            of_line=line.of_line,
            description=line.description,
            quantity=line.quantity,
            unit=line.unit,
            price=line.price,
            net=cast(Money, line.net),
            tax=cast(Money, tax),
            completes=line.completes,
            lots=lots,
        )


@strawberry.type(description="A credit note, or a negative invoice; all amounts are what is given back.")
class CreditNote:
    """See the description."""

    credit_note: strawberry.ID
    number: str | None = strawberry.field(description="Given at issue, gapless in its own series.")
    status: CreditNoteStatus
    form: str = strawberry.field(description="381 for a credit note, 380 for a negative invoice (UNTDID 1001).")
    invoice: str = strawberry.field(description="The invoice that it corrects.")
    invoice_number: str
    engagement: str
    customer: str
    customer_name: str = strawberry.field(description="As the document says.")
    selling_entity: str
    currency: str = strawberry.field(description="ISO 4217 code.")
    reason: str
    prepared_by: str
    approved_by: str | None
    net: Decimal
    tax: Decimal = strawberry.field(description="At the rates of the invoice.")
    gross: Decimal
    payable: Decimal = strawberry.field(description="What the customer owes less: gross less what was kept back of it.")
    functional_currency: str
    fx_rate: Decimal = strawberry.field(description="That of the invoice.")
    line_count: int
    lot_count: int
    issued_on: date | None
    delivered_on: date | None
    drafted_at: datetime
    issued_at: datetime | None
    updated_at: datetime
    version: int = strawberry.field(description="How many facts its stream has.")
    lines: list[CreditNoteLine] = strawberry.field(resolver=_lines, description="Its lines, folded from the log.")
    watermark: Watermark = strawberry.field(description="How fresh the answer is.")


@strawberry.input(description="Which credit notes.")
class CreditNoteFilter:
    """See the description."""

    credit_notes: list[str] | None = strawberry.field(default=None, description="Only these.")
    number: str | None = strawberry.field(default=None)
    invoice: str | None = strawberry.field(default=None)
    engagement: str | None = strawberry.field(default=None)
    customer: str | None = strawberry.field(default=None)
    selling_entity: str | None = strawberry.field(default=None)
    status: list[CreditNoteStatus] | None = strawberry.field(default=None)
    currency: str | None = strawberry.field(default=None)
    issued_from: date | None = strawberry.field(default=None)
    issued_to: date | None = strawberry.field(default=None)


@strawberry.type(description="What the credit notes of a status and currency add up to.")
class CreditNoteTotals:
    """See the description."""

    status: CreditNoteStatus
    currency: str = strawberry.field(description="ISO 4217 code.")
    count: int
    net: Decimal
    tax: Decimal
    gross: Decimal


@strawberry.type(description="One page of credit notes.")
class CreditNoteConnection(Connection[CreditNote]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")
    totals: list[CreditNoteTotals] = strawberry.field(description="What all of them add up to, beyond the page.")


async def of_invoice(root: strawberry.Parent[Any], info: Info) -> list[CreditNote]:
    """The credit notes of an invoice, as the answer's moment knows them."""
    invoice, at = root.row.invoice, root.at

    def question(asked: Asked) -> list[Seen[credit_notes.CreditNoteRow]]:
        where = credit_notes.CreditNoteFilter(invoice=invoice)
        page = credit_notes.find(asked.view, where, asked.scope, PageRequest(first=CREDIT_NOTES_MAX))
        return [Seen(row, asked.view.watermark, at) for row in page.items]

    principal = require(info.context.principal, "credit_notes")
    return cast(list[CreditNote], await ask_at(info, principal, question, at=at))


@strawberry.type
class CreditNoteQueries:
    """What may be asked about credit notes."""

    @strawberry.field(description="Which credit notes there are.")
    async def credit_notes(
        self,
        info: Info,
        where: CreditNoteFilter | None = None,
        sort: CreditNoteSort = CreditNoteSort.DRAFTED_AT,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> CreditNoteConnection:
        """See the description."""
        page = PageAsked(first, after, sort.value, descending, as_of, wait_for)
        criteria = filter_of(credit_notes.CreditNoteFilter, where)
        return await listed(
            info,
            "credit_notes",
            page,
            lambda asked, request: credit_notes.find(asked.view, criteria, asked.scope, request),
            lambda asked: credit_notes.totals(asked.view, criteria, asked.scope),
            lambda each: each.count,
            CreditNoteConnection,
        )

    @strawberry.field(description="One credit note, also as it was.")
    async def credit_note(
        self, info: Info, id: strawberry.ID, as_of: AsOfArgument = None, wait_for: WaitFor = None
    ) -> CreditNote | None:
        """See the description."""

        def question(asked: Asked) -> Seen[credit_notes.CreditNoteRow] | None:
            found = credit_notes.get(asked.view, id, asked.scope)
            return Seen(found, asked.view.watermark, asked.at) if found else None

        return cast(CreditNote | None, await ask(info, "credit_note", question, as_of=as_of, wait_for=wait_for))
