"""Money is a decimal amount with its ISO 4217 currency; rounding is half up at the currency's minor unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from fractions import Fraction
from typing import Final, Literal

from domain.kernel import Refused

_TWO_DIGITS = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC "
    "CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD "
    "KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO "
    "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG "
    "BOV CHE CHW COU MXV USN"  # funds
)
_NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DIGITS = "CLF UYW"

WITHDRAWN = frozenset({"BGN"})
"""Codes that were current when amounts were recorded in them: what is recorded stays readable for ever."""

MINOR_UNITS: dict[str, int] = {
    **dict.fromkeys(_TWO_DIGITS.split(), 2),
    **dict.fromkeys(_NO_DIGITS.split(), 0),
    **dict.fromkeys(_THREE_DIGITS.split(), 3),
    **dict.fromkeys(_FOUR_DIGITS.split(), 4),
}
"""Digits after the decimal point for each currency and fund that has a minor unit (ISO 4217, tables A.1 and A.2)."""

DIGITS_MAX: Final = 13
PLACES_MAX: Final = 30
"""How many digits before and after the point a number may have that somebody tells."""

RoundingMode = Literal["half_up", "half_down", "half_even", "down", "up"]
"""What becomes of a fraction of a minor unit; ``down`` is towards zero, ``up`` away from it."""

_MODES = {
    "half_up": ROUND_HALF_UP,
    "half_down": ROUND_HALF_DOWN,
    "half_even": ROUND_HALF_EVEN,
    "down": ROUND_DOWN,
    "up": ROUND_UP,
}

_ANY_LENGTH: Final = Context(prec=100)
"""An absurd price times an absurd factor is an absurd amount that people see, never a figure that cannot be rounded."""

_QUANTUM = {currency: Decimal(1).scaleb(-digits) for currency, digits in MINOR_UNITS.items()}


def is_countable(number: Decimal) -> bool:
    """Whether a number may be told at all: what two such numbers come to keeps every digit down to the minor unit."""
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -PLACES_MAX and number.adjusted() < DIGITS_MAX


class UnknownCurrency(Refused):
    """The currency is not a current ISO 4217 code."""

    code = "money.unknown_currency"
    fix = "Send the three-letter ISO 4217 code of a current currency, such as EUR or USD."


class MixedCurrencies(Refused):
    """Amounts of different currencies cannot be added or compared."""

    code = "money.mixed_currencies"
    fix = "Convert one amount with a dated exchange rate first, or keep the amounts apart."


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency, exact until ``rounded()`` is asked for."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in MINOR_UNITS:
            raise UnknownCurrency(repr(self.currency))

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise MixedCurrencies(f"{self.currency} and {other.currency}")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __mul__(self, factor: Decimal) -> Money:
        return Money(self.amount * factor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        return f"{self.amount:,} {self.currency}"

    def rounded(self, mode: RoundingMode = "half_up") -> Money:
        """The amount at the currency's minor unit, half up (EN 16931, BR-CO-17 and example 2: 365.125 is 365.13).

        Every mode looks at the amount without its sign, so that a credit undoes what was charged.
        """
        return Money(self.amount.quantize(_QUANTUM[self.currency], _MODES[mode], _ANY_LENGTH), self.currency)

    def rounded_to(self, step: Decimal) -> Money:
        """The nearest multiple of a step, half up: 12.33 at 0.05 is 12.35."""
        multiple = (self.amount / step).quantize(Decimal(1), ROUND_HALF_UP, _ANY_LENGTH) * step
        return Money(multiple.quantize(_QUANTUM[self.currency], None, _ANY_LENGTH), self.currency)


def at_minor_unit(amount: Decimal, currency: str) -> Decimal:
    """An amount at the minor unit of its currency, half up."""
    return amount.quantize(_QUANTUM[currency], ROUND_HALF_UP, _ANY_LENGTH)


def zero(currency: str) -> Money:
    """Nothing, in one currency."""
    return Money(Decimal(0), currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of amounts that must all be in ``currency``; zero when there are none."""
    result = Decimal(0)
    for each in amounts:
        if each.currency != currency:
            raise MixedCurrencies(f"{currency} and {each.currency}")
        result += each.amount
    return Money(result, currency)


def minor_unit(currency: str) -> Decimal:
    """The smallest amount that can be paid in a currency: 0.01 EUR, 1 JPY, 0.001 KWD."""
    if currency not in _QUANTUM:
        raise UnknownCurrency(repr(currency))
    return _QUANTUM[currency]


def shared(amount: Money, weights: Sequence[Decimal]) -> tuple[Money, ...]:
    """The amount divided by weights, to the minor unit, by largest remainder; ties go to the earlier share.

    The parts always add up to ``amount``, which must itself be a whole number of minor units.
    """
    whole = sum((Fraction(weight) for weight in weights), Fraction(0))
    return adding_up_to(amount, [Fraction(weight) * Fraction(amount.amount) / whole for weight in weights])


def adding_up_to(whole: Money, exact: Sequence[Fraction]) -> tuple[Money, ...]:
    """Exact amounts as minor units that add up to the whole: the largest remainders are rounded up, ties the earlier.

    Where the whole is further from their sum than a unit for each, as after rounding part by part, all bear of it.
    """
    quantum = minor_unit(whole.currency)
    units = [each / Fraction(quantum) for each in exact]
    floors = [each.__floor__() for each in units]
    of_all, missing = divmod(int(whole.amount / quantum) - sum(floors), len(floors)) if floors else (0, 0)
    by_remainder = sorted(range(len(units)), key=lambda index: (floors[index] - units[index], index))
    for index in by_remainder[:missing]:
        floors[index] += 1
    return tuple(Money(quantum * (floor + of_all), whole.currency) for floor in floors)


def half_up(exact: Fraction, digits: int) -> Decimal:
    """A fraction at so many digits after the point, half up, without the loss that a division of decimals has."""
    units = (abs(exact) * 10**digits + Fraction(1, 2)).__floor__()
    return Decimal(units if exact >= 0 else -units).scaleb(-digits)


def money_of(exact: Fraction, currency: str) -> Money:
    """An exact amount at the currency's minor unit, half up."""
    if currency not in MINOR_UNITS:
        raise UnknownCurrency(repr(currency))
    return Money(half_up(exact, MINOR_UNITS[currency]), currency)
