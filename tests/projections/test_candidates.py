"""What processes ask the read models on a real database, beside what drafting asks (``test_queries``)."""

from __future__ import annotations

from adapters.eventstore.ledger import Ledger
from domain.contract import ContractLine, ManagedService
from projections import build
from projections.candidates import LiveCandidates
from projections.generation import Generations
from projections.reader import Reader
from tests.world import NEW_YEAR, World, euros


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
