"""The lots of one stream: what has become of each, and what stands for a piece of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import assert_never

from domain.layers import with_changes
from domain.lots.lot import AFTER_CREDIT, COMPLIMENTARY, ENDED, LEDGER, Lot, LotPart, LotStatus
from domain.lots.transfer import Transfer
from domain.lots.words import (
    LotEvent,
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
    UnknownLot,
)
from domain.money import Money


@dataclass(frozen=True, slots=True)
class LotState:
    """A lot, what has become of it, the invoice it is on, and the day until which somebody postponed billing it.

    ``grant`` is the retainer that a drawn lot was taken off.
    ``intercompany`` is the number of the invoice from the delivering to the selling entity that it is on.
    ``credit_note`` is the one that took it off an invoice last.
    ``holds`` are the reasons for which it was held, by code; ``lifted`` are those that a person has lifted, which are
    not raised again by themselves.
    """

    lot: Lot
    status: LotStatus = LotStatus.OPEN
    invoice: str | None = None
    postponed_until: date | None = None
    grant: str | None = None
    intercompany: str | None = None
    credit_note: str | None = None
    holds: Mapping[str, LotsHeld] = field(default_factory=dict)
    lifted: frozenset[str] = frozenset()

    @property
    def is_live(self) -> bool:
        """Whether the lot is on a draft or an issued invoice, or paid by a retainer."""
        return self.status in (LotStatus.RESERVED, LotStatus.BILLED, LotStatus.DRAWN)

    @property
    def place(self) -> str:
        """Where a live lot stands, for people."""
        return f"retainer {self.grant}" if self.status is LotStatus.DRAWN else f"invoice {self.invoice}"


LotBook = Mapping[str, LotState]
"""All lots of one stream, by id, ended ones included."""


def lot_in(book: LotBook, lot: str) -> LotState:
    """A lot as it stands, or UnknownLot."""
    if lot not in book:
        raise UnknownLot(lot)
    return book[lot]


def current_lots_of(book: LotBook, source: str) -> tuple[Lot, ...]:
    """The lots that stand for an entry and are on no invoice; several when it was split."""
    current = (LotStatus.OPEN, LotStatus.NON_BILLABLE, LotStatus.WRITTEN_OFF, LotStatus.TRANSFERRED)
    return tuple(held.lot for held in book.values() if held.lot.source == source and held.status in current)


def live_lot_of(book: LotBook, source: str) -> LotState | None:
    """The lot of an entry that stands on a draft or an invoice, if there is one."""
    return next((held for held in book.values() if held.lot.source == source and held.is_live), None)


def reversals_of(book: LotBook, source: str, reason: str) -> list[LotReversed]:
    """The reversal of everything that stands for an entry, because the entry itself changed."""
    return [LotReversed(lot.lot, reason) for lot in current_lots_of(book, source)]


def next_lot_id(book: LotBook, source: str, after: int = 0) -> str:
    """``<source>#1``, and ``<source>#2`` after a new rating; ``after`` so many others of the same decision."""
    rated = sum(1 for held in book.values() if held.lot.source == source and "/" not in held.lot.lot.rpartition("#")[2])
    return f"{source}#{rated + 1 + after}"


def billed_parts(book: LotBook, lot: str, invoice: str) -> Sequence[Lot]:
    """What an invoice still bills of a lot, which earlier credits may have divided."""
    return [
        held.lot
        for name, held in book.items()
        if held.status is LotStatus.BILLED and held.invoice == invoice and (name == lot or name.startswith(f"{lot}/"))
    ]


def parts_left(book: LotBook, lot: str) -> Sequence[str]:
    """What has become of a lot that may have been split: itself, or its parts and theirs."""
    return [name for name, held in book.items() if held.status not in ENDED and f"{name}/".startswith(f"{lot}/")]


def evolve_lots(book: LotBook, event: LotEvent) -> LotBook:
    """The lots after one event."""
    match event:
        case LotRated(lot):
            status = LotStatus.NON_BILLABLE if lot.non_billable_because else LotStatus.OPEN
            return with_changes(book, {lot.lot: LotState(lot, status)})
        case LotSplit(name, parts):
            whole = book[name]
            split = {part.lot: replace(whole, lot=part_of(whole.lot, part)) for part in parts}
            return with_changes(book, {name: replace(whole, status=LotStatus.SPLIT), **split})
        case LotsReserved(lots, invoice):
            return with_changes(book, _moved(book, lots, LotStatus.RESERVED, invoice))
        case LotsReleased(lots, _):
            return with_changes(book, _moved(book, lots, LotStatus.OPEN, None))
        case LotsBilled(lots, invoice, _):
            return with_changes(book, _moved(book, lots, LotStatus.BILLED, invoice))
        case LotReversed(name, _):
            return with_changes(book, _moved(book, (name,), LotStatus.REVERSED, None))
        case LotsWrittenOff(lots, _, _):
            return with_changes(book, _moved(book, lots, LotStatus.WRITTEN_OFF, None))
        case LotsPostponed(lots, until, _, _):
            return with_changes(book, {lot: replace(book[lot], postponed_until=until) for lot in lots})
        case LotsDrawn(lots, grant):
            drawn = {lot: replace(book[lot], status=LotStatus.DRAWN, grant=grant) for lot in lots}
            return with_changes(book, drawn)
        case LotsUndrawn(lots, _):
            return with_changes(book, {lot: replace(book[lot], status=LotStatus.OPEN, grant=None) for lot in lots})
        case LotsCredited(lots=credited, credit_note=credit_note):
            return with_changes(
                book,
                {
                    each.lot: replace(
                        book[each.lot],
                        status=AFTER_CREDIT[each.disposition],
                        invoice=None,
                        credit_note=credit_note,
                        postponed_until=None,
                    )
                    for each in credited
                },
            )
        case LotTransferred(name):
            return with_changes(book, _moved(book, (name,), LotStatus.TRANSFERRED, None))
        case LotsHeld(lots, code, _, _):
            return with_changes(book, {lot: replace(book[lot], holds={**book[lot].holds, code: event}) for lot in lots})
        case LotHoldsLifted(lots, code, by):
            return with_changes(book, {lot: _lifted(book[lot], code, by) for lot in lots})
        case LotsGivenFree(lots, _, _):
            return with_changes(book, {lot: _given_free(book[lot]) for lot in lots})
        case _:
            assert_never(event)


def _lifted(held: LotState, code: str, by: str) -> LotState:
    rest = {name: hold for name, hold in held.holds.items() if name != code}
    return replace(held, holds=rest, lifted=held.lifted | {code} if by != LEDGER else held.lifted)


def _given_free(held: LotState) -> LotState:
    return replace(held, status=LotStatus.NON_BILLABLE, lot=replace(held.lot, non_billable_because=COMPLIMENTARY))


def _share_of(transfer: Transfer | None, value: Money | None) -> Transfer | None:
    """What is charged between the entities for a part; parts that were told before transfers were have the whole's."""
    return replace(transfer, value=value) if transfer is not None and value is not None else transfer


def part_of(whole: Lot, part: LotPart) -> Lot:
    """The lot that one part of a split is: its own quantity and amounts, all else as the whole."""
    return replace(
        whole,
        lot=part.lot,
        quantity=part.quantity,
        value=part.value,
        cost=part.cost,
        cost_in_billing_currency=part.cost_in_billing_currency,
        transfer=_share_of(whole.transfer, part.transfer),
    )


def _moved(book: LotBook, lots: Sequence[str], status: LotStatus, invoice: str | None) -> dict[str, LotState]:
    return {lot: replace(book[lot], status=status, invoice=invoice) for lot in lots}
