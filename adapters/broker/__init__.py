"""The broker: a buffer of messages between systems, reached through a port that is small enough to have a twin.

What is published is acknowledged by the server before it counts; what is fetched is delivered again until it is
acknowledged. The broker may deliver twice and in any order, so nothing here promises more than "at least once".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, NamedTuple, Protocol, Self

MESSAGE_ID_HEADER: Final = "Nats-Msg-Id"
"""The header by which the broker itself leaves out what was published twice within the duplicate window."""

DAY_SECONDS: Final = 86_400.0


class BrokerUnreachable(Exception):
    """The broker did not answer: whether it has the message is unknown, so publish it again under the same id."""


class BrokerRefused(Exception):
    """The broker answered that it does not take the message or has no such stream or consumer."""


class PayloadTooLarge(BrokerRefused):
    """The message is larger than the broker takes: send it in parts, or raise the server's max_payload."""


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """A stream as it has to be: kept by age, never trimmed or purged, new messages refused when it is full."""

    name: str
    subjects: tuple[str, ...]
    max_age_seconds: float = 30 * DAY_SECONDS
    duplicate_window_seconds: float = 2 * 3600.0
    max_bytes: int = -1
    replicas: int = 1


IN: Final = StreamPlan("P2C_IN", ("p2c.in.>",))
"""Everything that source systems and connectors tell."""

OUT: Final = StreamPlan("P2C_OUT", ("p2c.out.>",))
"""Everything that target systems have to be told."""


@dataclass(frozen=True, slots=True)
class ConsumerPlan:
    """A durable reader of a stream: several workers share it, and each message goes to one of them at a time.

    A message that is not acknowledged within ``ack_wait_seconds`` is delivered again, without limit. One with
    ``idle_seconds_max`` is for a single task: the broker forgets it when nobody has read for so long.
    """

    stream: str
    name: str
    subjects: tuple[str, ...] = ()
    ack_wait_seconds: float = 60.0
    ack_pending_max: int = 1000
    idle_seconds_max: float | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish; the same ``message_id`` again within the duplicate window is left out by the broker."""

    subject: str
    payload: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    message_id: str | None = None

    @property
    def all_headers(self) -> dict[str, str] | None:
        """The headers as they are sent."""
        if self.message_id is None:
            return dict(self.headers) or None
        return {**self.headers, MESSAGE_ID_HEADER: self.message_id}


@dataclass(frozen=True, slots=True)
class Published:
    """The broker has the message: its place in the stream, and whether it was there before."""

    sequence: int
    duplicate: bool


class Delivery(NamedTuple):
    """A message as it was delivered: its place in the stream, how often it came, and what to answer to."""

    subject: str
    headers: Mapping[str, str]
    payload: bytes
    sequence: int
    deliveries: int = 1
    token: str = ""


class Consumer(Protocol):
    """A durable reader of a stream."""

    async def fetch(self, limit: int, timeout_seconds: float) -> list[Delivery]:
        """What is there, at most ``limit``; waits for a first message no longer than the timeout."""
        ...

    async def ack(self, deliveries: Sequence[Delivery]) -> None:
        """These are done. Returns when the broker knows; what it does not learn is delivered again."""
        ...

    async def nak(self, delivery: Delivery, delay_seconds: float) -> None:
        """Deliver this again after a while."""
        ...

    async def term(self, delivery: Delivery, reason: str) -> None:
        """Never deliver this again; the reason is in the broker's advisories."""
        ...

    async def in_progress(self, deliveries: Sequence[Delivery]) -> None:
        """These are still being worked on: start their time anew."""
        ...

    async def close(self) -> None:
        """Give back what was fetched ahead."""
        ...


class Broker(Protocol):
    """Streams, publishing with acknowledgement, and durable readers."""

    async def ensure(self, *plans: StreamPlan) -> None:
        """The streams exist as planned."""
        ...

    async def publish(self, message: Outgoing) -> Published:
        """Publish and wait for the acknowledgement; a message without one is repeated under its id."""
        ...

    async def publish_all(self, messages: Iterable[Outgoing], on_progress: Callable[[int], None] | None = None) -> int:
        """Publish many, in order and several in flight; returns how many the broker did not have before."""
        ...

    async def consumer(self, plan: ConsumerPlan) -> Consumer:
        """A durable reader, made if it does not exist."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


_TOKEN: Final = re.compile(r"[^\s.*>\x00-\x1f]+")


def is_subject(subject: str) -> bool:
    """Whether a text is a subject that a message can be published on: dotted words without wildcards or blanks."""
    return bool(subject) and all(_TOKEN.fullmatch(part) for part in subject.split("."))


def matches(pattern: str, subject: str) -> bool:
    """Whether a subject falls under a pattern: ``*`` is one word, a last ``>`` is one or more."""
    wanted, words = pattern.split("."), subject.split(".")
    for place, part in enumerate(wanted):
        if part == ">":
            return len(words) > place
        if place >= len(words) or part not in ("*", words[place]):
            return False
    return len(wanted) == len(words)
