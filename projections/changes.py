"""Tells whoever listens that the read models have moved, and which objects are concerned."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import sql

from domain.kernel import Recorded, decider_name, local_id
from projections.generation import registry_of
from projections.store import Connect

KINDS: Final = frozenset(
    {
        "engagement",
        "project",
        "timesheet",
        "expense_report",
        "invoice",
        "credit_note",
        "payment",
        "exception",
        "customer",
        "legal_entity",
    }
)
OBJECTS_MAX: Final = 40
"""How many objects of a kind one message names; then it only says that there were more."""
BYTES_MAX: Final = 7_500
"""A notification holds less than 8,000 bytes."""
LISTEN_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Change:
    """The read models have reached a position; ``touched`` names the objects by kind, not all of them if truncated."""

    position: int
    recorded_at: datetime
    touched: Mapping[str, tuple[str, ...]]
    truncated: bool


def channel_of(ledger_schema: str) -> str:
    """The channel on which a ledger's read models announce what changed."""
    return f"{registry_of(ledger_schema)}_changes"


def announcement(facts: Sequence[Recorded[Any]]) -> str:
    """The message about a batch of facts."""
    touched: dict[str, dict[str, None]] = {}
    for fact in facts:
        kind = decider_name(fact.stream)
        if kind in KINDS:
            touched.setdefault(kind, {})[local_id(fact.stream)] = None
    texts = (_text(facts[-1], touched, most) for most in (OBJECTS_MAX, 10))
    return next((text for text in texts if len(text.encode()) <= BYTES_MAX), _text(facts[-1], touched, 0))


def _text(last: Recorded[Any], touched: Mapping[str, Mapping[str, None]], most: int) -> str:
    return json.dumps(
        {
            "position": last.position,
            "recorded_at": last.recorded_at.isoformat(),
            "touched": {kind: list(names)[:most] for kind, names in touched.items()},
            "truncated": any(len(names) > most for names in touched.values()),
        },
        separators=(",", ":"),
    )


def listen(connect: Connect, ledger_schema: str, stop: threading.Event) -> Iterator[Change | None]:
    """The changes from now on, and None every half second without one; raises psycopg.Error when the connection breaks.

    The first None says that listening has begun: what changes behind that moment is not missed.
    """
    with connect() as conn:
        conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel_of(ledger_schema))))
        yield None
        while not stop.is_set():
            heard = False
            for notice in conn.notifies(timeout=LISTEN_SECONDS, stop_after=1):
                heard = True
                yield _change(notice.payload)
            if not heard:
                yield None


def _change(payload: str) -> Change:
    told = json.loads(payload)
    touched = {kind: tuple(names) for kind, names in told["touched"].items()}
    return Change(told["position"], datetime.fromisoformat(told["recorded_at"]), touched, told["truncated"])
