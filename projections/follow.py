"""The log as the read models see it: facts in the order in which they were recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Protocol

from domain.kernel import Recorded, StreamId


class Log(Protocol):
    """What a read model needs of the event log; positions rise and may have gaps."""

    def read(self, after: int, limit: int, until: int | None = None) -> list[Recorded[Any]]:
        """The facts behind a position, the oldest first."""
        ...

    def history(
        self,
        stream: StreamId,
        after: int = 0,
        until_position: int | None = None,
        until_recorded_at: datetime | None = None,
    ) -> list[Recorded[Any]]:
        """The facts of one stream behind a version, up to a position or a recorded time."""
        ...

    def events(self, ids: Iterable[str]) -> list[Recorded[Any]]:
        """The facts with these ids (``stream@version``)."""
        ...

    def head(self) -> int:
        """The newest position, 0 while nothing was recorded."""
        ...

    def position_at(self, recorded_at: datetime) -> int:
        """The newest position that was recorded at or before a time."""
        ...

    def wait_for_events(self, after: int, timeout_seconds: float) -> bool:
        """Whether something was recorded behind a position, after waiting for it no longer than the timeout."""
        ...


def batches(log: Log, after: int, until: int, limit: int) -> Iterator[list[Recorded[Any]]]:
    """All facts from one position to another, in batches; the next one is read while the last is worked on."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as reader:
        coming = reader.submit(log.read, after, limit, until)
        while facts := coming.result():
            coming = reader.submit(log.read, facts[-1].position, limit, until)
            yield facts
