"""Progress says how much of a promise is done, by whatever measure the contract names, and bills it cumulatively.

To date is progress times price; each bill is the difference to what was billed before. Estimates of the whole are
versions with a day and a reason: a new one catches up at once (IFRS 15.41 to 45, B14 to B19).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar, assert_never

from domain.contract import ContractLine, LineVersion, Measure, PercentComplete
from domain.engagement.promised import Agreement, Promised, free_name, promised_lot, rated_so_far, version_on
from domain.kernel import Refused
from domain.lots import LotBook, LotRated
from domain.money import Money, half_up, money_of


@dataclass(frozen=True, slots=True)
class ReviseEstimate:
    """State anew what the whole of a line will take, from a day on: hours, units, or cost in its currency."""

    line: str
    on: date
    total: Decimal
    measure: Measure
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MeasureProgress:
    """State what is done of a line up to a day, cumulatively; for ``manual`` as a fraction of one."""

    line: str
    on: date
    to_date: Decimal
    measure: Measure
    evidence: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordCost:
    """Tell a cost of a line that no timesheet or expense report holds, such as a subcontractor's bill."""

    line: str
    cost: str
    on: date
    amount: Money
    category: str
    source: str


@dataclass(frozen=True, slots=True)
class EstimateRevised:
    """What the whole of a line will take was estimated anew."""

    line: str
    on: date
    total: Decimal
    measure: Measure
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class ProgressMeasured:
    """What is done of a line up to a day was measured."""

    line: str
    on: date
    to_date: Decimal
    measure: Measure
    evidence: str
    by: str


@dataclass(frozen=True, slots=True)
class CostRecorded:
    """A cost of a line was told that no timesheet or expense report holds."""

    line: str
    cost: str
    on: date
    amount: Money
    category: str
    source: str


class NegativeProgress(Refused):
    """Progress to date cannot be negative, nor the estimate of the whole zero."""

    code = "engagement.negative_progress"
    fix = "Send what is done to date as zero or more, and the estimate of the whole as more than zero."


class ProgressAboveWhole(Refused):
    """Progress cannot be more than the whole."""

    code = "engagement.progress_above_whole"
    fix = "Revise the estimate of the whole first, or correct the measurement."


class WrongMeasure(Refused):
    """The contract line measures progress otherwise."""

    code = "engagement.wrong_measure"
    fix = "Use the measure that the contract line names."


class CostToldOtherwise(Refused):
    """The cost was told before with other values."""

    code = "engagement.cost_told_otherwise"
    fix = "Tell the difference as a cost of its own."


ProgressCommand = ReviseEstimate | MeasureProgress | RecordCost
ProgressEvent = EstimateRevised | ProgressMeasured | CostRecorded


@dataclass(frozen=True, slots=True)
class Progress:
    """Estimates and measurements of each line in the order told, and the costs that were told by name."""

    estimates: Mapping[str, tuple[EstimateRevised, ...]] = field(default_factory=dict)
    measured: Mapping[str, tuple[ProgressMeasured, ...]] = field(default_factory=dict)
    costs: Mapping[tuple[str, str], CostRecorded] = field(default_factory=dict)

    def estimate_on(self, line: str, day: date, measure: str | None = None) -> EstimateRevised | None:
        """The estimate in force on a day, in a measure or any: the newest not after it, of equal ones the last told."""
        return _newest(self.estimates.get(line, ()), day, measure)

    def measured_on(self, line: str, day: date, measure: str | None = None) -> ProgressMeasured | None:
        """The measurement in force on a day, in a measure or any."""
        return _newest(self.measured.get(line, ()), day, measure)

    def total_on(self, line: str, day: date, budget: Decimal | None, measure: str | None) -> Decimal | None:
        """What the whole of a line takes in a measure, as known on a day: the newest estimate, else its budget."""
        estimate = self.estimate_on(line, day, measure)
        return estimate.total if estimate else budget

    def share_on(self, line: str, day: date, budget: Decimal | None, precision: int | None = None) -> Fraction:
        """How much of a line is done on a day, exactly, unless ``precision`` says how many digits of a percentage."""
        measured = self.measured_on(line, day)
        if measured is None:
            return Fraction(0)
        whole = Decimal(1) if measured.measure == "manual" else self.total_on(line, day, budget, measured.measure)
        share = Fraction(measured.to_date) / Fraction(whole) if whole else Fraction(0)
        return rounded_share(min(share, Fraction(1)), precision)


Told = TypeVar("Told", EstimateRevised, ProgressMeasured)


def _newest(told: Sequence[Told], day: date, measure: str | None) -> Told | None:
    found: Told | None = None
    for each in told:
        if measure not in (None, each.measure):
            continue
        if each.on <= day and (found is None or each.on >= found.on):
            found = each
    return found


def rounded_share(share: Fraction, precision: int | None) -> Fraction:
    """A share rounded half up to so many digits of a percentage: 0.512195 with one digit is 51.2 %."""
    if precision is None:
        return share
    return Fraction(half_up(share * 100, precision)) / 100


def whole_of(billing: PercentComplete) -> Decimal | None:
    """What the whole of a percent-complete line takes by its contract, in the unit of its measure."""
    if billing.measure == "milestones":
        return sum((each.amount.amount for each in billing.milestones), Decimal(0))
    return Decimal(1) if billing.measure == "manual" else billing.budget


def billable_to_date(line: ContractLine, state: Progress, day: date) -> Money:
    """What a percent-complete line lets be billed up to a day: progress times price, or times what is funded."""
    billing = line.billing
    assert isinstance(billing, PercentComplete)
    price = billing.funded if billing.bills == "funded_cost" and billing.funded else billing.price
    share = state.share_on(line.line, day, whole_of(billing), billing.precision)
    return money_of(share * Fraction(price.amount), price.currency)


def decide_progress(
    command: ProgressCommand,
    versions: Sequence[LineVersion],
    newest_day: date,
    state: Progress,
    agreement: Agreement,
    book: LotBook,
) -> Sequence[ProgressEvent | LotRated]:
    """The measurement, estimate or cost, and the lot of what it adds to the bill or takes off it.

    Billed is what is done up to the newest day that anything is known of: an earlier day that is told of late takes
    nothing off the bill.
    """
    line = version_on(versions, command.on)
    assert line is not None
    match command:
        case RecordCost():
            return _record_cost(command, state)
        case ReviseEstimate():
            if not command.total > 0:
                raise NegativeProgress(f"{command.line}: {command.total} in all.")
            told: ProgressEvent = EstimateRevised(
                command.line, command.on, command.total, command.measure, command.reason, command.by
            )
            known: object = state.estimate_on(command.line, command.on, command.measure)
        case MeasureProgress():
            if command.to_date < 0:
                raise NegativeProgress(f"{command.line}: {command.to_date} on {command.on}.")
            told = ProgressMeasured(
                command.line, command.on, command.to_date, command.measure, command.evidence, command.by
            )
            known = state.measured_on(command.line, command.on, command.measure)
        case _:
            assert_never(command)
    if known == told:
        return []
    _require_measure(line, command)
    after = evolve_progress(state, told)
    if isinstance(command, MeasureProgress):
        _require_within_whole(line, command, after)
    newest = version_on(versions, newest_day)
    assert newest is not None
    return [told, *caught_up(newest, after, newest_day, command.at, agreement, book)]


def _record_cost(command: RecordCost, state: Progress) -> Sequence[CostRecorded]:
    told = CostRecorded(command.line, command.cost, command.on, command.amount, command.category, command.source)
    known = state.costs.get((command.line, command.cost))
    if known is not None and known != told:
        raise CostToldOtherwise(f"{command.cost}: {known.amount} on {known.on}.")
    return [] if known == told else [told]


def _require_measure(line: ContractLine, command: ReviseEstimate | MeasureProgress) -> None:
    """A line that is billed by progress is measured as it says; what it costs in all may be estimated of any line."""
    is_of_cost = isinstance(command, ReviseEstimate) and command.measure == "cost"
    if isinstance(line.billing, PercentComplete) and line.billing.measure != command.measure and not is_of_cost:
        raise WrongMeasure(f"{line.line} is measured by {line.billing.measure}.")


def _require_within_whole(line: ContractLine, command: MeasureProgress, state: Progress) -> None:
    billing = line.billing
    budget = whole_of(billing) if isinstance(billing, PercentComplete) else None
    whole = (
        Decimal(1) if command.measure == "manual" else state.total_on(line.line, command.on, budget, command.measure)
    )
    if whole is not None and command.to_date > whole:
        raise ProgressAboveWhole(f"{line.line}: {command.to_date} of {whole} on {command.on}.")


def caught_up(
    line: ContractLine, state: Progress, day: date, at: datetime, agreement: Agreement, book: LotBook
) -> Sequence[LotRated]:
    """The lot of the difference between what may be billed to date and what was; none when there is none."""
    if not isinstance(line.billing, PercentComplete) or not state.measured.get(line.line):
        return []
    to_date = billable_to_date(line, state, day)
    so_far = rated_so_far(agreement, line.line, book)
    if to_date == so_far:
        return []
    share = state.share_on(line.line, day, whole_of(line.billing), line.billing.precision)
    percent = half_up(share * 100, 2)
    promised = Promised(
        name=free_name(agreement, line.line, f"progress/{day}", book),
        day=day,
        amount=to_date - so_far,
        title=f"{line.title}: progress to {day}",
        because=f"{percent} % done: {to_date} to date, {so_far} before",
        known_at=at,
    )
    return [LotRated(promised_lot(agreement, line, promised, book))]


def evolve_progress(state: Progress, event: ProgressEvent) -> Progress:
    """Estimates, measurements and costs after one more event."""
    match event:
        case EstimateRevised(line=line):
            return replace(state, estimates={**state.estimates, line: (*state.estimates.get(line, ()), event)})
        case ProgressMeasured(line=line):
            return replace(state, measured={**state.measured, line: (*state.measured.get(line, ()), event)})
        case CostRecorded():
            return replace(state, costs={**state.costs, (event.line, event.cost): event})
        case _:
            assert_never(event)
