"""The stock way of the eventsourcing library: its application, recorder, mapper and JSON transcoder, as its docs show.

The domain is ours: the same deciders make the same events. What the docs leave to the user is added and nothing else:
an event class, a transcoding for each class that our events hold, a projector function, and commands that load, decide
and save.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import JSONTranscoder, Transcoding
from psycopg.conninfo import conninfo_to_dict

from domain.catalogue import DECIDERS, EVENTS
from domain.kernel import Addressed, Cause, StreamId, decider_name


@dataclass(frozen=True)
class Decided:
    """An event of the library that holds one of our facts and its cause."""

    originator_id: str
    originator_version: int
    timestamp: datetime
    fact: Any
    cause: Cause


@dataclass(frozen=True)
class Known:
    """An immutable aggregate of the library that holds the state of one of our deciders."""

    id: str
    version: int
    state: Any


class DateAsISO(Transcoding):
    """Days, which the library's transcoder does not know."""

    type = date
    name = "date_iso"

    def encode(self, obj: date) -> str:
        return obj.isoformat()

    def decode(self, data: str) -> date:
        return date.fromisoformat(data)


class DataclassAsDict(Transcoding):
    """One class of our facts; JSON has no tuples, so that lists are made tuples again."""

    def __init__(self, kind: type) -> None:
        self.type = kind
        self.name = kind.__qualname__
        self._fields = tuple(each.name for each in fields(kind))

    def encode(self, obj: Any) -> dict[str, Any]:
        return {name: getattr(obj, name) for name in self._fields}

    def decode(self, data: dict[str, Any]) -> Any:
        return self.type(**{name: tuple(v) if isinstance(v, list) else v for name, v in data.items()})


def _classes(kind: Any, seen: set[type]) -> Iterator[type]:
    """Every dataclass that a value of a type may hold."""
    for part in typing.get_args(kind):
        yield from _classes(part, seen)
    if inspect.isclass(kind) and is_dataclass(kind) and kind not in seen:
        seen.add(kind)
        yield kind
        for part in typing.get_type_hints(kind).values():
            yield from _classes(part, seen)


def _held() -> list[type]:
    seen: set[type] = set()
    return [found for kind in (*EVENTS.values(), Cause) for found in _classes(kind, seen)]


HELD: Final = tuple(_held())


def environment(url: str, schema: str) -> dict[str, str]:
    """The library's own settings for PostgreSQL; all others as they are by default."""
    given = conninfo_to_dict(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(given["dbname"]),
        "POSTGRES_HOST": str(given["host"]),
        "POSTGRES_PORT": str(given["port"]),
        "POSTGRES_USER": str(given["user"]),
        "POSTGRES_PASSWORD": str(given.get("password", "")),
        "POSTGRES_SCHEMA": schema,
        "ORIGINATOR_ID_TYPE": "text",
    }


class StockLedger(Application[str]):
    """The library's application with our events registered."""

    def register_transcodings(self, transcoder: JSONTranscoder) -> None:
        super().register_transcodings(transcoder)
        transcoder.register(DateAsISO())
        for kind in HELD:
            transcoder.register(DataclassAsDict(kind))

    def known(self, stream: StreamId) -> Known:
        """The state of a stream, from its stored events."""
        try:
            found: Known = self.repository.get(stream, projector_func=_project)
        except AggregateNotFoundError:
            return Known(stream, 0, DECIDERS[decider_name(stream)].initial)
        return found

    def execute(self, addressed: Addressed, cause: Cause) -> Sequence[Decided]:
        """One command: load, decide, save."""
        known = self.known(addressed.stream)
        events = decided(addressed, known, cause)
        if events:
            self.save(*events)
        return events


def decided(addressed: Addressed, known: Known, cause: Cause) -> list[Decided]:
    """What a command leads to, as events of the library."""
    facts = DECIDERS[decider_name(addressed.stream)].decide(addressed.command, known.state)
    now = datetime.now(UTC)
    return [
        Decided(addressed.stream, version, now, fact, cause)
        for version, fact in enumerate(facts, start=known.version + 1)
    ]


def _project(aggregate: Known | None, events: Iterable[Decided]) -> Known | None:
    for event in events:
        decider = DECIDERS[decider_name(StreamId(event.originator_id))]
        state = decider.initial if aggregate is None else aggregate.state
        aggregate = Known(event.originator_id, event.originator_version, decider.evolve(state, event.fact))
    return aggregate


class StockTeller:
    """Records the commands of one source message one by one, as the stock application does."""

    def __init__(self, app: StockLedger) -> None:
        self._app = app

    def tell(self, system: str, message: str, at: datetime, *addressed: Addressed) -> None:
        message_id = f"{system}:{message}"
        for each in addressed:
            self._app.execute(each, Cause(f"system:{system}", message_id, message_id, message_id, at))
