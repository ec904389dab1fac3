"""Limits on what may be billed: of a line, of a person, of an engagement, of a customer."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from typing_extensions import Doc

from api.services.contracts.line_input import ResourceCapInput
from api.services.contracts.on_engagement import Engagement, Line, decided
from api.services.contracts.terms import CAP_POLICIES, money_of, one_of, resource_caps_of
from api.services.service import Amount, Call, Decision
from domain.billing_limit import AgreeBillingLimit, billing_limit_stream
from domain.caps import Limit
from domain.engagement.caps import AgreeEngagementCap, ChangeLimits
from domain.kernel import Addressed


@dataclass(frozen=True)
class ChangeLimitsInput:
    """The caps of a line besides its amount."""

    engagement: Engagement
    line: Line
    hours_cap: Annotated[Decimal | None, Doc("The most hours that may be billed; left out, no limit.")] = None
    resource_caps: Annotated[tuple[ResourceCapInput, ...] | None, Doc("Caps of single people.")] = None
    cap_policy: Annotated[str | None, Doc("partial or whole_item.")] = None


def change_limits(asked: ChangeLimitsInput, call: Call) -> Decision:
    """State anew how many hours of a line may be billed, how much of each person's work, and how caps cut."""
    policy = one_of(asked.cap_policy, CAP_POLICIES, "capPolicy")
    command = ChangeLimits(asked.line, asked.hours_cap, resource_caps_of(asked.resource_caps), policy)
    return decided(asked.engagement, call, command)


def _limit(amount: Amount | None, hours: Decimal | None, policy: str | None) -> Limit | None:
    if amount is None and hours is None:
        return None
    return Limit(money_of(amount), hours, one_of(policy, CAP_POLICIES, "capPolicy"))


@dataclass(frozen=True)
class AgreeEngagementCapInput:
    """What may be billed of a whole engagement."""

    engagement: Engagement
    amount: Annotated[Amount | None, Doc("In money.")] = None
    hours: Annotated[Decimal | None, Doc("In hours.")] = None
    cap_policy: Annotated[str | None, Doc("partial or whole_item.")] = None


def agree_engagement_cap(asked: AgreeEngagementCapInput, call: Call) -> Decision:
    """Agree what may be billed of a whole engagement; with neither amount nor hours there is no limit any more."""
    limit = _limit(asked.amount, asked.hours, asked.cap_policy)
    return decided(asked.engagement, call, AgreeEngagementCap(limit))


@dataclass(frozen=True)
class AgreeBillingLimitInput:
    """What a customer may be billed in all, in one currency."""

    customer: Annotated[str, Doc("The customer.")]
    currency: Annotated[str, Doc("The currency of the engagements that it limits.")]
    amount: Annotated[Amount | None, Doc("In money.")] = None
    hours: Annotated[Decimal | None, Doc("In hours.")] = None
    cap_policy: Annotated[str | None, Doc("partial or whole_item.")] = None
    billed_before: Annotated[Decimal | None, Doc("What of it was billed before it was agreed.")] = None


def agree_billing_limit(asked: AgreeBillingLimitInput, call: Call) -> Decision:
    """Agree what a customer may be billed over all engagements; with neither amount nor hours it is lifted."""
    call.require_firm()
    call.require_customer(asked.customer)
    limit = _limit(asked.amount, asked.hours, asked.cap_policy)
    command = AgreeBillingLimit(asked.customer, asked.currency, limit, asked.billed_before or Decimal(0))
    return Decision([Addressed(billing_limit_stream(asked.customer, asked.currency), command)], ())
