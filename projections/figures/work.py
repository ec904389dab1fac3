"""What work is worth and what has become of that, added up from the lots at the rates of their work dates.

What a fixed price or a retainer pays for is left out: the milestone, the progress or the retainer is a lot of its own.
A billed lot has its share of the net of its invoice, less credits, and of what was paid of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from projections.figures import practices
from projections.figures.asked import ONLY_PROJECTS, By, FigureFilter, Names
from projections.pages import Conditions
from projections.reader import Scope, View

NAMES: Final = Names(
    month="to_char(i.work_date, 'YYYY-MM')",
    selling_entity="i.selling_entity",
    region="e.region",
    practice="coalesce(i.practice, '')",
    customer="i.customer",
    engagement="i.engagement",
    project="coalesce(nullif(i.project, ''), o.project, '')",
)


def sold(by: By, where: FigureFilter) -> str:
    """All work, with the entity that sells it; a milestone without a project belongs to the only one of its line."""
    return (
        f"{practices.ITEMS if practices.are_asked(by, where) else 'item'} i"
        " JOIN legal_entity e ON e.entity = i.selling_entity"
        f" LEFT JOIN {ONLY_PROJECTS} o ON o.engagement = i.engagement AND o.line = i.line"
    )


@dataclass(frozen=True, slots=True)
class WorkSums:
    """The standard value of lots by what has become of it, of one key and month, in one functional currency.

    ``standard`` is the sum of all that follows up to ``billed_standard``. ``billed`` is what invoices ask for it net of
    credits, before tax; ``collected`` the share of that which was paid, ``lost`` the share that was given up.
    ``unconverted`` counts lots without an exchange rate, whose value is in no sum.
    """

    key: str
    month: str
    currency: str
    standard: Decimal
    non_billable: Decimal
    written_off: Decimal
    over_cap: Decimal
    held: Decimal
    eligible: Decimal
    reserved: Decimal
    billed_standard: Decimal
    billed: Decimal
    collected: Decimal
    lost: Decimal
    unconverted: int


INVOICED: Final = """
invoiced AS (
    SELECT i.invoice,
           (i.net - coalesce(c.net, 0)) / nullif(b.value, 0) AS realised,
           CASE WHEN i.gross > i.credited
                THEN least(greatest(i.paid, 0) / (i.gross - i.credited), 1) ELSE 0 END AS collected,
           CASE WHEN i.gross > i.credited THEN least(i.written_off / (i.gross - i.credited), 1) ELSE 0 END AS lost
    FROM invoice i
    LEFT JOIN (SELECT invoice, sum(net) AS net FROM credit_note WHERE issued_on IS NOT NULL GROUP BY 1) c
           ON c.invoice = i.invoice
    LEFT JOIN (SELECT invoice, sum(value) AS value FROM item WHERE status = 'billed' GROUP BY 1) b
           ON b.invoice = i.invoice
    WHERE i.issued_on IS NOT NULL
)"""
"""Of each issued invoice: net asked for one unit of standard value, and the shares of it that were paid and lost."""

COUNTS: Final = (
    "i.is_lot AND i.status NOT IN ('reversed', 'split', 'transferred', 'drawn')"
    " AND i.non_billable_because IS DISTINCT FROM 'INCLUDED_IN_FIXED_FEE'"
)
"""The lots whose value counts: what a fixed price or a retainer pays for is billed by a lot of its own."""

OVER_CAP: Final = (
    "CASE WHEN i.state = 'eligible' AND i.value <> 0 THEN i.functional_value * i.over_cap_value / i.value ELSE 0 END"
)
"""The value of the part of an eligible lot that is over its cap."""

_SELECT: Final = f"""
SELECT coalesce(i.functional_currency, ''),
       coalesce(sum(i.functional_value), 0),
       coalesce(sum(i.functional_value) FILTER (WHERE i.status = 'non_billable'), 0),
       coalesce(sum(i.functional_value) FILTER (WHERE i.status = 'written_off'), 0),
       coalesce(sum({OVER_CAP}), 0) + coalesce(sum(i.functional_value) FILTER (WHERE i.state = 'over_cap'), 0),
       coalesce(sum(i.functional_value) FILTER (WHERE i.state = 'held'), 0),
       coalesce(sum(i.functional_value - {OVER_CAP}) FILTER (WHERE i.state = 'eligible'), 0),
       coalesce(sum(i.functional_value) FILTER (WHERE i.status = 'reserved'), 0),
       coalesce(sum(i.functional_value) FILTER (WHERE i.status = 'billed'), 0),
       coalesce(sum(i.functional_value * v.realised) FILTER (WHERE i.status = 'billed'), 0),
       coalesce(sum(i.functional_value * v.realised * v.collected) FILTER (WHERE i.status = 'billed'), 0),
       coalesce(sum(i.functional_value * v.realised * v.lost) FILTER (WHERE i.status = 'billed'), 0),
       count(*) FILTER (WHERE i.functional_value IS NULL)
"""


def work_sums(view: View, by: By, where: FigureFilter, scope: Scope) -> Iterator[WorkSums]:
    """The sums of each key and month."""
    conditions = Conditions()
    conditions.add(COUNTS)
    NAMES.restrict(conditions, where, scope, "i.selling_entity")
    select = _SELECT.replace("SELECT", f"SELECT {NAMES.key(by)} AS key, {NAMES.month} AS month,", 1)
    query = (
        f"WITH {INVOICED} {select} FROM {sold(by, where)}"
        f" LEFT JOIN invoiced v ON v.invoice = i.invoice AND i.status = 'billed' {conditions.where}"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    for row in view.rows(query, conditions.values):
        yield WorkSums(*row)
