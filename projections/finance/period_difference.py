"""What became known of a month after it was closed, and what that changed: as closed against as known today."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from domain.books.accounting_period import first_day_of, last_day_of
from projections.finance.period_accounts import ENTRIES_MAX, AccountCompared, LateEntry, compared, late_entries
from projections.reader import View

FACTS_MAX: Final = 500
_FIGURES: Final = (
    "SELECT functional_currency, sum(lots)::bigint, sum(hours), sum(functional_standard), sum(functional_billed),"
    " sum(functional_recognised), sum(functional_cost) FROM margin"
    " WHERE by = 'selling_entity' AND key = %s AND month = %s GROUP BY 1 ORDER BY 1"
)
_ITEMS: Final = (
    "SELECT stream, item, engagement, project, work_date, status, quantity, currency, value, cost_currency, cost,"
    " status_version, status_at, recorded_version, recorded_at FROM item"
    " WHERE (selling_entity = %s OR delivering_entity = %s) AND work_date BETWEEN %s AND %s"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the work of a month comes to for the entity that sells it, in its functional currency."""

    currency: str
    lots: int
    hours: Decimal
    standard: Decimal
    billed: Decimal
    recognised: Decimal
    cost: Decimal

    @property
    def margin(self) -> Decimal:
        """Recognised less cost."""
        return self.recognised - self.cost

    def less(self, other: Figures) -> Figures:
        """By how much these figures are more than others."""
        names = [each.name for each in fields(self) if each.name != "currency"]
        return Figures(self.currency, *(getattr(self, name) - getattr(other, name) for name in names))


@dataclass(frozen=True, slots=True)
class FiguresCompared:
    """Figures as they were at the close, as they are now, and the change."""

    currency: str
    as_closed: Figures
    as_known: Figures
    change: Figures


@dataclass(frozen=True, slots=True)
class LateFact:
    """A lot or unrated work of the month that is not what it was at the close, and the event that says so.

    ``what`` is ``added``, ``removed`` or ``changed``; amounts are what it counts for now less what it did then.
    """

    what: str
    item: str
    stream: str
    event: str
    recorded_at: datetime
    engagement: str
    project: str
    work_date: date
    status_as_closed: str | None
    status_as_known: str | None
    currency: str | None
    value_change: Decimal
    cost_currency: str | None
    cost_change: Decimal


@dataclass(frozen=True, slots=True)
class PeriodDifference:
    """A month as closed against as known now: the figures, and the facts that came after the close."""

    entity: str
    period: str
    closed_position: int
    closed_at: datetime
    figures: tuple[FiguresCompared, ...]
    facts: tuple[LateFact, ...]
    fact_count: int
    accounts: tuple[AccountCompared, ...]
    entries: tuple[LateEntry, ...]
    entry_count: int


def difference(
    closed: View, known: View, entity: str, period: str, closed_position: int, closed_at: datetime
) -> PeriodDifference:
    """What a view knows of a month beyond another that was taken at its close."""
    facts = _facts(closed, known, entity, period)
    entries = late_entries(known, entity, period, closed_position)
    return PeriodDifference(
        entity,
        period,
        closed_position,
        closed_at,
        _compared(closed, known, entity, period),
        tuple(facts[:FACTS_MAX]),
        len(facts),
        compared(closed, known, entity, period),
        tuple(entries[:ENTRIES_MAX]),
        len(entries),
    )


def _compared(closed: View, known: View, entity: str, period: str) -> tuple[FiguresCompared, ...]:
    then, now = _figures(closed, entity, period), _figures(known, entity, period)
    compared = []
    for currency in sorted(then.keys() | now.keys()):
        none = Figures(currency, 0, *[Decimal(0)] * 5)
        before, after = then.get(currency, none), now.get(currency, none)
        compared.append(FiguresCompared(currency, before, after, after.less(before)))
    return tuple(compared)


def _figures(view: View, entity: str, period: str) -> dict[str, Figures]:
    return {row[0]: Figures(*row) for row in view.rows(_FIGURES, [entity, period])}


@dataclass(frozen=True, slots=True)
class _Work:
    """A lot or unrated work as one view has it."""

    stream: str
    item: str
    engagement: str
    project: str
    work_date: date
    status: str
    quantity: Decimal
    currency: str | None
    value: Decimal | None
    cost_currency: str | None
    cost: Decimal | None
    status_version: int
    status_at: datetime
    recorded_version: int
    recorded_at: datetime

    @property
    def counts(self) -> bool:
        return self.status not in ("reversed", "split", "transferred")


def _facts(closed: View, known: View, entity: str, period: str) -> list[LateFact]:
    then, now = _works(closed, entity, period), _works(known, entity, period)
    found = []
    for key in then.keys() | now.keys():
        before, after = then.get(key), now.get(key)
        if fact := _late(before, after):
            found.append(fact)
    return sorted(found, key=lambda fact: (fact.recorded_at, fact.stream, fact.item))


def _works(view: View, entity: str, period: str) -> dict[tuple[str, str], _Work]:
    rows = view.rows(_ITEMS, [entity, entity, first_day_of(period), last_day_of(period)])
    return {(row[0], row[1]): _Work(*row) for row in rows}


def _late(before: _Work | None, after: _Work | None) -> LateFact | None:
    """What makes the difference of one piece of work, if there is one."""
    was, is_ = (before if before and before.counts else None), (after if after and after.counts else None)
    if was is None and is_ is None:
        return None
    if was and is_ and (was.status, was.value, was.cost) == (is_.status, is_.value, is_.cost):
        return None
    work: Any = after or before
    version = work.status_version if after and before else work.recorded_version
    return LateFact(
        what="changed" if was and is_ else "added" if is_ else "removed",
        item=work.item,
        stream=work.stream,
        event=f"{work.stream}@{version}",
        recorded_at=work.status_at if after and before else work.recorded_at,
        engagement=work.engagement,
        project=work.project,
        work_date=work.work_date,
        status_as_closed=was.status if was else None,
        status_as_known=is_.status if is_ else None,
        currency=work.currency,
        value_change=_amount(is_, "value") - _amount(was, "value"),
        cost_currency=work.cost_currency,
        cost_change=_amount(is_, "cost") - _amount(was, "cost"),
    )


def _amount(work: _Work | None, name: str) -> Decimal:
    amount: Decimal | None = getattr(work, name) if work is not None else None
    return amount if amount is not None else Decimal(0)
