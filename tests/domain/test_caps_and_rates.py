"""Which rate wins and why; what fits under a cap and what does not."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given as such_that
from hypothesis import strategies as st

from domain.caps import Candidate, Room, allocate
from domain.contract import CapPolicy
from domain.money import Money, total
from domain.pricing.rating import CardOnLevel, RateFound, RateNotFound, Worked, find_rate
from domain.reference import cost_card, rate_card
from domain.reference.cost_card import CostRow, NegativeRoleCost, SetCostRate
from domain.reference.rate_card import (
    ApproveRate,
    DuplicateRateRow,
    NegativeRate,
    RateCard,
    RateEndsBeforeItStarts,
    RateRow,
    RateSet,
    SetRate,
    UnknownRateRow,
)
from tests.spec import given

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
WORKED = Worked("W-1", "Senior", "Berlin", date(2026, 3, 31), "EUR")


def euros(amount: int | str) -> Money:
    return Money(Decimal(amount), "EUR")


def row(name: str, amount: int, **match: str) -> RateRow:
    return RateRow(name, euros(amount), date(2026, 1, 1), **match)  # type: ignore[arg-type]  # who it matches, by name


def rate(*rows: RateRow, level: str = "firm") -> RateFound | RateNotFound:
    return find_rate(WORKED, [CardOnLevel(level, RateCard(rows))])


class TestRating:
    def test_a_person_beats_a_location_beats_a_role(self) -> None:
        rows = [
            row("role", 100, role="Senior"),
            row("place", 110, location="Berlin"),
            row("person", 120, resource="W-1"),
        ]
        for count, winner in ((3, "firm/person"), (2, "firm/place"), (1, "firm/role")):
            found = rate(*rows[:count])
            assert isinstance(found, RateFound)
            assert found.winner == winner

    def test_a_more_specific_card_beats_a_more_specific_row(self) -> None:
        cards = [
            CardOnLevel("engagement", RateCard((row("anyone", 90),))),
            CardOnLevel("firm", RateCard((row("person", 120, resource="W-1"),))),
        ]
        found = find_rate(WORKED, cards)
        assert isinstance(found, RateFound)
        assert found.rate == euros(90)

    @pytest.mark.parametrize(
        ("day", "expected"),
        [("2026-03-14", 100), ("2026-03-15", 110), ("2026-03-31", 110), ("2026-04-01", 120)],
    )
    def test_the_newest_effective_date_wins_until_the_next_one(self, day: str, expected: int) -> None:
        rows = (
            row("a", 100, role="Senior"),
            replace(row("b", 110, role="Senior"), effective_from=date(2026, 3, 15)),
            replace(row("c", 120, role="Senior"), effective_from=date(2026, 4, 1)),
        )
        worked = replace(WORKED, on=date.fromisoformat(day))
        found = find_rate(worked, [CardOnLevel("firm", RateCard(rows))])
        assert isinstance(found, RateFound)
        assert found.rate == euros(expected)

    def test_the_others_that_were_looked_at_are_kept_with_the_reason(self) -> None:
        found = rate(
            row("junior", 60, role="Junior"), row("role", 100, role="Senior"), row("person", 120, resource="W-1")
        )
        assert isinstance(found, RateFound)
        assert {seen.row: seen.verdict for seen in found.considered} == {
            "junior": "does not match",
            "role": "less specific than person",
        }

    def test_rows_that_tie_are_ambiguous_and_none_is_no_rate(self) -> None:
        tied = rate(row("a", 100, role="Senior"), row("b", 110, role="Senior"))
        assert isinstance(tied, RateNotFound)
        assert (tied.code, "a, b" in tied.detail) == ("AMBIGUOUS_RATE", True)
        missing = rate(row("junior", 60, role="Junior"))
        assert isinstance(missing, RateNotFound)
        assert missing.code == "NO_RATE"

    def test_a_rate_in_another_currency_or_out_of_its_days_does_not_match(self) -> None:
        dollars = replace(row("usd", 100), rate=Money(Decimal(100), "USD"))
        ended = replace(row("old", 100), effective_to=date(2026, 3, 30))
        assert isinstance(rate(dollars, ended), RateNotFound)


class TestCards:
    CARD = given(rate_card.decider, RateSet(row("a", 100, role="Senior")))

    def test_a_rate_is_not_negative_and_does_not_end_before_it_starts(self) -> None:
        self.CARD.when(SetRate(row("b", -1))).refuses(NegativeRate, "b: -1")
        ended = replace(row("b", 1), effective_to=date(2025, 12, 31))
        self.CARD.when(SetRate(ended)).refuses(RateEndsBeforeItStarts, "b")
        cost = CostRow("Senior", euros(-1), date(2026, 1, 1))
        given(cost_card.decider).when(SetCostRate("DE01", cost)).refuses(NegativeRoleCost, "Senior")

    def test_a_rate_is_on_a_card_under_one_name_and_is_approved_by_it(self) -> None:
        self.CARD.when(SetRate(row("a", 100, role="Senior"))).stays_quiet()
        self.CARD.when(SetRate(row("b", 100, role="Senior"))).refuses(DuplicateRateRow, "b says what a says")
        self.CARD.when(ApproveRate("b", "ann")).refuses(UnknownRateRow, "b")


def candidates(*values: int | str) -> list[Candidate]:
    return [Candidate(f"lot-{n}", date(2026, 3, 1 + n), NINE, euros(value)) for n, value in enumerate(values)]


def room(left: int, policy: CapPolicy = "partial") -> list[Room]:
    return [Room("line L1", policy, euros(left))]


class TestCaps:
    def test_a_partial_cap_is_filled_to_the_cent(self) -> None:
        shares = allocate(room(1000), candidates(360, 40, 940))
        assert [str(share.within.amount) for share in shares.values()] == ["360", "40", "600"]

    def test_a_whole_item_cap_leaves_out_what_does_not_fit(self) -> None:
        shares = allocate(room(1000, "whole_item"), candidates(360, 40, 940, 540))
        assert [str(share.within.amount) for share in shares.values()] == ["360", "40", "0", "540"]

    def test_work_is_taken_in_order_of_work_date_approval_and_id(self) -> None:
        first, other = candidates(100, 100)
        same_day = replace(other, work_date=first.work_date)
        for later in (replace(first, work_date=date(2026, 3, 9)), replace(first, approved_at=NINE.replace(hour=10))):
            shares = allocate(room(100), [later, replace(same_day, work_date=date(2026, 3, 1))])
            assert [lot for lot, share in shares.items() if share.within] == [other.lot]
        shares = allocate(room(100), [same_day, first])
        assert [lot for lot, share in shares.items() if share.within] == [first.lot]

    def test_a_lot_of_no_value_fits_under_a_used_up_cap(self) -> None:
        assert allocate(room(0), candidates(0))["lot-0"].over == euros(0)

    def test_a_cap_of_hours_is_filled_to_the_hour_whatever_they_are_worth(self) -> None:
        """5.5 of 7.75 hours at 123.45, which are 956.74, come to 678.975: 678.98, half up."""
        lot = replace(candidates("956.74")[0], hours=Decimal("7.75"))
        share = allocate([Room("line L1", "partial", hours=Decimal("5.5"))], [lot])["lot-0"]
        assert (share.hours, share.within, share.over) == (Decimal("5.5"), euros("678.98"), euros("277.76"))

    def test_of_two_caps_the_narrower_one_says_whether_hours_or_money_are_cut(self) -> None:
        lot = replace(candidates(800)[0], hours=Decimal(8))
        of_hours = Room("line L1", "partial", hours=Decimal(5))
        for money, expected in ((499, None), (500, Decimal(5)), (501, Decimal(5))):
            share = allocate([of_hours, *room(money)], [lot])["lot-0"]
            assert (share.within, share.hours) == (euros(min(money, 500)), expected)
            assert allocate([*room(money), of_hours], [lot])["lot-0"] == replace(share, cut_by=share.cut_by)

    def test_hours_that_are_worth_less_than_a_cent_stay_over_the_cap(self) -> None:
        lot = replace(candidates("0.02")[0], hours=Decimal(8))
        share = allocate([Room("line L1", "partial", hours=Decimal("7.9"))], [lot])["lot-0"]
        assert (share.within, share.over, share.hours) == (euros("0.01"), euros("0.01"), Decimal("7.9"))

    @such_that(
        st.integers(-100, 5000),
        st.lists(st.integers(0, 900), max_size=12),
        st.sampled_from(["partial", "whole_item"]),
    )
    def test_what_is_within_never_passes_the_cap_and_nothing_is_lost(
        self, left: int, values: list[int], policy: CapPolicy
    ) -> None:
        shares = allocate(room(left, policy), candidates(*values))
        within = total((share.within for share in shares.values()), "EUR")
        over = total((share.over for share in shares.values()), "EUR")
        assert within.amount <= max(left, 0)
        assert within + over == euros(sum(values))
