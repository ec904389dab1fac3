"""No draft passes the amount of a purchase order: what would is shown as waiting, and waits for a further one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as every
from hypothesis import strategies as st

from domain.billing import adjusting, drafting
from domain.billing.draft_plan import DraftPlan, Drafts, LotsNotEligible, LotsUnderOtherOrder
from domain.billing_limit import AgreeBillingLimit, billing_limit_stream
from domain.caps import Limit
from domain.contract import BillToShare, ContractLine, TimeAndMaterials
from domain.engagement import ChangeCap, PurchaseOrder, RecordPurchaseOrder
from domain.engagement.agreement import OrderExhausted
from domain.engagement.caps import ClaimBilling
from domain.invoice import Draft, invoice_stream
from domain.kernel import stream_of
from domain.lots import LotStatus
from domain.ports import LotAt
from domain.reference.customer import DescribeCustomer
from domain.reference.legal_entity import DefineLegalEntity
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.timesheet import timesheet_stream
from projections.eligibility.items import ITEMS
from tests.projections.books import folded
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE, World, euros

SHEET = timesheet_stream("W-1", MONDAY)
CUT_OFF = date(2026, 3, 31)


def ordered(amount: int | str, *hours: str, line: ContractLine | None = None) -> World:
    """Work at 150 an hour, an entry a day, under an order of an amount."""
    world = World().firm().contract(line=line)
    world.tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-1", euros(amount))))
    for day, each in enumerate(hours):
        world.work(str(day), each, day=day)
    return world


def open_lots(world: World) -> list[LotAt]:
    return [at for at in world.lots(SHEET) if world.read(SHEET).lots[at.lot].status is LotStatus.OPEN]


def bill(world: World, name: str, *lots: str, beside: bool = True, open_drafts: tuple[str, ...] = ()) -> Drafts:
    """A draft of some lots that are named, or of all that may be billed."""
    at = open_lots(world)
    asked = [each for each in at if each.lot in lots] if lots else at
    plan = DraftPlan(CUT_OFF, "paul", CUT_OFF, strict=bool(lots))
    found = drafting.draft_invoices(world.read, asked, plan, lambda _: name, open_drafts, beside=at if beside else ())
    world.record(found.commands)
    world.react()
    return found


def billed(world: World, name: str = "I-1") -> list[str]:
    state = world.read(invoice_stream(name))
    assert isinstance(state, Draft)
    return [part.lot for line in state.lines for part in line.lots]


def waiting(world: World) -> dict[str, tuple[str, ...]]:
    """The open lots that the read model does not show as eligible, with their reasons."""
    rows = map(ITEMS.row, folded(world.ledger).all(ITEMS).values())
    return {row.item: row.codes for row in rows if row.is_lot and row.is_open and row.state != "eligible"}


def test_the_lot_that_would_pass_the_order_waits_and_later_work_that_fits_goes_on() -> None:
    world = ordered(2000, "8", "8", "4")
    assert waiting(world) == {"jira:1#1": ("PO_EXHAUSTED",)}
    bill(world, "I-1")
    assert billed(world) == ["jira:0#1", "jira:2#1"]
    assert world.read(ENGAGEMENT).order_room.amount == euros(200)
    world.tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-1", euros(3000))))
    assert waiting(world) == {}


def test_the_reason_says_what_is_left_of_which_order() -> None:
    world = ordered(2000, "8", "8")
    world.tell(ENGAGEMENT, ClaimBilling("I-0", "L1", euros(100)))
    (row,) = (each for each in map(ITEMS.row, folded(world.ledger).all(ITEMS).values()) if each.item == "jira:1#1")
    assert "Of purchase order PO-1 of 2,000 EUR are 1,900 EUR left" in row.reasons


def test_work_that_is_asked_for_by_name_gets_of_the_order_what_earlier_work_leaves() -> None:
    world = ordered(1500, "8", "8")
    with pytest.raises(LotsNotEligible, match="jira:1#1: PO_EXHAUSTED"):
        bill(world, "I-1", "jira:1#1")
    bill(world, "I-1", "jira:0#1")
    with pytest.raises(LotsNotEligible, match="jira:1#1: PO_EXHAUSTED"):
        bill(world, "I-2", "jira:1#1")


def test_two_drafts_that_know_nothing_of_each_other_do_not_pass_the_order() -> None:
    """The second is refused by the engagement itself: whoever decided it had not seen the first."""
    world = ordered(1500, "8", "8")
    world.tell(ENGAGEMENT, ClaimBilling("I-1", "L1", euros(1200)))
    with pytest.raises(OrderExhausted, match="1,200 EUR asked, 300 EUR left"):
        world.tell(ENGAGEMENT, ClaimBilling("I-2", "L1", euros(1200)))
    world.tell(ENGAGEMENT, ClaimBilling("I-2", "L1", euros(300)))


def test_what_a_cap_cuts_counts_for_the_order_as_far_as_it_is_billed() -> None:
    world = ordered(1500, "8", "8")
    world.tell(ENGAGEMENT, ChangeCap("L1", euros(1400)))
    bill(world, "I-1")
    assert billed(world) == ["jira:0#1", "jira:1#1/1"]


def test_a_write_up_keeps_within_the_order_and_a_write_down_leaves_room() -> None:
    world = ordered(1300, "8")
    bill(world, "I-1")
    with pytest.raises(OrderExhausted, match="PO-1"):
        world.record(adjusting.adjust_line(world.read, "I-1", 1, euros("100.01"), "More.", "paul"))
    world.record(adjusting.adjust_line(world.read, "I-1", 1, euros(-200), "Less.", "paul"))
    assert world.read(ENGAGEMENT).order_room.amount == euros(300)


def test_rounding_a_line_once_does_not_pass_the_order() -> None:
    world = World().firm().contract()
    world.tell(rate_card_stream("firm", "FIRM"), SetRate(RateRow("senior", euros(100), NEW_YEAR, role="Senior")))
    world.tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-1", euros("99.99"))))
    for day in range(3):
        world.work(str(day), "0.333333", day=day)
    bill(world, "I-1")
    state = world.read(invoice_stream("I-1"))
    assert (state.net, len(billed(world))) == (euros("99.99"), 3)


def test_what_a_further_order_pays_for_does_not_join_a_draft_under_the_first() -> None:
    world = ordered(1500, "8")
    bill(world, "I-1")
    world.tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-2", euros(5000))))
    world.work("1", day=1)
    found = bill(world, "I-2", open_drafts=("I-1",))
    assert [type(each) for each in found.left_out] == [LotsUnderOtherOrder]
    with pytest.raises(LotsUnderOtherOrder, match="I-1 is under PO-1, E-1 under PO-2"):
        drafting.refresh_draft(world.read, "I-1", open_lots(world), by="paul", on=CUT_OFF, strict=False)
    bill(world, "I-2")
    assert billed(world, "I-2") == ["jira:1#1"]
    assert world.read(ENGAGEMENT).order_room.amount == euros(3800)


def test_an_entity_whose_policy_lets_it_pass_bills_beyond_the_order() -> None:
    world = ordered(1000, "8", "0.333333", "0.333333")
    terms = world.read(stream_of("legal_entity", "DE01")).versions[0]
    passing = DefineLegalEntity("DE01", replace(terms, effective_from=NEW_YEAR, lets_pass=("PO_EXHAUSTED",)))
    world.tell(stream_of("legal_entity", "DE01"), passing)
    assert waiting(world) == {}
    bill(world, "I-1")
    assert len(billed(world)) == 3
    world.record(adjusting.adjust_line(world.read, "I-1", 1, euros(1), "More.", "paul"))


def test_several_payers_share_what_fits_into_the_order() -> None:
    shares = (BillToShare("C-1", Decimal(50)), BillToShare("C-2", Decimal(50)))
    world = ordered(2000, "8", "8", line=ContractLine("L1", "Work", TimeAndMaterials(), bill_to=shares))
    described = {"name": "Other", "street": "S", "city": "Bonn", "postal_code": "53111", "country": "DE"}
    world.tell(stream_of("customer", "C-2"), DescribeCustomer("C-2", described, NINE))
    bill(world, "I-1")
    assert (billed(world), billed(world, "I-1-2")) == (["jira:0#1/1"], ["jira:0#1/2"])


@every(
    order=st.integers(100, 4000),
    hours=st.lists(st.sampled_from(["0.25", "2", "3.5", "8"]), min_size=1, max_size=5),
    cap=st.none() | st.integers(200, 3000),
    limit=st.none() | st.integers(200, 3000),
    taken=st.integers(0, 500),
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_shown_as_eligible_is_what_a_draft_takes(
    order: int, hours: list[str], cap: int | None, limit: int | None, taken: int
) -> None:
    world = ordered(order, *hours)
    if taken <= min(order, cap or order, limit or order):
        world.tell(ENGAGEMENT, ClaimBilling("I-0", "L1", euros(taken)))
    if cap:
        world.tell(ENGAGEMENT, ChangeCap("L1", euros(max(cap, taken))))
    if limit:
        world.tell(billing_limit_stream("C-1", "EUR"), AgreeBillingLimit("C-1", "EUR", Limit(euros(limit))))
    rows = [row for row in map(ITEMS.row, folded(world.ledger).all(ITEMS).values()) if row.is_lot]
    shown = sum((row.eligible_value for row in rows), Decimal(0))
    bill(world, "I-1")
    claimed = world.read(ENGAGEMENT).caps.claim_of("I-1", "L1", "EUR").amount
    assert claimed.amount == shown
    assert world.read(ENGAGEMENT).order_room.amount.amount >= 0
