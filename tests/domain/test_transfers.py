"""Transfers: priced by agreements until they are invoiced, across practices without an invoice, split to the cent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given as any_of
from hypothesis import strategies as some

from domain.kernel import stream_of
from domain.lots import Lot, LotState, LotStatus, evolve_lots, parts_of
from domain.lots import LotSplit as Split
from domain.lots.transfer import (
    CreditTransfers,
    InvoiceTransfers,
    PricedTransfer,
    PriceTransfers,
    Transfer,
    TransferGap,
    TransfersPriced,
)
from domain.lots.transferring import TransferNotInvoiced, TransferNotOpen, decide_transfers, evolve_transfers
from domain.money import Money, total
from domain.pricing.transfers import UnitAmounts, unit_price
from domain.project import AppointManager, CreateProject
from domain.reference.intercompany_agreement import (
    AgreementTerms,
    AgreementWithItself,
    ParameterOutOfRange,
    RoleParameter,
    StateAgreement,
    TransferModel,
    agreement_stream,
    decider,
)
from domain.reference.resource import DescribeResource, ResourceTerms
from domain.timesheet import ApproveTime, Claim, LogTime, Work, timesheet_stream
from tests.spec import given
from tests.world import MONDAY, NEW_YEAR, NINE, LogCandidates, World, euros

TERMS = AgreementTerms(NEW_YEAR, "fixed", "EUR", Decimal(120))
HUNDRED = UnitAmounts(Decimal(100), Decimal(200))
OTHER = Transfer("DE01", "US01", "fixed", Decimal(100), euros(800), "fixed")


@cache
def charged_lot() -> Lot:
    world = World().firm().contract()
    (held,) = world.read(world.work("1")).lots.values()
    charged: Lot = replace(held.lot, transfer=OTHER)
    return charged


@pytest.fixture
def lot() -> Lot:
    return charged_lot()


def test_an_agreement_is_between_two_and_has_a_possible_parameter() -> None:
    wish = StateAgreement("DE01", "US01", TERMS, "anna")
    given(decider).when(wish, wish).then(*given(decider).when(wish).events)
    given(decider).when(replace(wish, borrower="DE01")).refuses(AgreementWithItself)
    impossible: tuple[tuple[TransferModel, str], ...] = (
        ("fixed", "-1"),
        ("percent_of_sales", "101"),
        ("contribution_ratio", "100"),
    )
    for model, parameter in impossible:
        terms = replace(TERMS, model=model, parameter=Decimal(parameter))
        given(decider).when(replace(wish, terms=terms)).refuses(ParameterOutOfRange)
    given(decider).when(replace(wish, terms=replace(TERMS, parameter=None))).refuses(ParameterOutOfRange)
    ended = given(decider).when(replace(wish, terms=replace(TERMS, ends=date(2026, 3, 31)))).state
    assert (ended.on(date(2026, 3, 31)) is not None, ended.on(date(2026, 4, 1))) == (True, None)


@pytest.mark.parametrize(
    ("model", "parameter", "price"),
    [
        ("fixed", 120, 120),
        ("cost_plus_amount", 15, 115),
        ("cost_plus_percent", 10, 110),
        ("percent_of_sales", 60, 120),
        ("sales_minus_amount", 70, 130),
        ("contribution_ratio", 20, 125),
    ],
)
def test_each_model_has_its_price(model: TransferModel, parameter: int, price: int) -> None:
    terms = replace(TERMS, model=model, parameter=Decimal(parameter))
    assert unit_price(terms, None, HUNDRED) == price
    lacking = unit_price(terms, None, UnitAmounts(None, None))
    assert lacking == (120 if model == "fixed" else None)


def test_a_role_has_a_parameter_of_its_own() -> None:
    terms = replace(TERMS, by_role=(RoleParameter("Senior", Decimal(150)),))
    assert [unit_price(terms, role, HUNDRED) for role in ("Senior", "Analyst")] == [150, 120]
    assert unit_price(replace(terms, parameter=None), "Analyst", HUNDRED) is None


def test_a_transfer_changes_until_it_is_invoiced_and_is_taken_back_once_it_counts_no_more(lot: Lot) -> None:
    book = {lot.lot: LotState(lot, LotStatus.BILLED, "I-1")}
    dearer = PricedTransfer(lot.lot, replace(OTHER, price=Decimal(110), value=euros(880)))
    assert decide_transfers(PriceTransfers((dearer,)), book) == [TransfersPriced((dearer,))], "the customer was billed"
    (invoiced,) = decide_transfers(InvoiceTransfers((lot.lot,), "IC-1"), book)
    book = dict(evolve_transfers(book, invoiced))
    assert decide_transfers(InvoiceTransfers((lot.lot,), "IC-1"), book) == []
    assert decide_transfers(PriceTransfers((dearer,)), book) == []
    with pytest.raises(TransferNotOpen):
        decide_transfers(InvoiceTransfers((lot.lot,), "IC-2"), book)
    with pytest.raises(TransferNotInvoiced):
        decide_transfers(CreditTransfers((lot.lot,), "IC-2"), book)
    book = {lot.lot: replace(book[lot.lot], status=LotStatus.REVERSED)}
    (credited,) = decide_transfers(CreditTransfers((lot.lot,), "IC-2"), book)
    assert evolve_transfers(book, credited)[lot.lot].intercompany is None


def test_what_has_no_price_is_not_invoiced(lot: Lot) -> None:
    gap = TransferGap("TRANSFER_PRICE_MISSING", "nothing is said of the role")
    book = {lot.lot: LotState(replace(lot, transfer=None, transfer_gap=gap))}
    with pytest.raises(TransferNotOpen):
        decide_transfers(InvoiceTransfers((lot.lot,), "IC-1"), book)


@any_of(some.lists(some.integers(1, 1_000), min_size=2, max_size=5), some.integers(1, 10_000_000))
def test_the_parts_of_a_lot_are_charged_what_the_whole_is(weights: list[int], cents: int) -> None:
    value = Money(Decimal(cents) / 100, "EUR")
    whole = replace(charged_lot(), transfer=replace(OTHER, value=value))
    shares = [Decimal(weight) for weight in weights]
    values = [euros(0)] * (len(shares) - 1) + [whole.value]
    book = evolve_lots({whole.lot: LotState(whole)}, Split(whole.lot, parts_of(whole, shares, values)))
    parts = [
        each.lot.transfer.value for each in book.values() if each.status is not LotStatus.SPLIT and each.lot.transfer
    ]
    assert total(parts, "EUR") == value


def test_work_for_another_practice_is_charged_across_without_an_invoice() -> None:
    world = World().firm().contract()
    cloud = ResourceTerms(NEW_YEAR, "Manager", "DE01", "Berlin", "Cloud", euros(90), Decimal(40), NINE)
    world.tell(stream_of("resource", "W-5"), DescribeResource("W-5", cloud))
    project = CreateProject("P-2", "E-1", "Phase 2", "L1", "DE01", NEW_YEAR, manager="W-5")
    world.tell(stream_of("project", "P-2"), project)
    world.tell(agreement_stream("DE01/Data", "DE01/Cloud"), StateAgreement("DE01/Data", "DE01/Cloud", TERMS, "anna"))
    week = timesheet_stream("W-1", MONDAY)
    work = Work("P-2", None, MONDAY, Decimal(8), started="09:00:00")
    world.tell(week, LogTime("W-1", Claim("jira", "7", NINE), work))
    world.tell(week, ApproveTime(("jira:7",), "W-9", NINE))
    (held,) = world.read(week).lots.values()
    assert (held.lot.transfer.crossing, held.lot.transfer.value) == (True, euros("960.00"))
    world.candidates = LogCandidates(world)
    world.tell(stream_of("project", "P-2"), AppointManager("W-2"))
    (of_one_practice,) = world.read(week).lots.values()
    assert of_one_practice.lot.transfer is None, "who manages it now is of the practice that works"
    world.tell(stream_of("project", "P-2"), AppointManager("W-5"))
    (held,) = world.read(week).lots.values()
    assert held.lot.transfer.value == euros("960.00")
    with pytest.raises(TransferNotOpen):
        decide_transfers(InvoiceTransfers((held.lot.lot,), "IC-1"), world.read(week).lots)
