"""A service desk on the small firm, and people with roles who stand before it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from api.access import WHOLE_FIRM, Principal, Reach, Role
from api.services.catalogue import SERVICES
from api.services.desk import Desk
from api.services.service import Answer
from domain.invoice import Draft, invoice_stream
from domain.lots import LotStatus
from domain.ports import LotAt
from tests.world import NoCandidates, World

APRIL = datetime(2026, 4, 1, 10, tzinfo=UTC)


class CandidatesOf(NoCandidates):
    """The open lots of the small firm's timesheets, read from their streams."""

    def __init__(self, world: World) -> None:
        self._world = world

    def eligible_of(self, *_: Any) -> Sequence[LotAt]:
        streams = {fact.stream for fact in self._world.ledger.read(0, 10_000) if fact.name == "lot.rated.v1"}
        books = {stream: self._world.read(stream).lots for stream in sorted(streams)}
        return [LotAt(s, lot) for s, book in books.items() for lot in book if book[lot].status is LotStatus.OPEN]

    def engagements_with_eligible(self, *_: Any) -> Sequence[str]:
        return ["E-1"] if self.eligible_of() else []

    def engagements_billed_by_date(self) -> Sequence[str]:
        return []

    def drafts_of(self, _entity: str) -> Sequence[str]:
        drafted = [
            fact.event.invoice for fact in self._world.ledger.read(0, 10_000) if fact.name == "invoice.drafted.v1"
        ]
        return [name for name in drafted if isinstance(self._world.read(invoice_stream(name)), Draft)]


class Follows:
    """Read models that are, or are not, as new as the ledger."""

    def __init__(self, *, behind: bool = False) -> None:
        self.behind = behind

    def wait_for(self, _position: int, _timeout_seconds: float) -> object | None:
        return None if self.behind else "there"


def person(role: Role, *, subject: str | None = None, reach: Reach = WHOLE_FIRM) -> Principal:
    return Principal(subject or role.value, frozenset({role}), reach, datetime(2100, 1, 1, tzinfo=UTC))


PREPARER = person(Role.FINANCE_PREPARER)
APPROVER = person(Role.FINANCE_APPROVER)
MANAGER = person(Role.PROJECT_MANAGER)
ADMIN = person(Role.ADMIN)


class Counter:
    """The desk, asked in one line."""

    def __init__(self, world: World, *, behind: bool = False) -> None:
        self.world = world
        self.desk = Desk(world.ledger, CandidatesOf(world), Follows(behind=behind), clock=lambda: APRIL)
        self._keys = 0

    def ask(
        self, name: str, who: Principal | None, /, *, key: str | None = None, dry_run: bool = False, **fields: Any
    ) -> Answer:
        self._keys += 1
        service = SERVICES[name]
        answer = self.desk.run(service, service.input(**fields), who, key or f"key-{self._keys}", dry_run=dry_run)
        self.world.react()
        return answer
