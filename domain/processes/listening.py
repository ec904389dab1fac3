"""Listening: which customers other systems know, and on which days the systems that tell of work were heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.kernel import Addressed, Recorded, StreamId, stream_of
from domain.ports import Candidates, Read
from domain.reference.customer import RecordKnownIn
from domain.reference.identifier import IdentifierAssigned
from domain.reference.source_system import HearSource, SourceSystem, source_system_stream
from domain.timesheet import ClaimHeard, TimeCorrected, TimeLogged, TimeWithdrawn

CUSTOMER: Final = "customer"
"""The kind of object whose outside names are those of customers."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Reacts to names that are given to customers, and to everything that is told of hours."""

    name: str = "listening"

    def needs(self, fact: Recorded[object]) -> Sequence[StreamId]:
        """The streams that a reaction will read."""
        match fact.event:
            case TimeLogged(claim=claim) | TimeCorrected(claim=claim) | ClaimHeard(claim=claim):
                return [source_system_stream(claim.system)]
            case TimeWithdrawn(claim=claim):
                return [source_system_stream(claim.system)]
            case _:
                return []

    def asks_candidates(self, _fact: Recorded[object]) -> bool:
        """Whether a reaction asks the read model which work it touches."""
        return False

    def react(self, fact: Recorded[object], read: Read, _candidates: Candidates) -> Sequence[Addressed]:
        """The commands that a fact leads to."""
        match fact.event:
            case IdentifierAssigned(ref, customer) if ref.object == CUSTOMER:
                return [Addressed(stream_of("customer", customer), RecordKnownIn(ref.system, ref.id))]
            case TimeLogged() | TimeCorrected() | ClaimHeard() | TimeWithdrawn():
                system, day = fact.event.claim.system, fact.recorded_at.date()
                stream = source_system_stream(system)
                source: SourceSystem = read(stream)
                is_news = source.heard_on is None or source.heard_on < day
                return [Addressed(stream, HearSource(system, day))] if is_news else []
            case _:
                return []
