"""One person's week as it stands: its entries, the verdicts on its days, and the lots that came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, assert_never

from domain.lots import (
    LotBook,
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
    evolve_lots,
    live_lot_of,
    reversals_of,
)
from domain.lots.transfer import TransferEvent
from domain.lots.transferring import evolve_transfers
from domain.timesheet.tellings import Tellings
from domain.timesheet.words import (
    ApprovalRevoked,
    Claim,
    ClaimHeard,
    EntriesMerged,
    EntryInvoiced,
    EntryUnrated,
    Event,
    PeriodDecided,
    TimeApproved,
    TimeCorrected,
    TimeLogged,
    TimeRejected,
    TimeSubmitted,
    TimeWithdrawn,
    UnknownEntry,
    Work,
)

EntryStatus = Literal["captured", "submitted", "approved", "rejected", "withdrawn", "merged"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One piece of work as it stands.

    ``claims`` holds each system's newest telling, ``said_at`` is the clock of the content. ``approved_hours`` is None
    while the hours that were worked are those that may be billed. ``decided`` is the newest decision about it alone,
    not about its whole period, and may be about other hours than those that are told now.
    """

    entry: str
    work: Work
    said_at: datetime
    claims: Mapping[str, Claim]
    fingerprints: frozenset[str]
    status: EntryStatus = "captured"
    approved_by: str | None = None
    approved_at: datetime | None = None
    approved_hours: Decimal | None = None
    unrated: EntryUnrated | None = None
    decided: TimeApproved | TimeRejected | None = None

    @property
    def counts(self) -> bool:
        """Whether its hours are hours of the day."""
        return self.status not in ("withdrawn", "merged")

    @property
    def told_by(self) -> frozenset[str]:
        """The systems that tell of it."""
        return frozenset(claim.system for claim in self.claims.values())

    @property
    def billable_hours(self) -> Decimal:
        """The hours that may be billed, as the approver said."""
        return self.work.hours if self.approved_hours is None else self.approved_hours

    @property
    def hours_in_lots(self) -> Decimal:
        """The hours that its lots add up to: those that were worked, or more if more may be billed."""
        return max(self.work.hours, self.billable_hours)

    @property
    def hours_held_back(self) -> Decimal:
        """The hours that were worked, and that the approver did not let be billed."""
        return self.hours_in_lots - self.billable_hours


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
        """The newest decision about a period that covers a day; of one moment, that about the shorter period."""
        covering = [each for each in self.verdicts.values() if each.starts <= day <= each.ends]
        return max(covering, key=lambda each: (each.at, each.starts - each.ends, each.starts), default=None)


def entry_of(name: str, state: Timesheet) -> Entry:
    if name not in state.entries or not state.entries[name].counts:
        raise UnknownEntry(name)
    return state.entries[name]


def own_decision(entry: Entry) -> TimeApproved | TimeRejected | None:
    """The newest decision about the entry alone that was given for its hours as they are told now."""
    return entry.decided if entry.decided is not None and entry.decided.at >= entry.said_at else None


def reversed_lots(entry: str, reason: str, state: Timesheet) -> Sequence[LotReversed]:
    """The reversal of an entry's lots before it changes; refused while one is on a draft or an invoice."""
    live = live_lot_of(state.lots, entry)
    if live is not None:
        raise EntryInvoiced(f"{entry} is on {live.place}.")
    return reversals_of(state.lots, entry, reason)


def after(events: Sequence[Event], state: Timesheet) -> Timesheet:
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: Timesheet, event: Event) -> Timesheet:
    if isinstance(event, TransferEvent):
        return _with_lots(state, evolve_transfers(state.lots, event))
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
            return _each(state, names, "submitted", None)
        case TimeApproved(names):
            return _each(state, names, "approved", event)
        case TimeRejected(names):
            return _each(state, names, "rejected", event)
        case ApprovalRevoked(names):
            return _each(state, names, "submitted", event)
        case PeriodDecided(resource, starts, ends):
            return replace(state, resource=resource, verdicts={**state.verdicts, (starts, ends): event})
        case EntryUnrated(name):
            return _with(state, replace(state.entries[name], unrated=event))
        case LotRated(lot):
            return _priced(_with_lots(state, evolve_lots(state.lots, event)), lot.source)
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
            return _with_lots(state, evolve_lots(state.lots, event))
        case _:
            assert_never(event)


def _with_lots(state: Timesheet, lots: LotBook) -> Timesheet:
    """The week with other lots; written out, because what happens to lots is most of what happens."""
    return Timesheet(state.resource, state.entries, state.verdicts, lots, state.tellings)


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
        approved_hours=None,
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
        decided=_newer(stays, goes),
    )
    told = replace(state, tellings=state.tellings.merged(kept, dropped, goes.claims))
    return _with(_with(told, union), replace(goes, status="merged"))


def _newer(stays: Entry, goes: Entry) -> TimeApproved | TimeRejected | None:
    """The newer of the decisions about two entries that are one from here on."""
    one, other = stays.decided, goes.decided
    if other is None or (one is not None and one.at >= other.at):
        return one
    if isinstance(other, TimeRejected):
        return other
    hours = {stays.entry: other.hours[goes.entry]} if goes.entry in other.hours else {}
    return replace(other, entries=(stays.entry,), hours=hours)


def _each(
    state: Timesheet,
    names: tuple[str, ...],
    status: EntryStatus,
    decided: TimeApproved | TimeRejected | ApprovalRevoked | None,
) -> Timesheet:
    approval = decided if isinstance(decided, TimeApproved) else None
    own = None if decided is None or isinstance(decided, ApprovalRevoked) else decided
    moved = {
        name: replace(
            state.entries[name],
            status=status,
            approved_by=approval.by if approval else None,
            approved_at=approval.at if approval else None,
            approved_hours=approval.hours.get(name) if approval else None,
            unrated=None,
            decided=state.entries[name].decided if own is None or _is_of_period(own, name, state) else own,
        )
        for name in names
    }
    return replace(state, entries={**state.entries, **moved})


def _is_of_period(decided: TimeApproved | TimeRejected, name: str, state: Timesheet) -> bool:
    """Whether a decision about an entry is what the decision about its period came to."""
    verdict = state.verdict_on(state.entries[name].work.work_date)
    return verdict is not None and (verdict.by, verdict.at) == (decided.by, decided.at)
