"""The answers of PSA and ERP in the ledger's words: sent, in doubt, done, refused, and money that was received."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from adapters.vendors.intake import Context, Intake, Names, Resolved, Vendor, moment, name, own_name, revision_of
from adapters.vendors.letter import Letter
from adapters.vendors.unreadable import UnknownSubject, WrongType
from domain.invoice import (
    ConfirmPosting,
    RecordPayment,
    RejectPosting,
    ReportPostingInDoubt,
    ReportPostingSent,
    invoice_stream,
)
from domain.kernel import Addressed, StreamId, stream_of
from domain.money import Money
from domain.project import ConfirmSetUp, RejectSetUp, ReportSetUpInDoubt, ReportSetUpSent
from domain.reference.identifier import AssignIdentifier, ExternalRef, identifier_stream

IDENTIFIERS_MAX: Final = 100


class Answer(BaseModel):
    """What every answer has: its id, the target's clock, and the target's own id or reason where there is one."""

    model_config = ConfigDict(strict=True)

    id: str = Field(min_length=1)
    at: datetime
    external_id: str | None = Field(None, alias="externalId", min_length=1)
    reason: str = ""


class Identifier(BaseModel):
    """A name that stands for the project in some system."""

    model_config = ConfigDict(strict=True)

    system: str = Field(min_length=1)
    object: str = Field(min_length=1)
    id: str = Field(min_length=1)


class ProjectAnswer(Answer):
    """How far a target is with setting up a project; ``externalId`` comes with confirmed, ``reason`` with rejected."""

    project: str
    identifiers: list[Identifier] = Field(default=[], max_length=IDENTIFIERS_MAX)


class InvoiceAnswer(Answer):
    """How far an ERP is with posting an invoice."""

    invoice: str


class Amount(BaseModel):
    """An amount of money, as text."""

    model_config = ConfigDict(strict=True)

    amount: Decimal
    currency: str


class Payment(Answer):
    """Money that was received for an invoice."""

    invoice: str
    payment: str
    received_on: date = Field(alias="receivedOn")
    amount: Amount
    reference: str = ""


def translate(letter: Letter) -> Sequence[Intake]:
    """The statement of one answer."""
    match letter.object, letter.verb:
        case "project", "sent" | "in_doubt" | "confirmed" | "rejected":
            return [_project(letter, letter.read(ProjectAnswer))]
        case "invoice", "sent" | "in_doubt" | "posted" | "rejected":
            return [_invoice(letter, letter.read(InvoiceAnswer))]
        case "payment", "received":
            return [_payment(letter, letter.read(Payment))]
        case _:
            raise UnknownSubject(f"{letter.system} has no {letter.object}.{letter.verb} here.")


def message_id(letter: Letter) -> str | None:
    """The connector's own id of an answer."""
    return letter.read(Answer).id


def _project(letter: Letter, answer: ProjectAnswer) -> Intake:
    target, project = letter.system, own_name(answer.project, "project")
    stream = stream_of("project", project)
    command = _set_up(letter, answer)
    known_as: list[ExternalRef] = []
    if letter.verb == "confirmed":
        known_as = [ExternalRef(target, "project", name(answer.external_id or "", "externalId"))]
        known_as += [_ref(each) for each in answer.identifiers]

    def commands(_resolved: Resolved) -> Iterable[Addressed]:
        yield Addressed(stream, command)
        for ref in known_as:
            yield Addressed(identifier_stream(ref), AssignIdentifier(ref, project))

    source = ExternalRef(target, "project", project)
    streams = (stream, *map(identifier_stream, known_as))
    return _statement(source, answer, streams, commands, Context(project=project))


def _set_up(letter: Letter, answer: ProjectAnswer) -> Any:
    match letter.verb:
        case "sent":
            return ReportSetUpSent(letter.system)
        case "in_doubt":
            return ReportSetUpInDoubt(letter.system, answer.reason)
        case "confirmed":
            return ConfirmSetUp(letter.system, _external_id(answer))
        case _:
            return RejectSetUp(letter.system, answer.reason)


def _invoice(letter: Letter, answer: InvoiceAnswer) -> Intake:
    invoice = own_name(answer.invoice, "invoice")
    stream = invoice_stream(invoice)
    command: Any
    match letter.verb:
        case "sent":
            command = ReportPostingSent(letter.system)
        case "in_doubt":
            command = ReportPostingInDoubt(letter.system, answer.reason)
        case "posted":
            command = ConfirmPosting(letter.system, _external_id(answer))
        case _:
            command = RejectPosting(letter.system, answer.reason)

    def commands(_resolved: Resolved) -> Iterable[Addressed]:
        yield Addressed(stream, command)

    source = ExternalRef(letter.system, "invoice", invoice)
    return _statement(source, answer, (stream,), commands, Context(invoice=invoice))


def _payment(letter: Letter, answer: Payment) -> Intake:
    invoice, payment = own_name(answer.invoice, "invoice"), name(answer.payment, "payment")
    stream = invoice_stream(invoice)

    def commands(_resolved: Resolved) -> Iterable[Addressed]:
        amount = Money(answer.amount.amount, answer.amount.currency)
        yield Addressed(stream, RecordPayment(payment, answer.received_on, amount, answer.reference))

    source = ExternalRef(letter.system, "payment", payment)
    return _statement(source, answer, (stream,), commands, Context(invoice=invoice))


def _external_id(answer: Answer) -> str:
    if answer.external_id is None:
        raise WrongType("externalId: the target's own id is missing.")
    return answer.external_id


def _ref(told: Identifier) -> ExternalRef:
    return ExternalRef(
        name(told.system, "identifiers.system"),
        name(told.object, "identifiers.object"),
        name(told.id, "identifiers.id"),
    )


def _statement(
    source: ExternalRef,
    answer: Answer,
    streams: tuple[StreamId, ...],
    commands: Callable[[Resolved], Iterable[Addressed]],
    context: Context,
) -> Intake:
    at = moment(answer.at, "at")

    def about(_names: Names) -> Context:
        return context

    return Intake(source, revision_of(at), at, (), lambda _names: streams, commands, about=about)


VENDOR: Final = Vendor(translate, message_id)
