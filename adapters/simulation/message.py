"""A message of the sample firm: what a vendor's system puts on the wire, and the fact in the world behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from adapters.simulation.facts import BillingRun, Fact
from adapters.simulation.names import digest


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery: when, on which subject, with which headers and bytes.

    ``key`` is the broker's own id for it. ``fact`` is what it tells, None if it tells nothing that is true; ``fault``
    says what is wrong with it, None for a message in order.
    """

    at: datetime
    subject: str
    payload: bytes
    key: str
    headers: Mapping[str, str] = field(default_factory=dict)
    fact: Fact | None = None
    fault: str | None = None

    @property
    def system(self) -> str:
        """Who speaks: the third word of the subject."""
        return self.subject.split(".")[2]


Item = Message | BillingRun
"""What a stream of the firm consists of."""


def message(
    fact: Fact, system: str, thing: str, verb: str, body: Mapping[str, Any], *, headers: Mapping[str, str] | None = None
) -> Message:
    """A fact as one system words it."""
    payload = orjson.dumps(body)
    key = f"{system}:{thing}:{digest(payload.decode())[:24]}"
    return Message(fact.said_at, f"p2c.in.{system}.{thing}.{verb}", payload, key, headers or {}, fact)


def as_line(message: Message) -> bytes:
    """A message as one line of a file: subject, headers and, as text, the payload exactly as it is sent."""
    line = {
        "subject": message.subject,
        "headers": {**message.headers, "Nats-Msg-Id": message.key},
        "payload": message.payload.decode("utf-8", "replace"),
    }
    return orjson.dumps(line)
