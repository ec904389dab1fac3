"""Rules that the database can check in one statement each: versions, fates of messages, outgoing work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL

from api.verification.report import BREACHES_KEPT_MAX, Breach, Check


@dataclass(frozen=True, slots=True)
class Question:
    """One rule, how many objects it is about, and a statement that finds who breaks it: object, detail, and in all."""

    name: str
    rule: str
    count: str
    offenders: str


_EVENT_STREAM: Final = "left(e, length(e) - strpos(reverse(e), '@'))"
_EVENT_VERSION: Final = "right(e, strpos(reverse(e), '@') - 1)::bigint"

QUESTIONS: Final = (
    Question(
        "versions",
        "The versions of every stream are 1, 2, 3 ... without a gap.",
        "SELECT count(DISTINCT originator_id) FROM stored_events",
        """
        SELECT originator_id, 'versions ' || min(originator_version) || ' to ' || max(originator_version)
               || ', but ' || count(*) || ' events'
        FROM stored_events GROUP BY originator_id
        HAVING min(originator_version) <> 1 OR max(originator_version) <> count(*)
        """,
    ),
    Question(
        "order",
        "Times of recording never go back as positions go forward.",
        "SELECT count(*) FROM stored_events",
        """
        SELECT originator_id || '@' || originator_version, 'recorded before the event at position ' || before_id
        FROM (SELECT originator_id, originator_version, recorded_at, lag(recorded_at) OVER log AS before,
                     lag(notification_id) OVER log AS before_id
              FROM stored_events WINDOW log AS (ORDER BY notification_id)) AS pairs
        WHERE recorded_at < before
        """,
    ),
    Question(
        "fates",
        "Every message that was received has one fate, and what it says of itself is so.",
        "SELECT count(*) FROM received_message",
        f"""
        SELECT message_id, 'parked, but waits for nothing' FROM received_message m
        WHERE fate = 'parked' AND NOT EXISTS (SELECT FROM parked_message p WHERE p.message_id = m.message_id)
        UNION ALL
        SELECT message_id, 'waits for ' || waits_for || ', but its fate is ' || fate
        FROM parked_message p JOIN received_message m USING (message_id) WHERE m.fate <> 'parked'
        UNION ALL
        SELECT message_id, 'recorded, but it names no event' FROM received_message
        WHERE fate = 'recorded' AND cardinality(events) = 0
        UNION ALL
        SELECT min(message_id), count(*) || ' messages with one id were not told apart as a conflict'
        FROM received_message WHERE fate <> 'conflict'
        GROUP BY system, business_message_id HAVING count(*) > 1
        UNION ALL
        SELECT m.message_id, 'names ' || e || ', which was never recorded'
        FROM received_message m CROSS JOIN LATERAL unnest(m.events) AS e
        WHERE NOT EXISTS (SELECT FROM stored_events s
                          WHERE s.originator_id = {_EVENT_STREAM} AND s.originator_version = {_EVENT_VERSION})
        """,
    ),
    Question(
        "outbox",
        "Everything that leaves belongs to an event that was recorded.",
        "SELECT count(*) FROM outbox",
        """
        SELECT o.nats_msg_id, 'belongs to ' || o.stream || '@' || o.version || ', which was never recorded'
        FROM outbox o LEFT JOIN stored_events s ON s.originator_id = o.stream AND s.originator_version = o.version
        WHERE s.originator_id IS NULL
        """,
    ),
)


def ask(conn: Connection[Any], question: Question) -> Check:
    """The answer to one question."""
    (looked_at,) = conn.execute(SQL(question.count)).fetchone() or (0,)
    check = Check(question.name, question.rule, looked_at)
    check.add(_offenders(conn, question))
    return check


def _offenders(conn: Connection[Any], question: Question) -> Iterator[Breach]:
    rows = conn.execute(
        SQL(f"SELECT * FROM ({question.offenders}) AS o (object, detail) LIMIT %s"), [BREACHES_KEPT_MAX]
    )
    for name, detail in rows:
        yield Breach(str(name), str(detail))
