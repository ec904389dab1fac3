"""Rating of approved hours: their lots, and the holds of those that look wrong."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from domain.lots import LEDGER, Lot, LotHoldsLifted, LotsHeld, LotStatus, decide_rating, live_lot_of
from domain.timesheet.held_back import held_back
from domain.timesheet.week import Entry, Timesheet, after, entry_of, reversed_lots
from domain.timesheet.words import EntryNotApproved, EntryUnrated, Event

DOUBTS: Final = ("DUPLICATE_ENTRY", "HOURS_EXCEED_DAILY_LIMIT")
"""Reasons that hold a lot until a person lifts them, or the time system corrects what looks wrong."""


def rate(lot: Lot, hours_per_day_max: Decimal | None, state: Timesheet) -> Sequence[Event]:
    entry = entry_of(lot.source, state)
    if entry.status != "approved":
        raise EntryNotApproved(lot.source)
    rated = decide_rating(lot, state.lots)
    with_lots = after(rated, state)
    held = held_back(entry, with_lots)
    return [*rated, *held, *_doubts(entry, hours_per_day_max, after(held, with_lots))]


def _doubts(entry: Entry, hours_per_day_max: Decimal | None, state: Timesheet) -> Sequence[Event]:
    """The holds of an entry's open lots for what looks wrong, and the lifting of those that no longer hold.

    What a person has lifted once is not raised again for the same entry.
    """
    mine = [held for held in state.lots.values() if held.lot.source == entry.entry]
    settled = frozenset[str]().union(*(held.lifted for held in mine))
    now_open = [held for held in mine if held.status is LotStatus.OPEN]
    true_now = {} if not now_open else _doubtful(entry, hours_per_day_max, state)
    events: list[Event] = []
    for code in DOUBTS:
        because = true_now.get(code)
        fresh = tuple(held.lot.lot for held in now_open if code not in held.holds)
        if because and fresh and code not in settled:
            events.append(LotsHeld(fresh, code, because, LEDGER))
        if because is None and (over := tuple(held.lot.lot for held in now_open if code in held.holds)):
            events.append(LotHoldsLifted(over, code, LEDGER))
    return events


def _doubtful(entry: Entry, hours_per_day_max: Decimal | None, state: Timesheet) -> dict[str, str]:
    """What looks wrong about an entry, by code, in words."""
    found: dict[str, str] = {}
    earlier = _told_before(entry, state)
    if earlier is not None:
        found["DUPLICATE_ENTRY"] = f"The same hours were told as {earlier}."
    hours = state.hours_on(entry.work.work_date)
    if hours_per_day_max is not None and hours > hours_per_day_max:
        found["HOURS_EXCEED_DAILY_LIMIT"] = f"{hours} h on {entry.work.work_date}; the limit is {hours_per_day_max} h."
    return found


def _told_before(entry: Entry, state: Timesheet) -> str | None:
    """The entry with a lesser id by which a system told the same hours, if there is one."""
    told_by = entry.told_by
    of_day = (each for each in state.entries.values() if each.work.work_date == entry.work.work_date and each.counts)
    others = (each for each in of_day if each.entry < entry.entry and not told_by.isdisjoint(each.told_by))
    fingerprint = entry.work.fingerprint
    return next((each.entry for each in others if each.work.fingerprint == fingerprint), None)


def doubts_settled(events: Sequence[Event], state: Timesheet) -> Sequence[Event]:
    """The events, then the lifting of duplicates whose other telling is gone or was corrected."""
    if not events or not any("DUPLICATE_ENTRY" in held.holds for held in state.lots.values()):
        return events
    told = after(events, state)
    lifted: list[Event] = []
    for name, entry in told.entries.items():
        held = tuple(
            each.lot.lot
            for each in told.lots.values()
            if each.lot.source == name and "DUPLICATE_ENTRY" in each.holds and each.status is LotStatus.OPEN
        )
        if held and "DUPLICATE_ENTRY" not in _doubtful(entry, None, told):
            lifted.append(LotHoldsLifted(held, "DUPLICATE_ENTRY", LEDGER))
    return [*events, *lifted]


def report_unrated(news: EntryUnrated, state: Timesheet) -> Sequence[Event]:
    entry = entry_of(news.entry, state)
    if entry.status != "approved" or entry.unrated == news or live_lot_of(state.lots, news.entry):
        return []
    return [*reversed_lots(news.entry, "no price can be found any more", state), news]
