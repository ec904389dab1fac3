"""What an hour is billed at and costs in the sample firm, when tax depends on an id, and what currencies are worth."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

ROLES = ("Analyst", "Consultant", "Senior Consultant", "Manager", "Principal")
_EUROS_PER_HOUR = {
    "Analyst": Decimal(95),
    "Consultant": Decimal(130),
    "Senior Consultant": Decimal(165),
    "Manager": Decimal(210),
    "Principal": Decimal(260),
}
_PER_EURO = {
    "EUR": Decimal(1),
    "GBP": Decimal("0.86"),
    "USD": Decimal("1.12"),
    "JPY": Decimal(162),
    "CHF": Decimal("0.95"),
}
_COST_SHARE = Decimal("0.44")
_YEARLY_RISE = Decimal("1.03")
_EUROPEAN_UNION = frozenset({"AT", "DE", "FR", "NL", "SE"})
OVERTIME_MULTIPLIER = Decimal("1.5")


def list_price(role: str, currency: str, rises: int = 0) -> Decimal:
    """The firm's bill rate for an hour of a role, in whole units of the currency (hundreds of yen)."""
    return _to_step(_EUROS_PER_HOUR[role] * _PER_EURO[currency] * _YEARLY_RISE**rises, _step(currency))


def hourly_cost(role: str, currency: str, spread_percent: int) -> Decimal:
    """What an hour of one person costs the employer; people of one role differ by some percent."""
    share = _COST_SHARE * (100 + spread_percent) / 100
    return _to_step(_EUROS_PER_HOUR[role] * _PER_EURO[currency] * share, _step(currency) / 4)


def raised(cost: Decimal, currency: str, percent: Decimal) -> Decimal:
    """A cost rate after a raise."""
    return _to_step(cost * (100 + percent) / 100, _step(currency) / 4)


def per_euro(currency: str) -> Decimal:
    """About what one euro is worth, for estimates only."""
    return _PER_EURO[currency]


def _step(currency: str) -> Decimal:
    return Decimal(100) if currency == "JPY" else Decimal(1)


def _to_step(amount: Decimal, step: Decimal) -> Decimal:
    return (amount / step).quantize(Decimal(1), ROUND_HALF_UP) * step


def euro_rate(seed: int, currency: str, week: date) -> Decimal:
    """What one euro is worth in a currency from a Monday on, as the central bank would publish it."""
    drift = sum(_draw(seed, currency, week - timedelta(weeks=age)) for age in range(4))
    digits = Decimal("0.01") if currency == "JPY" else Decimal("0.0001")
    return (_PER_EURO[currency] * (10_000 + drift) / 10_000).quantize(digits)


def _draw(seed: int, currency: str, week: date) -> int:
    return Random(f"{seed}/fx/{currency}/{week}").randint(-60, 60)


def needs_tax_id(seller_country: str, customer_country: str) -> bool:
    """Whether the tax on services depends on the customer's tax id: between two countries of the European Union."""
    return seller_country != customer_country and {seller_country, customer_country} <= _EUROPEAN_UNION
