"""Billing calendars as data: one TOML file in ``calendars/``, and the holidays of the package of that name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from domain.reference.billing_calendar import CalendarTerms, Holiday, PublishHolidays

FILE: Final = Path(__file__).parent / "calendars" / "calendars.toml"
_TERMS: Final = TypeAdapter(CalendarTerms)


@dataclass(frozen=True, slots=True)
class ShippedCalendar:
    """A calendar that comes with the ledger: of a country, or of a part of it (``DE-BY``)."""

    name: str
    country: str
    part: str | None
    terms: CalendarTerms
    years: tuple[int, ...]


@cache
def shipped() -> tuple[ShippedCalendar, ...]:
    """The calendars that come with the ledger."""
    told = tomllib.loads(FILE.read_text(encoding="utf-8"))
    years = tuple(range(told["first_year"], told["last_year"] + 1))
    return tuple(_calendar(name, {**told["everywhere"], **own}, years) for name, own in told["calendars"].items())


def _calendar(name: str, told: dict[str, Any], years: tuple[int, ...]) -> ShippedCalendar:
    country, _, part = name.partition("-")
    return ShippedCalendar(name, country, part or None, _TERMS.validate_python(told), years)


def holidays_of(name: str, country: str, part: str | None, year: int) -> PublishHolidays:
    """The public holidays of a country or part of it in a year."""
    import holidays  # noqa: PLC0415 - only who publishes needs it, and it is not quick to import

    found = holidays.country_holidays(country, subdiv=part, years=year, language="en_US")
    days = tuple(Holiday(day, title) for day, title in sorted(found.items()) if day.year == year)
    return PublishHolidays(name, year, days, f"holidays {version('holidays')}")
