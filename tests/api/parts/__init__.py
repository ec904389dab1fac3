"""Small roles for tests of the supervisor; each writes what happens to it into its home, one word a line."""

from __future__ import annotations

import os
import time
from pathlib import Path

from adapters.settings import Settings


def note(settings: Settings, role: str, word: str) -> None:
    with (settings.home / f"{role}.notes").open("a") as file:
        file.write(f"{word} {os.getpid()}\n")


def notes(home: Path, role: str, word: str) -> list[int]:
    """The processes that have written a word."""
    path = home / f"{role}.notes"
    lines = path.read_text().splitlines() if path.exists() else []
    return [int(line.split()[1]) for line in lines if line.split()[0] == word]


def noted(home: Path, role: str, word: str, times: int = 1, seconds_max: float = 60) -> list[int]:
    """Wait until a word was written so often."""
    deadline = time.monotonic() + seconds_max
    while len(found := notes(home, role, word)) < times:
        assert time.monotonic() < deadline, f"{role} has not noted {word!r} {times} times"
        time.sleep(0.01)
    return found
