"""A circuit breaker: who does not answer is left in peace for a while, then asked once, then as usual."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import Final

FAILURES_MAX: Final = 3
RETRY_SECONDS: Final = 0.1
PAUSE_SECONDS_MIN: Final = 0.5
PAUSE_SECONDS_MAX: Final = 5.0


class State(Enum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


class Circuit:
    """Closed until three calls in a row have failed; then open for a pause that grows; then one call decides."""

    def __init__(
        self,
        *,
        failures_max: int = FAILURES_MAX,
        pause_seconds_min: float = PAUSE_SECONDS_MIN,
        pause_seconds_max: float = PAUSE_SECONDS_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = State.CLOSED
        self._failures_max = failures_max
        self._pause_seconds_min = pause_seconds_min
        self._pause_seconds_max = pause_seconds_max
        self._clock = clock
        self._failures = 0
        self._next_seconds = 0.0

    def admits(self) -> bool:
        """Whether a call may be made now. Whoever is admitted says afterwards how it went."""
        if self.state is State.HALF_OPEN or self._clock() < self._next_seconds:
            return False
        if self.state is State.OPEN:
            self.state = State.HALF_OPEN
        return True

    def succeeded(self) -> None:
        """A call was answered, whatever the answer."""
        self.state = State.CLOSED
        self._failures = 0
        self._next_seconds = 0.0

    def failed(self) -> None:
        """A call was not answered."""
        self._failures += 1
        excess = self._failures - self._failures_max
        if excess < 0:
            self._next_seconds = self._clock() + RETRY_SECONDS
            return
        self.state = State.OPEN
        pause = min(self._pause_seconds_max, self._pause_seconds_min * 2 ** min(excess, 16))
        self._next_seconds = self._clock() + pause
