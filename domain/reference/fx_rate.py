"""An exchange rate says what one unit of a base currency is worth in another on a day, by a named source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import assert_never

from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.money import MINOR_UNITS, Money, UnknownCurrency

RATE_MAX = Decimal(10**8)
STALE_AFTER_DAYS = 7
"""How long the last published rate stands in for days without one (weekends, holidays)."""


def fx_stream(base: str, quote: str) -> StreamId:
    """The history of one currency pair: ``fx_rate:EUR:USD``."""
    return stream_of("fx_rate", base, quote)


@dataclass(frozen=True, slots=True)
class PublishFxRate:
    """State a rate: one ``base`` is ``rate`` of ``quote`` on a day."""

    base: str
    quote: str
    on: date
    rate: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class FxRatePublished:
    """A source published the rate of a currency pair for a day."""

    base: str
    quote: str
    on: date
    rate: Decimal
    source: str


class RateOutOfRange(Refused):
    """A unit of one currency is worth neither more than a hundred million of another, nor less than as small a part."""

    code = "fx_rate.out_of_range"
    fix = "Check the feed's row: a rate in units of a hundred or a thousand is told for one."


class RateNotPositive(Refused):
    """An exchange rate must be greater than zero."""

    code = "fx_rate.not_positive"
    fix = "Check the feed's row and send it again."


Event = FxRatePublished
Command = PublishFxRate


@dataclass(frozen=True, slots=True)
class PublishedRate:
    """What a source published for a day."""

    on: date
    rate: Decimal
    source: str

    def rate_id(self, base: str, quote: str) -> str:
        """The name by which postings refer to it: ``fx_rate:EUR:USD@2026-03-02``."""
        return f"{fx_stream(base, quote)}@{self.on}"


@dataclass(frozen=True, slots=True)
class FxRates:
    """All rates of one currency pair: for each day the newest of every source, in the order they were told."""

    rates: Mapping[date, tuple[PublishedRate, ...]] = field(default_factory=dict)

    def on(self, day: date, sources: Sequence[str] = ()) -> Decimal | None:
        """The rate of a day, or of the last day before it that has one and is not stale."""
        found = self.published(day, sources)
        return found.rate if found is not None else None

    def published(self, day: date, sources: Sequence[str] = ()) -> PublishedRate | None:
        """What counts on a day: of its sources the one that stands first in ``sources``, else the one told last."""
        for age in range(STALE_AFTER_DAYS + 1):
            if told := self.rates.get(day - timedelta(days=age)):
                return min(reversed(told), key=lambda each: _rank(each.source, sources))
        return None

    def told_by(self, source: str, day: date) -> Decimal | None:
        """What one source says of one day."""
        return next((each.rate for each in self.rates.get(day, ()) if each.source == source), None)


def _rank(source: str, sources: Sequence[str]) -> int:
    return sources.index(source) if source in sources else len(sources)


def decide(command: Command, state: FxRates) -> Sequence[Event]:
    match command:
        case PublishFxRate(base, quote, on, rate, source):
            for currency in (base, quote):
                if currency not in MINOR_UNITS:
                    raise UnknownCurrency(repr(currency))
            if rate <= 0:
                raise RateNotPositive(f"{base}/{quote} on {on}: {rate}.")
            if not 1 / RATE_MAX <= rate <= RATE_MAX:
                raise RateOutOfRange(f"{base}/{quote} on {on}: {rate}.")
            return [] if state.told_by(source, on) == rate else [FxRatePublished(base, quote, on, rate, source)]
        case _:
            assert_never(command)


def evolve(state: FxRates, event: Event) -> FxRates:
    others = tuple(each for each in state.rates.get(event.on, ()) if each.source != event.source)
    told = PublishedRate(event.on, event.rate, event.source)
    return FxRates({**state.rates, event.on: (*others, told)})


def converted(amount: Money, to: str, rate: Decimal) -> Money:
    """An amount in another currency, at its minor unit; ``rate`` is units of ``to`` for one unit of the amount's."""
    return Money(amount.amount * rate, to).rounded()


decider: Decider[Command, FxRates, Event] = Decider("fx_rate", FxRates(), decide, evolve)
