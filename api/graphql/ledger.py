"""The question of the ledger itself: how far it has come, and how fresh each source is."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import strawberry

from api.graphql.asking import Asked, AsOfArgument, Info, SourceLag, WaitFor, Watermark, ask
from api.graphql.scalars import Position
from projections.reader import Watermark as WatermarkRow


def _sources(root: strawberry.Parent[WatermarkRow]) -> list[SourceLag]:
    return cast(list[SourceLag], list(root.sources))


def _watermark(root: strawberry.Parent[WatermarkRow]) -> Watermark:
    return cast(Watermark, root)


@strawberry.type(description="How far the ledger has come.")
class Ledger:
    """See the description."""

    position: Position = strawberry.field(description="The newest fact that answers contain.")
    recorded_at: datetime | None = strawberry.field(description="When that fact was recorded.")
    head_position: Position = strawberry.field(description="The newest fact of the log.")
    sources: list[SourceLag] = strawberry.field(resolver=_sources, description="The newest fact of each source.")
    watermark: Watermark = strawberry.field(resolver=_watermark, description="How fresh the answer is.")


@strawberry.type
class LedgerQueries:
    """What may be asked about the ledger itself."""

    @strawberry.field(description="How far the ledger has come, and how fresh each source is.")
    async def ledger(self, info: Info, as_of: AsOfArgument = None, wait_for: WaitFor = None) -> Ledger:
        """See the description."""

        def question(asked: Asked) -> WatermarkRow:
            return asked.view.watermark

        return cast(Ledger, await ask(info, "ledger", question, as_of=as_of, wait_for=wait_for))
