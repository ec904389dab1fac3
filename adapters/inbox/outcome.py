"""What became of one message."""

from __future__ import annotations

from typing import NamedTuple

from adapters.eventstore.rows import Fate
from domain.kernel import StreamId


class Outcome(NamedTuple):
    """A message's fate with its reason, the streams whose rules were asked, and the events that were decided.

    ``waits_for`` and ``order_key`` are set when the message is parked.
    """

    fate: Fate
    code: str | None = None
    detail: str | None = None
    streams: tuple[StreamId, ...] = ()
    events: tuple[str, ...] = ()
    waits_for: str = ""
    order_key: str = ""
