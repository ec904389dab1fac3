"""Lines are agreed, changed by change orders, and completed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from typing_extensions import Doc

from api.services.contracts.line_input import LineInput
from api.services.contracts.on_engagement import Engagement, day_of, decided
from api.services.contracts.terms import contract_line
from api.services.service import Call, Decision
from domain.engagement.agreement import AgreeLine, CompleteEngagement
from domain.engagement.change_orders import ApproveChangeOrder, ProposeChangeOrder, RejectChangeOrder


@dataclass(frozen=True)
class AgreeLineInput:
    """A promise to add to an engagement, or to put in the place of one that is not billed yet."""

    engagement: Engagement
    line: Annotated[LineInput, Doc("The line with all its terms.")]


def agree_line(asked: AgreeLineInput, call: Call) -> Decision:
    """Agree a contract line with its billing method; one that contradicts itself is refused."""
    call.require_engagement(asked.engagement)
    on = day_of(None, asked.engagement, call)
    return decided(asked.engagement, call, AgreeLine(contract_line(asked.line), on))


@dataclass(frozen=True)
class ProposeChangeOrderInput:
    """New terms of an engagement from a day on."""

    engagement: Engagement
    change_order: Annotated[str, Doc("Its id within the engagement.")]
    effective_from: Annotated[date, Doc("The first day on which the new terms hold.")]
    lines: Annotated[tuple[LineInput, ...], Doc("The lines that change, and further ones, with all their terms.")]
    adds_distinct: Annotated[bool, Doc("Whether it only adds services that are distinct.")]
    at_stand_alone_price: Annotated[bool, Doc("Whether what it adds has its usual price.")]
    remaining_distinct: Annotated[bool, Doc("Whether what remains is distinct from what was done.")]
    because: Annotated[str, Doc("Why it is needed.")]


def propose_change_order(asked: ProposeChangeOrderInput, call: Call) -> Decision:
    """Propose new terms from a day on; how they are accounted for follows from what they change (IFRS 15.20, 21)."""
    command = ProposeChangeOrder(
        change_order=asked.change_order,
        effective_from=asked.effective_from,
        lines=tuple(contract_line(each) for each in asked.lines),
        adds_distinct=asked.adds_distinct,
        at_stand_alone_price=asked.at_stand_alone_price,
        remaining_distinct=asked.remaining_distinct,
        because=asked.because,
        by=call.actor,
        at=call.now,
    )
    return decided(asked.engagement, call, command)


@dataclass(frozen=True)
class ApproveChangeOrderInput:
    """A change order that comes into force."""

    engagement: Engagement
    change_order: Annotated[str, Doc("The proposed change order.")]


def approve_change_order(asked: ApproveChangeOrderInput, call: Call) -> Decision:
    """Put a change order in force; what is not billed is priced anew, and nobody approves their own."""
    return decided(asked.engagement, call, ApproveChangeOrder(asked.change_order, call.actor, call.now))


@dataclass(frozen=True)
class RejectChangeOrderInput:
    """A change order that is turned down."""

    engagement: Engagement
    change_order: Annotated[str, Doc("The proposed change order.")]
    reason: Annotated[str, Doc("Why.")]


def reject_change_order(asked: RejectChangeOrderInput, call: Call) -> Decision:
    """Turn a change order down; work that waited for it is billed under the old terms."""
    return decided(asked.engagement, call, RejectChangeOrder(asked.change_order, asked.reason, call.actor, call.now))


@dataclass(frozen=True)
class CompleteEngagementInput:
    """What is done."""

    engagement: Engagement
    line: Annotated[str | None, Doc("Only this line; left out, everything.")] = None
    on: Annotated[date | None, Doc("The day; left out, today at the selling entity.")] = None


def complete_engagement(asked: CompleteEngagementInput, call: Call) -> Decision:
    """Record that a line, or everything, is done: nothing is promised any more."""
    call.require_engagement(asked.engagement)
    on = day_of(asked.on, asked.engagement, call)
    return decided(asked.engagement, call, CompleteEngagement(on, call.actor, asked.line))
