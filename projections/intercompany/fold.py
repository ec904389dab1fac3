"""Follows what entities charge each other: every lot from its transfer price to the invoice between them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from domain.intercompany.invoice import IntercompanyInvoiced, IntercompanySettled
from domain.kernel import Recorded, StreamId
from domain.lots import Lot, LotRated, LotReversed, LotSplit, LotTransferred
from domain.lots.transfer import PricedTransfer, TransfersCredited, TransfersInvoiced, TransfersPriced
from projections.eligibility.items import Item
from projections.eligibility.lots import LotsFold
from projections.model import Handler
from projections.row_security import OF_EITHER_SIDE
from projections.shelf import Changes, Shelf, Source
from projections.tables import Table


@dataclass(slots=True)
class TransferRecord:
    """One row of ``transfer``: a lot that is charged for, or should be; ``status`` says what is to happen next."""

    stream: str
    lot: str
    lender: str
    borrower: str
    crossing: bool
    engagement: str
    project: str
    work_date: date
    quantity: Decimal
    currency: str
    price: Decimal | None
    value: Decimal | None
    because: str
    gap: str | None
    status: str
    number: str | None


@dataclass(slots=True)
class IntercompanyInvoiceRecord:
    """One row of ``intercompany_invoice``: the sale of the lender and the purchase of the borrower in one."""

    number: str
    lender: str
    borrower: str
    period: str
    issued_on: date
    currency: str
    lines: int
    net: Decimal
    tax: Decimal
    gross: Decimal
    tax_category: str
    lender_currency: str
    lender_revenue: Decimal
    lender_receivable: Decimal
    lender_rate_id: str
    borrower_currency: str
    borrower_cost: Decimal
    borrower_payable: Decimal
    borrower_rate_id: str
    run_by: str
    event: str
    recorded_at: datetime
    settled: Decimal


TRANSFERS: Final = Table("transfer", TransferRecord, ("stream", "lot"), shown=OF_EITHER_SIDE)
INTERCOMPANY_INVOICES: Final = Table(
    "intercompany_invoice", IntercompanyInvoiceRecord, ("number",), shown=OF_EITHER_SIDE
)


class IntercompanyFold:
    """Folds transfers and the invoices between entities."""

    def __init__(self, source: Source, lots: LotsFold) -> None:
        self._transfers: Shelf[TransferRecord] = Shelf(TRANSFERS, source)
        self._invoices: Shelf[IntercompanyInvoiceRecord] = Shelf(INTERCOMPANY_INVOICES, source)
        self._lots = lots
        self.wants: Mapping[type, Handler] = {
            LotSplit: self._want_one,
            LotReversed: self._want_one,
            LotTransferred: self._want_one,
            TransfersPriced: self._want_priced,
            TransfersInvoiced: self._want_each,
            TransfersCredited: self._want_each,
            IntercompanySettled: self._want_settled,
        }
        self.on: Mapping[type, Handler] = {
            LotRated: self._rated,
            LotSplit: self._split,
            LotReversed: self._reversed,
            LotTransferred: self._reversed,
            TransfersPriced: self._priced,
            TransfersInvoiced: self._invoiced,
            TransfersCredited: self._credited,
            IntercompanyInvoiced: self._issued,
            IntercompanySettled: self._settled,
        }

    def prepare(self) -> None:
        """Brings the transfers and invoices that the batch names."""
        self._transfers.fetch()
        self._invoices.fetch()

    def finish(self) -> None:
        """Nothing here depends on the batch as a whole."""

    def collect(self, changes: Changes) -> None:
        """The rows that changed."""
        for shelf in (self._transfers, self._invoices):
            changes.tables.append(shelf.changes())
            shelf.shrink()

    # -- which rows a fact needs -------------------------------------------------------------------------------------

    def _want_one(self, fact: Recorded[LotSplit | LotReversed | LotTransferred]) -> None:
        self._transfers.wanted.add((fact.stream, fact.event.lot))

    def _want_each(self, fact: Recorded[TransfersInvoiced | TransfersCredited]) -> None:
        self._transfers.wanted.update([(fact.stream, lot) for lot in fact.event.lots])

    def _want_priced(self, fact: Recorded[TransfersPriced]) -> None:
        keys = [(fact.stream, each.lot) for each in fact.event.lots]
        self._transfers.wanted.update(keys)
        self._lots.items.wanted.update(keys)

    # -- what a fact does --------------------------------------------------------------------------------------------

    def _rated(self, fact: Recorded[LotRated]) -> None:
        lot = fact.event.lot
        if lot.transfer is not None or lot.transfer_gap is not None:
            self._transfers.add((fact.stream, lot.lot), _of_lot(fact.stream, lot))

    def _split(self, fact: Recorded[LotSplit]) -> None:
        key = (fact.stream, fact.event.lot)
        whole = self._transfers.get(key)
        if whole is None:
            return
        for part in fact.event.parts:
            value = part.transfer.amount if part.transfer is not None else None
            row = replace(whole, lot=part.lot, quantity=part.quantity, value=value)
            self._transfers.add((fact.stream, part.lot), row)
        self._transfers.remove(key)

    def _reversed(self, fact: Recorded[LotReversed | LotTransferred]) -> None:
        """What was invoiced between the entities has to be taken back; what was not is no transfer any more."""
        key = (fact.stream, fact.event.lot)
        row = self._transfers.get(key)
        if row is None:
            return
        if row.number is None:
            self._transfers.remove(key)
        else:
            self._transfers.change(key).status = "to_take_back"

    def _priced(self, fact: Recorded[TransfersPriced]) -> None:
        for priced in fact.event.lots:
            key = (fact.stream, priced.lot)
            if priced.transfer is None and priced.gap is None:
                self._transfers.remove(key)
            else:
                item = self._lots.items.get(key)
                assert item is not None, "a lot is rated before it is charged"
                self._transfers.add(key, _of_item(item, priced))

    def _invoiced(self, fact: Recorded[TransfersInvoiced]) -> None:
        for lot in fact.event.lots:
            row = self._transfers.change((fact.stream, lot))
            row.status, row.number = "invoiced", fact.event.number

    def _credited(self, fact: Recorded[TransfersCredited]) -> None:
        for lot in fact.event.lots:
            self._transfers.remove((fact.stream, lot))

    def _issued(self, fact: Recorded[IntercompanyInvoiced]) -> None:
        invoice = fact.event.invoice
        sale, purchase = invoice.lender_leg, invoice.borrower_leg
        row = IntercompanyInvoiceRecord(
            number=invoice.number,
            lender=invoice.lender,
            borrower=invoice.borrower,
            period=invoice.period,
            issued_on=invoice.issued_on,
            currency=invoice.gross.currency,
            lines=len(invoice.lines),
            net=invoice.net.amount,
            tax=invoice.tax.amount,
            gross=invoice.gross.amount,
            tax_category=invoice.tax_category,
            lender_currency=sale.value.currency,
            lender_revenue=sale.value.amount,
            lender_receivable=(sale.value + sale.tax).amount,
            lender_rate_id=sale.rate_id,
            borrower_currency=purchase.value.currency,
            borrower_cost=purchase.value.amount,
            borrower_payable=(purchase.value + purchase.tax).amount,
            borrower_rate_id=purchase.rate_id,
            run_by=fact.event.by,
            event=fact.id,
            recorded_at=fact.recorded_at,
            settled=Decimal(0),
        )
        self._invoices.add((row.number,), row)

    def _want_settled(self, fact: Recorded[IntercompanySettled]) -> None:
        self._invoices.wanted.update([(each.number,) for each in fact.event.settlement.invoices])

    def _settled(self, fact: Recorded[IntercompanySettled]) -> None:
        for each in fact.event.settlement.invoices:
            self._invoices.change((each.number,)).settled += each.amount.amount


def _of_lot(stream: StreamId, lot: Lot) -> TransferRecord:
    row = _place(stream, lot.lot, lot.delivering_entity, lot.selling_entity)
    row = replace(row, engagement=lot.engagement, project=lot.project, work_date=lot.work_date, quantity=lot.quantity)
    return _with(row, PricedTransfer(lot.lot, lot.transfer, lot.transfer_gap))


def _of_item(item: Item, priced: PricedTransfer) -> TransferRecord:
    row = _place(item.stream, item.item, item.delivering_entity or "", item.selling_entity)
    row = replace(
        row, engagement=item.engagement, project=item.project, work_date=item.work_date, quantity=item.quantity
    )
    return _with(row, priced)


def _place(stream: str, lot: str, lender: str, borrower: str) -> TransferRecord:
    nothing = Decimal(0)
    return TransferRecord(
        stream, lot, lender, borrower, False, "", "", date.min, nothing, "", None, None, "", None, "lacking", None
    )


def _with(row: TransferRecord, priced: PricedTransfer) -> TransferRecord:
    """A row with what is charged, or why nothing can be."""
    if priced.transfer is None:
        return replace(
            row, because=priced.gap.detail if priced.gap else "", gap=priced.gap.code if priced.gap else None
        )
    transfer = priced.transfer
    return replace(
        row,
        lender=transfer.lender,
        borrower=transfer.borrower,
        crossing=transfer.crossing,
        currency=transfer.value.currency,
        price=transfer.price,
        value=transfer.value.amount,
        because=transfer.because,
        status="crossing" if transfer.crossing else "due",
    )
