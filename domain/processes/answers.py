"""Answers: a target system that refuses or falls silent makes a work item, which ends when the target has done it.

Trying again what a target had refused asks the target anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.credit_note import (
    CreditNote,
    CreditPostingConfirmed,
    CreditPostingInDoubt,
    CreditPostingRejected,
    IssuedCredit,
)
from domain.exception import (
    ExceptionItem,
    ExceptionRetried,
    Kind,
    OwnerRole,
    Problem,
    RaiseException,
    ResolveException,
    exception_stream,
)
from domain.invoice import Issued, PostingConfirmed, PostingInDoubt, PostingRejected, RequestPosting
from domain.kernel import Addressed, Recorded, StreamId, decider_name, local_id
from domain.ports import Candidates, Read, engagement_of, invoice_of, project_of
from domain.project import RequestSetUp, SetUpConfirmed, SetUpInDoubt, SetUpRejected

KINDS: tuple[Kind, ...] = ("rejected_by_target", "in_doubt")


@dataclass(frozen=True, slots=True)
class Answers:
    """Reacts to what target systems answered, and to people who have refused work tried again."""

    name: str = "answers"

    def needs(self, fact: Recorded[object]) -> Sequence[StreamId]:
        """The streams that a reaction will read."""
        match fact.event:
            case (
                SetUpRejected(target)
                | SetUpInDoubt(target)
                | SetUpConfirmed(target)
                | PostingRejected(target)
                | PostingInDoubt(target)
                | PostingConfirmed(target)
                | CreditPostingRejected(target)
                | CreditPostingInDoubt(target)
                | CreditPostingConfirmed(target)
            ):
                return [fact.stream, *(exception_stream(kind, target, fact.stream) for kind in KINDS)]
            case ExceptionRetried():
                return [fact.stream]
            case _:
                return []

    def asks_candidates(self, _fact: Recorded[object]) -> bool:
        """Whether a reaction asks the read model which work it touches."""
        return False

    def react(self, fact: Recorded[object], read: Read, _candidates: Candidates) -> Sequence[Addressed]:
        """The commands that a fact leads to."""
        match fact.event:
            case (
                SetUpRejected(target, reason) | PostingRejected(target, reason) | CreditPostingRejected(target, reason)
            ):
                settled = _settled("in_doubt", target, fact.stream, read, f"{target} refused it")
                return [*settled, _rejected(target, fact.stream, reason, read)]
            case SetUpInDoubt(target, reason) | PostingInDoubt(target, reason) | CreditPostingInDoubt(target, reason):
                return [_in_doubt(target, fact.stream, reason, read)]
            case (
                SetUpConfirmed(target, external_id)
                | PostingConfirmed(target, external_id)
                | CreditPostingConfirmed(target, external_id)
            ):
                how = f"{target} has it as {external_id}"
                return [wish for kind in KINDS for wish in _settled(kind, target, fact.stream, read, how)]
            case ExceptionRetried():
                return _asked_anew(read(fact.stream))
            case _:
                return []


def _rejected(target: str, stream: StreamId, reason: str, read: Read) -> Addressed:
    message = f"{target} refused {stream}: {reason}"
    what_to_do = f"Correct what {target} names, there or at its source, then retry: {target} is asked anew."
    return _raised("rejected_by_target", "target.rejected", target, stream, message, what_to_do, read)


def _in_doubt(target: str, stream: StreamId, reason: str, read: Read) -> Addressed:
    message = f"Nobody knows whether {target} has {stream}: {reason}"
    what_to_do = f"It is looked up until {target} answers; if this stays, look there. Nothing is sent twice."
    return _raised("in_doubt", "target.in_doubt", target, stream, message, what_to_do, read)


def _raised(
    kind: Kind, code: str, target: str, stream: StreamId, message: str, what_to_do: str, read: Read
) -> Addressed:
    is_document = decider_name(stream) in ("invoice", "credit_note")
    owner: OwnerRole = "finance_preparer" if is_document and kind == "rejected_by_target" else "integration"
    context = _context(stream, read)
    problem = Problem(
        kind=kind,
        code=code,
        about=stream,
        message=message,
        what_to_do=what_to_do,
        owner_role=owner,
        system=target,
        **context,
    )
    return Addressed(exception_stream(kind, target, stream), RaiseException(problem))


def _context(stream: StreamId, read: Read) -> dict[str, Any]:
    match decider_name(stream):
        case "invoice":
            return _of_invoice(local_id(stream), read)
        case "credit_note":
            return _of_credit_note(read(stream))
        case _:
            return _of_project(local_id(stream), read)


def _of_credit_note(note: CreditNote) -> dict[str, Any]:
    if not isinstance(note, IssuedCredit):
        return {}
    credit = note.credit
    return {
        "invoice": credit.invoice,
        "engagement": credit.header.engagement,
        "customer": credit.header.customer,
        "money_at_risk": credit.gross,
    }


def _of_invoice(name: str, read: Read) -> dict[str, Any]:
    invoice = invoice_of(read, name)
    if not isinstance(invoice, Issued):
        return {"invoice": name}
    header = invoice.document.header
    return {
        "invoice": name,
        "engagement": header.engagement,
        "customer": header.customer,
        "money_at_risk": invoice.document.gross,
    }


def _of_project(name: str, read: Read) -> dict[str, Any]:
    created = project_of(read, name).created
    if created is None:
        return {"project": name}
    opened = engagement_of(read, created.engagement).opened
    return {"project": name, "engagement": created.engagement, "customer": opened.customer if opened else None}


def _settled(kind: Kind, target: str, stream: StreamId, read: Read, how: str) -> Sequence[Addressed]:
    """The end of a work item, if there is one."""
    about = exception_stream(kind, target, stream)
    item: ExceptionItem = read(about)
    return [Addressed(about, ResolveException("process:answers", how))] if item.is_open else []


def _asked_anew(item: ExceptionItem) -> Sequence[Addressed]:
    """The request to a target that had refused; other work items are tried again by whoever has their messages."""
    problem = item.problem
    if problem is None or problem.kind != "rejected_by_target" or problem.system is None:
        return []
    stream = StreamId(problem.about)
    if decider_name(stream) in ("invoice", "credit_note"):
        return [Addressed(stream, RequestPosting(problem.system))]
    return [Addressed(stream, RequestSetUp(problem.system))]
