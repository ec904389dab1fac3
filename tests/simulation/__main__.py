"""Repeats runs: ``python -m tests.simulation 4711`` for one, with its whole log; ``--from 0 --to 10000`` for many."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from tests.simulation.messages import small_world
from tests.simulation.planted import PLANTED
from tests.simulation.proof import RUNS_PER_WORLD, breaches, trace
from tests.simulation.running import simulate


def main() -> int:
    """The exit code is the number of seeds that went wrong, at most 100."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", type=int, nargs="?")
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--to", dest="end", type=int, default=1000)
    parser.add_argument("--planted", choices=sorted(PLANTED), help="with this fault built in")
    asked = parser.parse_args()
    parts = PLANTED[asked.planted] if asked.planted else None
    if asked.seed is not None:
        run = simulate(asked.seed, small_world(asked.seed // RUNS_PER_WORLD), parts=parts)
        sys.stdout.write("\n".join(trace(run)) + "\n")
    wrong, happened = 0, Counter[str]()
    for seed in [asked.seed] if asked.seed is not None else range(asked.first, asked.end):
        found = breaches(seed, parts, happened)
        wrong += bool(found)
        for breach in found:
            sys.stdout.write(f"seed {seed}: {breach}\n")
    sys.stdout.write(f"{wrong} went wrong; faults: {dict(happened.most_common())}\n")
    return min(wrong, 100)


if __name__ == "__main__":
    sys.exit(main())
