"""The service desk decides a call and records it in one transaction, once, however often the call is repeated."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from adapters.eventstore.base import BaseLedger
from adapters.eventstore.errors import AlreadyRecorded, IdempotencyKeyReused, VersionConflict
from adapters.eventstore.rows import CommandReceipt
from adapters.eventstore.unit import Committed, Idempotency, NewEvent, UnitOfWork
from api.access import Principal, Role, require
from api.services.service import Answer, Call, Decision, EventShown, InputIncomplete, Service
from domain.kernel import Cause, Recorded, Refused, decider_name
from domain.ports import Candidates
from domain.stated_days import require_not_soft_closed

ATTEMPTS_MAX: Final = 10
BACKOFF_SECONDS: Final = 0.01
KEY_CHARACTERS_MAX: Final = 200
EVENTS_SHOWN_MAX: Final = 200
READ_MODELS_SECONDS_MAX: Final = 10.0


class ReadModelsBehind(Refused):
    """The read models have not caught up with the ledger in time."""

    code = "read_model.behind"
    fix = "Try again in a moment; p2c systems and /health/ready tell how far they are behind."


class Follower(Protocol):
    """The live read models, as somebody who waits for them sees them."""

    def wait_for(self, position: int, timeout_seconds: float) -> object | None:
        """Waits until they have read up to a position, no longer than the timeout; None when they have not."""
        ...


class Desk:
    """Runs services; blocking, to be called from a thread."""

    def __init__(
        self,
        ledger: BaseLedger,
        candidates: Candidates,
        follower: Follower,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait_seconds_max: float = READ_MODELS_SECONDS_MAX,
    ) -> None:
        self._ledger = ledger
        self._candidates = candidates
        self._follower = follower
        self._clock = clock
        self._wait_seconds_max = wait_seconds_max
        self._random = random.Random()  # noqa: S311 - spreads retries, hides nothing

    def run(
        self, service: Service[Any], asked: Any, principal: Principal | None, key: str, *, dry_run: bool = False
    ) -> Answer:
        """What becomes of a call; raises Refused when it is not allowed, and then nothing is recorded."""
        who, dry_run = require(principal, service.name), dry_run or service.records_nothing
        if not 0 < len(key.strip()) <= KEY_CHARACTERS_MAX:
            raise InputIncomplete(f"idempotencyKey has 1 to {KEY_CHARACTERS_MAX} characters.")
        said = {"service": service.name, "input": asdict(asked)}
        idempotency = Idempotency.of(f"service/{who.subject}/{key}", said)
        for attempt in range(ATTEMPTS_MAX):
            if not dry_run and (answer := self._earlier(idempotency, service)):
                return answer
            if service.asks_candidates:
                self._catch_up()
            unit, decision = self._decide(service, asked, who, key)
            if dry_run:
                return self._preview(unit, decision)
            unit.answer(_receipt(unit, decision, idempotency, who))
            try:
                return self._done(unit, decision, self._ledger.commit(unit))
            except (VersionConflict, AlreadyRecorded) as conflict:
                lost_race = isinstance(conflict, VersionConflict) or conflict.constraint == "command_receipt_pkey"
                if not lost_race or attempt == ATTEMPTS_MAX - 1:
                    raise
            time.sleep(self._random.uniform(0, BACKOFF_SECONDS * 2**attempt))
        raise AssertionError("every attempt returns or raises")

    def _decide(self, service: Service[Any], asked: Any, who: Principal, key: str) -> tuple[UnitOfWork, Decision]:
        unit = self._ledger.unit()
        now = self._clock()
        decision = service.decide(asked, Call(who, now, key, unit.state, self._candidates))
        cause = Cause(actor=who.actor, correlation_id=f"request:{uuid.uuid4()}", occurred_at=now)
        unit.prefetch(addressed.stream for addressed in decision.commands)
        for addressed in decision.commands:
            unit.decide(addressed, cause)
        if Role.FINANCE_APPROVER not in who.roles:
            for each in unit.new:
                require_not_soft_closed(each.stream, each.event, unit.state)
        return unit, decision

    def _catch_up(self) -> None:
        if self._follower.wait_for(self._ledger.head(), self._wait_seconds_max) is None:
            raise ReadModelsBehind

    def _earlier(self, idempotency: Idempotency, service: Service[Any]) -> Answer | None:
        """The answer that the same request got before."""
        receipt = self._ledger.command_receipt(idempotency.key)
        if receipt is None:
            return None
        if receipt.payload_sha256 != idempotency.payload_sha256:
            raise IdempotencyKeyReused(idempotency.key.rpartition("/")[2])
        events = self._ledger.events(receipt.events)
        about = [stream for stream in receipt.versions if decider_name(stream) in service.kinds]
        states = {stream: loaded.state for stream, loaded in self._ledger.load(about).items()}
        position = events[-1].position if events else self._ledger.head()
        return Answer(position, self._shown(events), states, repeated=True)

    def _preview(self, unit: UnitOfWork, decision: Decision) -> Answer:
        states = {stream: unit.state(stream) for stream in decision.about}
        return Answer(self._ledger.head(), self._shown(unit.new), states, decision.left_out, dry_run=True)

    def _done(self, unit: UnitOfWork, decision: Decision, done: Committed) -> Answer:
        states = {stream: unit.state(stream) for stream in decision.about}
        position = done.last if done.last is not None else self._ledger.head()
        return Answer(position, self._shown(unit.new), states, decision.left_out)

    def _shown(self, events: list[NewEvent] | list[Recorded[Any]]) -> tuple[EventShown, ...]:
        """The first events, with their content in its published form."""
        return tuple(
            EventShown(each.id, each.stream, each.version, each.name, self._content(each))
            for each in events[:EVENTS_SHOWN_MAX]
        )

    def _content(self, event: NewEvent | Recorded[Any]) -> dict[str, Any]:
        if isinstance(event, NewEvent):
            encoded = event.encoded
        else:
            _, encoded = self._ledger.codec.encode(event.event, event.cause)
        content: dict[str, Any] = json.loads(encoded)["e"]
        return content


def _receipt(unit: UnitOfWork, decision: Decision, idempotency: Idempotency, who: Principal) -> CommandReceipt:
    """The answer that is kept; it names what the request was about even when there was nothing to record."""
    changed = {stream: loaded.version for stream, loaded in unit.changed().items()}
    versions = {stream: unit.version(stream) for stream in decision.about} | changed
    events = tuple(event.id for event in unit.new)
    return CommandReceipt(idempotency.key, who.actor, idempotency.payload_sha256, versions, events)
