"""Hands what leaves the ledger to the broker: per target in its order, under ids that make repetition harmless."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import structlog

from adapters.backoff import backoff_seconds
from adapters.broker import Broker, BrokerRefused, Outgoing
from adapters.eventstore.base import BaseLedger
from adapters.eventstore.rows import OutboxRow

ROWS_PER_BATCH: Final = 1_000
POLL_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


class Turn(Protocol):
    """The right to relay, which only one worker has at a time."""

    def is_mine(self) -> bool:
        """Whether we have it, taking it if it is free."""
        ...


class Relay:
    """Publishes the rows of the outbox and marks them once the broker has acknowledged them.

    After a crash, or when an acknowledgement was lost, a row is published again under the same id: the broker leaves
    it out, and a connector that gets it nevertheless knows it by its key. Messages wait for each other so that a
    target's order is never changed by a repetition.
    """

    def __init__(self, ledger: BaseLedger, broker: Broker, *, rows_per_batch: int = ROWS_PER_BATCH) -> None:
        self._ledger = ledger
        self._broker = broker
        self._rows_per_batch = rows_per_batch

    async def work(self, turn: Turn, stop: threading.Event) -> None:
        """Relays until told to stop; whatever fails is tried again."""
        failures = 0
        while not stop.is_set():
            try:
                await self._go_on(turn)
                failures = 0
            except Exception:  # noqa: BLE001 - nothing is skipped: the same rows are tried again, later and later
                failures += 1
                _log.exception("failed", failures=failures)
                await asyncio.sleep(backoff_seconds(failures))

    async def relay_waiting(self) -> int:
        """Publishes what waits now; returns how many rows the broker has acknowledged."""
        rows = await asyncio.to_thread(self._ledger.unrelayed, self._rows_per_batch)
        by_target: dict[str, list[OutboxRow]] = {}
        for row in rows:
            by_target.setdefault(row.target, []).append(row)
        counts = await asyncio.gather(*map(self._publish, by_target.values()), return_exceptions=True)
        for outcome in counts:
            if isinstance(outcome, BaseException):
                raise outcome
        return sum(count for count in counts if isinstance(count, int))

    async def _go_on(self, turn: Turn) -> None:
        if not await asyncio.to_thread(turn.is_mine):
            await asyncio.sleep(POLL_SECONDS)
            return
        head = await asyncio.to_thread(self._ledger.head)
        if not await self.relay_waiting():
            await asyncio.to_thread(self._ledger.wait_for_events, head, POLL_SECONDS)

    async def _publish(self, rows: Sequence[OutboxRow]) -> int:
        """One target's rows, one after the other; what came before a failure is marked."""
        done: list[int] = []
        try:
            for row in rows:
                await self._broker.publish(Outgoing(row.subject, row.payload, row.headers, row.nats_msg_id))
                done.append(row.id)
        except BrokerRefused as refused:
            # Only this target waits until a person has acted; its later messages must not overtake this one.
            _log.error(
                "refused by the broker", target=rows[0].target, row=rows[len(done)].nats_msg_id, why=str(refused)
            )
        finally:
            await self._mark(done)
        return len(done)

    async def _mark(self, ids: Iterable[int]) -> None:
        marked = list(ids)
        if marked:
            await asyncio.to_thread(self._ledger.mark_relayed, marked)
