"""What goes wrong on the way: late and overtaking messages, repetitions in every shape, and messages that are wrong.

None of it changes what is true: a repetition tells the same fact, a wrong message tells none.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

import orjson

from adapters.simulation.atlassian import tempo_row
from adapters.simulation.facts import BillingRun, Fact, HoursTold
from adapters.simulation.message import Item, Message, message
from adapters.simulation.names import digest, uuid_of

Event = tuple[Fact | None, list[Message]]

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
    rng = Random(f"{seed}/faults")
    waiting: list[tuple[datetime, int, Message]] = []
    count = 0
    for item in items:
        now = item.at if isinstance(item, Message) else None
        while waiting and now is not None and waiting[0][0] <= now:
            yield heapq.heappop(waiting)[2]
        if isinstance(item, BillingRun):
            yield item
            continue
        for delivery in _deliveries(rng, item, faults, count):
            count += 1
            if delivery.at <= item.at:
                yield delivery
            else:
                heapq.heappush(waiting, (delivery.at, count, delivery))
    while waiting:
        yield heapq.heappop(waiting)[2]


def _deliveries(rng: Random, original: Message, faults: Faults, count: int) -> Iterator[Message]:
    """How one message arrives: once or twice, maybe late, maybe in an envelope, maybe followed by nonsense."""
    first = original
    if original.system in _UNORDERED:
        first = replace(original, at=original.at + _delay(rng, faults))
    if rng.random() < faults.enveloped:
        first = in_envelope(first)
    yield first
    if rng.random() < faults.repeated:
        yield repeated(rng, original)
    if faults.bad_each and count % faults.bad_each == faults.bad_each - 1:
        yield from _bad(rng, original, count // faults.bad_each)


def _delay(rng: Random, faults: Faults) -> timedelta:
    lot = rng.random()
    if lot < faults.late:
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


def _bad(rng: Random, near: Message, kind: int) -> Iterator[Message]:
    """A message that the ledger must not believe, made in the likeness of one nearby."""
    at = near.at
    makers = (_malformed, _thirty_hours, _unknown_worker, _unknown_currency, _future_version, _same_id_other_hours)
    made = makers[kind % len(makers)](rng, near, at)
    if made is not None:
        yield made


def _malformed(_rng: Random, _near: Message, at: datetime) -> Message:
    payload = b'{"timestamp": 1767605400000, "webhookEvent": "worklog_created", "worklog": {"id": "77'
    key = f"jira:worklog:malformed-{at.isoformat()}"
    return Message(at, "p2c.in.jira.worklog.created", payload, key, fault="malformed")


def _thirty_hours(rng: Random, near: Message, at: datetime) -> Message | None:
    return _spoilt_worklog(rng, near, at, "thirty hours", {"timeSpentSeconds": 108_000, "timeSpent": "30h"})


def _unknown_worker(rng: Random, near: Message, at: datetime) -> Message | None:
    author = {"accountId": digest("stranger", at.isoformat())[:24], "timeZone": "Europe/Madrid", "active": True}
    return _spoilt_worklog(rng, near, at, "unknown worker", {"author": author, "updateAuthor": author})


def _spoilt_worklog(
    rng: Random, near: Message, at: datetime, fault: str, changes: dict[str, Any]
) -> Message | None:
    fact = near.fact
    if near.system != "jira" or not isinstance(fact, HoursTold):
        return None
    body = orjson.loads(near.payload)
    number = str(900_000_000 + rng.randint(1, 9_999_999))
    body["worklog"] |= {**changes, "id": number}
    body["webhookEvent"] = "worklog_created"
    spoilt = message(fact, "jira", "worklog", "created", body, {"x-atlassian-webhook-identifier": uuid_of(number)})
    return replace(spoilt, at=at, fact=None, fault=fault)


def _unknown_currency(_rng: Random, _near: Message, at: datetime) -> Message:
    row = {"row": "typing error", "rate": {"amount": "150", "currency": "EUX"}, "effective_from": f"{at:%Y-%m-%d}"}
    name = "rate_card.set_rate.v1"
    return _spoilt_command(at, name, "rate_card:firm:FIRM", {"row": row}, "unknown currency")


def _future_version(_rng: Random, _near: Message, at: datetime) -> Message:
    data = {"base": "EUR", "quote": "USD", "on": f"{at:%Y-%m-%d}", "rate": "1.1", "source": "ECB", "bid": "1.0"}
    return _spoilt_command(at, "fx_rate.publish.v9", "fx_rate:EUR:USD", data, "future version")


def _spoilt_command(at: datetime, name: str, stream: str, data: dict[str, Any], fault: str) -> Message:
    key = f"{fault}/{at.isoformat()}"
    body = {"command": name, "stream": stream, "id": key, "occurred_at": at.isoformat(), "data": data}
    decider, verb, _ = name.split(".")
    return Message(at, f"p2c.in.canonical.{decider}.{verb}", orjson.dumps(body), f"canonical:{key}", fault=fault)


def _same_id_other_hours(_rng: Random, near: Message, at: datetime) -> Message | None:
    """A webhook that carries the identifier of another one, as a careless proxy would send it."""
    if near.system != "jira" or not isinstance(near.fact, HoursTold):
        return None
    body = orjson.loads(near.payload)
    body["worklog"]["timeSpentSeconds"] += 3_600
    return replace(
        near, at=at + timedelta(minutes=1), payload=orjson.dumps(body), key=f"{near.key}:other", fact=None, fault="same id"
    )
