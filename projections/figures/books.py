"""What the journal says: revenue, cost, contract assets, receivables and billings, in the currency of each entity.

Of one legal entity, what it charges to others and is charged by them is part of its revenue and cost; for everything
else that cancels out and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
_REVENUE: Final = tuple(
    role.value for role in AccountRole if role.value.startswith("REVENUE") and role.value != "REVENUE_IC"
)
_COST: Final = (AccountRole.COST_LABOUR.value, AccountRole.COST_EXPENSE.value)
_ASSET: Final = (AccountRole.CONTRACT_ASSET.value,)
_RECEIVABLE: Final = (AccountRole.AR.value,)
_BILLING: Final = ("invoice.issued.v1", "credit_note.issued.v1")
_OF_LOTS: Final = (
    " LEFT JOIN (SELECT item, min(project) AS project FROM item WHERE is_lot GROUP BY 1) i"
    f" ON i.item = p.lot AND p.lot <> '' LEFT JOIN {ONLY_PROJECTS} o ON o.engagement = p.engagement AND o.line = p.line"
)


@dataclass(frozen=True, slots=True)
class BookSums:
    """Revenue and cost of one key and month, in one functional currency."""

    key: str
    month: str
    currency: str
    recognised: Decimal
    cost: Decimal


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


def book_sums(view: View, by: By, where: FigureFilter, scope: Scope) -> Iterator[BookSums]:
    """Revenue and cost of each key and month of the books."""
    between = ("REVENUE_IC", "COST_IC") if by == "selling_entity" or where.selling_entity is not None else ()
    conditions = Conditions()
    conditions.one_of("p.account", (*_REVENUE, *_COST, *between))
    NAMES.restrict(conditions, where, scope, "p.entity")
    query = (
        f"SELECT {NAMES.key(by)}, p.period, p.functional_currency,"
        " coalesce(-sum(p.functional) FILTER (WHERE p.account LIKE 'REVENUE%%'), 0),"
        " coalesce(sum(p.functional) FILTER (WHERE p.account LIKE 'COST%%'), 0)"
        f" FROM {_posted(by, where)} {conditions.where} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    for row in view.rows(query, conditions.values):
        yield BookSums(*row)


def _posted(by: By, where: FigureFilter) -> str:
    """All postings with the entity of the books, and with what has to be known of them to answer."""
    postings = practices.POSTINGS if practices.are_asked(by, where) else "posting"
    of_lots = _OF_LOTS if by == "project" or where.project is not None else ""
    return f"{postings} p JOIN legal_entity e ON e.entity = p.entity{of_lots}"


def capital(view: View, by: By, where: FigureFilter, scope: Scope, days: Sequence[date]) -> Iterator[Capital]:
    """What is tied up on each of some days, by key, or by the months of these days.

    Postings are added up by day first, so that many days cost little more than one.
    """
    conditions = Conditions([list(_ASSET), list(_RECEIVABLE), list(_REVENUE), list(_RECEIVABLE), list(_BILLING)])
    conditions.one_of("p.account", (*_ASSET, *_RECEIVABLE, *_REVENUE))
    conditions.add("p.effective_on <= %s", max(days))
    CAPITAL_NAMES.restrict(conditions, where.of_all_months(), scope, "p.entity")
    query = f"""
WITH posted AS (
    SELECT {"''" if by == "month" else CAPITAL_NAMES.key(by)} AS key, p.functional_currency AS currency, p.effective_on,
           sum(p.functional) FILTER (WHERE p.account = ANY(%s)) AS asset,
           sum(p.functional) FILTER (WHERE p.account = ANY(%s)) AS receivable,
           -sum(p.functional) FILTER (WHERE p.account = ANY(%s)) AS revenue,
           sum(p.functional) FILTER (WHERE p.account = ANY(%s) AND p.event_name = ANY(%s)) AS billings
    FROM {_posted(by, where)} {conditions.where} GROUP BY 1, 2, 3
)
SELECT {"to_char(d.day, 'YYYY-MM')" if by == "month" else "t.key"} AS key, d.day, t.currency,
       coalesce(sum(t.asset), 0), coalesce(sum(t.receivable), 0),
       coalesce(sum(t.revenue) FILTER (WHERE t.effective_on > d.day - {TRAILING_DAYS}), 0),
       coalesce(sum(t.billings) FILTER (WHERE t.effective_on > d.day - {TRAILING_DAYS}), 0)
FROM unnest(%s::date[]) AS d(day) JOIN posted t ON t.effective_on <= d.day GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
    for row in view.rows(query, [*conditions.values, list(days)]):
        yield Capital(*row)


CAPITAL_NAMES: Final = Names(
    month="p.period",
    selling_entity="p.entity",
    region="e.region",
    practice="coalesce(p.practice, '')",
    customer="p.customer",
    engagement="p.engagement",
)
"""Receivables are told apart by entity, region, practice, customer, and engagement where an invoice bills one alone."""
