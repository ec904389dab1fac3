"""One verification: the whole log is read once, in order, and every rule is checked on the way."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Protocol

from psycopg import Connection
from psycopg.sql import SQL

from adapters.eventstore.errors import CodecError
from adapters.eventstore.ledger import Ledger
from api.verification.billings import Billings, Numbers
from api.verification.law import Law
from api.verification.messages import QUESTIONS, ask
from api.verification.report import Breach, Check, Report
from domain.kernel import Recorded

BATCH: Final = 2_000
CAUSES_BATCH: Final = 2_000

Progress = Callable[[int, int, str], None]
ReadModels = Callable[[], Iterable[tuple[str, str]]]
"""Makes the read models anew and tells which tables differ from the live ones, and how."""

Proofs = Callable[[], Iterable[Check]]
"""Further rules, checked on the live read models."""


class Auditor(Protocol):
    """A model of its own that follows the log."""

    def see(self, fact: Recorded[Any]) -> Iterator[Breach]:
        """Take up one fact."""
        ...

    def settle(self) -> Iterator[Breach]:
        """The commit is over."""
        ...


class Causes:
    """Every fact that a message led to names a message that was received."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn = conn
        self._named: dict[str, str] = {}

    def see(self, fact: Recorded[Any]) -> Iterator[Breach]:
        """Take up one fact."""
        if fact.cause.message_id is not None:
            self._named.setdefault(fact.cause.message_id, fact.id)
        if len(self._named) >= CAUSES_BATCH:
            yield from self.rest()

    def settle(self) -> Iterator[Breach]:
        """Nothing is due: messages are looked up in batches."""
        return iter(())

    def rest(self) -> Iterator[Breach]:
        """Look up the messages that were named since the last time."""
        named, self._named = self._named, {}
        statement = SQL("SELECT message_id FROM received_message WHERE message_id = ANY(%s)")
        known = {row[0] for row in self._conn.execute(statement, [list(named)])}
        for message, event in named.items():
            if message not in known:
                yield Breach(event, f"its cause is message {message}, which was never received")


def verify(
    ledger: Ledger,
    conn: Connection[Any],
    read_models: ReadModels | None,
    progress: Progress,
    proofs: Proofs | None = None,
) -> Report:
    """Check every rule; the connection is one of the ledger's schema."""
    head = ledger.head()
    checks = []
    for question in QUESTIONS:
        progress(0, head, question.name)
        checks.append(ask(conn, question))
    checks += _walk(ledger, conn, head, progress)
    if read_models is not None:
        progress(head, head, "read models")
        check = Check("read models", "The live read models are what the log leads to, table by table.")
        for table, difference in read_models():
            check.looked_at += 1
            check.add([Breach(table, difference)] if difference else [])
        checks.append(check)
    if proofs is not None:
        progress(head, head, "journal")
        checks += proofs()
    return Report(head, tuple(checks))


def _walk(ledger: Ledger, conn: Connection[Any], head: int, progress: Progress) -> list[Check]:
    law = Law()
    causes, billings = Causes(conn), Billings(law)
    auditors: list[tuple[Check, Auditor]] = [
        (Check("conservation", "Approved work is billed, reserved, open, not billable or written off."), law),
        (Check("billed once", "A lot is on one live invoice at most, and both say so."), billings),
        (Check("numbers", "Invoice numbers have no gaps, and each is on its invoice."), Numbers()),
        (Check("causes", "Every fact that a message led to names a message that was received."), causes),
    ]
    readable = Check("readable", "Every event reads as its published name promises.")
    for commit in _commits(_facts(ledger, head, readable, progress)):
        for check, auditor in auditors:
            for fact in commit:
                check.looked_at += 1
                check.add(auditor.see(fact))
            check.add(auditor.settle())
    auditors[0][0].add(law.totals())
    auditors[-1][0].add(causes.rest())
    money = Check("money", "Billed lots at their standard value are billed net + written down - written up.")
    money.looked_at = len(billings.bills)
    money.add(billings.totals())
    return [readable, *(check for check, _ in auditors), money]


def _commits(facts: Iterator[Recorded[Any]]) -> Iterator[list[Recorded[Any]]]:
    """All facts of one commit have one time of recording."""
    for _, commit in itertools.groupby(facts, key=lambda fact: fact.recorded_at):
        yield list(commit)


def _facts(ledger: Ledger, head: int, readable: Check, progress: Progress) -> Iterator[Recorded[Any]]:
    """The log up to a position; an event that cannot be read is a breach, and verification goes on behind it."""
    after = 0
    while rows := ledger.read_raw(after, BATCH, head):
        for stream, version, position, name, state, recorded_at in rows:
            readable.looked_at += 1
            try:
                event, cause = ledger.codec.decode(name, state)
            except CodecError as broken:
                readable.add([Breach(f"{stream}@{version}", str(broken).splitlines()[0])])
                continue
            yield Recorded(stream, version, position, ledger.codec.current_name(name), event, cause, recorded_at)
        after = rows[-1][2]
        progress(after, head, "events")
