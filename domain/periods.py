"""Days, weeks and months of business: when something is valid, and which week or month a date belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Protocol, TypeVar

from domain.kernel import Refused

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199


def is_of_business(day: date) -> bool:
    """Whether something can be told of a day at all: neither a placeholder such as 9999-12-31 nor a slip of the pen."""
    return FIRST_YEAR <= day.year <= LAST_YEAR


class EndsBeforeItStarts(Refused):
    """A period must not end before it starts."""

    code = "period.ends_before_start"
    fix = "Correct one of the two dates."


@dataclass(frozen=True, slots=True)
class Period:
    """The days from ``starts`` to ``ends``, both included; open for ever when ``ends`` is None."""

    starts: date
    ends: date | None = None

    def __post_init__(self) -> None:
        if self.ends is not None and self.ends < self.starts:
            raise EndsBeforeItStarts(f"{self.starts} to {self.ends}")

    def covers(self, day: date) -> bool:
        """Whether a day lies within the period."""
        return self.starts <= day and (self.ends is None or day <= self.ends)


def week_of(day: date) -> date:
    """The Monday of the ISO 8601 week that a day belongs to."""
    return day - timedelta(days=day.weekday())


def weeks_between(starts: date, ends: date) -> tuple[date, ...]:
    """The Mondays of all weeks that a span of days touches, in order."""
    first, last = week_of(starts), week_of(ends)
    return tuple(first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1))


def month_of(day: date) -> str:
    """The calendar month of a day, as ``2026-03``."""
    return f"{day.year:04d}-{day.month:02d}"


def months_later(day: date, months: int) -> date:
    """The first day of the month that lies so many months after a day's own."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def month_end(day: date) -> date:
    """The last day of a day's month."""
    return months_later(day, 1) - timedelta(days=1)


def month_ends(since: date, before: date) -> tuple[date, ...]:
    """The last days of months from a day on and before another, in order."""
    found: list[date] = []
    ended = month_end(since)
    while ended < before:
        found.append(ended)
        ended = month_end(ended + timedelta(days=1))
    return tuple(found)


class EffectiveDated(Protocol):
    """Something that holds from a day on, until the next version of it."""

    @property
    def effective_from(self) -> date: ...


Version = TypeVar("Version", bound=EffectiveDated)


def valid_on(versions: Iterable[Version], day: date) -> Version | None:
    """The version in force on a day: the newest effective date not after it; of equal dates, the one told last."""
    current: Version | None = None
    for version in versions:
        if version.effective_from <= day and (current is None or version.effective_from >= current.effective_from):
            current = version
    return current
