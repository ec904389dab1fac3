"""The answers of PSA and ERP in the ledger's words: sent, in doubt, done, refused, and money that was received."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from adapters.vendors.intake import Context, Intake, Names, Resolved, Vendor, moment, name, own_name, revision_of
from adapters.vendors.letter import Letter
from adapters.vendors.targets import forms
from adapters.vendors.unreadable import UnknownSubject, WrongType
from domain.credit_note import credit_note_stream
from domain.invoice import (
    ConfirmPosting,
    RecordPayment,
    RejectPosting,
    ReportPostingInDoubt,
    ReportPostingSent,
    TakePayment,
    invoice_stream,
)
from domain.kernel import Addressed, StreamId, stream_of
from domain.money import MINOR_UNITS, Money
from domain.payment import ApplyPayment, ReceivePayment, payment_stream
from domain.project import ConfirmSetUp, RejectSetUp, ReportSetUpInDoubt, ReportSetUpSent
from domain.reference.identifier import AssignIdentifier, ExternalRef, identifier_stream

IDENTIFIERS_MAX: Final = 100


def translate(letter: Letter) -> Sequence[Intake]:
    """The statement of one answer."""
    match letter.object, letter.verb:
        case "project", "sent" | "in_doubt" | "confirmed" | "rejected":
            return [_project(letter, letter.read(forms.ProjectAnswer))]
        case "invoice", "sent" | "in_doubt" | "posted" | "rejected":
            return [_invoice(letter, letter.read(forms.InvoiceAnswer))]
        case "credit_note", "sent" | "in_doubt" | "posted" | "rejected":
            return [_credit_note(letter, letter.read(forms.CreditNoteAnswer))]
        case "payment", "received":
            return [_payment(letter, letter.read(forms.Payment))]
        case "receipt", "received":
            return [_receipt(letter, letter.read(forms.Receipt))]
        case _:
            raise UnknownSubject(f"{letter.system} has no {letter.object}.{letter.verb} here.")


def message_id(letter: Letter) -> str | None:
    """The connector's own id of an answer."""
    return letter.read(forms.Answer).id


def _project(letter: Letter, answer: forms.ProjectAnswer) -> Intake:
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


def _set_up(letter: Letter, answer: forms.ProjectAnswer) -> Any:
    match letter.verb:
        case "sent":
            return ReportSetUpSent(letter.system)
        case "in_doubt":
            return ReportSetUpInDoubt(letter.system, answer.reason)
        case "confirmed":
            return ConfirmSetUp(letter.system, _external_id(answer))
        case _:
            return RejectSetUp(letter.system, answer.reason)


def _invoice(letter: Letter, answer: forms.InvoiceAnswer) -> Intake:
    invoice = own_name(answer.invoice, "invoice")
    stream, command = invoice_stream(invoice), _posting(letter, answer)

    def commands(_resolved: Resolved) -> Iterable[Addressed]:
        yield Addressed(stream, command)

    source = ExternalRef(letter.system, "invoice", invoice)
    return _statement(source, answer, (stream,), commands, Context(invoice=invoice))


def _credit_note(letter: Letter, answer: forms.CreditNoteAnswer) -> Intake:
    credit_note = own_name(answer.credit_note, "creditNote")
    stream, command = credit_note_stream(credit_note), _posting(letter, answer)

    def commands(_resolved: Resolved) -> Iterable[Addressed]:
        yield Addressed(stream, command)

    source = ExternalRef(letter.system, "credit_note", credit_note)
    return _statement(source, answer, (stream,), commands, Context())


def _posting(letter: Letter, answer: forms.Answer) -> Any:
    match letter.verb:
        case "sent":
            return ReportPostingSent(letter.system)
        case "in_doubt":
            return ReportPostingInDoubt(letter.system, answer.reason)
        case "posted":
            return ConfirmPosting(letter.system, _external_id(answer))
        case _:
            return RejectPosting(letter.system, answer.reason)


def _payment(letter: Letter, answer: forms.Payment) -> Intake:
    invoice, payment = own_name(answer.invoice, "invoice"), name(answer.payment, "payment")
    stream = invoice_stream(invoice)

    def commands(_resolved: Resolved) -> Iterable[Addressed]:
        amount = Money(answer.amount.amount, answer.amount.currency)
        yield Addressed(stream, RecordPayment(payment, answer.received_on, amount, answer.reference))

    source = ExternalRef(letter.system, "payment", payment)
    told = answer.amount
    money = Money(told.amount, told.currency) if told.currency in MINOR_UNITS else None
    return _statement(source, answer, (stream,), commands, Context(invoice=invoice, money=money))


def _receipt(letter: Letter, answer: forms.Receipt) -> Intake:
    """A bank receipt and all invoices that it settles are one statement: recorded together or not at all."""
    payment = own_name(answer.payment, "payment")
    stream = payment_stream(payment)
    invoices = [own_name(each.invoice, "invoices.invoice") for each in answer.invoices]
    customer, entity = own_name(answer.customer, "customer"), own_name(answer.entity, "entity")

    def commands(_resolved: Resolved) -> Iterable[Addressed]:
        received = _money(answer.amount)
        receipt = ReceivePayment(payment, customer, entity, answer.received_on, received, answer.reference)
        yield Addressed(stream, receipt)
        for invoice, each in zip(invoices, answer.invoices, strict=True):
            amount = _money(each.amount)
            settled = _money(each.settled) if each.settled is not None else amount
            yield Addressed(invoice_stream(invoice), TakePayment(payment, answer.received_on, amount, settled))
            yield Addressed(stream, ApplyPayment(invoice, answer.received_on, amount, settled))

    told = answer.amount
    money = Money(told.amount, told.currency) if told.currency in MINOR_UNITS else None
    about = Context(customer=customer, invoice=invoices[0] if len(invoices) == 1 else None, money=money)
    source = ExternalRef(letter.system, "receipt", payment)
    return _statement(source, answer, (stream, *map(invoice_stream, invoices)), commands, about)


def _money(told: forms.Amount) -> Money:
    return Money(told.amount, told.currency)


def _external_id(answer: forms.Answer) -> str:
    if answer.external_id is None:
        raise WrongType("externalId: the target's own id is missing.")
    return answer.external_id


def _ref(told: forms.Identifier) -> ExternalRef:
    return ExternalRef(
        name(told.system, "identifiers.system"),
        name(told.object, "identifiers.object"),
        name(told.id, "identifiers.id"),
    )


def _statement(
    source: ExternalRef,
    answer: forms.Answer,
    streams: tuple[StreamId, ...],
    commands: Callable[[Resolved], Iterable[Addressed]],
    context: Context,
) -> Intake:
    at = moment(answer.at, "at")

    def about(_names: Names) -> Context:
        return context

    # The connectors' hosts have clocks of their own: what an answer changes is decided by the state of the object.
    return Intake(source, revision_of(at), at, (), lambda _names: streams, commands, about=about, clocked=True)


OF_PROJECTS: Final[Mapping[str, type[BaseModel]]] = {
    f"project.{verb}": forms.ProjectAnswer for verb in ("sent", "in_doubt", "confirmed", "rejected")
}
OF_INVOICES: Final[Mapping[str, type[BaseModel]]] = {
    f"invoice.{verb}": forms.InvoiceAnswer for verb in ("sent", "in_doubt", "posted", "rejected")
}
OF_CASH: Final[Mapping[str, type[BaseModel]]] = {
    "payment.received": forms.Payment,
    "receipt.received": forms.Receipt,
}
PSA: Final = Vendor(translate, message_id, OF_PROJECTS)
ERP: Final = Vendor(translate, message_id, {**OF_PROJECTS, **OF_INVOICES, **OF_CASH})
