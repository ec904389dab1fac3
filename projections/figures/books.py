"""What the journal says: revenue and cost as they are reported, contract assets, receivables and billings.

Of one legal entity, what it charges to others and is charged by them is part of its revenue and cost; for everything
else that cancels out and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from domain.books.account_role import AccountRole
from projections.figures import practices
from projections.figures.asked import ONLY_PROJECTS, By, FigureFilter, Names
from projections.pages import Conditions
from projections.reader import Scope, View

TRAILING_DAYS: Final = 90
"""The days over which revenue and billings per day are averaged."""

NAMES: Final = Names(
    month="p.period",
    selling_entity="p.entity",
    region="e.region",
    practice="coalesce(p.practice, '')",
    customer="p.customer",
    engagement="p.engagement",
    project="coalesce(nullif(p.project, ''), nullif(i.project, ''), o.project, '')",
)


def _accounts(roles: Iterable[AccountRole]) -> str:
    return f"p.account IN ({', '.join(repr(role.value) for role in roles)})"


_REVENUE: Final[tuple[AccountRole, ...]] = tuple(
    role for role in AccountRole if role.value.startswith("REVENUE") and role is not AccountRole.REVENUE_IC
)
_COST: Final[tuple[AccountRole, ...]] = (AccountRole.COST_LABOUR, AccountRole.COST_EXPENSE)
_TIED_UP: Final = (AccountRole.CONTRACT_ASSET, AccountRole.AR)
_IS_ASSET: Final = _accounts([AccountRole.CONTRACT_ASSET])
_IS_RECEIVABLE: Final = _accounts([AccountRole.AR])
_IS_REPORTED: Final = "(p.reporting_currency = d.currency AND p.reporting IS NOT NULL)"
_IS_BILLING: Final = f"{_IS_RECEIVABLE} AND p.event_name IN ('invoice.issued.v1', 'credit_note.issued.v1')"
_OF_LOTS: Final = (
    " LEFT JOIN (SELECT item, min(project) AS project FROM item WHERE is_lot GROUP BY 1) i"
    f" ON i.item = p.lot AND p.lot <> '' LEFT JOIN {ONLY_PROJECTS} o ON o.engagement = p.engagement AND o.line = p.line"
)


@dataclass(frozen=True, slots=True)
class Capital:
    """What is tied up at the end of a day, and what was earned and billed in the days before, of one key.

    ``contract_asset`` is earned and not billed, ``receivable`` billed and not paid; ``revenue`` and ``billings`` are
    those of the last 90 days, billings with tax and less credit notes.
    """

    key: str
    on: date
    currency: str
    contract_asset: Decimal
    receivable: Decimal
    revenue: Decimal
    billings: Decimal


@dataclass(frozen=True, slots=True)
class BookSums:
    """Revenue and cost of one key, and what it adds to the capital of a day.

    They are in the currency of the answer, as the journal reports them; what it reports in another currency is in the
    functional ``currency`` of its entity, ``on`` the day of the posting.
    """

    key: str
    currency: str
    on: date | None
    recognised: Decimal
    cost: Decimal
    capital: Capital | None


def book_sums(
    view: View, by: By, where: FigureFilter, scope: Scope, currency: str, day: date | None
) -> Iterator[BookSums]:
    """Revenue and cost of each key, as far as can be in a currency, and what is tied up at the end of a day.

    Without a day nothing but revenue and cost is read.
    """
    earning, costing = _REVENUE, _COST
    if by == "selling_entity" or where.selling_entity is not None:
        earning, costing = (*_REVENUE, AccountRole.REVENUE_IC), (*_COST, AccountRole.COST_IC)
    conditions = Conditions([currency, where.month_from or "", where.month_to or "9999-12", day])
    conditions.add(_accounts([*earning, *costing, *(_TIED_UP if day is not None else ())]))
    if day is not None:
        conditions.add("p.effective_on <= d.day")
    NAMES.restrict(conditions, where if day is None else where.of_all_months(), scope, "p.entity")
    span, trailing = "p.period BETWEEN d.month_from AND d.month_to", f"p.effective_on > d.day - {TRAILING_DAYS}"
    query = f"""
SELECT {NAMES.key(by)}, p.functional_currency, r.on_day,
       coalesce(-sum(r.amount) FILTER (WHERE {_accounts(earning)} AND {span}), 0),
       coalesce(sum(r.amount) FILTER (WHERE {_accounts(costing)} AND {span}), 0),
       coalesce(sum(p.functional) FILTER (WHERE {_IS_ASSET}), 0),
       coalesce(sum(p.functional) FILTER (WHERE {_IS_RECEIVABLE}), 0),
       coalesce(-sum(p.functional) FILTER (WHERE {_accounts(_REVENUE)} AND {trailing}), 0),
       coalesce(sum(p.functional) FILTER (WHERE {_IS_BILLING} AND {trailing}), 0)
FROM {_posted(by, where)}
CROSS JOIN (SELECT %s::text AS currency, %s::text AS month_from, %s::text AS month_to, %s::date AS day) d
CROSS JOIN LATERAL (SELECT CASE WHEN {_IS_REPORTED} THEN p.reporting ELSE p.functional END AS amount,
                           CASE WHEN NOT {_IS_REPORTED} THEN p.effective_on END AS on_day) r
{conditions.where} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
    for key, functional, on, recognised, cost, *tied_up in view.rows(query, conditions.values):
        capital = Capital(key, day, functional, *tied_up) if day is not None else None
        yield BookSums(key, functional, on, recognised, cost, capital)


def _posted(by: By, where: FigureFilter) -> str:
    """All postings with the entity of the books, and with what has to be known of them to answer."""
    postings = practices.POSTINGS if practices.are_asked(by, where) else "posting"
    of_lots = _OF_LOTS if by == "project" or where.project is not None or where.manager is not None else ""
    return f"{postings} p JOIN legal_entity e ON e.entity = p.entity{of_lots}"


def capital_of_months(view: View, where: FigureFilter, scope: Scope, days: Sequence[date]) -> Iterator[Capital]:
    """What is tied up on each of some days, by their months.

    Postings are added up by day first, so that many days cost little more than one.
    """
    conditions = Conditions()
    conditions.add(_accounts([*_TIED_UP, *_REVENUE]))
    conditions.add("p.effective_on <= %s", max(days))
    CAPITAL_NAMES.restrict(conditions, where.of_all_months(), scope, "p.entity")
    query = f"""
WITH posted AS (
    SELECT p.functional_currency AS currency, p.effective_on,
           sum(p.functional) FILTER (WHERE {_IS_ASSET}) AS asset,
           sum(p.functional) FILTER (WHERE {_IS_RECEIVABLE}) AS receivable,
           -sum(p.functional) FILTER (WHERE {_accounts(_REVENUE)}) AS revenue,
           sum(p.functional) FILTER (WHERE {_IS_BILLING}) AS billings
    FROM {_posted("month", where)} {conditions.where} GROUP BY 1, 2
)
SELECT to_char(d.day, 'YYYY-MM'), d.day, t.currency, coalesce(sum(t.asset), 0), coalesce(sum(t.receivable), 0),
       coalesce(sum(t.revenue) FILTER (WHERE t.effective_on > d.day - {TRAILING_DAYS}), 0),
       coalesce(sum(t.billings) FILTER (WHERE t.effective_on > d.day - {TRAILING_DAYS}), 0)
FROM unnest(%s::date[]) AS d(day) JOIN posted t ON t.effective_on <= d.day GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
    for row in view.rows(query, [*conditions.values, list(days)]):
        yield Capital(*row)


CAPITAL_NAMES: Final = replace(NAMES, project=None)
"""Receivables are told apart by all but project: an invoice may bill several of them."""
