"""What can be asked of a timesheet, what can happen to it, and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal

from domain.kernel import Refused, StreamId, stream_of
from domain.lots import CreditLots, Lot, LotCommand, LotEvent, TransferLot
from domain.lots.transfer import TransferCommand, TransferEvent
from domain.periods import week_of

HOURS_PER_DAY_MAX = Decimal(24)


def timesheet_stream(resource: str, day: date) -> StreamId:
    """The week of one person that a day falls into: ``timesheet:W-17:2026-03-02``."""
    return stream_of("timesheet", resource, _week(day))


@lru_cache(maxsize=4096)
def _week(day: date) -> str:
    return week_of(day).isoformat()


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
    """Approve entries as they stand, or for other hours than were worked.

    ``hours``: by entry, how many of its hours may be billed; an entry that is not named is approved in full. Fewer than
    were worked leave the rest as cost that is held, more are billed without cost. The newest approval counts.
    """

    entries: tuple[str, ...]
    by: str
    at: datetime
    hours: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RejectTime:
    """Send entries back to the worker with a reason."""

    entries: tuple[str, ...]
    by: str
    at: datetime
    reason: str


PeriodVerdict = Literal["open", "in_review", "approved", "rejected"]
CAUTION: Final[tuple[PeriodVerdict, ...]] = ("approved", "in_review", "rejected", "open")
"""Of two verdicts about a period of one moment the more cautious one counts: the later one here."""


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
    """Entries were approved as they stood; those in ``hours`` for so many hours instead of those that were worked."""

    entries: tuple[str, ...]
    by: str
    at: datetime
    hours: Mapping[str, Decimal] = field(default_factory=dict)


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


class ApprovedHoursOutOfRange(Refused):
    """An entry is approved for at least zero and at most 24 hours."""

    code = "timesheet.approved_hours_out_of_range"
    fix = "State hours between 0 and 24, and approve the entry again."


class HeldByApprover(Refused):
    """Hours that the approver did not let be billed are held until they are approved."""

    code = "timesheet.held_by_approver"
    fix = "Approve the entry again, for the hours that may be billed: the newest approval counts."


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
