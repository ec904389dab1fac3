"""The steps that stories of reasons are made of: what people and systems do, told by commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from domain.billing import crediting
from domain.billing.credit_wishes import CreditWish
from domain.books.account_role import AccountRole
from domain.books.accounting_period import accounting_period_stream
from domain.calendar import FIRM, OpenDay
from domain.contract import (
    ContractLine,
    FixedFeeMilestones,
    FixedFeeSchedule,
    Instalment,
    Milestone,
    Retainer,
    TimeAndMaterials,
)
from domain.credit_note import RebillTo
from domain.engagement import AcceptMilestone, AgreeLine, OpenEngagement, SignEngagement
from domain.engagement.change_orders import ProposeChangeOrder
from domain.engagement.retainer import GrantRetainer, MakeGrantUsable
from domain.expense import ApproveExpenses, Expense, RecordExpense, expense_stream
from domain.kernel import StreamId, stream_of
from domain.money import Money
from domain.ports import LotAt, SourceAt, entity_of
from domain.processes.listening import Listening
from domain.project import Assignment, AssignResource, CreateProject
from domain.reason_codes import ReasonCode
from domain.reference.account_map import AccountMapping, MapAccount, account_map_stream
from domain.reference.billing_calendar import CalendarTerms, DayRule
from domain.reference.customer import DescribeCustomer
from domain.reference.identifier import ExternalRef
from domain.reference.intercompany_agreement import AgreementTerms, RoleParameter, StateAgreement, agreement_stream
from domain.reference.legal_entity import DefineLegalEntity
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.reference.resource import DescribeResource, ResourceTerms
from domain.reference.source_system import HearSource, source_system_stream
from domain.timesheet import ApproveTime, Claim, LogTime, Work, timesheet_stream
from tests.world import CUSTOMER, ENGAGEMENT, MONDAY, NEW_YEAR, NINE, PROJECT, LogCandidates, World, euros

SHEET = timesheet_stream("W-1", MONDAY)
REPORT = expense_stream("ER-1")
FIRM_CARD = rate_card_stream("firm", "FIRM")
LATER = NINE + timedelta(days=2)
Step = Callable[[World], object]


@dataclass(frozen=True)
class Story:
    """How a reason comes and goes; ``source`` is the work that it is about."""

    code: ReasonCode
    appears: Step
    vanishes: Step
    source: str = "jira:1"
    world: Callable[[], World] = field(default_factory=lambda: firm)


def bare() -> World:
    """Reference data alone."""
    world = World().firm()
    world.candidates = Unbilled(world)
    world.processes = (*world.processes, Listening())
    return world


def firm() -> World:
    """Reference data and a signed contract for work by the hour."""
    return bare().contract()


def under(line: ContractLine) -> Callable[[], World]:
    """The firm with a contract line of another kind."""
    return lambda: bare().contract(line=line)


def opened(*confirmed: str, purchase_order_required: bool = False, seller: str = "DE01") -> Callable[[], World]:
    """The firm with a project that only these systems know."""

    def made() -> World:
        terms = OpenEngagement("E-1", "T", "C-1", seller, "EUR", purchase_order_required=purchase_order_required)
        return bare().tell(ENGAGEMENT, terms).contract_lines(confirmed=confirmed)

    return made


class Unbilled(LogCandidates):
    """Work that has become no lot yet is unbilled, too; all lots may be transfers."""

    def unbilled_of(self, *, engagement: str | None = None, **_: object) -> list[SourceAt]:
        entries = self._world.read(SHEET).entries.values()
        unrated = [SourceAt(SHEET, each.entry) for each in entries if each.unrated is not None]
        return [*super().unbilled_of(engagement=engagement), *unrated]

    def transfers_of(self, **_: object) -> list[LotAt]:
        return self._world.lots(SHEET)


def tell(stream: StreamId, *commands: object) -> Step:
    return lambda world: world.tell(stream, *commands)


def work(*steps: Step, hours: str = "8", approve: bool = True) -> Step:
    """One day of work, then some steps."""

    def told(world: World) -> None:
        world.work("1", hours, approve=approve)
        for step in steps:
            step(world)

    return told


def before(*steps: Step) -> Step:
    """Some steps, then one day of work."""

    def told(world: World) -> None:
        for step in steps:
            step(world)
        world.work("1")

    return told


def entity(world: World, **changes: object) -> World:
    """The selling entity with other terms."""
    terms = replace(entity_of(world.read, "DE01").versions[-1], **changes)  # type: ignore[arg-type]  # by name
    return world.tell(stream_of("legal_entity", "DE01"), DefineLegalEntity("DE01", terms))


def corrected(hours: str = "6") -> Step:
    """The hours told otherwise by their own system."""
    shorter = Work("P-1-L1", None, MONDAY, Decimal(hours), started="09:00:00")
    return tell(SHEET, LogTime("W-1", Claim("jira", "1", LATER), shorter))


def approved(days: int = 3) -> Step:
    return tell(SHEET, ApproveTime(("jira:1",), "W-9", NINE + timedelta(days=days)))


def anew(world: World) -> None:
    """The hours are corrected and approved as they are then."""
    corrected()(world)
    approved()(world)


def project(line: str, *, signed: bool = True, internal: bool = False) -> Step:
    """A project for a line of an engagement that is there or not, and signed or not; another one beside it."""

    def told(world: World) -> None:
        world.tell(ENGAGEMENT, OpenEngagement("E-1", "T", "C-1", "DE01", "EUR"))
        if signed:
            world.tell(ENGAGEMENT, SignEngagement(NEW_YEAR, NEW_YEAR))
        for name, inside in (("P-1-L1", internal), ("P-2", False)):
            create = CreateProject(name, "E-1", "Work", line, "DE01", NEW_YEAR, internal=inside)
            world.tell(stream_of("project", name), create)
        world.work("1", approve=False)

    return told


def grant(name: str, amount: int) -> Step:
    sold = GrantRetainer("L1", name, MONDAY, NINE, euros(amount))
    return tell(ENGAGEMENT, sold, MakeGrantUsable("L1", name, MONDAY, "issued"))


def accepted(milestone: str) -> Step:
    return tell(ENGAGEMENT, AcceptMilestone("L1", milestone, date(2026, 3, 20), "mail of the customer", "pam", NINE))


def heard_on(when: date) -> Step:
    return tell(source_system_stream("jira"), HearSource("jira", when))


def assigned(*, chargeable: bool) -> Step:
    return tell(PROJECT, AssignResource(Assignment("W-1", NEW_YEAR, chargeable=chargeable)))


def reapproved_as(hours: str, days: int) -> Step:
    return tell(SHEET, ApproveTime(("jira:1",), "W-9", NINE + timedelta(days=days), {"jira:1": Decimal(hours)}))


def expense(amount: int = 220, *, receipt: str | None = "r.pdf", category: str = "hotel", recovered: int = 0) -> Step:
    spent = Expense("1", "P-1-L1", category, MONDAY, euros(amount), euros(recovered), billable=True, receipt=receipt)
    at = NINE if receipt is None else LATER
    return lambda world: world.tell(REPORT, RecordExpense("ER-1", "W-1", spent, at))


def approve_expense(world: World) -> World:
    return world.tell(REPORT, ApproveExpenses(("1",), "W-9", LATER))


def describe(**fields: str | None) -> Step:
    at = LATER if None not in fields.values() else NINE.replace(hour=12)
    return tell(CUSTOMER, DescribeCustomer("C-1", fields, at))


def rate(row: str, amount: int, **fields: object) -> SetRate:
    return SetRate(RateRow(row, euros(amount), NEW_YEAR, **fields))  # type: ignore[arg-type]  # a row's fields


def line(line: ContractLine) -> Step:
    return tell(ENGAGEMENT, AgreeLine(line))


def day(on: date) -> Step:
    return tell(FIRM, OpenDay(on, NINE + timedelta(days=40)))


def unopened(*steps: Step) -> Step:
    """The firm without its contract, then some steps."""
    return lambda world: [step(world) for step in steps]


def abroad(terms: AgreementTerms | None) -> Step:
    """The person works for another entity, with which an agreement may be stated."""

    def told(world: World) -> None:
        home = entity_of(world.read, "DE01").versions[-1]
        world.tell(stream_of("legal_entity", "FR01"), DefineLegalEntity("FR01", home))
        worker = ResourceTerms(NEW_YEAR, "Senior", "FR01", "Berlin", "Data", euros(60), Decimal(40), LATER)
        world.tell(stream_of("resource", "W-1"), DescribeResource("W-1", worker))
        if terms is not None:
            agreed(terms)(world)
        world.work("1")

    return told


def agreed(terms: AgreementTerms) -> Step:
    return tell(agreement_stream("FR01", "DE01"), StateAgreement("FR01", "DE01", terms, "anna"))


PER_HOUR = AgreementTerms(NEW_YEAR, "fixed", "EUR", Decimal(120))
ANALYSTS = replace(PER_HOUR, parameter=None, by_role=(RoleParameter("Analyst", Decimal(80)),))


def draft(world: World) -> None:
    world.draft("I-1", world.lots(SHEET))


def bill(world: World) -> None:
    draft(world)
    world.approve("I-1").issue("I-1")


def credit(world: World) -> None:
    wishes = (CreditWish(line=1),)
    drafted = crediting.draft_credit_note(
        world.read, "CN-1", "I-1", wishes, form="381", reason="Agreed with the customer.", by="paul"
    )
    world.record(drafted)
    world.record(crediting.approve_credit_note(world.read, "CN-1", "ann", NINE + timedelta(days=60)))
    world.record(crediting.issue_credit_note(world.read, "CN-1", date(2026, 5, 4)))
    world.react()


def transfer(world: World) -> None:
    other = stream_of("engagement", "E-2")
    world.tell(other, OpenEngagement("E-2", "Other", "C-1", "DE01", "EUR"))
    world.tell(other, SignEngagement(NEW_YEAR, NEW_YEAR), AgreeLine(ContractLine("L1", "Work", TimeAndMaterials())))
    lot = LotAt(SHEET, "jira:1#1")
    world.record(crediting.transfer_lots(world.read, [lot], RebillTo("E-2", "L1"), "Wrong engagement.", "paul"))
    world.react()


CALENDAR = CalendarTerms(
    NEW_YEAR,
    cut_off=DayRule("calendar_day", 3, months_later=0, roll="none"),
    billing=DayRule("calendar_day", 5, months_later=0, roll="none"),
    time_zone="Europe/Berlin",
)
PERIODS = accounting_period_stream("DE01")
ACCOUNTS = account_map_stream("DE01")


def account(role: AccountRole, since: date = NEW_YEAR) -> Step:
    return tell(ACCOUNTS, MapAccount("DE01", "erp", AccountMapping(role, "4711", since), "fred"))


def months(*commands: type, month: str = "2026-04", reason: str = "") -> Step:
    moment = NINE + timedelta(days=30)
    return tell(PERIODS, *(command("DE01", month, "ann", moment, reason) for command in commands))


MILESTONES = (Milestone("M1", "Design", euros(5000)), Milestone("M2", "Build", euros(7000), after=("M1",)))
MILESTONE = ContractLine("L1", "Design", FixedFeeMilestones(milestones=MILESTONES))
INSTALMENTS = FixedFeeSchedule(euros(900), (Instalment("I1", "First", date(2026, 4, 1), euros(900)),))
ON_RETAINER = ContractLine("L1", "Work", Retainer(euros(600), overage="held"))
HOURS = ContractLine("L1", "Work", TimeAndMaterials())
IN_THE_ERP = ExternalRef("erp", "customer", "4711")
TODAY, ONE_DAY = datetime.now(UTC).date(), timedelta(days=1)
CHANGE = ProposeChangeOrder("CO-1", MONDAY, (replace(HOURS, title="More"),), False, False, True, "More.", "pam", NINE)
IN_POUNDS = ResourceTerms(NEW_YEAR, "Senior", "DE01", "London", "Data", Money(Decimal(60), "GBP"), Decimal(40), LATER)
