"""What every service on a contract needs: its engagement, its line, and the day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from typing_extensions import Doc

from api.services.service import Call, Decision
from domain.kernel import Addressed, stream_of

Engagement = Annotated[str, Doc("The engagement.")]
Line = Annotated[str, Doc("The contract line.")]


def decided(engagement: str, call: Call, command: Any) -> Decision:
    """A command to an engagement, by whom it may be told it."""
    call.require_engagement(engagement)
    stream = stream_of("engagement", engagement)
    return Decision([Addressed(stream, command)], (stream,))


def day_of(asked: date | None, engagement: str, call: Call) -> date:
    """The day that was named, or today at the selling entity."""
    entity = call.read(stream_of("engagement", engagement)).terms.selling_entity
    return asked or call.today_at(entity)
