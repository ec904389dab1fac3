"""Changing: a change order leaves alone what is billed, and what it adds to work already done is billed at once."""

from __future__ import annotations

from collections.abc import Sequence

from domain.contract.rules import require_consistent
from domain.engagement.agreeing import require_keeps_what_fell_due
from domain.engagement.caps import require_above_billed
from domain.engagement.change_orders import (
    ChangeOrderApproved,
    ChangeOrderCommand,
    ChangeOrderProposed,
    decide_change_order,
)
from domain.engagement.progress import caught_up
from domain.engagement.state import Engagement, evolve
from domain.engagement.words import Event
from domain.lots import LotRated


def decide_change(command: ChangeOrderCommand, state: Engagement) -> Sequence[Event]:
    """A change order with what the engagement says of its lines; what it makes of progress so far is billed at once."""
    state.terms  # noqa: B018 -- refuses before the engagement exists
    events: list[Event] = [*decide_change_order(command, state.change_orders)]
    for event in list(events):
        if isinstance(event, ChangeOrderProposed | ChangeOrderApproved):
            for line in event.lines:
                require_consistent(line, state.currency)
                require_keeps_what_fell_due(line, state)
            after = {**state.lines, **{line.line: line for line in event.lines}}
            require_above_billed(state.terms.engagement, after, state.caps, state.currency)
        if isinstance(event, ChangeOrderApproved) and event.treatment == "catch_up":
            events += _catch_up(event, evolve(state, event))
    return events


def _catch_up(event: ChangeOrderApproved, after: Engagement) -> Sequence[LotRated]:
    """What a change of price or budget adds at once to the bill of lines that are billed by progress."""
    caught: list[LotRated] = []
    for changed in event.lines:
        day = after.progress_day(changed.line, event.effective_from)
        line = after.line_on(changed.line, day)
        if line is not None:
            caught += caught_up(line, after.progress, day, event.at, after.agreement, after.lots)
    return caught
