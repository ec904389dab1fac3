"""Every reason of the closed list: a history that makes it appear, and the fact that makes it vanish unasked.

Histories are told by commands; the read models follow the log alone, in one batch, fact by fact and with restarts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from domain.billing import crediting, issuing
from domain.billing.credit_wishes import CreditWish
from domain.billing.draft_plan import DraftPlan, LotsNotEligible
from domain.billing.drafting import draft_invoices
from domain.books.account_role import AccountRole
from domain.books.accounting_period import ClosePeriod, OpenPeriod, ReopenPeriod, accounting_period_stream
from domain.calendar import FIRM, OpenDay
from domain.contract import (
    CategoryTerms,
    ContractLine,
    ExpenseTerms,
    FixedFeeMilestones,
    FixedFeeSchedule,
    Instalment,
    ManagedService,
    Milestone,
    PercentComplete,
    Retainer,
    TimeAndMaterials,
)
from domain.credit_note import RebillTo
from domain.engagement import (
    AcceptMilestone,
    AgreeLine,
    ChangeCap,
    ClaimBilling,
    HoldEngagement,
    LiftHold,
    OpenEngagement,
    PurchaseOrder,
    RecordPurchaseOrder,
    SignEngagement,
)
from domain.engagement.agreement import CompleteEngagement
from domain.engagement.change_orders import ApproveChangeOrder, ProposeChangeOrder
from domain.engagement.progress import ReviseEstimate
from domain.engagement.retainer import GrantRetainer, MakeGrantUsable
from domain.expense import ApproveExpenses, Expense, RecordExpense, expense_stream
from domain.kernel import StreamId, stream_of
from domain.lots import GiveLotsFree, HoldLots, LiftLotHolds, PostponeLots, WriteOffLots
from domain.money import Money
from domain.ports import LotAt, SourceAt, customer_of, entity_of
from domain.processes.listening import Listening
from domain.project import (
    Assignment,
    AssignResource,
    ConfirmSetUp,
    CreateProject,
    DefineTask,
    HoldBilling,
    RejectSetUp,
    ReleaseBillingHold,
    Task,
)
from domain.reason_codes import MEANINGS, ReasonAlwaysBlocks, ReasonCode
from domain.reference.account_map import AccountMapping, MapAccount, account_map_stream
from domain.reference.billing_calendar import CalendarTerms, DayRule, DefineCalendar, calendar_stream
from domain.reference.customer import BlockCustomer, DescribeCustomer, RecordTaxIdCheck, TaxIdVerdict, UnblockCustomer
from domain.reference.fx_rate import PublishFxRate, fx_stream
from domain.reference.identifier import AssignIdentifier, ExternalRef, identifier_stream
from domain.reference.intercompany_agreement import AgreementTerms, RoleParameter, StateAgreement, agreement_stream
from domain.reference.legal_entity import DefineLegalEntity, ExpenseLimit
from domain.reference.rate_card import ApproveRate, ConfirmZeroRate, RateRow, SetRate, WithdrawRate, rate_card_stream
from domain.reference.resource import DescribeResource, ResourceTerms
from domain.reference.source_system import HearSource, source_system_stream
from domain.reference.tax_rule import SetTaxRule, TaxRule
from domain.timesheet import (
    ApproveTime,
    Claim,
    DecidePeriod,
    LogTime,
    RejectTime,
    SubmitTime,
    WithdrawTime,
    Work,
    timesheet_stream,
)
from projections.eligibility.items import ITEMS, Item
from projections.eligibility.sums import ITEM_SUMS, REASON_SUMS
from tests.projections.books import Rows, folded, given
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
    return world.tell(REPORT, ApproveExpenses(("1",), "W-9", NINE))


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
STORIES = (
    Story(ReasonCode.NOT_SUBMITTED, work(approve=False), tell(SHEET, SubmitTime(("jira:1",)))),
    Story(ReasonCode.NOT_APPROVED, work(tell(SHEET, SubmitTime(("jira:1",))), approve=False), approved()),
    Story(
        ReasonCode.APPROVAL_REVOKED,
        work(
            tell(
                SHEET,
                DecidePeriod("W-1", MONDAY, MONDAY, MONDAY + timedelta(days=6), "in_review", "W-9", LATER),
            )
        ),
        approved(),
    ),
    Story(
        ReasonCode.REJECTED,
        work(tell(SHEET, RejectTime(("jira:1",), "W-9", NINE, "Which task?")), approve=False),
        corrected(),
    ),
    Story(ReasonCode.APPROVER_REDUCED, work(reapproved_as("6", 2)), reapproved_as("8", 3)),
    Story(
        ReasonCode.DUPLICATE_ENTRY,
        lambda world: [world.work("1", "4"), world.work("2", "4")],
        tell(SHEET, WithdrawTime("W-1", MONDAY, Claim("jira", "1", LATER))),
        source="jira:2",
    ),
    Story(
        ReasonCode.LATE_ENTRY_AFTER_CUTOFF,
        lambda world: [world.tell(calendar_stream("DE01"), DefineCalendar("DE01", CALENDAR)), world.work("4", day=2)],
        day(date(2026, 4, 5)),
        source="jira:4",
    ),
    Story(
        ReasonCode.WORK_DATE_OUTSIDE_ASSIGNMENT,
        work(tell(PROJECT, AssignResource(Assignment("W-2", NEW_YEAR)))),
        tell(PROJECT, AssignResource(Assignment("W-1", NEW_YEAR))),
    ),
    Story(
        ReasonCode.HOURS_EXCEED_DAILY_LIMIT,
        lambda world: [entity(world, hours_per_day_max=Decimal(10)), world.work("1", "11")],
        tell(SHEET, LiftLotHolds(("jira:1#1",), "HOURS_EXCEED_DAILY_LIMIT", "pam")),
    ),
    Story(ReasonCode.RECEIPT_MISSING, expense(receipt=None), expense(), source="ER-1/1"),
    Story(
        ReasonCode.EXPENSE_POLICY_VIOLATION,
        lambda world: [
            entity(world, expense_limits=(ExpenseLimit("hotel", euros(150)),)),
            expense()(world),
            approve_expense(world),
        ],
        tell(REPORT, LiftLotHolds(("ER-1/1#1",), "EXPENSE_POLICY_VIOLATION", "ann")),
        source="ER-1/1",
    ),
    Story(ReasonCode.CONTRACT_ON_HOLD, work(tell(ENGAGEMENT, HoldEngagement("dispute"))), tell(ENGAGEMENT, LiftHold())),
    Story(
        ReasonCode.CONTRACT_ENDED,
        work(tell(ENGAGEMENT, CompleteEngagement(date(2026, 2, 27), "pam", None))),
        tell(ENGAGEMENT, SignEngagement(date(2026, 3, 1), NEW_YEAR)),
    ),
    Story(
        ReasonCode.WORK_DATE_BEFORE_START,
        work(tell(ENGAGEMENT, SignEngagement(NEW_YEAR, date(2026, 4, 1)))),
        tell(ENGAGEMENT, SignEngagement(NEW_YEAR, date(2026, 3, 1))),
    ),
    Story(
        ReasonCode.WORK_DATE_AFTER_END,
        work(tell(ENGAGEMENT, SignEngagement(NEW_YEAR, NEW_YEAR, date(2026, 2, 28)))),
        tell(ENGAGEMENT, SignEngagement(NEW_YEAR, NEW_YEAR, date(2026, 3, 31))),
    ),
    Story(
        ReasonCode.PROJECT_BILLING_HOLD,
        work(tell(PROJECT, HoldBilling("Quality review."))),
        tell(PROJECT, ReleaseBillingHold()),
    ),
    Story(
        ReasonCode.PO_EXPIRED,
        work(tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-1", valid_to=date(2026, 2, 1))))),
        tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-1", valid_to=date(2026, 12, 1)))),
    ),
    Story(
        ReasonCode.PO_EXHAUSTED,
        work(
            tell(
                ENGAGEMENT,
                RecordPurchaseOrder(PurchaseOrder("PO-1", euros(10))),
                ClaimBilling("I-9", "L1", euros(10)),
            )
        ),
        tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-1", euros(5000)))),
    ),
    Story(
        ReasonCode.TASK_NOT_CHARGEABLE,
        lambda world: [
            world.tell(PROJECT, DefineTask(Task("T-9", "Travel", chargeable=False))),
            world.tell(
                SHEET,
                LogTime("W-1", Claim("jira", "1", NINE), Work("P-1-L1", "T-9", MONDAY, Decimal(2), started="09:00:00")),
            ),
            world.tell(SHEET, ApproveTime(("jira:1",), "W-9", NINE)),
        ],
        tell(PROJECT, DefineTask(Task("T-9", "Travel", chargeable=True))),
    ),
    Story(
        ReasonCode.NO_RATE,
        before(tell(FIRM_CARD, WithdrawRate("senior"))),
        tell(FIRM_CARD, rate("senior", 150, role="Senior")),
    ),
    Story(
        ReasonCode.AMBIGUOUS_RATE,
        before(tell(FIRM_CARD, rate("twin", 160, role="Senior"))),
        tell(FIRM_CARD, WithdrawRate("twin")),
    ),
    Story(
        ReasonCode.RATE_PENDING_APPROVAL,
        before(tell(FIRM_CARD, rate("senior", 150, role="Senior", pending=True))),
        tell(FIRM_CARD, ApproveRate("senior", "ann")),
    ),
    Story(
        ReasonCode.ZERO_RATE_UNCONFIRMED,
        before(tell(FIRM_CARD, rate("senior", 0, role="Senior"))),
        tell(FIRM_CARD, ConfirmZeroRate("senior", "goodwill", "ann")),
    ),
    Story(
        ReasonCode.TAX_UNDETERMINED,
        work(describe(country="BR")),
        tell(stream_of("tax_rule", "DE"), SetTaxRule("DE", TaxRule(NEW_YEAR, "*", "G", Decimal(0), "export"))),
    ),
    Story(
        ReasonCode.CUSTOMER_TAX_ID_INVALID,
        work(
            describe(tax_id="DE1"),
            tell(CUSTOMER, RecordTaxIdCheck(TaxIdVerdict("DE1", "DE", False, "too short"), LATER)),
        ),
        tell(CUSTOMER, DescribeCustomer("C-1", {"tax_id": "DE136695976"}, LATER + timedelta(days=1))),
    ),
    Story(
        ReasonCode.POSTPONED_BY_USER,
        work(tell(SHEET, PostponeLots(("jira:1#1",), date(2026, 5, 1), "pam", "Wait for the order."))),
        day(date(2026, 5, 1)),
    ),
    Story(
        ReasonCode.DISPUTED,
        work(tell(SHEET, HoldLots(("jira:1#1",), "DISPUTED", "The customer denies the day.", "pam"))),
        tell(SHEET, LiftLotHolds(("jira:1#1",), "DISPUTED", "pam")),
    ),
    Story(
        ReasonCode.CUSTOMER_NOT_SYNCED,
        lambda world: [entity(world, customers_known_in=("erp",)), world.work("1")],
        tell(identifier_stream(IN_THE_ERP), AssignIdentifier(IN_THE_ERP, "C-1")),
    ),
    Story(
        ReasonCode.STALE_SOURCE,
        lambda world: [entity(world, source_silent_days_max=7), world.work("1"), day(TODAY + 10 * ONE_DAY)(world)],
        heard_on(TODAY + 10 * ONE_DAY),
    ),
    Story(ReasonCode.BILL_TO_MISSING, work(describe(city=None)), describe(city="Bonn")),
    Story(
        ReasonCode.CUSTOMER_BLOCKED,
        work(tell(CUSTOMER, BlockCustomer("Overdue."))),
        tell(CUSTOMER, UnblockCustomer()),
    ),
    Story(
        ReasonCode.ACCOUNT_MAPPING_MISSING,
        work(account(AccountRole.AR)),
        account(AccountRole.REVENUE_TM),
    ),
    Story(
        ReasonCode.PERIOD_CLOSED,
        work(day(date(2026, 4, 2)), months(OpenPeriod, ClosePeriod)),
        months(ReopenPeriod, reason="A bill was forgotten."),
    ),
    Story(
        ReasonCode.ERP_REJECTED,
        work(tell(PROJECT, RejectSetUp("erp", "No cost centre."))),
        tell(PROJECT, ConfirmSetUp("erp", "ERP-1")),
        world=opened("psa"),
    ),
    Story(ReasonCode.INTERCOMPANY_AGREEMENT_MISSING, abroad(None), agreed(PER_HOUR)),
    Story(ReasonCode.TRANSFER_PRICE_MISSING, abroad(ANALYSTS), agreed(PER_HOUR)),
    Story(
        ReasonCode.BELOW_MINIMUM_INVOICE,
        lambda world: [entity(world, minimum_invoice=euros(2000)), world.work("1")],
        lambda world: world.work("2", day=1),
    ),
    Story(
        ReasonCode.ENTITY_NOT_MAPPED,
        work(approve=False),
        lambda world: world.tell(
            stream_of("legal_entity", "DE02"), DefineLegalEntity("DE02", entity_of(world.read, "DE01").versions[0])
        ),
        world=opened("psa", "erp", seller="DE02"),
    ),
    Story(ReasonCode.PROJECT_NOT_SYNCED, work(), tell(PROJECT, ConfirmSetUp("erp", "ERP-1")), world=opened("psa")),
    Story(
        ReasonCode.PO_MISSING,
        work(),
        tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-1"))),
        world=opened("psa", "erp", purchase_order_required=True),
    ),
    Story(
        ReasonCode.CAP_EXCEEDED,
        work(),
        tell(ENGAGEMENT, ChangeCap("L1", euros(2000))),
        world=under(ContractLine("L1", "Work", TimeAndMaterials(cap=euros(1000)))),
    ),
    Story(ReasonCode.NO_CONTRACT_LINE, project("L9"), line(replace(HOURS, line="L9")), world=bare),
    Story(
        ReasonCode.CONTRACT_NOT_SIGNED,
        project("L1", signed=False),
        tell(ENGAGEMENT, SignEngagement(NEW_YEAR, NEW_YEAR)),
        world=bare,
    ),
    Story(
        ReasonCode.PROJECT_INTERNAL,
        project("L1", internal=True),
        tell(SHEET, LogTime("W-1", Claim("jira", "1", LATER), Work("P-2", None, MONDAY, Decimal(8)))),
        world=bare,
    ),
    Story(
        ReasonCode.CHANGE_ORDER_PENDING,
        work(tell(ENGAGEMENT, CHANGE)),
        tell(ENGAGEMENT, ApproveChangeOrder("CO-1", "ann", LATER)),
    ),
    Story(ReasonCode.ROLE_NOT_CHARGEABLE, before(assigned(chargeable=False)), assigned(chargeable=True)),
    Story(
        ReasonCode.CATEGORY_NOT_CHARGEABLE,
        lambda world: [expense()(world), approve_expense(world)],
        line(HOURS),
        source="ER-1/1",
        world=under(replace(HOURS, expenses=ExpenseTerms(categories=(CategoryTerms("hotel", billable=False),)))),
    ),
    Story(ReasonCode.MILESTONE_NOT_ACCEPTED, work(), accepted("M1"), source="E-1/L1/M1", world=under(MILESTONE)),
    Story(ReasonCode.MILESTONE_EVIDENCE_MISSING, work(), accepted("M1"), source="E-1/L1/M1", world=under(MILESTONE)),
    Story(ReasonCode.PREDECESSOR_INCOMPLETE, work(), accepted("M1"), source="E-1/L1/M2", world=under(MILESTONE)),
    Story(
        ReasonCode.SCHEDULE_NOT_DUE,
        day(date(2026, 3, 31)),
        day(date(2026, 4, 1)),
        source="E-1/L1/I1",
        world=under(ContractLine("L1", "Fixed", INSTALMENTS)),
    ),
    Story(ReasonCode.INCLUDED_IN_FIXED_FEE, work(), line(HOURS), world=under(MILESTONE)),
    Story(
        ReasonCode.FX_RATE_MISSING,
        before(tell(stream_of("resource", "W-1"), DescribeResource("W-1", IN_POUNDS))),
        tell(fx_stream("GBP", "EUR"), PublishFxRate("GBP", "EUR", MONDAY, Decimal("1.2"), "treasury")),
    ),
    Story(ReasonCode.RETAINER_NOT_INVOICED, work(), grant("R1", 2400), world=under(ON_RETAINER)),
    Story(ReasonCode.RETAINER_EXHAUSTED, before(grant("R1", 600)), grant("R2", 600), world=under(ON_RETAINER)),
    Story(
        ReasonCode.RESERVED_ON_DRAFT,
        work(draft),
        lambda world: world.record(issuing.discard_draft(world.read, "I-1", "paul", "Wrong month.")),
    ),
    Story(ReasonCode.ALREADY_BILLED, work(bill), credit),
    Story(
        ReasonCode.WRITTEN_OFF,
        work(tell(SHEET, WriteOffLots(("jira:1#1",), "Goodwill.", "cfo"))),
        anew,
    ),
    Story(
        ReasonCode.SUPERSEDED,
        work(tell(FIRM_CARD, rate("senior", 160, role="Senior")), corrected()),
        approved(),
    ),
    Story(
        ReasonCode.COMPLIMENTARY,
        work(tell(SHEET, GiveLotsFree(("jira:1#1",), "goodwill", "ann"))),
        anew,
    ),
    Story(ReasonCode.TRANSFERRED, work(transfer), anew),
)


DRAFTS_TOO = (
    ReasonCode.LATE_ENTRY_AFTER_CUTOFF,
    ReasonCode.CONTRACT_ENDED,
    ReasonCode.ACCOUNT_MAPPING_MISSING,
    ReasonCode.INTERCOMPANY_AGREEMENT_MISSING,
    ReasonCode.TRANSFER_PRICE_MISSING,
)


def items_of(rows: Rows, source: str) -> list[Item]:
    items = [ITEMS.row(values) for values in rows.store.all(ITEMS).values()]
    return sorted((each for each in items if each.source == source), key=lambda each: each.recorded_version)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.code.value)
def test_a_reason_appears_with_its_cause_and_vanishes_with_its_cure(story: Story) -> None:
    world = story.world()
    story.appears(world)
    held = [each for each in items_of(given(world).when(folded), story.source) if story.code.value in each.codes]
    assert held
    story.vanishes(world)
    newest = items_of(given(world).when(folded), story.source)[-1]
    assert story.code.value not in newest.codes


@pytest.mark.parametrize("story", [each for each in STORIES if each.code in DRAFTS_TOO], ids=lambda each: each.code)
def test_what_the_read_model_holds_no_draft_takes_until_it_is_cured(story: Story) -> None:
    world = story.world()
    story.appears(world)
    lots = [LotAt(SHEET, f"{story.source}#1")]
    with pytest.raises(LotsNotEligible, match=story.code.value):
        world.draft("I-1", lots)
    story.vanishes(world)
    on = date(2026, 4, 30)
    plan = DraftPlan(on, "paul", on, strict=True)
    assert draft_invoices(world.read, lots, plan, lambda _: "I-1").invoices == ("I-1",)


def test_the_table_tells_of_every_reason_of_the_list() -> None:
    assert {story.code for story in STORIES} == set(ReasonCode)
    assert list(MEANINGS) == list(ReasonCode), "documented in the order of the list"


def test_a_policy_of_the_entity_lets_a_reason_pass_and_never_one_that_always_blocks() -> None:
    world = opened("psa", "erp", purchase_order_required=True)()
    world.work("1")
    given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", state="held", codes=("PO_MISSING",))
    entity(world, lets_pass=("PO_MISSING",))
    given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", state="eligible", codes=())
    world.draft("I-1", world.lots(SHEET))
    with pytest.raises(ReasonAlwaysBlocks, match="CUSTOMER_BLOCKED"):
        entity(world, lets_pass=("CUSTOMER_BLOCKED",))


def test_late_work_is_billed_with_the_next_month_and_work_that_was_told_in_time_with_its_own() -> None:
    world = firm()
    world.tell(calendar_stream("DE01"), DefineCalendar("DE01", CALENDAR))
    for number in (0, 2):
        world.work(str(number), day=number)
    rows = given(world).when(folded)
    rows.then(ITEMS, SHEET, "jira:0#1", state="eligible", waits=False)
    rows.then(ITEMS, SHEET, "jira:2#1", codes=("LATE_ENTRY_AFTER_CUTOFF",), waits_until=date(2026, 4, 5))
    later = replace(CALENDAR, cut_off=replace(CALENDAR.cut_off, number=20))
    world.tell(calendar_stream("DE01"), DefineCalendar("DE01", later))
    given(world).when(folded).then(ITEMS, SHEET, "jira:2#1", state="eligible", waits=False)


def test_an_entity_that_keeps_no_accounts_here_and_closes_no_month_waits_for_none() -> None:
    world = firm()
    day(date(2026, 4, 2))(world)
    world.work("1")
    given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", state="eligible")


def test_a_month_that_was_closed_beforehand_holds_the_work_once_it_begins_and_until_the_next() -> None:
    world = firm()
    day(date(2026, 3, 31))(world)
    world.work("1")
    for month in ("2026-03", "2026-04"):
        months(OpenPeriod, ClosePeriod, month=month)(world)
    months(ReopenPeriod, month="2026-03", reason="A bill was forgotten.")(world)
    given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", state="eligible")
    day(date(2026, 4, 1))(world)
    given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", codes=("PERIOD_CLOSED",), waits_until=date(2026, 5, 1))
    day(date(2026, 5, 1))(world)
    given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", state="eligible")


def test_work_below_the_minimum_waits_together_and_stays_out_of_the_sums_of_what_may_be_billed() -> None:
    world = firm()
    entity(world, minimum_invoice=euros(2000))
    world.work("1")
    rows = given(world).when(folded)
    rows.then(ITEM_SUMS, "engagement", "E-1", "DE01", "held", "EUR", value=Decimal(1200))
    world.work("2", day=1)
    rows = given(world).when(folded)
    rows.then(ITEM_SUMS, "engagement", "E-1", "DE01", "eligible", "EUR", value=Decimal(2400))
    world.draft("I-1", [LotAt(SHEET, "jira:1#1"), LotAt(SHEET, "jira:2#1")])
    world.work("3", day=2)
    given(world).when(folded).then(ITEMS, SHEET, "jira:3#1", codes=("BELOW_MINIMUM_INVOICE",))


def test_milestones_are_planned_with_their_price_until_they_are_lots_and_go_with_the_line_that_named_them() -> None:
    world = under(MILESTONE)()
    rows = given(world).when(folded)
    waiting = ("MILESTONE_NOT_ACCEPTED", "MILESTONE_EVIDENCE_MISSING")
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/M1", state="planned", is_lot=False, value=Decimal(5000), codes=waiting)
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/M2", codes=(*waiting, "PREDECESSOR_INCOMPLETE"))
    rows.then(ITEM_SUMS, "engagement", "E-1", "DE01", "planned", "EUR", items=2, value=Decimal(12000))
    rows.then(REASON_SUMS, "DE01", "PREDECESSOR_INCOMPLETE", "project_manager", "EUR", items=1, value=Decimal(7000))
    accepted("M1")(world)
    rows = given(world).when(folded)
    rows.has_no(ITEMS, ENGAGEMENT, "E-1/L1/M1").then(ITEMS, ENGAGEMENT, "E-1/L1/M1#1", state="eligible")
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/M2", state="planned", codes=waiting)
    other = under(MILESTONE)()
    line(HOURS)(other)
    given(other).when(folded).has_no(ITEMS, ENGAGEMENT, "E-1/L1/M2").has(REASON_SUMS, 0)


def test_months_of_service_are_planned_until_their_day_comes() -> None:
    service = ManagedService(euros(310), date(2026, 3, 16), date(2026, 5, 10))
    world = under(ContractLine("L1", "Care", service))()
    day(date(2026, 3, 15))(world)
    waiting = ("SCHEDULE_NOT_DUE",)
    rows = given(world).when(folded)
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/service/2026-03-16", state="planned", value=Decimal(160), codes=waiting)
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/service/2026-04-01", value=Decimal(310), waits_until=date(2026, 4, 1))
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/service/2026-05-01", value=Decimal(100), work_date=date(2026, 5, 1))
    rows.then(ITEM_SUMS, "engagement", "E-1", "DE01", "planned", "EUR", items=3, value=Decimal(570))
    rows.has(ITEMS, 3)
    day(date(2026, 4, 1))(world)
    rows = given(world).when(folded)
    for month in ("2026-03-16", "2026-04-01"):
        rows.has_no(ITEMS, ENGAGEMENT, f"E-1/L1/service/{month}")
        rows.then(ITEMS, ENGAGEMENT, f"E-1/L1/service/{month}#1", state="eligible")
    rows.then(ITEM_SUMS, "engagement", "E-1", "DE01", "planned", "EUR", items=1, value=Decimal(100))


def test_a_service_without_an_end_is_planned_a_year_ahead_at_the_fee_of_each_day() -> None:
    world = under(ContractLine("L1", "Care", ManagedService(euros(310), date(2026, 1, 1), timing="arrears")))()
    day(date(2026, 3, 31))(world)
    cheaper = ContractLine("L1", "Care", ManagedService(euros(150), date(2026, 1, 1), timing="arrears"))
    order = ProposeChangeOrder("CO-1", date(2026, 6, 1), (cheaper,), False, False, True, "Less.", "pam", NINE)
    tell(ENGAGEMENT, order, ApproveChangeOrder("CO-1", "ann", NINE))(world)
    rows = given(world).when(folded)
    rows.has_no(ITEMS, ENGAGEMENT, "E-1/L1/service/2026-03-01")
    rows.then(ITEM_SUMS, "engagement", "E-1", "DE01", "planned", "EUR", items=12)
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/service/2026-05-01", value=Decimal(310), work_date=date(2026, 5, 31))
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/service/2026-06-01", value=Decimal(150))
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/service/2027-03-01", state="planned")


def test_a_service_at_the_end_of_the_calendar_is_planned_as_far_as_days_go() -> None:
    world = under(ContractLine("L1", "Care", ManagedService(euros(310), date(9999, 12, 1))))()
    given(world).when(folded).then(ITEMS, ENGAGEMENT, "E-1/L1/service/9999-12-01", value=Decimal(310)).has(ITEMS, 1)


def test_milestones_that_measure_progress_are_planned_with_what_each_adds_to_the_bill() -> None:
    """By weights of 5,000 and 7,000 of a price of 24,001; the last one takes what rounding leaves."""
    promise = PercentComplete(euros(24001), "milestones", milestones=MILESTONES)
    world = under(ContractLine("L1", "Design", promise))()
    waiting = ("MILESTONE_NOT_ACCEPTED", "MILESTONE_EVIDENCE_MISSING")
    rows = given(world).when(folded)
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/M1", state="planned", value=Decimal("10000.42"), codes=waiting)
    later = (*waiting, "PREDECESSOR_INCOMPLETE")
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/M2", value=Decimal("14000.58"), codes=later)
    accepted("M1")(world)
    rows = given(world).when(folded)
    rows.has_no(ITEMS, ENGAGEMENT, "E-1/L1/M1")
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/M2", value=Decimal("14000.58"), codes=waiting)
    (lot,) = world.read(ENGAGEMENT).lots
    rows.then(ITEMS, ENGAGEMENT, lot, state="eligible", value=Decimal("10000.42"))
    tell(ENGAGEMENT, ReviseEstimate("L1", date(2026, 4, 2), Decimal(24000), "milestones", "Twice.", "pam", NINE))(world)
    rows = given(world).when(folded)
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/M2", value=Decimal("7000.29"))


def test_what_is_planned_waits_for_all_that_its_contract_waits_for() -> None:
    world = under(ContractLine("L1", "Fixed", INSTALMENTS))()
    tell(ENGAGEMENT, HoldEngagement("dispute"))(world)
    day(date(2026, 3, 31))(world)
    rows = given(world).when(folded)
    held = ("CONTRACT_ON_HOLD", "SCHEDULE_NOT_DUE")
    rows.then(ITEMS, ENGAGEMENT, "E-1/L1/I1", codes=held, waits_until=date(2026, 4, 1), work_date=date(2026, 4, 1))
    day(date(2026, 4, 1))(world)
    given(world).when(folded).then(ITEMS, ENGAGEMENT, "E-1/L1/I1#1", state="held", codes=("CONTRACT_ON_HOLD",))


def test_hours_wait_for_a_silent_system_from_the_day_on_that_the_policy_says() -> None:
    world = firm()
    entity(world, source_silent_days_max=7)
    world.work("1")
    for days, code in ((7, ()), (8, ("STALE_SOURCE",))):
        day(TODAY + days * ONE_DAY)(world)
        given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", codes=code)
    plan = DraftPlan(TODAY, "paul", TODAY + 8 * ONE_DAY, strict=True)
    with pytest.raises(LotsNotEligible, match="STALE_SOURCE"):
        draft_invoices(world.read, [LotAt(SHEET, "jira:1#1")], plan, lambda _: "I-1")


def test_a_customer_is_known_where_its_name_there_is_assigned_to_it() -> None:
    world = firm()
    tell(identifier_stream(IN_THE_ERP), AssignIdentifier(IN_THE_ERP, "C-1"))(world)
    assert customer_of(world.read, "C-1").known_in == {"erp": "4711"}
    entity(world, customers_known_in=("erp", "psa"))
    world.work("1")
    given(world).when(folded).then(ITEMS, SHEET, "jira:1#1", codes=("CUSTOMER_NOT_SYNCED",))
    with pytest.raises(LotsNotEligible, match="CUSTOMER_NOT_SYNCED"):
        world.draft("I-1", world.lots(SHEET))


def test_a_system_is_heard_once_a_day() -> None:
    world = firm()
    for number in range(3):
        world.work(str(number), day=number)
    assert world.names().count("source_system.heard.v1") == 1
