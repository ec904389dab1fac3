"""The register of credit notes, folded from what happened to each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from domain.credit_note import (
    CreditNoteApproved,
    CreditNoteDelivered,
    CreditNoteDiscarded,
    CreditNoteDrafted,
    CreditNoteIssued,
    CreditPostingConfirmed,
    CreditPostingInDoubt,
    CreditPostingRejected,
    CreditPostingRequested,
    CreditPostingSent,
)
from domain.kernel import Recorded, local_id
from projections.model import Handler
from projections.row_security import OF_SELLER
from projections.shelf import Changes, Shelf, Source
from projections.tables import Table

POSTING_STEPS: Final = (
    CreditPostingRequested,
    CreditPostingSent,
    CreditPostingInDoubt,
    CreditPostingConfirmed,
    CreditPostingRejected,
)


@dataclass(slots=True)
class CreditNoteRecord:
    """One row of ``credit_note``; all amounts are what is given back."""

    credit_note: str
    number: str | None
    status: str
    form: str
    invoice: str
    invoice_number: str
    engagement: str
    customer: str
    buyer_name: str
    selling_entity: str
    currency: str
    reason: str
    prepared_by: str
    approved_by: str | None
    net: Decimal
    tax: Decimal
    gross: Decimal
    payable: Decimal
    functional_currency: str
    fx_rate: Decimal
    line_count: int
    lot_count: int
    issued_on: date | None
    delivered_on: date | None
    drafted_at: datetime
    issued_at: datetime | None
    issued_version: int | None
    updated_at: datetime
    version: int


CREDIT_NOTES: Final = Table("credit_note", CreditNoteRecord, ("credit_note",), shown=OF_SELLER)


class CreditNotesFold:
    """Folds credit notes into their register."""

    def __init__(self, source: Source) -> None:
        self._notes: Shelf[CreditNoteRecord] = Shelf(CREDIT_NOTES, source, _has_ended)
        self.on: Mapping[type, Handler] = {
            CreditNoteDrafted: self._drafted,
            CreditNoteApproved: self._approved,
            CreditNoteIssued: self._issued,
            CreditNoteDiscarded: self._discarded,
            CreditNoteDelivered: self._delivered,
            **dict.fromkeys(POSTING_STEPS, self._moved_on),
        }
        self.wants: Mapping[type, Handler] = dict.fromkeys(self.on, self._want)

    def prepare(self) -> None:
        """Brings the credit notes that the batch names."""
        self._notes.fetch()

    def finish(self) -> None:
        """Nothing here depends on the batch as a whole."""

    def collect(self, changes: Changes) -> None:
        """The credit notes that changed."""
        changes.tables.append(self._notes.changes())
        self._notes.shrink()

    def of(self, credit_note: str) -> CreditNoteRecord | None:
        """The row of a credit note that the batch touches."""
        return self._notes.get((credit_note,))

    def _want(self, fact: Recorded[Any]) -> None:
        self._notes.wanted.add((local_id(fact.stream),))

    def _drafted(self, fact: Recorded[CreditNoteDrafted]) -> None:
        credit = fact.event.credit
        row = CreditNoteRecord(
            credit_note=fact.event.credit_note,
            number=None,
            status="draft",
            form=credit.form,
            invoice=credit.invoice,
            invoice_number=credit.invoice_number,
            engagement=credit.header.engagement,
            customer=credit.header.customer,
            buyer_name=credit.buyer.name,
            selling_entity=credit.header.selling_entity,
            currency=credit.header.currency,
            reason=credit.reason,
            prepared_by=fact.event.by,
            approved_by=None,
            net=credit.net.amount,
            tax=credit.tax.amount,
            gross=credit.gross.amount,
            payable=credit.payable.amount,
            functional_currency=credit.functional_currency,
            fx_rate=credit.fx_rate,
            line_count=len(credit.lines),
            lot_count=sum(len(line.lots) for line in credit.lines if not line.of_adjustment),
            issued_on=None,
            delivered_on=None,
            drafted_at=fact.recorded_at,
            issued_at=None,
            issued_version=None,
            updated_at=fact.recorded_at,
            version=fact.version,
        )
        self._notes.add((row.credit_note,), row)

    def _approved(self, fact: Recorded[CreditNoteApproved]) -> None:
        row = self._changing(fact)
        row.status, row.approved_by = "approved", fact.event.by

    def _issued(self, fact: Recorded[CreditNoteIssued]) -> None:
        row = self._changing(fact)
        row.status, row.number, row.issued_on = "issued", fact.event.number, fact.event.issued_on
        row.issued_at, row.issued_version = fact.recorded_at, fact.version

    def _discarded(self, fact: Recorded[CreditNoteDiscarded]) -> None:
        self._changing(fact).status = "discarded"

    def _delivered(self, fact: Recorded[CreditNoteDelivered]) -> None:
        self._changing(fact).delivered_on = fact.event.on

    def _moved_on(self, fact: Recorded[Any]) -> None:
        """A step of its posting, which the synchronisation status tells."""
        self._changing(fact)

    def _changing(self, fact: Recorded[Any]) -> CreditNoteRecord:
        row = self._notes.change((local_id(fact.stream),))
        row.updated_at, row.version = fact.recorded_at, fact.version
        return row


def _has_ended(row: CreditNoteRecord) -> bool:
    return row.status == "discarded"
