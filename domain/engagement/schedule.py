"""What a contract bills by the calendar: instalments of a fixed price, months of a managed service, service credits.

Nothing here reads a clock: the day that begins is told, and what the contract sets for it or for an earlier one falls
due. The same day told again changes nothing.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import assert_never

from domain.contract import ContractLine, FixedFeeSchedule, Instalment, LineVersion, ManagedService, Timing
from domain.engagement.promised import (
    Agreement,
    Promised,
    free_name,
    promised_lot,
    rated_so_far,
    version_on,
)
from domain.kernel import Refused
from domain.lots import LotBook, LotRated
from domain.money import Money, money_of, zero


@dataclass(frozen=True, slots=True)
class FallDue:
    """Let everything be billed, and expire, that the contract sets for a day or an earlier one."""

    on: date
    at: datetime


@dataclass(frozen=True, slots=True)
class GiveServiceCredit:
    """Credit the customer for service that was not as promised; ``amount`` is what is taken off."""

    line: str
    credit: str
    on: date
    amount: Money
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class InstalmentDue:
    """The day of an instalment came."""

    line: str
    instalment: str
    on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class ServicePeriodDue:
    """A month of service, or the part of it that is served, came to be billed."""

    line: str
    starts: date
    ends: date
    on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class ServiceCreditGiven:
    """The customer was credited for service that was not as promised."""

    line: str
    credit: str
    on: date
    amount: Money
    reason: str
    by: str


class CreditNotPositive(Refused):
    """A service credit takes a positive amount off."""

    code = "engagement.credit_not_positive"
    fix = "Send the amount that is taken off as a positive number."


class CreditAboveFee(Refused):
    """Service credits cannot exceed what the line has let be billed."""

    code = "engagement.credit_above_fee"
    fix = "Credit at most the fee of the periods that are due."


class CreditReasonMissing(Refused):
    """A service credit is given with a reason."""

    code = "engagement.credit_reason_missing"
    fix = "Say which service level was missed, and when."


ScheduleEvent = InstalmentDue | ServicePeriodDue | ServiceCreditGiven


@dataclass(frozen=True, slots=True)
class Schedule:
    """What has fallen due: instalments and the first days of service periods by line, and credits by their names."""

    instalments: Mapping[tuple[str, str], InstalmentDue] = field(default_factory=dict)
    periods: Mapping[tuple[str, date], ServicePeriodDue] = field(default_factory=dict)
    credits: Mapping[tuple[str, str], ServiceCreditGiven] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServicePeriod:
    """A calendar month of a service, or the days of it that are served."""

    starts: date
    ends: date

    @property
    def days_of_month(self) -> int:
        return monthrange(self.starts.year, self.starts.month)[1]

    def due_on(self, timing: Timing) -> date:
        """The day on which it is billed: its first, or its last where it is paid in arrears."""
        return self.starts if timing == "advance" else self.ends


def service_periods(service: ManagedService, until: date) -> Iterator[ServicePeriod]:
    """The months of a service that begin up to a day, the first and the last cut to the days served."""
    starts = service.starts
    while starts <= until and (service.ends is None or starts <= service.ends):
        ends = starts.replace(day=monthrange(starts.year, starts.month)[1])
        yield ServicePeriod(starts, min(ends, service.ends) if service.ends else ends)
        if ends == date.max:
            return
        starts = ends + timedelta(days=1)


def service_of(versions: Sequence[LineVersion]) -> ManagedService | None:
    """A service over all its versions: from the first day of the first one, to the end that the newest one says."""
    services = [each.line.billing for each in versions if isinstance(each.line.billing, ManagedService)]
    newest = versions[-1].line.billing if versions else None
    if not isinstance(newest, ManagedService):
        return None
    return replace(newest, starts=min(each.starts for each in services))


def fee_of_period(versions: Sequence[LineVersion], period: ServicePeriod, currency: str) -> Money:
    """The fee of a period, straight line by day: each day has its share of the fee that holds on it."""
    fees = (Fraction(fee) * days / period.days_of_month for fee, days in _served(versions, period))
    return money_of(sum(fees, Fraction(0)), currency)


def _served(versions: Sequence[LineVersion], period: ServicePeriod) -> Iterator[tuple[Decimal, int]]:
    """The fees that hold in a period, each with the number of days that are served at it."""
    changes = (each.effective_from for each in versions if period.starts < each.effective_from <= period.ends)
    firsts = [period.starts, *sorted(set(changes))]
    lasts = [*(each - timedelta(days=1) for each in firsts[1:]), period.ends]
    for first, last in zip(firsts, lasts, strict=True):
        line = version_on(versions, first)
        service = line.billing if line is not None else None
        if isinstance(service, ManagedService):
            until = last if service.ends is None else min(last, service.ends)
            days = (until - max(first, service.starts)).days + 1
            if days > 0:
                yield service.fee.amount, days


def decide_due(
    command: FallDue,
    versions: Mapping[str, Sequence[LineVersion]],
    state: Schedule,
    agreement: Agreement,
    book: LotBook,
) -> Sequence[ScheduleEvent | LotRated]:
    """The instalments and service periods that a day makes due, each with its lot."""
    events: list[ScheduleEvent | LotRated] = []
    for of_line in versions.values():
        line = of_line[-1].line
        match line.billing:
            case FixedFeeSchedule(instalments=instalments):
                for instalment in instalments:
                    if instalment.due_on <= command.on and (line.line, instalment.instalment) not in state.instalments:
                        events += _instalment(line, instalment, command, agreement, book)
            case ManagedService():
                events += _months(of_line, state, command, agreement, book)
            case _:
                pass
    return events


def _instalment(
    line: ContractLine, instalment: Instalment, command: FallDue, agreement: Agreement, book: LotBook
) -> Sequence[InstalmentDue | LotRated]:
    due = InstalmentDue(line.line, instalment.instalment, instalment.due_on, instalment.amount)
    promised = Promised(
        name=instalment.instalment,
        day=instalment.due_on,
        amount=instalment.amount,
        title=instalment.title,
        because=f"instalment {instalment.instalment}, due on {instalment.due_on}",
        known_at=command.at,
    )
    return [due, LotRated(promised_lot(agreement, line, promised, book))]


def _months(
    versions: Sequence[LineVersion], state: Schedule, command: FallDue, agreement: Agreement, book: LotBook
) -> Sequence[ServicePeriodDue | LotRated]:
    """The months of a service that come to be billed, and what changed terms add to earlier ones or take off."""
    events: list[ServicePeriodDue | LotRated] = []
    line, service = versions[-1].line, service_of(versions)
    assert service is not None
    known = {starts: due for (name, starts), due in state.periods.items() if name == line.line}
    for period in service_periods(service, command.on):
        due_on = period.due_on(service.timing)
        if (due := known.pop(period.starts, None)) is not None:
            if len(versions) > 1 or due.amount != fee_of_period(versions, period, agreement.currency):
                events += _changed(versions, period, command, agreement, book)
        elif due_on <= command.on and any(_served(versions, period)):
            events += _period(versions, period, due_on, command, agreement, book)
    for due in known.values():
        events += _changed(versions, ServicePeriod(due.starts, due.ends), command, agreement, book)
    return events


def _changed(
    versions: Sequence[LineVersion], period: ServicePeriod, command: FallDue, agreement: Agreement, book: LotBook
) -> Sequence[LotRated]:
    """The difference between the fee of a month by the terms as they are now, and what was billed of it before."""
    newest = versions[-1]
    name = f"service/{period.starts}"
    before = rated_so_far(agreement, newest.line.line, book, name)
    amount = fee_of_period(versions, period, agreement.currency)
    if amount == before or command.on < newest.effective_from:
        return []
    day = max(newest.effective_from, period.starts)
    promised = Promised(
        name=free_name(agreement, newest.line.line, name, book),
        day=day,
        amount=amount - before,
        title=f"{newest.line.title}, {period.starts} to {period.ends}: change of {day}",
        because=f"{amount} by the terms as changed on {day}, {before} before",
        known_at=command.at,
    )
    return [LotRated(promised_lot(agreement, newest.line, promised, book))]


def _period(
    versions: Sequence[LineVersion],
    period: ServicePeriod,
    due_on: date,
    command: FallDue,
    agreement: Agreement,
    book: LotBook,
) -> Sequence[ServicePeriodDue | LotRated]:
    line = versions[-1].line
    amount = fee_of_period(versions, period, agreement.currency)
    days = (period.ends - period.starts).days + 1
    promised = Promised(
        name=f"service/{period.starts}",
        day=due_on,
        amount=amount,
        title=f"{line.title}, {period.starts} to {period.ends}",
        because=f"{days} of {period.days_of_month} days of the month",
        known_at=command.at,
    )
    due = ServicePeriodDue(line.line, period.starts, period.ends, due_on, amount)
    return [due, LotRated(promised_lot(agreement, line, promised, book))]


def decide_credit(
    command: GiveServiceCredit, line: ContractLine, state: Schedule, agreement: Agreement, book: LotBook
) -> Sequence[ScheduleEvent | LotRated]:
    """The service credit and its negative lot."""
    if (command.line, command.credit) in state.credits:
        return []
    if not command.amount.amount > 0:
        raise CreditNotPositive(str(command.amount))
    if not command.reason.strip():
        raise CreditReasonMissing(command.credit)
    left = rated_so_far(agreement, command.line, book)
    if left < command.amount:
        raise CreditAboveFee(f"{command.credit}: {command.amount} of {max(left, zero(agreement.currency))}.")
    given = ServiceCreditGiven(command.line, command.credit, command.on, command.amount, command.reason, command.by)
    promised = Promised(
        name=f"credit/{command.credit}",
        day=command.on,
        amount=-command.amount,
        title=f"Service credit: {command.reason}",
        because=f"given by {command.by}: {command.reason}",
        known_at=command.at,
    )
    return [given, LotRated(promised_lot(agreement, line, promised, book))]


def evolve_schedule(state: Schedule, event: ScheduleEvent) -> Schedule:
    """What has fallen due after one more event."""
    match event:
        case InstalmentDue():
            return replace(state, instalments={**state.instalments, (event.line, event.instalment): event})
        case ServicePeriodDue():
            return replace(state, periods={**state.periods, (event.line, event.starts): event})
        case ServiceCreditGiven():
            return replace(state, credits={**state.credits, (event.line, event.credit): event})
        case _:
            assert_never(event)
