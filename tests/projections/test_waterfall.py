"""The leakage waterfall adds up to the standard value, and its shares to 100 %, whatever the amounts are."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given as such_that
from hypothesis import strategies as st

from projections.figures.waterfall import STEPS, percentages, waterfall

amounts = st.decimals(-10_000, 10_000_000, places=4, allow_nan=False, allow_infinity=False)


@such_that(parts=st.lists(amounts, min_size=len(STEPS), max_size=len(STEPS)), currency=st.sampled_from(["EUR", "JPY"]))
def test_the_steps_add_up_to_the_standard_value_and_their_shares_to_a_hundred(
    parts: list[Decimal], currency: str
) -> None:
    found = waterfall("firm", "", currency, dict(zip(STEPS, parts, strict=True)))
    assert sum(step.amount for step in found.steps) == found.standard
    assert found.steps[-1].left == 0
    if found.standard:
        assert sum(step.percent for step in found.steps if step.percent is not None) == 100
        for step in found.steps:
            assert step.percent is not None
            assert abs(step.percent - step.amount * 100 / found.standard) < Decimal("0.01") + Decimal(1) / 10**9
    else:
        assert {step.percent for step in found.steps} == {None}


def test_the_largest_remainders_are_rounded_up() -> None:
    assert percentages([Decimal(1), Decimal(1), Decimal(1)], Decimal(3)) == [
        Decimal("33.34"),
        Decimal("33.33"),
        Decimal("33.33"),
    ]
