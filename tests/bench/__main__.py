"""``python -m tests.bench``: measures everything on servers of its own, and writes and shows the figures."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from adapters.embedded import EmbeddedServers
from adapters.settings import Settings
from tests.bench.figures import table, write
from tests.bench.machine import facts
from tests.bench.sizes import SIZES
from tests.bench.suite import PARTS, measure
from tests.bench.watch import watched


def main() -> int:
    """0 when every figure meets its target, 1 otherwise; a small run is too short to be judged and says 0."""
    given = _arguments()
    console = Console()
    size = SIZES[given.size]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="bench-", dir=given.out.parent.resolve()))
    before = time.monotonic()
    try:
        with EmbeddedServers(Settings(home=home)) as servers, watched(console) as progress:
            about = facts(servers.settings)
            figures = asyncio.run(measure(servers.settings, size, given.only or list(PARTS), progress))
    finally:
        shutil.rmtree(home, ignore_errors=True)
    write(given.out, size.name, time.monotonic() - before, about, figures)
    console.print(table(figures))
    console.print(f"[dim]{given.out}[/]")
    return int(size.name == "full" and any(figure.is_met is False for figure in figures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--size", choices=sorted(SIZES), default="full", help="small takes seconds, full minutes")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), help="where the figures go")
    parser.add_argument("--only", action="append", choices=list(PARTS), help="this part alone; may be repeated")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
