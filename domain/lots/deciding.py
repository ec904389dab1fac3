"""What becomes of lots when somebody asks: split, reserved, billed, credited, moved, held, given up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import assert_never

from domain.layers import with_changes
from domain.lots.book import LotBook, LotState, _moved, billed_parts, evolve_lots, lot_in, next_lot_id
from domain.lots.lot import COMPLIMENTARY, Lot, LotStatus
from domain.lots.parts import parts_at, parts_of
from domain.lots.rating import portion_of
from domain.lots.words import (
    BillLots,
    CreditAboveLot,
    CreditedLot,
    CreditLots,
    DrawLots,
    GiveLotsFree,
    HoldLots,
    LiftLotHolds,
    LotCommand,
    LotCredit,
    LotEvent,
    LotHoldsLifted,
    LotNotOpen,
    LotNotReserved,
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
    PostponeLots,
    ReleaseLots,
    RepriceLot,
    ReserveLots,
    ShareLot,
    SplitLot,
    TransferLot,
    UndrawLots,
    WriteOffLots,
)
from domain.money import Money


def decide_lots(command: LotCommand, book: LotBook) -> Sequence[LotEvent]:
    """The lot events that a command causes in the stream that holds the lots."""
    match command:
        case SplitLot(lot, first_value, first_quantity):
            return _split(lot_in(book, lot), first_value, first_quantity)
        case ShareLot(lot, weights, values):
            _require_open(book, lot)
            return [LotSplit(lot, parts_of(book[lot].lot, weights, values))]
        case ReserveLots(lots, invoice):
            fresh = _to_do(book, lots, lambda lot: _is(book, lot, LotStatus.RESERVED, invoice))
            return [LotsReserved(fresh, invoice)] if fresh else []
        case ReleaseLots(lots, invoice):
            held = tuple(lot for lot in lots if _is(book, lot, LotStatus.RESERVED, invoice))
            return [LotsReleased(held, invoice)] if held else []
        case BillLots(lots, invoice, number):
            fresh = tuple(lot for lot in lots if not _is(book, lot, LotStatus.BILLED, invoice))
            for lot in fresh:
                if not _is(book, lot, LotStatus.RESERVED, invoice):
                    raise LotNotReserved(f"{lot} for invoice {invoice}.")
            return [LotsBilled(fresh, invoice, number)] if fresh else []
        case WriteOffLots(lots, reason, by):
            fresh = _to_do(book, lots, lambda lot: lot_in(book, lot).status is LotStatus.WRITTEN_OFF)
            return [LotsWrittenOff(fresh, reason, by)] if fresh else []
        case PostponeLots(lots, until, reason, by):
            fresh = _to_do(book, lots, lambda lot: lot_in(book, lot).postponed_until == until)
            return [LotsPostponed(fresh, until, reason, by)] if fresh else []
        case DrawLots(lots, grant):
            fresh = _to_do(book, lots, lambda lot: _is_drawn(book, lot, grant))
            return [LotsDrawn(fresh, grant)] if fresh else []
        case UndrawLots(lots, because):
            drawn = tuple(lot for lot in lots if lot_in(book, lot).status is LotStatus.DRAWN)
            return [LotsUndrawn(drawn, because)] if drawn else []
        case RepriceLot(lot):
            _require_open(book, lot)
            return _reprice(book[lot].lot, command, book)
        case CreditLots():
            return _credit(command, book)
        case TransferLot(lot, into, reason, by):
            if lot_in(book, lot).status is LotStatus.TRANSFERRED:
                return []
            _require_open(book, lot)
            return _transfer(book[lot].lot, into, reason, by, book)
        case HoldLots(lots, code, because, by):
            fresh = _to_do(book, lots, lambda lot: _is_held_for(book, lot, code, because))
            return [LotsHeld(fresh, code, because, by)] if fresh else []
        case LiftLotHolds(lots, code, by):
            holding = tuple(lot for lot in lots if code in lot_in(book, lot).holds)
            return [LotHoldsLifted(holding, code, by)] if holding else []
        case GiveLotsFree(lots, reason, by):
            fresh = _to_do(book, lots, lambda lot: lot_in(book, lot).lot.non_billable_because == COMPLIMENTARY)
            return [LotsGivenFree(fresh, reason, by)] if fresh else []
        case _:
            assert_never(command)


def _to_do(book: LotBook, lots: Sequence[str], is_so_already: Callable[[str], bool]) -> tuple[str, ...]:
    """The lots for which it is not so yet, all of them open."""
    fresh = tuple(lot for lot in lots if not is_so_already(lot))
    for lot in fresh:
        _require_open(book, lot)
    return fresh


def _is(book: LotBook, lot: str, status: LotStatus, invoice: str) -> bool:
    held = lot_in(book, lot)
    return held.status is status and held.invoice == invoice


def _require_open(book: LotBook, lot: str) -> None:
    held = lot_in(book, lot)
    if held.status is not LotStatus.OPEN:
        raise LotNotOpen(f"{lot} is {held.status.value}" + (f" on {held.invoice}." if held.invoice else "."))


def _is_held_for(book: LotBook, lot: str, code: str, because: str) -> bool:
    known = lot_in(book, lot).holds.get(code)
    return known is not None and known.because == because


def _is_drawn(book: LotBook, lot: str, grant: str) -> bool:
    held = lot_in(book, lot)
    return held.status is LotStatus.DRAWN and held.grant == grant


def _reprice(lot: Lot, command: RepriceLot, book: LotBook) -> Sequence[LotReversed | LotRated]:
    stated, factor = command.price, command.factor
    is_so_already = lot.explanation.winner.endswith(f" x {factor}") if stated is None else lot.price == stated
    if is_so_already or (stated is None and factor == 1):
        return []
    price, how = (lot.price * factor, f"x {factor}") if stated is None else (stated, f"at {stated}")
    value = Money(price * lot.quantity, lot.value.currency).rounded()
    explained = replace(
        lot.explanation,
        winner=f"{lot.explanation.winner} {how}",
        because=f"{lot.explanation.because}; {how}: {command.because}",
    )
    fresh = replace(lot, lot=next_lot_id(book, lot.source), price=price, value=value, explanation=explained)
    return [LotReversed(lot.lot, command.because), LotRated(fresh)]


def _credit(command: CreditLots, book: LotBook) -> Sequence[LotEvent]:
    """Splits what is credited in part, takes it off the invoice, and rates what is billed elsewhere."""
    if any(held.credit_note == command.credit_note for held in book.values()):
        return []
    events: list[LotEvent] = []
    taken: list[tuple[Lot, LotCredit]] = []
    now = book
    for credit in command.credits:
        for piece, left in _pieces(now, credit, command.invoice):
            if left is None:
                taken.append((piece, credit))
                continue
            quantity, value = left
            parts = parts_of(piece, (quantity, piece.quantity - quantity), (value, piece.value - value))
            split = LotSplit(piece.lot, parts)
            now = evolve_lots(now, split)
            events.append(split)
            taken.append((now[parts[1].lot].lot, credit))
        now = with_changes(now, _moved(now, [lot.lot for lot, _ in taken], LotStatus.OPEN, None))
    credited = tuple(CreditedLot(lot.lot, credit.disposition, credit.effective_on) for lot, credit in taken)
    events.append(
        LotsCredited(credited, command.credit_note, command.number, command.invoice, command.reason, command.by)
    )
    for lot, credit in taken:
        if credit.into is not None:
            into = replace(portion_of(credit.into, lot), cost=lot.cost)
            moved = _transfer(lot, into, command.reason, command.by, now)
            events += moved
            for event in moved:
                now = evolve_lots(now, event)
    return events


def _pieces(book: LotBook, credit: LotCredit, invoice: str) -> Iterator[tuple[Lot, tuple[Decimal, Money] | None]]:
    """The billed parts of a lot that a credit takes, in order, and what is left of the last one."""
    wanted, worth = credit.quantity, credit.value
    for piece in billed_parts(book, credit.lot, invoice):
        if not wanted:
            return
        if piece.quantity <= wanted:
            yield piece, None
            wanted, worth = wanted - piece.quantity, worth - piece.value
        else:
            yield piece, (piece.quantity - wanted, piece.value - worth)
            wanted = Decimal(0)
    if wanted:
        raise CreditAboveLot(f"{credit.lot}: {credit.quantity:f} asked, {credit.quantity - wanted:f} left.")


def _transfer(lot: Lot, into: Lot, reason: str, by: str, book: LotBook) -> list[LotTransferred | LotRated]:
    name = next_lot_id(book, lot.source)
    moved = LotTransferred(lot.lot, name, into.engagement, into.line, into.customer, reason, by)
    return [moved, LotRated(replace(into, lot=name, source=lot.source, transferred_from=lot.lot))]


def _split(held: LotState, first_value: Money, first_quantity: Decimal | None) -> Sequence[LotSplit]:
    _require_open({held.lot.lot: held}, held.lot.lot)
    lot = held.lot
    if not (Money(Decimal(0), lot.value.currency) < first_value < lot.value):
        return []
    return [LotSplit(lot.lot, parts_at(lot, first_value, first_quantity))]
