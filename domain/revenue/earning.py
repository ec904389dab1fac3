"""How a contract line earns: what of it counts by its lots, and what it has earned to a day by progress or by days.

The methods are those of the line's revenue terms; the figures come from the engagement's own history and from the work
that the journal has seen on the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from domain.books.account_role import AccountRole
from domain.contract import (
    ContractLine,
    FixedFeeMilestones,
    ManagedService,
    Retainer,
    Revenue,
    TimeAndMaterials,
    revenue_of,
)
from domain.engagement import Engagement
from domain.engagement.schedule import ServicePeriod, fee_of_period, service_periods
from domain.money import Money, total, zero
from domain.revenue.methods import (
    Basis,
    Promise,
    earned_by_drawing,
    earned_by_progress,
    earned_on_completion,
    earned_since,
    earned_straight_line,
    loss_provision,
    progress,
)
from domain.revenue.promises import (
    Part,
    budget_of,
    earned_by_days,
    earned_by_parts,
    earning_terms,
    parts_of,
    promise_of,
)


def revenue_account(kind: str, line: ContractLine | None) -> AccountRole:
    """The account of what a kind of stream earns on a line."""
    if kind == "expense_report":
        return AccountRole.REVENUE_EXPENSE
    match line:
        case ContractLine(billing=FixedFeeMilestones()):
            return AccountRole.REVENUE_MILESTONE
        case None | ContractLine(billing=TimeAndMaterials() | Retainer()):
            return AccountRole.REVENUE_TM
        case _:
            return AccountRole.REVENUE_FIXED


def earns_by_itself(kind: str, terms: Revenue | None, source: str) -> bool:
    """Whether a billable lot earns its value: work as it may be invoiced (IFRS 15.B16), a milestone as it is accepted.

    What a contract bills by date or by progress does not: its line earns apart from its bills. A service credit takes
    its amount off the price at once (IFRS 15.51, 88). ``terms`` are those of its line; None where it has none.
    """
    if kind == "expense_report" or terms is None:
        return kind != "engagement"
    if kind == "engagement":
        return terms.method in ("as_invoiceable", "point_in_time") or "/credit/" in source
    return terms.method in ("as_invoiceable", "drawdown")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the journal has seen of a line: the work, in hours, cost and value, and where its contract began anew."""

    hours: Decimal
    cost: Decimal
    drawn: Decimal
    basis: Basis | None = None


def whole_and_done(state: Engagement, line: ContractLine, seen: Seen, day: date) -> tuple[Decimal, Decimal]:
    """What the whole of a line takes, and what of it is done on a day: as measured, else by the work itself."""
    terms, budget = earning_terms(state, line, day), budget_of(line)
    if terms.measure == "milestones" and isinstance(line.billing, FixedFeeMilestones):
        weights = {each.milestone: each.amount.amount for each in line.billing.milestones}
        accepted = (name for of_line, name in state.accepted if of_line == line.line)
        return sum(weights.values(), Decimal(0)), sum((weights.get(name, Decimal(0)) for name in accepted), Decimal(0))
    measured = state.progress.measured_on(line.line, day)
    if measured is not None and measured.measure == terms.measure:
        done = measured.to_date
    else:
        done = {"hours": seen.hours, "cost": seen.cost}.get(terms.measure or "", Decimal(0))
    if terms.measure == "manual":
        return Decimal(1), done
    return state.progress.total_on(line.line, day, budget) or Decimal(0), done


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the whole of a line is expected to take: hours, or cost in the currency of its engagement."""

    measure: Literal["hours", "cost"]
    total: Decimal


def estimate_at_completion(state: Engagement, line: ContractLine) -> Estimate | None:
    """The newest estimate of a line, else the budget of its terms; None where neither is of hours or of cost."""
    told = state.progress.estimate_on(line.line, date.max)
    measure = told.measure if told is not None else earning_terms(state, line, date.max).measure
    total_ = told.total if told is not None else budget_of(line)
    return Estimate(measure, total_) if measure in ("hours", "cost") and total_ is not None else None


def _kept(state: Engagement, line: ContractLine, terms: Revenue, seen: Seen, day: date) -> Fraction:
    whole, done = whole_and_done(state, line, seen, day)
    return progress(done, whole, terms.precision)


def earned_to_date(state: Engagement, line: ContractLine, seen: Seen, day: date) -> Money | None:
    """What a line has earned up to a day, apart from what its lots earn; None where only they do."""
    terms, currency = earning_terms(state, line, day), state.currency
    parts, promise = parts_of(state, line.line, day), promise_of(state, line.line, day)
    match terms.method:
        case "percent_complete" if promise is not None:
            return _earned_by_measure(state, line, seen, day, terms, parts)
        case "completed_contract" if promise is not None:
            completed = line.line in state.completed or None in state.completed
            return earned_on_completion(promise, completed=completed)
        case "straight_line" if isinstance(line.billing, ManagedService):
            return _earned_by_service(state, line, line.billing, day)
        case "straight_line" if promise is not None and terms.starts is not None and terms.ends is not None:
            if seen.basis is not None:
                rest = Promise(promise.transaction_price - seen.basis.recognised)
                begun = date.fromordinal(int(seen.basis.done))
                return seen.basis.recognised + earned_straight_line(rest, begun, terms.ends, day)
            return earned_by_days(parts, day)
        case "drawdown" if isinstance(line.billing, Retainer):
            return earned_by_drawing_of(state, line.line, line.billing, Money(seen.drawn, currency))
        case _:
            return None


def _earned_by_measure(
    state: Engagement, line: ContractLine, seen: Seen, day: date, terms: Revenue, parts: Sequence[Part]
) -> Money:
    whole, done = whole_and_done(state, line, seen, day)
    if terms.measure == "manual":
        # A share that was told before a separate contract was made is one of what was promised then.
        told = state.progress.measured_on(line.line, day)
        parts = [each for each in parts if each.since is None or (told is not None and told.on >= each.since)]
    promise = Promise(total((each.promise.transaction_price for each in parts), state.currency))
    if seen.basis is not None:
        return earned_since(seen.basis, promise, done, whole)
    if terms.measure in ("manual", "milestones"):
        return earned_by_progress(promise, progress(done, whole, terms.precision))
    return earned_by_parts(parts, done, whole, terms.precision)


def earned_by_drawing_of(state: Engagement, line: str, terms: Retainer, drawn: Money) -> Money:
    """What a retainer line has earned: by what was drawn, with its breakage, and in full what has lapsed."""
    grants = state.account(line).grants.values()
    granted = total((each.amount - each.refunded for each in grants), drawn.currency)
    expected = zero(drawn.currency)
    if terms.expected_breakage is not None and terms.amount.amount:
        expected = (terms.expected_breakage * (granted.amount / terms.amount.amount)).rounded()
    lapsed = total((each.expired for each in grants), drawn.currency)
    earned = earned_by_drawing(drawn, granted, expected)
    return max(earned, drawn + lapsed, key=lambda each: each.amount)


def _earned_by_service(state: Engagement, line: ContractLine, service: ManagedService, day: date) -> Money:
    """The fees of the days that were served, month by month, at the fee that held on each (IFRS 15.22(b), B18)."""
    versions = state.versions.get(line.line, ())
    periods = service_periods(service, day)
    served = (ServicePeriod(each.starts, min(each.ends, day)) for each in periods)
    return total((fee_of_period(versions, each, state.currency) for each in served), state.currency)


def provision_to_date(state: Engagement, line: ContractLine, seen: Seen, day: date) -> Money | None:
    """What has to be provided for a loss that is expected; None where no cost of the whole is expected."""
    terms, promise = earning_terms(state, line, day), promise_of(state, line.line, day)
    if terms.method != "percent_complete" or terms.measure != "cost" or promise is None:
        return None
    whole, _ = whole_and_done(state, line, seen, day)
    return loss_provision(promise, _kept(state, line, terms, seen, day), Money(whole, state.currency))


def last_day_of(line: ContractLine) -> date | None:
    """The last day on which a line that earns with the days earns something; None while that is open."""
    if isinstance(line.billing, ManagedService):
        return line.billing.ends
    return revenue_of(line).ends
