"""Which legal entities an object belongs to, and so who may see it. What belongs to none, only the whole firm sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from psycopg import Connection

from adapters.eventstore.base import BaseLedger
from api.access import Principal, Reach
from domain.credit_note import ApprovedCredit, DiscardedCredit, DraftedCredit, IssuedCredit, credit_note_stream
from domain.exception import ExceptionItem
from domain.expense import ExpenseReport
from domain.invoice import Approved, Discarded, Draft, Issued
from domain.kernel import StreamId, decider_name, local_id, stream_of
from domain.payment import Payment, payment_stream
from domain.ports import Read, engagement_of, entity_of, invoice_of, project_of
from domain.timesheet import Timesheet

_REGIONS = """
SELECT DISTINCT originator_id FROM stored_events
WHERE originator_id >= 'legal_entity:' AND originator_id < 'legal_entity;'
"""


def reader_of(ledger: BaseLedger) -> Read:
    """The present state of any stream."""
    return lambda stream: ledger.load([stream])[stream].state


def entities_of(read: Read, stream: StreamId) -> frozenset[str]:
    """The selling legal entities that an object concerns; none when nobody can tell."""
    found = _ENTITIES.get(decider_name(stream))
    return frozenset(found(read, local_id(stream))) if found else frozenset()


def sees(read: Read, principal: Principal, stream: StreamId) -> bool:
    """Whether a token is for every legal entity that an object concerns."""
    if principal.reach.everywhere:
        return True
    entities = entities_of(read, stream)
    return bool(entities) and all(principal.reach.covers(entity, region_of(read, entity)) for entity in entities)


def region_of(read: Read, entity: str) -> str | None:
    """The region that a legal entity is in now."""
    versions = entity_of(read, entity).versions
    return versions[-1].region if versions else None


def in_entities(reach: Reach, read: Read, conn: Connection[Any]) -> Reach:
    """The same reach with each region replaced by the legal entities that are in it now."""
    if reach.everywhere or not reach.regions:
        return reach
    known = [local_id(StreamId(row[0])) for row in conn.execute(_REGIONS)]
    inside = {entity for entity in known if region_of(read, entity) in reach.regions}
    return replace(reach, entities=reach.entities | inside, regions=frozenset())


def _of_engagement(read: Read, engagement: str) -> Iterable[str]:
    opened = engagement_of(read, engagement).opened
    return (opened.selling_entity,) if opened else ()


def _of_project(read: Read, project: str) -> Iterable[str]:
    created = project_of(read, project).created
    return _of_engagement(read, created.engagement) if created else ()


def _of_invoice(read: Read, invoice: str) -> Iterable[str]:
    match invoice_of(read, invoice):
        case Draft(header=header) | Approved(draft=Draft(header=header)) | Discarded(draft=Draft(header=header)):
            return (header.selling_entity,)
        case Issued(document=document):
            return (document.header.selling_entity,)
        case _:
            return ()


def _of_credit_note(read: Read, credit_note: str) -> Iterable[str]:
    match read(credit_note_stream(credit_note)):
        case (
            DraftedCredit(credit=credit)
            | ApprovedCredit(draft=DraftedCredit(credit=credit))
            | DiscardedCredit(draft=DraftedCredit(credit=credit))
            | IssuedCredit(credit=credit)
        ):
            return (credit.header.selling_entity,)
        case _:
            return ()


def _of_payment(read: Read, payment: str) -> Iterable[str]:
    state: Payment = read(payment_stream(payment))
    return (state.received.entity,) if state.received else ()


def _of_timesheet(read: Read, name: str) -> Iterable[str]:
    sheet: Timesheet = read(stream_of("timesheet", name))
    return _of_projects(read, {entry.work.project for entry in sheet.entries.values()})


def _of_report(read: Read, name: str) -> Iterable[str]:
    report: ExpenseReport = read(stream_of("expense_report", name))
    return _of_projects(read, {line.expense.project for line in report.lines.values()})


def _of_projects(read: Read, projects: Iterable[str]) -> Iterable[str]:
    """An unknown project makes the whole unknown."""
    found = [tuple(_of_project(read, project)) for project in projects if project]
    return {entity for each in found for entity in each} if all(found) else ()


def _of_exception(read: Read, name: str) -> Iterable[str]:
    item: ExceptionItem = read(stream_of("exception", name))
    if item.problem is None:
        return ()
    if item.problem.engagement:
        return _of_engagement(read, item.problem.engagement)
    return _of_project(read, item.problem.project) if item.problem.project else ()


_ENTITIES: dict[str, Callable[[Read, str], Iterable[str]]] = {
    "engagement": _of_engagement,
    "project": _of_project,
    "invoice": _of_invoice,
    "credit_note": _of_credit_note,
    "payment": _of_payment,
    "timesheet": _of_timesheet,
    "expense_report": _of_report,
    "exception": _of_exception,
    "legal_entity": lambda _read, entity: (entity,),
    "number_series": lambda _read, name: (name.partition(":")[0],),
}
