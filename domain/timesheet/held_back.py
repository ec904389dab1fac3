"""Hours that were worked and that the approver did not let be billed: cost, held until they are approved after all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from domain.lots import LEDGER, Lot, LotHoldsLifted, LotsHeld, LotSplit, LotStatus, parts_of
from domain.money import Money
from domain.timesheet.week import Entry, Timesheet, after, entry_of, reversed_lots
from domain.timesheet.words import EntryInvoiced, Event

APPROVER_REDUCED: Final = "APPROVER_REDUCED"
"""Why such hours are not billable: a code of the closed list."""


def held_back(entry: Entry, state: Timesheet) -> Sequence[Event]:
    """What holds exactly the hours of an entry that may not be billed, and lifts the hold of the others.

    Lots are split to the hour. Hours that are not billable anyway, or were given up, need not be held.
    """
    name = entry.entry
    unbilled = [each for each in state.lots.values() if each.lot.source == name and each.status is LotStatus.OPEN]
    holding = [held.lot for held in unbilled if APPROVER_REDUCED in held.holds]
    free = [held.lot for held in unbilled if APPROVER_REDUCED not in held.holds]
    missing = entry.hours_held_back - _hours(holding)
    if missing > 0:
        because = f"{entry.approved_by} approved {entry.billable_hours:f} h of {entry.work.hours:f} h."
        splits, lots = _taken(free, missing)
        return [*splits, LotsHeld(lots, APPROVER_REDUCED, because, LEDGER)] if lots else []
    splits, lots = _taken(holding, -missing)
    return [*splits, LotHoldsLifted(lots, APPROVER_REDUCED, LEDGER)] if lots else []


def shared_anew(entries: Sequence[str], before: Timesheet, now: Timesheet) -> Iterator[Event]:
    """What another approval makes of lots that are there already; refused when more is on invoices than it allows."""
    for name in entries:
        entry = entry_of(name, now)
        if entry.hours_in_lots != entry_of(name, before).hours_in_lots:
            yield from reversed_lots(name, "other hours were approved", before)
            continue
        live = [held for held in now.lots.values() if held.lot.source == name and held.is_live]
        if _hours([held.lot for held in live]) > entry.billable_hours:
            raise EntryInvoiced(f"{name} is on {live[0].place}, for more than {entry.billable_hours:f} h.")
        events = held_back(entry, now)
        now = after(events, now)
        yield from events


def _hours(lots: Sequence[Lot]) -> Decimal:
    return sum((lot.quantity for lot in lots), Decimal(0))


def _taken(lots: Sequence[Lot], hours: Decimal) -> tuple[list[LotSplit], tuple[str, ...]]:
    """So many hours of some lots, the last ones first: the split that they need, and the lots that they are."""
    splits: list[LotSplit] = []
    names: list[str] = []
    for lot in reversed(lots):
        if hours <= 0:
            break
        if lot.quantity <= hours:
            names.append(lot.lot)
        else:
            split = _split(lot, hours)
            splits.append(split)
            names.append(split.parts[-1].lot)
        hours -= lot.quantity
    return splits, tuple(names)


def _split(lot: Lot, hours: Decimal) -> LotSplit:
    """A lot in two, of which the second has so many hours; each is valued at the lot's price."""
    kept = lot.quantity - hours
    value = Money(lot.price * kept, lot.value.currency).rounded()
    return LotSplit(lot.lot, parts_of(lot, (kept, hours), (value, lot.value - value)))
