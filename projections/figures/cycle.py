"""How long it takes from the work to the invoice, and from the invoice to the books of the ERP."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from projections.figures import practices
from projections.figures.asked import By, FigureFilter, Names
from projections.pages import Conditions
from projections.reader import Scope, View

NAMES = Names(
    month="to_char(i.issued_on, 'YYYY-MM')",
    selling_entity="i.selling_entity",
    region="e.region",
    practice="coalesce(v.practice, '')",
    customer="i.customer",
    engagement="i.engagement",
)


@dataclass(frozen=True, slots=True)
class CycleTimes:
    """The middle and the slow end of how long invoices take, in days; None where none has come that far.

    ``from_service``: from the end of the service period, the last day that was worked, to the issue;
    ``from_approval``: from the last approval of what it still bills to the issue, on the calendar of the seller's
    place; ``to_books``: from the first sending to the ERP to its confirmation. The 90th percentile is a value that was
    reached, not one between two.
    """

    key: str
    invoices: int
    from_service_days_median: Decimal | None
    from_service_days_p90: Decimal | None
    from_approval_days_median: Decimal | None
    from_approval_days_p90: Decimal | None
    to_books_days_median: Decimal | None
    to_books_days_p90: Decimal | None


def cycle_times(view: View, by: By, where: FigureFilter, scope: Scope) -> list[CycleTimes]:
    """The cycle times of issued invoices by key, months being those of the issue.

    An invoice counts once for each practice that it bills work of.
    """
    of_practices = f"LEFT JOIN {practices.INVOICE_SHARES} v ON v.invoice = i.invoice"
    NAMES.require(by, where)
    conditions = Conditions()
    conditions.add("i.issued_on IS NOT NULL")
    NAMES.restrict(conditions, where, scope, "i.selling_entity")
    query = f"""
WITH days AS (
    SELECT {NAMES.key(by)} AS key,
           (i.issued_on - i.last_work_date)::numeric AS from_service,
           (i.issued_on - (l.approved_at AT TIME ZONE e.time_zone)::date)::numeric AS from_approval,
           s.days AS to_books
    FROM invoice i
    JOIN legal_entity e ON e.entity = i.selling_entity
    {of_practices if practices.are_asked(by, where) else ""}
    LEFT JOIN (SELECT invoice, max(approved_at) AS approved_at FROM item WHERE status = 'billed' GROUP BY 1) l
           ON l.invoice = i.invoice
    LEFT JOIN (SELECT object,
                      max(extract(epoch FROM confirmed_at - coalesce(first_sent_at, requested_at))) / 86400 AS days
               FROM sync WHERE kind = 'invoice' AND confirmed_at IS NOT NULL GROUP BY 1) s ON s.object = i.invoice
    {conditions.where}
)
SELECT key, count(*), {_of("from_service")}, {_of("from_approval")}, {_of("to_books")}
FROM days GROUP BY 1 ORDER BY 1"""
    return [CycleTimes(*row) for row in view.rows(query, conditions.values)]


def _of(column: str) -> str:
    """Median and 90th percentile of a column, with a hundredth of a day."""
    return (
        f"round(percentile_cont(0.5) WITHIN GROUP (ORDER BY {column})::numeric, 2),"
        f" round(percentile_disc(0.9) WITHIN GROUP (ORDER BY {column})::numeric, 2)"
    )
