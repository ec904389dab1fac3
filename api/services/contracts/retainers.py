"""Retainers are sold, and what was not used is paid back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from typing_extensions import Doc

from api.services.contracts.on_engagement import Engagement, Line, day_of, decided
from api.services.contracts.terms import money_of
from api.services.service import Amount, Call, Decision
from domain.engagement.retainer import GrantRetainer, RefundRetainer


@dataclass(frozen=True)
class GrantRetainerInput:
    """The next retainer of a line."""

    engagement: Engagement
    line: Line
    grant: Annotated[str, Doc("Its id within the line.")]
    amount: Annotated[Amount | None, Doc("Left out, the amount of the contract.")] = None
    on: Annotated[date | None, Doc("The day; left out, today at the selling entity.")] = None


def grant_retainer(asked: GrantRetainerInput, call: Call) -> Decision:
    """Sell the next retainer of a line; it is invoiced, and work draws on it afterwards."""
    call.require_engagement(asked.engagement)
    on = day_of(asked.on, asked.engagement, call)
    return decided(asked.engagement, call, GrantRetainer(asked.line, asked.grant, on, call.now, money_of(asked.amount)))


@dataclass(frozen=True)
class RefundRetainerInput:
    """A part of a retainer that is paid back."""

    engagement: Engagement
    line: Line
    grant: Annotated[str, Doc("The retainer.")]
    amount: Annotated[Amount, Doc("What is paid back; at most what is left.")]
    reason: Annotated[str, Doc("Why.")]
    on: Annotated[date | None, Doc("The day; left out, today at the selling entity.")] = None


def refund_retainer(asked: RefundRetainerInput, call: Call) -> Decision:
    """Pay back a part of a retainer that was not used."""
    call.require_engagement(asked.engagement)
    on = day_of(asked.on, asked.engagement, call)
    command = RefundRetainer(asked.line, asked.grant, asked.amount.money, on, asked.reason, call.actor)
    return decided(asked.engagement, call, command)
