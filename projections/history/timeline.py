"""What happened to an object and to what concerns it, one sentence each, with who caused it and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.kernel import Recorded, StreamId, decider_name
from projections.follow import Log
from projections.history.sentences import sentence
from projections.history.timeline_fold import KINDS
from projections.pages import Conditions, Page, PageRequest, Sort, page_of, paged
from projections.reader import View

HISTORY_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One fact: where it stands, when it was recorded and when it was true, who caused it, and what it says."""

    id: str
    stream: StreamId
    version: int
    position: int
    name: str
    recorded_at: datetime
    occurred_at: datetime | None
    actor: str
    sentence: str
    message_id: str | None
    correlation_id: str
    causation_id: str | None


SORTS: Final = {"position": Sort((("t.position", "bigint"),))}


def find(view: View, log: Log, subject: StreamId, page: PageRequest) -> Page[TimelineEntry]:
    """One page of what concerns an object, up to the position of the view.

    An engagement, project, invoice or customer gathers what concerns it from other streams too. Any other object, a
    week of time for example, has a short history of its own.
    """
    if decider_name(subject) not in KINDS:
        facts = log.history(subject, until_position=view.watermark.position)
        return page_of([entry_of(fact) for fact in facts], SORTS, page, lambda entry: (str(entry.position),))
    conditions = Conditions()
    conditions.add("t.subject = %s", subject)
    found = paged(view, "SELECT t.stream, t.version", "timeline t", conditions, SORTS, page, _id)
    facts_by_id = {fact.id: fact for fact in log.events(found.items)}
    return Page(tuple(entry_of(facts_by_id[id_]) for id_ in found.items), found.cursors, found.has_next)


def history(
    log: Log, stream: StreamId, after_version: int = 0, limit: int = 100, until_position: int | None = None
) -> tuple[TimelineEntry, ...]:
    """The facts of one stream behind a version, the oldest first."""
    facts = log.history(stream, after=after_version, until_position=until_position)
    return tuple(entry_of(fact) for fact in facts[: min(limit, HISTORY_MAX)])


def entries_of(facts: Iterable[Recorded[Any]]) -> tuple[TimelineEntry, ...]:
    """Facts as they are shown."""
    return tuple(entry_of(fact) for fact in facts)


def entry_of(fact: Recorded[Any]) -> TimelineEntry:
    """A fact as it is shown."""
    cause = fact.cause
    return TimelineEntry(
        id=fact.id,
        stream=fact.stream,
        version=fact.version,
        position=fact.position,
        name=fact.name,
        recorded_at=fact.recorded_at,
        occurred_at=cause.occurred_at,
        actor=cause.actor,
        sentence=sentence(fact),
        message_id=cause.message_id,
        correlation_id=cause.correlation_id,
        causation_id=cause.causation_id,
    )


def _id(values: Sequence[Any]) -> str:
    return f"{values[0]}@{values[1]}"
