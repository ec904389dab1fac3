"""What processes ask the read models on a real database, beside what drafting asks (``test_queries``)."""

from __future__ import annotations

from dataclasses import replace

from adapters.eventstore.ledger import Ledger
from domain.contract import ContractLine, ManagedService
from domain.kernel import stream_of
from domain.ports import LotAt, entity_of
from domain.reference.customer import BlockCustomer
from domain.reference.legal_entity import DefineLegalEntity
from projections import build
from projections.eligibility.candidates import LiveCandidates
from projections.generation import Generations
from projections.reader import Reader
from tests.world import CUSTOMER, NEW_YEAR, World, euros


def test_engagements_billed_by_date_are_those_that_a_new_day_may_make_due(
    ledger: Ledger, generations: Generations, reader: Reader
) -> None:
    World(ledger).firm().contract(line=ContractLine("L1", "Run", ManagedService(euros(900), NEW_YEAR)))
    build.rebuild(ledger, generations)
    assert LiveCandidates(reader).engagements_billed_by_date() == ["E-1"]


def test_engagements_billed_by_the_hour_are_not_asked_about_on_a_new_day(
    ledger: Ledger, generations: Generations, reader: Reader
) -> None:
    World(ledger).firm().contract()
    build.rebuild(ledger, generations)
    assert LiveCandidates(reader).engagements_billed_by_date() == []


def test_drafts_are_asked_for_by_their_selling_entity(ledger: Ledger, generations: Generations, reader: Reader) -> None:
    world = World(ledger).firm().contract()
    world.draft("I-1", world.lots(world.work("1")))
    build.rebuild(ledger, generations)
    assert LiveCandidates(reader).drafts_of("DE01") == ["I-1"]
    assert LiveCandidates(reader).drafts_of("FR01") == []


def test_work_that_stays_within_an_entity_is_not_invoiced_between_entities(
    ledger: Ledger, generations: Generations, reader: Reader
) -> None:
    World(ledger).firm().contract().work("1")
    build.rebuild(ledger, generations)
    candidates = LiveCandidates(reader)
    assert candidates.transfer_pairs() == []
    assert candidates.transfers_of(lender="DE01", borrower="DE01", lacking_price=True) == []
    assert candidates.unbilled_of(lacking_rate_of="EUR", resource="W-1", customer="C-1") == []


def test_work_below_the_least_invoice_is_offered_to_drafts_and_work_that_waits_for_more_is_not(
    ledger: Ledger, generations: Generations, reader: Reader
) -> None:
    world = World(ledger).firm().contract()
    terms = replace(entity_of(world.read, "DE01").versions[-1], minimum_invoice=euros(2000))
    world.tell(stream_of("legal_entity", "DE01"), DefineLegalEntity("DE01", terms))
    sheet = world.work("1")
    build.rebuild(ledger, generations)
    with reader.view() as view:
        assert view.rows("SELECT state, codes FROM item WHERE is_open") == [("held", ["BELOW_MINIMUM_INVOICE"])]
    candidates = LiveCandidates(reader)
    assert candidates.engagements_with_eligible("DE01") == ["E-1"]
    assert candidates.engagements_with_eligible("DE01", "2026-03-01") == []
    assert candidates.eligible_of("E-1") == [LotAt(sheet, "jira:1#1")]
    world.tell(CUSTOMER, BlockCustomer("Overdue."))
    live = generations.live()
    assert live is not None
    build.fill(ledger, generations, live, ledger.head())
    assert candidates.engagements_with_eligible("DE01") == []
    assert candidates.eligible_of("E-1") == []
