"""A billing calendar says when work of a month must be told, when it is billed, and on which days nobody works.

Holidays are published as facts by year, so that a cut-off that was met stays met whatever a later list says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Literal, assert_never

from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.periods import months_later, valid_on
from domain.reference.legal_entity import checked_time_zone

Roll = Literal["next", "previous", "none"]
Counting = Literal["calendar_day", "business_day"]
_DAYS_IN_MONTH_MAX = 31
_MONTHS_MAX = 1_200
SATURDAY = 5


def calendar_stream(name: str) -> StreamId:
    """The history of a calendar; its name is a legal entity, or a country or part of it such as ``DE`` or ``DE-BY``."""
    return stream_of("billing_calendar", name)


@dataclass(frozen=True, slots=True)
class DayRule:
    """A day of a month: the n-th calendar day or business day of it, or of a month that comes after.

    ``number`` -1 is the last one, -2 the last but one. A month that is too short has its last day instead.
    ``months_later``: 0 is the month of the work. ``roll`` moves a day on which nobody works.
    """

    counting: Counting
    number: int
    months_later: int = 1
    roll: Roll = "next"


@dataclass(frozen=True, slots=True)
class CalendarTerms:
    """What holds from a day on: until when work must be told, when it is billed, and the time zone of both."""

    effective_from: date
    cut_off: DayRule
    billing: DayRule
    time_zone: str
    weekend: tuple[int, ...] = (SATURDAY, 6)


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which nobody works."""

    day: date
    title: str


@dataclass(frozen=True, slots=True)
class DefineCalendar:
    """State a calendar's cut-off and billing day from a day on."""

    calendar: str
    terms: CalendarTerms


@dataclass(frozen=True, slots=True)
class PublishHolidays:
    """Publish the holidays of a year; a later list for the same year replaces them."""

    calendar: str
    year: int
    holidays: tuple[Holiday, ...]
    source: str


@dataclass(frozen=True, slots=True)
class CalendarDefined:
    """A calendar's cut-off and billing day were stated from a day on."""

    calendar: str
    terms: CalendarTerms


@dataclass(frozen=True, slots=True)
class HolidaysPublished:
    """The holidays of a year were published."""

    calendar: str
    year: int
    holidays: tuple[Holiday, ...]
    source: str


class DayRuleImpossible(Refused):
    """A day of a month is counted from 1, or backwards from -1, within the month."""

    code = "billing_calendar.day_rule_impossible"
    fix = "Send a number from 1 to 31, or from -1 to -31, and 0 or more months."


class HolidayOfAnotherYear(Refused):
    """The holidays of a year are days of that year."""

    code = "billing_calendar.holiday_of_another_year"
    fix = "Publish each year's holidays by themselves."


Event = CalendarDefined | HolidaysPublished
Command = DefineCalendar | PublishHolidays


@dataclass(frozen=True, slots=True)
class BillingCalendar:
    """A calendar with all versions of its terms and the holidays of each year.

    The days that its rules come to are found once and kept, because every lot of a month asks for the same.
    """

    calendar: str = ""
    versions: tuple[CalendarTerms, ...] = ()
    years: Mapping[int, HolidaysPublished] = field(default_factory=dict)
    _found: dict[tuple[DayRule, int, int], date] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def is_defined(self) -> bool:
        """Whether it says when work must be told at all."""
        return bool(self.versions)

    def on(self, day: date) -> CalendarTerms | None:
        """The terms in force on a day."""
        return valid_on(self.versions, day)

    def is_business_day(self, day: date) -> bool:
        """Whether people work on a day: neither at the weekend nor on a holiday."""
        terms = self.on(day)
        weekend = terms.weekend if terms else (SATURDAY, 6)
        year = self.years.get(day.year)
        return day.weekday() not in weekend and (year is None or all(each.day != day for each in year.holidays))

    def cut_off_of(self, month: date) -> date | None:
        """The last day on which work of the month of a day may be told; None where nothing says so."""
        terms = self.on(month)
        return self._day(terms.cut_off, month) if terms else None

    def billing_day_of(self, month: date) -> date | None:
        """The day on which work of the month of a day is billed; None where nothing says so."""
        terms = self.on(month)
        return self._day(terms.billing, month) if terms else None

    def is_late(self, work_date: date, told_at: datetime) -> bool:
        """Whether work was told after the cut-off of its month, which ends at midnight in the calendar's time zone."""
        cut_off, terms = self.cut_off_of(work_date), self.on(work_date)
        if cut_off is None or terms is None:
            return False
        zone = checked_time_zone(terms.time_zone)
        return told_at >= datetime.combine(cut_off + timedelta(days=1), time(0), tzinfo=zone)

    def billing_day_of_late(self, work_date: date, told_at: datetime) -> date | None:
        """The day on which late work is billed: that of the first month whose cut-off was still to come."""
        month = work_date
        for _ in range(_MONTHS_MAX):
            if not self.is_late(month, told_at):
                break
            month = months_later(month, 1)
        return self.billing_day_of(month)

    def _day(self, rule: DayRule, month: date) -> date:
        key = (rule, month.year, month.month)
        if key not in self._found:
            self._found[key] = self._day_found(rule, month)
        return self._found[key]

    def _day_found(self, rule: DayRule, month: date) -> date:
        days = _days_of(months_later(month, rule.months_later))
        if rule.counting == "business_day":
            days = tuple(day for day in days if self.is_business_day(day)) or days
        index = rule.number - 1 if rule.number > 0 else rule.number
        day = days[max(min(index, len(days) - 1), -len(days))]
        match rule.roll:
            case "next":
                return self._rolled(day, 1)
            case "previous":
                return self._rolled(day, -1)
            case "none":
                return day
            case _:
                assert_never(rule.roll)

    def _rolled(self, day: date, step: int) -> date:
        for distance in range(_DAYS_IN_MONTH_MAX):
            moved = day + timedelta(days=step * distance)
            if self.is_business_day(moved):
                return moved
        return day


def _days_of(month: date) -> tuple[date, ...]:
    first, behind = month.replace(day=1), months_later(month, 1)
    return tuple(first + timedelta(days=n) for n in range((behind - first).days))


def decide(command: Command, state: BillingCalendar) -> Sequence[Event]:
    match command:
        case DefineCalendar(calendar, terms):
            checked_time_zone(terms.time_zone)
            for rule in (terms.cut_off, terms.billing):
                if not 1 <= abs(rule.number) <= _DAYS_IN_MONTH_MAX or rule.months_later < 0:
                    raise DayRuleImpossible(f"{calendar}: {rule.number}, {rule.months_later} months later.")
            return [] if state.on(terms.effective_from) == terms else [CalendarDefined(calendar, terms)]
        case PublishHolidays(calendar, year, holidays, source):
            strangers = [each.day for each in holidays if each.day.year != year]
            if strangers:
                raise HolidayOfAnotherYear(f"{calendar} {year}: {strangers[0]}.")
            published = HolidaysPublished(calendar, year, tuple(sorted(holidays, key=lambda each: each.day)), source)
            known = state.years.get(year)
            return [] if known is not None and known.holidays == published.holidays else [published]
        case _:
            assert_never(command)


def evolve(state: BillingCalendar, event: Event) -> BillingCalendar:
    match event:
        case CalendarDefined(calendar, terms):
            return replace(state, calendar=calendar, versions=(*state.versions, terms))
        case HolidaysPublished(calendar, year):
            return replace(state, calendar=calendar, years={**state.years, year: event})
        case _:
            assert_never(event)


decider: Decider[Command, BillingCalendar, Event] = Decider("billing_calendar", BillingCalendar(), decide, evolve)
