"""Services around invoices: request a draft or a billing run, discard, approve, issue, record payments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated

from typing_extensions import Doc

from api.errors import Problem, problem_of
from api.services.service import Amount, Call, Decision, InputIncomplete, Service
from domain import billing
from domain.invoice import Approved, Discarded, Draft, Header, Issued, NothingToBill, RecordPayment, invoice_stream
from domain.kernel import Addressed, StreamId
from domain.ports import LotAt, engagement_of, invoice_of

ENGAGEMENTS_PER_RUN_MAX = 500
LOTS_PER_DRAFT_MAX = 5_000


@dataclass(frozen=True)
class LotInput:
    """A lot, as billingEligibility names it."""

    stream: Annotated[str, Doc("The stream that holds the lot.")]
    lot: Annotated[str, Doc("The lot.")]


@dataclass(frozen=True)
class RequestInvoiceInput:
    """What to bill: one engagement, or all that a legal entity sells (a billing run)."""

    engagement: Annotated[str | None, Doc("The engagement to bill.")] = None
    selling_entity: Annotated[str | None, Doc("The legal entity whose engagements are billed one by one.")] = None
    cut_off: Annotated[date | None, Doc("Later work is left out; by default today at the selling entity.")] = None
    lots: Annotated[tuple[LotInput, ...] | None, Doc("Only these lots; each must be eligible.")] = None
    invoice: Annotated[str | None, Doc("The id of the draft of one engagement; left out, one is made.")] = None


def request_invoice(asked: RequestInvoiceInput, call: Call) -> Decision:
    """Put eligible lots on a draft invoice, of one engagement or of each one that an entity sells.

    Only what is eligible when this is decided, up to the cap of each contract line, gets on a draft. A dry run shows
    the drafts that it would make.
    """
    match (asked.engagement, asked.selling_entity):
        case (str(engagement), None):
            return _draft(asked, engagement, call)
        case (None, str(entity)):
            return _billing_run(asked, entity, call)
        case _:
            raise InputIncomplete("Name an engagement or a selling entity, one of the two.")


def _draft(asked: RequestInvoiceInput, engagement: str, call: Call) -> Decision:
    call.require_engagement(engagement)
    cut_off = asked.cut_off or call.today_at(engagement_of(call.read, engagement).terms.selling_entity)
    if asked.lots is not None:
        lots = [LotAt(StreamId(each.stream), each.lot) for each in asked.lots]
    else:
        lots = list(call.candidates.eligible_of(engagement, cut_off.isoformat()))
    invoice = asked.invoice or call.new_id("INV", engagement)
    strict = asked.lots is not None
    commands = _commands(invoice, engagement, lots, cut_off, call, strict=strict)
    return Decision(commands, (invoice_stream(invoice),))


def _commands(
    invoice: str, engagement: str, lots: list[LotAt], cut_off: date, call: Call, *, strict: bool
) -> list[Addressed]:
    """A draft takes up to a limit of lots; the next request bills the rest."""
    some = lots[:LOTS_PER_DRAFT_MAX]
    return billing.draft_invoice(call.read, invoice, engagement, some, cut_off=cut_off, by=call.actor, strict=strict)


def _billing_run(asked: RequestInvoiceInput, entity: str, call: Call) -> Decision:
    if asked.lots is not None or asked.invoice is not None:
        raise InputIncomplete("lots and invoice belong to the draft of one engagement.")
    call.require_entity(entity)
    cut_off = asked.cut_off or call.today_at(entity)
    commands: list[Addressed] = []
    drafts: list[StreamId] = []
    left_out: list[Problem] = []
    for engagement in call.candidates.engagements_with_eligible(entity, cut_off.isoformat())[:ENGAGEMENTS_PER_RUN_MAX]:
        invoice = call.new_id("INV", engagement)
        lots = list(call.candidates.eligible_of(engagement, cut_off.isoformat()))
        try:
            commands += _commands(invoice, engagement, lots, cut_off, call, strict=False)
            drafts.append(invoice_stream(invoice))
        except NothingToBill as nothing:
            left_out.append(problem_of(nothing))
    if not drafts:
        raise NothingToBill(f"Nothing that {entity} sells can be billed up to {cut_off}.")
    return Decision(commands, tuple(drafts), tuple(left_out))


@dataclass(frozen=True)
class DiscardDraftInput:
    """A draft to give up."""

    invoice: Annotated[str, Doc("The draft.")]
    reason: Annotated[str, Doc("Why; auditors will read it.")]


def discard_draft(asked: DiscardDraftInput, call: Call) -> Decision:
    """Give up a draft; its lots become eligible again."""
    _require_invoice(asked.invoice, call)
    commands = billing.discard_draft(call.read, asked.invoice, call.actor, asked.reason)
    return Decision(commands, (invoice_stream(asked.invoice),))


@dataclass(frozen=True)
class ApproveInvoiceInput:
    """A draft to release for issue."""

    invoice: Annotated[str, Doc("The draft.")]
    approved_on: Annotated[date | None, Doc("The business day of the approval; by default now.")] = None


def approve_invoice(asked: ApproveInvoiceInput, call: Call) -> Decision:
    """Release a draft for issue; nobody approves what they prepared above the entity's limit."""
    header = _require_invoice(asked.invoice, call)
    zone = call.now.tzinfo
    at = datetime.combine(asked.approved_on, time(12), zone) if asked.approved_on and header else call.now
    commands = billing.approve_invoice(call.read, asked.invoice, call.actor, at)
    return Decision(commands, (invoice_stream(asked.invoice),))


@dataclass(frozen=True)
class IssueInvoiceInput:
    """An approved invoice to issue."""

    invoice: Annotated[str, Doc("The approved invoice.")]
    issued_on: Annotated[date | None, Doc("The date on it; by default today at the selling entity.")] = None


def issue_invoice(asked: IssueInvoiceInput, call: Call) -> Decision:
    """Issue an approved invoice under the next number of its series; its posting is then requested by itself."""
    header = _require_invoice(asked.invoice, call)
    issued_on = asked.issued_on or (call.today_at(header.selling_entity) if header else call.now.date())
    commands = billing.issue_invoice(call.read, asked.invoice, issued_on)
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
    header = _require_invoice(asked.invoice, call)
    received_on = asked.received_on or (call.today_at(header.selling_entity) if header else call.now.date())
    stream = invoice_stream(asked.invoice)
    command = RecordPayment(asked.payment, received_on, asked.amount.money, asked.reference)
    return Decision([Addressed(stream, command)], (stream,))


def _require_invoice(invoice: str, call: Call) -> Header | None:
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


SERVICES = (
    Service("request-invoice", RequestInvoiceInput, ("invoice",), request_invoice, asks_candidates=True),
    Service("discard-draft", DiscardDraftInput, ("invoice",), discard_draft),
    Service("approve-invoice", ApproveInvoiceInput, ("invoice",), approve_invoice),
    Service("issue-invoice", IssueInvoiceInput, ("invoice",), issue_invoice),
    Service("record-payment", RecordPaymentInput, ("invoice",), record_payment),
)
