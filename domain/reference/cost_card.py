"""A cost card lists what an hour of each role costs a legal entity, each row from a day on.

It counts for people whose own cost is not stated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.money import Money
from domain.periods import valid_on


def cost_card_stream(entity: str) -> StreamId:
    """The card of one legal entity: ``cost_card:DE01``."""
    return stream_of("cost_card", entity)


@dataclass(frozen=True, slots=True)
class CostRow:
    """What an hour of a role costs from a day on, in the currency of the employing entity."""

    role: str
    rate: Money
    effective_from: date


@dataclass(frozen=True, slots=True)
class SetCostRate:
    """State what an hour of a role costs a legal entity from a day on."""

    entity: str
    row: CostRow


@dataclass(frozen=True, slots=True)
class CostRateSet:
    """What an hour of a role costs was stated from a day on."""

    entity: str
    row: CostRow


class NegativeRoleCost(Refused):
    """An hour of a role cannot cost less than nothing."""

    code = "cost_card.negative_rate"
    fix = "Send the cost rate as zero or more."


Event = CostRateSet
Command = SetCostRate


@dataclass(frozen=True, slots=True)
class CostCard:
    """The rows of one legal entity in the order told."""

    rows: tuple[CostRow, ...] = ()

    def on(self, role: str, day: date) -> CostRow | None:
        """The row of a role in force on a day."""
        return valid_on((row for row in self.rows if row.role == role), day)


def decide(command: Command, state: CostCard) -> Sequence[Event]:
    if command.row.rate.amount < 0:
        raise NegativeRoleCost(f"{command.row.role}: {command.row.rate}.")
    known = state.on(command.row.role, command.row.effective_from)
    return [] if known == command.row else [CostRateSet(command.entity, command.row)]


def evolve(state: CostCard, event: Event) -> CostCard:
    return CostCard((*state.rows, event.row))


decider: Decider[Command, CostCard, Event] = Decider("cost_card", CostCard(), decide, evolve)
