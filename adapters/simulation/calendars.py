"""Working days: weekends and the public holidays of the countries in which the sample firm works."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

_FIXED: dict[str, tuple[tuple[int, int], ...]] = {
    "DE": ((1, 1), (5, 1), (10, 3), (12, 25), (12, 26)),
    "GB": ((1, 1), (12, 25), (12, 26)),
    "US": ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25)),
    "JP": ((1, 1), (2, 11), (2, 23), (4, 29), (5, 3), (5, 4), (5, 5), (8, 11), (11, 3), (11, 23)),
    "CH": ((1, 1), (1, 2), (8, 1), (12, 25), (12, 26)),
}
_DAYS_AFTER_EASTER: dict[str, tuple[int, ...]] = {
    "DE": (-2, 1, 39, 50),
    "GB": (-2, 1),
    "CH": (-2, 1, 39, 50),
}


def is_working_day(country: str, day: date) -> bool:
    """Whether people of a country work on a day: neither a weekend nor a public holiday."""
    return day.weekday() < 5 and day not in holidays(country, day.year)


@cache
def holidays(country: str, year: int) -> frozenset[date]:
    """The public holidays of a country in one year, those that move only as far as Easter moves them."""
    easter = easter_sunday(year)
    fixed = (date(year, month, day) for month, day in _FIXED.get(country, ()))
    moving = (easter + timedelta(days=days) for days in _DAYS_AFTER_EASTER.get(country, ()))
    return frozenset((*fixed, *moving))


def easter_sunday(year: int) -> date:
    """Easter Sunday in the Gregorian calendar (Oudin's algorithm, valid from 1583 to 4099)."""
    golden, century = year % 19, year // 100
    epact = (century - century // 4 - (8 * century + 13) // 25 + 19 * golden + 15) % 30
    full_moon = epact - (epact // 28) * (1 - (29 // (epact + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + full_moon + 2 - century + century // 4) % 7
    offset = full_moon - weekday
    month = 3 + (offset + 40) // 44
    return date(year, month, offset + 28 - 31 * (month // 4))


def days_from(first: date, last: date) -> Iterator[date]:
    """Every day from the first to the last, both included."""
    day = first
    while day <= last:
        yield day
        day += timedelta(days=1)
