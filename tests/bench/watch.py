"""Shows how far a run is: a bar on a terminal, a line now and then where the output goes to a file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from tests.bench.rounds import Progress

_LINE_SECONDS: Final = 10.0


@contextmanager
def watched(console: Console) -> Iterator[Progress]:
    """What the parts report to."""
    if not console.is_terminal:
        yield _in_lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("benchmarks", total=None)

        def report(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=escape(what))

        yield report


def _in_lines(console: Console) -> Progress:
    shown = [float("-inf")]

    def report(done: int, total: int, what: str) -> None:
        if time.monotonic() - shown[0] >= _LINE_SECONDS or done == total:
            shown[0] = time.monotonic()
            console.print(f"{what}: {done} of {total}", markup=False, highlight=False)

    return report
