"""A cap limits what may be billed, in money or in hours; what is over it earns nothing until the cap is raised.

Caps exist for a person on a line, a line, an engagement and a customer. All that apply must leave room. Lots take up
what is left in their order, and the same allocation is used to show, to draft and to raise a cap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from domain.contract import CapPolicy
from domain.lots import Lot
from domain.money import Money, minor_unit, money_of, zero

ALERTS_AT_PERCENT = (75, 90, 100)
"""The shares of a cap at which the project manager is told (once each, until the cap is changed)."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that may be billed, in money, in hours, or both."""

    amount: Money | None = None
    hours: Decimal | None = None
    policy: CapPolicy = "partial"


@dataclass(frozen=True, slots=True)
class Consumed:
    """What drafts and invoices take of a limit, credits taken off."""

    amount: Money
    hours: Decimal = Decimal(0)

    def __add__(self, other: Consumed) -> Consumed:
        return Consumed(self.amount + other.amount, self.hours + other.hours)


@dataclass(frozen=True, slots=True)
class Room:
    """One cap with what is left of it. ``level`` names it for people: ``line L1``, ``W-7 on line L1``.

    ``resource``, ``line``, ``engagement`` and ``customer`` say whose work it limits; None means that of all.
    """

    level: str
    policy: CapPolicy
    amount: Money | None = None
    hours: Decimal | None = None
    line: str | None = None
    resource: str | None = None
    engagement: str | None = None
    customer: str | None = None

    def applies(self, candidate: Candidate) -> bool:
        """Whether a lot takes from this cap."""
        asked = (
            (self.customer, candidate.customer),
            (self.engagement, candidate.engagement),
            (self.line, candidate.line),
            (self.resource, candidate.resource),
        )
        return all(mine is None or mine == theirs for mine, theirs in asked)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open lot that wants to be billed; ``hours`` is zero for what is not billed by the hour."""

    lot: str
    work_date: date
    approved_at: datetime
    value: Money
    hours: Decimal = Decimal(0)
    line: str | None = None
    resource: str | None = None
    engagement: str | None = None
    customer: str | None = None

    @property
    def turn(self) -> tuple[date, datetime, str]:
        """The order in which lots take up a cap: work date, approval time, lot id."""
        return (self.work_date, self.approved_at, self.lot)


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a lot's value fits under its caps, how much is over, and the cap that was the narrowest.

    ``hours`` are those that fit where hours are what is left of that cap; else as many as the value says.
    """

    within: Money
    over: Money
    cut_by: Room | None = None
    hours: Decimal | None = None


def capped_hours(quantity: Decimal, unit: str, value: Money) -> Decimal:
    """The hours that work takes of a cap: none where it is not billed by the hour, or is worth nothing."""
    return quantity if unit == "hour" and value.amount > 0 else Decimal(0)


def candidate_of(lot: Lot, name: str | None = None) -> Candidate:
    """A lot that wants to be billed, under a name of its own where its id is not enough."""
    return Candidate(
        lot=name or lot.lot,
        work_date=lot.work_date,
        approved_at=lot.approved_at,
        value=lot.value,
        hours=capped_hours(lot.quantity, lot.unit, lot.value),
        line=lot.line,
        resource=lot.resource,
        engagement=lot.engagement,
        customer=lot.customer,
    )


def room_of(level: str, limit: Limit, taken: Consumed) -> Room:
    """What drafts and invoices leave of a limit, for the work of all."""
    amount = None if limit.amount is None else limit.amount - taken.amount
    hours = None if limit.hours is None else limit.hours - taken.hours
    return Room(level, limit.policy, amount, hours)


def allocate(rooms: Sequence[Room], candidates: Iterable[Candidate]) -> dict[str, Share]:
    """What each lot gets of what all its caps leave, in their order; see ``allocation`` for the caps afterwards."""
    return allocation(rooms, candidates)[0]


def allocation(rooms: Sequence[Room], candidates: Iterable[Candidate]) -> tuple[dict[str, Share], list[Room]]:
    """What each lot gets of what all its caps leave, in their order, and what the caps leave then.

    Under ``partial`` the lot that crosses a cap is split at it, to the cent; where one of the crossed caps says
    ``whole_item`` the lot is left out and the next that fits goes on. A lot of no value never takes anything. One below
    zero always fits, and gives the caps what it is worth once it is on a draft: until then nobody can rely on that.
    """
    left = list(rooms)
    shares: dict[str, Share] = {}
    for candidate in sorted(candidates, key=lambda each: each.turn):
        mine = [index for index, room in enumerate(left) if room.applies(candidate)]
        shares[candidate.lot] = share = _fitting([left[index] for index in mine], candidate)
        for index in mine if share.within.amount > 0 else ():
            left[index] = _taken_from(left[index], candidate, share.within, share.hours)
    return shares, left


def given_back(rooms: Sequence[Room], candidate: Candidate) -> list[Room]:
    """What the caps leave once a lot that took all of its value takes nothing any more."""
    return [_taken_from(room, candidate, -candidate.value) if room.applies(candidate) else room for room in rooms]


def _fitting(rooms: Sequence[Room], candidate: Candidate) -> Share:
    """How much of a lot fits under all of its caps, and the cap that cuts it."""
    value = candidate.value
    nothing = zero(value.currency)
    share = Share(value, nothing)
    if not value.amount > 0:
        return share
    for room in rooms:
        for fits, hours in _fits(room, candidate):
            if room.policy == "whole_item":
                return Share(nothing, value, room)
            if fits < share.within or (fits == share.within and hours is not None):
                share = Share(fits, value - fits, room, hours)
    return share


def _fits(room: Room, candidate: Candidate) -> Iterator[tuple[Money, Decimal | None]]:
    """What a cap leaves of a lot that is more than it, in money, and in hours with what these are worth."""
    value, nothing = candidate.value, zero(candidate.value.currency)
    if room.amount is not None and room.amount.currency == value.currency and room.amount < value:
        yield max(room.amount, nothing), None
    if room.hours is not None and room.hours < candidate.hours:
        hours = max(room.hours, Decimal(0))
        yield _value_of_hours(value, hours, candidate.hours), hours


def _value_of_hours(value: Money, hours: Decimal, of: Decimal) -> Money:
    """The value of so many of a lot's hours, half up; the rest of its hours is worth a minor unit at least."""
    worth = money_of(Fraction(value.amount) * Fraction(hours) / Fraction(of), value.currency)
    return min(worth, value - Money(minor_unit(value.currency), value.currency))


def _taken_from(room: Room, candidate: Candidate, within: Money, hours: Decimal | None = None) -> Room:
    if not within:
        return room
    if hours is None:
        hours = candidate.hours * within.amount / candidate.value.amount if candidate.value else Decimal(0)
    same_currency = room.amount is not None and room.amount.currency == within.currency
    return replace(
        room,
        amount=room.amount - within if room.amount is not None and same_currency else room.amount,
        hours=room.hours - hours if room.hours is not None else None,
    )


@dataclass(frozen=True, slots=True)
class Earned:
    """What work that is on no draft has earned under all of its caps: one line's, one person's."""

    line: str | None
    resource: str | None
    consumed: Consumed


@dataclass(frozen=True, slots=True)
class CapUse:
    """How far a cap is used up: by drafts and invoices net of credits, and by work that has earned and is on none."""

    level: str
    limit: Limit
    taken: Consumed
    earned: Consumed
    line: str | None = None
    resource: str | None = None

    @property
    def consumed(self) -> Consumed:
        """All that is used of it."""
        return self.taken + self.earned


@dataclass(frozen=True, slots=True)
class Reached:
    """A cap of which a share is consumed: in its own unit, a currency or hours."""

    level: str
    percent: int
    consumed: Decimal
    limit: Decimal
    unit: str


def alerts_of(level: str, limit: Limit, consumed: Consumed, told: Iterable[Reached]) -> Iterator[Reached]:
    """The alerts that a consumption gives: the highest share that is passed in each unit, where it was not told yet.

    What was told of another limit counts no more.
    """
    known = tuple(told)
    for now, most, unit in measures(limit, consumed):
        passed = max((percent for percent in ALERTS_AT_PERCENT if most * percent <= now * 100), default=0)
        same = (each for each in known if (each.level, each.unit, each.limit) == (level, unit, most))
        if passed > max((each.percent for each in same), default=0):
            yield Reached(level, passed, now, most, unit)


def measures(limit: Limit, consumed: Consumed) -> Iterator[tuple[Decimal, Decimal, str]]:
    """What is consumed of a limit, the limit, and their unit: in money and in hours, as far as it limits them."""
    if limit.amount is not None and limit.amount.amount > 0:
        yield consumed.amount.amount, limit.amount.amount, limit.amount.currency
    if limit.hours is not None and limit.hours > 0:
        yield consumed.hours, limit.hours, "hour"


Claims = Mapping[str, Consumed]
"""What each invoice takes of one cap."""
