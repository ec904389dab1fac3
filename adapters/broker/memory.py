"""The broker in memory: the same promises without a server, for simulation and fast tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from adapters.broker import (
    BrokerRefused,
    ConsumerPlan,
    Delivery,
    Outgoing,
    PayloadTooLarge,
    Published,
    StreamPlan,
    is_subject,
    matches,
)

PAYLOAD_BYTES_MAX = 1024 * 1024
_LOOK_SECONDS = 0.05


@dataclass(slots=True)
class _Stream:
    plan: StreamPlan
    messages: list[Delivery] = field(default_factory=list)
    ids: dict[str, tuple[int, float]] = field(default_factory=dict)


class MemoryBroker:
    """Streams in memory; ``clock`` gives the seconds that acknowledgement and duplicate windows are measured by."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._streams: dict[str, _Stream] = {}
        self._consumers: dict[tuple[str, str], MemoryConsumer] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Nothing is held that must be given back."""

    async def ensure(self, *plans: StreamPlan) -> None:
        for plan in plans:
            known = self._streams.get(plan.name)
            if known is None:
                self._streams[plan.name] = _Stream(plan)
            else:
                known.plan = plan

    async def publish(self, message: Outgoing) -> Published:
        if not is_subject(message.subject):
            raise BrokerRefused(f"not a subject: {message.subject!r}")
        if len(message.payload) > PAYLOAD_BYTES_MAX:
            raise PayloadTooLarge(f"{message.subject}: {len(message.payload)} bytes, at most {PAYLOAD_BYTES_MAX}")
        stream = next((each for each in self._streams.values() if _takes(each.plan, message.subject)), None)
        if stream is None:
            raise BrokerRefused(f"no stream takes {message.subject}")
        published = self._store(stream, message)
        for consumer in self._consumers.values():
            consumer.arrived.set()
        return published

    async def publish_all(self, messages: Iterable[Outgoing], on_progress: Callable[[int], None] | None = None) -> int:
        fresh = 0
        for done, message in enumerate(messages, start=1):
            fresh += not (await self.publish(message)).duplicate
            if on_progress is not None:
                on_progress(done)
        return fresh

    async def consumer(self, plan: ConsumerPlan) -> MemoryConsumer:
        if plan.stream not in self._streams:
            raise BrokerRefused(f"there is no stream {plan.stream}")
        key = (plan.stream, plan.name)
        if key not in self._consumers:
            self._consumers[key] = MemoryConsumer(plan, self._streams[plan.stream].messages, self._clock)
        return self._consumers[key]

    def _store(self, stream: _Stream, message: Outgoing) -> Published:
        now = self._clock()
        if message.message_id is not None:
            known = stream.ids.get(message.message_id)
            if known and now - known[1] < stream.plan.duplicate_window_seconds:
                return Published(known[0], duplicate=True)
        sequence = len(stream.messages) + 1
        if message.message_id is not None:
            stream.ids[message.message_id] = (sequence, now)
        headers = message.all_headers or {}
        stream.messages.append(Delivery(message.subject, headers, message.payload, sequence))
        return Published(sequence, duplicate=False)


def _takes(plan: StreamPlan, subject: str) -> bool:
    return any(matches(pattern, subject) for pattern in plan.subjects)


class MemoryConsumer:
    """A durable reader in memory: what is not acknowledged in time is delivered again."""

    def __init__(self, plan: ConsumerPlan, messages: list[Delivery], clock: Callable[[], float]) -> None:
        self._plan = plan
        self._messages = messages
        self._clock = clock
        self._read_to = 0
        self._due: dict[int, float] = {}
        self._deliveries: dict[int, int] = {}
        self.arrived = asyncio.Event()
        self.terminated: dict[int, str] = {}

    @property
    def unacknowledged(self) -> int:
        """How many messages were delivered and are not settled."""
        return len(self._due)

    @property
    def unread(self) -> int:
        """How many messages of the stream were not looked at yet."""
        return len(self._messages) - self._read_to

    async def fetch(self, limit: int, timeout_seconds: float) -> list[Delivery]:
        deadline = time.monotonic() + timeout_seconds
        while not (found := self._take(limit)) and (left := deadline - time.monotonic()) > 0:
            self.arrived.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.arrived.wait(), min(left, _LOOK_SECONDS))
        return found

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            self._due.pop(delivery.sequence, None)

    async def nak(self, delivery: Delivery, delay_seconds: float) -> None:
        if delivery.sequence in self._due:
            self._due[delivery.sequence] = self._clock() + delay_seconds

    async def term(self, delivery: Delivery, reason: str) -> None:
        if self._due.pop(delivery.sequence, None) is not None:
            self.terminated[delivery.sequence] = reason

    async def in_progress(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            if delivery.sequence in self._due:
                self._due[delivery.sequence] = self._clock() + self._plan.ack_wait_seconds

    async def close(self) -> None:
        """Nothing was fetched ahead."""

    def _take(self, limit: int) -> list[Delivery]:
        now = self._clock()
        again = sorted(sequence for sequence, due in self._due.items() if due <= now)[:limit]
        room = min(limit - len(again), self._plan.ack_pending_max - len(self._due))
        fresh: list[int] = []
        while len(fresh) < room and self._read_to < len(self._messages):
            message = self._messages[self._read_to]
            self._read_to += 1
            if not self._plan.subjects or any(matches(each, message.subject) for each in self._plan.subjects):
                fresh.append(message.sequence)
        for sequence in (*again, *fresh):
            self._due[sequence] = now + self._plan.ack_wait_seconds
            self._deliveries[sequence] = self._deliveries.get(sequence, 0) + 1
        return [self._again(sequence) for sequence in (*again, *fresh)]

    def _again(self, sequence: int) -> Delivery:
        message = self._messages[sequence - 1]
        return message._replace(deliveries=self._deliveries[sequence], token=f"{self._plan.name}:{sequence}")
