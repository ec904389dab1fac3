"""Where a billed hour came from and where it went: from the messages that told it to the posting and the payment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from domain.expense import ExpenseRecorded, source_of
from domain.invoice import Invoice, Issued, invoice_stream
from domain.invoice import decider as invoice_decider
from domain.kernel import Recorded, StreamId, local_id
from domain.lots import (
    LotHoldsLifted,
    LotRated,
    LotReversed,
    LotsBilled,
    LotsCredited,
    LotsDrawn,
    LotsGivenFree,
    LotsHeld,
    LotSplit,
    LotsPostponed,
    LotsReleased,
    LotsReserved,
    LotsUndrawn,
    LotsWrittenOff,
    LotTransferred,
)
from domain.money import Money
from domain.timesheet import EntriesMerged
from projections.follow import Log
from projections.history.objects import lines_of
from projections.history.timeline import TimelineEntry, entries_of
from projections.reader import At, AtPosition, AtTime

LOTS_MAX: Final = 10_000
"""How many lots of one invoice are followed back at once."""


@dataclass(frozen=True, slots=True)
class LotLineage:
    """A lot: the facts that led to it and that happened to it, and the messages that told them.

    ``facts`` are those of its work and of the lots it was split from, in order. ``messages`` are the received messages
    behind them, the first teller first. ``invoice`` is the one that it is on now.
    """

    stream: StreamId
    lot: str
    source: str
    facts: tuple[TimelineEntry, ...]
    messages: tuple[str, ...]
    invoice: str | None
    number: str | None


@dataclass(frozen=True, slots=True)
class PostingStep:
    """What a target system was asked and answered about an invoice."""

    target: str
    state: str
    external_id: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class PaymentStep:
    """Money that was received for an invoice."""

    payment: str
    received_on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class LineLineage:
    """A line of an invoice with everything behind it."""

    line: int
    description: str
    quantity: Decimal
    net: Money
    lots: tuple[LotLineage, ...]


@dataclass(frozen=True, slots=True)
class InvoiceLineage:
    """An invoice, backwards to the messages and forwards to its postings and payments."""

    invoice: str
    number: str | None
    facts: tuple[TimelineEntry, ...]
    lines: tuple[LineLineage, ...]
    postings: tuple[PostingStep, ...]
    payments: tuple[PaymentStep, ...]


class TooManyLots(Exception):
    """The invoice bills more lots than are followed back at once; ask for one of its lines."""


def of_lot(log: Log, stream: StreamId, lot: str, until: At | None = None) -> LotLineage:
    """The history of one lot; it may be asked of what was known at an earlier time."""
    return _of_lot(_history(log, stream, until), stream, lot)


def of_invoice(log: Log, invoice: str, until: At | None = None) -> InvoiceLineage:
    """An invoice with all its lines; raises TooManyLots."""
    return _of_invoice(log, invoice, None, until)


def of_invoice_line(log: Log, invoice: str, line: int, until: At | None = None) -> InvoiceLineage:
    """An invoice with one of its lines; no line if it has none of this number."""
    return _of_invoice(log, invoice, line, until)


def _of_invoice(log: Log, invoice: str, only: int | None, until: At | None) -> InvoiceLineage:
    facts = _history(log, invoice_stream(invoice), until)
    state: Invoice = invoice_decider.fold([fact.event for fact in facts])
    lines = [line for line in lines_of(state) if only is None or line.line == only]
    if sum(len(line.lots) for line in lines) > LOTS_MAX:
        raise TooManyLots(invoice)
    histories: dict[StreamId, list[Recorded[Any]]] = {}
    traced: list[LineLineage] = []
    for line in lines:
        lots = []
        for part in line.lots:
            if part.stream not in histories:
                histories[part.stream] = _history(log, part.stream, until)
            lots.append(_of_lot(histories[part.stream], part.stream, part.lot))
        traced.append(LineLineage(line.line, line.description, line.quantity, line.net, tuple(lots)))
    issued = state if isinstance(state, Issued) else None
    return InvoiceLineage(
        invoice,
        issued.document.number if issued else None,
        entries_of(facts),
        tuple(traced),
        tuple(
            PostingStep(target, posting.state, posting.external_id, posting.reason)
            for target, posting in (issued.postings.items() if issued else ())
        ),
        tuple(_payments(issued)) if issued else (),
    )


def _payments(issued: Issued) -> Iterator[PaymentStep]:
    """What was received for it alone, and what receipts settled of it."""
    for each in issued.payments.values():
        yield PaymentStep(each.payment, each.received_on, each.amount)
    for applied in issued.applied.values():
        yield PaymentStep(applied.payment, applied.on, applied.amount)


def _history(log: Log, stream: StreamId, until: At | None) -> list[Recorded[Any]]:
    match until:
        case None:
            return log.history(stream)
        case AtPosition(position):
            return log.history(stream, until_position=position)
        case AtTime(recorded_at):
            return log.history(stream, until_recorded_at=recorded_at)


def _of_lot(history: Sequence[Recorded[Any]], stream: StreamId, lot: str) -> LotLineage:
    family = _family(history, lot)
    source = next((fact.event.lot.source for fact in history if _rates(fact, family)), lot.rpartition("#")[0])
    sources = {
        source,
        *(f.event.dropped for f in history if isinstance(f.event, EntriesMerged) and f.event.kept == source),
    }
    concerned = [fact for fact in history if _concerns(fact, family, sources)]
    messages = dict.fromkeys(fact.cause.message_id for fact in concerned if fact.cause.message_id is not None)
    invoice, number = _invoice_of(concerned, lot)
    return LotLineage(stream, lot, source, entries_of(concerned), tuple(messages), invoice, number)


def _family(history: Sequence[Recorded[Any]], lot: str) -> set[str]:
    """The lot, those that it is a part of, and those whose place it took."""
    family = {lot}
    for fact in reversed(history):
        if isinstance(fact.event, LotSplit) and any(part.lot in family for part in fact.event.parts):
            family.add(fact.event.lot)
        if isinstance(fact.event, LotTransferred) and fact.event.into in family:
            family.add(fact.event.lot)
    return family


def _rates(fact: Recorded[Any], family: set[str]) -> bool:
    return isinstance(fact.event, LotRated) and fact.event.lot.lot in family


def _concerns(fact: Recorded[Any], family: set[str], sources: set[str]) -> bool:
    match fact.event:
        case LotRated(lot):
            return lot.lot in family
        case LotsCredited(lots=credited):
            return any(each.lot in family for each in credited)
        case LotTransferred(name, into):
            return name in family or into in family
        case LotSplit(name) | LotReversed(name):
            return name in family
        case (
            LotsReserved(lots)
            | LotsReleased(lots)
            | LotsBilled(lots)
            | LotsWrittenOff(lots)
            | LotsPostponed(lots)
            | LotsHeld(lots)
            | LotHoldsLifted(lots)
            | LotsGivenFree(lots)
            | LotsDrawn(lots)
            | LotsUndrawn(lots)
        ):
            return not family.isdisjoint(lots)
        case EntriesMerged(kept, dropped):
            return kept in sources or dropped in sources
        case ExpenseRecorded(report, _, expense):
            return source_of(report, expense.line) in sources
        case event:
            return not sources.isdisjoint(_named(event, fact.stream))


def _named(event: object, stream: StreamId) -> set[str]:
    """The entries or expense lines that an event names, as the sources of lots."""
    named: set[str] = set()
    for attribute in ("entry", "milestone"):
        if value := getattr(event, attribute, None):
            named.add(str(value))
    named.update(getattr(event, "entries", ()))
    report = local_id(stream)
    lines = (*getattr(event, "lines", ()), *([event.line] if hasattr(event, "line") else []))
    named.update(source_of(report, line) for line in lines if isinstance(line, str))
    if (line := getattr(event, "line", None)) and (milestone := getattr(event, "milestone", None)):
        named.add(f"{report}/{line}/{milestone}")
    return named


def _invoice_of(facts: Sequence[Recorded[Any]], lot: str) -> tuple[str | None, str | None]:
    invoice: str | None = None
    number: str | None = None
    for fact in facts:
        match fact.event:
            case LotsReserved(lots, name) if lot in lots:
                invoice = name
            case LotsReleased(lots, _) if lot in lots:
                invoice = None
            case LotsCredited(lots=credited) if any(each.lot == lot for each in credited):
                invoice, number = None, None
            case LotsBilled(lots, name, told) if lot in lots:
                invoice, number = name, told
            case _:
                pass
    return invoice, number
