"""How long to wait before trying again: longer with every failure in a row, up to a limit, and never all at once."""

from __future__ import annotations

import random

SECONDS_MIN = 0.1
SECONDS_MAX = 10.0


def backoff_seconds(failures: int, longest: float = SECONDS_MAX) -> float:
    """The pause after so many failures in a row, spread so that several who failed together do not return together."""
    limit: float = min(longest, SECONDS_MIN * 2 ** min(failures, 16))
    return random.uniform(limit / 2, limit)  # noqa: S311 - spreads retries, hides nothing
