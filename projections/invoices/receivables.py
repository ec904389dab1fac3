"""What each customer owes, how long it has been due, and what is on account for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from projections.finance.worth import WORTH, worth
from projections.pages import Conditions, Page, PageRequest, Sort, paged
from projections.reader import Scope, View


@dataclass(frozen=True, slots=True)
class ReceivableRow:
    """What a customer owes a legal entity in one currency, by the days that it is overdue.

    ``due`` is the sum of the five buckets. ``on_account`` is money that settles nothing yet: of receipts, and of
    invoices that were credited after they were paid. ``balance`` is ``due`` less ``on_account``.
    """

    customer: str
    customer_name: str
    selling_entity: str
    currency: str
    invoices: int
    due: Decimal
    not_yet_due: Decimal
    days_1_to_30: Decimal
    days_31_to_60: Decimal
    days_61_to_90: Decimal
    days_over_90: Decimal
    disputed: Decimal
    in_collections: Decimal
    held_back: Decimal
    on_account: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class ReceivableFilter:
    """Which receivables; ``on`` is the day from which the days overdue are counted."""

    on: date
    customer: str | None = None
    selling_entity: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class ReceivableTotals:
    """What all receivables in a currency add up to."""

    currency: str
    count: int
    due: Decimal
    not_yet_due: Decimal
    days_1_to_30: Decimal
    days_31_to_60: Decimal
    days_61_to_90: Decimal
    days_over_90: Decimal
    on_account: Decimal
    balance: Decimal


SORTS: Final = {
    "due": Sort(
        (
            ("r.due * coalesce(w.rate, 1)", "numeric"),
            ("r.customer", "text"),
            ("r.selling_entity", "text"),
            ("r.currency", "text"),
        )
    ),
    "customer": Sort((("r.customer", "text"), ("r.selling_entity", "text"), ("r.currency", "text"))),
}
_OWED: Final = (
    "SELECT customer, selling_entity, currency, (due > 0)::int AS invoices, greatest(due, 0) AS due,"
    " %s::date - due_on AS days, disputes > 0 AS is_disputed, collections_on IS NOT NULL AS is_collected, held_back,"
    " greatest(-due, 0) AS on_account FROM invoice WHERE issued_on IS NOT NULL AND (due <> 0 OR held_back <> 0)"
)
_ON_ACCOUNT: Final = (
    "SELECT customer, entity, currency, 0, 0, 0, false, false, 0, on_account FROM payment WHERE on_account <> 0"
)
_BY_CUSTOMER: Final = (
    "(SELECT customer, selling_entity, currency, sum(invoices)::bigint AS invoices, sum(due) AS due,"
    " coalesce(sum(due) FILTER (WHERE days <= 0), 0) AS not_yet_due,"
    " coalesce(sum(due) FILTER (WHERE days BETWEEN 1 AND 30), 0) AS days_1_to_30,"
    " coalesce(sum(due) FILTER (WHERE days BETWEEN 31 AND 60), 0) AS days_31_to_60,"
    " coalesce(sum(due) FILTER (WHERE days BETWEEN 61 AND 90), 0) AS days_61_to_90,"
    " coalesce(sum(due) FILTER (WHERE days > 90), 0) AS days_over_90,"
    " coalesce(sum(due) FILTER (WHERE is_disputed), 0) AS disputed,"
    " coalesce(sum(due) FILTER (WHERE is_collected), 0) AS in_collections,"
    " sum(held_back) AS held_back, sum(on_account) AS on_account, sum(due) - sum(on_account) AS balance"
    f" FROM ({_OWED} UNION ALL {_ON_ACCOUNT}) owed GROUP BY 1, 2, 3) r"
)
_SELECT: Final = (
    "SELECT r.customer, coalesce(c.name, r.customer), r.selling_entity, r.currency, r.invoices, r.due, r.not_yet_due,"
    " r.days_1_to_30, r.days_31_to_60, r.days_61_to_90, r.days_over_90, r.disputed, r.in_collections, r.held_back,"
    " r.on_account, r.balance"
)


def find(view: View, where: ReceivableFilter, scope: Scope, page: PageRequest) -> Page[ReceivableRow]:
    """One page of receivables."""
    tables = (
        f"{_BY_CUSTOMER} LEFT JOIN customer c ON c.customer = r.customer LEFT JOIN {WORTH} ON w.currency = r.currency"
    )
    conditions = _conditions(where, scope, [where.on, *worth(view)])
    return paged(view, _SELECT, tables, conditions, SORTS, page, _row)


def totals(view: View, where: ReceivableFilter, scope: Scope) -> tuple[ReceivableTotals, ...]:
    """What they add up to, by currency."""
    conditions = _conditions(where, scope, [where.on])
    query = (
        "SELECT r.currency, count(*), sum(r.due), sum(r.not_yet_due), sum(r.days_1_to_30), sum(r.days_31_to_60),"
        f" sum(r.days_61_to_90), sum(r.days_over_90), sum(r.on_account), sum(r.balance) FROM {_BY_CUSTOMER}"
        f" {conditions.where} GROUP BY 1 ORDER BY 1"
    )
    return tuple(ReceivableTotals(*row) for row in view.rows(query, conditions.values))


def _conditions(where: ReceivableFilter, scope: Scope, values_before: Sequence[Any]) -> Conditions:
    conditions = Conditions(values_before)
    conditions.equal("r.customer", where.customer)
    conditions.equal("r.selling_entity", where.selling_entity)
    conditions.equal("r.currency", where.currency)
    conditions.within(scope, "r.selling_entity")
    return conditions


def _row(values: Sequence[Any]) -> ReceivableRow:
    return ReceivableRow(*values)
