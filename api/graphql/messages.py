"""The question of messages: what a source system sent, word for word, and what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, cast

import strawberry

from adapters.eventstore.rows import ReceivedMessage
from api.access import OutOfScope, Principal, require
from api.graphql.asking import Info, filter_of, in_time_zone, wants, watermark_of
from api.graphql.paging import FIRST, After, Answered, Connection, Descending, First, answered
from api.messages import MessageFilter as Criteria
from api.messages import Received
from projections.pages import PageRequest


def _payload(root: strawberry.Parent[Any], info: Info) -> str:
    require(info.context.principal, "source_payload")
    return bytes(root.payload).decode("utf-8", "replace")


@strawberry.enum(description="What may become of a message.")
class MessageFate(StrEnum):
    """See the description."""

    RECORDED = "recorded"
    QUIET = "quiet"
    REFUSED = "refused"
    PARKED = "parked"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    QUARANTINED = "quarantined"


@strawberry.type(description="A message as a source system sent it, and what became of it.")
class SourceMessage:
    """See the description."""

    message_id: strawberry.ID
    system: str = strawberry.field(description="Who sent it.")
    subject: str = strawberry.field(description="The NATS subject on which it came.")
    business_message_id: str = strawberry.field(description="The sender's own id for it.")
    received_at: datetime
    fate: str = strawberry.field(description="recorded, quiet, refused, parked, duplicate, conflict or quarantined.")
    code: str | None = strawberry.field(description="Why, for every fate but recorded.")
    detail: str | None
    deliveries: int = strawberry.field(description="How often it was delivered; it counts once.")
    streams: list[str] = strawberry.field(description="The objects that it is about, as far as it was understood.")
    events: list[str] = strawberry.field(description="The facts that it led to, as stream@version.")
    payload: str = strawberry.field(resolver=_payload, description="Word for word; for auditors and integration.")


@strawberry.input(description="Which messages.")
class MessageFilter:
    """See the description."""

    messages: list[str] | None = strawberry.field(default=None, description="Only these, by messageId.")
    business_message_id: str | None = strawberry.field(default=None)
    system: str | None = strawberry.field(default=None)
    subject: str | None = strawberry.field(default=None, description="As p2c.in.jira.worklog.created.")
    fates: list[MessageFate] | None = strawberry.field(default=None)
    code: str | None = strawberry.field(default=None)
    stream: str | None = strawberry.field(default=None, description="Only messages about this object.")
    contains: str | None = strawberry.field(
        default=None,
        description="Only messages in whose payload this text stands, such as the source's own id of an object. Every"
        " payload is read: of a long history say also when it was received.",
    )
    received_from: datetime | None = strawberry.field(default=None)
    received_to: datetime | None = strawberry.field(default=None)


@strawberry.type(description="How many messages of a system had a fate, and why.")
class MessageTotals:
    """See the description."""

    system: str
    fate: str
    code: str | None
    count: int


@strawberry.type(description="One page of messages.")
class MessageConnection(Connection[SourceMessage]):
    """See the description."""

    total_count: int = strawberry.field(description="How many there are in all.")
    totals: list[MessageTotals] = strawberry.field(description="All of them by system, fate and code.")


@strawberry.type
class MessageQueries:
    """What may be asked about messages."""

    @strawberry.field(description="What the source systems sent, and what became of each message, as it is now.")
    async def messages(
        self,
        info: Info,
        where: MessageFilter | None = None,
        descending: Descending = True,
        first: First = FIRST,
        after: After = None,
    ) -> MessageConnection:
        """See the description."""
        _require_whole_firm(require(info.context.principal, "messages"))
        criteria = filter_of(Criteria, where)
        for time in (criteria.received_from, criteria.received_to):
            if time is not None:
                in_time_zone(time)
        whole, parts = wants(info, "totals", "totalCount"), info.context.parts

        def answer() -> Answered:
            watermark = watermark_of(parts, None)
            with parts.pool.connection() as conn:
                received = Received(conn)
                page = received.find(criteria, PageRequest(first, after, descending=descending))
                totals = received.totals(criteria) if whole else ()
            count = sum(each.count for each in totals)
            return answered(page, list(page.items), watermark, totals, count, has_previous=after is not None)

        return cast(MessageConnection, await parts.in_thread(answer))

    @strawberry.field(description="One message, and what became of it.")
    async def message(self, info: Info, id: strawberry.ID) -> SourceMessage | None:
        """See the description."""
        _require_whole_firm(require(info.context.principal, "messages"))
        found: ReceivedMessage | None = await info.context.messages.load(id)
        return cast(SourceMessage | None, found)


def _require_whole_firm(principal: Principal) -> None:
    """A message belongs to no legal entity before it is understood."""
    if not principal.reach.everywhere:
        raise OutOfScope("Messages are those of the whole firm.")
