from __future__ import annotations

from datetime import date

import pytest

from adapters.simulation.calendars import days_from, easter_sunday, is_working_day
from domain.periods import month_end, months_later


@pytest.mark.parametrize(
    "sunday", [date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5), date(2027, 3, 28), date(2038, 4, 25)]
)
def test_easter_falls_on_the_sunday_that_the_church_published(sunday: date) -> None:
    assert easter_sunday(sunday.year) == sunday


def test_nobody_works_on_weekends_and_each_country_has_holidays_of_its_own() -> None:
    saturday, good_friday, constitution_day = date(2026, 3, 7), date(2026, 4, 3), date(2026, 5, 4)
    assert not is_working_day("DE", saturday)
    assert not is_working_day("DE", good_friday)
    assert is_working_day("US", good_friday)
    assert is_working_day("DE", constitution_day)
    assert not is_working_day("JP", constitution_day)


def test_months_are_counted_across_years_and_end_on_their_last_day() -> None:
    assert months_later(date(2026, 11, 17), 3) == date(2027, 2, 1)
    assert month_end(date(2028, 2, 3)) == date(2028, 2, 29)
    assert list(days_from(date(2026, 1, 31), date(2026, 2, 1))) == [date(2026, 1, 31), date(2026, 2, 1)]
