"""An inbox at work on a ledger: messages go in, and the books are looked at."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from adapters.broker import Delivery
from adapters.eventstore.base import BaseLedger
from adapters.eventstore.codec import Codec
from adapters.eventstore.memory import MemoryLedger
from adapters.eventstore.rows import ReceivedMessage
from adapters.inbox.inbox import Inbox, Reply
from adapters.inbox.mail import mail_of
from adapters.vendors.registry import VENDORS
from domain.catalogue import DECIDERS, EVENTS
from domain.contract import ContractLine, TimeAndMaterials
from domain.engagement import AgreeLine, OpenEngagement
from domain.exception import ExceptionItem, Problem, RetryException
from domain.kernel import Addressed, Cause, StreamId, stream_of
from domain.project import CreateProject
from domain.timesheet import Timesheet, timesheet_stream
from tests.adapters.vendors.payloads import ANNA, BORIS, ISSUE, LEAD, OTHER_ISSUE, Letter, identifier
from tests.world import World


@cache
def _codec() -> Codec:
    return Codec(EVENTS)


def memory_ledger() -> MemoryLedger:
    """A new ledger; what does not change between ledgers is made once."""
    ledger = MemoryLedger({}, DECIDERS)
    ledger.codec = _codec()
    return ledger


class Office:
    """The inbox, the ledger that it writes to, and everything that came in so far."""

    def __init__(self, ledger: BaseLedger | None = None) -> None:
        self.ledger: BaseLedger = ledger or memory_ledger()
        self.inbox = Inbox(self.ledger, pause=lambda _seconds: None)
        self.delivered = 0

    def deliver(self, *letters: Letter) -> list[Reply]:
        """All in one batch."""
        return self.inbox.process([self.delivery(letter) for letter in letters])

    def deliver_one_by_one(self, letters: Iterable[Letter]) -> None:
        for letter in letters:
            self.deliver(letter)

    def delivery(self, letter: Letter) -> Delivery:
        self.delivered += 1
        return Delivery(letter.subject, letter.headers, letter.payload, self.delivered)

    def row(self, letter: Letter) -> ReceivedMessage:
        """What became of a message."""
        found = self.ledger.message(
            mail_of(Delivery(letter.subject, letter.headers, letter.payload, 0), VENDORS).message_id
        )
        assert found is not None
        return found

    def fate(self, letter: Letter) -> tuple[str, str | None]:
        row = self.row(letter)
        return row.fate, row.code

    def state(self, stream: str) -> Any:
        return self.ledger.load([StreamId(stream)])[StreamId(stream)].state

    def sheet(self, person: str = "W-1", day: date = date(2026, 3, 2)) -> Timesheet:
        state: Timesheet = self.state(timesheet_stream(person, day))
        return state

    def hours(self, person: str = "W-1", day: date = date(2026, 3, 2)) -> Decimal:
        return sum((each.work.hours for each in self.sheet(person, day).entries.values() if each.counts), Decimal(0))

    def exception(self, *parts: str) -> ExceptionItem:
        item: ExceptionItem = self.state(":".join(("exception", *parts)))
        return item

    def problem(self, *parts: str) -> Problem:
        """The problem of a work item that is open."""
        item = self.exception(*parts)
        assert item.is_open, f"{parts} is not open"
        assert item.problem is not None
        return item.problem

    def retry(self, *parts: str) -> int:
        """A person asks for a work item's messages to be tried again, and the inbox looks for such wishes."""
        stream = StreamId(":".join(("exception", *parts)))
        self.ledger.execute([Addressed(stream, RetryException("user:ann"))], Cause("user:ann", "retry"))
        return self.inbox.tick()

    def names(self) -> list[str]:
        return [fact.name for fact in self.ledger.read(0, 100_000)]

    def know_project(self) -> Office:
        """An engagement with a project, and nothing else."""
        cause = Cause("user:test", "set-up")
        line = ContractLine("L1", "Work", TimeAndMaterials())
        opened = OpenEngagement("E-1", "Data platform", "C-1", "DE01", "EUR")
        created = CreateProject("P-1", "E-1", "Data platform", "L1", "DE01", date(2026, 1, 1))
        engagement, project = stream_of("engagement", "E-1"), stream_of("project", "P-1")
        self.ledger.execute(
            [Addressed(engagement, opened), Addressed(engagement, AgreeLine(line)), Addressed(project, created)], cause
        )
        return self

    def know_people_and_issues(self) -> Office:
        """A firm with a project, and names for its people and issues in Jira."""
        World(self.ledger).firm().contract()
        self.deliver(
            identifier("jira", "user", ANNA, "W-1"),
            identifier("jira", "user", BORIS, "W-2"),
            identifier("jira", "user", LEAD, "W-9"),
            identifier("jira", "issue", ISSUE, "P-1-L1/ACME-7"),
            identifier("jira", "issue", OTHER_ISSUE, "P-1-L1/ACME-8"),
        )
        return self
