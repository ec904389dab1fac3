"""A rate card lists what an hour is billed at, by role, location and person, each row from a day on.

Cards exist on four levels, the most specific first: contract line, engagement, customer, the firm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, assert_never

from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.money import Money

Scope = Literal["line", "engagement", "customer", "firm"]


def rate_card_stream(scope: Scope, *owner: str) -> StreamId:
    """The card of one owner: ``rate_card:line:E-1:L1``, ``rate_card:engagement:E-1``, ``rate_card:firm:ACME``."""
    return stream_of("rate_card", scope, *owner)


@dataclass(frozen=True, slots=True)
class RateRow:
    """An hourly bill rate for whoever matches; None matches everybody. ``row`` names it within its card.

    A ``pending`` row waits for its approval. A rate of zero is used only with the reason that it is meant.
    """

    row: str
    rate: Money
    effective_from: date
    role: str | None = None
    location: str | None = None
    resource: str | None = None
    effective_to: date | None = None
    pending: bool = False
    zero_because: str | None = None

    def is_twin_of(self, other: RateRow) -> bool:
        """Whether two rows say the same of the same people from the same day, under two names."""
        mine = (self.rate, self.effective_from, self.role, self.location, self.resource)
        theirs = (other.rate, other.effective_from, other.role, other.location, other.resource)
        return self.row != other.row and mine == theirs

    @property
    def specificity(self) -> int:
        """How narrowly the row matches: person before location before role."""
        return 4 * (self.resource is not None) + 2 * (self.location is not None) + (self.role is not None)


@dataclass(frozen=True, slots=True)
class SetRate:
    """Put a row on the card, or replace the row of the same name."""

    row: RateRow


@dataclass(frozen=True, slots=True)
class WithdrawRate:
    """Take a row off the card."""

    row: str


@dataclass(frozen=True, slots=True)
class ApproveRate:
    """Let a pending row be used."""

    row: str
    by: str


@dataclass(frozen=True, slots=True)
class ConfirmZeroRate:
    """Say that a row is meant to bill nothing, and why."""

    row: str
    because: str
    by: str


@dataclass(frozen=True, slots=True)
class RateSet:
    """A row was put on the card, or replaced."""

    row: RateRow


@dataclass(frozen=True, slots=True)
class RateWithdrawn:
    """A row was taken off the card."""

    row: str


@dataclass(frozen=True, slots=True)
class RateApproved:
    """A pending row may be used."""

    row: str
    by: str


@dataclass(frozen=True, slots=True)
class ZeroRateConfirmed:
    """A row is meant to bill nothing."""

    row: str
    because: str
    by: str


class UnknownRateRow(Refused):
    """The rate card has no such row."""

    code = "rate_card.unknown_row"
    fix = "Use the name of one of the card's rows."


class DuplicateRateRow(Refused):
    """A rate is on a card once for the same people from the same day."""

    code = "rate_card.duplicate_row"
    fix = "Change the row that is there already, or withdraw it first."


class NegativeRate(Refused):
    """A bill rate must not be negative."""

    code = "rate_card.negative_rate"
    fix = "Send the rate as zero or more; give discounts as adjustments of the invoice."


class RateEndsBeforeItStarts(Refused):
    """A rate must not end before it starts."""

    code = "rate_card.ends_before_start"
    fix = "Correct one of the two dates of the row."


Event = RateSet | RateWithdrawn | RateApproved | ZeroRateConfirmed
Command = SetRate | WithdrawRate | ApproveRate | ConfirmZeroRate


@dataclass(frozen=True, slots=True)
class RateCard:
    """The rows of one card."""

    rows: tuple[RateRow, ...] = ()

    def row(self, name: str) -> RateRow | None:
        """The row of a name, while it is on the card."""
        return next((row for row in self.rows if row.row == name), None)


def decide(command: Command, state: RateCard) -> Sequence[Event]:
    match command:
        case SetRate(row):
            if row.rate.amount < 0:
                raise NegativeRate(f"Row {row.row}: {row.rate}.")
            if row.effective_to is not None and row.effective_to < row.effective_from:
                raise RateEndsBeforeItStarts(f"Row {row.row}: {row.effective_from} to {row.effective_to}.")
            if twin := next((other for other in state.rows if row.is_twin_of(other)), None):
                raise DuplicateRateRow(f"{row.row} says what {twin.row} says.")
            return [] if state.row(row.row) == row else [RateSet(row)]
        case ApproveRate(name, by):
            return [RateApproved(name, by)] if _row(name, state).pending else []
        case ConfirmZeroRate(name, because, by):
            is_confirmed = _row(name, state).zero_because is not None
            return [] if is_confirmed else [ZeroRateConfirmed(name, because, by)]
        case WithdrawRate(name):
            return [RateWithdrawn(name)] if state.row(name) else []
        case _:
            assert_never(command)


def evolve(state: RateCard, event: Event) -> RateCard:
    match event:
        case RateSet(row):
            kept = tuple(other for other in state.rows if other.row != row.row)
            return replace(state, rows=(*kept, row))
        case RateWithdrawn(name):
            return replace(state, rows=tuple(row for row in state.rows if row.row != name))
        case RateApproved(name):
            return _changed(state, name, pending=False)
        case ZeroRateConfirmed(name, because):
            return _changed(state, name, zero_because=because)
        case _:
            assert_never(event)


def _row(name: str, state: RateCard) -> RateRow:
    row = state.row(name)
    if row is None:
        raise UnknownRateRow(name)
    return row


def _changed(state: RateCard, name: str, **fields: Any) -> RateCard:
    return replace(state, rows=tuple(replace(row, **fields) if row.row == name else row for row in state.rows))


decider: Decider[Command, RateCard, Event] = Decider("rate_card", RateCard(), decide, evolve)
