"""On which day, and in whose books, somebody states that something happened: what soft-closed months are closed for.

Such a fact posts on its own day while a finance approver states it there. Everything else that posts, such as work that
is corrected or comes under a cap, is a late fact and posts in the first open month.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from domain.books.accounting_period import AccountingPeriods, PeriodIsSoftClosed, PeriodStatus, accounting_period_stream
from domain.books.accounting_period import posting_day as posted_on
from domain.credit_note import CreditNoteIssued
from domain.engagement.agreement import EngagementCompleted, LineAgreed
from domain.engagement.change_orders import ChangeOrderApproved
from domain.engagement.milestones import MilestoneAccepted
from domain.engagement.progress import CostRecorded, EstimateRevised, ProgressMeasured
from domain.engagement.retainer import RetainerRefunded
from domain.intercompany.invoice import IntercompanyInvoiced, IntercompanySettled
from domain.invoice import (
    BalanceRefunded,
    HoldbackReleased,
    InvoiceIssued,
    InvoicePaymentApplied,
    InvoicePaymentUnapplied,
    Issued,
    PaymentReceived,
    ReceivableWrittenOff,
)
from domain.kernel import StreamId, decider_name, local_id
from domain.lots import LotRated
from domain.payment import MoneyReceived, Payment, PaymentRefunded
from domain.periods import month_of
from domain.ports import Read, engagement_of, invoice_of

_OF_INVOICES = (
    PaymentReceived,
    InvoicePaymentApplied,
    InvoicePaymentUnapplied,
    BalanceRefunded,
    HoldbackReleased,
    ReceivableWrittenOff,
)
_OF_ENGAGEMENTS = (
    ProgressMeasured,
    EstimateRevised,
    CostRecorded,
    EngagementCompleted,
    RetainerRefunded,
    MilestoneAccepted,
    ChangeOrderApproved,
)
_OF_ENTITIES = (
    InvoiceIssued,
    CreditNoteIssued,
    MoneyReceived,
    PaymentRefunded,
    IntercompanyInvoiced,
    IntercompanySettled,
)


def states_its_day(stream: StreamId, event: object) -> bool:
    """Whether whoever records a fact says on which day of the books it is; a promise falls due on a stated day too."""
    if isinstance(event, LotRated):
        return decider_name(stream) == "engagement"
    if isinstance(event, LineAgreed):
        return event.on is not None
    return isinstance(event, (*_OF_INVOICES, *_OF_ENGAGEMENTS, *_OF_ENTITIES))


def stated_days(stream: StreamId, event: object, read: Read) -> Iterator[tuple[str, date]]:
    """The legal entities in whose books a fact states something, each with the day."""
    match event:
        case InvoiceIssued(document=document):
            yield document.header.selling_entity, document.issued_on
        case CreditNoteIssued(credit=credit, issued_on=day):
            yield credit.header.selling_entity, day
        case MoneyReceived(entity=entity, received_on=day):
            yield entity, day
        case PaymentRefunded(on=day):
            payment: Payment = read(stream)
            if payment.received is not None:
                yield payment.received.entity, day
        case IntercompanyInvoiced(invoice):
            yield from ((entity, invoice.issued_on) for entity in (invoice.lender, invoice.borrower))
        case IntercompanySettled(settlement):
            yield from ((entity, settlement.paid_on) for entity in (settlement.lender, settlement.borrower))
        case LotRated(lot) if states_its_day(stream, event):
            yield lot.selling_entity, lot.work_date
        case _ if isinstance(event, _OF_INVOICES):
            state = invoice_of(read, local_id(stream))
            if isinstance(state, Issued):
                yield state.document.header.selling_entity, _day_of(event)
        case LineAgreed(on=None):
            return
        case _ if isinstance(event, (*_OF_ENGAGEMENTS, LineAgreed)):
            yield engagement_of(read, local_id(stream)).terms.selling_entity, _day_of(event)
        case _:
            return


def _day_of(event: Any) -> date:
    """The day of the books that a fact names; the one from which it counts where it names several."""
    for name in ("effective_on", "received_on", "accepted_on", "effective_from", "on"):
        if (day := getattr(event, name, None)) is not None:
            named: date = day
            return named
    raise AssertionError(f"{type(event).__name__} states no day")


def require_not_soft_closed(stream: StreamId, event: object, read: Read) -> None:
    """Raises PeriodIsSoftClosed where a fact would post in a month in which only finance approvers state anything."""
    for entity, day in stated_days(stream, event, read):
        periods: AccountingPeriods = read(accounting_period_stream(entity))
        month = month_of(posted_on(day, periods, of_approver=True))
        if periods.status_of(month) is PeriodStatus.SOFT_CLOSED:
            raise PeriodIsSoftClosed(f"{month} of {entity}.")
