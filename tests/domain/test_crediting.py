"""Crediting: to the lot and to the cent, never more than the line, at the invoice's own rates, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.billing import adjusting, crediting
from domain.billing.credit_wishes import CreditWish, NothingToCredit
from domain.billing.crediting import CreditOfCredit
from domain.billing.given_back import RetainerStays
from domain.caps import Consumed
from domain.contract import (
    BillToShare,
    ContractLine,
    FixedFeeMilestones,
    ManagedService,
    Milestone,
    PercentComplete,
    ResourceCap,
    Retainer,
    TimeAndMaterials,
)
from domain.credit_note import (
    CreditForm,
    CreditNoteDrafted,
    CreditOvertaken,
    CreditPreparerApproves,
    IssuedCredit,
    RebillTo,
)
from domain.engagement import AcceptMilestone, AgreeLine, OpenEngagement, SignEngagement
from domain.engagement.progress import MeasureProgress
from domain.engagement.retainer import GrantRetainer, MakeGrantUsable
from domain.engagement.schedule import FallDue, GiveServiceCredit
from domain.invoice import AllowanceCharge, CreditAboveLine, Issued, RecordPayment, invoice_stream
from domain.kernel import StreamId, stream_of
from domain.lots import Disposition, Lot, LotStatus, SplitLot
from domain.number_series import series_stream
from domain.ports import LotAt
from domain.processes.pricing import Pricing
from domain.reference.customer import DescribeCustomer
from domain.reference.legal_entity import DefineLegalEntity
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.reference.tax_rule import SetTaxRule, TaxRule
from domain.timesheet import Claim, EntryInvoiced, LogTime, WithdrawTime, Work, timesheet_stream
from tests.drafting import cap_left
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE, LogCandidates, NoCandidates, World, cause, euros

APRIL = date(2026, 4, 1)
MAY = date(2026, 5, 4)
E2 = stream_of("engagement", "E-2")


def credit(
    world: World,
    name: str,
    *wishes: CreditWish,
    invoice: str = "I-1",
    on: date = MAY,
    form: CreditForm = "381",
) -> World:
    """A credit note from its draft to its issue."""
    world.record(
        crediting.draft_credit_note(
            world.read, name, invoice, wishes, form=form, reason="Agreed with the customer.", by="paul"
        )
    )
    world.record(crediting.approve_credit_note(world.read, name, "ann", NINE + timedelta(days=60)))
    world.record(crediting.issue_credit_note(world.read, name, on))
    return world.react()


def billed(*hours: str) -> tuple[World, StreamId]:
    """An issued invoice over so many hours of one week, a lot for each day."""
    world, sheet = drafted(*hours)
    world.approve("I-1").issue("I-1")
    return world, sheet


def drafted(*hours: str) -> tuple[World, StreamId]:
    world, sheet = World().firm().contract(), timesheet_stream("W-1", MONDAY)
    for day, each in enumerate(hours):
        world.work(str(day), each, day=day)
    return world.draft("I-1", world.lots(sheet)), sheet


def invoice(world: World, name: str = "I-1") -> Issued:
    state = world.read(invoice_stream(name))
    assert isinstance(state, Issued)
    return state


def note(world: World, name: str = "CN-1") -> IssuedCredit:
    state = world.read(stream_of("credit_note", name))
    assert isinstance(state, IssuedCredit)
    return state


def lots(world: World, sheet: StreamId, status: LotStatus) -> list[Lot]:
    return [held.lot for held in world.read(sheet).lots.values() if held.status is status]


def hours(world: World, sheet: StreamId, status: LotStatus) -> Decimal:
    return sum((lot.quantity for lot in lots(world, sheet, status)), Decimal(0))


def test_a_credit_in_part_reopens_exactly_the_credited_hours_and_the_rest_stays_billed() -> None:
    world, sheet = billed("8")
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(2)))
    assert (hours(world, sheet, LotStatus.OPEN), hours(world, sheet, LotStatus.BILLED)) == (Decimal(2), Decimal(6))
    said = note(world).credit
    assert (said.net, said.tax, said.gross) == (euros("300.00"), euros("57.00"), euros("357.00"))
    assert invoice(world).due == euros("1428.00") - euros("357.00")


def test_credits_have_a_gapless_series_of_their_own() -> None:
    world, _ = billed("8")
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(2)))
    credit(world, "CN-2", CreditWish(1, quantity=Decimal(1)), form="380")
    assert [note(world, name).number for name in ("CN-1", "CN-2")] == ["DE01-CN-2026-000001", "DE01-CN-2026-000002"]
    assert world.read(series_stream("DE01", "DE01-2026")).last == 1


def test_only_the_named_lot_of_a_line_is_reopened() -> None:
    world, sheet = billed("4.5", "3.5")
    credit(world, "CN-1", CreditWish(1, lot="jira:0#1"))
    assert [lot.lot for lot in lots(world, sheet, LotStatus.OPEN)] == ["jira:0#1"]
    assert [lot.lot for lot in lots(world, sheet, LotStatus.BILLED)] == ["jira:1#1"]


def test_hours_that_were_told_in_seconds_are_credited_without_a_crumb() -> None:
    """Three times twenty minutes, 0.333333 h each: two of them are credited, and one stays billed."""
    world, sheet = billed("0.333333", "0.333333", "0.333333")
    credit(world, "CN-1", CreditWish(1, quantity=Decimal("0.666666")))
    assert [lot.quantity for lot in lots(world, sheet, LotStatus.BILLED)] == [Decimal("0.333333")]
    assert [lot.value for lot in lots(world, sheet, LotStatus.OPEN)] == [euros("50.00"), euros("50.00")]
    assert note(world).credit.net == euros("100.00")


def test_several_credits_of_a_line_come_to_the_line_and_its_tax_and_no_more() -> None:
    world, sheet = billed("1", "1", "1")
    doc = invoice(world).document
    for number in range(1, 10):
        credit(world, f"CN-{number}", CreditWish(1, quantity=Decimal("0.3333")))
    credit(world, "CN-10", CreditWish(1))
    notes = [note(world, f"CN-{number}").credit for number in range(1, 11)]
    assert sum(each.net.amount for each in notes) == doc.net.amount
    assert sum(each.tax.amount for each in notes) == doc.tax.amount
    assert invoice(world).due == euros(0)
    assert hours(world, sheet, LotStatus.OPEN) == 3


def test_no_more_is_credited_than_the_line() -> None:
    world, _ = billed("8")
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(6)))
    with pytest.raises(CreditAboveLine):
        credit(world, "CN-2", CreditWish(1, quantity=Decimal("2.5")))


def test_two_drafts_of_the_same_hours_cannot_both_be_issued() -> None:
    world, _ = billed("8")
    for name in ("CN-1", "CN-2"):
        wishes = [CreditWish(1, quantity=Decimal(5))]
        world.record(
            crediting.draft_credit_note(world.read, name, "I-1", wishes, form="381", reason="Wrong.", by="paul")
        )
        world.record(crediting.approve_credit_note(world.read, name, "ann", NINE))
    world.record(crediting.issue_credit_note(world.read, "CN-1", MAY))
    with pytest.raises(CreditAboveLine):
        crediting.issue_credit_note(world.read, "CN-2", MAY)


def test_what_another_credit_changed_since_the_approval_is_not_issued_unseen() -> None:
    world = World().firm().contract()
    sheet = world.work("1", "1")
    world.draft("I-1", world.lots(sheet))
    world.record(
        adjusting.state_allowances(
            world.read, "I-1", 1, (AllowanceCharge("allowance", euros("0.05"), "Rounded."),), "p"
        )
    )
    world.approve("I-1").issue("I-1")
    half = [CreditWish(1, quantity=Decimal("0.1"))]
    for name in ("CN-1", "CN-2"):
        world.record(crediting.draft_credit_note(world.read, name, "I-1", half, form="381", reason="Why.", by="paul"))
        world.record(crediting.approve_credit_note(world.read, name, "ann", NINE))
    world.record(crediting.issue_credit_note(world.read, "CN-1", MAY))
    with pytest.raises(CreditOvertaken):
        world.record(crediting.issue_credit_note(world.read, "CN-2", MAY))


def test_a_credit_of_a_credit_is_refused() -> None:
    world, _ = billed("8")
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(2)))
    with pytest.raises(CreditOfCredit):
        credit(world, "CN-2", CreditWish(1), invoice="CN-1")


@pytest.mark.parametrize("quantity", ["0", "-1"])
def test_nothing_is_credited_by_nothing(quantity: str) -> None:
    world, _ = billed("8")
    with pytest.raises(NothingToCredit):
        credit(world, "CN-1", CreditWish(1, quantity=Decimal(quantity)))


def test_nobody_approves_a_credit_that_they_prepared_above_the_limit() -> None:
    world, _ = billed("8")
    wishes = [CreditWish(1)]
    world.record(crediting.draft_credit_note(world.read, "CN-1", "I-1", wishes, form="381", reason="Why.", by="paul"))
    with pytest.raises(CreditPreparerApproves):
        world.record(crediting.approve_credit_note(world.read, "CN-1", "paul", NINE))


def test_a_repeated_issue_is_quiet() -> None:
    world, _ = billed("8")
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(2)))
    assert crediting.issue_credit_note(world.read, "CN-1", MAY) == []


def test_the_tax_rate_is_that_of_the_invoice_whatever_holds_today() -> None:
    world, _ = billed("8")
    world.tell(stream_of("tax_rule", "DE"), SetTaxRule("DE", TaxRule(APRIL, "DE", "S", Decimal(25))))
    credit(world, "CN-1", CreditWish(1))
    assert note(world).credit.tax == invoice(world).document.tax == euros("228.00")


def test_a_write_down_is_credited_in_proportion_to_its_hours() -> None:
    world = World().firm().contract()
    sheet = world.work("1", "8")
    world.draft("I-1", world.lots(sheet))
    world.record(adjusting.adjust_line(world.read, "I-1", 1, euros("-100.01"), "Goodwill", "paul"))
    world.approve("I-1").issue("I-1")
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(2)))
    assert [line.net for line in note(world).credit.lines] == [euros("300.00"), euros("-25.00")]
    credit(world, "CN-2", CreditWish(1))
    assert note(world, "CN-2").credit.net == euros("900.00") - euros("75.01")
    assert invoice(world).due == euros(0)


def test_allowances_of_line_and_document_are_taken_back_with_what_they_reduced() -> None:
    world = World().firm().contract()
    sheet = world.work("1", "8")
    world.draft("I-1", world.lots(sheet))
    for line, amount in ((1, "10.01"), (None, "33.33")):
        allowance = AllowanceCharge("allowance", euros(amount), "Volume.")
        world.record(adjusting.state_allowances(world.read, "I-1", line, (allowance,), "paul"))
    world.approve("I-1").issue("I-1")
    for number in range(1, 4):
        credit(world, f"CN-{number}", CreditWish(1, quantity=Decimal("2.1")))
    credit(world, "CN-4", CreditWish(1))
    notes = [note(world, f"CN-{number}").credit for number in range(1, 5)]
    assert sum(each.net.amount for each in notes) == Decimal("1156.66")
    assert sum(each.gross.amount for each in notes) == invoice(world).document.gross.amount


def test_a_paid_invoice_is_credited_and_the_balance_is_the_customers() -> None:
    world, _ = billed("8")
    world.tell(invoice_stream("I-1"), RecordPayment("PAY-1", APRIL, euros("1428.00")))
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(2)))
    assert invoice(world).due == euros("-357.00")


@pytest.mark.parametrize(
    ("disposition", "status"), [("write_off", LotStatus.WRITTEN_OFF), ("non_billable", LotStatus.NON_BILLABLE)]
)
def test_credited_work_may_be_given_up(disposition: Disposition, status: LotStatus) -> None:
    world, sheet = billed("8")
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(2), disposition=disposition))
    assert hours(world, sheet, status) == 2
    world.tell(rate_card_stream("firm", "FIRM"), SetRate(RateRow("senior", euros(175), NEW_YEAR, role="Senior")))
    assert hours(world, sheet, status) == 2


def test_reopened_hours_are_rated_anew_and_billed_again() -> None:
    world, sheet = billed("8")
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(2)))
    world.tell(rate_card_stream("firm", "FIRM"), SetRate(RateRow("senior", euros(100), NEW_YEAR, role="Senior")))
    rerated(world, [sheet])
    assert [(lot.quantity, lot.price) for lot in lots(world, sheet, LotStatus.OPEN)] == [(Decimal(2), Decimal(100))]
    assert hours(world, sheet, LotStatus.BILLED) == 6
    rerated(world, [sheet])
    open_lots = [LotAt(sheet, lot.lot) for lot in lots(world, sheet, LotStatus.OPEN)]
    world.draft("I-2", open_lots).approve("I-2").issue("I-2")
    assert invoice(world, "I-2").document.net == euros("200.00")
    assert world.read(ENGAGEMENT).claimed("L1") == euros(1100)


def rerated(world: World, sheets: Sequence[StreamId]) -> None:
    """The pricing process sees the approval of these weeks once more."""
    for fact in world.ledger.read(0, 10_000):
        if fact.stream in sheets and fact.name == "timesheet.approved.v1":
            world.record(Pricing().react(fact, world.read, NoCandidates()))


def other_engagement(world: World) -> None:
    world.tell(E2, OpenEngagement("E-2", "Other", "C-2", "DE01", "EUR"))
    world.tell(E2, SignEngagement(NEW_YEAR, NEW_YEAR), AgreeLine(ContractLine("L9", "Other", TimeAndMaterials())))
    world.tell(rate_card_stream("engagement", "E-2"), SetRate(RateRow("r", euros(120), NEW_YEAR, role="Senior")))


def test_credited_work_is_billed_to_another_engagement_at_its_rate_with_its_provenance() -> None:
    world, sheet = billed("8")
    other_engagement(world)
    to = RebillTo("E-2", "L9")
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(2), disposition="rebill_elsewhere", rebill_to=to))
    (moved,) = lots(world, sheet, LotStatus.OPEN)
    (gone,) = lots(world, sheet, LotStatus.TRANSFERRED)
    assert (moved.engagement, moved.line, moved.customer) == ("E-2", "L9", "C-2")
    assert (moved.value, moved.transferred_from, moved.source) == (euros(240), gone.lot, "jira:0")
    assert moved.cost == gone.cost
    world.tell(rate_card_stream("engagement", "E-2"), SetRate(RateRow("r", euros(130), NEW_YEAR, role="Senior")))
    rerated(world, [sheet])
    (again,) = lots(world, sheet, LotStatus.OPEN)
    assert (again.value, again.transferred_from) == (euros(260), gone.lot)


def test_credited_work_may_be_billed_to_another_customer_of_the_same_engagement() -> None:
    world, sheet = billed("8")
    to = RebillTo("E-1", "L1", customer="C-7")
    credit(world, "CN-1", CreditWish(1, disposition="rebill_elsewhere", rebill_to=to))
    (moved,) = lots(world, sheet, LotStatus.OPEN)
    assert (moved.customer, moved.engagement, moved.project) == ("C-7", "E-1", "P-1-L1")


def test_work_that_is_billed_to_another_customer_is_not_shared_among_the_payers_of_its_line() -> None:
    payers = (BillToShare("C-1", Decimal(60)), BillToShare("C-9", Decimal(40)))
    world = World().firm().contract(line=ContractLine("L1", "Work", TimeAndMaterials(), bill_to=payers))
    described = {"name": "Seven", "street": "Weg 7", "city": "Bonn", "postal_code": "53111", "country": "DE"}
    world.tell(stream_of("customer", "C-7"), DescribeCustomer("C-7", described, NINE))
    sheet = world.work("1", "8")
    to = RebillTo("E-1", "L1", customer="C-7")
    world.record(crediting.transfer_lots(world.read, world.lots(sheet), to, "They ordered it.", "paul"))
    (moved,) = lots(world, sheet, LotStatus.OPEN)
    world.draft("I-1", [LotAt(sheet, moved.lot)]).approve("I-1").issue("I-1")
    document = invoice(world).document
    assert (document.buyer.id, document.net) == ("C-7", euros(1200))


def test_hours_that_move_to_a_retainer_are_paid_by_it_at_the_rate_that_holds_there() -> None:
    world, sheet = billed("8")
    world.tell(E2, OpenEngagement("E-2", "Other", "C-2", "DE01", "EUR"))
    world.tell(E2, SignEngagement(NEW_YEAR, NEW_YEAR), AgreeLine(ContractLine("L9", "Advice", Retainer(euros(1000)))))
    world.tell(rate_card_stream("engagement", "E-2"), SetRate(RateRow("r", euros(120), NEW_YEAR, role="Senior")))
    world.tell(E2, GrantRetainer("L9", "R1", MONDAY, NINE), MakeGrantUsable("L9", "R1", MONDAY, "paid"))
    to = RebillTo("E-2", "L9")
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(2), disposition="rebill_elsewhere", rebill_to=to))
    assert [lot.value for lot in lots(world, sheet, LotStatus.DRAWN)] == [euros(240)]
    assert world.read(E2).account("L9").available() == euros(760)


def test_open_work_is_transferred_without_a_credit() -> None:
    world = World().firm().contract()
    sheet = world.work("1", "8")
    other_engagement(world)
    world.record(crediting.transfer_lots(world.read, world.lots(sheet), RebillTo("E-2", "L9"), "Wrong project", "paul"))
    assert [lot.engagement for lot in lots(world, sheet, LotStatus.OPEN)] == ["E-2"]
    world.tell(sheet, WithdrawTime("W-1", MONDAY, Claim("jira", "1", NINE + timedelta(days=3))))
    assert {held.status for held in world.read(sheet).lots.values()} == {LotStatus.REVERSED}


def test_progress_that_is_billed_elsewhere_counts_once_when_the_next_is_billed() -> None:
    world = (
        World().firm().contract(line=ContractLine("L1", "Build", PercentComplete(euros(9000), "cost", Decimal(100))))
    )
    other_engagement(world)
    world.tell(ENGAGEMENT, MeasureProgress("L1", MONDAY, Decimal(50), "cost", "report", "ann", NINE))
    world.record(crediting.transfer_lots(world.read, world.lots(ENGAGEMENT), RebillTo("E-2", "L9"), "Moved", "paul"))
    world.tell(ENGAGEMENT, MeasureProgress("L1", APRIL, Decimal(60), "cost", "report", "ann", NINE))
    assert [str(lot.value.amount) for lot in lots(world, ENGAGEMENT, LotStatus.OPEN)] == ["4500.00", "900.00"]


def test_moved_work_that_is_in_parts_keeps_all_its_hours_at_a_new_rate() -> None:
    world = World().firm().contract()
    sheet = world.work("1", "8")
    other_engagement(world)
    world.record(crediting.transfer_lots(world.read, world.lots(sheet), RebillTo("E-2", "L9"), "Wrong project", "paul"))
    (moved,) = lots(world, sheet, LotStatus.OPEN)
    world.tell(sheet, SplitLot(moved.lot, euros(360)))
    world.tell(rate_card_stream("engagement", "E-2"), SetRate(RateRow("r", euros(100), NEW_YEAR, role="Senior")))
    rerated(world, [sheet])
    assert hours(world, sheet, LotStatus.OPEN) == 8
    assert {lot.price for lot in lots(world, sheet, LotStatus.OPEN)} == {Decimal(100)}


def test_what_a_credit_gives_back_may_be_taken_of_the_cap_again() -> None:
    world = World().firm().contract(cap=euros(1200))
    sheet = world.work("1", "8")
    world.draft("I-1", world.lots(sheet)).approve("I-1").issue("I-1")
    assert cap_left(world.read(ENGAGEMENT), "L1") == euros(0)
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(2)))
    assert cap_left(world.read(ENGAGEMENT), "L1") == euros(300)


def test_what_was_written_down_and_is_credited_leaves_the_cap_of_the_person_as_it_was() -> None:
    line = ContractLine("L1", "Work", TimeAndMaterials(resource_caps=(ResourceCap("W-1", euros(1200)),)))
    world = World().firm().contract(line=line)
    world.draft("I-1", world.lots(world.work("1", "8")))
    world.record(adjusting.adjust_line(world.read, "I-1", 1, euros("-100.01"), "Goodwill.", "paul"))
    world.approve("I-1").issue("I-1")
    assert world.read(ENGAGEMENT).consumed("L1", "W-1").amount == euros("1099.99")
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(2)))
    assert world.read(ENGAGEMENT).consumed("L1", "W-1").amount == euros("824.99")
    credit(world, "CN-2", CreditWish(1))
    assert world.read(ENGAGEMENT).consumed("L1", "W-1") == Consumed(euros(0))


def test_hours_on_an_invoice_are_corrected_once_they_were_credited() -> None:
    world, sheet = billed("8")
    correction = LogTime(
        "W-1",
        Claim("jira", "0", NINE + timedelta(days=40)),
        Work("P-1-L1", None, MONDAY, Decimal(6), started="09:00:00"),
    )
    with pytest.raises(EntryInvoiced):
        world.tell(sheet, correction)
    credit(world, "CN-1", CreditWish(1))
    world.tell(sheet, correction)
    assert world.read(sheet).entries["jira:0"].work.hours == 6


def test_a_draft_says_what_it_will_come_to() -> None:
    world, _ = billed("8")
    wishes = [CreditWish(1, quantity=Decimal(2))]
    (addressed,) = crediting.draft_credit_note(world.read, "CN-1", "I-1", wishes, form="381", reason="Why.", by="paul")
    unit = world.ledger.unit()
    unit.decide(addressed, cause())
    (event,) = (each.event for each in unit.new)
    assert isinstance(event, CreditNoteDrafted)
    assert event.credit.gross == euros("357.00")


def retained() -> tuple[World, StreamId]:
    """A retainer of 1,200 that is invoiced and of which eight hours took everything."""
    world = World().firm().contract(line=ContractLine("L1", "Advice", Retainer(euros(1200))))
    world.tell(ENGAGEMENT, GrantRetainer("L1", "R1", MONDAY, NINE))
    world.draft("I-1", world.lots(ENGAGEMENT)).approve("I-1").issue("I-1")
    sheet = world.work("1", "4")
    world.work("2", "4", day=1)
    assert world.read(ENGAGEMENT).account("L1").available() == euros(0)
    return world, sheet


def test_a_retainer_is_not_billed_by_a_line_that_does_not_grant_it() -> None:
    world = World().firm().contract(line=ContractLine("L1", "Advice", Retainer(euros(1200))))
    world.tell(
        ENGAGEMENT, GrantRetainer("L1", "R-1", MONDAY, NINE), AgreeLine(ContractLine("L2", "Work", TimeAndMaterials()))
    )
    with pytest.raises(RetainerStays, match="line L1"):
        world.record(
            crediting.transfer_lots(world.read, world.lots(ENGAGEMENT), RebillTo("E-1", "L2"), "There.", "paul")
        )


def test_a_credited_retainer_gives_back_the_newest_work_that_it_paid_for_and_is_refunded() -> None:
    world, sheet = retained()
    credit(world, "CN-1", CreditWish(1, amount=euros(500), disposition="write_off"))
    assert [lot.lot for lot in lots(world, sheet, LotStatus.OPEN)] == ["jira:2#1"]
    assert [lot.lot for lot in lots(world, sheet, LotStatus.DRAWN)] == ["jira:1#1"]
    grant = world.read(ENGAGEMENT).account("L1").grants["R1"]
    assert (grant.applied, grant.refunded, grant.available) == (euros(600), euros("500.00"), euros("100.00"))


def test_a_retainer_that_is_billed_again_pays_for_nothing_until_then_and_for_the_same_work_after_it() -> None:
    world, sheet = retained()
    world.candidates = LogCandidates(world)
    credit(world, "CN-1", CreditWish(1))
    world.work("3", "2", day=2)
    assert [lot.lot for lot in lots(world, sheet, LotStatus.OPEN)] == ["jira:1#1", "jira:2#1", "jira:3#1"]
    again = [LotAt(ENGAGEMENT, lot.lot) for lot in lots(world, ENGAGEMENT, LotStatus.OPEN)]
    world.draft("I-2", again).approve("I-2").issue("I-2")
    assert [lot.lot for lot in lots(world, sheet, LotStatus.DRAWN)] == ["jira:1#1", "jira:2#1"]
    assert [lot.lot for lot in lots(world, sheet, LotStatus.OPEN)] == ["jira:3#1"]
    grant = world.read(ENGAGEMENT).account("L1").grants["R1"]
    assert (grant.amount, grant.applied, grant.refunded) == (euros(1200), euros(1200), euros(0))


def test_a_retainer_that_is_credited_in_part_to_be_billed_again_pays_with_the_rest() -> None:
    world, sheet = retained()
    world.candidates = LogCandidates(world)
    credit(world, "CN-1", CreditWish(1, amount=euros(500)))
    assert hours(world, sheet, LotStatus.DRAWN) == 4
    world.work("3", "0.5", day=2)
    assert hours(world, sheet, LotStatus.DRAWN) == Decimal("4.5")
    again = [LotAt(ENGAGEMENT, lot.lot) for lot in lots(world, ENGAGEMENT, LotStatus.OPEN)]
    world.draft("I-2", again).approve("I-2").issue("I-2")
    assert world.read(ENGAGEMENT).account("L1").available() == euros(0)


@pytest.mark.parametrize("back", ["discarded", "credited"])
def test_what_comes_back_from_a_draft_or_an_invoice_has_the_price_of_today(back: str) -> None:
    world, sheet = billed("8", "4") if back == "credited" else drafted("8", "4")
    world.tell(rate_card_stream("firm", "FIRM"), SetRate(RateRow("senior", euros(110), NEW_YEAR, role="Senior")))
    if back == "credited":
        credit(world, "CN-1", CreditWish(1, quantity=Decimal(3)))
    else:
        world.record(adjusting.discard_draft(world.read, "I-1", "paul", "The rate is wrong."))
        world.react()
    assert {lot.price for lot in lots(world, sheet, LotStatus.OPEN)} == {Decimal(110)}
    assert {lot.price for lot in lots(world, sheet, LotStatus.BILLED)} <= {Decimal(150)}


def test_a_milestone_is_credited_in_part_by_its_amount() -> None:
    milestones = (Milestone("M1", "Design", euros(10000)),)
    world = World().firm().contract(line=ContractLine("L1", "Build", FixedFeeMilestones(milestones=milestones)))
    world.tell(ENGAGEMENT, AcceptMilestone("L1", "M1", MONDAY, "pm", "Signed.", NINE))
    world.draft("I-1", world.lots(ENGAGEMENT)).approve("I-1").issue("I-1")
    credit(world, "CN-1", CreditWish(1, amount=euros("3333.33")))
    credit(world, "CN-2", CreditWish(1, disposition="write_off"))
    open_lots, given_up = (lots(world, ENGAGEMENT, status) for status in (LotStatus.OPEN, LotStatus.WRITTEN_OFF))
    assert [lot.value for lot in open_lots] == [euros("3333.33")]
    assert [lot.value for lot in given_up] == [euros("6666.67")]
    assert invoice(world).due == euros(0)
    with pytest.raises(CreditAboveLine):
        credit(world, "CN-3", CreditWish(1, amount=euros("0.01")))


def test_a_write_off_counts_by_the_policy_of_the_entity() -> None:
    world, sheet = billed("8")
    entity = stream_of("legal_entity", "DE01")
    terms = replace(world.read(entity).versions[-1], write_offs_count_on="work_date", effective_from=APRIL)
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(1), disposition="write_off"), on=MAY)
    world.tell(entity, DefineLegalEntity("DE01", terms))
    credit(world, "CN-2", CreditWish(1, quantity=Decimal(1), disposition="write_off"), on=MAY)
    facts = [fact.event for fact in world.ledger.read(0, 10_000) if fact.name == "lot.credited.v1"]
    assert [event.lots[0].effective_on for event in facts] == [MAY, MONDAY]
    assert hours(world, sheet, LotStatus.WRITTEN_OFF) == 2


def test_what_the_customer_kept_back_of_credited_work_is_never_asked_for() -> None:
    line = ContractLine("L1", "Work", TimeAndMaterials(), holdback_percent=Decimal(10))
    world = World().firm().contract(line=line)
    sheet = world.work("1", "8")
    world.draft("I-1", world.lots(sheet)).approve("I-1").issue("I-1")
    assert (invoice(world).due, invoice(world).held_back) == (euros("1308.00"), euros("120.00"))
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(2)))
    assert (invoice(world).due, invoice(world).held_back) == (euros("981.00"), euros("90.00"))
    credit(world, "CN-2", CreditWish(1))
    assert (invoice(world).due, invoice(world).held_back) == (euros(0), euros(0))


def test_the_tax_of_a_line_is_its_own_also_where_another_line_nearly_cancels_it() -> None:
    """Three cents of net bear a cent of tax on the invoice; the line of 100.00 bears 19.00 and gives 19.00 back."""
    milestones = FixedFeeMilestones(milestones=(Milestone("M1", "Design", euros("100.00")),))
    world = World().firm().contract(line=ContractLine("L1", "Design", milestones))
    world.tell(ENGAGEMENT, AgreeLine(ContractLine("L2", "Service", ManagedService(euros("99.97"), NEW_YEAR))))
    world.tell(ENGAGEMENT, FallDue(NEW_YEAR, NINE)).draft("I-0", world.lots(ENGAGEMENT)).approve("I-0").issue("I-0")
    missed = GiveServiceCredit("L2", "C1", MONDAY, euros("99.97"), "Not available.", "ann", NINE)
    world.tell(ENGAGEMENT, missed, AcceptMilestone("L1", "M1", MONDAY, "mail", "ann", NINE))
    open_now = [LotAt(ENGAGEMENT, lot.lot) for lot in lots(world, ENGAGEMENT, LotStatus.OPEN)]
    world.draft("I-1", open_now).approve("I-1").issue("I-1")
    document = invoice(world).document
    assert (document.net, document.tax) == (euros("0.03"), euros("0.01"))
    (design,) = (line.line for line in document.lines if line.contract_line == "L1")
    credit(world, "CN-1", CreditWish(design))
    said = note(world).credit
    assert (said.net, said.tax) == (euros("100.00"), euros("19.00"))
