"""Which lots go on which draft: grouping, late lots, minimum, postponed work, several payers."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given as every
from hypothesis import strategies as st

from domain.billing import drafting
from domain.billing.adjusting import adjust_line, discard_draft, state_allowances
from domain.billing.draft_plan import BelowMinimumInvoice, DraftPlan, Drafts, LotsDoNotBelong, LotsNotEligible
from domain.billing.issuing import preview
from domain.billing.sharing import shares_of_each
from domain.contract import ResourceCap
from domain.engagement import (
    AgreeLine,
    CapExceeded,
    ChangeCap,
    ContractLine,
    OpenEngagement,
    PurchaseOrder,
    RecordPurchaseOrder,
    SignEngagement,
    TimeAndMaterials,
)
from domain.engagement.caps import ChangeLimits
from domain.expense import ApproveExpenses, Expense, RecordExpense, expense_stream
from domain.invoice import (
    AllowanceCharge,
    AllowanceNegative,
    Draft,
    Grouping,
    InvoiceExists,
    Issued,
    NotADraft,
    NoWorkOnLine,
    PreparerApproves,
    ReasonMissing,
    UnknownInvoiceLine,
    UnknownTaxCategory,
    WrittenBelowZero,
    invoice_stream,
)
from domain.kernel import StreamId, stream_of
from domain.lots import LotNotOpen, LotStatus, PostponeLots
from domain.money import Money, shared, total
from domain.ports import LotAt
from domain.project import ConfirmSetUp
from domain.reference.legal_entity import DefineLegalEntity
from domain.timesheet import ApproveTime, Claim, LogTime, Work, timesheet_stream
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE, World, euros

CUT_OFF = date(2026, 3, 31)
SECOND = stream_of("engagement", "E-2")


@pytest.fixture
def world() -> World:
    return World().firm().contract()


def draft_of(world: World, name: str = "I-1") -> Draft:
    state = world.read(invoice_stream(name))
    assert isinstance(state, Draft)
    return state


def second_engagement(world: World, customer: str = "C-1") -> StreamId:
    """Another engagement of the same customer, with work of one day."""
    world.tell(SECOND, OpenEngagement("E-2", "Support", customer, "DE01", "EUR"))
    world.tell(SECOND, SignEngagement(NEW_YEAR, NEW_YEAR), AgreeLine(ContractLine("L1", "Help", TimeAndMaterials())))
    created = [fact.event for fact in world.ledger.read(0, 10_000) if fact.name == "project.created.v1"]
    project = next(event.project for event in created if event.engagement == "E-2")
    world.tell(stream_of("project", project), ConfirmSetUp("psa", "p"), ConfirmSetUp("erp", "e"))
    sheet, work = timesheet_stream("W-2", MONDAY), Work(project, None, MONDAY, Decimal(4), started="09:00:00")
    world.tell(sheet, LogTime("W-2", Claim("jira", "second", NINE), work), ApproveTime(("jira:second",), "W-9", NINE))
    return sheet


def plan(grouping: Grouping = "engagement", *, strict: bool = False, layout: str = "summary") -> DraftPlan:
    return DraftPlan(CUT_OFF, "paul", CUT_OFF, grouping, layout, strict)  # type: ignore[arg-type]  # as users send it


def drafted(world: World, lots: list[LotAt], asked: DraftPlan, open_drafts: tuple[str, ...] = ()) -> Drafts:
    counter = iter(range(1, 100))
    found = drafting.draft_invoices(world.read, lots, asked, lambda _: f"I-{next(counter)}", open_drafts)
    world.record(found.commands)
    world.react()
    return found


# -- grouping --------------------------------------------------------------------------------------------------------


def test_each_engagement_has_an_invoice_of_its_own_unless_asked_otherwise(world: World) -> None:
    lots = world.lots(world.work("1"), second_engagement(world))
    assert drafted(world, lots, plan()).invoices == ("I-1", "I-2")
    assert [draft_of(world, name).header.engagement for name in ("I-1", "I-2")] == ["E-1", "E-2"]


def test_an_invoice_of_a_customer_bills_all_its_engagements_and_claims_their_caps(world: World) -> None:
    world.tell(ENGAGEMENT, ChangeCap("L1", euros(5000)))
    lots = world.lots(world.work("1"), second_engagement(world))
    assert drafted(world, lots, plan("customer")).invoices == ("I-1",)
    header = draft_of(world).header
    assert (header.all_engagements, header.key) == (("E-1", "E-2"), "C-1")
    assert [line.engagement for line in draft_of(world).lines] == ["E-1", "E-2"]
    assert world.read(ENGAGEMENT).claimed("L1") == euros(1200)
    assert world.read(SECOND).claimed("L1") == euros(600)
    world.record(discard_draft(world.read, "I-1", "paul", "Wrong month."))
    assert not world.read(ENGAGEMENT).claimed("L1")
    assert not world.read(SECOND).claimed("L1")


def test_an_invoice_of_several_engagements_is_issued_and_bills_every_lot(world: World) -> None:
    sheets = (world.work("1"), second_engagement(world))
    drafted(world, world.lots(*sheets), plan("customer"))
    world.approve("I-1").issue("I-1")
    assert world.read(invoice_stream("I-1")).document.net == euros(1800)
    assert {held.status for sheet in sheets for held in world.read(sheet).lots.values()} == {LotStatus.BILLED}


def test_a_project_has_an_invoice_of_its_own_where_that_is_asked(world: World) -> None:
    lots = world.lots(world.work("1"), second_engagement(world))
    drafted(world, lots, plan("project"))
    assert draft_of(world, "I-1").header.key == "P-1-L1"
    assert draft_of(world, "I-2").header.key != "P-1-L1"


def test_engagements_under_the_same_order_share_an_invoice(world: World) -> None:
    sheet = second_engagement(world)
    for stream in (ENGAGEMENT, SECOND):
        world.tell(stream, RecordPurchaseOrder(PurchaseOrder("PO-7")))
    drafted(world, world.lots(world.work("1"), sheet), plan("purchase_order"))
    assert (draft_of(world).header.purchase_order, len(draft_of(world).lines)) == ("PO-7", 2)


def test_a_detailed_invoice_has_a_line_for_each_lot(world: World) -> None:
    world.work("1")
    lots = world.lots(world.work("2", day=1))
    drafted(world, lots, plan(layout="detail"))
    assert [(line.quantity, line.description) for line in draft_of(world).lines] == [
        (Decimal(8), "2026-03-02 Data platform: Work: Senior"),
        (Decimal(8), "2026-03-03 Data platform: Work: Senior"),
    ]


def test_the_annex_itemises_a_summary_line(world: World) -> None:
    world.work("1")
    drafted(world, world.lots(world.work("2", day=1)), plan())
    (line,) = draft_of(world).lines
    assert [(part.work_date, part.resource, part.quantity) for part in line.lots] == [
        (MONDAY, "W-1", Decimal(8)),
        (MONDAY + timedelta(days=1), "W-1", Decimal(8)),
    ]


# -- late lots -------------------------------------------------------------------------------------------------------


def test_late_lots_join_the_draft_of_their_group_at_the_next_billing_run(world: World) -> None:
    world.tell(ENGAGEMENT, ChangeCap("L1", euros(2000)))
    drafted(world, world.lots(world.work("1")), plan())
    late = [LotAt(world.work("2", day=1), "jira:2#1")]
    assert drafted(world, late, plan(), ("I-1",)).invoices == ("I-1",)
    assert [(line.line, line.net) for line in draft_of(world).lines] == [(1, euros(1200)), (2, euros("800.00"))]
    assert world.read(ENGAGEMENT).claimed("L1") == euros("2000.00")


def test_a_draft_is_refreshed_by_hand_with_what_belongs_to_it(world: World) -> None:
    drafted(world, world.lots(world.work("1")), plan())
    late, other = world.work("2", day=1), second_engagement(world)
    lots = [LotAt(late, "jira:2#1"), *world.lots(other)]
    found = drafting.refresh_draft(world.read, "I-1", lots, by="paul", on=CUT_OFF, strict=False)
    world.record(found.commands)
    assert [line.engagement for line in draft_of(world).lines] == ["E-1", "E-1"]
    with pytest.raises(LotsDoNotBelong):
        drafting.refresh_draft(world.read, "I-1", world.lots(other), by="paul", on=CUT_OFF, strict=True)


def test_an_approved_invoice_takes_up_no_more_lots(world: World) -> None:
    drafted(world, world.lots(world.work("1")), plan())
    world.approve("I-1")
    late = [LotAt(world.work("2", day=1), "jira:2#1")]
    with pytest.raises(NotADraft):
        drafting.refresh_draft(world.read, "I-1", late, by="paul", on=CUT_OFF, strict=False)
    with pytest.raises(InvoiceExists):  # a new draft was made, which the test gives the name of the approved one
        drafted(world, late, plan(), ("I-1",))


def test_who_adds_lots_has_prepared_the_invoice_too(world: World) -> None:
    drafted(world, world.lots(world.work("1")), plan())
    late = [LotAt(world.work("2", day=1), "jira:2#1")]
    world.record(drafting.refresh_draft(world.read, "I-1", late, by="ann", on=CUT_OFF, strict=True).commands)
    with pytest.raises(PreparerApproves, match="ann"):
        world.approve("I-1", by="ann")


# -- caps that other work takes from, too ----------------------------------------------------------------------------


def test_later_work_that_is_named_alone_gets_what_earlier_work_leaves_of_the_cap(world: World) -> None:
    world.tell(ENGAGEMENT, ChangeCap("L1", euros(1500)))
    sheet = world.work("1")
    lots = world.lots(world.work("2", day=1))
    named = drafting.draft_invoices(world.read, lots[1:], plan(strict=True), lambda _: "I-1", beside=lots)
    world.record(named.commands)
    assert draft_of(world).net == euros("300.00")
    assert world.read(sheet).lots["jira:2#1/2"].lot.value == euros("900.00")


def test_what_may_not_be_billed_leaves_its_part_of_the_cap_to_others(world: World) -> None:
    world.tell(ENGAGEMENT, ChangeCap("L1", euros(1500)))
    sheet = world.work("1")
    lots = world.lots(world.work("2", day=1))
    world.tell(sheet, PostponeLots(("jira:1#1",), CUT_OFF + timedelta(days=1), "The customer asked.", "paul"))
    named = drafting.draft_invoices(world.read, lots[1:], plan(strict=True), lambda _: "I-1", beside=lots)
    world.record(named.commands)
    assert draft_of(world).net == euros("1200.00")


# -- minimum, postponed work, receipts -------------------------------------------------------------------------------


def test_less_than_the_smallest_invoice_is_not_billed_yet(world: World) -> None:
    terms = world.read(stream_of("legal_entity", "DE01")).versions[0]
    more = replace(terms, minimum_invoice=euros(1500))
    world.tell(stream_of("legal_entity", "DE01"), DefineLegalEntity("DE01", more))
    first = world.work("1")
    (below,) = drafted(world, world.lots(first), plan()).left_out
    assert isinstance(below, BelowMinimumInvoice)
    world.work("2", day=1)
    assert drafted(world, world.lots(first), plan()).invoices == ("I-1",)


def test_lots_that_somebody_postponed_are_left_out_until_their_day(world: World) -> None:
    sheet = world.work("1")
    world.tell(sheet, PostponeLots(("jira:1#1",), CUT_OFF + timedelta(days=1), "The customer asked.", "paul"))
    assert not drafted(world, world.lots(sheet), plan()).commands
    with pytest.raises(LotsNotEligible, match="POSTPONED_BY_USER"):
        drafted(world, world.lots(sheet), plan(strict=True))
    later = DraftPlan(CUT_OFF, "paul", CUT_OFF + timedelta(days=1))
    assert drafted(world, world.lots(sheet), later).invoices == ("I-1",)
    with pytest.raises(LotNotOpen):
        world.tell(sheet, PostponeLots(("jira:1#1",), None, "Now, please.", "paul"))


def test_an_expense_without_its_receipt_is_not_billed(world: World) -> None:
    report = expense_stream("ER-1")
    expense = Expense("1", "P-1-L1", "travel", MONDAY, euros("119.00"), euros("19.00"), billable=True)
    world.tell(report, RecordExpense("ER-1", "W-1", expense, NINE), ApproveExpenses(("1",), "W-9", NINE))
    with pytest.raises(LotsNotEligible, match="RECEIPT_MISSING"):
        drafted(world, world.lots(report), plan(strict=True))


# -- write-up, write-down, allowances and charges --------------------------------------------------------------------


def test_a_write_down_is_a_line_of_its_own_with_its_reason_and_each_lots_part(world: World) -> None:
    world.tell(ENGAGEMENT, ChangeCap("L1", euros(2400)))
    world.work("1")
    drafted(world, world.lots(world.work("2", "4", day=1)), plan())
    world.record(adjust_line(world.read, "I-1", 1, euros("-100.00"), "Goodwill.", "paul"))
    down = draft_of(world).line(2)
    assert (down.net, down.lots, down.adjustment.reason) == (euros("-100.00"), (), "Goodwill.")  # type: ignore[union-attr]
    assert [part.value for part in down.adjustment.lots] == [euros("-66.67"), euros("-33.33")]  # type: ignore[union-attr]
    assert (draft_of(world).net, world.read(ENGAGEMENT).claimed("L1")) == (euros("1700.00"), euros("1700.00"))


def test_a_write_down_is_of_whole_cents(world: World) -> None:
    drafted(world, world.lots(world.work("1")), plan())
    world.record(adjust_line(world.read, "I-1", 1, euros("-100.005"), "Goodwill.", "paul"))
    assert draft_of(world).net == euros("1099.99")


def test_a_correction_is_not_corrected_itself(world: World) -> None:
    drafted(world, world.lots(world.work("1")), plan())
    world.record(adjust_line(world.read, "I-1", 1, euros("-100.00"), "Goodwill.", "paul"))
    with pytest.raises(NoWorkOnLine, match="Write-down of line 1"):
        world.record(adjust_line(world.read, "I-1", 2, euros("50.00"), "Too much.", "paul"))


def test_a_write_up_stays_within_the_cap(world: World) -> None:
    world.tell(ENGAGEMENT, ChangeCap("L1", euros(1300)))
    drafted(world, world.lots(world.work("1")), plan())
    with pytest.raises(CapExceeded):
        world.record(adjust_line(world.read, "I-1", 1, euros("100.01"), "A night shift.", "paul"))
    world.record(adjust_line(world.read, "I-1", 1, euros("100.00"), "A night shift.", "paul"))
    assert draft_of(world).net == euros("1300.00")


def test_a_write_up_of_somebodys_work_stays_within_the_cap_of_that_person(world: World) -> None:
    world.tell(ENGAGEMENT, ChangeLimits("L1", None, (ResourceCap("W-1", euros(1300)),), "partial"))
    drafted(world, world.lots(world.work("1")), plan())
    with pytest.raises(CapExceeded, match="W-1 on line L1"):
        world.record(adjust_line(world.read, "I-1", 1, euros("100.01"), "A night shift.", "paul"))
    world.record(adjust_line(world.read, "I-1", 1, euros("-200.00"), "Goodwill.", "paul"))
    world.record(adjust_line(world.read, "I-1", 1, euros("300.00"), "A night shift.", "paul"))
    assert world.read(ENGAGEMENT).consumed("L1", "W-1").amount == euros("1300.00")


@pytest.mark.parametrize(
    ("amount", "reason", "line", "refusal"),
    [
        ("-1200.01", "Too much.", 1, WrittenBelowZero),
        ("-1.00", " ", 1, ReasonMissing),
        ("-1.00", "Which?", 9, UnknownInvoiceLine),
    ],
)
def test_a_correction_needs_a_line_a_reason_and_something_to_correct(
    world: World, amount: str, reason: str, line: int, refusal: type[Exception]
) -> None:
    drafted(world, world.lots(world.work("1")), plan())
    with pytest.raises(refusal):
        world.record(adjust_line(world.read, "I-1", line, euros(amount), reason, "paul"))


def test_allowances_and_charges_change_the_line_and_then_the_document(world: World) -> None:
    drafted(world, world.lots(world.work("1")), plan())
    freight = AllowanceCharge("charge", euros("1.00"), "Freight")
    discount = AllowanceCharge("allowance", euros("101.00"), "Discount", "95")
    world.record(state_allowances(world.read, "I-1", 1, (freight, discount), "paul"))
    assert draft_of(world).line(1).net == euros("1100.00")
    world.record(state_allowances(world.read, "I-1", None, (discount,), "paul"))
    shown = preview(world.read, draft_of(world), CUT_OFF)
    assert (shown.net, shown.tax, shown.gross) == (euros("999.00"), euros("189.81"), euros("1188.81"))
    world.record(state_allowances(world.read, "I-1", 1, (), "paul"))
    assert draft_of(world).line(1).net == euros("1200.00")
    assert world.read(ENGAGEMENT).claimed("L1") == euros("1200.00")


def test_allowances_say_why_and_are_not_negative(world: World) -> None:
    drafted(world, world.lots(world.work("1")), plan())
    for allowance, refusal in (
        (AllowanceCharge("charge", euros("1.00"), ""), ReasonMissing),
        (AllowanceCharge("charge", euros("-1.00"), "Why?"), AllowanceNegative),
        (AllowanceCharge("charge", euros("1.00"), "Why?", tax_category="reduced"), UnknownTaxCategory),
    ):
        with pytest.raises(refusal):
            world.record(state_allowances(world.read, "I-1", None, (allowance,), "paul"))


# -- approval --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "hours", "allowed"), [("ann", "8", True), ("paul", "8", False), ("paul", "5.6", True)])
def test_nobody_approves_what_they_prepared_above_the_limit(
    world: World, by: str, hours: str, *, allowed: bool
) -> None:
    """The limit is 1,000 gross: 5.6 h are 840 net and 999.60 gross."""
    drafted(world, world.lots(world.work("1", hours)), plan())
    if allowed:
        world.approve("I-1", by=by)
        assert world.read(invoice_stream("I-1")).by == by
    else:
        with pytest.raises(PreparerApproves):
            world.approve("I-1", by=by)


def test_the_limit_is_for_the_amount_with_tax(world: World) -> None:
    drafted(world, world.lots(world.work("1", "6")), plan())
    assert draft_of(world).net == euros("900.00")
    with pytest.raises(PreparerApproves, match="1,071"):
        world.approve("I-1", by="paul")


def test_who_wrote_an_invoice_down_has_prepared_it_too(world: World) -> None:
    drafted(world, world.lots(world.work("1")), plan())
    world.record(adjust_line(world.read, "I-1", 1, euros("-1.00"), "Goodwill.", "ann"))
    with pytest.raises(PreparerApproves):
        world.approve("I-1", by="ann")
    world.approve("I-1", by="eve").issue("I-1")
    assert isinstance(world.read(invoice_stream("I-1")), Issued)


# -- several payers --------------------------------------------------------------------------------------------------

CENTS = st.integers(-(10**7), 10**9)
PERCENTS = st.lists(st.sampled_from(["10", "12.5", "33.33", "33.34", "50", "99"]).map(Decimal), min_size=1, max_size=4)


@every(cents=st.lists(CENTS, max_size=30), percents=PERCENTS)
def test_shares_add_up_by_lot_and_by_payer(cents: list[int], percents: list[Decimal]) -> None:
    values = [Money(Decimal(each).scaleb(-2), "EUR") for each in cents]
    parts = shares_of_each(values, percents, "EUR")
    assert [total(row, "EUR") for row in parts] == values
    by_payer = tuple(total((row[payer] for row in parts), "EUR") for payer in range(len(percents)))
    assert by_payer == shared(total(values, "EUR"), percents)


def test_thirds_of_ten_lots_come_to_thirds_of_their_sum() -> None:
    parts = shares_of_each([euros("10.00")] * 10, [Decimal(1)] * 3, "EUR")
    assert [total((row[payer] for row in parts), "EUR") for payer in range(3)] == [
        euros("33.34"),
        euros("33.33"),
        euros("33.33"),
    ]
