from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError

from adapters.eventstore.unit import Loaded
from adapters.inbox.waiting import awaited
from api.sample.settled import CONNECTORS, INBOX, NAMES, NotSettled, Rest
from domain.kernel import StreamId

HEAD = 10


@dataclass
class Ledger:
    """A ledger whose parts have come as far as the test says; every question is noted as one step of time."""

    tracked_to: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, HEAD))
    outbox: int = 0
    heads: list[int] = field(default_factory=lambda: [HEAD])
    parked: dict[str, int] = field(default_factory=dict)
    """What messages wait for, and the version of its stream."""

    def head(self) -> int:
        return self.heads.pop(0) if len(self.heads) > 1 else self.heads[0]

    def tracked(self, name: str) -> int:
        return self.tracked_to[name]

    def unrelayed(self, limit: int, target: str | None = None) -> Sequence[object]:
        return [object()] * min(limit, self.outbox)

    def waiting(self) -> Sequence[str]:
        return list(self.parked)

    def load(self, streams: Iterable[StreamId]) -> Mapping[StreamId, Loaded]:
        versions = {awaited(name).stream: version for name, version in self.parked.items()}
        return {stream: Loaded(None, versions[stream]) for stream in streams}


@dataclass
class Broker:
    """A broker whose consumers have so much before them, in turn."""

    waiting: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    async def consumer_info(self, stream: str, consumer: str) -> ConsumerInfo:
        left = self.waiting.get((stream, consumer), [0])
        pending = left.pop(0) if len(left) > 1 else left[0]
        if pending < 0:
            raise NotFoundError
        told: dict[str, Any] = {"name": consumer, "stream_name": stream, "config": None, "created": None}
        return ConsumerInfo(**told, num_pending=pending, num_ack_pending=0)


def rest(ledger: Ledger, broker: Broker, read: Callable[[], int | None] = lambda: HEAD) -> Rest:
    as_jetstream: Any = broker
    return Rest(ledger, as_jetstream, read)


def settled(resting: Rest, seconds_max: float = 5.0, heard: list[int] | None = None) -> int:
    return asyncio.run(resting.wait(seconds_max, None if heard is None else heard.append))


def test_a_ledger_at_rest_is_settled_at_its_head() -> None:
    assert settled(rest(Ledger(), Broker())) == HEAD


def test_it_waits_while_the_inbox_has_messages_before_it_and_tells_how_many() -> None:
    heard: list[int] = []
    assert settled(rest(Ledger(), Broker({INBOX: [7, 3, 0]})), heard=heard) == HEAD
    assert heard[:3] == [7, 3, 0]


def test_messages_that_wait_for_what_nobody_has_told_of_keep_nothing_from_rest() -> None:
    assert settled(rest(Ledger(parked={"jira:user:u-7": 0}), Broker())) == HEAD


def test_a_head_that_moves_between_two_looks_is_not_rest() -> None:
    ledger = Ledger(heads=[8, 9, HEAD])
    assert settled(rest(ledger, Broker())) == HEAD
    assert ledger.heads == [HEAD]


@pytest.mark.parametrize(
    ("ledger", "broker", "read", "named"),
    [
        (Ledger(), Broker({INBOX: [4]}), HEAD, "4 messages"),
        (Ledger(), Broker({INBOX: [-1]}), HEAD, "the inbox"),
        (Ledger(tracked_to={**dict.fromkeys(NAMES, HEAD), "pricing": 9}), Broker(), HEAD, "pricing"),
        (Ledger(outbox=1), Broker(), HEAD, "the outbox"),
        (Ledger(parked={"jira:user:u-7": 1}), Broker(), HEAD, "waited for jira:user:u-7"),
        (Ledger(), Broker({CONNECTORS[1]: [1]}), HEAD, "connect-erp"),
        (Ledger(), Broker(), HEAD - 1, "the read models"),
        (Ledger(), Broker(), None, "the read models"),
    ],
)
def test_whoever_keeps_it_from_rest_is_named(ledger: Ledger, broker: Broker, read: int | None, named: str) -> None:
    with pytest.raises(NotSettled, match=named):
        settled(rest(ledger, broker, lambda: read), seconds_max=0.1)
