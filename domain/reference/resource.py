"""A resource is a person who works on projects, known here by an opaque id, a role, an employer and a cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import assert_never

from domain.kernel import Decider, Refused
from domain.money import Money
from domain.periods import valid_on


@dataclass(frozen=True, slots=True)
class ResourceTerms:
    """What holds for a person from a day on; ``stated_at`` orders statements about the same day.

    ``cost_rate`` is per hour, in the currency of the employing entity; None where the role's there counts.
    ``capacity_hours_per_week`` is contractual.
    """

    effective_from: date
    role: str
    legal_entity: str
    location: str
    practice: str
    cost_rate: Money | None
    capacity_hours_per_week: Decimal
    stated_at: datetime


@dataclass(frozen=True, slots=True)
class DescribeResource:
    """State a person's role, employer and cost from a day on."""

    resource: str
    terms: ResourceTerms


@dataclass(frozen=True, slots=True)
class ResourceDescribed:
    """A person's role, employer and cost were stated from a day on."""

    resource: str
    terms: ResourceTerms


class NegativeCostRate(Refused):
    """An hour of work cannot cost less than nothing."""

    code = "resource.negative_cost_rate"
    fix = "Correct the cost rate in the HR system and send the worker again."


Event = ResourceDescribed
Command = DescribeResource


@dataclass(frozen=True, slots=True)
class Resource:
    """A person with all versions of their terms, in order of effective date."""

    resource: str = ""
    versions: tuple[ResourceTerms, ...] = ()

    def on(self, day: date) -> ResourceTerms | None:
        """The terms in force on a day, as stated last."""
        return valid_on(self.versions, day)


def decide(command: Command, state: Resource) -> Sequence[Event]:
    match command:
        case DescribeResource(resource, terms):
            if terms.cost_rate is not None and terms.cost_rate.amount < 0:
                raise NegativeCostRate(f"{resource}: {terms.cost_rate} from {terms.effective_from}.")
            return [] if terms in state.versions else [ResourceDescribed(resource, terms)]
        case _:
            assert_never(command)


def evolve(state: Resource, event: Event) -> Resource:
    versions = sorted((*state.versions, event.terms), key=lambda terms: (terms.effective_from, terms.stated_at))
    return Resource(event.resource, tuple(versions))


decider: Decider[Command, Resource, Event] = Decider("resource", Resource(), decide, evolve)
