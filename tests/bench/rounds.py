"""Rounds: what is compared is measured in turns, several short rounds each, and the medians are compared.

A slow moment of the machine then meets all alike, and a single outlier meets nobody.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

Measure = Callable[[int], Awaitable[float]]
"""One round of one contestant: its number in, its figure (messages per second, say) out."""

Progress = Callable[[int, int, str], None]
"""How many steps are done, of how many, of what."""


def nobody_watches(_done: int, _total: int, _what: str) -> None:
    """For a run without a progress bar."""


async def interleaved(
    contestants: Mapping[str, Measure], rounds: int, progress: Progress = nobody_watches
) -> dict[str, list[float]]:
    """The results of each contestant, without those of the first round, which only warms up.

    Who goes first changes with every round.
    """
    names = list(contestants)
    results: dict[str, list[float]] = {name: [] for name in names}
    total, done = (rounds + 1) * len(names), 0
    for number in range(rounds + 1):
        turn = number % len(names)
        for name in (*names[turn:], *names[:turn]):
            progress(done, total, name)
            figure = await contestants[name](number)
            done += 1
            if number > 0:
                results[name].append(figure)
    progress(total, total, "rounds")
    return results


def medians(results: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The middle result of each contestant."""
    return {name: statistics.median(figures) for name, figures in results.items()}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not pass (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


@dataclass(slots=True)
class Span:
    """How long something took."""

    seconds: float = 0.0


@contextmanager
def timed() -> Iterator[Span]:
    """Measures a block."""
    span, before = Span(), time.perf_counter()
    yield span
    span.seconds = time.perf_counter() - before
