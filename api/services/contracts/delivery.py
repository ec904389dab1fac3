"""Delivery: what is done of a line, what it will take, what it costs, and what is taken off for bad service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from typing_extensions import Doc

from api.services.contracts.on_engagement import Engagement, Line, day_of, decided
from api.services.contracts.terms import MEASURES, one_of
from api.services.service import Amount, Call, Decision
from domain.engagement.progress import MeasureProgress, RecordCost, ReviseEstimate
from domain.engagement.schedule import GiveServiceCredit


@dataclass(frozen=True)
class MeasureProgressInput:
    """What is done of a line."""

    engagement: Engagement
    line: Line
    to_date: Annotated[Decimal, Doc("All that is done up to the day, in the unit of the measure; manual: 0 to 1.")]
    measure: Annotated[str, Doc("cost, hours, units, milestones or manual.")]
    evidence: Annotated[str, Doc("Where it can be read.")]
    on: Annotated[date | None, Doc("The day; left out, today at the selling entity.")] = None


def _measure(said: str) -> Any:
    return one_of(said, MEASURES, "measure")


def measure_progress(asked: MeasureProgressInput, call: Call) -> Decision:
    """Record what is done of a line; what may be billed more, or less, becomes a lot."""
    call.require_engagement(asked.engagement)
    command = MeasureProgress(
        asked.line,
        day_of(asked.on, asked.engagement, call),
        asked.to_date,
        _measure(asked.measure),
        asked.evidence,
        call.actor,
        call.now,
    )
    return decided(asked.engagement, call, command)


@dataclass(frozen=True)
class ReviseEstimateInput:
    """What the whole of a line will take."""

    engagement: Engagement
    line: Line
    total: Annotated[Decimal, Doc("The new estimate of the whole, in the unit of the measure.")]
    measure: Annotated[str, Doc("cost, hours, units, milestones or manual.")]
    reason: Annotated[str, Doc("Why it differs from the last one.")]
    on: Annotated[date | None, Doc("The day; left out, today at the selling entity.")] = None


def revise_estimate(asked: ReviseEstimateInput, call: Call) -> Decision:
    """Estimate anew what the whole of a line takes; progress catches up at once."""
    call.require_engagement(asked.engagement)
    command = ReviseEstimate(
        asked.line,
        day_of(asked.on, asked.engagement, call),
        asked.total,
        _measure(asked.measure),
        asked.reason,
        call.actor,
        call.now,
    )
    return decided(asked.engagement, call, command)


@dataclass(frozen=True)
class RecordCostInput:
    """A cost of a line that no timesheet or expense report holds."""

    engagement: Engagement
    line: Line
    cost: Annotated[str, Doc("Its id, e.g. the subcontractor's invoice.")]
    amount: Annotated[Amount, Doc("What it costs.")]
    category: Annotated[str, Doc("What it is for.")]
    on: Annotated[date | None, Doc("The day; left out, today at the selling entity.")] = None


def record_cost(asked: RecordCostInput, call: Call) -> Decision:
    """Record a cost of a line, such as a subcontractor's bill."""
    call.require_engagement(asked.engagement)
    on = day_of(asked.on, asked.engagement, call)
    command = RecordCost(asked.line, asked.cost, on, asked.amount.money, asked.category, call.actor)
    return decided(asked.engagement, call, command)


@dataclass(frozen=True)
class GiveServiceCreditInput:
    """What is taken off because service was not as promised."""

    engagement: Engagement
    line: Line
    credit: Annotated[str, Doc("Its id within the line.")]
    amount: Annotated[Amount, Doc("What is taken off, as a positive amount.")]
    reason: Annotated[str, Doc("Which service level was missed.")]
    on: Annotated[date | None, Doc("The day; left out, today at the selling entity.")] = None


def give_service_credit(asked: GiveServiceCreditInput, call: Call) -> Decision:
    """Credit the customer for service that was not as promised: a negative item on the next invoice."""
    call.require_engagement(asked.engagement)
    on = day_of(asked.on, asked.engagement, call)
    command = GiveServiceCredit(asked.line, asked.credit, on, asked.amount.money, asked.reason, call.actor, call.now)
    return decided(asked.engagement, call, command)
