"""The accounting periods of a legal entity: months that are opened, softly closed, closed, and at times reopened.

A closed period takes no postings. A fact that becomes known late counts in the first open period behind it, and keeps
the day on which the work was done.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, assert_never

from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.periods import month_end, month_of, months_later

_PERIOD: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def accounting_period_stream(entity: str) -> StreamId:
    """The history of an entity's periods: ``accounting_period:DE01``."""
    return stream_of("accounting_period", entity)


class PeriodStatus(StrEnum):
    """Whether a period takes postings: everybody's, those of finance approvers only, or nobody's."""

    OPEN = "open"
    SOFT_CLOSED = "soft_closed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class OpenPeriod:
    """Let an entity post in a month, such as ``2026-03``."""

    entity: str
    period: str
    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SoftClosePeriod:
    """Let only finance approvers post in a month from now on, while its close is prepared."""

    entity: str
    period: str
    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ClosePeriod:
    """Let nobody post in a month from now on."""

    entity: str
    period: str
    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ReopenPeriod:
    """Let the entity post in a closed month again, with the reason that auditors will read."""

    entity: str
    period: str
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class PeriodOpened:
    """A month was opened for postings."""

    entity: str
    period: str
    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PeriodSoftClosed:
    """A month was closed for all but finance approvers."""

    entity: str
    period: str
    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PeriodClosed:
    """A month was closed: late facts post in the first open period."""

    entity: str
    period: str
    by: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PeriodReopened:
    """A closed month was opened again."""

    entity: str
    period: str
    by: str
    at: datetime
    reason: str


Command = OpenPeriod | SoftClosePeriod | ClosePeriod | ReopenPeriod
Event = PeriodOpened | PeriodSoftClosed | PeriodClosed | PeriodReopened


class PeriodMalformed(Refused):
    """A period is a month such as 2026-03."""

    code = "period.malformed"
    fix = "Send the year and the month, with a hyphen: 2026-03."


class PeriodsWouldGap(Refused):
    """Periods are opened one after the other, without a gap."""

    code = "period.would_gap"
    fix = "Open the month that follows the last one first."


class PeriodNotOpened(Refused):
    """The period was never opened."""

    code = "period.not_opened"
    fix = "Open the period first."


class PeriodIsClosed(Refused):
    """The period is closed and takes no postings."""

    code = "period.closed"
    fix = "Date it in an open period, or ask a finance approver to reopen the closed one."


class PeriodIsSoftClosed(Refused):
    """The period is softly closed: only finance approvers post in it."""

    code = "period.soft_closed"
    fix = "Date it in an open period, or ask a finance approver to do it."


class EarlierPeriodOpen(Refused):
    """A period is closed after all earlier ones."""

    code = "period.earlier_open"
    fix = "Close the earlier periods first."


class ClosedByItsPreparer(Refused):
    """Nobody closes a period whose close they prepared."""

    code = "period.closed_by_preparer"
    fix = "Let another finance approver close it."


class ReasonMissing(Refused):
    """A closed period is reopened for a reason only."""

    code = "period.reason_missing"
    fix = "Say why: auditors will read it."


@dataclass(frozen=True, slots=True)
class PeriodState:
    """Where a period stands, and who prepared its close by closing it softly."""

    status: PeriodStatus
    prepared_by: str | None = None


@dataclass(frozen=True, slots=True)
class AccountingPeriods:
    """The periods of one entity, by month; a month that was never mentioned is open unless a later one is closed."""

    entity: str = ""
    periods: Mapping[str, PeriodState] = field(default_factory=dict)

    def status_of(self, period: str) -> PeriodStatus:
        """Whether a month takes postings."""
        if period in self.periods:
            return self.periods[period].status
        return PeriodStatus.CLOSED if period < self.last_closed else PeriodStatus.OPEN

    @property
    def last_closed(self) -> str:
        """The newest month that is closed; empty when none is."""
        return max((name for name, each in self.periods.items() if each.status is PeriodStatus.CLOSED), default="")

    @property
    def closed(self) -> frozenset[str]:
        """The months that are closed."""
        return frozenset(name for name, each in self.periods.items() if each.status is PeriodStatus.CLOSED)


def takes_postings(status: PeriodStatus, *, of_approver: bool = False) -> bool:
    """Whether a period in this status takes a posting; a softly closed one takes those of finance approvers."""
    return status is PeriodStatus.OPEN or (of_approver and status is PeriodStatus.SOFT_CLOSED)


def posting_day(effective: date, periods: AccountingPeriods, *, of_approver: bool = False) -> date:
    """The day itself while its period is open, else the first day of the first open period behind it."""
    day = effective
    while not takes_postings(periods.status_of(month_of(day)), of_approver=of_approver):
        day = months_later(day, 1)
    return day


def require_open(effective: date, periods: AccountingPeriods, *, of_approver: bool) -> None:
    """Raises PeriodIsClosed or PeriodIsSoftClosed when somebody names a day on which they may not post."""
    period = month_of(effective)
    status = periods.status_of(period)
    if status is PeriodStatus.CLOSED:
        raise PeriodIsClosed(f"{period} of {periods.entity}.")
    if status is PeriodStatus.SOFT_CLOSED and not of_approver:
        raise PeriodIsSoftClosed(f"{period} of {periods.entity}.")


def last_day_of(period: str) -> date:
    """The last day of a month such as ``2026-03``."""
    return month_end(first_day_of(period))


def first_day_of(period: str) -> date:
    """The first day of a month such as ``2026-03``; raises PeriodMalformed."""
    is_in_calendar = "0001-01" <= period < "9999-12"  # dates end with the year 9999: the last month has none behind it
    if not _PERIOD.fullmatch(period) or not is_in_calendar:
        raise PeriodMalformed(repr(period))
    return date.fromisoformat(f"{period}-01")


def period_after(period: str) -> str:
    """The month behind a month."""
    return month_of(months_later(first_day_of(period), 1))


def decide(command: Command, state: AccountingPeriods) -> Sequence[Event]:
    first_day_of(command.period)
    match command:
        case OpenPeriod():
            return _open(command, state)
        case SoftClosePeriod():
            return _soft_close(command, state)
        case ClosePeriod():
            return _close(command, state)
        case ReopenPeriod():
            return _reopen(command, state)
        case _:
            assert_never(command)


def _open(command: OpenPeriod, state: AccountingPeriods) -> Sequence[Event]:
    known = state.periods.get(command.period)
    if known is None:
        if state.periods and command.period != period_after(max(state.periods)):
            raise PeriodsWouldGap(f"The last one of {command.entity} is {max(state.periods)}.")
        return [PeriodOpened(command.entity, command.period, command.by, command.at, command.reason)]
    if known.status is PeriodStatus.CLOSED:
        raise PeriodIsClosed(f"{command.period} of {command.entity}.")
    if known.status is PeriodStatus.OPEN:
        return []
    return [PeriodOpened(command.entity, command.period, command.by, command.at, command.reason)]


def _soft_close(command: SoftClosePeriod, state: AccountingPeriods) -> Sequence[Event]:
    known = _opened(command.period, state)
    if known.status is PeriodStatus.CLOSED:
        raise PeriodIsClosed(f"{command.period} of {command.entity}.")
    if known.status is PeriodStatus.SOFT_CLOSED:
        return []
    return [PeriodSoftClosed(command.entity, command.period, command.by, command.at, command.reason)]


def _close(command: ClosePeriod, state: AccountingPeriods) -> Sequence[Event]:
    known = _opened(command.period, state)
    if known.status is PeriodStatus.CLOSED:
        return []
    earlier = [name for name, each in state.periods.items() if name < command.period and each.status != "closed"]
    if earlier:
        raise EarlierPeriodOpen(f"{', '.join(sorted(earlier))} of {command.entity}.")
    if known.prepared_by == command.by:
        raise ClosedByItsPreparer(f"{command.by} closed {command.period} softly.")
    return [PeriodClosed(command.entity, command.period, command.by, command.at, command.reason)]


def _reopen(command: ReopenPeriod, state: AccountingPeriods) -> Sequence[Event]:
    known = _opened(command.period, state)
    if known.status is not PeriodStatus.CLOSED:
        return []
    if not command.reason.strip():
        raise ReasonMissing(f"{command.period} of {command.entity}.")
    return [PeriodReopened(command.entity, command.period, command.by, command.at, command.reason)]


def _opened(period: str, state: AccountingPeriods) -> PeriodState:
    if period not in state.periods:
        raise PeriodNotOpened(period)
    return state.periods[period]


def evolve(state: AccountingPeriods, event: Event) -> AccountingPeriods:
    match event:
        case PeriodOpened(entity, period) | PeriodReopened(entity, period):
            return _with(state, entity, period, PeriodState(PeriodStatus.OPEN))
        case PeriodSoftClosed(entity, period, by):
            return _with(state, entity, period, PeriodState(PeriodStatus.SOFT_CLOSED, by))
        case PeriodClosed(entity, period):
            return _with(state, entity, period, PeriodState(PeriodStatus.CLOSED))
        case _:
            assert_never(event)


def _with(state: AccountingPeriods, entity: str, period: str, known: PeriodState) -> AccountingPeriods:
    return AccountingPeriods(entity, {**state.periods, period: known})


decider: Decider[Command, AccountingPeriods, Event] = Decider("accounting_period", AccountingPeriods(), decide, evolve)
