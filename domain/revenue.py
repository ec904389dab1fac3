"""Revenue is earned as promises are kept, whatever is billed when (IFRS 15.31, ASC 606-10-25-23).

How much is earned to date is a pure function of a promise's terms and what is known of its progress. What a period
earns is the difference to what was recognised before, so that every change of an estimate catches up at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Literal

from domain.money import Money, minor_unit, shared, zero

Method = Literal[
    "as_invoiceable", "straight_line", "percent_complete", "point_in_time", "completed_contract", "drawdown"
]
Treatment = Literal["separate", "prospective", "catch_up"]


@dataclass(frozen=True, slots=True)
class Promise:
    """What a promise is worth in all, and how much of that may count.

    ``constrained`` is the part of ``price`` that is left out until it is highly probable that it will not be taken
    back (IFRS 15.56, ASC 606-10-32-11).
    """

    price: Money
    constrained: Money | None = None

    @property
    def transaction_price(self) -> Money:
        """The price without what is constrained (IFRS 15.47)."""
        return self.price - self.constrained if self.constrained is not None else self.price


def rounded(exact: Fraction, currency: str) -> Money:
    """An exact amount at the currency's minor unit, half up."""
    quantum = minor_unit(currency)
    units = Fraction(exact) / Fraction(quantum)
    sign = -1 if units < 0 else 1
    return Money(sign * int(abs(units) + Fraction(1, 2)) * quantum, currency)


def progress(done: Decimal, whole: Decimal, precision: int | None = None) -> Fraction:
    """How much of a promise is kept: an exact fraction between nothing and all (IFRS 15.39 to 45, B14 to B19).

    ``precision`` rounds it to so many digits of a percentage, where the contract fixes that (IFRS 15 example 8 works
    with 51.2 %).
    """
    if whole <= 0:
        return Fraction(0)
    exact = min(max(Fraction(done) / Fraction(whole), Fraction(0)), Fraction(1))
    if precision is None:
        return exact
    percent = Decimal(exact.numerator * 100) / Decimal(exact.denominator)
    return Fraction(percent.quantize(Decimal(1).scaleb(-precision), ROUND_HALF_UP)) / 100


def earned_by_progress(promise: Promise, kept: Fraction) -> Money:
    """Over time, by a measure of progress: cumulative, progress x transaction price (IFRS 15.39, 41)."""
    price = promise.transaction_price
    return rounded(Fraction(price.amount) * kept, price.currency)


def earned_straight_line(promise: Promise, starts: date, ends: date, through: date) -> Money:
    """Over time, evenly by day from ``starts`` to ``ends``, both included (IFRS 15.B18)."""
    days = (ends - starts).days + 1
    passed = min(max((through - starts).days + 1, 0), days)
    return earned_by_progress(promise, Fraction(passed, days))


def service_fee(fee: Money, starts: date, ends: date) -> Money:
    """A monthly fee for the days of one calendar month that are served, by day."""
    first = starts.replace(day=1)
    days = (_next_month(first) - first).days
    return rounded(Fraction(fee.amount) * Fraction((ends - starts).days + 1, days), fee.currency)


def earned_by_service(fee: Money, starts: date, ends: date | None, through: date) -> Money:
    """A service that is the same every day: its monthly fee for each month, that of a part by day (IFRS 15.22(b))."""
    total, last = zero(fee.currency), min(through, ends) if ends is not None else through
    day = starts
    while day <= last:
        month_ends = _next_month(day.replace(day=1)) - timedelta(days=1)
        total = total + service_fee(fee, day, min(month_ends, last))
        day = month_ends + timedelta(days=1)
    return total


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def earned_at_points(accepted: Sequence[Money], currency: str) -> Money:
    """At points in time: what the customer has accepted, and nothing before (IFRS 15.38(e))."""
    return Money(sum((each.amount for each in accepted), Decimal(0)), currency)


def earned_on_completion(promise: Promise, *, completed: bool) -> Money:
    """All of it once the contract is completed, where no other measure is reliable (IFRS 15.38, ASC 606-10-25-30)."""
    return promise.transaction_price if completed else zero(promise.price.currency)


def earned_by_drawing(drawn: Money, granted: Money, expected_breakage: Money | None = None) -> Money:
    """Prepaid work as it is drawn, breakage in proportion to the rights used (ASC 606-10-55-46 to 49, IFRS 15.B46).

    Of a grant of 10,000 of which 1,000 will probably never be used, a draw of 4,500 earns 5,000. Never more than the
    grant.
    """
    if expected_breakage is None or not expected_breakage.amount:
        return min(drawn, granted, key=lambda each: each.amount)
    used = granted - expected_breakage
    if used.amount <= 0:
        return granted
    earned = rounded(Fraction(drawn.amount) * Fraction(granted.amount) / Fraction(used.amount), drawn.currency)
    return min(earned, granted, key=lambda each: each.amount)


def allocated(price: Money, stand_alone_prices: Sequence[Decimal]) -> tuple[Money, ...]:
    """A price divided among promises by what each would cost alone, to the cent (IFRS 15.74, 76; ASC 606-10-32-31).

    By largest remainder, ties to the earlier promise, so that the parts add up to the price.
    """
    return shared(price, stand_alone_prices)


@dataclass(frozen=True, slots=True)
class Basis:
    """From where a promise earns since it was last modified prospectively: what counted then, and what was done."""

    recognised: Money
    done: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Modified:
    """A promise after a contract modification: which treatment, why, and what it means.

    ``catch_up`` is what is recognised at once; ``basis`` is where a prospective treatment begins; ``added`` is the
    promise that stands on its own.
    """

    treatment: Treatment
    because: str
    promise: Promise
    whole: Decimal
    catch_up: Money
    basis: Basis | None = None
    added: Promise | None = None


def modified(
    treatment: Treatment,
    because: str,
    *,
    before: Promise,
    after: Promise,
    done: Decimal,
    whole_before: Decimal,
    whole_after: Decimal,
    recognised: Money,
    precision: int | None = None,
) -> Modified:
    """What a change of scope or price does to revenue, by the treatment that was chosen, whose reason is kept.

    ``separate``: distinct work at its stand-alone price is a contract of its own (IFRS 15.20). ``prospective``:
    distinct work at another price ends the old contract; what is left of both prices is earned from now on (21(a)).
    ``catch_up``: the same promise goes on; what is earned to date is measured anew at once (21(b)).
    """
    currency = before.price.currency
    match treatment:
        case "separate":
            added = Promise(after.price - before.price)
            return Modified(treatment, because, before, whole_before, zero(currency), added=added)
        case "prospective":
            return Modified(treatment, because, after, whole_after, zero(currency), basis=Basis(recognised, done))
        case "catch_up":
            to_date = earned_by_progress(after, progress(done, whole_after, precision))
            return Modified(treatment, because, after, whole_after, to_date - recognised)


def earned_since(basis: Basis, promise: Promise, done: Decimal, whole: Decimal) -> Money:
    """After a prospective modification: what counted before, and the rest of the price over the rest of the work."""
    rest = Promise(promise.transaction_price - basis.recognised)
    return basis.recognised + earned_by_progress(rest, progress(done - basis.done, whole - basis.done))


def loss_provision(promise: Promise, kept: Fraction, expected_cost: Money) -> Money:
    """The part of an expected loss that is still to come, provided for at once (IAS 37.66, ASC 605-35-25-45).

    The loss that belongs to the work done has been made already, as cost above revenue: so of the whole loss the part
    that is not done yet is provided for. A contract of 100,000 that will cost 120,000 and is half done: 10,000.
    """
    loss = expected_cost - promise.transaction_price
    if loss.amount <= 0:
        return zero(loss.currency)
    return rounded(Fraction(loss.amount) * (1 - kept), loss.currency)


def never_above(earned: Money, promise: Promise | None) -> Money:
    """Recognised revenue never exceeds the price."""
    if promise is None or earned.amount <= promise.transaction_price.amount:
        return earned
    return promise.transaction_price


def without_constraint(promise: Promise) -> Promise:
    """The promise once its variable amount is highly probable: it is included, and catches up (IFRS 15.59, 87, 88)."""
    return replace(promise, constrained=None)
