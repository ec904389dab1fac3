"""How far each process of the automation is behind the log: one that fails again and again is seen by its age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.inbox.inbox import RETRIES

_OTHERS = (RETRIES, "__migration__")
"""Positions of the same table that are not those of processes."""

_BEHIND = """
SELECT p.name, coalesce(extract(epoch FROM clock_timestamp() - e.recorded_at), 0)::float
FROM (SELECT application_name AS name FROM notification_tracking UNION SELECT unnest(%s::text[])) AS p
LEFT JOIN notification_tracking t ON t.application_name = p.name
LEFT JOIN LATERAL (
    SELECT recorded_at FROM stored_events WHERE notification_id > coalesce(t.notification_id, 0)
    ORDER BY notification_id LIMIT 1
) AS e ON true
WHERE p.name <> ALL (%s) ORDER BY p.name
"""


def seconds_behind(conn: Connection[TupleRow], names: Sequence[str] = ()) -> Mapping[str, float]:
    """The age of the oldest fact that a process has not come by yet, in seconds; 0 when it has come by all.

    Every process that has ever noted how far it is, and those of ``names`` that never did.
    """
    return {str(name): float(seconds) for name, seconds in conn.execute(_BEHIND, [list(names), list(_OTHERS)])}
