"""An intake is one statement of a source system about one of its objects, in words that the domain can decide.

A translator makes intakes from a letter without looking anything up. It names what must be known first (``needs``);
when those names stand for something, ``commands`` says what to ask of the domain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from pydantic import BaseModel

from adapters.vendors.letter import Letter
from adapters.vendors.unreadable import WrongType
from domain.kernel import Addressed, Refused, StreamId
from domain.money import Money
from domain.ports import Read
from domain.reference.identifier import ExternalRef
from domain.timesheet import Work

YEAR_MIN: Final = 1970
YEAR_MAX: Final = 2199
NAME_CHARACTERS_MAX: Final = 200
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Names = Mapping[ExternalRef, str]
"""What outside names stand for; names that stand for nothing yet are missing."""


class Resolved(NamedTuple):
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


class Intake(NamedTuple):
    """One statement.

    ``source`` is the object spoken of. ``revision`` sorts statements about it as text; an empty one says that the
    object has no revisions. ``clocked``: the domain itself compares clocks, so that an older statement still counts
    where the object lives now. ``touches`` names the streams to load, ``home`` the stream where the object lives
    after this statement, ``about`` the context for an exception. ``awaits`` are objects of ours that must exist first.
    ``actor`` is who did it in the source, where the source tells.
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
    awaits: tuple[StreamId, ...] = ()
    actor: str | None = None


Translate = Callable[[Letter], Sequence[Intake]]
"""The statements in a letter, none when it tells nothing that matters here; raises Unreadable."""

MessageId = Callable[[Letter], str | None]
"""The vendor's own id of a message, None when it gives none."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """How one system's messages are named and read, and the forms of those that it may send, by ``<object>.<verb>``."""

    translate: Translate
    message_id: MessageId
    subjects: Mapping[str, type[BaseModel]] = field(default_factory=dict)


def revision_of(said_at: datetime) -> str:
    """A clock as text that sorts: UTC with microseconds."""
    return said_at.astimezone(UTC).isoformat(timespec="microseconds")


def moment(said_at: datetime, field: str) -> datetime:
    """A clock that can be compared; raises WrongType for one without its offset or outside of any business."""
    if said_at.tzinfo is None or not YEAR_MIN <= said_at.year <= YEAR_MAX:
        raise WrongType(f"{field}: {said_at} is not a time with its offset between {YEAR_MIN} and {YEAR_MAX}.")
    return said_at


def moment_of_ms(milliseconds: int, field: str) -> datetime:
    """A clock told as milliseconds since 1970; raises WrongType when it lies outside of any business."""
    try:
        return moment(EPOCH + timedelta(milliseconds=milliseconds), field)
    except OverflowError:
        raise WrongType(f"{field}: {milliseconds} is no time in milliseconds.") from None


def name(value: str | int, field: str) -> str:
    """An outside name as text; raises WrongType for one that cannot be a name: empty, too long or with blanks in it."""
    text = str(value)
    if not 0 < len(text) <= NAME_CHARACTERS_MAX or not text.isprintable() or " " in text:
        raise WrongType(f"{field}: {text[:40]!r} cannot be a name.")
    return text


def own_name(value: str | int, field: str) -> str:
    """An outside name that becomes one of ours: it must not hold what separates the parts of a stream's name."""
    text = name(value, field)
    if ":" in text or "@" in text or "/" in text:
        raise WrongType(f"{field}: {text[:40]!r} holds one of : @ / and cannot become a name of the ledger.")
    return text


def refusing(source: ExternalRef, said_at: datetime, refused: Refused, about: Callable[[Names], Context]) -> Intake:
    """A statement that was understood and cannot be accepted, whatever else is known."""

    def commands(_resolved: Resolved) -> Iterable[Addressed]:
        raise refused

    return Intake(source, revision_of(said_at), said_at, (), _no_streams, commands, about=about)


def _no_streams(_names: Names) -> Sequence[StreamId]:
    return ()
