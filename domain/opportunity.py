"""An opportunity is a deal in the CRM; when it is won, an engagement begins.

The CRM tells it in partial updates. It counts as won once its stage says so and its customer, entity and currency are
known, whatever order the messages came in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import assert_never

from domain.kernel import Decider, StreamId, stream_of
from domain.statements import FieldChange, Fields, Scalar, heard, news, value

FIELDS = ("title", "customer", "selling_entity", "currency", "closes_on", "won", "purchase_order_required")
REQUIRED_WHEN_WON = ("title", "customer", "selling_entity", "currency", "closes_on")
LINE = "line:"
"""What the fields of a deal's line begin with: ``line:<the CRM's id of the line>:<field>``."""


def opportunity_stream(system: str, deal: str) -> StreamId:
    """The history of one deal: ``opportunity:salesforce:006...``."""
    return stream_of("opportunity", system, deal)


@dataclass(frozen=True, slots=True)
class TellOpportunity:
    """Tell some fields of a deal, as the CRM said them at a moment; ``won`` is ``true`` or ``false``."""

    opportunity: str
    told: Mapping[str, Scalar]
    at: datetime


@dataclass(frozen=True, slots=True)
class OpportunityTold:
    """The CRM told newer values of some fields of a deal."""

    opportunity: str
    changes: tuple[FieldChange, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class OpportunityWon:
    """The deal is won and complete: what an engagement needs is in the event."""

    opportunity: str
    title: str
    customer: str
    selling_entity: str
    currency: str
    won_on: date
    purchase_order_required: bool


Event = OpportunityTold | OpportunityWon
Command = TellOpportunity


@dataclass(frozen=True, slots=True)
class Opportunity:
    """A deal as the CRM has told it so far."""

    opportunity: str = ""
    fields: Fields = field(default_factory=dict)
    won: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields that a won deal still lacks."""
        return tuple(name for name in REQUIRED_WHEN_WON if not value(self.fields, name))


def decide(command: Command, state: Opportunity) -> Sequence[Event]:
    match command:
        case TellOpportunity(opportunity, told, at):
            known = {name: text for name, text in told.items() if name in FIELDS or name.startswith(LINE)}
            changes = news(known, at, state.fields)
            if not changes:
                return []
            told_event = OpportunityTold(opportunity, changes, at)
            after = evolve(state, told_event)
            return [told_event, *_won(after)]
        case _:
            assert_never(command)


def _won(state: Opportunity) -> Sequence[OpportunityWon]:
    if state.won or state.missing or value(state.fields, "won") != "true":
        return []
    text = {name: value(state.fields, name) or "" for name in FIELDS}
    return [
        OpportunityWon(
            opportunity=state.opportunity,
            title=text["title"],
            customer=text["customer"],
            selling_entity=text["selling_entity"],
            currency=text["currency"],
            won_on=date.fromisoformat(text["closes_on"]),
            purchase_order_required=text["purchase_order_required"] == "true",
        )
    ]


def evolve(state: Opportunity, event: Event) -> Opportunity:
    match event:
        case OpportunityTold(opportunity, changes, at):
            return replace(state, opportunity=opportunity, fields=heard(state.fields, changes, at))
        case OpportunityWon():
            return replace(state, won=True)
        case _:
            assert_never(event)


decider: Decider[Command, Opportunity, Event] = Decider("opportunity", Opportunity(), decide, evolve)
