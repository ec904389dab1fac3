"""What a system last said about each field of one of its records.

Source systems send partial updates, late and twice. Each field therefore keeps the newest statement about itself, so
that any order and any repetition of the same messages leads to the same record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

Scalar = str | None
"""A field's value as text; None says that the source cleared it, not that it said nothing."""


@dataclass(frozen=True, slots=True)
class Said:
    """A field's value and the moment at which the source said it."""

    value: Scalar
    at: datetime


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a record as it was said."""

    field: str
    value: Scalar


Fields = Mapping[str, Said]


def news(told: Mapping[str, Scalar], at: datetime, known: Fields) -> tuple[FieldChange, ...]:
    """The statements that are newer than what is known, in field order.

    A field said again with the same value is news only when it is newer, because an older contradicting statement may
    still arrive; of two statements with the same clock the greater text wins, so that order does not matter.
    """
    return tuple(FieldChange(field, told[field]) for field in sorted(told) if _newer(told[field], at, known.get(field)))


def _newer(value: Scalar, at: datetime, known: Said | None) -> bool:
    if known is None:
        return True
    return (at, value or "") > (known.at, known.value or "")


def heard(known: Fields, changes: tuple[FieldChange, ...], at: datetime) -> Fields:
    """The record after newer statements."""
    return {**known, **{change.field: Said(change.value, at) for change in changes}}


def value(known: Fields, field: str) -> Scalar:
    """The newest value of a field; None when it was cleared or never said."""
    said = known.get(field)
    return said.value if said else None
