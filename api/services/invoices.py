"""Services around invoices: approve, issue, record payments, disputes, collections, write-offs, holdbacks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated

from typing_extensions import Doc

from api.services.service import Amount, Call, Decision, Service
from domain import receivables
from domain.billing import issuing
from domain.invoice import (
    Approved,
    DeliverInvoice,
    Discarded,
    DisputeInvoice,
    Draft,
    HandToCollections,
    Header,
    Issued,
    RecordPayment,
    RefundBalance,
    ResolveDispute,
    invoice_stream,
)
from domain.kernel import Addressed
from domain.ports import invoice_of


@dataclass(frozen=True)
class ApproveInvoiceInput:
    """A draft to release for issue."""

    invoice: Annotated[str, Doc("The draft.")]
    approved_on: Annotated[date | None, Doc("The business day of the approval; by default now.")] = None


def approve_invoice(asked: ApproveInvoiceInput, call: Call) -> Decision:
    """Release a draft for issue; nobody approves what they prepared above the entity's limit."""
    header = require_invoice(asked.invoice, call)
    zone = call.now.tzinfo
    at = datetime.combine(asked.approved_on, time(12), zone) if asked.approved_on and header else call.now
    commands = issuing.approve_invoice(call.read, asked.invoice, call.actor, at)
    return Decision(commands, (invoice_stream(asked.invoice),))


@dataclass(frozen=True)
class IssueInvoiceInput:
    """An approved invoice to issue."""

    invoice: Annotated[str, Doc("The approved invoice.")]
    issued_on: Annotated[date | None, Doc("The date on it; by default today at the selling entity.")] = None


def issue_invoice(asked: IssueInvoiceInput, call: Call) -> Decision:
    """Issue an approved invoice under the next number of its series; its posting is then requested by itself."""
    header = require_invoice(asked.invoice, call)
    issued_on = asked.issued_on or (call.today_at(header.selling_entity) if header else call.now.date())
    if header is not None and isinstance(invoice_of(call.read, asked.invoice), Approved):
        call.require_open(header.selling_entity, issued_on)
    commands = issuing.issue_invoice(call.read, asked.invoice, issued_on)
    return Decision(commands, (invoice_stream(asked.invoice),))


@dataclass(frozen=True)
class RecordPaymentInput:
    """Money that was received for an invoice."""

    invoice: Annotated[str, Doc("The issued invoice.")]
    payment: Annotated[str, Doc("The bank's or the ERP's id of the receipt; the same id again is the same payment.")]
    amount: Annotated[Amount, Doc("What was received, in the invoice's currency.")]
    received_on: Annotated[date | None, Doc("The value date; by default today at the selling entity.")] = None
    reference: Annotated[str, Doc("What the customer wrote.")] = ""


def record_payment(asked: RecordPaymentInput, call: Call) -> Decision:
    """Record money received for an invoice; once nothing is due it is paid."""
    header = require_invoice(asked.invoice, call)
    received_on = asked.received_on or (call.today_at(header.selling_entity) if header else call.now.date())
    stream = invoice_stream(asked.invoice)
    command = RecordPayment(asked.payment, received_on, asked.amount.money, asked.reference)
    return Decision([Addressed(stream, command)], (stream,))


def require_invoice(invoice: str, call: Call) -> Header | None:
    """The header of an invoice that the token is for; None when there is no such invoice, which its decider refuses."""
    match invoice_of(call.read, invoice):
        case Draft(header=header) | Approved(draft=Draft(header=header)) | Discarded(draft=Draft(header=header)):
            found: Header = header
        case Issued(document=document):
            found = document.header
        case _:
            call.require_firm()
            return None
    call.require_entity(found.selling_entity)
    return found


@dataclass(frozen=True)
class DeliverInvoiceInput:
    """That an invoice was sent."""

    invoice: Annotated[str, Doc("The issued invoice.")]
    channel: Annotated[str, Doc("By which way: email, portal, peppol, post.")]
    on: Annotated[date | None, Doc("When; by default today at the selling entity.")] = None


def deliver_invoice(asked: DeliverInvoiceInput, call: Call) -> Decision:
    """Record that the customer was sent an invoice, whether an ERP has posted it or not."""
    on = _day(asked.invoice, asked.on, call)
    return _one(asked.invoice, DeliverInvoice(on, call.actor, asked.channel))


@dataclass(frozen=True)
class DisputeInvoiceInput:
    """What a customer objects to."""

    invoice: Annotated[str, Doc("The issued invoice.")]
    dispute: Annotated[str, Doc("The id of the dispute, e.g. of the ticket; the same id again is the same dispute.")]
    reason: Annotated[str, Doc("What the customer says.")]
    amount: Annotated[Amount | None, Doc("How much of it; left out, all.")] = None
    on: Annotated[date | None, Doc("Since when; by default today at the selling entity.")] = None


def dispute_invoice(asked: DisputeInvoiceInput, call: Call) -> Decision:
    """Record that a customer disputes an invoice; it is not dunned until that is resolved."""
    on = _day(asked.invoice, asked.on, call)
    amount = asked.amount.money if asked.amount else None
    return _one(asked.invoice, DisputeInvoice(asked.dispute, on, asked.reason, call.actor, amount))


@dataclass(frozen=True)
class ResolveDisputeInput:
    """How a dispute ended."""

    invoice: Annotated[str, Doc("The disputed invoice.")]
    dispute: Annotated[str, Doc("The dispute.")]
    outcome: Annotated[str, Doc("What was agreed.")]
    on: Annotated[date | None, Doc("When; by default today at the selling entity.")] = None


def resolve_dispute(asked: ResolveDisputeInput, call: Call) -> Decision:
    """Record how a dispute ended; the invoice may be dunned again."""
    on = _day(asked.invoice, asked.on, call)
    return _one(asked.invoice, ResolveDispute(asked.dispute, on, asked.outcome, call.actor))


@dataclass(frozen=True)
class HandToCollectionsInput:
    """An overdue invoice to give to those who collect debts."""

    invoice: Annotated[str, Doc("The overdue invoice.")]
    reason: Annotated[str, Doc("What was tried before.")]
    target: Annotated[str, Doc("Who collects: the system that is told.")] = "collections"
    on: Annotated[date | None, Doc("When; by default today at the selling entity.")] = None


def hand_to_collections(asked: HandToCollectionsInput, call: Call) -> Decision:
    """Give an overdue invoice that nobody disputes to those who collect debts; they are told by a message."""
    on = _day(asked.invoice, asked.on, call)
    return _one(asked.invoice, HandToCollections(asked.target, on, call.actor, asked.reason))


@dataclass(frozen=True)
class WriteOffReceivableInput:
    """What is due of an invoice and given up."""

    invoice: Annotated[str, Doc("The issued invoice.")]
    reason: Annotated[str, Doc("Why; auditors will read it.")]
    amount: Annotated[Amount | None, Doc("How much; left out, all that is due.")] = None
    on: Annotated[date | None, Doc("When; by default today at the selling entity.")] = None
    tax: Annotated[Amount | None, Doc("What of it is tax that the law gives back; left out, none.")] = None


def write_off_receivable(asked: WriteOffReceivableInput, call: Call) -> Decision:
    """Give up what is due of an invoice; the entity's policy says whether it counts today or on the day of the work."""
    on = _day(asked.invoice, asked.on, call)
    amount = asked.amount.money if asked.amount else None
    tax = asked.tax.money if asked.tax else None
    commands = receivables.write_off(call.read, asked.invoice, amount, asked.reason, call.actor, on, tax)
    return Decision(commands, (invoice_stream(asked.invoice),))


@dataclass(frozen=True)
class ReleaseHoldbackInput:
    """What a customer kept back and now owes."""

    invoice: Annotated[str, Doc("The invoice of which it was kept back.")]
    reason: Annotated[str, Doc("What allows it, e.g. the final acceptance.")]
    amount: Annotated[Amount | None, Doc("How much; left out, all that is kept back.")] = None
    own_invoice: Annotated[bool, Doc("Ask for it by an invoice of its own, of which a draft is made.")] = False
    on: Annotated[date | None, Doc("When; by default today at the selling entity.")] = None


def release_holdback(asked: ReleaseHoldbackInput, call: Call) -> Decision:
    """Make due what a customer kept back: under the same invoice, or by a draft of an invoice of its own."""
    on = _day(asked.invoice, asked.on, call)
    amount = asked.amount.money if asked.amount else None
    into = call.new_id("INV", "holdback", asked.invoice) if asked.own_invoice else None
    commands = receivables.release_holdback(call.read, asked.invoice, amount, asked.reason, call.actor, on, into)
    about = (invoice_stream(asked.invoice), *((invoice_stream(into),) if into else ()))
    return Decision(commands, about)


@dataclass(frozen=True)
class RefundBalanceInput:
    """What a customer paid beyond what the credited invoice asks for."""

    invoice: Annotated[str, Doc("The credited invoice.")]
    refund: Annotated[str, Doc("The bank's id of the refund; the same id again is the same refund.")]
    amount: Annotated[Amount, Doc("How much is paid back.")]
    reason: Annotated[str, Doc("Why; auditors will read it.")]
    on: Annotated[date | None, Doc("When; by default today at the selling entity.")] = None


def refund_balance(asked: RefundBalanceInput, call: Call) -> Decision:
    """Pay back what a customer paid beyond what a credited invoice asks for."""
    on = _day(asked.invoice, asked.on, call)
    return _one(asked.invoice, RefundBalance(asked.refund, on, asked.amount.money, call.actor, asked.reason))


def _day(invoice: str, said: date | None, call: Call) -> date:
    """The day that was said, or else today at the selling entity of an invoice that the token is for."""
    header = require_invoice(invoice, call)
    return said or (call.today_at(header.selling_entity) if header else call.now.date())


def _one(invoice: str, command: object) -> Decision:
    stream = invoice_stream(invoice)
    return Decision([Addressed(stream, command)], (stream,))


SERVICES = (
    Service("approve-invoice", ApproveInvoiceInput, ("invoice",), approve_invoice),
    Service("issue-invoice", IssueInvoiceInput, ("invoice",), issue_invoice),
    Service("record-payment", RecordPaymentInput, ("invoice",), record_payment),
    Service("deliver-invoice", DeliverInvoiceInput, ("invoice",), deliver_invoice),
    Service("dispute-invoice", DisputeInvoiceInput, ("invoice",), dispute_invoice),
    Service("resolve-dispute", ResolveDisputeInput, ("invoice",), resolve_dispute),
    Service("hand-to-collections", HandToCollectionsInput, ("invoice",), hand_to_collections),
    Service("write-off-receivable", WriteOffReceivableInput, ("invoice",), write_off_receivable),
    Service("release-holdback", ReleaseHoldbackInput, ("invoice",), release_holdback),
    Service("refund-balance", RefundBalanceInput, ("invoice",), refund_balance),
)
