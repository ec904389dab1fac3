"""A thousand runs in which processes die, replies are lost and targets close: the books are those of a calm day."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.faults import RATES, WHOLES
from tests.simulation.planted import PLANTED
from tests.simulation.proof import RUNS_PER_WORLD, breaches, trace, undisturbed
from tests.simulation.running import simulate

SEEDS, BLOCKS = 1_000, 10
SEEDS_TO_CATCH = 50


@pytest.mark.slow
@pytest.mark.parametrize("block", range(BLOCKS))
def test_whatever_goes_wrong_the_books_are_those_of_a_calm_day(block: int) -> None:
    happened: Counter[str] = Counter()
    size = SEEDS // BLOCKS
    for seed in range(block * size, (block + 1) * size):
        found = breaches(seed, happened=happened)
        assert not found, f"seed {seed}: {found}\nrepeat it: .venv/bin/python -m tests.simulation {seed}"
    assert set(happened) == {*RATES, *WHOLES}, "every kind of fault has happened"


@pytest.mark.parametrize("fault", sorted(PLANTED))
def test_a_fault_that_somebody_builds_in_is_found(fault: str) -> None:
    for seed in range(SEEDS_TO_CATCH):
        if breaches(seed, PLANTED[fault]):
            return
    pytest.fail(f"{fault}: nothing was noticed in {SEEDS_TO_CATCH} runs")


def test_a_seed_always_leads_to_the_same_run() -> None:
    """Also in another process, in which sets have another order."""
    world, _ = undisturbed(77 // RUNS_PER_WORLD)
    mine = trace(simulate(77, world))
    assert mine == trace(simulate(77, world))
    told = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "77"],
        cwd=Path(__file__).parents[2],
        env={"PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.splitlines()[: len(mine)] == mine
