"""The objects that a service was about, as they are after it or, in a dry run, would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import strawberry

from api.access import require
from api.graphql.asking import Asked, Info, Seen, ask_at
from api.graphql.invoices import Invoice, InvoiceLine
from api.graphql.values import Money
from api.services.service import Answer
from domain.invoice import Approved, Discarded, Draft, Issued
from domain.kernel import StreamId, decider_name, local_id
from domain.money import Money as MoneyRow
from domain.money import total
from projections import invoices
from projections.objects import lines_of


@strawberry.type(description="An invoice as it is after a service, or would be.")
class InvoiceAfter:
    """See the description."""

    invoice: strawberry.ID
    status: str
    number: str | None = strawberry.field(description="Given at issue.")
    currency: str
    net: Money
    gross: Money | None = strawberry.field(description="With tax, once it is issued.")
    lines: list[InvoiceLine]


@strawberry.type(description="What a service was about.")
class Objects:
    """See the description."""

    streams: list[str] = strawberry.field(description="The streams of all of them; history tells more.")
    invoices: list[InvoiceAfter] = strawberry.field(description="The invoices among them.")


@dataclass(frozen=True, slots=True)
class _InvoiceRow:
    invoice: str
    status: str
    number: str | None
    currency: str
    net: MoneyRow
    gross: MoneyRow | None
    lines: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _ObjectsRow:
    streams: tuple[StreamId, ...] = ()
    invoices: tuple[_InvoiceRow, ...] = ()


async def objects_of(_info: Info, answer: Answer | None) -> Objects:
    """What an answer is about; nothing when there is no answer."""
    if answer is None:
        return cast(Objects, _ObjectsRow())
    found = [(local_id(stream), state) for stream, state in answer.states.items() if decider_name(stream) == "invoice"]
    shown = tuple(row for name, state in found if (row := _invoice(name, state)) is not None)
    return cast(Objects, _ObjectsRow(tuple(answer.states), shown))


def _invoice(name: str, state: Any) -> _InvoiceRow | None:
    lines = lines_of(state)
    match state:
        case Draft(header=header) | Approved(draft=Draft(header=header)) | Discarded(draft=Draft(header=header)):
            net = total((line.net for line in lines), header.currency)
            return _InvoiceRow(name, type(state).__name__.lower(), None, header.currency, net, None, lines)
        case Issued(document=document):
            status = "paid" if state.paid_on else "issued"
            return _InvoiceRow(
                name, status, document.number, document.header.currency, document.net, document.gross, lines
            )
        case _:
            return None


async def invoice_now(info: Info, invoice: str) -> Invoice | None:
    """An invoice as the live read models know it, for somebody who listens to it."""
    principal = require(info.context.principal, "invoice_changed")

    def question(asked: Asked) -> Seen[invoices.InvoiceRow] | None:
        found = invoices.get(asked.view, invoice, asked.scope)
        return Seen(found, asked.view.watermark) if found else None

    return cast(Invoice | None, await ask_at(info, principal, question, at=None))
