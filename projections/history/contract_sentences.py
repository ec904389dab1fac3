"""Says in one sentence what was promised, and what happened to a promise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, assert_never

from domain.billing_limit import BillingLimitAgreed, LimitClaimed, LimitReached, LimitReleased
from domain.calendar import DayOpened
from domain.caps import Limit, Reached
from domain.contract import (
    Billing,
    FixedFeeMilestones,
    FixedFeeSchedule,
    ManagedService,
    PassThrough,
    PercentComplete,
    ResourceCap,
    Retainer,
    TimeAndMaterials,
)
from domain.engagement.agreement import EngagementCompleted
from domain.engagement.caps import BillingCredited, CapReached, EngagementCapAgreed, LimitsChanged
from domain.engagement.change_orders import ChangeOrderApproved, ChangeOrderProposed, ChangeOrderRejected
from domain.engagement.progress import CostRecorded, EstimateRevised, ProgressMeasured
from domain.engagement.retainer import (
    RetainerApplied,
    RetainerExpired,
    RetainerGranted,
    RetainerRefunded,
    RetainerUnapplied,
    RetainerUsable,
)
from domain.engagement.schedule import InstalmentDue, ServiceCreditGiven, ServicePeriodDue
from domain.lots import LotsDrawn, LotsUndrawn

Wording = Callable[[Any, str], str]


def terms_of(billing: Billing) -> str:
    """How a line is billed, in a few words."""
    match billing:
        case TimeAndMaterials():
            limit = _limit(Limit(billing.cap, billing.hours_cap))
            people = [_person(each) for each in billing.resource_caps]
            return ", ".join(["time and materials", *([f"at most {limit}"] if limit else []), *people])
        case FixedFeeMilestones(milestones=milestones):
            return f"fixed fee, {len(milestones)} milestones"
        case FixedFeeSchedule(price=price, instalments=instalments, timing=timing):
            return f"fixed fee of {price}, {len(instalments)} instalments in {timing}"
        case PercentComplete(price=price, measure=measure):
            return f"fixed fee of {price} by progress, measured by {measure}"
        case Retainer(amount=amount):
            return f"retainer of {amount}"
        case ManagedService(fee=fee):
            return f"managed service at {fee} a month"
        case PassThrough():
            return "costs passed on"
        case _:
            assert_never(billing)


def _limit(limit: Limit) -> str:
    parts = [str(limit.amount)] if limit.amount is not None else []
    parts += [f"{limit.hours} h"] if limit.hours is not None else []
    return " and ".join(parts)


def _person(cap: ResourceCap) -> str:
    return f"{cap.resource} at most {_limit(Limit(cap.amount, cap.hours))}"


def _limits(event: LimitsChanged) -> str:
    hours = f"{event.hours_cap} h" if event.hours_cap is not None else "any number of hours"
    people = "".join(f", {_person(each)}" for each in event.resource_caps)
    return f"Line {event.line} is limited to {hours}{people}; a lot that crosses a cap is cut by {event.cap_policy}."


def _reached(reached: Reached) -> str:
    def told(amount: Decimal) -> str:
        return f"{amount:,} {reached.unit}"

    return (
        f"{reached.percent} % of the cap of {reached.level} is used: {told(reached.consumed)} of {told(reached.limit)}."
    )


def _draws(draws: Any) -> str:
    first, more = draws[0], len(draws) - 1
    return f"{first.amount} of retainer {first.grant} for {first.lot}" + (f" and {more} more" if more > 0 else "")


CONTRACT: Final[Mapping[type, Wording]] = {
    LimitsChanged: lambda e, _: _limits(e),
    EngagementCapAgreed: lambda e, _: (
        f"At most {_limit(e.limit)} may be billed of the engagement." if e.limit else "The engagement's cap was lifted."
    ),
    BillingCredited: lambda e, _: f"Credit note {e.credit_note} gave back {e.amount} of line {e.line}.",
    CapReached: lambda e, _: _reached(e.reached),
    ChangeOrderProposed: lambda e, _: (
        f"{e.by} proposed change order {e.change_order} from {e.effective_from}: {e.because} ({e.treatment_because})."
    ),
    ChangeOrderApproved: lambda e, _: (
        f"{e.by} approved change order {e.change_order} from {e.effective_from} ({e.treatment_because})."
    ),
    ChangeOrderRejected: lambda e, _: f"{e.by} rejected change order {e.change_order}: {e.reason}",
    InstalmentDue: lambda e, _: f"Instalment {e.instalment} of line {e.line} fell due on {e.on}: {e.amount}.",
    ServicePeriodDue: lambda e, _: f"Service of line {e.line} from {e.starts} to {e.ends} fell due: {e.amount}.",
    ServiceCreditGiven: lambda e, _: f"{e.by} credited {e.amount} on line {e.line}: {e.reason}",
    EstimateRevised: lambda e, _: (
        f"{e.by} estimated the whole of line {e.line} at {e.total} ({e.measure}) from {e.on}: {e.reason}"
    ),
    ProgressMeasured: lambda e, _: (
        f"{e.by} measured {e.to_date} ({e.measure}) of line {e.line} up to {e.on}: {e.evidence}"
    ),
    CostRecorded: lambda e, _: (
        f"{e.source} told cost {e.cost} of line {e.line}: {e.amount} for {e.category} on {e.on}."
    ),
    RetainerGranted: lambda e, _: (
        f"Retainer {e.grant} of {e.amount} was granted on line {e.line}"
        + (f", to be used by {e.last_day}." if e.last_day else ".")
    ),
    RetainerUsable: lambda e, _: f"Retainer {e.grant} of line {e.line} may be used from {e.on}: {e.because}",
    RetainerApplied: lambda e, _: f"Work drew on line {e.line}: {_draws(e.draws)}.",
    RetainerUnapplied: lambda e, _: f"Line {e.line} got back {_draws(e.draws)}: {e.because}",
    RetainerExpired: lambda e, _: f"{e.amount} of retainer {e.grant} of line {e.line} lapsed on {e.on}.",
    RetainerRefunded: lambda e, _: f"{e.by} refunded {e.amount} of retainer {e.grant} of line {e.line}: {e.reason}",
    EngagementCompleted: lambda e, _: (
        f"{e.by} told that {f'line {e.line}' if e.line else 'the engagement'} was complete on {e.on}."
    ),
    BillingLimitAgreed: lambda e, _: (
        f"Customer {e.customer} may be billed at most {_limit(e.limit)} in {e.currency}."
        if e.limit
        else f"The limit of customer {e.customer} in {e.currency} was lifted."
    ),
    LimitClaimed: lambda e, _: f"Invoice {e.invoice} takes {e.amount} of the customer's limit.",
    LimitReleased: lambda e, _: f"Invoice {e.invoice} gave back what it had taken of the customer's limit.",
    LimitReached: lambda e, _: _reached(e.reached),
    DayOpened: lambda e, _: f"The day {e.day} began.",
    LotsDrawn: lambda e, _: f"Retainer {e.grant} paid for {', '.join(e.lots[:5])}.",
    LotsUndrawn: lambda e, _: f"No retainer pays for {', '.join(e.lots[:5])} any more: {e.because}",
}
"""How each kind of event around promises is worded."""
