"""Numbers as sources send them: exact, and of a size that occurs in business."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from domain.money import DIGITS_MAX, PLACES_MAX, is_countable

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
