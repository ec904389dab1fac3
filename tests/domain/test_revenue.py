"""Revenue by every method, and what a modification, a loss or an unused right does to it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from domain.revenue.methods import (
    Promise,
    allocated,
    earned_by_drawing,
    earned_by_progress,
    earned_on_completion,
    earned_straight_line,
    loss_provision,
    progress,
)


def euros(amount: int | str) -> Money:
    return Money(Decimal(amount), "EUR")


def test_progress_is_exact_unless_a_precision_is_fixed() -> None:
    assert progress(Decimal(420), Decimal(820)) == Fraction(21, 41)
    assert progress(Decimal(420), Decimal(820), 1) == Fraction(512, 1000)
    assert progress(Decimal(900), Decimal(820)) == 1
    assert progress(Decimal(1), Decimal(0)) == 0


@given(st.integers(1, 10_000_000), st.lists(st.integers(0, 100), min_size=1, max_size=12))
def test_what_periods_earn_adds_up_to_the_price(price: int, steps: list[int]) -> None:
    promise, done, earned = Promise(Money(Decimal(price) / 100, "EUR")), 0, euros(0)
    whole = sum(steps) or 1
    for step in steps:
        done += step
        to_date = earned_by_progress(promise, progress(Decimal(done), Decimal(whole)))
        assert earned.amount <= to_date.amount <= promise.price.amount
        earned = to_date
    if sum(steps):
        assert earned == promise.price


def test_a_straight_line_earns_by_day() -> None:
    promise = Promise(euros(36500))
    starts, ends = date(2026, 1, 1), date(2026, 12, 31)
    assert earned_straight_line(promise, starts, ends, date(2026, 1, 31)) == euros(3100)
    assert earned_straight_line(promise, starts, ends, starts - timedelta(days=1)) == euros(0)
    assert earned_straight_line(promise, starts, ends, date(2027, 5, 1)) == euros(36500)


def test_a_completed_contract_earns_at_once() -> None:
    promise = Promise(euros(100), constrained=euros(20))
    assert earned_on_completion(promise, completed=False) == euros(0)
    assert earned_on_completion(promise, completed=True) == euros(80)


def test_a_price_is_allocated_by_stand_alone_prices_to_the_cent() -> None:
    # IFRS 15 example 33: 100 over products that cost 50, 25 and 75 alone.
    assert allocated(euros(100), [Decimal(50), Decimal(25), Decimal(75)]) == (
        euros("33.33"),
        euros("16.67"),
        euros(50),
    )


@pytest.mark.parametrize(
    ("drawn", "earned"), [(4500, 5000), (9000, 10_000), (9500, 10_000), (10_000, 10_000), (12_000, 12_000)]
)
def test_breakage_is_earned_with_what_is_drawn(drawn: int, earned: int) -> None:
    assert earned_by_drawing(euros(drawn), euros(10_000), euros(1000)) == euros(earned)


def test_a_loss_is_provided_for_as_far_as_it_is_still_to_come() -> None:
    promise = Promise(euros(100_000))
    half = euros(50_000)
    assert loss_provision(promise, half, euros(60_000), euros(120_000)) == euros(10_000)
    assert loss_provision(promise, euros(100_000), euros(120_000), euros(120_000)) == euros(0)
    assert loss_provision(promise, euros(100_000), euros(130_000), euros(120_000)) == euros(0)
    assert loss_provision(promise, half, euros(45_000), euros(90_000)) == euros(0)


def test_the_whole_loss_is_recognised_where_progress_is_rounded() -> None:
    """Spiceland, Harding Construction: 54.12 % of 5,000,000 earned, 2,760,000 of 5,100,000 spent."""
    provision = loss_provision(Promise(euros(5_000_000)), euros(2_706_000), euros(2_760_000), euros(5_100_000))
    assert provision == euros(46_000)
