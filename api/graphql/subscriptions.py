"""What can be listened to: that the read models have moved, and what of interest has changed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import cast

import strawberry

from api.access import OutOfScope, Principal, require
from api.graphql.asking import Context, Info, sees
from api.graphql.invoices import Invoice
from api.graphql.objects import invoice_now
from api.graphql.scalars import Position
from domain.invoice import invoice_stream
from domain.kernel import stream_of
from projections.changes import KINDS
from projections.changes import Change as ChangeRow
from projections.pages import require_known


@strawberry.type(description="Objects of one kind that have changed.")
class Touched:
    """See the description."""

    kind: str = strawberry.field(description="The first word of their streams: engagement, invoice, timesheet ...")
    objects: list[str] = strawberry.field(description="Their ids.")


@strawberry.type(description="The read models have moved: ask again for what is touched.")
class Change:
    """See the description."""

    position: Position = strawberry.field(description="How far they have read now; a query may wait for it.")
    recorded_at: datetime
    touched: list[Touched]
    truncated: bool = strawberry.field(description="Whether more was touched than is named here.")


@strawberry.type
class Subscription:
    """What can be listened to, over graphql-transport-ws."""

    @strawberry.subscription(description="Every change of the read models, or those of some kinds or objects only.")
    async def changes(
        self, info: Info, kinds: list[str] | None = None, objects: list[str] | None = None
    ) -> AsyncGenerator[Change, None]:
        """See the description."""
        require(info.context.principal, "changes")
        for kind in kinds or ():
            require_known(kind, sorted(KINDS))
        async with info.context.parts.changes.heard() as heard:
            async for change in heard:
                principal = require(info.context.principal, "changes")
                shown = await _visible(info.context, principal, change, kinds, objects) if change else None
                if shown is not None:
                    yield shown

    @strawberry.subscription(description="One invoice, now and after each change of it.")
    async def invoice_changed(self, info: Info, id: strawberry.ID) -> AsyncGenerator[Invoice, None]:
        """See the description."""
        principal = require(info.context.principal, "invoice_changed")
        parts = info.context.parts
        if not await parts.in_thread(lambda: sees(parts, principal, invoice_stream(id))):
            raise OutOfScope(id)
        async with parts.changes.heard() as heard:
            if (now := await invoice_now(info, id)) is not None:
                yield now
            async for change in heard:
                require(info.context.principal, "invoice_changed")
                touched = change is not None and (id in change.touched.get("invoice", ()) or change.truncated)
                if touched and (now := await invoice_now(info, id)) is not None:
                    yield now


async def _visible(
    context: Context, principal: Principal, change: ChangeRow, kinds: list[str] | None, objects: list[str] | None
) -> Change | None:
    """What of a change the listener asked for and may see; None when nothing of it."""
    asked = {
        kind: [name for name in names if objects is None or name in objects]
        for kind, names in change.touched.items()
        if kinds is None or kind in kinds
    }

    def visible() -> list[Touched]:
        found: list[Touched] = []
        for kind, names in asked.items():
            seen = [name for name in names if sees(context.parts, principal, stream_of(kind, name))]
            if seen:
                found.append(Touched(kind=kind, objects=seen))
        return found

    everything = principal.reach.everywhere
    touched = (
        [Touched(kind=kind, objects=names) for kind, names in asked.items() if names]
        if everything
        else await context.parts.in_thread(visible)
    )
    if not touched and not change.truncated:
        return None
    return Change(
        position=cast(Position, change.position),
        recorded_at=change.recorded_at,
        touched=touched,
        truncated=change.truncated,
    )
