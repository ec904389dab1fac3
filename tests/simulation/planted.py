"""Faults that somebody could build in, each in a line or two: the simulation has to find every one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from adapters.broker import Delivery, Outgoing
from adapters.eventstore.errors import VersionConflict
from adapters.eventstore.rows import MessageKey, ObjectKey, OutboxRow, ReceivedMessage, SourceObject
from adapters.eventstore.unit import Committed, Extras, NewEvent, UnitOfWork
from adapters.inbox.worker import Worker
from adapters.outbox.relay import Relay
from adapters.targets.connector import Connector
from adapters.targets.reports import Doubt
from adapters.targets.target import Answer, TargetDown, TargetSilent, Work
from projections.shelf import Changes
from tests.simulation.reading import ReadModels
from tests.simulation.running import Parts
from tests.simulation.twins import Connected, Database, Process


class NoReceipt(Connected):
    """A message that comes again is not known."""

    def receipts(self, keys: Iterable[MessageKey]) -> dict[MessageKey, list[ReceivedMessage]]:
        super().receipts(keys)
        return {}

    def _record(self, unit: UnitOfWork) -> Committed:
        known, extras = self._database._received, unit.extras
        anew = {row.message_id: f"{row.message_id}/{len(known)}" for row in extras.received if row.message_id in known}
        extras.received = [replace(row, message_id=anew.get(row.message_id, row.message_id)) for row in extras.received]
        extras.parked = [replace(row, message_id=anew.get(row.message_id, row.message_id)) for row in extras.parked]
        return super()._record(unit)


class KeepsNoReceipts(Database):
    """The table of messages has no key that would keep out what is there already."""

    def _broken(self, extras: Extras) -> str | None:
        broken = super()._broken(extras)
        return None if broken in ("received_message_pkey", "received_message_business_id_idx") else broken


class AcknowledgesFirst(Worker):
    """The broker is told that messages are done before they are recorded."""

    async def _take(self, deliveries: Sequence[Delivery]) -> None:
        await self._consumer.ack(deliveries)
        await super()._take(deliveries)


class PositionApart(Connected):
    """How far a process has come is noted in a second transaction."""

    def _record(self, unit: UnitOfWork) -> Committed:
        tracking, unit.extras.tracking = unit.extras.tracking, None
        done = super()._record(unit)
        if tracking is not None:
            second = self.unit()
            second.track(*tracking)
            super()._record(second)
        return done


class OutboxApart(Connected):
    """What other systems have to be told is noted in a second transaction."""

    def _record(self, unit: UnitOfWork) -> Committed:
        outbox, unit.extras.outbox = unit.extras.outbox, []
        done = super()._record(unit)
        if outbox:
            second = self.unit()
            second.extras.outbox = outbox
            super()._record(second)
        return done


class SendsFromMemory(Database):
    """What is decided is sent at once, before anybody knows whether it will be recorded."""

    def __init__(self, *arguments: Any, outgoing: Callable[..., Sequence[OutboxRow]], **named: Any) -> None:
        def sent(event: NewEvent, read: Any) -> Sequence[OutboxRow]:
            rows = outgoing(event, read)
            for row in rows:
                self._send(row)
            return rows

        super().__init__(*arguments, outgoing=sent, **named)

    def _send(self, row: OutboxRow) -> None:
        assert self.publish is not None
        message = Outgoing(row.subject, row.payload, row.headers, row.nats_msg_id)
        self.loop.create_task(self.publish(message))


class NoVersionCheck(Database):
    """Whoever comes second writes behind whoever came first, on a state that is not so any more."""

    def _record(self, unit: UnitOfWork) -> Committed:
        following: dict[str, int] = {}
        for place, event in enumerate(unit.new):
            stored = self._streams.get(event.stream, [])
            following[event.stream] = following.get(event.stream, stored[-1].version if stored else 0) + 1
            unit.new[place] = event._replace(version=following[event.stream])
        return super()._record(unit)


class ForgetsWhoWaits(Connected):
    """Messages that came before their time are not kept for later."""

    def _record(self, unit: UnitOfWork) -> Committed:
        unit.extras.parked = []
        return super()._record(unit)


class MarksFirst(Relay):
    """What leaves is marked as gone before it is gone."""

    async def _publish(self, rows: Sequence[OutboxRow]) -> int:
        await self._mark([row.id for row in rows])
        return await super()._publish(rows)


class AsksAgain(Connector):
    """What was not answered is asked for once more, without looking whether it is there."""

    async def _begin(self, work: Work, *, again: bool) -> Answer | Doubt:
        while True:
            await self._admitted()
            try:
                return await self.target.create(work)
            except (TargetDown, TargetSilent) as problem:
                self._failed(work, problem)


class NeverLooksAgain(Connector):
    """Work that is in doubt is put down."""

    async def _follow_up(self, work: Work, delivery: Delivery, in_hand: Any) -> None:
        await in_hand.settle(delivery)


class TablesFirst(ReadModels):
    """The rows of the read models are written in one transaction, their position in another."""

    def write(self, process: Process, changes: Changes, before: int, position: int) -> None:
        process.moment()
        self.store.write(changes)
        if process.dice.falls("crash after commit"):
            process.die()
        process.moment()
        self.position = position


class ForgetsHomes(Connected):
    """Nobody remembers in which stream an object of a source system lives, and which of its revisions is the newest."""

    def source_objects(self, keys: Iterable[ObjectKey]) -> dict[ObjectKey, SourceObject]:
        super().source_objects(keys)
        return {}


class SwallowsConflicts(Connected):
    """Who was not first goes on as if it had been."""

    def _record(self, unit: UnitOfWork) -> Committed:
        try:
            return super()._record(unit)
        except VersionConflict:
            return Committed(None, None, None, {}, ())


PLANTED: Final[dict[str, Parts]] = {
    "no receipt": Parts(connected=NoReceipt, database=KeepsNoReceipts),
    "acknowledged before the commit": Parts(worker=AcknowledgesFirst),
    "position in a second transaction": Parts(connected=PositionApart),
    "outbox in a second transaction": Parts(connected=OutboxApart),
    "sent from memory before the commit": Parts(database=SendsFromMemory),
    "no version check": Parts(database=NoVersionCheck),
    "parked messages forgotten": Parts(connected=ForgetsWhoWaits),
    "marked as relayed before it was published": Parts(relay=MarksFirst),
    "asked again without looking": Parts(connector=AsksAgain),
    "doubt is put down": Parts(connector=NeverLooksAgain),
    "read models and their position apart": Parts(read_models=TablesFirst),
    "where an object lives is forgotten": Parts(connected=ForgetsHomes),
    "conflicts are swallowed": Parts(connected=SwallowsConflicts),
}
"""What is built in, and in which part."""
