"""Carries work to one target system, in its order, and reports what became of it.

A target may be down (then its work waits), may answer late (then it is asked again), or may not answer at all (then
nobody knows, and it is looked up until somebody does). Work is put down only when its outcome has been reported, so a
connector that dies leaves nothing undone: the work is delivered again, and looked up first.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog

from adapters.backoff import backoff_seconds
from adapters.broker import Broker, BrokerUnreachable, Consumer, ConsumerPlan, Delivery
from adapters.targets.circuit import Circuit, State
from adapters.targets.reports import KNOWN_TYPES, Doubt, report
from adapters.targets.target import Answer, Declined, Done, Target, TargetDown, TargetSilent, Work

ACK_WAIT_SECONDS: Final = 15.0
IN_HAND_MAX: Final = 64
FETCH_MAX: Final = 16
FETCH_SECONDS: Final = 1.0
LOOK_AGAIN_SECONDS_MIN: Final = 0.05
LOOK_AGAIN_SECONDS_MAX: Final = 2.0
TURN_SECONDS: Final = 0.5
UNKNOWN_SECONDS: Final = 30.0

_log = structlog.get_logger(__name__)


class Turn(Protocol):
    """The right to serve a target, which only one worker has at a time."""

    def is_mine(self) -> bool:
        """Whether we have it, taking it if it is free."""
        ...


@dataclass(slots=True)
class _InHand:
    """The deliveries that are not settled yet, and where they came from."""

    consumer: Consumer
    deliveries: dict[int, Delivery]

    async def settle(self, delivery: Delivery) -> None:
        """This one is done."""
        await self.consumer.ack([delivery])
        self.deliveries.pop(delivery.sequence, None)


class Connector:
    """Serves one target. Calls begin in order, one after the other; what is not answered at once is followed up."""

    def __init__(
        self,
        target: Target,
        broker: Broker,
        *,
        circuit: Callable[[], Circuit] = Circuit,
        ack_wait_seconds: float = ACK_WAIT_SECONDS,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.target = target
        self._clock = clock
        self._broker = broker
        self._new_circuit = circuit
        self._circuit = circuit()
        self._ack_wait_seconds = ack_wait_seconds
        self._told_at = datetime.min.replace(tzinfo=UTC)
        self._log = _log.bind(target=target.name)

    @property
    def circuit(self) -> State:
        """Whether work goes through to the target."""
        return self._circuit.state

    async def work(self, turn: Turn, stop: threading.Event) -> None:
        """Serves the target until told to stop; whatever fails is tried again."""
        failures = 0
        while not stop.is_set():
            try:
                if await asyncio.to_thread(turn.is_mine):
                    await self._serve_while(turn, stop)
                else:
                    await asyncio.sleep(TURN_SECONDS)
                failures = 0
            except Exception:  # noqa: BLE001 - nothing is skipped: the work is delivered again
                failures += 1
                self._log.exception("failed", failures=failures)
                await asyncio.sleep(backoff_seconds(failures))

    async def _serve_while(self, turn: Turn, stop: threading.Event) -> None:
        serving = asyncio.create_task(self._serve())
        try:
            while not serving.done() and not stop.is_set() and await asyncio.to_thread(turn.is_mine):
                await asyncio.wait({serving}, timeout=TURN_SECONDS)
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving

    async def _serve(self) -> None:
        name = self.target.name
        plan = ConsumerPlan("P2C_OUT", f"connect-{name}", (f"p2c.out.{name}.>",), self._ack_wait_seconds, IN_HAND_MAX)
        self._circuit = self._new_circuit()
        in_hand = _InHand(await self._broker.consumer(plan), {})
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep(in_hand))
                while True:
                    await self._take(in_hand, tasks)
        finally:
            await self._put_back(in_hand)

    async def _take(self, in_hand: _InHand, tasks: asyncio.TaskGroup) -> None:
        """Begins the next pieces of work, in order."""
        room = min(FETCH_MAX, IN_HAND_MAX - len(in_hand.deliveries))
        if room <= 0:
            await asyncio.sleep(LOOK_AGAIN_SECONDS_MIN)
            return
        deliveries = await in_hand.consumer.fetch(room, FETCH_SECONDS)
        in_hand.deliveries.update((delivery.sequence, delivery) for delivery in deliveries)
        for delivery in deliveries:
            work = _work(delivery)
            if work is None or work.type not in KNOWN_TYPES:
                await self._leave(delivery, in_hand)
                continue
            outcome = await self._begin(work, again=delivery.deliveries > 1)
            await self._tell(work, outcome)
            if isinstance(outcome, Done | Declined):
                await in_hand.settle(delivery)
            else:
                tasks.create_task(self._follow_up(work, delivery, in_hand))

    async def _leave(self, delivery: Delivery, in_hand: _InHand) -> None:
        """Leaves work that this version does not understand to a later one."""
        self._log.error("unknown work", subject=delivery.subject, sequence=delivery.sequence, headers=delivery.headers)
        in_hand.deliveries.pop(delivery.sequence)
        await in_hand.consumer.nak(delivery, UNKNOWN_SECONDS)

    async def _begin(self, work: Work, *, again: bool) -> Answer | Doubt:
        """Asks the target for something, as soon as it can be asked. Work that comes again is looked up first."""
        while True:
            await self._admitted()
            try:
                found = await self.target.find(work) if again else None
                if found is not None or (again and not self.target.repeats_are_safe):
                    self._circuit.succeeded()
                    return found or Doubt("It was delivered again; whether it had been sent is unknown.")
            except (TargetDown, TargetSilent) as problem:
                self._failed(work, problem)
                continue
            try:
                answer = await self.target.create(work)
            except TargetDown as problem:
                self._failed(work, problem)
            except TargetSilent as problem:
                self._failed(work, problem)
                return Doubt(str(problem))
            else:
                self._circuit.succeeded()
                return answer

    async def _follow_up(self, work: Work, delivery: Delivery, in_hand: _InHand) -> None:
        """Looks until the outcome is known; begins anew only if it is proved that the request never arrived."""
        pause, since = LOOK_AGAIN_SECONDS_MIN, time.monotonic()
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LOOK_AGAIN_SECONDS_MAX)
            found: Answer | Doubt | None
            try:
                found = await self._look_up(work)
            except (TargetDown, TargetSilent):
                since = time.monotonic()
                continue
            if found is None and time.monotonic() - since >= self.target.final_after_seconds:
                found = await self._begin(work, again=False)
                since = time.monotonic()
                await self._tell(work, found)
            elif isinstance(found, Done | Declined):
                await self._tell(work, found)
            if isinstance(found, Done | Declined):
                await in_hand.settle(delivery)
                return

    async def _look_up(self, work: Work) -> Answer | None:
        await self._admitted()
        try:
            found = await self.target.find(work)
        except (TargetDown, TargetSilent) as problem:
            self._failed(work, problem)
            raise
        self._circuit.succeeded()
        return found

    async def _admitted(self) -> None:
        """Waits while the circuit is open; the target's work waits with us, in its order."""
        while not self._circuit.admits():  # noqa: ASYNC110 - it is time that opens it, not an event
            await asyncio.sleep(LOOK_AGAIN_SECONDS_MIN)

    def _failed(self, work: Work, problem: Exception) -> None:
        self._circuit.failed()
        self._log.warning("no answer", work=work.key, problem=str(problem), circuit=self._circuit.state.value)

    async def _tell(self, work: Work, outcome: Answer | Doubt) -> None:
        await self._broker.publish(report(self.target.name, work, outcome, self._now()))
        if not isinstance(outcome, Done):
            self._log.info(type(outcome).__name__.lower(), work=work.key, request=work.id)

    def _now(self) -> datetime:
        """The time of a report, later than that of the one before even if the clock was put back."""
        self._told_at = max(self._clock(), self._told_at + timedelta(microseconds=1))
        return self._told_at

    async def _keep(self, in_hand: _InHand) -> None:
        """Tells the broker again and again that the work is still in hand."""
        while True:
            await asyncio.sleep(self._ack_wait_seconds / 3)
            await in_hand.consumer.in_progress(list(in_hand.deliveries.values()))

    async def _put_back(self, in_hand: _InHand) -> None:
        """Lets the next worker have at once what is not settled."""
        with contextlib.suppress(BrokerUnreachable):
            for delivery in in_hand.deliveries.values():
                await in_hand.consumer.nak(delivery, 0.1)
            await in_hand.consumer.close()


def _work(delivery: Delivery) -> Work | None:
    """The work as its headers name it; they are ours, so None means that somebody else has published here."""
    headers = {name.lower(): value for name, value in delivery.headers.items()}
    id_, kind, key = (headers.get(name) for name in ("ce-id", "ce-type", "ce-subject"))
    if not (id_ and kind and key):
        return None
    return Work(id_, kind, key, delivery.payload)
