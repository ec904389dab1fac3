"""A moment of the past on the command line is one position, or one time with its zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api.commands.moment import UnclearTime, moment
from projections.reader import AtPosition, AtTime


def test_a_moment_is_a_position_or_a_time_and_otherwise_now() -> None:
    assert moment(1200, None) == AtPosition(1200)
    assert moment(None, "2026-03-31T23:59:59Z") == AtTime(datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC))
    assert moment(None, None) is None


@pytest.mark.parametrize(
    ("position", "recorded_at", "said"),
    [
        (1200, "2026-03-31T23:59:59Z", "Both"),
        (None, "yesterday", "yesterday"),
        (None, "2026-03-31T23:59:59", "no zone"),
    ],
)
def test_a_moment_that_is_not_clear_is_refused(position: int | None, recorded_at: str, said: str) -> None:
    with pytest.raises(UnclearTime, match=said):
        moment(position, recorded_at)
