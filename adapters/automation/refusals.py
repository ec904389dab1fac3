"""A reaction that the rules refuse becomes a work item for a person, with the business that it concerns."""

from __future__ import annotations

from typing import Any

from adapters.automation.process import Automated
from adapters.eventstore.rows import key_text
from domain.engagement import Engagement
from domain.exception import Problem, RaiseException, exception_stream
from domain.expense import ExpenseReport, RateExpense
from domain.invoice import Approved, Discarded, Draft, Issued
from domain.kernel import Addressed, Recorded, Refused, StreamId
from domain.opportunity import OpportunityWon
from domain.ports import Read
from domain.project import Project
from domain.timesheet import RateEntry, Timesheet


def work_item(
    run: Automated, fact: Recorded[object], refused: Refused, read: Read, command: Addressed | None = None
) -> Addressed:
    """The command that opens the work item; ``command`` is the one that was refused, None if the reaction itself was.

    Commands that are decided each for itself have work items of their own, so that each can be settled alone.
    """
    about = command.stream if command else fact.stream
    names = ["process", run.name, fact.id]
    if command and not run.together:
        names.append(_part(command))
    stream = StreamId(key_text(exception_stream("refused", *names)))
    problem = Problem(
        kind="refused",
        code=refused.code,
        about=about,
        message=refused.message,
        what_to_do=refused.fix,
        owner_role=run.owner_role,
        **_context(about, read, command.command if command else fact.event),
    )
    return Addressed(stream, RaiseException(problem))


def _part(command: Addressed) -> str:
    match command.command:
        case RateEntry(lot) | RateExpense(lot):
            return lot.source
        case _:
            return command.stream


def _context(stream: StreamId, read: Read, told: object) -> dict[str, Any]:
    """Whose money and whose work it is, as far as the refused command or the refusing aggregate says."""
    match told:
        case RateEntry(lot) | RateExpense(lot):
            return {
                "resource": lot.resource,
                "project": lot.project,
                "engagement": lot.engagement,
                "customer": lot.customer,
                "money_at_risk": lot.value,
                "hours_at_risk": f"{lot.quantity:f}" if lot.unit == "hour" else None,
            }
        case OpportunityWon(customer=customer):
            return {"customer": customer}
        case _:
            return _context_of_state(read(stream))


def _context_of_state(state: object) -> dict[str, Any]:
    match state:
        case Engagement(opened=opened) if opened is not None:
            return {"engagement": opened.engagement, "customer": opened.customer}
        case Project(created=created) if created is not None:
            return {"project": created.project, "engagement": created.engagement}
        case Draft(invoice, header):
            return {"invoice": invoice, "engagement": header.engagement, "customer": header.customer}
        case Approved(draft) | Discarded(draft):
            return _context_of_state(draft)
        case Issued(invoice, document):
            header = document.header
            return {
                "invoice": invoice,
                "engagement": header.engagement,
                "customer": header.customer,
                "money_at_risk": document.gross,
            }
        case Timesheet(resource=resource) | ExpenseReport(resource=resource) if resource:
            return {"resource": resource}
        case _:
            return {}
