"""A small firm for tests: one legal entity, one customer, one engagement, one project, and people who work on it.

It lives on any ledger, and speaks through commands only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.eventstore.base import BaseLedger
from adapters.eventstore.memory import MemoryLedger
from domain.billing import issuing
from domain.caps import CapUse
from domain.catalogue import DECIDERS, EVENTS
from domain.contract import ContractLine, PercentComplete, TimeAndMaterials
from domain.engagement import AgreeLine, OpenEngagement, SignEngagement
from domain.kernel import Addressed, Cause, Recorded, StreamId, decider_name, local_id, stream_of
from domain.lots import Lot, LotStatus
from domain.money import Money
from domain.ports import Candidates, LotAt, Read, SourceAt, WorkDone
from domain.processes.cap_alerts import CapAlerts
from domain.processes.drawdown import Drawdown
from domain.processes.falling_due import FallingDue
from domain.processes.measuring import Measuring
from domain.processes.posting import Posting
from domain.processes.pricing import Pricing
from domain.processes.provisioning import Provisioning
from domain.project import ConfirmSetUp
from domain.reference.customer import DescribeCustomer
from domain.reference.legal_entity import Address, DefineLegalEntity, LegalEntityTerms
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.reference.resource import DescribeResource, ResourceTerms
from domain.reference.tax_rule import SetTaxRule, TaxRule
from domain.timesheet import ApproveTime, Claim, LogTime, Work, timesheet_stream
from tests import cap_uses
from tests.drafting import draft_invoice

NEW_YEAR = date(2026, 1, 1)
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
MONDAY = date(2026, 3, 2)
PROJECT = stream_of("project", "P-1-L1")
ENGAGEMENT = stream_of("engagement", "E-1")
CUSTOMER = stream_of("customer", "C-1")


def cause(actor: str = "user:test") -> Cause:
    return Cause(actor, "correlation-1")


def euros(amount: int | str) -> Money:
    return Money(Decimal(amount), "EUR")


def senior(name: str) -> DescribeResource:
    """Somebody who costs 60 an hour."""
    worker = ResourceTerms(NEW_YEAR, "Senior", "DE01", "Berlin", "Data", euros(60), Decimal(40), NINE)
    return DescribeResource(name, worker)


class NoCandidates:
    """Nothing is unbilled: for reactions that do not ask."""

    def unbilled_of(self, **_: Any) -> Sequence[Any]:
        return []

    def eligible_of(self, *_: Any) -> Sequence[Any]:
        return []

    def engagements_with_eligible(self, *_: Any) -> Sequence[Any]:
        return []

    def engagements_billed_by_date(self) -> Sequence[str]:
        return []

    def work_done(self, _until: date) -> Sequence[WorkDone]:
        return []

    def drafts_of(self, _entity: str) -> Sequence[str]:
        return []

    def transfers_of(self, **_: Any) -> Sequence[Any]:
        return []

    def transfer_pairs(self) -> Sequence[tuple[str, str]]:
        return []

    def use_of_caps(self, _engagement: str) -> Sequence[CapUse]:
        return []

    def use_of_limit(self, _customer: str, _currency: str) -> CapUse | None:
        return None


class _Unasked:
    """Fails the reaction that asks without having said so: it would not have waited for the read model."""

    def __getattr__(self, question: str) -> Any:
        raise AssertionError(f"{question} was asked by a reaction that asks nothing")


_UNASKED: Any = _Unasked()


def reaction(process: Any, fact: Recorded[Any], read: Read, candidates: Candidates) -> Sequence[Addressed]:
    """What a process makes of a fact; it may ask the read model only where it says that it will."""
    asks = process.asks_candidates(fact)
    reacted: Sequence[Addressed] = process.react(fact, read, candidates if asks else _UNASKED)
    return reacted


class LogCandidates(NoCandidates):
    """Looks through the whole log: slow, and never behind."""

    def __init__(self, world: World) -> None:
        self._world = world

    def unbilled_of(self, *, engagement: str | None = None, **_: Any) -> Sequence[SourceAt]:
        found: dict[SourceAt, None] = {}
        for stream in self._streams("timesheet", "expense_report"):
            for held in self._world.read(stream).lots.values():
                is_mine = engagement in (None, held.lot.engagement)
                if is_mine and held.status in (LotStatus.OPEN, LotStatus.NON_BILLABLE):
                    found[SourceAt(stream, held.lot.source)] = None
        return list(found)

    def engagements_billed_by_date(self) -> Sequence[str]:
        return [local_id(stream) for stream in self._streams("engagement")]

    def work_done(self, until: date) -> Sequence[WorkDone]:
        books = [self._world.read(stream).lots.values() for stream in self._streams("timesheet", "expense_report")]
        lots = [held.lot for book in books for held in book if held.status is LotStatus.NON_BILLABLE]
        done: list[WorkDone] = []
        for stream in self._streams("engagement"):
            for line in self._world.read(stream).lines.values():
                mine = [each for each in lots if (each.engagement, each.line) == (local_id(stream), line.line)]
                mine = [each for each in mine if each.work_date <= until]
                hours = sum((each.quantity for each in mine if each.unit == "hour"), Decimal(0))
                costs = [each.cost_in_billing_currency for each in mine]
                cost = None if None in costs else sum((each.amount for each in costs if each), Decimal(0))
                done.append(WorkDone(local_id(stream), line.line, hours, cost))
        return [each for each in done if self._is_measured(each)]

    def use_of_caps(self, engagement: str) -> Sequence[CapUse]:
        return cap_uses.use_of_caps(self._world.read, engagement, self._open_lots())

    def use_of_limit(self, customer: str, currency: str) -> CapUse | None:
        return cap_uses.use_of_limit(self._world.read, customer, currency, self._open_lots())

    def _open_lots(self) -> list[tuple[StreamId, Lot]]:
        streams = self._streams("timesheet", "expense_report", "engagement")
        held = ((stream, each) for stream in streams for each in self._world.read(stream).lots.values())
        return [(stream, each.lot) for stream, each in held if each.status is LotStatus.OPEN]

    def _is_measured(self, done: WorkDone) -> bool:
        line = self._world.read(stream_of("engagement", done.engagement)).lines[done.line]
        return isinstance(line.billing, PercentComplete)

    def _streams(self, *kinds: str) -> list[StreamId]:
        streams = dict.fromkeys(fact.stream for fact in self._world.ledger.read(0, 10_000))
        return [stream for stream in streams if decider_name(stream) in kinds]


class World:
    """The firm, and the processes that follow its log."""

    def __init__(self, ledger: BaseLedger | None = None) -> None:
        self.ledger: BaseLedger = ledger or MemoryLedger(EVENTS, DECIDERS)
        self.position = 0
        self.processes: tuple[Any, ...] = (
            Provisioning(),
            Pricing(),
            Posting(),
            Drawdown(),
            FallingDue(),
            Measuring(),
            CapAlerts(),
        )
        self.candidates: NoCandidates = NoCandidates()

    def tell(self, stream: StreamId, *commands: Any) -> World:
        """Send commands to one aggregate, then let the processes react."""
        self.record([Addressed(stream, command) for command in commands])
        return self.react()

    def record(self, addressed: Sequence[Addressed]) -> None:
        """Decide all commands and record them in one transaction."""
        unit = self.ledger.unit()
        for each in addressed:
            unit.decide(each, cause())
        if unit.new:
            self.ledger.commit(unit)

    def read(self, stream: StreamId) -> Any:
        return self.ledger.load([stream])[stream].state

    def react(self) -> World:
        while facts := self.ledger.read(self.position, 500):
            for fact in facts:
                for process in self.processes:
                    self.record(reaction(process, fact, self.read, self.candidates))
                self.position = fact.position
        return self

    def names(self, after: int = 0) -> list[str]:
        return [fact.name for fact in self.ledger.read(after, 10_000)]

    def firm(self) -> World:
        """Reference data: the entity, the customer, tax, two people and the firm's rates."""
        terms = LegalEntityTerms(
            effective_from=NEW_YEAR,
            name="Firm GmbH",
            address=Address("Unter den Linden 1", "Berlin", "10117", "DE"),
            functional_currency="EUR",
            time_zone="Europe/Berlin",
            tax_id="DE136695976",
            number_prefix="DE01",
            approval_limit=euros(1000),
            region="EMEA",
        )
        self.tell(stream_of("legal_entity", "DE01"), DefineLegalEntity("DE01", terms))
        described = {"name": "Acme", "street": "Am Markt 2", "city": "Bonn", "postal_code": "53111", "country": "DE"}
        self.tell(CUSTOMER, DescribeCustomer("C-1", described, NINE))
        self.tell(stream_of("tax_rule", "DE"), SetTaxRule("DE", TaxRule(NEW_YEAR, "DE", "S", Decimal(19))))
        for person in ("W-1", "W-2"):
            self.person(person)
        senior = SetRate(RateRow("senior", euros(150), NEW_YEAR, role="Senior"))
        return self.tell(rate_card_stream("firm", "FIRM"), senior)

    def person(self, name: str) -> World:
        """Somebody who works at the entity."""
        return self.tell(stream_of("resource", name), senior(name))

    def contract(self, cap: Money | None = None, *, line: ContractLine | None = None) -> World:
        """A signed engagement with one line, whose project every system knows."""
        self.tell(ENGAGEMENT, OpenEngagement("E-1", "Data platform", "C-1", "DE01", "EUR"))
        return self.contract_lines(line or ContractLine("L1", "Work", TimeAndMaterials(cap=cap)))

    def contract_lines(self, line: ContractLine | None = None, *, confirmed: Sequence[str] = ("psa", "erp")) -> World:
        """The opened engagement is signed with one line; the named systems confirm its project."""
        line = line or ContractLine("L1", "Work", TimeAndMaterials())
        self.tell(ENGAGEMENT, SignEngagement(NEW_YEAR, NEW_YEAR), AgreeLine(line))
        return self.tell(PROJECT, *(ConfirmSetUp(target, f"{target}-1") for target in confirmed))

    def work(self, name: str, hours: str = "8", *, day: int = 0, person: str = "W-1", approve: bool = True) -> StreamId:
        """Hours of one day, approved unless said otherwise; returns the timesheet's stream."""
        on = MONDAY + timedelta(days=day)
        stream = timesheet_stream(person, on)
        work = Work("P-1-L1", None, on, Decimal(hours), started="09:00:00")
        self.tell(stream, LogTime(person, Claim("jira", name, NINE + timedelta(days=day)), work))
        if approve:
            self.tell(stream, ApproveTime((f"jira:{name}",), "W-9", NINE + timedelta(days=day, hours=10)))
        return stream

    def work_approved_for(self, hours: str, *, later: int = 0) -> StreamId:
        """Eight hours of Monday, of which so many were approved; ``later`` hours after the first approval."""
        stream = timesheet_stream("W-1", MONDAY)
        if not self.read(stream).entries:
            self.work("1", approve=False)
        at = NINE + timedelta(hours=10 + later)
        self.tell(stream, ApproveTime(("jira:1",), "W-9", at, {"jira:1": Decimal(hours)}))
        return stream

    def lots(self, *streams: StreamId) -> list[LotAt]:
        return [LotAt(stream, lot) for stream in streams for lot in self.read(stream).lots]

    def draft(self, invoice: str, lots: Sequence[LotAt], *, strict: bool = True, by: str = "paul") -> World:
        cut_off = date(2026, 3, 31)
        self.record(draft_invoice(self.read, invoice, "E-1", lots, cut_off=cut_off, by=by, strict=strict))
        return self.react()

    def approve(self, invoice: str, by: str = "ann") -> World:
        self.record(issuing.approve_invoice(self.read, invoice, by, NINE + timedelta(days=30)))
        return self

    def issue(self, invoice: str, on: date = date(2026, 4, 1)) -> World:
        self.record(issuing.issue_invoice(self.read, invoice, on))
        return self.react()
