"""Telling hours: each system's telling is a claim, and claims that agree are one entry, in whatever order they come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from domain.lots import live_lot_of
from domain.timesheet.approval import decided_already
from domain.timesheet.week import Entry, Timesheet, after, reversed_lots
from domain.timesheet.words import (
    HOURS_PER_DAY_MAX,
    Claim,
    ClaimHeard,
    DayTooLong,
    EntriesMerged,
    Event,
    HoursOutOfRange,
    LogTime,
    TimeCorrected,
    TimeLogged,
    TimeWithdrawn,
    Work,
)


def log_time(command: LogTime, state: Timesheet) -> Sequence[Event]:
    claim, work = command.claim, command.work
    if not 0 < work.hours <= HOURS_PER_DAY_MAX:
        raise HoursOutOfRange(f"{claim.ref}: {work.hours:f} h on {work.work_date}.")
    fingerprint = work.fingerprint
    known = state.claimed_by(claim.ref) or _twin(claim, fingerprint, state)
    if known is None:
        _require_room(work, None, state)
        return [TimeLogged(claim.ref, command.resource, claim, work)]
    own = known.claims.get(claim.ref)
    is_late = own is not None and claim.said_at <= own.said_at
    if is_late and fingerprint in known.fingerprints:
        return []
    if is_late or claim.said_at <= known.said_at or (known.counts and known.work.same_as(work)):
        told: list[Event] = [ClaimHeard(known.entry, claim, work)]
    else:
        _require_room(work, known.entry, state)
        reversals = reversed_lots(known.entry, "the hours were corrected", state)
        told = [*reversals, TimeCorrected(known.entry, claim, work)]
        told += decided_already(known.entry, after(told, state))
    if not state.tellings.others(known.entry, {fingerprint, *known.fingerprints}):
        return told
    merged = _merged(after(told, state), known.entry)
    kept = [name for each in merged if isinstance(each, EntriesMerged) for name in (each.kept,)]
    again = [event for name in kept for event in decided_already(name, after([*told, *merged], state))]
    return [*told, *merged, *again]


def _twin(claim: Claim, fingerprint: str, state: Timesheet) -> Entry | None:
    """The entry that another system told of the same hours, the one that is known longest."""
    alike = state.tellings.alike.get(fingerprint, ())
    for name in alike if len(alike) < 2 else [each for each in state.entries if each in alike]:
        entry = state.entries[name]
        if all(each.system != claim.system for each in entry.claims.values()):
            return entry
    return None


def _merged(state: Timesheet, name: str) -> Sequence[Event]:
    """A late telling may show that two entries are the same hours: the newer telling stays."""
    entry = state.entries[name]
    mine = {claim.system for claim in entry.claims.values()}
    for other in state.entries.values():
        theirs = {claim.system for claim in other.claims.values()}
        related = entry.fingerprints & other.fingerprints and not mine & theirs
        if other.entry == name or other.status == "merged" or not related:
            continue
        kept, dropped = (entry, other) if entry.said_at >= other.said_at else (other, entry)
        if live_lot_of(state.lots, dropped.entry) and kept.counts and kept.work.same_as(dropped.work):
            kept, dropped = dropped, kept
        reversals = reversed_lots(dropped.entry, f"the hours are those of {kept.entry}", state)
        return [*reversals, EntriesMerged(kept.entry, dropped.entry)]
    return []


def _require_room(work: Work, replaced: str | None, state: Timesheet) -> None:
    hours = state.hours_on(work.work_date, without=replaced) + work.hours
    if hours > HOURS_PER_DAY_MAX:
        raise DayTooLong(f"{work.work_date} would have {hours:f} h.")


def withdraw_time(resource: str, claim: Claim, day: date, state: Timesheet) -> Sequence[Event]:
    known = state.claimed_by(claim.ref)
    if known is None:
        return [TimeWithdrawn(claim.ref, resource, day, claim)]
    own = known.claims.get(claim.ref)
    is_late = claim.said_at < known.said_at or (own is not None and claim.said_at < own.said_at)
    if not known.counts or is_late:
        return []
    return [
        *reversed_lots(known.entry, "the hours were withdrawn", state),
        TimeWithdrawn(known.entry, resource, day, claim),
    ]
