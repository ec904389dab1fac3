"""What each contract line is worth in revenue: its own price, or its share of the price of all by stand-alone prices.

A line has one part, and a further one for each change order that is accounted for as a separate contract (IFRS 15.20):
every part is earned by its own price and its own extent, the older ones first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from domain.contract import (
    ContractLine,
    FixedFeeMilestones,
    LineVersion,
    ManagedService,
    PercentComplete,
    Revenue,
    TimeAndMaterials,
    price_of,
    revenue_of,
)
from domain.engagement import Engagement
from domain.engagement.progress import whole_of
from domain.engagement.schedule import fee_of_period, service_of, service_periods
from domain.money import Money, total, zero
from domain.revenue.methods import (
    Bases,
    Basis,
    Promise,
    allocated,
    earned_by_progress,
    earned_straight_line,
    progress,
)

_LOT_BY_LOT = frozenset({"as_invoiceable", "point_in_time"})
"""The methods by which a line earns what its lots are worth, unless its price is allocated."""


NOT_BEGUN_ANEW: Final[Bases] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Part:
    """A promise that is earned apart: its price, and the terms of the line when it was made.

    ``since`` is the day from which a separate contract added it; None for the line as it was first agreed.
    """

    promise: Promise
    line: ContractLine
    since: date | None = None


def own_promise(line: ContractLine, currency: str) -> Promise | None:
    """What a line is worth by its own terms; None where that depends on what is done."""
    price = price_of(line.billing)
    if price is None and isinstance(line.billing, TimeAndMaterials):
        price = line.billing.cap
    if price is None and isinstance(line.billing, FixedFeeMilestones):
        price = zero(currency)
    return Promise(price, revenue_of(line).constrained) if price is not None else None


def parts_of(state: Engagement, name: str, day: date, bases: Bases = NOT_BEGUN_ANEW) -> tuple[Part, ...]:
    """The parts of a line as they stand on a day; none where what it is worth depends on what is done."""
    parts: list[Part] = []
    for version in _versions(state, name, day):
        whole = own_promise(version.line, state.currency)
        if whole is None:
            return ()
        if parts and not _is_separate(state, version):
            parts.pop()
        before = total((each.promise.transaction_price for each in parts), state.currency)
        since = version.effective_from if parts else None
        parts.append(Part(Promise(whole.price - before, whole.constrained), version.line, since))
    if parts and (share := _shares(state, day, bases).get(name)) is not None:
        parts[0] = replace(parts[0], promise=Promise(share))
    return tuple(parts)


def promise_of(state: Engagement, name: str, day: date, bases: Bases = NOT_BEGUN_ANEW) -> Promise | None:
    """What a line is worth in all on a day; None where that depends on what is done."""
    parts = parts_of(state, name, day, bases)
    if not parts:
        return None
    return Promise(total((each.promise.transaction_price for each in parts), state.currency))


def own_price(state: Engagement, name: str, day: date) -> Money | None:
    """What a line is worth by its own terms on a day, without separate contracts; None where that depends."""
    line = _line_of_first_part(state, name, day)
    promise = own_promise(line, state.currency) if line is not None else None
    return promise.transaction_price if promise is not None else None


def earning_terms(state: Engagement, line: ContractLine, day: date) -> Revenue:
    """How a line is earned.

    Parts whose price is allocated, or may not count in full yet, earn their share of it, not what each is billed at.
    """
    terms = revenue_of(line)
    if terms.method not in _LOT_BY_LOT or not _is_shared(state, line, day):
        return terms
    match line.billing:
        case PercentComplete(measure=measure, budget=budget, precision=precision):
            return Revenue("percent_complete", measure, budget, precision=precision)
        case _:
            return Revenue("percent_complete", "milestones")


def _is_shared(state: Engagement, line: ContractLine, day: date) -> bool:
    """Whether what a line earns is not what its parts are billed at, or once was not: it catches up with that."""
    if price_of(line.billing) is None:
        return False
    terms = {day: line} | {each.effective_from: each.line for each in _versions(state, line.line, day)}
    return any(revenue_of(each).constrained or line.line in _shares(state, on) for on, each in terms.items())


def fees_of_term(state: Engagement, name: str, day: date) -> Money | None:
    """The fees of a service over its term, as agreed on a day; None where it has no end."""
    versions = _versions(state, name, day)
    service = service_of(versions)
    if service is None or service.ends is None:
        return None
    periods = service_periods(service, service.ends)
    return total((fee_of_period(versions, each, state.currency) for each in periods), state.currency)


def share_of(state: Engagement, name: str, day: date, bases: Bases = NOT_BEGUN_ANEW) -> Money | None:
    """What a line is worth of a price that is divided; None where it has no part in one."""
    return _shares(state, day, bases).get(name)


def allocated_lines(state: Engagement, day: date) -> Sequence[str]:
    """The lines among which a price is allocated."""
    return tuple(_shares(state, day))


def budget_of(line: ContractLine) -> Decimal | None:
    """What the whole of a line takes by its terms, in the unit of its measure."""
    budget = revenue_of(line).budget
    if budget is None and isinstance(line.billing, PercentComplete):
        return whole_of(line.billing)
    return budget


def earned_by_parts(parts: Sequence[Part], done: Decimal, whole: Decimal, precision: int | None) -> Money:
    """What a measure of progress earns: it fills the parts one after the other, each up to its own extent.

    Of 120 units for 12,000 and 30 more for 2,850 by a separate contract, 130 done earn 12,000 and 950.
    """
    currency, before = parts[0].promise.price.currency, Decimal(0)
    earned = zero(currency)
    for part in parts:
        budget = budget_of(part.line)
        upto = whole if part is parts[-1] or budget is None else budget
        earned += earned_by_progress(part.promise, progress(done - before, upto - before, precision))
        before = upto
    return earned


def earned_by_days(parts: Sequence[Part], day: date) -> Money:
    """What a straight line earns: each part over its own days; a longer term adds the days behind the former end."""
    earned, ended = zero(parts[0].promise.price.currency), date.min
    for part in parts:
        starts, ends = _days_of(part) or _days_of(parts[-1]) or (day, day)
        if part.since is not None:
            starts = ended + timedelta(days=1) if ends > ended else max(part.since, starts)
        earned += earned_straight_line(part.promise, starts, ends, day)
        ended = max(ended, ends)
    return earned


def _days_of(part: Part) -> tuple[date, date] | None:
    terms = revenue_of(part.line)
    return (terms.starts, terms.ends) if terms.starts and terms.ends else None


def _versions(state: Engagement, name: str, day: date) -> Sequence[LineVersion]:
    """The versions up to a day; before the first one, the first."""
    known = state.versions.get(name, ())
    return [each for each in known if each.effective_from <= day] or known[:1]


def _is_separate(state: Engagement, version: LineVersion) -> bool:
    order = state.change_orders.get(version.change_order or "")
    return order is not None and order.proposed.treatment == "separate"


@dataclass(frozen=True, slots=True)
class _Sharing:
    """What a line brings into a price that is divided: its price, what of that is its own, and what it costs alone."""

    price: Money
    own: Money
    stand_alone: Decimal


def _shares(state: Engagement, day: date, bases: Bases = NOT_BEGUN_ANEW) -> dict[str, Money]:
    """The price of all lines that name their stand-alone price, divided among them by it (IFRS 15.74, 76).

    After a prospective change only what was not earned yet is divided, by what is left of each line (IFRS 15.21(a)).
    """
    sharing = {name: each for name in state.versions if (each := _sharing(state, name, day)) is not None}
    if len(sharing) < 2 or not any(each.stand_alone for each in sharing.values()):
        return {}
    nothing = zero(state.currency)
    before, own, weights = {}, {}, []
    for name, each in sharing.items():
        basis = bases.get(name, Basis(nothing, day))
        before[name] = basis.recognised
        own[name] = (each.own * basis.left).rounded()
        weights.append(each.stand_alone * basis.left)
    if not any(weights):
        weights = [each.stand_alone for each in sharing.values()]
    kept = total((*before.values(), *own.values()), state.currency)
    to_share = total((each.price for each in sharing.values()), state.currency) - kept
    parts = zip(sharing, allocated(to_share, weights), strict=True)
    return {name: before[name] + own[name] + part for name, part in parts}


def _sharing(state: Engagement, name: str, day: date) -> _Sharing | None:
    """What a line brings in; None where it has no part in a price that is divided.

    What is variable and belongs to one line alone is its own (IFRS 15.85); a line of which that is the whole price has
    no part in the rest. What was added as a separate contract is at its stand-alone price already: it has none either.
    """
    line, nothing = _line_of_first_part(state, name, day), zero(state.currency)
    if line is None or line.stand_alone_price is None:
        return None
    if isinstance(line.billing, ManagedService):
        fees = fees_of_term(state, name, day) if revenue_of(line).method == "straight_line" else None
        return _Sharing(fees, nothing, line.stand_alone_price.amount) if fees is not None else None
    if price_of(line.billing) is None:
        return None
    promise = own_promise(line, state.currency)
    assert promise is not None, "what has a price is worth something"
    variable = revenue_of(line).for_this_line or nothing
    if variable and variable == promise.price:
        return None
    own = max(variable - (promise.constrained or nothing), nothing)
    return _Sharing(promise.transaction_price, own, line.stand_alone_price.amount)


def _line_of_first_part(state: Engagement, name: str, day: date) -> ContractLine | None:
    """The terms of a line without what separate contracts added; None where it is one itself."""
    line: ContractLine | None = None
    for version in _versions(state, name, day):
        if _is_separate(state, version):
            return line
        line = version.line
    return line
