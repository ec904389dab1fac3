"""Settled: everything that was told has been decided, acted on, sent out, answered, and can be seen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from adapters.broker import IN, OUT
from adapters.eventstore.unit import Loaded
from adapters.inbox.waiting import awaited
from api.roles.automate import PROCESSES
from domain.kernel import StreamId

INBOX: Final = (IN.name, "ingest")
CONNECTORS: Final = ((OUT.name, "connect-psa"), (OUT.name, "connect-erp"))
NAMES: Final = tuple(each.name for each in PROCESSES)
POLL_SECONDS: Final = 0.05
ROUNDS: Final = 2
"""How often in a row everything has to be found at rest: between two looks something may just have been handed on."""


class NotSettled(Exception):
    """The ledger did not come to rest in time."""


class Books(Protocol):
    """The part of the ledger that says how far everything is."""

    def head(self) -> int: ...

    def tracked(self, name: str) -> int: ...

    def unrelayed(self, limit: int, target: str | None = None) -> Sequence[object]: ...

    def waiting(self) -> Sequence[str]: ...

    def load(self, streams: Iterable[StreamId]) -> Mapping[StreamId, Loaded]: ...


@dataclass(slots=True)
class Rest:
    """Looks at every part of a running ledger; ``read_position`` is how far the read models are."""

    books: Books
    broker: JetStreamContext
    read_position: Callable[[], int | None]
    _waits_for: str = field(default="", init=False)

    async def wait(self, seconds_max: float, on_pending: Callable[[int], None] | None = None) -> int:
        """The position at which everything is at rest; raises NotSettled and names what was not.

        ``on_pending`` hears how many messages the inbox still has before it.
        """
        deadline, quiet, before = time.monotonic() + seconds_max, 0, -1
        while quiet < ROUNDS:
            position = await self._at_rest(on_pending)
            quiet = quiet + 1 if position is not None and position == before else int(position is not None)
            before = -1 if position is None else position
            if time.monotonic() > deadline:
                raise NotSettled(f"after {seconds_max:.0f} s the ledger still waits for {self._waits_for}")
            if quiet < ROUNDS:
                await asyncio.sleep(POLL_SECONDS)
        return before

    async def _at_rest(self, on_pending: Callable[[int], None] | None) -> int | None:
        pending = await self._pending(*INBOX)
        if on_pending is not None:
            on_pending(pending)
        self._waits_for = f"the inbox, which has {pending} messages before it" if pending else ""
        if pending:
            return None
        position, self._waits_for = await asyncio.to_thread(self._behind)
        for stream, consumer in CONNECTORS:
            if not self._waits_for and await self._pending(stream, consumer):
                self._waits_for = consumer
        return None if self._waits_for else position

    def _behind(self) -> tuple[int, str]:
        """The head of the log, and who has not come so far; blocking."""
        head = self.books.head()
        for process in NAMES:
            if self.books.tracked(process) < head:
                return head, f"the process {process}"
        if self.books.unrelayed(1):
            return head, "the outbox"
        if thing := self._arrived():
            return head, f"the messages that waited for {thing}"
        read = self.read_position()
        return head, "" if read is not None and read >= head else "the read models"

    def _arrived(self) -> str | None:
        """Something that messages waited for and that is here: they go on at the next look of the inbox."""
        things = [awaited(name) for name in self.books.waiting()]
        states = self.books.load(thing.stream for thing in things)
        return next((thing.key for thing in things if thing.is_here(states[thing.stream])), None)

    async def _pending(self, stream: str, consumer: str) -> int:
        """What a consumer has not finished; a consumer that does not exist yet has everything before it."""
        try:
            info = await self.broker.consumer_info(stream, consumer)
        except NotFoundError:
            return 1
        return (info.num_pending or 0) + (info.num_ack_pending or 0)
