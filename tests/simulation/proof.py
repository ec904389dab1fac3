"""A seed, lived through and judged: what the tests and the command line have in common."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Final

from tests.simulation.auditor import Books, audit, books
from tests.simulation.machinery import Endless
from tests.simulation.messages import SmallWorld, small_world
from tests.simulation.running import NotSettled, Parts, Run, simulate

RUNS_PER_WORLD: Final = 20
"""So many runs of the same messages go wrong in ways of their own."""


@lru_cache(maxsize=4)
def undisturbed(world: int) -> tuple[SmallWorld, Books]:
    """A world, and its books when nothing goes wrong."""
    made = small_world(world)
    calm = simulate(world, made, with_faults=False)
    found = audit(calm)
    assert not found, f"without any fault: {found}"
    return made, books(calm)


def breaches(seed: int, parts: Parts | None = None, happened: Counter[str] | None = None) -> list[str]:
    """What must not be so after the run of a seed; nothing, if all is well."""
    made, expected = undisturbed(seed // RUNS_PER_WORLD)
    try:
        run = simulate(seed, made, parts=parts)
    except (NotSettled, Endless) as problem:
        return [f"{type(problem).__name__}: {problem}"]
    if happened is not None:
        happened.update(run.dice.happened)
    return audit(run, expected)


def trace(run: Run) -> list[str]:
    """Everything that was recorded, by whom and when."""
    return [
        f"{fact.position:5} {(fact.recorded_at).isoformat()} {commit.process:16} {fact.id} {fact.name}"
        for commit in run.database.commits
        for fact in commit.events
    ]
