"""An intake is one statement of a source system about one of its objects, in words that the domain can decide.

A translator makes intakes from a letter without looking anything up. It names what must be known first (``needs``);
when those names stand for something, ``commands`` says what to ask of the domain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from adapters.vendors.letter import Letter
from domain.kernel import Addressed, StreamId
from domain.money import Money
from domain.ports import Read
from domain.reference.identifier import ExternalRef
from domain.timesheet import Work

Names = Mapping[ExternalRef, str]
"""What outside names stand for; names that stand for nothing yet are missing."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a statement's commands are made with: the names that it needs, where its object lived before, and the state
    of any stream.
    """

    names: Names
    home: StreamId | None
    read: Read


@dataclass(frozen=True, slots=True)
class Context:
    """What a person should know about a statement that could not be recorded, as far as it is known."""

    resource: str | None = None
    project: str | None = None
    engagement: str | None = None
    customer: str | None = None
    invoice: str | None = None
    hours: Decimal | None = None
    money: Money | None = None
    work: Work | None = None


def _nothing_known(_names: Names) -> Context:
    return Context()


def _nowhere(_names: Names) -> StreamId | None:
    return None


@dataclass(frozen=True, slots=True)
class Intake:
    """One statement.

    ``source`` is the object spoken of. ``revision`` sorts statements about it as text; an empty one says that the
    object has no revisions. ``clocked``: the domain itself compares clocks, so that an older statement still counts
    where the object lives now. ``touches`` names the streams to load, ``home`` the stream where the object lives
    after this statement, ``about`` the context for an exception.
    """

    source: ExternalRef
    revision: str
    said_at: datetime
    needs: tuple[ExternalRef, ...]
    touches: Callable[[Names], Sequence[StreamId]]
    commands: Callable[[Resolved], Iterable[Addressed]]
    home: Callable[[Names], StreamId | None] = _nowhere
    about: Callable[[Names], Context] = _nothing_known
    clocked: bool = False
    actor: str | None = None


Translate = Callable[[Letter], Sequence[Intake]]
"""The statements in a letter, none when it tells nothing that matters here; raises Unreadable."""

MessageId = Callable[[Letter], str | None]
"""The vendor's own id of a message, None when it gives none."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """How one system's messages are named and read."""

    translate: Translate
    message_id: MessageId


def revision_of(said_at: datetime) -> str:
    """A clock as text that sorts: UTC with microseconds."""
    return said_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
