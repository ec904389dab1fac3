"""A moment of the past as it is given on the command line: a position of the log, or a time with its zone."""

from __future__ import annotations

from datetime import datetime

from domain.kernel import Refused
from projections.reader import At, AtPosition, AtTime


class UnclearTime(Refused):
    """A point in the past is one position, or one time with its zone."""

    code = "replay.unclear_time"
    fix = "Give either --position 1200 or --recorded-at 2026-03-31T23:59:59Z."


def moment(position: int | None, recorded_at: str | None) -> At | None:
    """The moment that was asked for; None is now. Raises UnclearTime."""
    if position is not None and recorded_at is not None:
        raise UnclearTime("Both were given.")
    if position is not None:
        return AtPosition(position)
    if recorded_at is None:
        return None
    try:
        time = datetime.fromisoformat(recorded_at)
    except ValueError as error:
        raise UnclearTime(repr(recorded_at)) from error
    if time.tzinfo is None:
        raise UnclearTime(f"{recorded_at!r} has no zone.")
    return AtTime(time)
