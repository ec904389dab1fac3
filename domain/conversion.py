"""Conversion finds the exchange rate between two currencies on a day: published, inverse, or across the euro."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain

from domain.kernel import Refused
from domain.ports import Read
from domain.reference.fx_policy import FX_POLICY, FxPolicy
from domain.reference.fx_rate import FxRates, fx_stream

PIVOT = "EUR"
"""The currency that feeds quote all others against (European Central Bank, euro foreign exchange reference rates)."""
SAME = "same currency"


class FxRateMissing(Refused):
    """There is no exchange rate for that day."""

    code = "fx_rate.missing"
    fix = "Publish the exchange rate of the day, then try again."


@dataclass(frozen=True, slots=True)
class Quote:
    """What one unit of a currency is worth in another, and the id of the published rates that say so.

    ``rate_id`` is ``fx_rate:EUR:USD@2026-03-02`` with the day of publication, ``1/<id>`` for the inverse, and
    ``<id>/<id>`` for a rate across the euro; ``same currency`` where nothing is converted.
    """

    rate: Decimal
    rate_id: str


def fx_rate(read: Read, base: str, quote: str, day: date) -> Decimal:
    """What one unit of ``base`` is worth in ``quote`` on a day, or FxRateMissing."""
    return fx_quote(read, base, quote, day).rate


def fx_rate_or_none(read: Read, base: str, quote: str, day: date) -> Decimal | None:
    """The rate of a day: as published, else the inverse of the opposite pair, else across the euro."""
    found = fx_quote_or_none(read, base, quote, day)
    return found.rate if found is not None else None


def fx_quote(read: Read, base: str, quote: str, day: date) -> Quote:
    """The rate of a day with its id, or FxRateMissing."""
    found = fx_quote_or_none(read, base, quote, day)
    if found is None:
        raise FxRateMissing(f"{base} to {quote} on {day}.")
    return found


def fx_quote_or_none(read: Read, base: str, quote: str, day: date) -> Quote | None:
    """The rate of a day with its id: as published, else the inverse of the opposite pair, else across the euro.

    Of several sources that one counts which the firm's currency policy of the day names first.
    """
    if base == quote:
        return Quote(Decimal(1), SAME)
    policy: FxPolicy = read(FX_POLICY)
    terms = policy.on(day)
    return _quote(read, base, quote, day, terms.sources if terms is not None else ())


def nearest_quote(read: Read, base: str, quote: str, day: date) -> Quote | None:
    """The rate of a day, else the newest before it, else the first behind it; None if none was ever published."""
    if found := fx_quote_or_none(read, base, quote, day):
        return found
    known = sorted(_days_of(read, base, quote))
    before = [each for each in known if each <= day]
    return fx_quote_or_none(read, base, quote, (before[-1:] or known[:1])[0]) if known else None


def _days_of(read: Read, base: str, quote: str) -> set[date]:
    """The days on which something was published that may make a rate between two currencies."""
    pairs = [(base, quote), (base, PIVOT), (PIVOT, quote)]
    streams = chain.from_iterable((fx_stream(a, b), fx_stream(b, a)) for a, b in pairs)
    states: list[FxRates] = [read(stream) for stream in streams]
    return {day for state in states for day in state.rates}


def _quote(read: Read, base: str, quote: str, day: date, sources: tuple[str, ...]) -> Quote | None:
    direct: FxRates = read(fx_stream(base, quote))
    if (found := direct.published(day, sources)) is not None:
        return Quote(found.rate, found.rate_id(base, quote))
    opposite: FxRates = read(fx_stream(quote, base))
    if (found := opposite.published(day, sources)) is not None:
        return Quote(1 / found.rate, f"1/{found.rate_id(quote, base)}")
    if PIVOT in (base, quote):
        return None
    to_euro, from_euro = _quote(read, base, PIVOT, day, sources), _quote(read, PIVOT, quote, day, sources)
    if to_euro is None or from_euro is None:
        return None
    return Quote(to_euro.rate * from_euro.rate, f"{from_euro.rate_id}/{to_euro.rate_id.removeprefix('1/')}")
