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
    rated: list[Event] = [*decide_rating(lot, state.lots)]
    rated += held_back(entry, after(rated, state))
    return [*rated, *_doubts(entry, hours_per_day_max, after(rated, state))]


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
    told_by = {claim.system for claim in entry.claims.values()}
    for other in state.entries.values():
        is_same_work = other.work.fingerprint == entry.work.fingerprint
        is_same_system = told_by & {claim.system for claim in other.claims.values()}
        if other.counts and other.entry < entry.entry and is_same_work and is_same_system:
            found["DUPLICATE_ENTRY"] = f"The same hours were told as {other.entry}."
            break
    hours = state.hours_on(entry.work.work_date)
    if hours_per_day_max is not None and hours > hours_per_day_max:
        found["HOURS_EXCEED_DAILY_LIMIT"] = f"{hours} h on {entry.work.work_date}; the limit is {hours_per_day_max} h."
    return found


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
