"""Approval of hours: by the entry, or by a system's verdict on a person's days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeGuard, assert_never

from domain.periods import EndsBeforeItStarts
from domain.timesheet.held_back import shared_anew
from domain.timesheet.week import Entry, Timesheet, after, entry_of, own_decision, reversed_lots
from domain.timesheet.words import (
    CAUTION,
    HOURS_PER_DAY_MAX,
    ApprovalRevoked,
    ApprovedHoursOutOfRange,
    ApproveTime,
    DecidePeriod,
    Event,
    PeriodDecided,
    SelfApproval,
    TimeApproved,
    TimeRejected,
    TimeSubmitted,
)


def approve(command: ApproveTime, state: Timesheet) -> Sequence[Event]:
    by, at, entries = command.by, command.at, _entries(command.entries, state)
    if by == state.resource:
        raise SelfApproval(f"{by}: {', '.join(entries)}.")
    for name, hours in command.hours.items():
        if not 0 <= hours <= HOURS_PER_DAY_MAX:
            raise ApprovedHoursOutOfRange(f"{name}: {hours:f} h.")
    told = {_entry(name, state): hours for name, hours in command.hours.items()}
    other = {name: hours for name, hours in told.items() if hours != entry_of(name, state).work.hours}
    fresh = tuple(name for name in entries if _may_be_approved(entry_of(name, state), at))
    if not fresh:
        return []
    hours_of_fresh = {name: hours for name, hours in other.items() if name in fresh}
    return _approved(TimeApproved(fresh, by, at, hours_of_fresh), state)


def _may_be_approved(entry: Entry, at: datetime) -> bool:
    """Whether an approval counts: it is of the hours as they are told now, and no newer decision about them is known.

    What a newer decision about the whole period makes of it is settled afterwards.
    """
    own = own_decision(entry)
    return at >= entry.said_at and (own is None or own.at < at)


def _approved(approved: TimeApproved, state: Timesheet, *before: Event) -> Sequence[Event]:
    """The approval, and what it makes of lots that are there already."""
    told = [*before, approved]
    return [*told, *shared_anew(approved.entries, state, after(told, state))]


def submit(entries: tuple[str, ...], state: Timesheet) -> Sequence[Event]:
    named = _entries(entries, state)
    fresh = tuple(name for name in named if entry_of(name, state).status in ("captured", "rejected"))
    return [TimeSubmitted(fresh)] if fresh else []


def reject(entries: tuple[str, ...], by: str, at: datetime, reason: str, state: Timesheet) -> Sequence[Event]:
    fresh = [name for name in _entries(entries, state) if _may_be_rejected(entry_of(name, state), at)]
    since = {name: verdict for name in fresh if (verdict := _approved_since(entry_of(name, state), at, state))}
    rest = tuple(name for name in fresh if name not in since)
    events = [*_rejected(TimeRejected(rest, by, at, reason), state)] if rest else []
    for name, verdict in since.items():
        rejected = TimeRejected((name,), by, at, reason)
        events += _approved(TimeApproved((name,), verdict.by, verdict.at), state, rejected)
    return events


def _may_be_rejected(entry: Entry, at: datetime) -> bool:
    """Whether a rejection counts, as an approval does; of two decisions of one moment a rejection does."""
    own = own_decision(entry)
    is_newest = own is None or own.at < at or (own.at == at and isinstance(own, TimeApproved))
    return at >= entry.said_at and is_newest


def _approved_since(entry: Entry, at: datetime, state: Timesheet) -> PeriodDecided | None:
    """The approval of the entry's period that was given after a moment: a rejection of then takes nothing back."""
    verdict = state.verdict_on(entry.work.work_date)
    is_since = verdict is not None and verdict.verdict == "approved" and at < verdict.at >= entry.said_at
    return verdict if is_since else None


def _rejected(rejected: TimeRejected, state: Timesheet) -> Sequence[Event]:
    reversals = [event for name in rejected.entries for event in reversed_lots(name, "the hours were rejected", state)]
    return [*reversals, rejected]


def decided_already(name: str, state: Timesheet) -> Sequence[Event]:
    """The decision about an entry that was heard before its hours were told as they are now, and given after that."""
    entry = state.entries[name]
    match own_decision(entry):
        case TimeApproved(by=by, at=at, hours=hours) if (by, at) != (entry.approved_by, entry.approved_at):
            return _approved(TimeApproved((name,), by, at, {name: hours[name]} if name in hours else {}), state)
        case TimeRejected() as rejected if entry.status != "rejected":
            return _rejected(replace(rejected, entries=(name,)), state)
        case _:
            return []


def _entry(name: str, state: Timesheet) -> str:
    """The entry that a name stands for: its own, or that under which another system told of the same hours."""
    return state.tellings.entry_of.get(name, name)


def _entries(names: tuple[str, ...], state: Timesheet) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_entry(name, state) for name in names))


def decide_period(command: DecidePeriod, state: Timesheet) -> Sequence[Event]:
    if command.verdict == "approved" and command.by == command.resource:
        raise SelfApproval(f"{command.resource}, {command.starts} to {command.ends}.")
    if command.ends < command.starts:
        raise EndsBeforeItStarts(f"{command.starts} to {command.ends}.")
    known = state.verdicts.get((command.starts, command.ends))
    said = (command.at, CAUTION.index(command.verdict))
    if known is not None and (known.at, CAUTION.index(known.verdict)) >= said:
        return []
    return [
        PeriodDecided(
            command.resource,
            command.starts,
            command.ends,
            command.verdict,
            command.by,
            command.at,
            command.reason,
        )
    ]


def settled(events: Sequence[Event], state: Timesheet) -> Sequence[Event]:
    """The events, then what the newest period verdicts make of each entry that they cover."""
    if not events:
        return events
    told = after(events, state)
    by_verdict: dict[tuple[str, PeriodDecided], list[str]] = {}
    for entry in told.entries.values():
        verdict = told.verdict_on(entry.work.work_date) if entry.counts else None
        if verdict and verdict.at >= entry.said_at and (move := _move(entry, verdict)):
            by_verdict.setdefault((move, verdict), []).append(entry.entry)
    moves: list[Event] = []
    for (move, verdict), names in by_verdict.items():
        moves += _moves(move, tuple(names), verdict, told)
    return [*events, *moves]


def _move(entry: Entry, verdict: PeriodDecided) -> str | None:
    """What a verdict changes about an entry that it covers; None when the entry already is where it should be."""
    own = own_decision(entry)
    decided_later = own is not None and own.at >= verdict.at
    was_rejected = isinstance(own, TimeRejected) and decided_later
    match verdict.verdict:
        case "approved":
            return None if entry.status == "approved" or was_rejected else "approve"
        case "rejected":
            return None if entry.status == "rejected" or decided_later else "reject"
        case "open" | "in_review":
            if entry.status == "approved":
                return None if decided_later else "revoke"
            is_handed_in = verdict.verdict == "in_review" and entry.status in ("captured", "rejected")
            return "submit" if is_handed_in and not was_rejected else None
        case _:
            assert_never(verdict.verdict)


def _is_of_other_hours(own: TimeApproved | TimeRejected | None, name: str) -> TypeGuard[TimeApproved]:
    return isinstance(own, TimeApproved) and name in own.hours


def _moves(move: str, names: tuple[str, ...], verdict: PeriodDecided, state: Timesheet) -> Sequence[Event]:
    reversals = [event for name in names for event in reversed_lots(name, "the approval was revoked", state)]
    match move:
        case "approve":
            # Other hours that were approved of an entry itself are closer than the approval of its whole period.
            own = {name: own_decision(state.entries[name]) for name in names}
            hours = {name: each.hours[name] for name, each in own.items() if _is_of_other_hours(each, name)}
            return [TimeApproved(names, verdict.by, verdict.at, hours)]
        case "reject":
            return [*reversals, TimeRejected(names, verdict.by, verdict.at, verdict.reason)]
        case "revoke":
            return [*reversals, ApprovalRevoked(names, verdict.by, verdict.at)]
        case _:
            return [TimeSubmitted(names)]
