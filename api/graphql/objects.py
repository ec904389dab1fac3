"""The objects that a service was about, as they are after it or, in a dry run, would be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

import strawberry

from api.access import require
from api.graphql.asking import Asked, Info, Seen, ask_at, sees_entity, watermark_of
from api.graphql.engagements import Engagement
from api.graphql.folded import Past
from api.graphql.invoices import Allowance, Invoice, InvoiceLine, TaxSubtotal, shown_lines
from api.graphql.projects import Project
from api.graphql.timesheets import Timesheet
from api.graphql.values import Money
from api.services.service import Answer
from domain.invoice import Approved, Discarded, Draft, Issued
from domain.kernel import StreamId, decider_name, local_id, stream_of
from domain.money import Money as MoneyRow
from projections.history.objects import lines_of
from projections.invoices import invoices


@strawberry.type(description="An invoice as it is after a service, or would be.")
class InvoiceAfter:
    """See the description."""

    invoice: strawberry.ID
    status: str
    number: str | None = strawberry.field(description="Given at issue.")
    currency: str
    net: Money
    gross: Money | None = strawberry.field(description="With tax, once it is issued or previewed.")
    tax: Money | None
    taxes: list[TaxSubtotal] = strawberry.field(description="The tax of each category and rate.")
    allowances: list[Allowance] = strawberry.field(description="Those of the document; lines have their own.")
    holdback: Money | None = strawberry.field(description="What the customer keeps back.")
    prepaid: Money | None = strawberry.field(description="What was paid before.")
    payable: Money | None = strawberry.field(description="What the document asks for on its due day.")
    due: Money | None = strawberry.field(description="What is still to be received.")
    buyer: str | None = strawberry.field(description="The name of the customer as printed.")
    due_on: date | None
    lines: list[InvoiceLine]


@dataclass(frozen=True, slots=True)
class _InvoiceRow:
    invoice: str
    status: str
    number: str | None
    currency: str
    net: MoneyRow
    gross: MoneyRow | None
    lines: tuple[Any, ...]
    tax: MoneyRow | None = None
    taxes: tuple[Any, ...] = ()
    allowances: tuple[Any, ...] = ()
    holdback: MoneyRow | None = None
    prepaid: MoneyRow | None = None
    payable: MoneyRow | None = None
    due: MoneyRow | None = None
    buyer: str | None = None
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class _ObjectsRow:
    streams: tuple[StreamId, ...] = ()
    invoices: tuple[_InvoiceRow, ...] = ()
    dry_run: bool = False


async def _engagements(root: strawberry.Parent[_ObjectsRow], info: Info) -> list[Engagement]:
    return cast(list[Engagement], await _now(info, root, "engagement", lambda past, name: past.engagement(name)))


async def _projects(root: strawberry.Parent[_ObjectsRow], info: Info) -> list[Project]:
    return cast(list[Project], await _now(info, root, "project", lambda past, name: past.project(name)))


async def _timesheets(root: strawberry.Parent[_ObjectsRow], info: Info) -> list[Timesheet]:
    principal, parts = require(info.context.principal, "timesheets"), info.context.parts

    def of(past: Past, name: str) -> Any:
        return past.timesheet(stream_of("timesheet", name), sees_entity(parts, principal))

    return cast(list[Timesheet], await _now(info, root, "timesheet", of))


async def _now(info: Info, root: _ObjectsRow, kind: str, of: Callable[[Past, str], Any]) -> list[Seen[Any]]:
    """Objects of a kind as they are now; a dry run has changed none, so none is shown."""
    parts = info.context.parts
    names = [local_id(stream) for stream in root.streams if decider_name(stream) == kind and not root.dry_run]

    def found() -> list[Seen[Any]]:
        past, watermark = Past(parts.ledger, None), watermark_of(parts, None)
        return [Seen(row, watermark) for name in names if (row := of(past, name)) is not None]

    return await parts.in_thread(found) if names else []


@strawberry.type(description="What a service was about.")
class Objects:
    """See the description."""

    streams: list[str] = strawberry.field(description="The streams of all of them; history tells more.")
    invoices: list[InvoiceAfter] = strawberry.field(description="The invoices among them; a dry run shows the drafts.")
    engagements: list[Engagement] = strawberry.field(
        resolver=_engagements, description="The engagements among them; none in a dry run."
    )
    projects: list[Project] = strawberry.field(
        resolver=_projects, description="The projects among them; none in a dry run."
    )
    timesheets: list[Timesheet] = strawberry.field(
        resolver=_timesheets, description="The weeks among them; none in a dry run."
    )


async def objects_of(_info: Info, answer: Answer | None) -> Objects:
    """What an answer is about; nothing when there is no answer."""
    if answer is None:
        return cast(Objects, _ObjectsRow())
    found = [(local_id(stream), state) for stream, state in answer.states.items() if decider_name(stream) == "invoice"]
    shown = tuple(row for name, state in found if (row := _invoice(name, state)) is not None)
    return cast(Objects, _ObjectsRow(tuple(answer.states), shown, answer.dry_run))


def _settled(state: Issued) -> str:
    if state.paid_on is None:
        return "issued"
    return "paid" if state.payments or state.applied else "credited"


def _invoice(name: str, state: Any) -> _InvoiceRow | None:
    lines = lines_of(state)
    shown = tuple(shown_lines(lines))
    match state:
        case (Draft() as draft) | Approved(draft=draft) | Discarded(draft=draft):
            status, currency = type(state).__name__.lower(), draft.header.currency
            return _InvoiceRow(name, status, None, currency, draft.net, None, shown, allowances=draft.allowances)
        case Issued(document=document):
            return _InvoiceRow(
                name,
                _settled(state),
                document.number or None,
                document.header.currency,
                document.net,
                document.gross,
                shown,
                document.tax,
                document.taxes,
                document.allowances,
                document.holdback,
                document.prepaid,
                document.payable,
                state.due,
                document.buyer.name,
                document.due_on,
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
