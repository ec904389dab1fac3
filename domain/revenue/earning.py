"""How a contract line earns: what of it counts by its lots, and what it has earned to a day by progress or by days.

The methods are those of the line's revenue terms; the figures come from the engagement's own history and from the work
that the journal has seen on the line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from domain.books.account_role import AccountRole
from domain.contract import (
    ContractLine,
    FixedFeeMilestones,
    FixedFeeSchedule,
    ManagedService,
    Retainer,
    Revenue,
    TimeAndMaterials,
    revenue_of,
)
from domain.engagement import Engagement
from domain.engagement.schedule import ServicePeriod, fee_of_period, service_of, service_periods
from domain.money import Money, total, zero
from domain.revenue.methods import (
    Bases,
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
    fees_of_term,
    own_price,
    parts_of,
    promise_of,
    share_of,
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
    """What the journal has seen of a line: the work, in hours, cost and value.

    ``bases`` say where contracts began anew, of this line and of those with which its price is divided.
    """

    hours: Decimal
    cost: Decimal
    drawn: Decimal
    bases: Bases = field(default_factory=dict)

    def basis_on(self, line: str, day: date) -> Basis | None:
        """Where the contract of a line began anew, if it had by that day."""
        basis = self.bases.get(line)
        return basis if basis is not None and basis.since <= day else None


def whole_and_done(state: Engagement, line: ContractLine, seen: Seen, day: date) -> tuple[Decimal, Decimal]:
    """What the whole of a line takes, and what of it is done on a day: as measured, else by the work itself."""
    terms, budget = earning_terms(state, line, day), budget_of(line)
    if terms.measure == "milestones" and (points := _points_of(state, line)) is not None:
        weights, passed = points
        if not any(weights.values()):  # what is billed elsewhere: each point counts the same
            weights = dict.fromkeys(weights, Decimal(1))
        return sum(weights.values(), Decimal(0)), sum((weights.get(name, Decimal(0)) for name in passed), Decimal(0))
    measured = state.progress.measured_on(line.line, day, terms.measure)
    if measured is not None:
        done = measured.to_date
    else:
        done = {"hours": seen.hours, "cost": seen.cost}.get(terms.measure or "", Decimal(0))
    if terms.measure == "manual":
        return Decimal(1), done
    return state.progress.total_on(line.line, day, budget, terms.measure) or Decimal(0), done


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the whole of a line is expected to take: hours, or cost in the currency of its engagement."""

    measure: Literal["hours", "cost"]
    total: Decimal


def estimate_at_completion(state: Engagement, line: ContractLine) -> Estimate | None:
    """The newest estimate of a line's cost, else of its hours, else the budget of its terms; None without any."""
    measures: tuple[Literal["cost", "hours"], ...] = ("cost", "hours")
    for measure in measures:
        told = state.progress.estimate_on(line.line, date.max, measure)
        if told is not None:
            return Estimate(measure, told.total)
    measured, budget = earning_terms(state, line, date.max).measure, budget_of(line)
    return Estimate(measured, budget) if measured in measures and budget is not None else None


def _points_of(state: Engagement, line: ContractLine) -> tuple[Mapping[str, Decimal], Sequence[str]] | None:
    """What each point of a line counts for, and the points that were passed: milestones accepted, instalments due."""
    match line.billing:
        case FixedFeeMilestones(milestones=milestones):
            weights = {each.milestone: each.amount.amount for each in milestones}
            return weights, [name for of_line, name in state.accepted if of_line == line.line]
        case FixedFeeSchedule(instalments=instalments):
            weights = {each.instalment: each.amount.amount for each in instalments}
            return weights, [name for of_line, name in state.schedule.instalments if of_line == line.line]
        case _:
            return None


def earned_to_date(state: Engagement, line: ContractLine, seen: Seen, day: date) -> Money | None:
    """What a line has earned up to a day, apart from what its lots earn; None where only they do."""
    terms, currency = earning_terms(state, line, day), state.currency
    parts, promise = parts_of(state, line.line, day, seen.bases), promise_of(state, line.line, day, seen.bases)
    match terms.method:
        case "percent_complete" if promise is not None:
            return _earned_by_measure(state, line, seen, day, terms, parts)
        case "completed_contract" if promise is not None:
            completed = line.line in state.completed or None in state.completed
            return earned_on_completion(promise, completed=completed)
        case "straight_line" if isinstance(line.billing, ManagedService):
            return _earned_of_service(state, line, seen, day)
        case "straight_line" if promise is not None and terms.starts is not None and terms.ends is not None:
            if (basis := seen.basis_on(line.line, day) or _modified(state, line.line, seen, day)) is not None:
                rest = Promise(promise.transaction_price - basis.recognised)
                return basis.recognised + earned_straight_line(rest, max(basis.since, terms.starts), terms.ends, day)
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
    if (basis := seen.basis_on(line.line, day)) is not None:
        return earned_since(basis, promise, done, whole, terms.precision)
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


def _earned_of_service(state: Engagement, line: ContractLine, seen: Seen, day: date) -> Money:
    """The fees of the days that were served; where the price of all is divided, the share of it that they make."""
    share, fees = share_of(state, line.line, day, seen.bases), fees_of_term(state, line.line, day)
    served, nothing = _earned_by_service(state, line, day), zero(state.currency)
    if share is None or fees is None:
        return served
    basis = seen.basis_on(line.line, day)
    before = _earned_by_service(state, line, basis.since - timedelta(days=1)) if basis is not None else nothing
    counted = basis.recognised if basis is not None else nothing
    kept = progress((served - before).amount, (fees - before).amount)
    return counted + earned_by_progress(Promise(share - counted), kept)


def _earned_by_service(state: Engagement, line: ContractLine, day: date) -> Money:
    """The fees of the days that were served, month by month, at the fee that held on each (IFRS 15.22(b), B18)."""
    versions = state.versions.get(line.line, ())
    service = service_of(versions)
    periods = service_periods(service, day) if service is not None else ()
    served = (ServicePeriod(each.starts, min(each.ends, day)) for each in periods)
    return total((fee_of_period(versions, each, state.currency) for each in served), state.currency)


def provision_to_date(state: Engagement, line: ContractLine, seen: Seen, day: date) -> Money | None:
    """What has to be provided for a loss that is expected; None where no cost of the whole is expected.

    However progress is measured, it is what is still to be spent above what is still to be earned (IAS 37.66, 68).
    """
    terms, promise = earning_terms(state, line, day), promise_of(state, line.line, day, seen.bases)
    if terms.method not in ("percent_complete", "straight_line", "completed_contract") or promise is None:
        return None
    estimate, earned = state.progress.estimate_on(line.line, day, "cost"), earned_to_date(state, line, seen, day)
    if terms.measure == "cost" and earned is not None:
        whole, done = whole_and_done(state, line, seen, day)
        return loss_provision(promise, earned, Money(done, state.currency), Money(whole, state.currency))
    if estimate is None or earned is None:
        return None
    to_come = Money(estimate.total - seen.cost, state.currency) - (promise.transaction_price - earned)
    return max(to_come, zero(state.currency))


def begun_anew(state: Engagement, line: ContractLine, seen: Seen, recognised: Money, day: date) -> Basis:
    """From where a line earns when its contract is modified prospectively on a day (IFRS 15.21(a)).

    What counts is what was earned by the terms before: of a straight line that is what its days were worth, whenever
    the change became known; of what is measured it is what was recognised.
    """
    terms, price = earning_terms(state, line, day), own_price(state, line.line, day)
    if isinstance(line.billing, ManagedService):
        fees, earned = fees_of_term(state, line.line, day), _earned_before(state, line.line, seen, day)
        served = _earned_by_service(state, line, day - timedelta(days=1))
        left = 1 - progress(served.amount, fees.amount) if fees is not None else Fraction(1)
        return Basis(earned or zero(state.currency), day, left=_decimal(left))
    if terms.method == "straight_line" and terms.starts is not None and terms.ends is not None:
        days_left = max((terms.ends - max(day, terms.starts)).days + 1, 0)
        left = Fraction(days_left, (terms.ends - terms.starts).days + 1)
        earned = _earned_before(state, line.line, seen, day) or zero(state.currency)
        return Basis(earned, day, left=_decimal(left), price=price)
    if terms.method == "percent_complete":
        whole, done = whole_and_done(state, line, seen, day)
        return Basis(recognised, day, done, _decimal(1 - progress(done, whole)), price)
    completed = line.line in state.completed or None in state.completed
    return Basis(recognised, day, left=Decimal(0 if completed else 1), price=price)


def _modified(state: Engagement, name: str, seen: Seen, day: date) -> Basis | None:
    """Where a straight line began anew by the newest prospective change up to a day."""
    orders = state.change_orders
    for version in reversed(state.versions.get(name, ())):
        order = orders.get(version.change_order or "")
        is_prospective = order is not None and order.proposed.treatment == "prospective"
        if is_prospective and version.effective_from <= day:
            earned = _earned_before(state, name, seen, version.effective_from)
            return None if earned is None else Basis(earned, version.effective_from)
    return None


def _earned_before(state: Engagement, name: str, seen: Seen, day: date) -> Money | None:
    """What a line had earned by its terms of the day before; None where it had none."""
    eve = day - timedelta(days=1)
    line = state.line_on(name, eve)
    return earned_to_date(state, line, seen, eve) if line is not None else None


def _decimal(share: Fraction) -> Decimal:
    return Decimal(share.numerator) / Decimal(share.denominator)


def last_day_of(line: ContractLine) -> date | None:
    """The last day on which a line that earns with the days earns something; None while that is open."""
    if isinstance(line.billing, ManagedService):
        return line.billing.ends
    return revenue_of(line).ends
