"""Conversion finds the exchange rate between two currencies on a day: published, inverse, or across the euro."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from domain.kernel import Refused
from domain.ports import Read
from domain.reference.fx_rate import fx_stream

PIVOT = "EUR"
"""The currency that feeds quote all others against (European Central Bank, euro foreign exchange reference rates)."""


class FxRateMissing(Refused):
    """There is no exchange rate for that day."""

    code = "fx_rate.missing"
    fix = "Publish the exchange rate of the day, then try again."


def fx_rate(read: Read, base: str, quote: str, day: date) -> Decimal:
    """What one unit of ``base`` is worth in ``quote`` on a day, or FxRateMissing."""
    rate = fx_rate_or_none(read, base, quote, day)
    if rate is None:
        raise FxRateMissing(f"{base} to {quote} on {day}.")
    return rate


def fx_rate_or_none(read: Read, base: str, quote: str, day: date) -> Decimal | None:
    """The rate of a day: as published, else the inverse of the opposite pair, else across the euro."""
    if base == quote:
        return Decimal(1)
    direct: Decimal | None = read(fx_stream(base, quote)).on(day)
    if direct is not None:
        return direct
    inverse: Decimal | None = read(fx_stream(quote, base)).on(day)
    if inverse is not None:
        return 1 / inverse
    if PIVOT in (base, quote):
        return None
    to_euro, from_euro = fx_rate_or_none(read, base, PIVOT, day), fx_rate_or_none(read, PIVOT, quote, day)
    return to_euro * from_euro if to_euro is not None and from_euro is not None else None
