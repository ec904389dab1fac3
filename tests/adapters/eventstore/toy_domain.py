"""A toy domain for the tests of the log: an account that may not be overdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any, assert_never

from adapters.eventstore.rows import Fate, ReceivedMessage
from domain.kernel import Addressed, Cause, Decider, Refused, StreamId, stream_of


@dataclass(frozen=True, slots=True)
class Opened:
    owner: str
    on: date


@dataclass(frozen=True, slots=True)
class Paid:
    amount: Decimal
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Open:
    owner: str
    on: date = date(2026, 3, 2)


@dataclass(frozen=True, slots=True)
class Pay:
    amount: Decimal
    times: int = 1


@dataclass(frozen=True, slots=True)
class Draw:
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Account:
    owner: str | None = None
    balance: Decimal = Decimal(0)


class Overdrawn(Refused):
    """An account holds what was paid in, and no more can be drawn."""

    code = "account.overdrawn"


Event = Opened | Paid | Drawn
Command = Open | Pay | Draw


def decide(command: Command, state: Account) -> Sequence[Event]:
    match command:
        case Open(owner, on):
            return [] if state.owner == owner else [Opened(owner, on)]
        case Pay(amount, times):
            return [Paid(amount)] * times
        case Draw(amount):
            if amount > state.balance:
                raise Overdrawn(f"{amount} of {state.balance}")
            return [Drawn(amount)]
        case _:
            assert_never(command)


def evolve(state: Account, event: Event) -> Account:
    match event:
        case Opened(owner, _):
            return Account(owner, state.balance)
        case Paid(amount, _):
            return Account(state.owner, state.balance + amount)
        case Drawn(amount):
            return Account(state.owner, state.balance - amount)
        case _:
            assert_never(event)


EVENTS: dict[str, type] = {"account.opened.v1": Opened, "account.paid.v1": Paid, "account.drawn.v1": Drawn}
DECIDERS: dict[str, Decider[Any, Any, Any]] = {"account": Decider("account", Account(), decide, evolve)}
CAUSE = Cause("user:anna", "request-1", occurred_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC))

A, B, C = (stream_of("account", name) for name in "ABC")


def pay(stream: StreamId, amount: str | int = 1, times: int = 1) -> Addressed:
    return Addressed(stream, Pay(Decimal(amount), times))


def draw(stream: StreamId, amount: str | int) -> Addressed:
    return Addressed(stream, Draw(Decimal(amount)))


def received(name: str, fate: Fate = "recorded", payload: bytes = b"{}", **more: Any) -> ReceivedMessage:
    digest = sha256(payload).digest()
    values: dict[str, Any] = {
        "message_id": ReceivedMessage.id_for("jira", name),
        "system": "jira",
        "subject": "p2c.in.jira.worklog.created",
        "business_message_id": name,
        "payload_sha256": digest,
        "headers": {"Nats-Msg-Id": name},
        "payload": payload,
        "received_at": datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
        "broker_sequence": 7,
        "fate": fate,
    }
    return ReceivedMessage(**{**values, **more})
