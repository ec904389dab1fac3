"""A timesheet is one person's week: what was worked, who approved it, and the lots that came of it.

Several systems may tell of the same hours (Jira and Tempo do). Each telling is a claim; claims that agree on project,
task, start and length are one entry, whatever order they arrive in. Approval is per entry, also when a system approves
a whole period: an approval covers the entries of its days as they were when it was given, even if they arrive later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, assert_never

from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.lots import (
    LEDGER,
    BillLots,
    CreditLots,
    DrawLots,
    GiveLotsFree,
    HoldLots,
    LiftLotHolds,
    Lot,
    LotBook,
    LotCommand,
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
    LotStatus,
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
    decide_lots,
    decide_rating,
    evolve_lots,
    live_lot_of,
    reversals_of,
)
from domain.periods import week_of
from domain.tellings import Tellings
from domain.transfer import TransferCommand, TransferEvent
from domain.transfers import decide_transfers, evolve_transfers

HOURS_PER_DAY_MAX = Decimal(24)
DOUBTS: Final = ("DUPLICATE_ENTRY", "HOURS_EXCEED_DAILY_LIMIT")
"""Reasons that hold a lot until a person lifts them, or the time system corrects what looks wrong."""


def timesheet_stream(resource: str, day: date) -> StreamId:
    """The week of one person that a day falls into: ``timesheet:W-17:2026-03-02``."""
    return stream_of("timesheet", resource, week_of(day).isoformat())


@dataclass(frozen=True, slots=True)
class Work:
    """What was worked: for which project and task, on which day, how long, and what kind of time.

    ``started`` is the wall clock at the worker's place as ``HH:MM:SS``, where the source knows it.
    """

    project: str
    task: str | None
    work_date: date
    hours: Decimal
    time_type: str = "regular"
    started: str | None = None
    note: str = ""

    @property
    def fingerprint(self) -> str:
        """What two systems that tell of the same hours agree on."""
        return f"{self.project}/{self.task or ''}/{self.work_date}T{self.started or ''}/{self.hours.normalize():f}"

    def same_as(self, other: Work) -> bool:
        """Whether two tellings differ in nothing that is billed or costed."""
        mine = (self.project, self.task, self.work_date, self.hours, self.time_type)
        return mine == (other.project, other.task, other.work_date, other.hours, other.time_type)


@dataclass(frozen=True, slots=True)
class Claim:
    """What one system says of an entry: its own id for it, and its clock when it said so."""

    system: str
    id: str
    said_at: datetime

    @property
    def ref(self) -> str:
        return f"{self.system}:{self.id}"


@dataclass(frozen=True, slots=True)
class LogTime:
    """Tell hours, or tell them anew, as one system knows them."""

    resource: str
    claim: Claim
    work: Work


@dataclass(frozen=True, slots=True)
class WithdrawTime:
    """Tell that hours were deleted in a system, or moved to another week."""

    resource: str
    day: date
    claim: Claim


@dataclass(frozen=True, slots=True)
class SubmitTime:
    """Hand in entries for approval."""

    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApproveTime:
    """Approve entries as they stand."""

    entries: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RejectTime:
    """Send entries back to the worker with a reason."""

    entries: tuple[str, ...]
    by: str
    at: datetime
    reason: str


PeriodVerdict = Literal["open", "in_review", "approved", "rejected"]


@dataclass(frozen=True, slots=True)
class DecidePeriod:
    """Tell how a system's approval of a person's days stands; ``at`` is when that was decided there."""

    resource: str
    week: date
    starts: date
    ends: date
    verdict: PeriodVerdict
    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RateEntry:
    """Freeze the price and cost of an approved entry as a lot, in place of an open lot with other figures.

    ``hours_per_day_max``: more hours of the person on that day hold the lot for review; None is no limit.
    """

    lot: Lot
    hours_per_day_max: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ReportUnrated:
    """Record that no price could be found for an approved entry, and why."""

    entry: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class TimeLogged:
    """A system told hours that were not known before."""

    entry: str
    resource: str
    claim: Claim
    work: Work


@dataclass(frozen=True, slots=True)
class TimeCorrected:
    """A system told newer hours of a known entry."""

    entry: str
    claim: Claim
    work: Work


@dataclass(frozen=True, slots=True)
class ClaimHeard:
    """A telling that changes no hours: another system's of the same entry, or a late one."""

    entry: str
    claim: Claim
    work: Work


@dataclass(frozen=True, slots=True)
class EntriesMerged:
    """Two entries turned out to be the same hours; ``dropped`` no longer counts."""

    kept: str
    dropped: str


@dataclass(frozen=True, slots=True)
class TimeWithdrawn:
    """A system deleted hours, or moved them to another week."""

    entry: str
    resource: str
    day: date
    claim: Claim


@dataclass(frozen=True, slots=True)
class TimeSubmitted:
    """Entries were handed in for approval."""

    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimeApproved:
    """Entries were approved as they stood."""

    entries: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TimeRejected:
    """Entries were sent back with a reason."""

    entries: tuple[str, ...]
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ApprovalRevoked:
    """The approval of entries was taken back."""

    entries: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PeriodDecided:
    """A system told how its approval of a person's days stands."""

    resource: str
    starts: date
    ends: date
    verdict: PeriodVerdict
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class EntryUnrated:
    """No price could be found for an approved entry."""

    entry: str
    code: str
    detail: str


class HoursOutOfRange(Refused):
    """An entry has more than zero and at most 24 hours."""

    code = "timesheet.hours_out_of_range"
    fix = "Correct the hours in the time system; the corrected entry is taken up by itself."


class DayTooLong(Refused):
    """A day has 24 hours."""

    code = "timesheet.day_too_long"
    fix = "Correct one of the day's entries in the time system, then retry this one."


class UnknownEntry(Refused):
    """The timesheet has no such entry."""

    code = "timesheet.unknown_entry"
    fix = "Use the id of an entry of this week."


class SelfApproval(Refused):
    """Nobody approves their own hours."""

    code = "timesheet.self_approval"
    fix = "Let the project manager or another approver approve them."


class EntryInvoiced(Refused):
    """Hours on a draft or an invoice cannot be changed by the time system."""

    code = "timesheet.entry_invoiced"
    fix = "Discard the draft, or credit the lot; then retry the message."


class EntryNotApproved(Refused):
    """Only approved hours are rated."""

    code = "timesheet.entry_not_approved"
    fix = "Approve the entry first."


OwnEvent = (
    TimeLogged
    | TimeCorrected
    | ClaimHeard
    | EntriesMerged
    | TimeWithdrawn
    | TimeSubmitted
    | TimeApproved
    | TimeRejected
    | ApprovalRevoked
    | PeriodDecided
    | EntryUnrated
)
Event = OwnEvent | LotEvent | TransferEvent
Command = (
    LogTime
    | WithdrawTime
    | SubmitTime
    | ApproveTime
    | RejectTime
    | DecidePeriod
    | RateEntry
    | ReportUnrated
    | LotCommand
    | TransferCommand
    | CreditLots
    | TransferLot
)
EntryStatus = Literal["captured", "submitted", "approved", "rejected", "withdrawn", "merged"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One piece of work as it stands.

    ``claims`` holds each system's newest telling, ``said_at`` is the clock of the content.
    """

    entry: str
    work: Work
    said_at: datetime
    claims: Mapping[str, Claim]
    fingerprints: frozenset[str]
    status: EntryStatus = "captured"
    approved_by: str | None = None
    approved_at: datetime | None = None
    unrated: EntryUnrated | None = None

    @property
    def counts(self) -> bool:
        """Whether its hours are hours of the day."""
        return self.status not in ("withdrawn", "merged")


@dataclass(frozen=True, slots=True)
class Timesheet:
    """One person's week: entries, the verdicts on its days, and the lots that came of them."""

    resource: str = ""
    entries: Mapping[str, Entry] = field(default_factory=dict)
    verdicts: Mapping[tuple[date, date], PeriodDecided] = field(default_factory=dict)
    lots: LotBook = field(default_factory=dict)
    tellings: Tellings = field(default_factory=Tellings)

    def claimed_by(self, ref: str) -> Entry | None:
        """The entry that a system's id stands for."""
        name = self.tellings.entry_of.get(ref)
        return None if name is None else self.entries[name]

    def hours_on(self, day: date, without: str | None = None) -> Decimal:
        """All hours of a day, one entry left out."""
        of_day = (each for each in self.entries.values() if each.work.work_date == day)
        return sum((each.work.hours for each in of_day if each.counts and each.entry != without), Decimal(0))

    def verdict_on(self, day: date) -> PeriodDecided | None:
        """The newest decision about a period that covers a day."""
        covering = [each for each in self.verdicts.values() if each.starts <= day <= each.ends]
        return max(covering, key=lambda each: each.at, default=None)


def decide(command: Command, state: Timesheet) -> Sequence[Event]:
    if isinstance(command, TransferCommand):
        return decide_transfers(command, state.lots)
    match command:
        case LogTime():
            told = _log(command, state)
            return _doubts_settled(_settled(told, state) if state.verdicts else told, state)
        case WithdrawTime(claim=claim):
            return _doubts_settled(_withdraw(command.resource, claim, command.day, state), state)
        case DecidePeriod():
            return _settled(_decide_period(command, state), state)
        case SubmitTime(entries):
            fresh = tuple(name for name in entries if _entry(name, state).status in ("captured", "rejected"))
            return [TimeSubmitted(fresh)] if fresh else []
        case ApproveTime(entries, by, at):
            return _approve(entries, by, at, state)
        case RejectTime(entries, by, at, reason):
            return _reject(entries, by, at, reason, state)
        case RateEntry(lot, hours_per_day_max):
            return _rate(lot, hours_per_day_max, state)
        case ReportUnrated(entry, code, detail):
            return _report_unrated(EntryUnrated(entry, code, detail), state)
        case (
            SplitLot()
            | ShareLot()
            | ReserveLots()
            | ReleaseLots()
            | BillLots()
            | WriteOffLots()
            | PostponeLots()
            | DrawLots()
            | UndrawLots()
            | RepriceLot()
            | CreditLots()
            | TransferLot()
            | HoldLots()
            | LiftLotHolds()
            | GiveLotsFree()
        ):
            return decide_lots(command, state.lots)
        case _:
            assert_never(command)


def _entry(name: str, state: Timesheet) -> Entry:
    if name not in state.entries or not state.entries[name].counts:
        raise UnknownEntry(name)
    return state.entries[name]


def _log(command: LogTime, state: Timesheet) -> Sequence[Event]:
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
    if claim.said_at <= known.said_at or (known.counts and known.work.same_as(work)):
        told: list[Event] = [ClaimHeard(known.entry, claim, work)]
    else:
        _require_room(work, known.entry, state)
        reversals = _reversed(known.entry, "the hours were corrected", state)
        told = [*reversals, TimeCorrected(known.entry, claim, work)]
    if not state.tellings.others(known.entry, {fingerprint, *known.fingerprints}):
        return told
    return [*told, *_merged(_after(told, state), known.entry)]


def _after(events: Sequence[Event], state: Timesheet) -> Timesheet:
    for event in events:
        state = evolve(state, event)
    return state


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
        reversals = _reversed(dropped.entry, f"the hours are those of {kept.entry}", state)
        return [*reversals, EntriesMerged(kept.entry, dropped.entry)]
    return []


def _require_room(work: Work, replaced: str | None, state: Timesheet) -> None:
    hours = state.hours_on(work.work_date, without=replaced) + work.hours
    if hours > HOURS_PER_DAY_MAX:
        raise DayTooLong(f"{work.work_date} would have {hours:f} h.")


def _reversed(entry: str, reason: str, state: Timesheet) -> Sequence[LotReversed]:
    """The reversal of an entry's lots before it changes; refused while one is on a draft or an invoice."""
    live = live_lot_of(state.lots, entry)
    if live is not None:
        raise EntryInvoiced(f"{entry} is on {live.place}.")
    return reversals_of(state.lots, entry, reason)


def _withdraw(resource: str, claim: Claim, day: date, state: Timesheet) -> Sequence[Event]:
    known = state.claimed_by(claim.ref)
    if known is None:
        return [TimeWithdrawn(claim.ref, resource, day, claim)]
    if not known.counts or claim.said_at < known.said_at:
        return []
    return [
        *_reversed(known.entry, "the hours were withdrawn", state),
        TimeWithdrawn(known.entry, resource, day, claim),
    ]


def _decide_period(command: DecidePeriod, state: Timesheet) -> Sequence[Event]:
    if command.verdict == "approved" and command.by == command.resource:
        raise SelfApproval(f"{command.resource}, {command.starts} to {command.ends}.")
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


def _settled(events: Sequence[Event], state: Timesheet) -> Sequence[Event]:
    """The events, then what the newest period verdicts make of each entry that they cover."""
    if not events:
        return events
    after = _after(events, state)
    by_verdict: dict[tuple[str, PeriodDecided], list[str]] = {}
    for entry in after.entries.values():
        verdict = after.verdict_on(entry.work.work_date) if entry.counts else None
        if verdict and verdict.at >= entry.said_at and (move := _move(entry, verdict)):
            by_verdict.setdefault((move, verdict), []).append(entry.entry)
    moves: list[Event] = []
    for (move, verdict), names in by_verdict.items():
        moves += _moves(move, tuple(names), verdict, after)
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
    reversals = [event for name in names for event in _reversed(name, "the approval was revoked", state)]
    match move:
        case "approve":
            return [TimeApproved(names, verdict.by, verdict.at)]
        case "reject":
            return [*reversals, TimeRejected(names, verdict.by, verdict.at, verdict.reason)]
        case "revoke":
            return [*reversals, ApprovalRevoked(names, verdict.by, verdict.at)]
        case _:
            return [TimeSubmitted(names)]


def _approve(entries: tuple[str, ...], by: str, at: datetime, state: Timesheet) -> Sequence[Event]:
    if by == state.resource:
        raise SelfApproval(f"{by}: {', '.join(entries)}.")
    fresh = tuple(name for name in entries if _entry(name, state).status != "approved")
    return [TimeApproved(fresh, by, at)] if fresh else []


def _reject(entries: tuple[str, ...], by: str, at: datetime, reason: str, state: Timesheet) -> Sequence[Event]:
    fresh = tuple(name for name in entries if _entry(name, state).status != "rejected")
    reversals = [event for name in fresh for event in _reversed(name, "the hours were rejected", state)]
    return [*reversals, TimeRejected(fresh, by, at, reason)] if fresh else []


def _rate(lot: Lot, hours_per_day_max: Decimal | None, state: Timesheet) -> Sequence[Event]:
    entry = _entry(lot.source, state)
    if entry.status != "approved":
        raise EntryNotApproved(lot.source)
    rated = decide_rating(lot, state.lots)
    return [*rated, *_doubts(entry, hours_per_day_max, _after(rated, state))]


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


def _doubts_settled(events: Sequence[Event], state: Timesheet) -> Sequence[Event]:
    """The events, then the lifting of duplicates whose other telling is gone or was corrected."""
    if not events or not any("DUPLICATE_ENTRY" in held.holds for held in state.lots.values()):
        return events
    after = _after(events, state)
    lifted: list[Event] = []
    for name, entry in after.entries.items():
        held = tuple(
            each.lot.lot
            for each in after.lots.values()
            if each.lot.source == name and "DUPLICATE_ENTRY" in each.holds and each.status is LotStatus.OPEN
        )
        if held and "DUPLICATE_ENTRY" not in _doubtful(entry, None, after):
            lifted.append(LotHoldsLifted(held, "DUPLICATE_ENTRY", LEDGER))
    return [*events, *lifted]


def _report_unrated(news: EntryUnrated, state: Timesheet) -> Sequence[Event]:
    entry = _entry(news.entry, state)
    if entry.status != "approved" or entry.unrated == news or live_lot_of(state.lots, news.entry):
        return []
    return [*_reversed(news.entry, "no price can be found any more", state), news]


def evolve(state: Timesheet, event: Event) -> Timesheet:
    if isinstance(event, TransferEvent):
        return replace(state, lots=evolve_transfers(state.lots, event))
    match event:
        case TimeLogged(name, resource, claim, work):
            entry = Entry(name, work, claim.said_at, {claim.ref: claim}, frozenset({work.fingerprint}))
            return _heard(state, resource, claim, work, entry)
        case TimeCorrected(name, claim, work):
            return _heard(state, state.resource, claim, work, _corrected(state.entries[name], claim, work))
        case ClaimHeard(name, claim, work):
            return _heard(state, state.resource, claim, work, _hearing(state.entries[name], claim, work))
        case EntriesMerged(kept, dropped):
            return _merge(state, kept, dropped)
        case TimeWithdrawn(name, resource):
            heard = state.tellings.heard(name, event.claim.ref)
            withdrawn = replace(state, resource=resource, tellings=heard)
            return _with(withdrawn, _tombstone(state.entries.get(name), event))
        case TimeSubmitted(names):
            return _each(state, names, "submitted", None, None)
        case TimeApproved(names, by, at):
            return _each(state, names, "approved", by, at)
        case TimeRejected(names, _, _, _):
            return _each(state, names, "rejected", None, None)
        case ApprovalRevoked(names, _, _):
            return _each(state, names, "submitted", None, None)
        case PeriodDecided(resource, starts, ends):
            return replace(state, resource=resource, verdicts={**state.verdicts, (starts, ends): event})
        case EntryUnrated(name):
            return _with(state, replace(state.entries[name], unrated=event))
        case LotRated(lot):
            return _priced(replace(state, lots=evolve_lots(state.lots, event)), lot.source)
        case (
            LotSplit()
            | LotsReserved()
            | LotsReleased()
            | LotsBilled()
            | LotReversed()
            | LotsWrittenOff()
            | LotsPostponed()
            | LotsDrawn()
            | LotsUndrawn()
            | LotsCredited()
            | LotTransferred()
            | LotsHeld()
            | LotHoldsLifted()
            | LotsGivenFree()
        ):
            return replace(state, lots=evolve_lots(state.lots, event))
        case _:
            assert_never(event)


def _priced(state: Timesheet, source: str) -> Timesheet:
    """The week in which an entry that had no price has one."""
    entry = state.entries.get(source)
    return _with(state, replace(entry, unrated=None)) if entry and entry.unrated else state


def _with(state: Timesheet, entry: Entry) -> Timesheet:
    return replace(state, entries={**state.entries, entry.entry: entry})


def _heard(state: Timesheet, resource: str, claim: Claim, work: Work, entry: Entry) -> Timesheet:
    """The week with an entry as it is told now; written out, because hours are told far more often than all else."""
    name = entry.entry
    return Timesheet(
        resource=resource,
        entries={**state.entries, name: entry},
        verdicts=state.verdicts,
        lots=state.lots,
        tellings=state.tellings.heard(name, claim.ref, work.fingerprint),
    )


def _hearing(entry: Entry, claim: Claim, work: Work) -> Entry:
    """The entry after a telling, of which only the newest of each system is kept."""
    ref = claim.ref
    known = entry.claims.get(ref)
    newest = claim if known is None or claim.said_at > known.said_at else known
    return replace(entry, claims={**entry.claims, ref: newest}, fingerprints=entry.fingerprints | {work.fingerprint})


def _corrected(entry: Entry, claim: Claim, work: Work) -> Entry:
    """The entry as it is told newly; what was submitted, approved or priced was the old one."""
    return replace(
        _hearing(entry, claim, work),
        work=work,
        said_at=claim.said_at,
        status="captured",
        approved_by=None,
        approved_at=None,
        unrated=None,
    )


def _tombstone(entry: Entry | None, event: TimeWithdrawn) -> Entry:
    if entry is None:
        nothing = Work("", None, event.day, Decimal(0))
        entry = Entry(event.entry, nothing, event.claim.said_at, {}, frozenset())
    claims = {**entry.claims, event.claim.ref: event.claim}
    return replace(entry, status="withdrawn", claims=claims, said_at=event.claim.said_at, unrated=None)


def _merge(state: Timesheet, kept: str, dropped: str) -> Timesheet:
    stays, goes = state.entries[kept], state.entries[dropped]
    union = replace(
        stays,
        claims={**goes.claims, **stays.claims},
        fingerprints=stays.fingerprints | goes.fingerprints,
    )
    told = replace(state, tellings=state.tellings.merged(kept, dropped, goes.claims))
    return _with(_with(told, union), replace(goes, status="merged"))


def _each(
    state: Timesheet, names: tuple[str, ...], status: EntryStatus, by: str | None, at: datetime | None
) -> Timesheet:
    moved = {
        name: replace(state.entries[name], status=status, approved_by=by, approved_at=at, unrated=None)
        for name in names
    }
    return replace(state, entries={**state.entries, **moved})


decider: Decider[Command, Timesheet, Event] = Decider("timesheet", Timesheet(), decide, evolve)
