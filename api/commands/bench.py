"""``p2c bench``: the benchmarks of a clone, in a process of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CLONE = Path(__file__).resolve().parents[2]


class BenchmarksMissing(Exception):
    """The benchmarks belong to the tests: run them in a clone of the source."""


def run(*, size: str, out: Path) -> None:
    """Measures, shows the figures and writes them to a file; exits with 1 when a full run misses a target."""
    if not (CLONE / "tests" / "bench" / "__main__.py").exists():
        raise BenchmarksMissing(f"There is no tests/bench in {CLONE}.")
    command = [sys.executable, "-m", "tests.bench", "--size", size, "--out", str(out.resolve())]
    try:
        sys.exit(subprocess.run(command, cwd=CLONE, check=False).returncode)
    except KeyboardInterrupt:
        sys.exit(130)
