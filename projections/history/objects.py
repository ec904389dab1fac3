"""One object as it was at any time: folded on reading from its own stream, at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from domain.catalogue import DECIDERS
from domain.credit_note import CreditNote, credit_note_stream
from domain.invoice import Approved, Discarded, Draft, Invoice, InvoiceLine, Issued, Nothing, invoice_stream
from domain.kernel import StreamId, decider_name
from domain.lots import LotBook, LotState
from domain.payment import Payment, payment_stream
from domain.tax import TaxSubtotal
from projections.follow import Log
from projections.reader import At, AtPosition

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class ObjectAsOf(Generic[State]):
    """A state, the version and position of the fact that led to it, and when that was recorded; None if none had."""

    stream: StreamId
    state: State
    version: int
    position: int
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class InvoiceAsOf:
    """An invoice with the lots that its lines bill, each as it was in its own stream, by (stream, lot)."""

    invoice: ObjectAsOf[Invoice]
    lots: Mapping[tuple[StreamId, str], LotState]

    @property
    def lines(self) -> tuple[InvoiceLine, ...]:
        """Its lines: those of the document once it is issued."""
        return lines_of(self.invoice.state)

    @property
    def taxes(self) -> tuple[TaxSubtotal, ...]:
        """The tax of each category and rate on the document; none before it is issued."""
        state = self.invoice.state
        return state.document.taxes if isinstance(state, Issued) else ()


def payment_as_of(log: Log, payment: str, at: At | None = None) -> ObjectAsOf[Payment]:
    """A receipt; before its first fact nothing was received."""
    return _as_of(log, payment_stream(payment), at)


def credit_note_as_of(log: Log, credit_note: str, at: At | None = None) -> ObjectAsOf[CreditNote]:
    """A credit note, from its draft on."""
    return _as_of(log, credit_note_stream(credit_note), at)


def invoice_as_of(log: Log, invoice: str, at: At | None = None) -> InvoiceAsOf:
    """An invoice and its lots."""
    found: ObjectAsOf[Invoice] = _as_of(log, invoice_stream(invoice), at)
    wanted = [part for line in lines_of(found.state) for part in line.lots]
    books: dict[StreamId, LotBook] = {}
    for part in wanted:
        if part.stream not in books:
            books[part.stream] = _as_of(log, part.stream, at).state.lots
    lots = {(part.stream, part.lot): books[part.stream][part.lot] for part in wanted if part.lot in books[part.stream]}
    return InvoiceAsOf(found, lots)


def lines_of(invoice: Invoice) -> tuple[InvoiceLine, ...]:
    """The lines of an invoice in any state."""
    match invoice:
        case Nothing():
            return ()
        case Draft(lines=lines):
            return lines
        case Approved(draft=draft) | Discarded(draft=draft):
            return draft.lines
        case Issued(document=document):
            return document.lines


def _as_of(log: Log, stream: StreamId, at: At | None) -> ObjectAsOf[Any]:
    if at is None:
        facts = log.history(stream)
    elif isinstance(at, AtPosition):
        facts = log.history(stream, until_position=at.position)
    else:
        facts = log.history(stream, until_recorded_at=at.recorded_at)
    state = DECIDERS[decider_name(stream)].fold([fact.event for fact in facts])
    if not facts:
        return ObjectAsOf(stream, state, 0, 0, None)
    last = facts[-1]
    return ObjectAsOf(stream, state, last.version, last.position, last.recorded_at)
