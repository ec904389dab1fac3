"""Revenue is earned as promises are kept, whatever is billed when (IFRS 15.31, ASC 606-10-25-23).

How much is earned to date is a pure function of a promise's terms and what is known of its progress. What a period
earns is the difference to what was recognised before, so that every change of an estimate catches up at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from domain.money import Money, half_up, money_of, shared, zero


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


def progress(done: Decimal, whole: Decimal, precision: int | None = None) -> Fraction:
    """How much of a promise is kept: an exact fraction between nothing and all (IFRS 15.39 to 45, B14 to B19).

    ``precision`` rounds it to so many digits of a percentage, where the contract fixes that (IFRS 15 example 8 works
    with 51.2 %).
    """
    if whole <= 0:
        return Fraction(0)
    exact = min(max(Fraction(done) / Fraction(whole), Fraction(0)), Fraction(1))
    return exact if precision is None else Fraction(half_up(exact * 100, precision)) / 100


def earned_by_progress(promise: Promise, kept: Fraction) -> Money:
    """Over time, by a measure of progress: cumulative, progress x transaction price (IFRS 15.39, 41)."""
    price = promise.transaction_price
    return money_of(Fraction(price.amount) * kept, price.currency)


def earned_straight_line(promise: Promise, starts: date, ends: date, through: date) -> Money:
    """Over time, evenly by day from ``starts`` to ``ends``, both included (IFRS 15.B18)."""
    days = max((ends - starts).days + 1, 1)
    passed = min(max((through - starts).days + 1, 0), days)
    return earned_by_progress(promise, Fraction(passed, days))


def earned_on_completion(promise: Promise, *, completed: bool) -> Money:
    """All of it once the contract is completed, where no other measure is reliable (IFRS 15.38, ASC 606-10-25-30)."""
    return promise.transaction_price if completed else zero(promise.price.currency)


def earned_by_drawing(drawn: Money, granted: Money, expected_breakage: Money | None = None) -> Money:
    """Prepaid work as it is drawn, breakage in proportion to the rights used (ASC 606-10-55-46 to 49, IFRS 15.B46).

    Of a grant of 10,000 of which 1,000 will probably never be used, a draw of 4,500 earns 5,000. Drawing earns at most
    the grant; work beyond it is overage, which earns what it is worth.
    """
    overage = max(drawn - granted, zero(drawn.currency), key=lambda each: each.amount)
    within = drawn - overage
    used = granted - (expected_breakage or zero(granted.currency))
    if used.amount <= 0:
        return granted + overage
    earned = money_of(Fraction(within.amount) * Fraction(granted.amount) / Fraction(used.amount), drawn.currency)
    return min(earned, granted, key=lambda each: each.amount) + overage


def allocated(price: Money, stand_alone_prices: Sequence[Decimal]) -> tuple[Money, ...]:
    """A price divided among promises by what each would cost alone, to the cent (IFRS 15.74, 76; ASC 606-10-32-31).

    By largest remainder, ties to the earlier promise, so that the parts add up to the price.
    """
    return shared(price, stand_alone_prices)


@dataclass(frozen=True, slots=True)
class Basis:
    """From where a promise earns since it was last modified prospectively: what counted then, and what was done.

    ``since`` is the day of the change. ``left`` is the part of the whole that was still to be done then; by it a price
    is divided anew among promises. ``price`` is what the promise was worth by its own terms then.
    """

    recognised: Money
    since: date
    done: Decimal = Decimal(0)
    left: Decimal = Decimal(1)
    price: Money | None = None

    def at_price(self, price: Money | None) -> Basis:
        """The basis once the price has changed since: what was done before has its part of that (IFRS 15.88 to 90)."""
        if price is None or self.price is None:
            return self
        return replace(self, recognised=self.recognised + ((price - self.price) * (1 - self.left)).rounded())


Bases = Mapping[str, Basis]
"""From where each contract line earns, by its name, as far as it was modified prospectively."""


def earned_since(basis: Basis, promise: Promise, done: Decimal, whole: Decimal, precision: int | None = None) -> Money:
    """After a prospective modification: what counted before, and the rest of the price over the rest of the work."""
    rest = Promise(promise.transaction_price - basis.recognised)
    return basis.recognised + earned_by_progress(rest, progress(done - basis.done, whole - basis.done, precision))


def loss_provision(promise: Promise, earned: Money, spent: Money, expected_cost: Money) -> Money:
    """The part of an expected loss that is still to come, provided for at once (IAS 37.66, ASC 605-35-25-45).

    The loss that belongs to the work done has been made already, as cost above revenue: so the whole loss is
    recognised, also where progress is rounded. A contract of 100,000 that will cost 120,000 and is half done: 10,000.
    """
    loss, nothing = expected_cost - promise.transaction_price, zero(promise.price.currency)
    if loss.amount <= 0:
        return nothing
    return max((loss - (spent - earned)).rounded(), nothing, key=lambda each: each.amount)
