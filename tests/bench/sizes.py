"""How much is measured: ``small`` proves in seconds that it works, ``full`` is what the figures are read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Size:
    """The amounts of one run."""

    name: str
    rounds: int
    backlog_messages: int
    stock_messages: int
    history_few: int
    history_many: int
    stock_events: int
    queries: int
    answers: int
    lag_messages: int


SMALL: Final = Size(
    name="small",
    rounds=1,
    backlog_messages=500,
    stock_messages=100,
    history_few=500,
    history_many=2_000,
    stock_events=100,
    queries=20,
    answers=20,
    lag_messages=500,
)

FULL: Final = Size(
    name="full",
    rounds=5,
    backlog_messages=6_000,
    stock_messages=500,
    history_few=10_000,
    history_many=1_000_000,
    stock_events=500,
    queries=300,
    answers=3_000,
    lag_messages=10_000,
)

SIZES: Final = {size.name: size for size in (SMALL, FULL)}
LAG_MESSAGES_PER_SECOND: Final = 500
