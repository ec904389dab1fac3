"""An exchange rate says what one unit of a base currency is worth in another on a day, by a named source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import assert_never

from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.money import MINOR_UNITS, Money, UnknownCurrency

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


class RateNotPositive(Refused):
    """An exchange rate must be greater than zero."""

    code = "fx_rate.not_positive"
    fix = "Check the feed's row and send it again."


Event = FxRatePublished
Command = PublishFxRate


@dataclass(frozen=True, slots=True)
class FxRates:
    """All published rates of one currency pair, by day."""

    rates: Mapping[date, Decimal] = field(default_factory=dict)

    def on(self, day: date) -> Decimal | None:
        """The rate of a day, or of the last day before it that has one and is not stale."""
        for age in range(STALE_AFTER_DAYS + 1):
            if rate := self.rates.get(day - timedelta(days=age)):
                return rate
        return None


def decide(command: Command, state: FxRates) -> Sequence[Event]:
    match command:
        case PublishFxRate(base, quote, on, rate, source):
            for currency in (base, quote):
                if currency not in MINOR_UNITS:
                    raise UnknownCurrency(repr(currency))
            if rate <= 0:
                raise RateNotPositive(f"{base}/{quote} on {on}: {rate}.")
            return [] if state.rates.get(on) == rate else [FxRatePublished(base, quote, on, rate, source)]
        case _:
            assert_never(command)


def evolve(state: FxRates, event: Event) -> FxRates:
    return FxRates({**state.rates, event.on: event.rate})


def converted(amount: Money, to: str, rate: Decimal) -> Money:
    """An amount in another currency, at its minor unit; ``rate`` is units of ``to`` for one unit of the amount's."""
    return Money(amount.amount * rate, to).rounded()


decider: Decider[Command, FxRates, Event] = Decider("fx_rate", FxRates(), decide, evolve)
