"""Steps for tests of jobs."""

import os
import signal

from adapters.settings import Settings
from api.running.supervisor import Progress


def counting(_settings: Settings, progress: Progress) -> list[tuple[str, int]]:
    for done in range(1, 4):
        progress(done, 3, "messages")
    return [("counted", 3)]


def failing(_settings: Settings, _progress: Progress) -> None:
    raise ValueError("the sample firm has no consultants")


def dying(_settings: Settings, _progress: Progress) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
