"""The rules of transfers in the stream that holds the lots: priced until they are invoiced, invoiced once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from domain.kernel import Refused
from domain.layers import with_changes
from domain.lots.book import LotBook, LotState, lot_in
from domain.lots.lot import LotStatus
from domain.lots.transfer import (
    CreditTransfers,
    InvoiceTransfers,
    PricedTransfer,
    PriceTransfers,
    TransferCommand,
    TransferEvent,
    TransfersCredited,
    TransfersInvoiced,
    TransfersPriced,
)

COUNTS_NO_MORE = frozenset({LotStatus.REVERSED, LotStatus.TRANSFERRED})
"""What a lender is not paid for: the work was corrected or moved, and a new lot stands for it if there is any."""


class TransferNotOpen(Refused):
    """The lot cannot be invoiced between the entities."""

    code = "transfer.not_open"
    fix = "Leave it out: it has no transfer price, was invoiced already, or counts no more."


class TransferNotInvoiced(Refused):
    """The lot cannot be credited between the entities."""

    code = "transfer.not_invoiced"
    fix = "Leave it out: only what was invoiced and counts no more is taken back."


def is_due(held: LotState) -> bool:
    """Whether a lot is to be invoiced from its lender to its borrower."""
    charged = held.lot.transfer is not None and not held.lot.transfer.crossing
    stands = held.status not in (*COUNTS_NO_MORE, LotStatus.SPLIT)
    return charged and stands and held.intercompany is None


def is_to_take_back(held: LotState) -> bool:
    """Whether a lot was invoiced between the entities and counts no more."""
    return held.intercompany is not None and held.status in COUNTS_NO_MORE


def decide_transfers(command: TransferCommand, book: LotBook) -> Sequence[TransferEvent]:
    """The transfer events that a command causes in the stream that holds the lots."""
    match command:
        case PriceTransfers(priced):
            changed = tuple(each for each in priced if _differs(each, lot_in(book, each.lot)))
            return [TransfersPriced(changed)] if changed else []
        case InvoiceTransfers(lots, number):
            fresh = tuple(lot for lot in lots if lot_in(book, lot).intercompany != number)
            for lot in fresh:
                if not is_due(book[lot]):
                    raise TransferNotOpen(f"{lot}, for {number}.")
            return [TransfersInvoiced(fresh, number)] if fresh else []
        case CreditTransfers(lots, number):
            for lot in lots:
                if not is_to_take_back(lot_in(book, lot)):
                    raise TransferNotInvoiced(f"{lot}, for {number}.")
            return [TransfersCredited(lots, number)] if lots else []
        case _:
            assert_never(command)


def _differs(priced: PricedTransfer, held: LotState) -> bool:
    """Whether a lot that may still be priced has another transfer than that."""
    is_closed = held.intercompany is not None or held.status in (*COUNTS_NO_MORE, LotStatus.SPLIT)
    return not is_closed and (held.lot.transfer, held.lot.transfer_gap) != (priced.transfer, priced.gap)


def evolve_transfers(book: LotBook, event: TransferEvent) -> LotBook:
    """The lots after one event."""
    match event:
        case TransfersPriced(priced):
            return with_changes(book, {each.lot: _priced(book[each.lot], each) for each in priced})
        case TransfersInvoiced(lots, number):
            return with_changes(book, {lot: replace(book[lot], intercompany=number) for lot in lots})
        case TransfersCredited(lots, _):
            return with_changes(book, {lot: replace(book[lot], intercompany=None) for lot in lots})
        case _:
            assert_never(event)


def _priced(held: LotState, priced: PricedTransfer) -> LotState:
    return replace(held, lot=replace(held.lot, transfer=priced.transfer, transfer_gap=priced.gap))
