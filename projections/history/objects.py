"""One object as it was at any time: folded on reading from its own stream, at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
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


States = Callable[[Iterable[StreamId]], Mapping[StreamId, Any]]
"""Tells the states of some streams, all of one moment."""


@dataclass(frozen=True, slots=True)
class InvoiceWithLots:
    """An invoice with the lots that its lines bill, each as it was in its own stream, by (stream, lot)."""

    invoice: Invoice
    lots: Mapping[tuple[StreamId, str], LotState]

    @property
    def lines(self) -> tuple[InvoiceLine, ...]:
        """Its lines: those of the document once it is issued."""
        return lines_of(self.invoice)

    @property
    def taxes(self) -> tuple[TaxSubtotal, ...]:
        """The tax of each category and rate on the document; none before it is issued."""
        return self.invoice.document.taxes if isinstance(self.invoice, Issued) else ()


def payment_as_of(log: Log, payment: str, at: At | None = None) -> ObjectAsOf[Payment]:
    """A receipt; before its first fact nothing was received."""
    return _as_of(log, payment_stream(payment), at)


def credit_note_as_of(log: Log, credit_note: str, at: At | None = None) -> ObjectAsOf[CreditNote]:
    """A credit note, from its draft on."""
    return _as_of(log, credit_note_stream(credit_note), at)


def states_as_of(log: Log, at: At) -> States:
    """States as they were at a moment."""
    return lambda streams: {stream: _as_of(log, stream, at).state for stream in streams}


def invoices_with_lots(states: States, invoices: Collection[str]) -> dict[str, InvoiceWithLots]:
    """Invoices and their lots, of which all streams are asked for at once."""
    found = states([invoice_stream(invoice) for invoice in invoices])
    lines = {invoice: lines_of(found[invoice_stream(invoice)]) for invoice in invoices}
    books = states({part.stream for each in lines.values() for line in each for part in line.lots})
    return {
        invoice: InvoiceWithLots(found[invoice_stream(invoice)], dict(_billed(each, books)))
        for invoice, each in lines.items()
    }


def _billed(
    lines: Sequence[InvoiceLine], states: Mapping[StreamId, Any]
) -> Iterator[tuple[tuple[StreamId, str], LotState]]:
    for part in chain.from_iterable(line.lots for line in lines):
        book: LotBook = states[part.stream].lots
        if part.lot in book:
            yield (part.stream, part.lot), book[part.lot]


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
