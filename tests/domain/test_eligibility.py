"""Every reason that can hold work back appears, and vanishes by the event that cures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from domain import eligibility
from domain.billing.billable import context_of
from domain.catalogue import EVENTS
from domain.contract import ContractLine, TimeAndMaterials
from domain.eligibility.reasons import Blocker, EntryFacts, LotFacts
from domain.engagement import (
    AgreeLine,
    ClaimBilling,
    HoldEngagement,
    LiftHold,
    OpenEngagement,
    PurchaseOrder,
    RecordPurchaseOrder,
    SignEngagement,
)
from domain.engagement.caps import CreditBilling
from domain.kernel import StreamId, stream_of
from domain.project import (
    Assignment,
    AssignResource,
    CloseProject,
    ConfirmSetUp,
    DefineTask,
    HoldBilling,
    ReleaseBillingHold,
    Task,
)
from domain.reason_codes import ReasonCode
from domain.reference.customer import BlockCustomer, DescribeCustomer, UnblockCustomer
from domain.reference.tax_rule import SetTaxRule, TaxRule
from tests.world import CUSTOMER, ENGAGEMENT, MONDAY, NEW_YEAR, NINE, PROJECT, World, euros

LATER = datetime(2026, 3, 20, tzinfo=UTC)


def blockers(world: World, stream: StreamId) -> tuple[Blocker, ...]:
    (held,) = world.read(stream).lots.values()
    return eligibility.decide(LotFacts(stream, held.lot), context_of(world.read, held.lot))


def codes(world: World, stream: StreamId) -> list[ReasonCode]:
    return [blocker.code for blocker in blockers(world, stream)]


@dataclass(frozen=True)
class Story:
    """What makes a reason appear, and what makes it vanish."""

    code: ReasonCode
    cause: Callable[[World], object]
    cure: Callable[[World], object] | None


def tell(stream: StreamId, *commands: object) -> Callable[[World], object]:
    return lambda world: world.tell(stream, *commands)


def describe(**fields: str | None) -> DescribeCustomer:
    return DescribeCustomer("C-1", fields, LATER if None not in fields.values() else NINE.replace(hour=12))


STORIES = [
    Story(ReasonCode.CONTRACT_ON_HOLD, tell(ENGAGEMENT, HoldEngagement("dispute")), tell(ENGAGEMENT, LiftHold())),
    Story(
        ReasonCode.WORK_DATE_BEFORE_START,
        tell(ENGAGEMENT, SignEngagement(NEW_YEAR, date(2026, 4, 1))),
        tell(ENGAGEMENT, SignEngagement(NEW_YEAR, date(2026, 3, 1))),
    ),
    Story(
        ReasonCode.WORK_DATE_AFTER_END,
        tell(ENGAGEMENT, SignEngagement(NEW_YEAR, NEW_YEAR, date(2026, 2, 28))),
        tell(ENGAGEMENT, SignEngagement(NEW_YEAR, NEW_YEAR, date(2026, 3, 31))),
    ),
    Story(
        ReasonCode.WORK_DATE_AFTER_END,
        tell(PROJECT, CloseProject(date(2026, 2, 28))),
        tell(PROJECT, CloseProject(date(2026, 3, 31))),
    ),
    Story(
        ReasonCode.WORK_DATE_OUTSIDE_ASSIGNMENT,
        tell(PROJECT, AssignResource(Assignment("W-2", NEW_YEAR))),
        tell(PROJECT, AssignResource(Assignment("W-1", NEW_YEAR))),
    ),
    Story(ReasonCode.PROJECT_BILLING_HOLD, tell(PROJECT, HoldBilling("why")), tell(PROJECT, ReleaseBillingHold())),
    Story(ReasonCode.CUSTOMER_BLOCKED, tell(CUSTOMER, BlockCustomer("why")), tell(CUSTOMER, UnblockCustomer())),
    Story(ReasonCode.BILL_TO_MISSING, tell(CUSTOMER, describe(city=None)), tell(CUSTOMER, describe(city="Bonn"))),
    Story(
        ReasonCode.TAX_UNDETERMINED,
        tell(CUSTOMER, describe(country="BR")),
        tell(stream_of("tax_rule", "DE"), SetTaxRule("DE", TaxRule(NEW_YEAR, "*", "G", Decimal(0), "export"))),
    ),
    Story(
        ReasonCode.PO_EXPIRED,
        tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-1", valid_to=date(2026, 2, 1)))),
        tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-1", valid_to=date(2026, 12, 1)))),
    ),
    Story(
        ReasonCode.PO_EXHAUSTED,
        tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-1", euros(10))), ClaimBilling("I-9", "L1", euros(10))),
        tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-1", euros(5000)))),
    ),
]


def test_approved_work_that_nothing_holds_back_is_eligible() -> None:
    world = World().firm().contract()
    assert codes(world, world.work("1")) == []


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.code.value)
def test_a_reason_appears_and_vanishes_with_its_cure(story: Story) -> None:
    world = World().firm().contract()
    sheet = world.work("1")
    story.cause(world)
    assert codes(world, sheet) == [story.code]
    if story.cure is not None:
        story.cure(world)
        assert codes(world, sheet) == []


def test_a_missing_purchase_order_holds_work_until_it_is_recorded() -> None:
    world = World().firm()
    opened = OpenEngagement("E-1", "T", "C-1", "DE01", "EUR", purchase_order_required=True)
    world.tell(ENGAGEMENT, opened)
    sheet = world.contract_lines().work("1")
    assert codes(world, sheet) == [ReasonCode.PO_MISSING]
    world.tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-1")))
    assert codes(world, sheet) == []


def test_what_was_billed_under_an_order_uses_up_that_one_and_not_a_further_one() -> None:
    world = World().firm().contract()
    sheet = world.work("1")
    first, second = PurchaseOrder("PO-1", euros(1000)), PurchaseOrder("PO-2", euros(500))
    world.tell(ENGAGEMENT, ClaimBilling("I-8", "L1", euros(400)), RecordPurchaseOrder(first))
    assert codes(world, sheet) == []
    world.tell(ENGAGEMENT, ClaimBilling("I-9", "L1", euros(600)))
    assert codes(world, sheet) == [ReasonCode.PO_EXHAUSTED]
    world.tell(ENGAGEMENT, RecordPurchaseOrder(second))
    assert codes(world, sheet) == []
    world.tell(ENGAGEMENT, ClaimBilling("I-10", "L1", euros(500)))
    assert codes(world, sheet) == [ReasonCode.PO_EXHAUSTED]
    world.tell(ENGAGEMENT, CreditBilling("CN-1", "I-10", "L1", euros(1)))
    assert codes(world, sheet) == []
    world.tell(ENGAGEMENT, RecordPurchaseOrder(first))
    assert codes(world, sheet) == [ReasonCode.PO_EXHAUSTED]


def test_an_unsigned_contract_and_an_unknown_line_hold_work() -> None:
    world = World().firm().contract()
    sheet = world.work("1")
    (held,) = world.read(sheet).lots.values()
    context = context_of(world.read, held.lot)
    unsigned = replace(context, engagement=replace(context.engagement, signed=None))
    lineless = replace(context, engagement=replace(context.engagement, lines={}))
    found = [eligibility.decide(LotFacts(sheet, held.lot), each) for each in (unsigned, lineless)]
    assert [[blocker.code for blocker in each] for each in found] == [
        [ReasonCode.CONTRACT_NOT_SIGNED],
        [ReasonCode.NO_CONTRACT_LINE],
    ]
    world.tell(ENGAGEMENT, AgreeLine(ContractLine("L2", "More", TimeAndMaterials())))
    assert codes(world, sheet) == []


def test_a_project_that_a_system_does_not_know_holds_its_work() -> None:
    world = World().firm().tell(ENGAGEMENT, OpenEngagement("E-1", "T", "C-1", "DE01", "EUR"))
    sheet = world.contract_lines(confirmed=("psa",)).work("1")
    assert codes(world, sheet) == [ReasonCode.PROJECT_NOT_SYNCED]
    world.tell(PROJECT, ConfirmSetUp("erp", "ERP-1"))
    assert codes(world, sheet) == []


def test_all_reasons_are_given_at_once_in_the_order_of_the_list() -> None:
    world = World().firm().contract()
    sheet = world.work("1")
    world.tell(CUSTOMER, BlockCustomer("why")).tell(PROJECT, HoldBilling("why")).tell(ENGAGEMENT, HoldEngagement("why"))
    assert codes(world, sheet) == [
        ReasonCode.CONTRACT_ON_HOLD,
        ReasonCode.PROJECT_BILLING_HOLD,
        ReasonCode.CUSTOMER_BLOCKED,
    ]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"status": "captured"}, ReasonCode.NOT_SUBMITTED),
        ({"status": "submitted"}, ReasonCode.NOT_APPROVED),
        ({"status": "submitted", "was_revoked": True}, ReasonCode.APPROVAL_REVOKED),
        ({"status": "rejected"}, ReasonCode.REJECTED),
        ({"status": "approved", "unrated_code": "NO_RATE"}, ReasonCode.NO_RATE),
        ({"status": "approved", "unrated_code": "AMBIGUOUS_RATE"}, ReasonCode.AMBIGUOUS_RATE),
        ({"status": "captured", "task": "T-X"}, ReasonCode.TASK_NOT_CHARGEABLE),
    ],
)
def test_work_that_is_no_lot_yet_says_what_it_waits_for(facts: dict[str, object], code: ReasonCode) -> None:
    world = World().firm().contract()
    world.tell(PROJECT, DefineTask(Task("T-X", "Internal", chargeable=False)))
    sheet = world.work("1")
    (held,) = world.read(sheet).lots.values()
    entry = EntryFacts(sheet, resource="W-1", work_date=MONDAY, **facts)  # type: ignore[arg-type]  # one entry's facts, by name
    assert code in [blocker.code for blocker in eligibility.decide(entry, context_of(world.read, held.lot))]


def test_every_cause_that_a_reason_names_is_a_published_event() -> None:
    world = World().firm().contract()
    sheet = world.work("1")
    for story in STORIES:
        story.cause(world)
    named = {name for blocker in blockers(world, sheet) for name in blocker.caused_by}
    assert named <= set(EVENTS)
    assert len(blockers(world, sheet)) >= 8
