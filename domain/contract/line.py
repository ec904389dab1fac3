"""A contract line is one promise inside an engagement: what is billed by which method, and how revenue is earned.

These are the words of what is promised; ``domain.contract.rules`` says which promises contradict themselves, and the
engagement holds the lines with all their versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from domain.money import Money

CapPolicy = Literal["partial", "whole_item"]
Timing = Literal["advance", "arrears"]
Measure = Literal["cost", "hours", "units", "milestones", "manual"]
RevenueMethod = Literal[
    "as_invoiceable", "straight_line", "percent_complete", "point_in_time", "completed_contract", "drawdown"
]
RevenueMeasure = Literal["cost", "hours", "units", "milestones", "manual"]
Overage = Literal["rate_card", "multiplier", "rate", "held"]
"""What becomes of work beyond a retainer: billed by the rate card, a multiple or a rate of its own, or held."""


@dataclass(frozen=True, slots=True)
class Uplift:
    """A multiplier on the bill rate for one kind of time, e.g. overtime at 1.5."""

    time_type: str
    multiplier: Decimal


@dataclass(frozen=True, slots=True)
class ResourceCap:
    """The most that may be billed of one person's work on a line, in money, in hours, or both."""

    resource: str
    amount: Money | None = None
    hours: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TimeAndMaterials:
    """Billed by the hour at the rate card, up to the caps if there are any (not to exceed).

    ``cap`` and ``hours_cap`` limit the line, ``resource_caps`` each person on it; all must be kept.
    """

    kind: Literal["time_and_materials"] = "time_and_materials"
    cap: Money | None = None
    cap_policy: CapPolicy = "partial"
    uplifts: tuple[Uplift, ...] = ()
    hours_cap: Decimal | None = None
    resource_caps: tuple[ResourceCap, ...] = ()


@dataclass(frozen=True, slots=True)
class Milestone:
    """A deliverable with its price, billed when the customer has accepted it; ``after`` names what must come first."""

    milestone: str
    title: str
    amount: Money
    project: str | None = None
    after: tuple[str, ...] = ()
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class FixedFeeMilestones:
    """Billed milestone by milestone; the hours worked for it are included in the fee. ``price`` is their sum."""

    kind: Literal["fixed_fee_milestones"] = "fixed_fee_milestones"
    milestones: tuple[Milestone, ...] = ()
    price: Money | None = None


@dataclass(frozen=True, slots=True)
class Instalment:
    """A part of a fixed price that is billed on a day; the period that it pays for is stated where it is known."""

    instalment: str
    title: str
    due_on: date
    amount: Money
    starts: date | None = None
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class FixedFeeSchedule:
    """A fixed price billed by date, in advance or in arrears; the instalments add up to the price."""

    price: Money
    instalments: tuple[Instalment, ...]
    timing: Timing = "advance"
    kind: Literal["fixed_fee_schedule"] = "fixed_fee_schedule"


@dataclass(frozen=True, slots=True)
class PercentComplete:
    """A fixed price billed by progress, cumulatively: to date is progress times price, each bill the difference.

    ``budget`` is what the whole is expected to take, in the unit of the measure (hours, units, or the cost in the
    engagement's currency; for ``manual`` it is not needed, progress is told as a fraction). ``precision`` rounds the
    progress to so many digits of a percentage, where the contract fixes it (IFRS 15 example 8 uses one).
    ``funded_cost`` bills ``cost to date / budget x funded - already billed``.
    """

    price: Money
    measure: Measure
    budget: Decimal | None = None
    precision: int | None = None
    bills: Literal["progress", "funded_cost"] = "progress"
    funded: Money | None = None
    milestones: tuple[Milestone, ...] = ()
    kind: Literal["percent_complete"] = "percent_complete"


@dataclass(frozen=True, slots=True)
class Retainer:
    """Work paid in advance and drawn down as it is rated.

    A grant of ``amount`` may be used once its invoice is issued, or paid; it expires after ``expires_after_months``,
    of which what is left lives on for ``rolls_over_months`` more. ``expected_breakage`` is the part that the customer
    is expected never to use (ASC 606-10-55-46 to 49). ``uplifts`` are multipliers on the rate, as by the hour.
    ``overage_rate`` is the price of each hour beyond it, of whatever kind of time, where the contract states one.
    """

    amount: Money
    usable_once: Literal["issued", "paid"] = "issued"
    expires_after_months: int | None = None
    rolls_over_months: int = 0
    overage: Overage = "rate_card"
    overage_multiplier: Decimal = Decimal(1)
    expected_breakage: Money | None = None
    kind: Literal["retainer"] = "retainer"
    uplifts: tuple[Uplift, ...] = ()
    overage_rate: Money | None = None


@dataclass(frozen=True, slots=True)
class ManagedService:
    """A service for a fixed fee a month, straight line by day; months that are served in part are pro-rated."""

    fee: Money
    starts: date
    ends: date | None = None
    timing: Timing = "advance"
    kind: Literal["managed_service"] = "managed_service"


@dataclass(frozen=True, slots=True)
class CategoryTerms:
    """How costs of one category are passed on.

    The base is the cost plus the tax that the firm cannot recover. ``markup_percent`` is added to it; ``per_diem``
    replaces it by a fixed amount per day; ``limit`` is the most that is billed per expense. As principal the whole is
    revenue (IFRS 15.B35B), as agent only what exceeds the cost (B36).
    """

    category: str
    billable: bool = True
    markup_percent: Decimal = Decimal(0)
    per_diem: Money | None = None
    limit: Money | None = None
    presentation: Literal["principal", "agent"] = "principal"
    tax_category: str | None = None


@dataclass(frozen=True, slots=True)
class ExpenseTerms:
    """How costs are passed on: ``usual`` unless a category has terms of its own."""

    usual: CategoryTerms = CategoryTerms("*")
    categories: tuple[CategoryTerms, ...] = ()

    def of(self, category: str) -> CategoryTerms:
        """The terms of a category."""
        return next((each for each in self.categories if each.category == category), self.usual)


@dataclass(frozen=True, slots=True)
class PassThrough:
    """A line on which costs are passed on and nothing else is billed."""

    terms: ExpenseTerms = ExpenseTerms()
    kind: Literal["pass_through"] = "pass_through"


Billing = (
    TimeAndMaterials | FixedFeeMilestones | FixedFeeSchedule | PercentComplete | Retainer | ManagedService | PassThrough
)


@dataclass(frozen=True, slots=True)
class Revenue:
    """How revenue of a line is earned, apart from how it is billed (IFRS 15.35 to 45).

    ``budget`` is the total of the measure; ``starts`` and ``ends`` are the days of a straight line.
    ``constrained`` is the part of the price that is left out until it is highly probable (IFRS 15.56).
    ``for_this_line`` is a variable part of the price that is allocated to this line alone (IFRS 15.85).
    """

    method: RevenueMethod
    measure: RevenueMeasure | None = None
    budget: Decimal | None = None
    starts: date | None = None
    ends: date | None = None
    precision: int | None = None
    constrained: Money | None = None
    for_this_line: Money | None = None


@dataclass(frozen=True, slots=True)
class BillToShare:
    """The part of a line that one customer pays, in percent."""

    customer: str
    percent: Decimal


@dataclass(frozen=True, slots=True)
class ContractLine:
    """One promise inside an engagement, with one billing method.

    ``revenue`` is None where the billing method says it (see ``revenue_of``). ``bill_to`` shares add up to 100; none
    means that the engagement's customer pays. ``holdback_percent`` of each bill is kept back. ``expenses`` are the
    terms for costs on a line that bills other work. ``fixed_fx_rate`` is units of the selling entity's currency for
    one of the engagement's, where the contract fixes it.
    """

    line: str
    title: str
    billing: Billing
    revenue: Revenue | None = None
    tax_category: str = "standard"
    holdback_percent: Decimal = Decimal(0)
    bill_to: tuple[BillToShare, ...] = ()
    expenses: ExpenseTerms | None = None
    stand_alone_price: Money | None = None
    fixed_fx_rate: Decimal | None = None

    @property
    def expense_terms(self) -> ExpenseTerms:
        """How costs on this line are passed on; at cost unless it says otherwise."""
        if isinstance(self.billing, PassThrough):
            return self.billing.terms
        return self.expenses or ExpenseTerms()


@dataclass(frozen=True, slots=True)
class LineVersion:
    """A contract line as it holds from a day on, and the change order that made it so; None for the first one."""

    effective_from: date
    line: ContractLine
    change_order: str | None = None


def bills_hours(billing: Billing) -> bool:
    """Whether the customer pays for hours as they are worked; of all other lines they are part of the price."""
    return isinstance(billing, TimeAndMaterials | Retainer)


def price_of(billing: Billing) -> Money | None:
    """The fixed price of a line; None where what is billed depends on what is done."""
    match billing:
        case FixedFeeMilestones(milestones=milestones) if milestones:
            first = milestones[0].amount
            return Money(sum((each.amount.amount for each in milestones), Decimal(0)), first.currency)
        case FixedFeeSchedule(price=price) | PercentComplete(price=price):
            return price
        case _:
            return None


def revenue_of(line: ContractLine) -> Revenue:
    """How revenue of a line is earned: as it says, or as its billing method implies."""
    if line.revenue is not None:
        return line.revenue
    match line.billing:
        case TimeAndMaterials() | PassThrough():
            return Revenue("as_invoiceable")
        case FixedFeeMilestones():
            return Revenue("point_in_time", "milestones")
        case FixedFeeSchedule(instalments=instalments):
            starts = min((each.starts or each.due_on for each in instalments), default=None)
            ends = max((each.ends or each.due_on for each in instalments), default=None)
            return Revenue("straight_line", starts=starts, ends=ends)
        case PercentComplete() as billing:
            return Revenue("percent_complete", billing.measure, billing.budget, precision=billing.precision)
        case Retainer():
            return Revenue("drawdown")
        case ManagedService(starts=starts, ends=ends):
            return Revenue("straight_line", starts=starts, ends=ends)
