"""What a contract line is told as: its method, its price, its parts, its caps, its payers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

from typing_extensions import Doc

from api.services.service import Amount


@dataclass(frozen=True)
class PartInput:
    """A milestone or an instalment of a price."""

    name: Annotated[str, Doc("Its id within the line.")]
    title: Annotated[str, Doc("What the customer reads on the invoice.")]
    amount: Annotated[Amount, Doc("Its share of the price.")]
    due_on: Annotated[date | None, Doc("The day on which an instalment is billed.")] = None
    project: Annotated[str | None, Doc("The project that a milestone belongs to.")] = None
    after: Annotated[tuple[str, ...] | None, Doc("The milestones that come first.")] = None
    starts: Annotated[date | None, Doc("First day of the period that an instalment pays for.")] = None
    ends: Annotated[date | None, Doc("Last day of the period that an instalment pays for.")] = None


@dataclass(frozen=True)
class ResourceCapInput:
    """The most that may be billed of one person's work on a line."""

    resource: Annotated[str, Doc("The person.")]
    amount: Annotated[Amount | None, Doc("In money.")] = None
    hours: Annotated[Decimal | None, Doc("In hours.")] = None


@dataclass(frozen=True)
class UpliftInput:
    """A multiplier on the rate for one kind of time."""

    time_type: Annotated[str, Doc("The kind of time, e.g. overtime.")]
    multiplier: Annotated[Decimal, Doc("E.g. 1.5.")]


@dataclass(frozen=True)
class BillToInput:
    """The part of a line that one customer pays."""

    customer: Annotated[str, Doc("Who pays.")]
    percent: Annotated[Decimal, Doc("How much of it, in percent.")]


@dataclass(frozen=True)
class CategoryInput:
    """How costs of one category are passed on."""

    category: Annotated[str, Doc("The category; * for all that are not named.")]
    billable: Annotated[bool | None, Doc("False when the firm bears them itself.")] = None
    markup_percent: Annotated[Decimal | None, Doc("Added to cost plus tax that is not recovered.")] = None
    per_diem: Annotated[Amount | None, Doc("A fixed amount per day instead of the cost.")] = None
    limit: Annotated[Amount | None, Doc("The most per expense.")] = None
    presentation: Annotated[str | None, Doc("principal (the whole is revenue) or agent (what exceeds the cost).")] = (
        None
    )
    tax_category: Annotated[str | None, Doc("How they are taxed; left out, as the line.")] = None


@dataclass(frozen=True)
class RevenueInput:
    """How revenue of a line is earned, apart from how it is billed."""

    method: Annotated[
        str,
        Doc(
            "as_invoiceable, straight_line, percent_complete, point_in_time, completed_contract or, for a retainer,"
            " drawdown."
        ),
    ]
    measure: Annotated[str | None, Doc("Of percent_complete: cost, hours, units, milestones or manual.")] = None
    budget: Annotated[Decimal | None, Doc("What the whole takes, in the unit of the measure.")] = None
    starts: Annotated[date | None, Doc("First day of a straight line.")] = None
    ends: Annotated[date | None, Doc("Last day of a straight line.")] = None
    precision: Annotated[Decimal | None, Doc("Digits of the percentage, where the contract fixes them.")] = None
    constrained: Annotated[
        Amount | None, Doc("The part of the price that is left out until it is highly probable (IFRS 15.56).")
    ] = None
    for_this_line: Annotated[
        Amount | None, Doc("A variable part of the price that is allocated to this line alone (IFRS 15.85).")
    ] = None


@dataclass(frozen=True)
class LineInput:
    """A contract line; which further fields it needs depends on its method."""

    line: Annotated[str, Doc("Its id within the engagement.")]
    title: Annotated[str, Doc("What is promised.")]
    method: Annotated[
        str,
        Doc(
            "time_and_materials, fixed_fee_milestones, fixed_fee_schedule, percent_complete, retainer, managed_service"
            " or pass_through."
        ),
    ]
    price: Annotated[Amount | None, Doc("The fixed price, the monthly fee, or the retainer.")] = None
    parts: Annotated[tuple[PartInput, ...] | None, Doc("Milestones or instalments.")] = None
    cap: Annotated[Amount | None, Doc("The most that may be billed by the hour.")] = None
    hours_cap: Annotated[Decimal | None, Doc("The most hours that may be billed.")] = None
    cap_policy: Annotated[str | None, Doc("partial (the lot that crosses a cap is split) or whole_item.")] = None
    resource_caps: Annotated[tuple[ResourceCapInput, ...] | None, Doc("Caps of single people.")] = None
    uplifts: Annotated[tuple[UpliftInput, ...] | None, Doc("Multipliers by kind of time.")] = None
    starts: Annotated[date | None, Doc("First day of a managed service.")] = None
    ends: Annotated[date | None, Doc("Last day of a managed service.")] = None
    timing: Annotated[str | None, Doc("advance or arrears.")] = None
    measure: Annotated[str | None, Doc("cost, hours, units, milestones or manual.")] = None
    budget: Annotated[Decimal | None, Doc("What the whole takes, in the unit of the measure.")] = None
    precision: Annotated[Decimal | None, Doc("Digits of the percentage, where the contract fixes them.")] = None
    funded: Annotated[Amount | None, Doc("Bills cost over budget times this amount, instead of the price.")] = None
    usable_once: Annotated[str | None, Doc("A retainer may be used once its invoice is issued, or paid.")] = None
    expires_after_months: Annotated[Decimal | None, Doc("When a retainer expires.")] = None
    rolls_over_months: Annotated[Decimal | None, Doc("How much longer what is left may be used.")] = None
    overage: Annotated[str | None, Doc("rate_card, multiplier, rate or held.")] = None
    overage_multiplier: Annotated[Decimal | None, Doc("On the rate, for work beyond a retainer.")] = None
    overage_rate: Annotated[Amount | None, Doc("The price of each hour beyond a retainer.")] = None
    expected_breakage: Annotated[Amount | None, Doc("What the customer is expected never to use.")] = None
    expenses: Annotated[tuple[CategoryInput, ...] | None, Doc("How costs are passed on.")] = None
    tax_category: Annotated[str | None, Doc("standard unless the line is taxed otherwise.")] = None
    holdback_percent: Annotated[Decimal | None, Doc("What is kept back of each bill.")] = None
    bill_to: Annotated[tuple[BillToInput, ...] | None, Doc("Who pays which part; by default the customer.")] = None
    revenue: Annotated[RevenueInput | None, Doc("How revenue is earned; left out, as the method implies.")] = None
    stand_alone_price: Annotated[
        Amount | None, Doc("What it would cost alone: the prices of all lines that say so are allocated by it.")
    ] = None
    fixed_fx_rate: Annotated[
        Decimal | None, Doc("Units of the seller's currency for one of the engagement's, where the contract fixes it.")
    ] = None
