"""What a message may wait for: an outside name that nobody has assigned yet, or the next event of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adapters.eventstore.unit import Loaded
from domain.engagement import EngagementNotOpened, PredecessorIncomplete, UnknownLine, UnknownMilestone
from domain.engagement.change_orders import UnknownChangeOrder
from domain.engagement.retainer import UnknownGrant
from domain.exception import exception_stream
from domain.expense import UnknownExpense
from domain.invoice import InvoiceNotFound, NotIssued, UnknownDispute
from domain.kernel import Refused, StreamId
from domain.lots import UnknownLot
from domain.payment import PaymentUnknown
from domain.project import ProjectNotCreated
from domain.reference.identifier import ExternalRef, identifier_stream
from domain.reference.rate_card import UnknownRateRow
from domain.timesheet import UnknownEntry

NOT_YET: Final[tuple[type[Refused], ...]] = (
    EngagementNotOpened,
    InvoiceNotFound,
    NotIssued,
    PaymentUnknown,
    PredecessorIncomplete,
    ProjectNotCreated,
    UnknownChangeOrder,
    UnknownDispute,
    UnknownEntry,
    UnknownExpense,
    UnknownGrant,
    UnknownLine,
    UnknownLot,
    UnknownMilestone,
    UnknownRateRow,
)
"""Refusals of what is told before its turn: messages come in any order, so these wait instead of failing."""

_AFTER: Final = "after:"


@dataclass(frozen=True, slots=True)
class Awaited:
    """One thing that messages wait for, ``key`` in the list of what is parked, and the exception that shows it."""

    key: str
    stream: StreamId
    version: int
    exception: StreamId

    def is_here(self, loaded: Loaded) -> bool:
        """Whether it has arrived, by the present state of its stream."""
        return loaded.version > self.version


def name_awaited(ref: ExternalRef) -> Awaited:
    """An outside name must be assigned."""
    return Awaited(str(ref), identifier_stream(ref), 0, exception_stream("waiting", ref.system, ref.object, ref.id))


def stream_awaited(stream: StreamId, version: int) -> Awaited:
    """Something must happen to a stream, behind a version that was not enough."""
    return Awaited(f"{_AFTER}{stream}@{version}", stream, version, exception_stream("waiting", stream))


def awaited(key: str) -> Awaited:
    """What a key in the list of what is parked means."""
    if key.startswith(_AFTER):
        stream, _, version = key.removeprefix(_AFTER).rpartition("@")
        return stream_awaited(StreamId(stream), int(version) if version.isdigit() else 0)
    system, _, rest = key.partition(":")
    kind, _, outside = rest.partition(":")
    return name_awaited(ExternalRef(system, kind, outside))
