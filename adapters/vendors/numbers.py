"""Numbers and days as sources send them: exact, and such as occur in business."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from domain.money import DIGITS_MAX, PLACES_MAX, is_countable
from domain.periods import FIRST_YEAR, LAST_YEAR, is_of_business

SECONDS_MAX: Final = 366 * 86_400
"""More seconds than a worklog of a whole year has."""


def _countable(number: Decimal) -> Decimal:
    if not is_countable(number):
        raise ValueError(f"has more than {DIGITS_MAX} digits before the point, or {PLACES_MAX} after it")
    return number


Number = Annotated[Decimal, AfterValidator(_countable)]
"""An amount, rate or number of hours."""

Seconds = Annotated[int, Field(ge=-SECONDS_MAX, le=SECONDS_MAX)]
"""How long work took; less than nothing, or more than a day, is read, so that the hours are refused by their name."""


def day_of_business(day: date) -> date:
    """The day, or ValueError for one that no business has."""
    if not is_of_business(day):
        raise ValueError(f"{day} is not between {FIRST_YEAR} and {LAST_YEAR}")
    return day


Day = Annotated[date, AfterValidator(day_of_business)]
"""A day of work, of money or of validity."""
