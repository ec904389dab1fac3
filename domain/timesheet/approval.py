"""Approval of hours: by the entry, or by a system's verdict on a person's days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from domain.periods import EndsBeforeItStarts
from domain.timesheet.held_back import shared_anew
from domain.timesheet.week import Entry, Timesheet, after, entry_of, reversed_lots
from domain.timesheet.words import (
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
    entries, by, at = command.entries, command.by, command.at
    if by == state.resource:
        raise SelfApproval(f"{by}: {', '.join(entries)}.")
    for name, hours in command.hours.items():
        if not 0 <= hours <= HOURS_PER_DAY_MAX:
            raise ApprovedHoursOutOfRange(f"{name}: {hours:f} h.")
    other = {name: hours for name, hours in command.hours.items() if hours != entry_of(name, state).work.hours}
    fresh = tuple(name for name in entries if _is_news(entry_of(name, state), other.get(name), at))
    if not fresh:
        return []
    approved = TimeApproved(fresh, by, at, {name: hours for name, hours in other.items() if name in fresh})
    return [approved, *shared_anew(fresh, state, after([approved], state))]


def _is_news(entry: Entry, hours: Decimal | None, at: datetime) -> bool:
    """Whether an approval changes an entry: the first does, and a later one for other hours."""
    if entry.status != "approved" or entry.approved_at is None:
        return True
    return hours != entry.approved_hours and at > entry.approved_at


def reject(entries: tuple[str, ...], by: str, at: datetime, reason: str, state: Timesheet) -> Sequence[Event]:
    fresh = tuple(name for name in entries if entry_of(name, state).status != "rejected")
    reversals = [event for name in fresh for event in reversed_lots(name, "the hours were rejected", state)]
    return [*reversals, TimeRejected(fresh, by, at, reason)] if fresh else []


def decide_period(command: DecidePeriod, state: Timesheet) -> Sequence[Event]:
    if command.verdict == "approved" and command.by == command.resource:
        raise SelfApproval(f"{command.resource}, {command.starts} to {command.ends}.")
    if command.ends < command.starts:
        raise EndsBeforeItStarts(f"{command.starts} to {command.ends}.")
    known = state.verdicts.get((command.starts, command.ends))
    if known is not None and known.at >= command.at:
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
    decided_later = entry.approved_at is not None and entry.approved_at >= verdict.at
    match verdict.verdict:
        case "approved":
            return None if entry.status == "approved" else "approve"
        case "rejected":
            return None if entry.status == "rejected" or decided_later else "reject"
        case "open" | "in_review":
            if entry.status == "approved":
                return None if decided_later else "revoke"
            return "submit" if verdict.verdict == "in_review" and entry.status in ("captured", "rejected") else None
        case _:
            assert_never(verdict.verdict)


def _moves(move: str, names: tuple[str, ...], verdict: PeriodDecided, state: Timesheet) -> Sequence[Event]:
    reversals = [event for name in names for event in reversed_lots(name, "the approval was revoked", state)]
    match move:
        case "approve":
            return [TimeApproved(names, verdict.by, verdict.at)]
        case "reject":
            return [*reversals, TimeRejected(names, verdict.by, verdict.at, verdict.reason)]
        case "revoke":
            return [*reversals, ApprovalRevoked(names, verdict.by, verdict.at)]
        case _:
            return [TimeSubmitted(names)]
