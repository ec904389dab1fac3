"""A change order puts new versions of contract lines in force from a day on, once somebody else has approved it.

How it is accounted for follows from what it changes (IFRS 15.20 and 21, ASC 606-10-25-12 and 13): distinct services
at their stand-alone price are a contract of their own; otherwise what remains is a new contract if it is distinct from
what was done, and if it is not, the change is part of the same promise and catches up at once. The branch and its
reason are part of the event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, assert_never

from domain.contract import ContractLine
from domain.kernel import Refused

Treatment = Literal["separate", "prospective", "catch_up"]
ChangeOrderStatus = Literal["proposed", "approved", "rejected"]


@dataclass(frozen=True, slots=True)
class ProposeChangeOrder:
    """Propose new versions of lines, or further lines, from a day on.

    ``adds_distinct`` and ``at_stand_alone_price`` say whether the change only adds distinct services at their usual
    price (IFRS 15.20); ``remaining_distinct`` whether what remains is distinct from what was done (IFRS 15.21).
    """

    change_order: str
    effective_from: date
    lines: tuple[ContractLine, ...]
    adds_distinct: bool
    at_stand_alone_price: bool
    remaining_distinct: bool
    because: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ApproveChangeOrder:
    """Put a proposed change order in force."""

    change_order: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RejectChangeOrder:
    """Turn a proposed change order down."""

    change_order: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChangeOrderProposed:
    """New versions of contract lines were proposed; ``treatment`` says how they will be accounted for, and why."""

    change_order: str
    effective_from: date
    lines: tuple[ContractLine, ...]
    treatment: Treatment
    treatment_because: str
    because: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChangeOrderApproved:
    """New versions of contract lines were put in force from a day on."""

    change_order: str
    effective_from: date
    lines: tuple[ContractLine, ...]
    treatment: Treatment
    treatment_because: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ChangeOrderRejected:
    """A proposed change order was turned down."""

    change_order: str
    reason: str
    by: str
    at: datetime


class UnknownChangeOrder(Refused):
    """The engagement has no such change order."""

    code = "engagement.unknown_change_order"
    fix = "Propose the change order first, or use the id of a proposed one."


class ChangeOrderDecided(Refused):
    """A change order is decided once."""

    code = "engagement.change_order_decided"
    fix = "Propose a further change order."


class ChangeOrderKnownOtherwise(Refused):
    """The change order was proposed before with other terms."""

    code = "engagement.change_order_known_otherwise"
    fix = "Reject the proposed one and propose the new terms under another id."


class ChangeOrderSelfApproval(Refused):
    """Nobody approves a change order that they proposed."""

    code = "engagement.change_order_self_approval"
    fix = "Let somebody else approve it."


class ChangeOrderEmpty(Refused):
    """A change order says which lines it changes, and why."""

    code = "engagement.change_order_empty"
    fix = "Name at least one line and the reason."


ChangeOrderCommand = ProposeChangeOrder | ApproveChangeOrder | RejectChangeOrder
ChangeOrderEvent = ChangeOrderProposed | ChangeOrderApproved | ChangeOrderRejected


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """A change order as it stands."""

    proposed: ChangeOrderProposed
    status: ChangeOrderStatus = "proposed"


ChangeOrders = Mapping[str, ChangeOrder]


def treatment_of_change(
    adds_distinct: bool, at_stand_alone_price: bool, remaining_distinct: bool
) -> tuple[Treatment, str]:
    """How a change of a contract is accounted for, with the paragraph that says so (IFRS 15.20 and 21)."""
    if adds_distinct and at_stand_alone_price:
        return "separate", "IFRS 15.20: it adds distinct services at their stand-alone price"
    if remaining_distinct:
        return "prospective", "IFRS 15.21(a): what remains is distinct from what was done before the change"
    return "catch_up", "IFRS 15.21(b): what remains is part of one promise that was begun before the change"


def decide_change_order(command: ChangeOrderCommand, state: ChangeOrders) -> Sequence[ChangeOrderEvent]:
    """What a command does to the change orders of an engagement; the lines are checked by the engagement."""
    match command:
        case ProposeChangeOrder():
            return _propose(command, state)
        case ApproveChangeOrder(name, by, at):
            order = _known(name, state)
            if order.status == "approved":
                return []
            if order.status != "proposed":
                raise ChangeOrderDecided(f"{name} was {order.status}.")
            told = order.proposed
            if by == told.by:
                raise ChangeOrderSelfApproval(f"{by}: {name}.")
            return [
                ChangeOrderApproved(
                    name, told.effective_from, told.lines, told.treatment, told.treatment_because, by, at
                )
            ]
        case RejectChangeOrder(name, reason, by, at):
            order = _known(name, state)
            if order.status == "rejected":
                return []
            if order.status != "proposed":
                raise ChangeOrderDecided(f"{name} was {order.status}.")
            return [ChangeOrderRejected(name, reason, by, at)]
        case _:
            assert_never(command)


def _propose(command: ProposeChangeOrder, state: ChangeOrders) -> Sequence[ChangeOrderProposed]:
    if not command.lines or not command.because.strip():
        raise ChangeOrderEmpty(command.change_order)
    treatment, why = treatment_of_change(
        command.adds_distinct, command.at_stand_alone_price, command.remaining_distinct
    )
    proposed = ChangeOrderProposed(
        change_order=command.change_order,
        effective_from=command.effective_from,
        lines=command.lines,
        treatment=treatment,
        treatment_because=why,
        because=command.because,
        by=command.by,
        at=command.at,
    )
    known = state.get(command.change_order)
    if known is None:
        return [proposed]
    if replace(known.proposed, at=command.at) != proposed:
        raise ChangeOrderKnownOtherwise(command.change_order)
    return []


def _known(name: str, state: ChangeOrders) -> ChangeOrder:
    if name not in state:
        raise UnknownChangeOrder(name)
    return state[name]


def evolve_change_orders(state: ChangeOrders, event: ChangeOrderEvent) -> ChangeOrders:
    """The change orders after one more event."""
    match event:
        case ChangeOrderProposed(name):
            return {**state, name: ChangeOrder(event)}
        case ChangeOrderApproved(name):
            return {**state, name: replace(state[name], status="approved")}
        case ChangeOrderRejected(name):
            return {**state, name: replace(state[name], status="rejected")}
        case _:
            assert_never(event)


def pending_change(state: ChangeOrders, line: str, day: date) -> ChangeOrder | None:
    """The proposed change order that would change a line on a day, if it were approved."""
    for order in state.values():
        told = order.proposed
        concerns = any(each.line == line for each in told.lines)
        if order.status == "proposed" and concerns and told.effective_from <= day:
            return order
    return None
