"""How every question is asked: by somebody who may, at one moment, in a thread, and answered with its watermark."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final, Generic, TypeVar

import strawberry
from strawberry.dataloader import DataLoader
from strawberry.fastapi import BaseContext
from strawberry.types.nodes import FragmentSpread, InlineFragment, SelectedField, Selection

from adapters.eventstore.rows import ReceivedMessage
from api import reach
from api.access import Principal, require
from api.graphql.folded import Past
from api.graphql.scalars import Position
from api.messages import Received
from api.reads import Channel
from api.services.desk import ReadModelsBehind
from api.serving.parts import Parts
from domain.kernel import Recorded, Refused, StreamId, decider_name
from projections.history.objects import InvoiceWithLots, States, invoices_with_lots, states_as_of
from projections.pages import PageRequest
from projections.reader import At, AtPosition, AtTime, InTheFuture, Scope, View
from projections.reader import Watermark as WatermarkRow
from projections.registers import timesheets
from projections.registers.timesheets import EntryRow
from projections.registers.titles import titles

Row = TypeVar("Row")
Result = TypeVar("Result")
Filter = TypeVar("Filter")
WAIT_SECONDS_MAX: Final = 10.0
BATCH_MAX: Final = 1_000


class TimeWithoutZone(Refused):
    """A time is told with its zone."""

    code = "request.time_without_zone"
    fix = "Add the offset: 2026-03-31T23:59:59+02:00, or Z for UTC."


class Context(BaseContext):
    """One request, or one connection that listens: who asks, and the parts that answer.

    ``facts``, ``messages``, ``invoices`` and the entries of ``weeks`` are looked up together, all that one answer needs
    at once.
    """

    def __init__(self, parts: Parts, principal: Principal | None, channel: Channel) -> None:
        super().__init__()
        self.parts = parts
        self.channel = channel
        self._principal = principal
        self.facts = DataLoader(self._load_facts, max_batch_size=BATCH_MAX, cache=False)
        self.messages = DataLoader(self._load_messages, max_batch_size=BATCH_MAX, cache=False)
        self.invoices = DataLoader(self._load_invoices, max_batch_size=BATCH_MAX, cache=False)
        self.weeks = DataLoader(self._load_weeks, max_batch_size=BATCH_MAX, cache=False)

    async def _load_facts(self, ids: list[str]) -> list[Recorded[Any] | None]:
        found = await self.parts.in_thread(lambda: self.parts.ledger.events(dict.fromkeys(ids)))
        by_id = {fact.id: fact for fact in found}
        return [by_id.get(each) for each in ids]

    async def _load_invoices(self, asked: list[tuple[str, At | None]]) -> list[InvoiceWithLots]:
        def found() -> dict[tuple[str, At | None], InvoiceWithLots]:
            by_moment: dict[At | None, dict[str, None]] = {}
            for invoice, at in asked:
                by_moment.setdefault(at, {})[invoice] = None
            return {
                (invoice, at): whole
                for at, invoices in by_moment.items()
                for invoice, whole in invoices_with_lots(self._states(at), invoices).items()
            }

        known = await self.parts.in_thread(found)
        return [known[each] for each in asked]

    def _states(self, at: At | None) -> States:
        """How states of a moment are read: those of now by one query for what this process does not know yet."""
        ledger = self.parts.ledger
        if at is not None:
            return states_as_of(ledger, at)
        return lambda streams: {stream: loaded.state for stream, loaded in ledger.load(streams).items()}

    async def _load_weeks(self, asked: list[tuple[str, int]]) -> list[list[EntryRow]]:
        def found() -> list[list[EntryRow]]:
            scope = scope_of(self.parts, require(self.principal, "timesheets"))
            with self.parts.reader.view(scope=scope) as view:
                return [_entries_of(view, scope, stream, first) for stream, first in asked]

        return await self.parts.in_thread(found)

    async def _load_messages(self, ids: list[str]) -> list[ReceivedMessage | None]:
        def found() -> dict[str, ReceivedMessage]:
            with self.parts.pool.connection() as conn:
                return Received(conn).by_id(ids)

        by_id = await self.parts.in_thread(found)
        return [by_id.get(each) for each in ids]

    @property
    def principal(self) -> Principal | None:
        """Who asks; nobody any more once their token has expired."""
        who = self._principal
        return who if who is not None and who.expires_at > datetime.now(UTC) else None

    @principal.setter
    def principal(self, who: Principal) -> None:
        self._principal = who


Info = strawberry.Info[Context, None]


@dataclass(frozen=True, slots=True)
class Seen(Generic[Row]):
    """A row as an answer shows it, with the moment that it is from; a field that it does not have is the row's."""

    row: Row
    watermark: WatermarkRow
    at: At | None = None


@dataclass(frozen=True, slots=True)
class Titled(Seen[Row]):
    """A row with what people call the object that it is about."""

    title: str = ""


def value_of(source: Any, name: str) -> Any:
    """The value of a field that has no resolver of its own."""
    if isinstance(source, Seen) and name not in source.__dataclass_fields__:
        return getattr(source.row, name)
    return getattr(source, name)


@strawberry.input(one_of=True, description="A moment in the past: a position of the log, or a time of recording.")
class AsOf:
    """See the description."""

    position: Position | None = strawberry.field(
        default=strawberry.UNSET, description="As everything was when the log had reached this position."
    )
    recorded_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="As everything had been recorded at this time."
    )


AsOfArgument = Annotated[
    AsOf | None, strawberry.argument(description="Answer as everything was at a moment in the past.")
]
WaitFor = Annotated[
    Position | None,
    strawberry.argument(description="Answer once this position is contained, e.g. one that a mutation returned."),
]


def moment(as_of: AsOf | None) -> At | None:
    """The moment that was asked for; None is now."""
    if as_of is None:
        return None
    if isinstance(as_of.position, int):
        return AtPosition(as_of.position)
    assert isinstance(as_of.recorded_at, datetime), "one of the two is told"
    return AtTime(in_time_zone(as_of.recorded_at))


def in_time_zone(time: datetime) -> datetime:
    """A time that was told with its zone; raises TimeWithoutZone."""
    if time.tzinfo is None:
        raise TimeWithoutZone(time.isoformat())
    return time


@strawberry.type(description="How fresh the facts of one source system are.")
class SourceLag:
    """See the description."""

    system: str = strawberry.field(description="The source system.", name="source")
    lag_seconds: Decimal | None = strawberry.field(
        description="How long after it was true its newest fact was recorded.", name="seconds"
    )
    position: Position = strawberry.field(description="Where its newest fact stands in the log.")
    recorded_at: datetime = strawberry.field(description="When its newest fact was recorded.")
    occurred_at: datetime | None = strawberry.field(description="When its newest fact was true, by the source's clock.")


def _lag(root: strawberry.Parent[WatermarkRow]) -> list[SourceLag]:
    return list(root.sources)  # type: ignore[arg-type]  # the rows have the fields of the type


@strawberry.type(description="How fresh an answer is.")
class Watermark:
    """See the description."""

    position: Position = strawberry.field(description="The newest fact that the answer contains.")
    recorded_at: datetime | None = strawberry.field(description="When that fact was recorded.")
    head_position: Position = strawberry.field(description="The newest fact of the log when the answer was made.")
    generation: str = strawberry.field(description="The making of the read models that was asked, or 'fold' for one.")
    is_live: bool = strawberry.field(description="Whether it is the present, not a moment in the past.")
    lag: list[SourceLag] = strawberry.field(resolver=_lag, description="The newest fact of each source system.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question may use while it is answered: the view, what the asker may see, and the moment."""

    view: View
    scope: Scope
    at: At | None
    parts: Parts

    def seen(self, rows: Iterable[Row]) -> list[Seen[Row]]:
        """Rows with the moment of this answer."""
        return [Seen(row, self.view.watermark, self.at) for row in rows]

    def titled(self, by: str, rows: Iterable[Row]) -> list[Titled[Row]]:
        """Rows of keys of a kind with what people call these."""
        told = list(rows)
        known = titles(self.view, by, (row.key for row in told), self.scope)  # type: ignore[attr-defined]  # rows of sums have a key
        return [Titled(row, self.view.watermark, self.at, known[row.key]) for row in told]  # type: ignore[attr-defined]


async def ask(
    info: Info,
    permission: str,
    question: Callable[[Asked], Result],
    *,
    as_of: AsOf | None = None,
    wait_for: int | None = None,
) -> Result:
    """The answer to a question on the read models, for somebody who may ask it."""
    principal = require(info.context.principal, permission)
    return await ask_at(info, principal, question, at=moment(as_of), wait_for=wait_for)


async def ask_at(
    info: Info, principal: Principal, question: Callable[[Asked], Result], *, at: At | None, wait_for: int | None = None
) -> Result:
    """As ``ask``, for a moment that is known already, by somebody who was let in."""
    parts = info.context.parts

    def answer() -> Result:
        if wait_for is not None and parts.reader.wait_for(wait_for, WAIT_SECONDS_MAX) is None:
            raise ReadModelsBehind(f"Position {wait_for} was not reached in {WAIT_SECONDS_MAX:.0f} s.")
        scope = scope_of(parts, principal)
        with parts.reader.view(at, scope) as view:
            return question(Asked(view, scope, at, parts))

    return await parts.in_thread(answer)


def scope_of(parts: Parts, principal: Principal) -> Scope:
    """What somebody may see, as the read models understand it."""
    if principal.reach.everywhere:
        return Scope()
    with parts.pool.connection() as conn:
        found = reach.in_entities(principal.reach, reach.reader_of(parts.ledger), conn)
    return Scope(entities=found.entities)


def sees(parts: Parts, principal: Principal, stream: StreamId) -> bool:
    """Whether somebody may see an object; blocking."""
    return reach.sees(reach.reader_of(parts.ledger), principal, stream)


def sees_entity(parts: Parts, principal: Principal) -> Callable[[str], bool]:
    """Tells of a legal entity whether somebody may see what it sells; blocking."""
    read = reach.reader_of(parts.ledger)
    return lambda entity: principal.reach.covers(entity, reach.region_of(read, entity))


def filter_of(kind: type[Filter], where: object | None) -> Filter:
    """A read model's own filter, from the fields of an input that were told."""
    told = {} if where is None else {each.name: getattr(where, each.name) for each in fields(where)}  # type: ignore[arg-type]
    return kind(**{name: _plain(value) for name, value in told.items() if value not in (None, strawberry.UNSET)})


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return tuple(_plain(each) for each in value) if isinstance(value, list) else value


def wants(info: Info, *names: str) -> bool:
    """Whether one of these fields was asked for directly below the present one."""

    def within(selections: Iterable[Selection]) -> bool:
        for each in selections:
            match each:
                case SelectedField(name=name) if name in names:
                    return True
                case FragmentSpread() | InlineFragment() if within(each.selections):
                    return True
                case _:
                    continue
        return False

    return any(within(field.selections) for field in info.selected_fields)


async def ask_one(
    info: Info,
    permission: str,
    stream: StreamId,
    live: Callable[[Asked], Row | None],
    past: Callable[[Past, Callable[[str], bool]], Row | None],
    *,
    as_of: AsOf | None,
    wait_for: int | None,
) -> Seen[Row] | None:
    """One object, now as the lists show it, or folded from its own history as it was; None where it may not be seen."""
    at = moment(as_of)

    def now(asked: Asked) -> Seen[Row] | None:
        found = live(asked)
        return Seen(found, asked.view.watermark) if found is not None else None

    if at is None:
        return await ask(info, permission, now, wait_for=wait_for)
    principal, parts = require(info.context.principal, permission), info.context.parts

    def then() -> Seen[Row] | None:
        watermark = watermark_of(parts, at)
        if decider_name(stream) != "timesheet" and not sees(parts, principal, stream):
            return None
        found = past(Past(parts.ledger, at), sees_entity(parts, principal))
        return Seen(found, watermark, at) if found is not None else None

    return await parts.in_thread(then)


def _entries_of(view: View, scope: Scope, stream: str, first: int) -> list[EntryRow]:
    page = PageRequest(first=first, sort="work_date")
    return list(timesheets.entries(view, timesheets.EntryFilter(stream=stream), scope, page).items)


def watermark_of(parts: Parts, at: At | None) -> WatermarkRow:
    """How fresh an answer is that is folded from the log itself; raises InTheFuture. Blocking."""
    head = position = parts.ledger.head()
    match at:
        case AtPosition(asked):
            position = asked
        case AtTime(recorded_at):
            position = parts.ledger.position_at(recorded_at)
        case None:
            pass
    if not 0 <= position <= head:
        raise InTheFuture(f"{position} asked, {head} reached.")
    newest = parts.ledger.read(position - 1, 1, position) if position else []
    recorded = newest[0].recorded_at if newest else None
    return WatermarkRow(position, recorded, head, "fold", is_live=at is None, sources=())
