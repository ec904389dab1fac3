"""The register of invoices, folded from what happened to each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from domain.invoice import (
    AllowancesStated,
    BalanceRefunded,
    DisputeResolved,
    DraftDiscarded,
    HandedToCollections,
    HoldbackReleased,
    InvoiceApproved,
    InvoiceCredited,
    InvoiceDelivered,
    InvoiceDisputed,
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceLine,
    InvoicePaid,
    InvoicePaymentApplied,
    InvoicePaymentUnapplied,
    LinesAdded,
    LinesAdjusted,
    PaymentReceived,
    PostingConfirmed,
    PostingInDoubt,
    PostingRejected,
    PostingRequested,
    PostingSent,
    PrepaymentsStated,
    ReceivableWrittenOff,
)
from domain.kernel import Recorded, local_id
from domain.lots import LotsBilled
from projections.model import Handler
from projections.row_security import OF_ENTITY, OF_SELLER
from projections.shelf import Changes, Shelf, Source, SumChange
from projections.sums import Deltas
from projections.tables import Key, Table

POSTING_STEPS: Final = (PostingRequested, PostingSent, PostingInDoubt, PostingConfirmed, PostingRejected)
_NOTHING: Final = Decimal(0)


@dataclass(slots=True)
class InvoiceRecord:
    """One row of ``invoice``."""

    invoice: str
    number: str | None
    status: str
    engagement: str
    customer: str
    buyer_name: str | None
    selling_entity: str
    currency: str
    purchase_order: str | None
    cut_off: date
    prepared_by: str
    approved_by: str | None
    net: Decimal
    tax: Decimal
    gross: Decimal
    paid: Decimal
    due: Decimal
    held_back: Decimal
    written_off: Decimal
    credited: Decimal
    disputes: int
    collections_on: date | None
    issued_on: date | None
    due_on: date | None
    paid_on: date | None
    delivered_on: date | None
    functional_currency: str | None
    fx_rate: Decimal | None
    line_count: int
    lot_count: int
    first_work_date: date | None
    last_work_date: date | None
    drafted_at: datetime
    approved_at: datetime | None
    issued_at: datetime | None
    issued_version: int | None
    updated_at: datetime
    version: int


@dataclass(slots=True)
class InvoiceSumRecord:
    """One row of ``invoice_sum``."""

    selling_entity: str
    status: str
    currency: str
    invoices: int
    net: Decimal
    gross: Decimal
    paid: Decimal
    due: Decimal


@dataclass(slots=True)
class InvoicePaymentRecord:
    """One row of ``invoice_payment``: money of which a source says for which one invoice it arrived."""

    invoice: str
    payment: str
    customer: str
    entity: str
    currency: str
    received_on: date
    reference: str
    amount: Decimal
    recorded_at: datetime


INVOICES: Final = Table("invoice", InvoiceRecord, ("invoice",), shown=OF_SELLER)
INVOICE_SUMS: Final = Table("invoice_sum", InvoiceSumRecord, ("selling_entity", "status", "currency"), shown=OF_SELLER)
INVOICE_PAYMENTS: Final = Table("invoice_payment", InvoicePaymentRecord, ("invoice", "payment"), shown=OF_ENTITY)


class InvoicesFold:
    """Folds invoices into their register and its sums."""

    def __init__(self, source: Source) -> None:
        self.invoices: Shelf[InvoiceRecord] = Shelf(INVOICES, source, _has_ended)
        self._sums: Deltas[Key] = Deltas()
        self._received: list[InvoicePaymentRecord] = []
        self.on: Mapping[type, Handler] = {
            InvoiceDrafted: self._drafted,
            LinesAdded: self._lines_added,
            LinesAdjusted: self._lines_added,
            AllowancesStated: self._allowances,
            PrepaymentsStated: self._moved_on,
            DraftDiscarded: self._discarded,
            InvoiceApproved: self._approved,
            InvoiceIssued: self._issued,
            PaymentReceived: self._payment,
            InvoicePaymentApplied: self._applied,
            InvoicePaymentUnapplied: self._unapplied,
            BalanceRefunded: self._refunded,
            HoldbackReleased: self._released,
            ReceivableWrittenOff: self._written_off,
            InvoiceCredited: self._credited,
            InvoiceDelivered: self._delivered,
            InvoiceDisputed: self._disputed,
            DisputeResolved: self._resolved,
            HandedToCollections: self._collections,
            InvoicePaid: self._paid,
            **dict.fromkeys(POSTING_STEPS, self._moved_on),
        }
        self.wants: Mapping[type, Handler] = {**dict.fromkeys(self.on, self._want), LotsBilled: self._want_billing}

    def prepare(self) -> None:
        """Brings the invoices that the batch names."""
        self.invoices.fetch()

    def finish(self) -> None:
        """Nothing here depends on the batch as a whole."""

    def collect(self, changes: Changes) -> None:
        """The invoices that changed, and what that adds to the sums."""
        changes.tables.append(self.invoices.changes())
        changes.sums.append(SumChange(INVOICE_SUMS, self._sums.collect()))
        changes.append(INVOICE_PAYMENTS, [INVOICE_PAYMENTS.values(row) for row in self._received])
        self._received.clear()
        self.invoices.shrink()

    def of(self, invoice: str) -> InvoiceRecord | None:
        """The row of an invoice that the batch touches."""
        return self.invoices.get((invoice,))

    def rate_of(self, invoice: str) -> tuple[str, Decimal] | None:
        """The functional currency of an issued invoice, and its rate."""
        row = self.of(invoice)
        if row is None or row.functional_currency is None or row.fx_rate is None:
            return None
        return row.functional_currency, row.fx_rate

    def _want(self, fact: Recorded[Any]) -> None:
        self.invoices.wanted.add((local_id(fact.stream),))

    def _want_billing(self, fact: Recorded[LotsBilled]) -> None:
        self.invoices.wanted.add((fact.event.invoice,))

    def _changing(self, fact: Recorded[Any]) -> InvoiceRecord:
        """The row, taken out of the sums until it is counted again."""
        row = self.invoices.change((local_id(fact.stream),))
        self._sums.take(_cell(row), _amounts(row))
        row.updated_at, row.version = fact.recorded_at, fact.version
        return row

    def _count(self, row: InvoiceRecord) -> None:
        self._sums.add(_cell(row), _amounts(row))

    def _drafted(self, fact: Recorded[InvoiceDrafted]) -> None:
        event, header = fact.event, fact.event.header
        row = InvoiceRecord(
            invoice=event.invoice,
            number=None,
            status="draft",
            engagement=header.engagement,
            customer=header.customer,
            buyer_name=None,
            selling_entity=header.selling_entity,
            currency=header.currency,
            purchase_order=header.purchase_order,
            cut_off=header.cut_off,
            prepared_by=header.prepared_by,
            approved_by=None,
            net=_NOTHING,
            tax=_NOTHING,
            gross=_NOTHING,
            paid=_NOTHING,
            due=_NOTHING,
            held_back=_NOTHING,
            written_off=_NOTHING,
            credited=_NOTHING,
            disputes=0,
            collections_on=None,
            issued_on=None,
            due_on=None,
            paid_on=None,
            delivered_on=None,
            functional_currency=None,
            fx_rate=None,
            line_count=0,
            lot_count=0,
            first_work_date=None,
            last_work_date=None,
            drafted_at=fact.recorded_at,
            approved_at=None,
            issued_at=None,
            issued_version=None,
            updated_at=fact.recorded_at,
            version=fact.version,
        )
        _add_lines(row, event.lines)
        self.invoices.add((event.invoice,), row)
        self._count(row)

    def _lines_added(self, fact: Recorded[LinesAdded | LinesAdjusted]) -> None:
        row = self._changing(fact)
        _add_lines(row, fact.event.lines)
        self._count(row)

    def _allowances(self, fact: Recorded[AllowancesStated]) -> None:
        row = self._changing(fact)
        row.net += fact.event.change.amount
        row.gross = row.net
        self._count(row)

    def _discarded(self, fact: Recorded[DraftDiscarded]) -> None:
        row = self._changing(fact)
        row.status = "discarded"
        self._count(row)

    def _approved(self, fact: Recorded[InvoiceApproved]) -> None:
        row = self._changing(fact)
        row.status, row.approved_by, row.approved_at = "approved", fact.event.by, fact.event.at
        self._count(row)

    def _issued(self, fact: Recorded[InvoiceIssued]) -> None:
        row, document = self._changing(fact), fact.event.document
        row.status, row.number, row.buyer_name = "issued", document.number, document.buyer.name
        row.net, row.tax, row.gross = document.net.amount, document.tax.amount, document.gross.amount
        row.due, row.held_back = document.receivable.amount, document.holdback.amount
        row.issued_on, row.due_on, row.issued_at = document.issued_on, document.due_on, fact.recorded_at
        row.issued_version = fact.version
        row.functional_currency, row.fx_rate = document.functional_currency, document.fx_rate
        self._count(row)

    def _payment(self, fact: Recorded[PaymentReceived]) -> None:
        row, event = self._changing(fact), fact.event
        self._settle(row, event.amount.amount)
        self._received.append(
            InvoicePaymentRecord(
                invoice=row.invoice,
                payment=event.payment,
                customer=row.customer,
                entity=row.selling_entity,
                currency=event.amount.currency,
                received_on=event.received_on,
                reference=event.reference,
                amount=event.amount.amount,
                recorded_at=fact.recorded_at,
            )
        )

    def _applied(self, fact: Recorded[InvoicePaymentApplied]) -> None:
        self._settle(self._changing(fact), fact.event.amount.amount)

    def _unapplied(self, fact: Recorded[InvoicePaymentUnapplied]) -> None:
        row = self._changing(fact)
        row.status, row.paid_on = "issued", None
        self._settle(row, -fact.event.amount.amount)

    def _refunded(self, fact: Recorded[BalanceRefunded]) -> None:
        self._settle(self._changing(fact), -fact.event.amount.amount)

    def _settle(self, row: InvoiceRecord, amount: Decimal) -> None:
        row.paid += amount
        row.due -= amount
        self._count(row)

    def _released(self, fact: Recorded[HoldbackReleased]) -> None:
        row = self._changing(fact)
        row.held_back -= fact.event.amount.amount
        if fact.event.into is None:
            row.status, row.paid_on = "issued", None
            row.due += fact.event.amount.amount
            row.due_on = fact.event.due_on
        self._count(row)

    def _written_off(self, fact: Recorded[ReceivableWrittenOff]) -> None:
        row = self._changing(fact)
        row.written_off += fact.event.amount.amount
        row.due -= fact.event.amount.amount
        row.status = row.status if row.due else "written_off"
        self._count(row)

    def _credited(self, fact: Recorded[InvoiceCredited]) -> None:
        row = self._changing(fact)
        row.credited += fact.event.payable.amount
        row.due -= fact.event.payable.amount
        row.held_back -= fact.event.holdback.amount
        self._count(row)

    def _delivered(self, fact: Recorded[InvoiceDelivered]) -> None:
        self._told(fact).delivered_on = fact.event.on

    def _disputed(self, fact: Recorded[InvoiceDisputed]) -> None:
        row = self._changing(fact)
        row.disputes += 1
        self._count(row)

    def _resolved(self, fact: Recorded[DisputeResolved]) -> None:
        row = self._changing(fact)
        row.disputes -= 1
        self._count(row)

    def _collections(self, fact: Recorded[HandedToCollections]) -> None:
        row = self._changing(fact)
        row.collections_on = fact.event.on
        self._count(row)

    def _moved_on(self, fact: Recorded[Any]) -> None:
        """A step of its posting, which the synchronisation status tells."""
        self._told(fact)

    def _told(self, fact: Recorded[Any]) -> InvoiceRecord:
        """The row of an invoice of which something was told that changes no sum."""
        row = self.invoices.change((local_id(fact.stream),))
        row.updated_at, row.version = fact.recorded_at, fact.version
        return row

    def _paid(self, fact: Recorded[InvoicePaid]) -> None:
        """Nothing is due any more: it was paid, or credited before any money came."""
        row = self._changing(fact)
        row.status, row.paid_on = "paid" if row.paid else "credited", fact.event.on
        self._count(row)


def _has_ended(row: InvoiceRecord) -> bool:
    return row.status in ("paid", "credited", "discarded", "written_off")


def _add_lines(row: InvoiceRecord, lines: Iterable[InvoiceLine]) -> None:
    """Until it is issued, an invoice is worth its lines, and its tax is not known."""
    for line in lines:
        row.net += line.net.amount
        row.line_count += 1
        row.lot_count += len(line.lots)
        row.first_work_date = min(row.first_work_date or line.first_work_date, line.first_work_date)
        row.last_work_date = max(row.last_work_date or line.last_work_date, line.last_work_date)
    row.gross = row.net


def _cell(row: InvoiceRecord) -> Key:
    return (row.selling_entity, row.status, row.currency)


def _amounts(row: InvoiceRecord) -> tuple[int | Decimal, ...]:
    return (1, row.net, row.gross, row.paid, row.due)
