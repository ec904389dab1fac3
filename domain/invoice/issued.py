"""What happens to an invoice once the customer has it: postings, payments, disputes, collections, write-offs, credits.

What is due is never stored: it is what the document asks for, less everything that has settled it since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, assert_never

from domain.invoice.document import Document
from domain.invoice.issued_words import (
    BalanceRefunded,
    ConfirmPosting,
    CreditAboveLine,
    CreditInvoice,
    DeliverInvoice,
    DisputeInvoice,
    DisputeResolved,
    GiveBackPayment,
    HandedToCollections,
    HandToCollections,
    HoldbackExceeded,
    HoldbackReleased,
    InvoiceCredited,
    InvoiceDelivered,
    InvoiceDisputed,
    InvoiceIsDisputed,
    InvoicePaid,
    InvoicePaymentApplied,
    InvoicePaymentUnapplied,
    IssuedCommand,
    IssuedEvent,
    LineCredited,
    NotOverdue,
    PaymentAboveBalance,
    PaymentCurrencyDiffers,
    PaymentDiffers,
    PaymentNotPositive,
    PaymentReceived,
    PostingConfirmed,
    PostingInDoubt,
    PostingRejected,
    PostingRequested,
    PostingSent,
    ReceivableWrittenOff,
    RecordPayment,
    RefundAboveBalance,
    RefundBalance,
    RejectPosting,
    ReleaseHoldback,
    ReportPostingInDoubt,
    ReportPostingSent,
    RequestPosting,
    ResolveDispute,
    TakePayment,
    UnknownDispute,
    WriteOffAboveBalance,
    WriteOffAboveTax,
    WriteOffReceivable,
)
from domain.invoice.posting import Posting, PostingFacts, decide_posting
from domain.money import Money, total, zero


@dataclass(frozen=True, slots=True)
class Issued:
    """An invoice that the customer has, with its postings and all that settled it since."""

    invoice: str
    document: Document
    approved_by: str
    postings: Mapping[str, Posting] = field(default_factory=dict)
    payments: Mapping[str, PaymentReceived] = field(default_factory=dict)
    paid_on: date | None = None
    applied: Mapping[str, InvoicePaymentApplied] = field(default_factory=dict)
    refunds: Mapping[str, BalanceRefunded] = field(default_factory=dict)
    releases: tuple[HoldbackReleased, ...] = ()
    disputes: Mapping[str, InvoiceDisputed] = field(default_factory=dict)
    resolved: Mapping[str, DisputeResolved] = field(default_factory=dict)
    collections: HandedToCollections | None = None
    write_offs: tuple[ReceivableWrittenOff, ...] = ()
    credits: Mapping[str, InvoiceCredited] = field(default_factory=dict)
    delivered: InvoiceDelivered | None = None

    def _sum(self, amounts: Iterable[Money]) -> Money:
        return total(amounts, self.document.gross.currency)

    @property
    def paid(self) -> Money:
        """What has been received, less what was paid back."""
        received = self._sum(payment.amount for payment in self.payments.values())
        applied = self._sum(each.amount for each in self.applied.values())
        return received + applied - self._sum(each.amount for each in self.refunds.values())

    @property
    def written_off(self) -> Money:
        """What was given up."""
        return self._sum(each.amount for each in self.write_offs)

    @property
    def held_back(self) -> Money:
        """What the customer still keeps back."""
        credited = self._sum(each.holdback for each in self.credits.values())
        return self.document.holdback - self._sum(each.amount for each in self.releases) - credited

    @property
    def credited(self) -> Money:
        """What credit notes took off what the invoice asks for."""
        return self._sum(each.payable for each in self.credits.values())

    def credits_of(self, line: int) -> list[LineCredited]:
        """What was credited of one line, oldest first."""
        return [each for credit in self.credits.values() for each in credit.lines if each.line == line]

    @property
    def receivable(self) -> Money:
        """What the invoice asks for: the document's amount, and what was kept back and released under it since."""
        released = self._sum(each.amount for each in self.releases if each.into is None)
        return self.document.receivable + released

    @property
    def due(self) -> Money:
        """What is still to be received; below zero, the customer has paid too much."""
        return self.receivable - self.credited - self.paid - self.written_off

    @property
    def is_disputed(self) -> bool:
        """Whether a dispute is open."""
        return any(dispute not in self.resolved for dispute in self.disputes)


_POSTING: Final[PostingFacts[IssuedEvent]] = PostingFacts(
    PostingRequested, PostingSent, PostingInDoubt, PostingConfirmed, PostingRejected
)


def decide_issued(command: IssuedCommand, state: Issued) -> Sequence[IssuedEvent]:
    """What a command causes once the customer has the invoice."""
    match command:
        case RequestPosting() | ReportPostingSent() | ReportPostingInDoubt() | ConfirmPosting() | RejectPosting():
            return decide_posting(command, state.postings.get(command.target), _POSTING)
        case RecordPayment():
            return _pay(command, state)
        case TakePayment():
            return _take(command, state)
        case GiveBackPayment(payment, on, reason):
            known = state.applied.get(payment)
            return [InvoicePaymentUnapplied(payment, on, known.amount, known.settled, reason)] if known else []
        case RefundBalance():
            return _refund(command, state)
        case ReleaseHoldback():
            return _release(command, state)
        case DeliverInvoice(on, by, channel):
            return [] if state.delivered is not None else [InvoiceDelivered(on, by, channel)]
        case DisputeInvoice(dispute, on, reason, by, amount):
            return [] if dispute in state.disputes else [InvoiceDisputed(dispute, on, reason, by, amount)]
        case ResolveDispute(dispute, on, outcome, by):
            if dispute not in state.disputes:
                raise UnknownDispute(dispute)
            return [] if dispute in state.resolved else [DisputeResolved(dispute, on, outcome, by)]
        case HandToCollections():
            return _collect(command, state)
        case WriteOffReceivable():
            return _write_off(command, state)
        case CreditInvoice(credited):
            return _credit(credited, state)
        case _:
            assert_never(command)


def settling(event: IssuedEvent, state: Issued, on: date) -> list[IssuedEvent]:
    """The event, and that the invoice is paid where nothing is due after it."""
    was_due, now_due = state.due, evolve_issued(state, event).due
    return [event, InvoicePaid(on)] if was_due and not now_due else [event]


def _require_payable(amount: Money, state: Issued) -> None:
    currency = state.document.gross.currency
    if amount.currency != currency:
        raise PaymentCurrencyDiffers(f"{amount} for {state.document.gross}.")
    if amount <= zero(currency):
        raise PaymentNotPositive(str(amount))
    if state.due < amount:
        raise PaymentAboveBalance(f"{amount} received, {state.due} due.")


def _pay(command: RecordPayment, state: Issued) -> Sequence[IssuedEvent]:
    received = PaymentReceived(command.payment, command.received_on, command.amount, command.reference)
    known = state.payments.get(command.payment)
    if known == received:
        return []
    if known is not None:
        raise PaymentDiffers(f"{command.payment} is {known.amount} of {known.received_on}.")
    _require_payable(command.amount, state)
    return settling(received, state, command.received_on)


def _take(command: TakePayment, state: Issued) -> Sequence[IssuedEvent]:
    taken = InvoicePaymentApplied(command.payment, command.on, command.amount, command.settled)
    known = state.applied.get(command.payment)
    if known is not None and (known.amount, known.settled) == (taken.amount, taken.settled):
        return []
    if known is not None:
        raise PaymentDiffers(f"{command.payment} settles {known.amount} of it.")
    _require_payable(command.amount, state)
    return settling(taken, state, command.on)


def _refund(command: RefundBalance, state: Issued) -> Sequence[IssuedEvent]:
    if command.refund in state.refunds:
        return []
    if command.amount <= zero(command.amount.currency):
        raise PaymentNotPositive(str(command.amount))
    if -state.due < command.amount:
        raise RefundAboveBalance(f"{command.amount} asked, {-state.due} paid too much.")
    return [BalanceRefunded(command.refund, command.on, command.amount, command.by, command.reason)]


def _release(command: ReleaseHoldback, state: Issued) -> Sequence[IssuedEvent]:
    if not state.held_back and command.amount is None:
        return []
    amount = state.held_back if command.amount is None else command.amount
    if amount <= zero(amount.currency) or state.held_back < amount:
        raise HoldbackExceeded(f"{amount} asked, {state.held_back} kept back.")
    return [HoldbackReleased(amount, command.on, command.due_on, command.by, command.reason, command.into)]


def _collect(command: HandToCollections, state: Issued) -> Sequence[IssuedEvent]:
    if state.collections is not None:
        return []
    if state.is_disputed:
        raise InvoiceIsDisputed(state.document.number)
    if state.due <= zero(state.due.currency) or command.on <= state.document.due_on:
        raise NotOverdue(f"{state.due} due on {state.document.due_on}.")
    return [HandedToCollections(command.target, command.on, state.due, command.by, command.reason)]


def _write_off(command: WriteOffReceivable, state: Issued) -> Sequence[IssuedEvent]:
    if not state.due:
        return []
    amount = state.due if command.amount is None else command.amount
    if amount <= zero(amount.currency) or state.due < amount:
        raise WriteOffAboveBalance(f"{amount} asked, {state.due} due.")
    if command.tax is not None:
        _require_charged(command.tax, amount, state)
    return [ReceivableWrittenOff(amount, command.on, command.effective_on, command.by, command.reason, command.tax)]


def _require_charged(tax: Money, amount: Money, state: Issued) -> None:
    """Tax that was claimed or credited before is not claimed again."""
    charged = state.document.tax
    before = total((each.tax for each in state.write_offs if each.tax is not None), charged.currency)
    credited = total((each.tax for each in state.credits.values()), charged.currency)
    if tax <= zero(tax.currency) or amount < tax or charged < before + credited + tax:
        raise WriteOffAboveTax(f"{tax} of {amount} asked; {charged - before - credited} of {charged} are left.")


def _credit(credited: InvoiceCredited, state: Issued) -> Sequence[IssuedEvent]:
    if credited.credit_note in state.credits:
        return []
    by_number = {line.line: line for line in state.document.lines}
    for each in credited.lines:
        line = by_number[each.line]
        whole, before = line.net.amount, sum(known.net.amount for known in state.credits_of(each.line))
        sign = -1 if whole < 0 else 1
        if sign * (before + each.net.amount) > sign * whole:
            left = Money(whole - before, line.net.currency)
            raise CreditAboveLine(f"Line {each.line}: {each.net} asked, {left} left.")
    return settling(credited, state, credited.on)


def evolve_issued(state: Issued, event: object) -> Issued:
    """The invoice after one event; those of drafts change nothing any more."""
    match event:
        case PostingRequested(target):
            return replace(state, postings={**state.postings, target: Posting("requested")})
        case PostingSent(target):
            return replace(state, postings={**state.postings, target: Posting("sent")})
        case PostingInDoubt(target, reason):
            return replace(state, postings={**state.postings, target: Posting("in_doubt", None, reason)})
        case PostingConfirmed(target, external_id):
            return replace(state, postings={**state.postings, target: Posting("confirmed", external_id)})
        case PostingRejected(target, reason):
            return replace(state, postings={**state.postings, target: Posting("rejected", None, reason)})
        case PaymentReceived():
            return replace(state, payments={**state.payments, event.payment: event})
        case InvoicePaymentApplied():
            return replace(state, applied={**state.applied, event.payment: event})
        case InvoicePaymentUnapplied(payment):
            rest = {name: applied for name, applied in state.applied.items() if name != payment}
            return replace(state, applied=rest, paid_on=None)
        case InvoicePaid(on):
            return replace(state, paid_on=on)
        case BalanceRefunded():
            return replace(state, refunds={**state.refunds, event.refund: event})
        case HoldbackReleased():
            paid_on = state.paid_on if event.into else None
            return replace(state, releases=(*state.releases, event), paid_on=paid_on)
        case InvoiceDelivered():
            return replace(state, delivered=event)
        case InvoiceDisputed():
            return replace(state, disputes={**state.disputes, event.dispute: event})
        case DisputeResolved():
            return replace(state, resolved={**state.resolved, event.dispute: event})
        case HandedToCollections():
            return replace(state, collections=event)
        case ReceivableWrittenOff():
            return replace(state, write_offs=(*state.write_offs, event))
        case InvoiceCredited():
            return replace(state, credits={**state.credits, event.credit_note: event})
        case _:
            return state
