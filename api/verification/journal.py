"""The books prove themselves: entries balance, and accounts come to what the registers of invoices and receipts say."""

from __future__ import annotations

from typing import Any, Final

from psycopg import Connection, sql

from api.verification.messages import Question, ask
from api.verification.report import Check

QUESTIONS: Final = (
    Question(
        "entries",
        "Every entry balances in each entity, in its functional and in each transaction currency.",
        "SELECT count(DISTINCT entry) FROM posting",
        """
        SELECT entry, 'functional amounts in ' || entity || ' leave ' || sum(functional) || ' ' || functional_currency
        FROM posting GROUP BY entry, entity, functional_currency HAVING sum(functional) <> 0
        UNION ALL
        SELECT entry, 'transaction amounts in ' || entity || ' leave ' || sum(amount) || ' ' || currency
        FROM posting GROUP BY entry, entity, currency HAVING sum(amount) <> 0
        UNION ALL
        SELECT entry, 'reporting amounts in ' || entity || ' leave ' || sum(reporting) || ' ' || reporting_currency
        FROM posting GROUP BY entry, entity, reporting_currency HAVING sum(reporting) <> 0
        """,
    ),
    Question(
        "rates",
        "Every amount in foreign money names the exchange rate at which it was converted.",
        "SELECT count(*) FROM posting WHERE currency <> functional_currency AND amount <> 0",
        """
        SELECT entry, account || ' of ' || entity || ': ' || amount || ' ' || currency || ' name no rate'
        FROM posting WHERE currency <> functional_currency AND amount <> 0 AND rate_id = ''
        """,
    ),
    Question(
        "trial balance",
        "The sums of every month and day are those of its postings.",
        "SELECT count(*) FROM journal_balance",
        """
        SELECT grain || ' ' || span || ' ' || entity || ' ' || account || ' ' || currency,
               'functional, transaction and reporting amounts kept '
               || coalesce(kept::text, '0') || ', posted ' || coalesce(posted::text, '0')
        FROM (SELECT grain, span, entity, account, currency, ARRAY[sum(functional), sum(amount), sum(reporting)] AS kept
              FROM journal_balance GROUP BY 1, 2, 3, 4, 5) AS k
        FULL JOIN (SELECT grain, span, entity, account, currency,
                          ARRAY[sum(functional), sum(amount), sum(coalesce(reporting, 0))] AS posted
                   FROM posting, LATERAL (VALUES ('month', period), ('day', effective_on::text)) AS g (grain, span)
                   GROUP BY 1, 2, 3, 4, 5) AS p USING (grain, span, entity, account, currency)
        WHERE kept IS DISTINCT FROM posted
        """,
    ),
    Question(
        "receivables",
        "AR is what customers owe less what is on account; RETENTION is what they keep back.",
        "SELECT count(*) FROM invoice WHERE issued_on IS NOT NULL",
        """
        SELECT entity || ' ' || account || ' ' || currency,
               'posted ' || coalesce(posted, 0) || ', the registers say ' || coalesce(owed, 0)
        FROM (SELECT entity, account, currency, sum(amount) AS posted FROM posting
              WHERE account IN ('AR', 'RETENTION') GROUP BY 1, 2, 3) AS j
        FULL JOIN (SELECT entity, account, currency, sum(amount) AS owed FROM (
                       SELECT selling_entity AS entity, 'AR' AS account, currency, due AS amount FROM invoice
                       WHERE issued_on IS NOT NULL
                       UNION ALL
                       SELECT selling_entity, 'RETENTION', currency, held_back FROM invoice WHERE issued_on IS NOT NULL
                       UNION ALL
                       SELECT entity, 'AR', currency, -on_account FROM payment
                       WHERE NOT EXISTS (SELECT FROM journal_open w WHERE w.kind = 'receipt' AND w.name = payment
                                         AND w.waits_since IS NOT NULL)) AS r GROUP BY 1, 2, 3) AS s
        USING (entity, account, currency)
        WHERE coalesce(posted, 0) <> coalesce(owed, 0)
        """,
    ),
    Question(
        "carried",
        "What is open is carried at what the accounts of its entity come to, in functional money.",
        "SELECT count(*) FROM journal_open",
        """
        SELECT entity || ' ' || account, 'posted ' || coalesce(posted, 0) || ', carried ' || coalesce(carried, 0)
        FROM (SELECT entity, replace(account, 'CONTRACT_LIABILITY', 'CONTRACT_ASSET') AS account,
                     sum(functional) AS posted
              FROM posting
              WHERE account IN ('AR', 'RETENTION', 'CONTRACT_ASSET', 'CONTRACT_LIABILITY', 'IC_AR', 'IC_AP')
              GROUP BY 1, 2) AS j
        FULL JOIN (SELECT entity, CASE kind WHEN 'retention' THEN 'RETENTION' WHEN 'position' THEN 'CONTRACT_ASSET'
                                            WHEN 'ic_receivable' THEN 'IC_AR' WHEN 'ic_payable' THEN 'IC_AP'
                                            ELSE 'AR' END AS account,
                          sum(functional) AS carried
                   FROM journal_open GROUP BY 1, 2) AS o USING (entity, account)
        WHERE coalesce(posted, 0) <> coalesce(carried, 0)
        """,
    ),
    Question(
        "positions",
        "Contract asset and liability of each engagement are what it has earned less what it was billed.",
        "SELECT count(*) FROM journal_open WHERE kind = 'position'",
        """
        SELECT 'engagement ' || coalesce(p.engagement, o.name),
               'posted ' || coalesce(posted, 0) || ', open ' || coalesce(o.amount, 0) || ', earned less billed '
               || coalesce(earned, 0)
        FROM (SELECT engagement, sum(amount) AS posted FROM posting
              WHERE account IN ('CONTRACT_ASSET', 'CONTRACT_LIABILITY') GROUP BY 1) AS p
        FULL JOIN (SELECT name, amount FROM journal_open WHERE kind = 'position') AS o ON o.name = p.engagement
        LEFT JOIN (SELECT engagement, sum(recognised - billed) AS earned FROM journal_line GROUP BY 1) AS l
               ON l.engagement = coalesce(p.engagement, o.name)
        WHERE coalesce(posted, 0) <> coalesce(o.amount, 0) OR coalesce(posted, 0) <> coalesce(earned, 0)
        """,
    ),
    Question(
        "one side",
        "An engagement has a contract asset or a contract liability, never both.",
        "SELECT count(DISTINCT engagement) FROM posting WHERE account IN ('CONTRACT_ASSET', 'CONTRACT_LIABILITY')",
        """
        SELECT 'engagement ' || engagement, 'asset ' || asset || ', liability ' || liability
        FROM (SELECT engagement, coalesce(sum(amount) FILTER (WHERE account = 'CONTRACT_ASSET'), 0) AS asset,
                     coalesce(sum(amount) FILTER (WHERE account = 'CONTRACT_LIABILITY'), 0) AS liability
              FROM posting WHERE account IN ('CONTRACT_ASSET', 'CONTRACT_LIABILITY') GROUP BY 1) AS e
        WHERE asset < 0 OR liability > 0 OR (asset <> 0 AND liability <> 0)
        """,
    ),
    Question(
        "unbilled work",
        "Where work is earned as it may be invoiced, revenue is the value of the lots that are not given up.",
        "SELECT count(*) FROM journal_line WHERE method IN ('as_invoiceable', 'point_in_time')",
        """
        SELECT 'engagement ' || l.engagement, 'revenue ' || earned || ', lots ' || coalesce(m.recognised, 0)
        FROM (SELECT engagement, sum(recognised - adjusted) AS earned FROM journal_line GROUP BY 1
              HAVING bool_and(method IN ('as_invoiceable', 'point_in_time'))) AS l
        LEFT JOIN (SELECT engagement, sum(recognised) AS recognised FROM margin
                   WHERE by = 'engagement' AND month = '' GROUP BY 1) AS m USING (engagement)
        WHERE earned <> coalesce(m.recognised, 0)
          AND NOT EXISTS (SELECT FROM journal_lot w WHERE w.engagement = l.engagement AND w.waiting)
          AND NOT EXISTS (  -- what is held waits behind what may be billed, and is earned in its turn
              SELECT FROM item b JOIN item h ON h.customer = b.customer AND h.state = 'held' AND h.is_lot
              WHERE b.engagement = l.engagement AND b.over_cap_value <> 0)
        """,
    ),
    Question(
        "intercompany",
        "Between each pair of entities, receivables and payables come to zero in each currency.",
        "SELECT count(*) FROM posting WHERE account IN ('IC_AR', 'IC_AP')",
        """
        SELECT least(entity, counterparty) || ' and ' || greatest(entity, counterparty),
               sum(amount) || ' ' || currency || ' are left in ' || period
        FROM posting WHERE account IN ('IC_AR', 'IC_AP')
        GROUP BY least(entity, counterparty), greatest(entity, counterparty), currency, period HAVING sum(amount) <> 0
        """,
    ),
    Question(
        "owed between entities",
        "What entities owe each other by their accounts is what they invoiced and did not pay.",
        "SELECT count(*) FROM intercompany_invoice",
        """
        SELECT entity || ' ' || account || ' ' || counterparty || ' ' || currency,
               'posted ' || coalesce(posted, 0) || ', the register says ' || coalesce(owed, 0)
        FROM (SELECT entity, account, counterparty, currency, sum(amount) AS posted FROM posting
              WHERE account IN ('IC_AR', 'IC_AP') GROUP BY 1, 2, 3, 4) AS j
        FULL JOIN (SELECT entity, account, counterparty, currency, sum(amount) AS owed FROM (
                       SELECT lender AS entity, 'IC_AR' AS account, borrower AS counterparty, currency,
                              gross - settled AS amount FROM intercompany_invoice
                       UNION ALL
                       SELECT borrower, 'IC_AP', lender, currency, settled - gross FROM intercompany_invoice
                   ) AS r GROUP BY 1, 2, 3, 4) AS s
        USING (entity, account, counterparty, currency)
        WHERE coalesce(posted, 0) <> coalesce(owed, 0)
        """,
    ),
    Question(
        "cross-charges",
        "What practices of one entity charge each other are the transfer prices of the work that counts.",
        "SELECT count(*) FROM transfer WHERE crossing",
        """
        SELECT lender || ' to ' || borrower,
               'posted ' || coalesce(posted, 0) || ', charged ' || coalesce(charged, 0) || ' ' || currency
        FROM (SELECT c.counterparty AS lender, r.counterparty AS borrower, c.currency, sum(c.amount) AS posted
              FROM posting c JOIN posting r ON r.entry = c.entry AND r.account = 'REVENUE_IC'
              WHERE c.account = 'COST_IC' AND position('/' in c.counterparty) > 0 GROUP BY 1, 2, 3) AS p
        FULL JOIN (SELECT lender, borrower, currency, sum(value) AS charged FROM transfer
                   WHERE status = 'crossing'
                     AND NOT EXISTS (SELECT FROM journal_charge w
                                     WHERE w.stream = transfer.stream AND w.lot = transfer.lot AND w.waiting)
                   GROUP BY 1, 2, 3) AS t USING (lender, borrower, currency)
        WHERE coalesce(posted, 0) <> coalesce(charged, 0)
        """,
    ),
    Question(
        "price",
        "Recognised revenue never exceeds the price; expenses that are passed on come on top of a fixed one.",
        "SELECT count(*) FROM journal_line WHERE price IS NOT NULL",
        """
        SELECT engagement || ' ' || line, earned || ' recognised of ' || price || ' ' || currency
        FROM journal_line CROSS JOIN LATERAL (
            SELECT recognised - CASE method WHEN 'as_invoiceable' THEN greatest(adjusted, 0) ELSE adjusted END
                   - coalesce((
                SELECT sum(lot.recognised) FROM journal_lot lot
                WHERE (lot.engagement, lot.line) = (journal_line.engagement, journal_line.line)
                  AND lot.account = 'REVENUE_EXPENSE' AND journal_line.method IN ('point_in_time', 'drawdown')
            ), 0) AS earned
        ) AS each
        WHERE price IS NOT NULL AND earned > price
          AND NOT EXISTS (  -- a draft that bills less than its work is worth leaves room, and adjusts when it is issued
              SELECT FROM journal_lot lot JOIN item USING (stream)
              WHERE (lot.engagement, lot.line) = (journal_line.engagement, journal_line.line)
                AND item.item = lot.lot AND item.state = 'reserved')
        """,
    ),
    Question(
        "revaluation",
        "Every unrealised difference of a month end is taken back on the day behind it.",
        "SELECT count(*) FROM posting WHERE account = 'FX_UNREALISED'",
        """
        SELECT event || ' ' || entity || ' ' || engagement || invoice || payment,
               sum(functional) || ' ' || functional_currency || ' are left'
        FROM posting WHERE account = 'FX_UNREALISED'
        GROUP BY event, entity, engagement, invoice, payment, functional_currency HAVING sum(functional) <> 0
        """,
    ),
)
"""Asked of the tables of the live generation."""


def checks_of(conn: Connection[Any], generation_schema: str) -> list[Check]:
    """The proofs of the journal of one generation, at one moment."""
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        conn.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(generation_schema)))
        return [ask(conn, question) for question in QUESTIONS]
