"""What of the work and of its money belongs to which practice, also where a document or a line has several.

An hour belongs to the practice of who worked it. What nobody works by the hour, such as a milestone, an instalment, a
step of progress or a retainer, belongs to the practices that work on its contract line, by their approved hours. An
invoice belongs to the practices of the lots that it still bills, by their value. What has neither lots nor hours
belongs to no practice.
"""

from __future__ import annotations

from typing import Final

from projections.figures.asked import By, FigureFilter

LINE_SHARES: Final = """(
    SELECT engagement, line, practice, hours / sum(hours) OVER (PARTITION BY engagement, line) AS share
    FROM (SELECT engagement, coalesce(line, '') AS line, practice, sum(quantity) AS hours FROM item
          WHERE is_lot AND unit = 'hour' AND practice <> '' AND line <> ''
            AND status NOT IN ('reversed', 'split', 'transferred')
          GROUP BY GROUPING SETS ((engagement, line, practice), (engagement, practice))) worked
    WHERE hours > 0
)"""
"""The part of each practice in the approved hours of a line; of a whole engagement where the line is empty."""

_IS_SHARED: Final = "i.resource IS NULL AND coalesce(i.practice, '') = ''"

ITEMS: Final = f"""(
    SELECT i.is_lot, i.status, i.state, i.engagement, i.line, i.project, i.customer, i.selling_entity, i.work_date,
           i.unit, i.quantity, i.over_cap_quantity, i.value, i.over_cap_value, i.functional_currency, i.invoice,
           i.non_billable_because, i.codes, coalesce(nullif(i.practice, ''), s.practice) AS practice,
           i.functional_value * coalesce(s.share, 1) AS functional_value
    FROM item i LEFT JOIN {LINE_SHARES} s ON {_IS_SHARED} AND s.engagement = i.engagement AND s.line = i.line
)"""
"""All work, each lot once for every practice that it belongs to, with the part of its value that is theirs."""

INVOICE_SHARES: Final = f"""(
    SELECT invoice, practice, value / whole AS share
    FROM (SELECT i.invoice, coalesce(nullif(i.practice, ''), s.practice, '') AS practice,
                 sum(i.value * coalesce(s.share, 1)) AS value, sum(sum(i.value * coalesce(s.share, 1)))
                 OVER (PARTITION BY i.invoice) AS whole
          FROM item i LEFT JOIN {LINE_SHARES} s ON {_IS_SHARED} AND s.engagement = i.engagement AND s.line = i.line
          WHERE i.status = 'billed' GROUP BY 1, 2) billed
    WHERE whole <> 0
)"""
"""The part of each practice in the value of what an invoice still bills."""

POSTINGS: Final = f"""(
    WITH line_share AS {LINE_SHARES},
         invoice_share AS {INVOICE_SHARES.replace(LINE_SHARES, "line_share")}
    SELECT p.account, p.entity, p.customer, p.engagement, p.line, p.project, p.lot, p.period, p.effective_on,
           p.event_name, p.functional_currency, coalesce(l.practice, v.practice, s.practice) AS practice,
           p.functional * coalesce(v.share, s.share, 1) AS functional, p.reporting_currency,
           p.reporting * coalesce(v.share, s.share, 1) AS reporting
    FROM posting p
    LEFT JOIN (SELECT item, min(nullif(practice, '')) AS practice, min(resource) AS resource
               FROM item WHERE is_lot GROUP BY 1) l ON p.lot <> '' AND l.item = p.lot
    LEFT JOIN invoice_share v ON p.lot = '' AND v.invoice = p.invoice
    LEFT JOIN line_share s
           ON l.practice IS NULL AND l.resource IS NULL AND v.invoice IS NULL
          AND s.engagement = p.engagement AND s.line = p.line
)"""
"""All postings, each once for every practice that it belongs to: by its lot, else its invoice, else its line."""


def are_asked(by: By, where: FigureFilter) -> bool:
    """Whether practices have to be told apart, which takes longer."""
    return by == "practice" or where.practice is not None
