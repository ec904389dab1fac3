"""The worker carries batches from the broker to the inbox, and answers the broker when they are recorded.

While a batch is decided in a thread, the next one arrives and the last one is acknowledged. A database that does not
answer costs time and nothing else: the batch is kept, the broker is told so, and the same work is done again.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import structlog

from adapters.broker import BrokerUnreachable, Consumer, ConsumerPlan, Delivery
from adapters.eventstore.errors import LogError
from adapters.inbox.inbox import BATCH_MAX, Contended, Inbox, Prepared, Reply

CONSUMER: Final = ConsumerPlan("P2C_IN", "ingest", ("p2c.in.>",))
FETCH_SECONDS: Final = 0.25
TICK_SECONDS_IDLE: Final = 0.25
TICK_SECONDS_BUSY: Final = 1.0
TICK_SHARE_MAX: Final = 0.1
"""Looking in vain for what can go on takes at most this share of the time."""

KEEP_ALIVE_SECONDS: Final = CONSUMER.ack_wait_seconds / 3
BACKOFF_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
NAK_SECONDS: Final = 1.0
REPORT_SECONDS: Final = 10.0

Result = TypeVar("Result")
InThread = Callable[..., Awaitable[Any]]

log = structlog.get_logger("inbox")


class Stopped(Exception):
    """The worker was told to stop before its work could be recorded; the broker will deliver it again."""


async def inline(work: Callable[..., Result], *arguments: Any) -> Result:
    """Do the work here and now: for simulations, in which nothing happens at the same time."""
    return work(*arguments)


@dataclass(frozen=True, slots=True)
class _InFlight:
    """A batch that is being committed."""

    prepared: Prepared
    committing: asyncio.Future[bool]

    @property
    def deliveries(self) -> list[Delivery]:
        return [reply.delivery for reply in self.prepared.replies]


class Worker:
    """One worker of the inbox; several may share the durable consumer."""

    def __init__(
        self,
        inbox: Inbox,
        consumer: Consumer,
        *,
        stop: threading.Event | None = None,
        in_thread: InThread = asyncio.to_thread,
        batch_max: int = BATCH_MAX,
    ) -> None:
        self._inbox = inbox
        self._consumer = consumer
        self._stop = stop if stop is not None else threading.Event()
        self._in_thread = in_thread
        self._batch_max = batch_max
        self._in_flight: _InFlight | None = None
        self._answering: asyncio.Task[None] | None = None
        self._idle_tick = self._busy_tick = 0.0
        self._processed = self._reported = 0
        self._report_at = time.monotonic() + REPORT_SECONDS

    async def run(self) -> None:
        """Work until told to stop; what was recorded is acknowledged before this returns."""
        try:
            while not self._stop.is_set():
                await self.step(FETCH_SECONDS)
                self._report()
            await self.finish()
        except Stopped:
            log.info("stopped with unrecorded messages; they are delivered again")
        finally:
            await self._answered()
            await self._consumer.close()

    async def drain(self) -> int:
        """Work until the broker has nothing more to deliver; returns how many messages were delivered."""
        before = self._processed
        while await self.step(0.0):
            pass
        await self.finish()
        return self._processed - before

    async def step(self, fetch_seconds: float = 0.0) -> int:
        """One batch, if there is one, and a look at what was waiting; returns how many messages were delivered."""
        deliveries = await self._consumer.fetch(self._batch_max, 0.0 if self._in_flight else fetch_seconds)
        if not deliveries:
            await self.finish()
        else:
            await self._take(deliveries)
            self._processed += len(deliveries)
        if time.monotonic() >= (self._busy_tick if deliveries else self._idle_tick):
            await self.tick()
        return len(deliveries)

    async def tick(self) -> int:
        """Drive again what can go on by now; returns how many messages were driven."""
        await self._settled()
        began = time.monotonic()
        driven: int = await self._patiently((), self._inbox.tick)
        rest = 0.0 if driven else (time.monotonic() - began) / TICK_SHARE_MAX
        self._idle_tick, self._busy_tick = began + max(TICK_SECONDS_IDLE, rest), began + max(TICK_SECONDS_BUSY, rest)
        return driven

    async def finish(self) -> None:
        """Wait until what was delivered is recorded, what it awoke is driven, and the broker knows."""
        await self._settled()
        await self._answered()

    # -- the ledger --------------------------------------------------------------------------------------------------

    async def _take(self, deliveries: Sequence[Delivery]) -> None:
        """Decide a batch while the one before it is committed, then let it be committed itself."""
        behind = self._in_flight
        try:
            prepared: Prepared | None = await self._in_thread(
                self._inbox.prepare, deliveries, behind.prepared if behind else None
            )
        except Exception as problem:  # noqa: BLE001 -- process finds out which message is to blame, if any is
            log.warning("deciding again", problem=repr(problem), messages=len(deliveries))
            prepared = None
        is_sound = await self._settled() and prepared is not None
        if is_sound and prepared is not None:
            committing = asyncio.ensure_future(self._in_thread(self._inbox.commit, prepared))
            self._in_flight = _InFlight(prepared, committing)
        else:
            replies: list[Reply] = await self._patiently(deliveries, self._inbox.process, deliveries)
            await self._answer_soon(replies)

    async def _settled(self) -> bool:
        """Whether the batch in flight was recorded as it was decided; if not, it is recorded now by other means."""
        flight, self._in_flight = self._in_flight, None
        if flight is None:
            return True
        keeping = asyncio.create_task(self._keep_alive(flight.deliveries))
        try:
            is_recorded = await flight.committing
        except LogError as problem:
            log.warning("it is not known whether a batch was recorded", problem=repr(problem))
            is_recorded = False
        finally:
            keeping.cancel()
        if not is_recorded:
            await self._patiently(flight.deliveries, self._inbox.record, flight.prepared.mails)
        await self._answer_soon(flight.prepared.replies)
        if not self._inbox.has_arrived:
            return is_recorded
        await self._patiently((), self._inbox.wake)
        return False  # what was woken may have changed the streams that the next batch was decided on

    async def _patiently(self, deliveries: Sequence[Delivery], work: Callable[..., Result], *arguments: Any) -> Result:
        """Do the work, and do it again for as long as the database is away or others are in the way."""
        attempt = 0
        while True:
            keeping = asyncio.create_task(self._keep_alive(deliveries))
            try:
                result: Result = await self._in_thread(work, *arguments)
            except (LogError, Contended) as problem:
                log.warning("the work waits", problem=repr(problem), messages=len(deliveries), attempt=attempt + 1)
            else:
                return result
            finally:
                keeping.cancel()
            await self._wait(BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS) - 1)], deliveries)
            attempt += 1

    # -- the broker --------------------------------------------------------------------------------------------------

    async def _answer_soon(self, replies: Sequence[Reply]) -> None:
        """Answer the broker while other work goes on; never more than one round of answers at a time."""
        await self._answered()
        self._answering = asyncio.create_task(self._answer(replies))

    async def _answer(self, replies: Sequence[Reply]) -> None:
        try:
            for reply in replies:
                if reply.reason is not None:
                    await self._consumer.term(reply.delivery, reply.reason)
            await self._consumer.ack([reply.delivery for reply in replies if reply.reason is None])
        except BrokerUnreachable as problem:
            # What is recorded stays recorded; the broker will deliver it again, and it is counted as repeated.
            log.warning("acknowledgement lost", problem=str(problem))

    async def _answered(self) -> None:
        if self._answering is not None:
            await self._answering
            self._answering = None

    async def _wait(self, seconds: float, deliveries: Sequence[Delivery]) -> None:
        await self._in_progress(deliveries)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._stop.is_set():
                await self._give_back(deliveries)
                raise Stopped
            await asyncio.sleep(min(0.1, seconds))

    async def _keep_alive(self, deliveries: Sequence[Delivery]) -> None:
        while True:
            await asyncio.sleep(KEEP_ALIVE_SECONDS)
            await self._in_progress(deliveries)

    async def _in_progress(self, deliveries: Sequence[Delivery]) -> None:
        try:
            await self._consumer.in_progress(deliveries)
        except BrokerUnreachable as problem:
            log.warning("the broker does not hear that work goes on", problem=str(problem))

    async def _give_back(self, deliveries: Sequence[Delivery]) -> None:
        try:
            for delivery in deliveries:
                await self._consumer.nak(delivery, NAK_SECONDS)
        except BrokerUnreachable as problem:
            log.warning("the broker delivers again after its own time", problem=str(problem))

    def _report(self) -> None:
        now = time.monotonic()
        if now >= self._report_at:
            if self._processed > self._reported:
                log.info("messages recorded", messages=self._processed - self._reported, seconds=REPORT_SECONDS)
            self._reported, self._report_at = self._processed, now + REPORT_SECONDS
