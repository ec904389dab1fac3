"""A tile is four weeks of one engagement, decided by the real deciders; a long history is many tiles under other names.

Whatever is particular to a tile (its deal, people, customer, days, invoice number) is a token, so that it can be said
again about other people in another month. That keeps it legal: no rule of the domain looks at a name or at today.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, Protocol

from adapters.eventstore.memory import MemoryLedger
from adapters.eventstore.unit import NewEvent
from domain.billing import issuing
from domain.catalogue import DECIDERS, EVENTS
from domain.contract import Billing, ContractLine, FixedFeeMilestones, Milestone, TimeAndMaterials
from domain.engagement import AcceptMilestone, AgreeLine, PurchaseOrder, RecordPurchaseOrder
from domain.exception import Problem, RaiseException, ResolveException, exception_stream
from domain.expense import ApproveExpenses, Expense, RecordExpense, SubmitExpenses, expense_stream
from domain.invoice import ConfirmPosting, Issued, RecordPayment, ReportPostingSent, invoice_stream
from domain.kernel import Addressed, Cause, Recorded, StreamId, stream_of
from domain.lots import LotStatus
from domain.money import Money
from domain.opportunity import TellOpportunity, opportunity_stream
from domain.ports import LotAt
from domain.processes.posting import Posting
from domain.processes.pricing import Pricing
from domain.processes.provisioning import Provisioning, project_id
from domain.project import Assignment, AssignResource, ConfirmSetUp, DefineTask, ReportSetUpSent, Task
from domain.reference.customer import DescribeCustomer
from domain.reference.identifier import AssignIdentifier, ExternalRef, identifier_stream
from domain.reference.legal_entity import Address, DefineLegalEntity, LegalEntityTerms
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.reference.resource import DescribeResource, ResourceTerms
from domain.reference.tax_rule import SetTaxRule, TaxRule
from domain.timesheet import Claim, DecidePeriod, LogTime, PeriodVerdict, WithdrawTime, Work, timesheet_stream
from tests.drafting import draft_invoice
from tests.world import NoCandidates

TILE: Final = "T0000000"
CUSTOMER: Final = "C-K0000000"
TEAM: Final = 5
WEEKS: Final = 4
MONDAY: Final = date(2026, 3, 2)
LONG_AGO: Final = date(2015, 1, 1)
NOON: Final = time(12, tzinfo=UTC)
LEAD: Final = "W-L1"

Phase = tuple[NewEvent, ...]
"""What is recorded in one commit or in a few that follow each other closely."""


def person(place: int) -> str:
    """The token of one of the tile's people."""
    return f"W-P00000{place}"


def account(resource: str) -> str:
    """What Jira and Tempo call a person."""
    return f"acc-{resource}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A way in which engagements run: who sells, what is agreed, what comes late."""

    name: str
    entity: str
    currency: str
    terms: Literal["open_ended", "capped", "fixed_fee", "late_order"]


KINDS: Final = (
    Kind("time and materials", "DE01", "EUR", "open_ended"),
    Kind("capped", "GB01", "GBP", "capped"),
    Kind("fixed fee", "DE01", "EUR", "fixed_fee"),
    Kind("late purchase order", "US01", "USD", "late_order"),
)

ENTITIES: Final = (
    ("DE01", "Firm GmbH", "DE", "EUR", "Europe/Berlin", Decimal(19)),
    ("GB01", "Firm Ltd", "GB", "GBP", "Europe/London", Decimal(20)),
    ("US01", "Firm Inc", "US", "USD", "America/New_York", Decimal(0)),
)


class Teller(Protocol):
    """Whoever can be told the commands of one source message."""

    def tell(self, system: str, message: str, at: datetime, *addressed: Addressed) -> None: ...


class Books:
    """A ledger in memory that remembers, in order, what it recorded, with the processes at work."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger(EVENTS, DECIDERS)
        self.recorded: list[NewEvent] = []
        self._processes = (Provisioning(), Pricing(), Posting())

    def tell(self, system: str, message: str, at: datetime, *addressed: Addressed) -> None:
        """What one message or person wishes, and all that follows from it."""
        message_id = f"{system}:{message}"
        facts = deque(self._record(addressed, Cause(f"system:{system}", message_id, message_id, message_id, at)))
        while facts:
            fact = facts.popleft()
            for process in self._processes:
                wishes = process.react(fact, self.read, NoCandidates())
                facts.extend(self._record(wishes, Cause(f"process:{process.name}", message_id, fact.id, None, at)))

    def read(self, stream: StreamId) -> Any:
        """The state of a stream."""
        return self.ledger.load([stream])[stream].state

    def take(self) -> Phase:
        """What was recorded since the last time."""
        taken, self.recorded = tuple(self.recorded), []
        return taken

    def _record(self, addressed: Sequence[Addressed], cause: Cause) -> Sequence[Recorded[Any]]:
        unit = self.ledger.unit()
        for each in addressed:
            unit.decide(each, cause)
        self.recorded.extend(unit.new)
        return self.ledger.commit(unit).events


def describe_firm(books: Teller) -> None:
    """The legal entities, their tax and their rates, as they have been for long."""
    at = datetime.combine(LONG_AGO, NOON)
    for code, name, country, currency, zone, tax in ENTITIES:
        terms = LegalEntityTerms(
            effective_from=LONG_AGO,
            name=name,
            address=Address("Main Street 1", "Capital", "10117", country),
            functional_currency=currency,
            time_zone=zone,
            tax_id=f"{country}136695976",
            number_prefix=code,
            approval_limit=Money(Decimal(1000), currency),
            region="EMEA",
        )
        rule = SetTaxRule(country, TaxRule(LONG_AGO, country, "S", tax))
        rate = RateRow(f"senior-{currency}", Money(Decimal(150), currency), LONG_AGO, role="Senior")
        books.tell(
            "canonical",
            code,
            at,
            Addressed(stream_of("legal_entity", code), DefineLegalEntity(code, terms)),
            Addressed(stream_of("tax_rule", country), rule),
            Addressed(rate_card_stream("firm", "FIRM"), SetRate(rate)),
        )


def describe_person(books: Teller, resource: str, entity: str, currency: str) -> None:
    """A person with their cost, and what Jira and Tempo call them."""
    at = datetime.combine(LONG_AGO, NOON)
    terms = ResourceTerms(LONG_AGO, "Senior", entity, "Here", "Data", Money(Decimal(60), currency), Decimal(40), at)
    ref = ExternalRef("jira", "user", account(resource))
    books.tell(
        "workday",
        resource,
        at,
        Addressed(stream_of("resource", resource), DescribeResource(resource, terms)),
        Addressed(identifier_stream(ref), AssignIdentifier(ref, resource)),
    )


def describe_customer(books: Teller, customer: str, country: str, at: datetime, *, terms_days: int = 30) -> None:
    """A customer with all that an invoice needs."""
    told = {
        "name": f"Customer {customer}",
        "street": "Am Markt 2",
        "city": "Bonn",
        "postal_code": "53111",
        "country": country,
        "tax_id": f"{country}811907980",
        "payment_terms_days": str(terms_days),
    }
    command = DescribeCustomer(customer, told, at)
    books.tell("salesforce", f"{customer}-{at.isoformat()}", at, Addressed(stream_of("customer", customer), command))


@dataclass(slots=True)
class _Engagement:
    """One engagement while its tile is played."""

    books: Books
    kind: Kind
    worklogs: int = 0
    phases: list[Phase] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"E-{TILE}"

    @property
    def stream(self) -> StreamId:
        return stream_of("engagement", self.name)

    @property
    def project(self) -> str:
        return project_id(self.name, "L1")

    @property
    def invoice(self) -> StreamId:
        return invoice_stream(f"I-{TILE}")

    def at(self, day: int, hour: int = 12) -> datetime:
        """A moment on a day, counted from the tile's first Monday."""
        return datetime.combine(MONDAY + timedelta(days=day), time(hour, tzinfo=UTC))

    def done(self) -> None:
        """Ends a phase."""
        self.phases.append(self.books.take())

    def sell(self) -> None:
        """The deal is won, the engagement signed, the project set up everywhere and staffed."""
        told = {
            "title": "Data platform",
            "customer": CUSTOMER,
            "selling_entity": self.kind.entity,
            "currency": self.kind.currency,
            "closes_on": MONDAY.isoformat(),
            "won": "true",
            "purchase_order_required": "true" if self.kind.terms == "late_order" else "false",
        }
        tell, at = self.books.tell, self.at(0, 8)
        tell(
            "salesforce",
            f"{TILE}-won",
            at,
            Addressed(opportunity_stream("salesforce", TILE), TellOpportunity(TILE, told, at)),
        )
        line = ContractLine("L1", "Work", self._billing())
        tell("salesforce", f"{TILE}-line", at, Addressed(self.stream, AgreeLine(line)))
        project = stream_of("project", self.project)
        for target in ("psa", "erp"):
            tell(target, f"{TILE}-sent", at, Addressed(project, ReportSetUpSent(target)))
            tell(target, f"{TILE}-made", at, Addressed(project, ConfirmSetUp(target, f"{target}-{TILE}")))
        for task in range(3):
            ref = ExternalRef("jira", "issue", f"{TILE}-{task}")
            tell(
                "jira",
                f"{TILE}-issue-{task}",
                at,
                Addressed(project, DefineTask(Task(ref.id, f"Task {task}", chargeable=task < 2))),
                Addressed(identifier_stream(ref), AssignIdentifier(ref, f"{self.project}/{ref.id}")),
            )
        for place in range(TEAM):
            tell(
                "psa",
                f"{TILE}-staff-{place}",
                at,
                Addressed(project, AssignResource(Assignment(person(place), MONDAY))),
            )
        self.done()

    def _billing(self) -> Billing:
        match self.kind.terms:
            case "capped":
                return TimeAndMaterials(cap=Money(Decimal(120_000), self.kind.currency))
            case "fixed_fee":
                price = Money(Decimal(40_000), self.kind.currency)
                stages = (Milestone("M1", "Design", price), Milestone("M2", "Build", price, after=("M1",)))
                return FixedFeeMilestones(milestones=stages)
            case "open_ended" | "late_order":
                return TimeAndMaterials()

    def work(self, week: int) -> None:
        """A week of the team: hours told by Jira and again by Tempo, mistakes, hand-in and approval."""
        for day in range(5):
            for place in range(TEAM):
                self._day(place, 7 * week + day)
        for place in range(TEAM):
            self._decide(place, week, "in_review", 4)
            if (place + week) % TEAM == 0:
                self._decide(place, week, "rejected", 5)
                self._tell_hours(place, 7 * week, self.worklogs, "jira", 7, said=7 * week + 6)
                self._decide(place, week, "in_review", 6)
        if week == WEEKS - 1:
            self._expenses(7 * week)
            self._trouble(7 * week)
        for place in range(TEAM):
            self._decide(place, week, "approved", 7)
        self.done()

    def _day(self, place: int, day: int) -> None:
        self.worklogs += 1
        worklog, hours = self.worklogs, 8 if day % 7 else 6
        self._tell_hours(place, day, worklog, "jira", hours, said=day)
        if place < TEAM - 1:
            self._tell_hours(place, day, worklog, "tempo", hours, said=day, hour=19)
        if (day + place) % 13 == 0:
            self._tell_hours(place, day, worklog, "jira", hours - 1, said=day, hour=20)
        if (day + place) % 17 == 0:
            self._mistake(place, day)

    def _tell_hours(
        self, place: int, day: int, worklog: int, system: str, hours: int, *, said: int, hour: int = 18
    ) -> None:
        on, claim = MONDAY + timedelta(days=day), Claim(system, f"{TILE}-{worklog}", self.at(said, hour))
        task = f"{TILE}-{worklog % 3}"
        work = Work(self.project, task, on, Decimal(hours), started="09:00:00", note="design and build")
        told = LogTime(person(place), claim, work)
        self.books.tell(
            system, f"{claim.id}-{said}-{hour}", claim.said_at, Addressed(timesheet_stream(person(place), on), told)
        )

    def _mistake(self, place: int, day: int) -> None:
        """Hours that should not have been written, and are deleted."""
        self.worklogs += 1
        self._tell_hours(place, day, self.worklogs, "jira", 1, said=day, hour=20)
        on, claim = MONDAY + timedelta(days=day), Claim("jira", f"{TILE}-{self.worklogs}", self.at(day, 21))
        self.books.tell(
            "jira",
            f"{claim.id}-gone",
            claim.said_at,
            Addressed(timesheet_stream(person(place), on), WithdrawTime(person(place), on, claim)),
        )

    def _decide(self, place: int, week: int, verdict: PeriodVerdict, day: int) -> None:
        starts = MONDAY + timedelta(weeks=week)
        at = self.at(7 * week + day, 22)
        command = DecidePeriod(person(place), starts, starts, starts + timedelta(days=6), verdict, LEAD, at)
        self.books.tell(
            "tempo",
            f"{TILE}-{place}-{week}-{verdict}-{day}",
            at,
            Addressed(timesheet_stream(person(place), starts), command),
        )

    def _expenses(self, day: int) -> None:
        report = f"ER-{TILE}"
        stream, at = expense_stream(report), self.at(day)
        for number in range(1, 4):
            paid, tax = Money(Decimal(119), self.kind.currency), Money(Decimal(19), self.kind.currency)
            spent = Expense(str(number), self.project, "travel", MONDAY + timedelta(days=day), paid, tax, billable=True)
            self.books.tell(
                "expenses", f"{report}-{number}", at, Addressed(stream, RecordExpense(report, person(0), spent, at))
            )
        lines = ("1", "2", "3")
        self.books.tell("expenses", f"{report}-in", at, Addressed(stream, SubmitExpenses(lines)))
        self.books.tell("expenses", f"{report}-ok", at, Addressed(stream, ApproveExpenses(lines, LEAD, at)))

    def _trouble(self, day: int) -> None:
        """A message that the rules refuse becomes somebody's work item, and mostly ends."""
        problem = Problem(
            kind="refused",
            code="timesheet.day_too_long",
            about=f"jira worklog {TILE}-0",
            message="A day has 24 hours.",
            what_to_do="Correct one of the day's entries in the time system, then retry this one.",
            owner_role="project_manager",
            system="jira",
            resource=person(1),
            project=self.project,
            engagement=self.name,
            customer=CUSTOMER,
            hours_at_risk="30",
        )
        stream, at = exception_stream("refused", "jira", "worklog", f"{TILE}-0"), self.at(day)
        raised = RaiseException(problem, f"jira:{TILE}-0")
        self.books.tell("jira", f"{TILE}-0", at, Addressed(stream, raised))
        if self.kind.terms != "late_order":
            done = ResolveException("system:jira", "settled by a later message")
            self.books.tell("jira", f"{TILE}-0-again", at, Addressed(stream, done))

    def bill(self) -> None:
        """Milestones are accepted or a purchase order arrives, then the month is billed and posted."""
        day = 7 * WEEKS + 2
        at = self.at(day)
        if self.kind.terms == "fixed_fee":
            for stage in ("M1", "M2"):
                accepted = AcceptMilestone("L1", stage, at.date(), f"protocol {TILE}", LEAD, at)
                self.books.tell("canonical", f"{TILE}-{stage}", at, Addressed(self.stream, accepted))
        if self.kind.terms == "late_order":
            order = RecordPurchaseOrder(PurchaseOrder(f"PO-{TILE}", Money(Decimal(200_000), self.kind.currency)))
            self.books.tell("canonical", f"{TILE}-order", at, Addressed(self.stream, order))
        drafted = draft_invoice(
            self.books.read, f"I-{TILE}", self.name, self._open_lots(), cut_off=at.date(), by="paul", strict=False
        )
        self._bill("draft", at, drafted)
        self._bill("approve", at, issuing.approve_invoice(self.books.read, f"I-{TILE}", "ann", at))
        self._bill("issue", at, issuing.issue_invoice(self.books.read, f"I-{TILE}", at.date()))
        self.books.tell("erp", f"{TILE}-posting", at, Addressed(self.invoice, ReportPostingSent("erp")))
        self.books.tell("erp", f"{TILE}-posted", at, Addressed(self.invoice, ConfirmPosting("erp", f"DOC-{TILE}")))
        self.done()

    def _bill(self, step: str, at: datetime, addressed: Sequence[Addressed]) -> None:
        self.books.tell("service", f"{TILE}-{step}", at, *addressed)

    def _open_lots(self) -> list[LotAt]:
        weeks = [MONDAY + timedelta(weeks=week) for week in range(WEEKS)]
        streams = [
            self.stream,
            expense_stream(f"ER-{TILE}"),
            *(timesheet_stream(person(place), week) for week in weeks for place in range(TEAM)),
        ]
        return [
            LotAt(stream, lot)
            for stream in streams
            for lot, held in self.books.read(stream).lots.items()
            if held.status is LotStatus.OPEN
        ]

    def pay(self) -> None:
        """The customer pays in two parts."""
        issued = self.books.read(self.invoice)
        assert isinstance(issued, Issued)
        day = 7 * WEEKS + 30
        first = Money(Decimal(1000), self.kind.currency)
        for number, amount in enumerate((first, issued.due - first), start=1):
            paid = RecordPayment(f"BANK-{TILE}-{number}", self.at(day).date(), amount)
            self.books.tell("erp", f"{TILE}-paid-{number}", self.at(day), Addressed(self.invoice, paid))
        self.done()


def play(kind: Kind) -> tuple[Phase, ...]:
    """The tile of one kind of engagement: the deal, four weeks of work, the invoice, the payment."""
    books = Books()
    describe_firm(books)
    country = next(country for code, _, country, *_ in ENTITIES if code == kind.entity)
    for place in range(TEAM):
        describe_person(books, person(place), kind.entity, kind.currency)
    describe_customer(books, CUSTOMER, country, datetime.combine(LONG_AGO, NOON))
    books.take()
    engagement = _Engagement(books, kind)
    steps: list[Callable[[], None]] = [engagement.sell, *(_week(engagement, week) for week in range(WEEKS))]
    for step in (*steps, engagement.bill, engagement.pay):
        step()
    return tuple(engagement.phases)


def _week(engagement: _Engagement, week: int) -> Callable[[], None]:
    return lambda: engagement.work(week)
