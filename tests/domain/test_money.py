import operator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import (
    DIGITS_MAX,
    MINOR_UNITS,
    WITHDRAWN,
    MixedCurrencies,
    Money,
    UnknownCurrency,
    adding_up_to,
    is_countable,
    minor_unit,
    shared,
    total,
)
from domain.reference.fx_rate import FxRatePublished, PublishFxRate, RateNotPositive, RateOutOfRange
from domain.reference.fx_rate import decider as fx_rates
from tests.spec import given as given_history


def euros(text: str) -> Money:
    return Money(Decimal(text), "EUR")


def test_half_a_cent_is_rounded_up() -> None:
    assert euros("365.125").rounded() == euros("365.13")
    assert euros("-365.125").rounded() == euros("-365.13")


def test_what_the_largest_numbers_that_are_taken_come_to_is_rounded_as_well() -> None:
    largest = Decimal(10**DIGITS_MAX - 1)
    assert is_countable(largest)
    assert not is_countable(largest + 1)
    for amount in (largest * largest * 24, largest * largest * largest):
        rounded = Money(amount, "KWD").rounded()
        assert rounded.amount == amount
        assert rounded.rounded_to(Decimal("0.005")).currency == "KWD"


@pytest.mark.parametrize(("currency", "rounded"), [("JPY", "101"), ("EUR", "100.50"), ("KWD", "100.500")])
def test_each_currency_is_rounded_at_its_own_minor_unit(currency: str, rounded: str) -> None:
    assert str(Money(Decimal("100.5"), currency).rounded().amount) == rounded


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(UnknownCurrency, match="XXX"):
        Money(Decimal(1), "XXX")


def test_amounts_of_two_currencies_are_never_added_or_compared() -> None:
    for operation in (operator.add, operator.sub, operator.lt, operator.le):
        with pytest.raises(MixedCurrencies):
            operation(euros("1"), Money(Decimal(1), "USD"))


def test_a_third_each_goes_to_the_earlier_by_a_cent() -> None:
    assert shared(euros("100.00"), [Decimal(1)] * 3) == (euros("33.34"), euros("33.33"), euros("33.33"))


def test_amounts_that_were_rounded_one_by_one_bear_the_difference_to_the_whole_together() -> None:
    each = Fraction("0.005")
    assert adding_up_to(euros("0.03"), [each] * 3) == (euros("0.01"),) * 3
    assert adding_up_to(euros("-0.03"), [-each] * 3) == (euros("-0.01"),) * 3
    assert adding_up_to(euros("0.01"), [Fraction(19), Fraction("-18.9943")]) == (euros("19.00"), euros("-18.99"))


@given(
    st.integers(-(10**9), 10**9),
    st.lists(st.integers(1, 1000), min_size=1, max_size=8),
    st.sampled_from(sorted(MINOR_UNITS)),
)
def test_shares_always_add_up_and_are_off_by_less_than_one_minor_unit(
    units: int, weights: list[int], currency: str
) -> None:
    quantum = minor_unit(currency)
    amount = Money(quantum * units, currency)
    shares = shared(amount, [Decimal(weight) for weight in weights])
    assert total(shares, currency) == amount
    for share, weight in zip(shares, weights, strict=True):
        exact = amount.amount * weight / sum(weights)
        assert abs(share.amount - exact) < quantum


def test_currencies_and_funds_are_those_of_the_published_list() -> None:
    from iso4217 import Currency

    published = {each.code: each.exponent for each in Currency if each.exponent is not None}
    current = {code: digits for code, digits in MINOR_UNITS.items() if code not in WITHDRAWN}
    assert current == published
    assert {"CLF": 4, "UYW": 4, "UYI": 0, "CHE": 2, "XCG": 2, "ZWG": 2}.items() <= current.items()


def test_a_code_that_was_withdrawn_stays_readable() -> None:
    assert Money(Decimal("1.005"), "BGN").rounded() == Money(Decimal("1.01"), "BGN")


@pytest.mark.parametrize("told", ["0", "-1", "0.000000001", "100000001"])
def test_an_exchange_rate_that_no_currencies_have_is_refused(told: str) -> None:
    refusal = RateNotPositive if Decimal(told) <= 0 else RateOutOfRange
    published = PublishFxRate("EUR", "USD", date(2026, 3, 2), Decimal(told), "ECB")
    given_history(fx_rates).when(published).refuses(refusal)
    whole = replace(published, quote="IRR", rate=Decimal(1_200_000))
    given_history(fx_rates).when(whole).then_happens(FxRatePublished)
