"""How the terms that were told become a contract line; what they lack for their method is asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from api.services.contracts.line_input import CategoryInput, LineInput, PartInput, ResourceCapInput, RevenueInput
from api.services.service import Amount, InputIncomplete
from domain.contract import (
    Billing,
    BillToShare,
    CategoryTerms,
    ContractLine,
    ExpenseTerms,
    FixedFeeMilestones,
    FixedFeeSchedule,
    Instalment,
    ManagedService,
    Milestone,
    PassThrough,
    PercentComplete,
    ResourceCap,
    Retainer,
    Revenue,
    TimeAndMaterials,
    Uplift,
)
from domain.money import Money

_REVENUE_METHODS = (
    "as_invoiceable",
    "straight_line",
    "percent_complete",
    "point_in_time",
    "completed_contract",
    "drawdown",
)
CAP_POLICIES = ("partial", "whole_item")
MEASURES = ("cost", "hours", "units", "milestones", "manual")


def contract_line(line: LineInput) -> ContractLine:
    """The contract line that was told; what its method needs and nobody said is asked for."""
    return ContractLine(
        line=line.line,
        title=line.title,
        billing=_billing(line),
        tax_category=line.tax_category or "standard",
        holdback_percent=line.holdback_percent or Decimal(0),
        bill_to=tuple(BillToShare(each.customer, each.percent) for each in line.bill_to or ()),
        expenses=None if line.method == "pass_through" else _expenses(line.expenses),
        revenue=_revenue(line.revenue),
        stand_alone_price=money_of(line.stand_alone_price),
        fixed_fx_rate=line.fixed_fx_rate,
    )


def _required(value: Any, field: str, line: LineInput) -> Any:
    if value is None:
        raise InputIncomplete(f"{line.line}: a line of method {line.method} needs {field}.")
    return value


def one_of(value: str | None, known: tuple[str, ...], field: str) -> Any:
    """A word of a closed list; the first is meant when nothing is said."""
    if value is None:
        return known[0]
    if value not in known:
        raise InputIncomplete(f"{field} is one of {', '.join(known)}.")
    return value


def money_of(amount: Amount | None) -> Money | None:
    """An amount that may be left out."""
    return amount.money if amount else None


def _whole(number: Decimal | None, field: str) -> int | None:
    if number is not None and number != int(number):
        raise InputIncomplete(f"{field} is a whole number.")
    return None if number is None else int(number)


def _billing(line: LineInput) -> Billing:
    match line.method:
        case "time_and_materials":
            return TimeAndMaterials(
                cap=money_of(line.cap),
                cap_policy=one_of(line.cap_policy, CAP_POLICIES, "capPolicy"),
                uplifts=_uplifts(line),
                hours_cap=line.hours_cap,
                resource_caps=resource_caps_of(line.resource_caps),
            )
        case "fixed_fee_milestones":
            return FixedFeeMilestones(milestones=_milestones(line), price=money_of(line.price))
        case "fixed_fee_schedule":
            parts = _required(line.parts, "parts", line)
            instalments = (_instalment(each, line) for each in parts)
            return FixedFeeSchedule(_required(line.price, "price", line).money, tuple(instalments), _timing(line))
        case "percent_complete":
            return _percent_complete(line)
        case "retainer":
            return _retainer(line)
        case "managed_service":
            fee, starts = _required(line.price, "price", line), _required(line.starts, "starts", line)
            return ManagedService(fee.money, starts, line.ends, _timing(line))
        case "pass_through":
            return PassThrough(_expenses(line.expenses) or ExpenseTerms())
        case _:
            raise InputIncomplete(f"{line.line}: there is no method {line.method}.")


def _timing(line: LineInput) -> Any:
    return one_of(line.timing, ("advance", "arrears"), "timing")


def _instalment(part: PartInput, line: LineInput) -> Instalment:
    due_on = _required(part.due_on, "dueOn", line)
    return Instalment(part.name, part.title, due_on, part.amount.money, part.starts, part.ends)


def _milestones(line: LineInput) -> tuple[Milestone, ...]:
    return tuple(
        Milestone(each.name, each.title, each.amount.money, each.project, each.after or (), each.due_on)
        for each in line.parts or ()
    )


def _percent_complete(line: LineInput) -> PercentComplete:
    _required(line.measure, "measure", line)
    return PercentComplete(
        price=_required(line.price, "price", line).money,
        measure=one_of(line.measure, MEASURES, "measure"),
        budget=line.budget,
        precision=_whole(line.precision, "precision"),
        bills="funded_cost" if line.funded else "progress",
        funded=money_of(line.funded),
        milestones=_milestones(line),
    )


def _retainer(line: LineInput) -> Retainer:
    return Retainer(
        amount=_required(line.price, "price", line).money,
        usable_once=one_of(line.usable_once, ("issued", "paid"), "usableOnce"),
        expires_after_months=_whole(line.expires_after_months, "expiresAfterMonths"),
        rolls_over_months=_whole(line.rolls_over_months, "rollsOverMonths") or 0,
        overage=one_of(line.overage, ("rate_card", "multiplier", "rate", "held"), "overage"),
        overage_multiplier=Decimal(1) if line.overage_multiplier is None else line.overage_multiplier,
        expected_breakage=money_of(line.expected_breakage),
        uplifts=_uplifts(line),
        overage_rate=money_of(line.overage_rate),
    )


def _uplifts(line: LineInput) -> tuple[Uplift, ...]:
    return tuple(Uplift(each.time_type, each.multiplier) for each in line.uplifts or ())


def resource_caps_of(caps: tuple[ResourceCapInput, ...] | None) -> tuple[ResourceCap, ...]:
    """The caps of single people."""
    return tuple(ResourceCap(each.resource, money_of(each.amount), each.hours) for each in caps or ())


def _expenses(categories: tuple[CategoryInput, ...] | None) -> ExpenseTerms | None:
    if categories is None:
        return None
    terms = [
        CategoryTerms(
            each.category,
            each.billable is not False,
            each.markup_percent or Decimal(0),
            money_of(each.per_diem),
            money_of(each.limit),
            one_of(each.presentation, ("principal", "agent"), "presentation"),
            each.tax_category,
        )
        for each in categories
    ]
    usual = next((each for each in terms if each.category == "*"), CategoryTerms("*"))
    return ExpenseTerms(usual, tuple(each for each in terms if each.category != "*"))


def _revenue(asked: RevenueInput | None) -> Revenue | None:
    if asked is None:
        return None
    return Revenue(
        method=one_of(asked.method, _REVENUE_METHODS, "revenue.method"),
        measure=None if asked.measure is None else one_of(asked.measure, MEASURES, "revenue.measure"),
        budget=asked.budget,
        starts=asked.starts,
        ends=asked.ends,
        precision=_whole(asked.precision, "revenue.precision"),
        constrained=money_of(asked.constrained),
        for_this_line=money_of(asked.for_this_line),
    )
