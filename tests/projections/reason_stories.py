"""How each reason of the closed list comes and goes, one story each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from domain.billing import adjusting
from domain.books.account_role import AccountRole
from domain.books.accounting_period import ClosePeriod, OpenPeriod, ReopenPeriod
from domain.contract import CategoryTerms, ContractLine, ExpenseTerms, TimeAndMaterials
from domain.engagement import (
    ChangeCap,
    ClaimBilling,
    HoldEngagement,
    LiftHold,
    PurchaseOrder,
    RecordPurchaseOrder,
    SignEngagement,
)
from domain.engagement.agreement import CompleteEngagement
from domain.engagement.change_orders import ApproveChangeOrder
from domain.kernel import stream_of
from domain.lots import GiveLotsFree, HoldLots, LiftLotHolds, PostponeLots, WriteOffLots
from domain.ports import entity_of
from domain.project import (
    Assignment,
    AssignResource,
    ConfirmSetUp,
    DefineTask,
    HoldBilling,
    RejectSetUp,
    ReleaseBillingHold,
    Task,
)
from domain.reason_codes import ReasonCode
from domain.reference.billing_calendar import DefineCalendar, calendar_stream
from domain.reference.customer import BlockCustomer, DescribeCustomer, RecordTaxIdCheck, TaxIdVerdict, UnblockCustomer
from domain.reference.fx_rate import PublishFxRate, fx_stream
from domain.reference.identifier import AssignIdentifier, identifier_stream
from domain.reference.legal_entity import DefineLegalEntity, ExpenseLimit
from domain.reference.rate_card import ApproveRate, ConfirmZeroRate, WithdrawRate
from domain.reference.resource import DescribeResource
from domain.reference.tax_rule import SetTaxRule, TaxRule
from domain.timesheet import ApproveTime, Claim, DecidePeriod, LogTime, RejectTime, SubmitTime, WithdrawTime, Work
from tests.projections.reason_steps import (
    ANALYSTS,
    CALENDAR,
    CHANGE,
    FIRM_CARD,
    HOURS,
    IN_POUNDS,
    IN_THE_ERP,
    INSTALMENTS,
    LATER,
    MILESTONE,
    ON_RETAINER,
    ONE_DAY,
    PER_HOUR,
    REPORT,
    SHEET,
    TODAY,
    Story,
    abroad,
    accepted,
    account,
    agreed,
    anew,
    approve_expense,
    approved,
    assigned,
    bare,
    before,
    bill,
    corrected,
    credit,
    day,
    describe,
    draft,
    entity,
    expense,
    grant,
    heard_on,
    line,
    months,
    opened,
    project,
    rate,
    reapproved_as,
    tell,
    transfer,
    under,
    work,
)
from tests.world import CUSTOMER, ENGAGEMENT, MONDAY, NEW_YEAR, NINE, PROJECT, euros

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
        before(
            lambda world: entity(world, functional_currency="GBP"),
            tell(stream_of("resource", "W-1"), DescribeResource("W-1", IN_POUNDS)),
        ),
        tell(fx_stream("GBP", "EUR"), PublishFxRate("GBP", "EUR", MONDAY, Decimal("1.2"), "treasury")),
    ),
    Story(ReasonCode.RETAINER_NOT_INVOICED, work(), grant("R1", 2400), world=under(ON_RETAINER)),
    Story(ReasonCode.RETAINER_EXHAUSTED, before(grant("R1", 600)), grant("R2", 600), world=under(ON_RETAINER)),
    Story(
        ReasonCode.RESERVED_ON_DRAFT,
        work(draft),
        lambda world: world.record(adjusting.discard_draft(world.read, "I-1", "paul", "Wrong month.")),
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
