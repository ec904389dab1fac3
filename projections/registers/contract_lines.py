"""What may be asked of a contract line: its terms, what is taken of its caps, its progress, and its retainers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from domain.contract import ContractLine, FixedFeeMilestones, Milestone, PercentComplete, TimeAndMaterials, price_of
from domain.engagement import Engagement
from domain.engagement.progress import whole_of
from domain.money import half_up, total
from domain.revenue.earning import estimate_at_completion
from projections.history.contract_sentences import terms_of


@dataclass(frozen=True, slots=True)
class MilestoneRow:
    """A deliverable with its price; ``accepted_on`` is None until the customer accepts it."""

    milestone: str
    title: str
    amount: Decimal
    project: str | None
    accepted_on: date | None
    evidence: str | None


@dataclass(frozen=True, slots=True)
class RetainerRow:
    """What was granted of a line's retainers, and what became of it: granted is the sum of the other four."""

    granted: Decimal
    applied: Decimal
    expired: Decimal
    refunded: Decimal
    available: Decimal


@dataclass(frozen=True, slots=True)
class LineRow:
    """A contract line; ``claimed`` is what drafts and issued invoices take of it, net of credits.

    ``progress`` is in percent, as measured last. ``estimate`` is what the whole is expected to take in its measure,
    hours or cost: the newest estimate, else the budget of its terms. ``effective_from`` and ``change_order`` are of
    its newest version, None for the first one.
    """

    line: str
    title: str
    method: str
    cap: Decimal | None
    cap_policy: str | None
    claimed: Decimal
    milestones: tuple[MilestoneRow, ...]
    terms: str
    price: Decimal | None
    hours_cap: Decimal | None
    claimed_hours: Decimal
    progress: Decimal | None
    estimate: Decimal | None
    estimate_measure: str | None
    retainer: RetainerRow | None
    effective_from: date | None
    change_order: str | None


def line_row(name: str, state: Engagement) -> LineRow:
    """A contract line as it stands."""
    line, taken, newest = state.lines[name], state.consumed(name), state.versions[name][-1]
    hourly = line.billing if isinstance(line.billing, TimeAndMaterials) else None
    price = price_of(line.billing)
    estimate = estimate_at_completion(state, line)
    is_capped = hourly is not None and (hourly.cap is not None or hourly.hours_cap is not None)
    return LineRow(
        line=name,
        title=line.title,
        method=line.billing.kind,
        cap=hourly.cap.amount if hourly and hourly.cap is not None else None,
        cap_policy=hourly.cap_policy if hourly and is_capped else None,
        claimed=taken.amount.amount,
        milestones=_milestones(line, state),
        terms=terms_of(line.billing),
        price=price.amount if price is not None else None,
        hours_cap=hourly.hours_cap if hourly else None,
        claimed_hours=taken.hours,
        progress=_progress(line, state),
        estimate=estimate.total if estimate is not None else None,
        estimate_measure=estimate.measure if estimate is not None else None,
        retainer=_retainer(name, state),
        effective_from=newest.effective_from if newest.change_order else None,
        change_order=newest.change_order,
    )


def _milestones(line: ContractLine, state: Engagement) -> tuple[MilestoneRow, ...]:
    known: tuple[Milestone, ...] = ()
    if isinstance(line.billing, FixedFeeMilestones | PercentComplete):
        known = line.billing.milestones
    rows: list[MilestoneRow] = []
    for each in known:
        accepted = state.accepted.get((line.line, each.milestone))
        on, evidence = (accepted.accepted_on, accepted.evidence) if accepted else (None, None)
        rows.append(MilestoneRow(each.milestone, each.title, each.amount.amount, each.project, on, evidence))
    return tuple(rows)


def _progress(line: ContractLine, state: Engagement) -> Decimal | None:
    measured = state.progress.measured.get(line.line)
    if not measured:
        return None
    billing = line.billing
    whole, precision = (whole_of(billing), billing.precision) if isinstance(billing, PercentComplete) else (None, None)
    return half_up(state.progress.share_on(line.line, date.max, whole, precision) * 100, 2)


def _retainer(name: str, state: Engagement) -> RetainerRow | None:
    grants = state.account(name).grants.values()
    if not grants:
        return None

    def sum_of(field: str) -> Decimal:
        return total((getattr(grant, field) for grant in grants), state.currency).amount

    return RetainerRow(*(sum_of(each) for each in ("amount", "applied", "expired", "refunded", "available")))


def stored(row: LineRow) -> dict[str, Any]:
    """A line as the table keeps it: amounts as text."""
    retainer = row.retainer
    return {
        "line": row.line,
        "title": row.title,
        "method": row.method,
        "cap": _text(row.cap),
        "cap_policy": row.cap_policy,
        "claimed": _text(row.claimed),
        "milestones": [
            {
                "milestone": each.milestone,
                "title": each.title,
                "amount": _text(each.amount),
                "project": each.project,
                "accepted_on": each.accepted_on,
                "evidence": each.evidence,
            }
            for each in row.milestones
        ],
        "terms": row.terms,
        "price": _text(row.price),
        "hours_cap": _text(row.hours_cap),
        "claimed_hours": _text(row.claimed_hours),
        "progress": _text(row.progress),
        "estimate": _text(row.estimate),
        "estimate_measure": row.estimate_measure,
        "retainer": [_text(getattr(retainer, field)) for field in _RETAINER] if retainer else None,
        "effective_from": row.effective_from,
        "change_order": row.change_order,
    }


_RETAINER = ("granted", "applied", "expired", "refunded", "available")


def read(told: Mapping[str, Any]) -> LineRow:
    """A line as the table kept it."""
    return LineRow(
        line=told["line"],
        title=told["title"],
        method=told["method"],
        cap=_number(told["cap"]),
        cap_policy=told["cap_policy"],
        claimed=Decimal(told["claimed"]),
        milestones=tuple(_milestone(each) for each in told["milestones"]),
        terms=told["terms"],
        price=_number(told["price"]),
        hours_cap=_number(told["hours_cap"]),
        claimed_hours=Decimal(told["claimed_hours"]),
        progress=_number(told["progress"]),
        estimate=_number(told["estimate"]),
        estimate_measure=told["estimate_measure"],
        retainer=RetainerRow(*map(Decimal, told["retainer"])) if told["retainer"] else None,
        effective_from=_date(told["effective_from"]),
        change_order=told["change_order"],
    )


def _milestone(told: Mapping[str, Any]) -> MilestoneRow:
    return MilestoneRow(
        told["milestone"],
        told["title"],
        Decimal(told["amount"]),
        told["project"],
        _date(told["accepted_on"]),
        told["evidence"],
    )


def _text(number: Decimal | None) -> str | None:
    return None if number is None else str(number)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
