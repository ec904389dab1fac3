"""The benchmarks run, on a size of seconds, so that they never rot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_small_run_measures_every_figure_and_writes_it_with_its_absolutes(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    command = [sys.executable, "-m", "tests.bench", "--size", "small", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads(out.read_text())
    assert written["size"] == "small"
    assert {"ingest_vs_stock", "ingest_vs_ceiling", "rebuild_vs_stock", "query_growth"} <= set(written["figures"])
    assert all(figure["value"] > 0 for figure in written["figures"].values())
