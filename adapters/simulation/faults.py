"""What goes wrong on the way: late and overtaking messages, repetitions in every shape, and messages that are wrong.

None of it changes what is true: a repetition tells the same fact, a wrong message tells none.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

import orjson

from adapters.simulation.atlassian import tempo_row
from adapters.simulation.facts import BillingRun, HoursDeleted, HoursTold
from adapters.simulation.message import Item, Message, message
from adapters.simulation.names import digest, uuid_of

_UNORDERED: Final = frozenset({"jira", "tempo", "salesforce"})
"""The systems that promise no order."""


@dataclass(frozen=True, slots=True)
class Faults:
    """How often what goes wrong, each as a share of all messages; ``bad_each`` spoils one message in so many."""

    late: float = 0.01
    overtaken: float = 0.03
    repeated: float = 0.025
    enveloped: float = 0.04
    bad_each: int = 900


NONE = Faults(late=0, overtaken=0, repeated=0, enveloped=0, bad_each=0)
"""A world in which nothing goes wrong."""


def with_faults(items: Iterable[Item], faults: Faults, seed: int) -> Iterator[Item]:
    """The messages in the order in which they are delivered; billing runs stay at their time."""
    way = _Way(Random(f"{seed}/faults"), faults)
    waiting: list[tuple[datetime, int, Message]] = []
    count = 0
    for item in items:
        while waiting and waiting[0][0] <= item.at:
            yield heapq.heappop(waiting)[2]
        if isinstance(item, BillingRun):
            yield item
            continue
        for delivery in way.deliveries(item):
            if delivery.at <= item.at:
                yield delivery
            else:
                count += 1
                heapq.heappush(waiting, (delivery.at, count, delivery))
    while waiting:
        yield heapq.heappop(waiting)[2]


@dataclass(slots=True)
class _Way:
    """The way from the systems to the broker."""

    rng: Random
    faults: Faults
    sent: int = 0
    spoilt: int = 0

    def deliveries(self, original: Message) -> Iterator[Message]:
        """How one message arrives: once or twice, maybe late, maybe in an envelope, maybe followed by nonsense."""
        rng, faults = self.rng, self.faults
        self.sent += 1
        first = replace(original, at=original.at + _delay(rng, original, faults))
        enveloped = rng.random() < faults.enveloped
        yield in_envelope(first) if enveloped else first
        if rng.random() < faults.repeated:
            yield repeated(rng, original)
        if faults.bad_each and not enveloped and self.sent // faults.bad_each > self.spoilt:
            made = _MAKERS[self.spoilt % len(_MAKERS)](rng, first)
            if made is not None:
                self.spoilt += 1
                yield made


def _delay(rng: Random, original: Message, faults: Faults) -> timedelta:
    lot, fact = rng.random(), original.fact
    if original.system not in _UNORDERED:
        return timedelta(0)
    if lot < faults.late and not (isinstance(fact, HoursTold | HoursDeleted) and fact.line.kind == "capped"):
        return timedelta(hours=rng.randint(3, 90))
    if lot < faults.late + faults.overtaken:
        return timedelta(seconds=rng.randint(5, 1_800))
    return timedelta(0)


def repeated(rng: Random, original: Message) -> Message:
    """The same message once more: sent again by its system, in an envelope, or found by polling."""
    at = original.at + timedelta(seconds=rng.randint(1, 7_200))
    again = replace(original, at=at, key=f"{original.key}:again")
    lot = rng.random()
    if lot < 0.6:
        retried = {"x-atlassian-webhook-retry": "1"} if original.system == "jira" else {}
        return replace(again, headers={**original.headers, **retried})
    if lot < 0.8 and isinstance(original.fact, HoursTold) and original.system == "tempo":
        return replace(tempo_row(original.fact), at=at)
    return in_envelope(again)


def in_envelope(original: Message) -> Message:
    """The same message as a gateway wraps it (CloudEvents 1.0, structured)."""
    body = {
        "specversion": "1.0",
        "id": uuid_of("envelope", original.key),
        "source": f"//gateway/{original.system}",
        "type": original.subject.removeprefix("p2c.in."),
        "time": original.at.isoformat(),
        "datacontenttype": "application/json",
        "data": orjson.loads(original.payload),
    }
    return replace(original, payload=orjson.dumps(body), key=f"{original.key}:ce")


def _malformed(_rng: Random, near: Message) -> Message:
    payload = b'{"timestamp": 1767605400000, "webhookEvent": "worklog_created", "worklog": {"id": "77'
    key = f"jira:worklog:malformed-{near.at.isoformat()}"
    return Message(near.at, "p2c.in.jira.worklog.created", payload, key, fault="malformed")


def _thirty_hours(rng: Random, near: Message) -> Message | None:
    return _spoilt_worklog(rng, near, "thirty hours", {"timeSpentSeconds": 108_000, "timeSpent": "30h"})


def _unknown_worker(rng: Random, near: Message) -> Message | None:
    author = {"accountId": digest("stranger", near.key)[:24], "timeZone": "Europe/Madrid", "active": True}
    return _spoilt_worklog(rng, near, "unknown worker", {"author": author, "updateAuthor": author})


def _unknown_task(rng: Random, near: Message) -> Message | None:
    return _spoilt_worklog(rng, near, "unknown task", {"issueId": str(800_000_000 + rng.randint(1, 999_999))})


def _spoilt_worklog(rng: Random, near: Message, fault: str, changes: dict[str, Any]) -> Message | None:
    if near.system != "jira" or not isinstance(near.fact, HoursTold):
        return None
    body = orjson.loads(near.payload)
    number = str(900_000_000 + rng.randint(1, 9_999_999))
    body["worklog"] |= {**changes, "id": number}
    body["webhookEvent"] = "worklog_created"
    headers = {"x-atlassian-webhook-identifier": uuid_of("spoilt", number)}
    spoilt = message(near.fact, "jira", "worklog", "created", body, headers=headers)
    return replace(spoilt, at=near.at, fact=None, fault=fault)


def _same_id_other_hours(_rng: Random, near: Message) -> Message | None:
    """A webhook that carries the identifier of another one, as a careless proxy would send it."""
    if near.system != "jira" or not isinstance(near.fact, HoursTold):
        return None
    body = orjson.loads(near.payload)
    body["worklog"]["timeSpentSeconds"] += 3_600
    at, key = near.at + timedelta(minutes=1), f"{near.key}:other"
    return replace(near, at=at, payload=orjson.dumps(body), key=key, fact=None, fault="same id")


def _unknown_currency(_rng: Random, near: Message) -> Message:
    row = {
        "row": "typing error",
        "rate": {"amount": "150", "currency": "EUX"},
        "effective_from": f"{near.at:%Y-%m-%d}",
    }
    return _spoilt_command(near.at, "rate_card.set_rate.v1", "rate_card:firm:FIRM", {"row": row}, "unknown currency")


def _future_version(_rng: Random, near: Message) -> Message:
    data = {"base": "EUR", "quote": "USD", "on": f"{near.at:%Y-%m-%d}", "rate": "1.1", "source": "ECB", "bid": "1.0"}
    return _spoilt_command(near.at, "fx_rate.publish.v9", "fx_rate:EUR:USD", data, "future version")


def _spoilt_command(at: datetime, name: str, stream: str, data: dict[str, Any], fault: str) -> Message:
    key = f"{fault.replace(' ', '-')}/{at.isoformat()}"
    body = {"command": name, "stream": stream, "id": key, "occurred_at": at.isoformat(), "data": data}
    decider, verb, _ = name.split(".")
    return Message(at, f"p2c.in.canonical.{decider}.{verb}", orjson.dumps(body), f"canonical:{key}", fault=fault)


_MAKERS: tuple[Callable[[Random, Message], Message | None], ...] = (
    _malformed,
    _thirty_hours,
    _unknown_worker,
    _unknown_currency,
    _same_id_other_hours,
    _future_version,
    _unknown_task,
)
"""What makes messages that the ledger must not believe, each in the likeness of one nearby."""
