"""Promises that contradict themselves are refused when they are agreed, each with a code of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import assert_never

from domain.contract import (
    BillToShare,
    ContractLine,
    ExpenseTerms,
    FixedFeeMilestones,
    FixedFeeSchedule,
    ManagedService,
    Milestone,
    PassThrough,
    PercentComplete,
    Retainer,
    Revenue,
    TimeAndMaterials,
    price_of,
)
from domain.kernel import Refused
from domain.money import MINOR_UNITS, Money, UnknownCurrency, total

HUNDRED = Decimal(100)


class CurrencyDiffers(Refused):
    """Amounts of an engagement are in the engagement's currency."""

    code = "engagement.currency_differs"
    fix = "Send the amount in the currency of the engagement."


class PartsDoNotAddUp(Refused):
    """Milestones or instalments must add up to the price of their line."""

    code = "contract.parts_do_not_add_up"
    fix = "Correct the price or the parts, so that they are equal."


class BillToSharesDoNotAddUp(Refused):
    """The shares of those who pay for a line are positive and add up to 100 %."""

    code = "contract.bill_to_shares"
    fix = "Name each customer once, with percentages that add up to 100."


class BudgetMissing(Refused):
    """A line that is billed by progress needs to say what the whole takes."""

    code = "contract.budget_missing"
    fix = "State the budget in the unit of the measure, or measure progress by milestones or by hand."


class RevenueNeedsPrice(Refused):
    """What is earned by progress, by days or on completion needs a price to earn, and a straight line its days."""

    code = "contract.revenue_needs_price"
    fix = "Agree a fixed price or a cap, or let the line earn as it may be invoiced; name both days of a straight line."


class RevenueNeedsPoints(Refused):
    """Work by the hour and expenses have no point at which the customer accepts them."""

    code = "contract.revenue_needs_points"
    fix = "Agree milestones or instalments, or let the line earn as it may be invoiced."


class RevenueNeedsRetainer(Refused):
    """A retainer is earned as it is drawn, and nothing else is."""

    code = "contract.revenue_needs_retainer"
    fix = "Leave the revenue of a retainer out, or let the line earn by another method than drawdown."


class OverageRateMissing(Refused):
    """Work beyond a retainer is billed at a rate where the contract states one, and not otherwise."""

    code = "contract.overage_rate_missing"
    fix = "State the overage rate together with the overage 'rate', or leave both out."


class DatesContradict(Refused):
    """What a line promises cannot end before it starts."""

    code = "contract.dates_contradict"
    fix = "Correct one of the two dates."


class NamedTwice(Refused):
    """Milestones, instalments and people with a cap are named once in their line."""

    code = "contract.named_twice"
    fix = "Give each its own id."


class UnknownPredecessor(Refused):
    """A milestone comes after other milestones of its line, and never, by any way, after itself."""

    code = "contract.unknown_predecessor"
    fix = "Name milestones of the same line, without a circle."


class AmountOutOfRange(Refused):
    """Prices, fees, caps and budgets are not negative; percentages and multipliers lie between 0 and 100."""

    code = "contract.amount_out_of_range"
    fix = "Correct the named amount."


def require_consistent(line: ContractLine, currency: str) -> None:
    """Refuses a line that contradicts itself or speaks of another currency."""
    for what, amount in _amounts(line):
        if amount.currency != currency:
            raise CurrencyDiffers(f"{line.line}, {what}: {amount} in an engagement in {currency}.")
        if amount.amount < 0:
            raise AmountOutOfRange(f"{line.line}, {what}: {amount}.")
    for what, number in _numbers(line):
        if number < 0 or not number.is_finite():
            raise AmountOutOfRange(f"{line.line}, {what}: {number}.")
    for what, factor in _factors(line):
        if factor > HUNDRED:
            raise AmountOutOfRange(f"{line.line}, {what}: {factor} times.")
    if line.holdback_percent > HUNDRED:
        raise AmountOutOfRange(f"{line.line}, holdback: {line.holdback_percent} %.")
    _require_shares(line.line, line.bill_to)
    _require_revenue(line)
    _require_billing(line)


def _require_billing(line: ContractLine) -> None:
    name, billing = line.line, line.billing
    match billing:
        case TimeAndMaterials():
            _require_once(name, [each.resource for each in billing.resource_caps])
            _require_once(name, [each.time_type for each in billing.uplifts])
        case FixedFeeMilestones():
            _require_milestones(name, billing.milestones)
            _require_sum(name, billing.price, [each.amount for each in billing.milestones])
        case FixedFeeSchedule():
            _require_once(name, [each.instalment for each in billing.instalments])
            _require_sum(name, billing.price, [each.amount for each in billing.instalments])
            for each in billing.instalments:
                if each.starts and each.ends and each.ends < each.starts:
                    raise DatesContradict(f"{name}/{each.instalment}: {each.starts} to {each.ends}.")
        case PercentComplete():
            _require_percent_complete(name, billing)
        case Retainer():
            _require_once(name, [each.time_type for each in billing.uplifts])
            if billing.expires_after_months is None and billing.rolls_over_months:
                raise DatesContradict(f"{name}: a retainer that never expires does not roll over.")
            if (billing.overage == "rate") != (billing.overage_rate is not None):
                raise OverageRateMissing(f"{name}: overage {billing.overage}, rate {billing.overage_rate}.")
        case ManagedService():
            if billing.ends is not None and billing.ends < billing.starts:
                raise DatesContradict(f"{name}: {billing.starts} to {billing.ends}.")
        case PassThrough():
            _require_once(name, [each.category for each in billing.terms.categories])
        case _:
            assert_never(billing)


def _require_percent_complete(name: str, billing: PercentComplete) -> None:
    _require_milestones(name, billing.milestones)
    if billing.measure in ("cost", "hours", "units") and not billing.budget:
        raise BudgetMissing(f"{name} is measured by {billing.measure}.")
    if billing.measure == "milestones" and not billing.milestones:
        raise BudgetMissing(f"{name} is measured by milestones and has none.")
    if billing.bills == "funded_cost" and (billing.measure != "cost" or billing.funded is None):
        raise BudgetMissing(f"{name} bills its funded cost: it is measured by cost and says what is funded.")


def _require_milestones(name: str, milestones: Sequence[Milestone]) -> None:
    _require_once(name, [each.milestone for each in milestones])
    after = {each.milestone: set(each.after) for each in milestones}
    for milestone, predecessors in after.items():
        if unknown := predecessors - after.keys():
            raise UnknownPredecessor(f"{name}/{milestone} after {', '.join(sorted(unknown))}.")
    while free := [each for each, waits_for in after.items() if not waits_for & after.keys()]:
        for each in free:
            del after[each]
    if after:
        raise UnknownPredecessor(f"{name}: {', '.join(sorted(after))} wait for one another.")


def _require_once(name: str, names: Sequence[str]) -> None:
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise NamedTwice(f"{name}: {', '.join(twice)}.")


def _require_sum(name: str, price: Money | None, parts: Sequence[Money]) -> None:
    if price is None:
        return
    whole = total(parts, price.currency)
    if whole != price:
        raise PartsDoNotAddUp(f"{name}: {whole} of {price}.")


def _require_shares(name: str, shares: Sequence[BillToShare]) -> None:
    if not shares:
        return
    whole = sum((each.percent for each in shares), Decimal(0))
    customers = [each.customer for each in shares]
    if whole != HUNDRED or len(set(customers)) < len(customers) or any(each.percent <= 0 for each in shares):
        told = ", ".join(f"{each.customer} {each.percent} %" for each in shares)
        raise BillToSharesDoNotAddUp(f"{name}: {told}.")


def _require_revenue(line: ContractLine) -> None:
    revenue = line.revenue
    if revenue is None:
        return
    if revenue.starts and revenue.ends and revenue.ends < revenue.starts:
        raise DatesContradict(f"{line.line}, revenue: {revenue.starts} to {revenue.ends}.")
    measured = revenue.method == "percent_complete" and revenue.measure in ("cost", "hours", "units")
    if measured and not revenue.budget:
        raise BudgetMissing(f"{line.line}: revenue is measured by {revenue.measure}.")
    _require_something_to_earn(line, revenue)
    _require_parts_of_price(line, revenue)


def _require_something_to_earn(line: ContractLine, revenue: Revenue) -> None:
    billing = line.billing
    by_points = isinstance(billing, FixedFeeMilestones | FixedFeeSchedule)
    by_points = by_points or (isinstance(billing, PercentComplete) and billing.measure == "milestones")
    if (revenue.method == "drawdown") != isinstance(billing, Retainer):
        raise RevenueNeedsRetainer(f"{line.line} is {billing.kind} and is earned by {revenue.method}.")
    if revenue.method == "point_in_time" and isinstance(billing, TimeAndMaterials | PassThrough):
        raise RevenueNeedsPoints(f"{line.line} is {billing.kind}.")
    if revenue.method == "percent_complete" and revenue.measure == "milestones" and not by_points:
        raise RevenueNeedsPoints(f"{line.line} is {billing.kind} and is earned by milestones.")
    if revenue.method not in ("percent_complete", "completed_contract", "straight_line"):
        return
    by_service = isinstance(billing, ManagedService) and revenue.method == "straight_line"
    has_price = price_of(billing) is not None or (isinstance(billing, TimeAndMaterials) and billing.cap is not None)
    if not by_service and not has_price:
        raise RevenueNeedsPrice(f"{line.line} is {billing.kind} without a fixed price.")
    if revenue.method == "straight_line" and not by_service and not (revenue.starts and revenue.ends):
        raise RevenueNeedsPrice(f"{line.line} has no first and last day.")


def _require_parts_of_price(line: ContractLine, revenue: Revenue) -> None:
    """What is constrained, or belongs to this line alone, is a part of the price that it earns."""
    price = price_of(line.billing)
    if isinstance(line.billing, TimeAndMaterials) and revenue.method != "as_invoiceable":
        price = line.billing.cap
    for what, part in (("constrained part", revenue.constrained), ("part for this line", revenue.for_this_line)):
        if part is not None and price is None:
            raise RevenueNeedsPrice(f"{line.line}, {what}: {part} of what has no fixed price.")
        if part is not None and price is not None and price < part:
            raise AmountOutOfRange(f"{line.line}, {what}: {part} of {price}.")


def _amounts(line: ContractLine) -> Iterator[tuple[str, Money]]:
    """Every amount of a line with its name."""
    billing = line.billing
    named: list[tuple[str, Money | None]] = [
        ("stand-alone price", line.stand_alone_price),
        ("constrained part", line.revenue.constrained if line.revenue else None),
        ("part for this line", line.revenue.for_this_line if line.revenue else None),
    ]
    match billing:
        case TimeAndMaterials():
            named.append(("cap", billing.cap))
            named += [(f"cap of {each.resource}", each.amount) for each in billing.resource_caps]
        case FixedFeeMilestones():
            named += [("price", billing.price), *((each.milestone, each.amount) for each in billing.milestones)]
        case FixedFeeSchedule():
            named += [("price", billing.price), *((each.instalment, each.amount) for each in billing.instalments)]
        case PercentComplete():
            named += [("price", billing.price), ("funded", billing.funded)]
            named += [(each.milestone, each.amount) for each in billing.milestones]
        case Retainer():
            named += [("retainer", billing.amount), ("breakage", billing.expected_breakage)]
            named.append(("overage rate", billing.overage_rate))
        case ManagedService():
            named.append(("fee", billing.fee))
        case PassThrough():
            pass
        case _:
            assert_never(billing)
    named += list(_of_expenses(line.expense_terms))
    yield from ((what, amount) for what, amount in named if amount is not None)


def _of_expenses(terms: ExpenseTerms) -> Iterator[tuple[str, Money | None]]:
    for each in (terms.usual, *terms.categories):
        yield f"per diem of {each.category}", each.per_diem
        yield f"limit of {each.category}", each.limit


def _numbers(line: ContractLine) -> Iterable[tuple[str, Decimal]]:
    """Every percentage, multiplier and number of hours of a line with its name."""
    billing = line.billing
    named: list[tuple[str, Decimal | None]] = [("holdback", line.holdback_percent), ("rate", line.fixed_fx_rate)]
    match billing:
        case TimeAndMaterials():
            named.append(("cap in hours", billing.hours_cap))
            named += [(f"hours of {each.resource}", each.hours) for each in billing.resource_caps]
            named += [(f"uplift of {each.time_type}", each.multiplier) for each in billing.uplifts]
        case PercentComplete():
            named += [("budget", billing.budget), ("precision", _decimal(billing.precision))]
        case Retainer():
            named.append(("overage", billing.overage_multiplier))
            named += [(f"uplift of {each.time_type}", each.multiplier) for each in billing.uplifts]
            named.append(("expiry", _decimal(billing.expires_after_months)))
            named.append(("roll-over", Decimal(billing.rolls_over_months)))
        case _:
            pass
    terms = line.expense_terms
    named += [(f"markup of {each.category}", each.markup_percent) for each in (terms.usual, *terms.categories)]
    return ((what, number) for what, number in named if number is not None)


def _factors(line: ContractLine) -> Iterator[tuple[str, Decimal]]:
    """What prices and costs are multiplied by on a line, with its name."""
    match line.billing:
        case TimeAndMaterials(uplifts=uplifts):
            yield from ((f"uplift of {each.time_type}", each.multiplier) for each in uplifts)
        case Retainer(overage_multiplier=multiplier, uplifts=uplifts):
            yield "overage", multiplier
            yield from ((f"uplift of {each.time_type}", each.multiplier) for each in uplifts)
        case _:
            pass
    terms = line.expense_terms
    yield from ((f"markup of {each.category}", each.markup_percent / 100) for each in (terms.usual, *terms.categories))


def _decimal(number: int | None) -> Decimal | None:
    return None if number is None else Decimal(number)


def require_known_currency(currency: str) -> None:
    """Refuses what is no current ISO 4217 code."""
    if currency not in MINOR_UNITS:
        raise UnknownCurrency(repr(currency))
