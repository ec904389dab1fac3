"""The benchmarks run, on a size of seconds, so that they never rot."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.figures import Figure, Target, at_least, at_most, ratio
from tests.bench.rounds import interleaved, medians, percentile

ROOT = Path(__file__).parents[2]
FIGURES = {
    "ingest_vs_stock",
    "ingest_vs_ceiling",
    "lag_ms_p50",
    "lag_ms_p99",
    "rebuild_vs_stock",
    "rebuild_growth",
    "rebuild_memory_growth",
    "query_growth",
    "row_security_cost",
    "invoice_10k_seconds",
    "invoice_vs_statement",
    "invoice_growth",
    "redecide_100k_seconds",
    "redecide_vs_statement",
    "redecide_growth",
    "reprice_100k_seconds",
    "reprice_vs_statement",
    "trial_balance_vs_beancount",
    "trial_balance_growth",
}


@pytest.mark.slow
def test_a_small_run_measures_every_figure_and_writes_it_with_its_absolutes(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    command = [sys.executable, "-m", "tests.bench", "--size", "small", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads(out.read_text())
    assert written["size"] == "small"
    assert set(written["figures"]) == FIGURES
    for figure in written["figures"].values():
        assert figure["value"] > 0
        assert figure["absolutes"]
    assert written["postgres"]["fsync"] == "on"
    assert written["nats"]["sync_always"] is True
    assert list(tmp_path.iterdir()) == [out], "nothing of the servers is left"


def test_contestants_take_turns_and_the_first_round_only_warms_up() -> None:
    order: list[str] = []

    async def measured(name: str, number: int) -> float:
        order.append(f"{name}{number}")
        return float(number)

    contestants = {"a": lambda number: measured("a", number), "b": lambda number: measured("b", number)}
    results = asyncio.run(interleaved(contestants, rounds=3))
    assert order == ["a0", "b0", "b1", "a1", "a2", "b2", "b3", "a3"]
    assert results == {"a": [1, 2, 3], "b": [1, 2, 3]}
    assert medians(results) == {"a": 2, "b": 2}


@pytest.mark.parametrize(
    ("target", "value", "is_met"),
    [(at_least(10), 10.0, True), (at_least(10), 9.99, False), (at_most(1.2), 1.2, True), (at_most(1.2), 1.21, False)],
)
def test_a_target_is_met_on_its_own_side(target: Target, value: float, is_met: bool) -> None:
    assert Figure("some", value, "", target).is_met is is_met


def test_a_ratio_is_of_two_measurements_of_the_same_run() -> None:
    figure = ratio("some", 90, 30, at_least(3), "", ours=[90], theirs=[30])
    assert (figure.value, figure.is_met, figure.absolutes) == (3.0, True, {"ours": [90], "theirs": [30]})


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([5.0, 1.0, 4.0, 2.0, 3.0], 0.99) == 5.0
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0
    assert percentile([7.0], 0.5) == 7.0
