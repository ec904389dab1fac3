"""A timesheet is one person's week: what was worked, who approved it, and the lots that came of it.

Several systems may tell of the same hours (Jira and Tempo do). Each telling is a claim; claims that agree on project,
task, start and length are one entry, whatever order they arrive in. Approval is per entry, also when a system approves
a whole period: an approval covers the entries of its days as they were when it was given, even if they arrive later.

``words`` says what can be asked and happen, ``week`` what stands, and ``telling``, ``approval``, ``rating`` and
``held_back`` hold the rules, which ``deciding`` gives each command to; ``tellings`` finds what others told of the same.
"""

from __future__ import annotations

from domain.timesheet.deciding import decide, decider
from domain.timesheet.held_back import APPROVER_REDUCED
from domain.timesheet.week import Entry, EntryStatus, Timesheet, evolve
from domain.timesheet.words import (
    HOURS_PER_DAY_MAX,
    ApprovalRevoked,
    ApprovedHoursOutOfRange,
    ApproveTime,
    Claim,
    ClaimHeard,
    Command,
    DayTooLong,
    DecidePeriod,
    EntriesMerged,
    EntryInvoiced,
    EntryNotApproved,
    EntryUnrated,
    Event,
    HeldByApprover,
    HoursOutOfRange,
    LogTime,
    PeriodDecided,
    PeriodVerdict,
    RateEntry,
    RejectTime,
    ReportUnrated,
    SelfApproval,
    SubmitTime,
    TimeApproved,
    TimeCorrected,
    TimeLogged,
    TimeRejected,
    TimeSubmitted,
    TimeWithdrawn,
    UnknownEntry,
    WithdrawTime,
    Work,
    timesheet_stream,
)

__all__ = [
    "APPROVER_REDUCED",
    "HOURS_PER_DAY_MAX",
    "ApprovalRevoked",
    "ApproveTime",
    "ApprovedHoursOutOfRange",
    "Claim",
    "ClaimHeard",
    "Command",
    "DayTooLong",
    "DecidePeriod",
    "EntriesMerged",
    "Entry",
    "EntryInvoiced",
    "EntryNotApproved",
    "EntryStatus",
    "EntryUnrated",
    "Event",
    "HeldByApprover",
    "HoursOutOfRange",
    "LogTime",
    "PeriodDecided",
    "PeriodVerdict",
    "RateEntry",
    "RejectTime",
    "ReportUnrated",
    "SelfApproval",
    "SubmitTime",
    "TimeApproved",
    "TimeCorrected",
    "TimeLogged",
    "TimeRejected",
    "TimeSubmitted",
    "TimeWithdrawn",
    "Timesheet",
    "UnknownEntry",
    "WithdrawTime",
    "Work",
    "decide",
    "decider",
    "evolve",
    "timesheet_stream",
]
