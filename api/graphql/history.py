"""The question of history: how an object came to be, fact by fact, each with its cause and the message behind it."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import Final, cast

import strawberry
from strawberry.scalars import JSON

from api.access import OutOfScope, require
from api.graphql.asking import AsOfArgument, Info, WaitFor, moment, sees, watermark_of
from api.graphql.limits import PAGE_MAX
from api.graphql.messages import SourceMessage
from api.graphql.paging import (
    FIRST,
    After,
    Answered,
    Connection,
    Descending,
    First,
    PageAsked,
    answered,
    listed,
)
from api.graphql.scalars import Position
from domain.kernel import StreamId
from projections.history import timeline
from projections.history.timeline import TimelineEntry
from projections.pages import BadCursor, Page, PageTooLong

VERSION_DIGITS_MAX: Final = 12


async def _message(root: strawberry.Parent[TimelineEntry], info: Info) -> SourceMessage | None:
    found = await info.context.messages.load(root.message_id) if root.message_id is not None else None
    return cast(SourceMessage | None, found)


async def _content(root: strawberry.Parent[TimelineEntry], info: Info) -> JSON:
    fact = await info.context.facts.load(root.id)
    assert fact is not None, "what is shown was recorded"
    _, encoded = info.context.parts.ledger.codec.encode(fact.event, fact.cause)
    return cast(JSON, json.loads(encoded)["e"])


@strawberry.type(description="One recorded fact: what it says, when it was true and when it was recorded, and why.")
class Fact:
    """See the description."""

    id: strawberry.ID = strawberry.field(description="stream@version")
    stream: str
    version: int = strawberry.field(description="Its place in its stream, without gaps.")
    position: Position = strawberry.field(description="Its place in the log of the whole firm.")
    name: str = strawberry.field(description="Its published name, see docs/events.md.")
    recorded_at: datetime = strawberry.field(description="When the ledger recorded it.")
    occurred_at: datetime | None = strawberry.field(description="When it was so, by the source's own clock.")
    actor: str = strawberry.field(description="Who wished it: a system, a user, or a process of the ledger.")
    sentence: str = strawberry.field(description="What it says, in words.")
    message_id: str | None = strawberry.field(description="The message that told it.")
    correlation_id: str = strawberry.field(description="Shared by all that one message or request set in motion.")
    causation_id: str | None = strawberry.field(description="The fact or message that led to it directly.")
    content: JSON = strawberry.field(resolver=_content, description="Its fields, in their published form.")
    message: SourceMessage | None = strawberry.field(
        resolver=_message, description="The message that told it; null when a person or a process caused it."
    )


@strawberry.type(description="One page of facts.")
class FactConnection(Connection[Fact]):
    """See the description."""


@strawberry.enum(description="What facts can be sorted by.")
class FactSort(StrEnum):
    """See the description."""

    POSITION = "position"


@strawberry.type
class HistoryQueries:
    """What may be asked about how things came to be."""

    @strawberry.field(description="All facts of one stream, the oldest first, straight from the log.")
    async def history(
        self,
        info: Info,
        stream: strawberry.ID,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
    ) -> FactConnection:
        """See the description."""
        principal = require(info.context.principal, "history")
        parts, name = info.context.parts, StreamId(stream)

        def answer() -> Answered:
            if not sees(parts, principal, name):
                raise OutOfScope(stream)
            watermark = watermark_of(parts, moment(as_of))
            behind = _version(after)
            _check_length(first)
            facts = timeline.history(parts.ledger, name, behind, first + 1, watermark.position)
            page = Page(facts[:first], tuple(str(each.version) for each in facts[:first]), len(facts) > first)
            return answered(page, list(page.items), watermark, has_previous=behind > 0)

        return cast(FactConnection, await parts.in_thread(answer))

    @strawberry.field(description="What happened to an object and to what concerns it, from all streams.")
    async def timeline(
        self,
        info: Info,
        subject: strawberry.ID,
        descending: Descending = False,
        first: First = FIRST,
        after: After = None,
        as_of: AsOfArgument = None,
        wait_for: WaitFor = None,
    ) -> FactConnection:
        """See the description."""
        page = PageAsked(first, after, FactSort.POSITION.value, descending, as_of, wait_for)
        principal = require(info.context.principal, "timeline")
        parts, name = info.context.parts, StreamId(subject)
        if not await parts.in_thread(lambda: sees(parts, principal, name)):
            raise OutOfScope(subject)
        return await listed(
            info,
            "timeline",
            page,
            lambda asked, request: timeline.find(asked.view, parts.ledger, name, request),
            lambda _: (),
            lambda _: 0,
            FactConnection,
        )


def _version(after: str | None) -> int:
    """The cursor of a history is the version of its fact."""
    if after is None:
        return 0
    if not (after.isascii() and after.isdigit() and len(after) <= VERSION_DIGITS_MAX):
        raise BadCursor
    return int(after)


def _check_length(first: int) -> None:
    if not 1 <= first <= PAGE_MAX:
        raise PageTooLong(f"{first} rows asked.")
