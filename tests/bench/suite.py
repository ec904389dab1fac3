"""All parts of the benchmarks, one after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from adapters.settings import Settings
from tests.bench import ingest, invoicing, lag, read_models, redeciding, trial_balance
from tests.bench.figures import Figure
from tests.bench.rounds import Progress
from tests.bench.sizes import Size

Part = Callable[[Settings, Size, Progress], Awaitable[list[Figure]]]

PARTS: Final[Mapping[str, Part]] = {
    "ingest": ingest.figures,
    "lag": lag.figures,
    "read_models": read_models.figures,
    "invoicing": invoicing.figures,
    "redeciding": redeciding.figures,
    "trial_balance": trial_balance.figures,
}


async def measure(settings: Settings, size: Size, parts: Sequence[str], progress: Progress) -> list[Figure]:
    """The figures of these parts."""
    found: list[Figure] = []
    for name in parts:

        def report(done: int, total: int, what: str, part: str = name) -> None:
            progress(done, total, f"{part}: {what}")

        found += await PARTS[name](settings, size, report)
    return found
