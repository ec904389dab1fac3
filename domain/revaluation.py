"""Revaluation: what open foreign balances are worth at the end of a period, and what their settlement realises.

Receivables, payables, contract assets and balances between entities are monetary: at the end of a period they count at
its closing rate, the difference is unrealised, and the first day of the next period takes it back (IAS 21.23 and 28).
Advances and contract liabilities are not monetary and keep the rate of the day on which they were paid (IFRIC 22.8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from domain.account_role import AccountRole
from domain.accounting_period import first_of_next_month, last_day_of
from domain.money import minor_unit

MONETARY: Final = frozenset(
    {AccountRole.AR, AccountRole.RETENTION, AccountRole.IC_AR, AccountRole.IC_AP, AccountRole.CONTRACT_ASSET}
)
"""The accounts that are revalued."""


@dataclass(frozen=True, slots=True)
class OpenBalance:
    """What is open on an account in one currency: in that currency, and what it is carried at in the functional one.

    Debits are positive and credits negative. ``about`` is what it is open for: an invoice, an engagement, an entity.
    """

    entity: str
    account: AccountRole
    about: str
    currency: str
    amount: Decimal
    functional_currency: str
    functional: Decimal


@dataclass(frozen=True, slots=True)
class ClosingRate:
    """Units of the functional currency for one of another at the end of a period, and where the rate comes from."""

    rate: Decimal
    rate_id: str


@dataclass(frozen=True, slots=True)
class Unrealised:
    """The difference of one balance at the end of a period, which the first day of the next takes back.

    ``difference`` is in the functional currency: what the account gains, with FX_UNREALISED on the other side.
    """

    balance: OpenBalance
    difference: Decimal
    rate: ClosingRate
    effective_on: date
    reversed_on: date


@dataclass(frozen=True, slots=True)
class RateOfPeriodMissing:
    """A balance that cannot be revalued: its currency has no rate at the end of the period."""

    balance: OpenBalance


def revalue(
    balances: Iterable[OpenBalance], rates: Mapping[str, ClosingRate], period: str
) -> tuple[Unrealised | RateOfPeriodMissing, ...]:
    """The unrealised differences of a period such as ``2026-03``; ``rates`` by currency, into the functional one.

    Balances in the functional currency, balances that are not monetary and balances that gain nothing have none.
    10,000 EUR carried at 11,000 USD lose 200 USD at a closing rate of 1.08.
    """
    ends = last_day_of(period)
    found: list[Unrealised | RateOfPeriodMissing] = []
    for balance in balances:
        if balance.account not in MONETARY or balance.currency == balance.functional_currency:
            continue
        if balance.currency not in rates:
            found.append(RateOfPeriodMissing(balance))
        elif difference := unrealised(balance, rates[balance.currency].rate):
            found.append(Unrealised(balance, difference, rates[balance.currency], ends, first_of_next_month(ends)))
    return tuple(found)


def unrealised(balance: OpenBalance, rate: Decimal) -> Decimal:
    """What a balance gains in the functional currency when it counts at a rate; a loss is negative."""
    return in_functional(balance.amount, rate, balance.functional_currency) - balance.functional


def realised(settled: Decimal, carried: Decimal) -> Decimal:
    """What a settlement realises: what arrived in the functional currency against what the balance was carried at.

    It is measured against the initial rate, because every unrealised difference was taken back (IAS 21.28).
    """
    return settled - carried


def drawn_from_advance(advance: Decimal, carried: Decimal, drawn: Decimal, functional_currency: str) -> Decimal:
    """What a draw on an advance is in the functional currency: its share of what that is carried at (IFRIC 22.8).

    Of 10,000 EUR received at 1.10, a draw of 4,000 EUR is 4,400 USD whatever the rate of its day: 6,600 USD are left.
    """
    if drawn == advance:
        return carried
    return _rounded(carried * drawn / advance, functional_currency)


def in_functional(amount: Decimal, rate: Decimal, functional_currency: str) -> Decimal:
    """An amount at a rate, at the minor unit of the functional currency, half up."""
    return _rounded(amount * rate, functional_currency)


def _rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(minor_unit(currency), ROUND_HALF_UP)
