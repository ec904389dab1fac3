"""The objects that a service was about, as they are after it or, in a dry run, would be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import strawberry

from api.access import require
from api.graphql.asking import Asked, Info, Seen, ask_at, sees_entity, watermark_of
from api.graphql.engagements import Engagement
from api.graphql.folded import Past
from api.graphql.invoices import Invoice, InvoiceLine, shown_lines
from api.graphql.projects import Project
from api.graphql.timesheets import Timesheet
from api.graphql.values import Money
from api.services.service import Answer
from domain.invoice import Approved, Discarded, Draft, Issued
from domain.kernel import StreamId, decider_name, local_id, stream_of
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


def _invoice(name: str, state: Any) -> _InvoiceRow | None:
    lines = lines_of(state)
    shown = tuple(shown_lines(lines))
    match state:
        case Draft(header=header) | Approved(draft=Draft(header=header)) | Discarded(draft=Draft(header=header)):
            net = total((line.net for line in lines), header.currency)
            return _InvoiceRow(name, type(state).__name__.lower(), None, header.currency, net, None, shown)
        case Issued(document=document):
            status = "paid" if state.paid_on else "issued"
            return _InvoiceRow(
                name, status, document.number, document.header.currency, document.net, document.gross, shown
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
