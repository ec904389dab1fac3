"""The values of the schema that are more than text and small numbers: exact decimals, positions, published content."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import NewType

import strawberry
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from domain.money import DIGITS_MAX, is_countable

SAFE_INTEGER_MAX = 2**53 - 1

Position = NewType("Position", int)
"""Where a fact stands in the log of the whole firm."""


def _decimal_of(value: object) -> Decimal:
    """An exact number from text or a whole number; floating point is refused, for it has lost digits already."""
    if isinstance(value, bool | float) or not isinstance(value, str | int):
        raise StrawberryInputCoercionError("Decimal is text such as '1460.50', so that no digit is lost.")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise StrawberryInputCoercionError(f"{value!r} is not a decimal number.") from None
    if not is_countable(number):
        raise StrawberryInputCoercionError(f"A decimal number has at most {DIGITS_MAX} digits before the point.")
    return number


def _shown(value: Decimal) -> str:
    return f"{value:f}"


def _position_of(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= SAFE_INTEGER_MAX:
        raise StrawberryInputCoercionError("Position is a whole number, 0 or more.")
    return value


SCALARS: Mapping[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number as text, e.g. "1460.50": money, hours, rates.',
        serialize=_shown,
        parse_value=_decimal_of,
    ),
    Position: strawberry.scalar(
        name="Position",
        description="Where a fact stands in the log of the whole firm; it only grows, and has gaps.",
        serialize=int,
        parse_value=_position_of,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="The content of an event in its published form.",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}
