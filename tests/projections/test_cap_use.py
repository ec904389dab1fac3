"""How far caps are used up, as the read models know it, is what the lots themselves come to."""

from __future__ import annotations

from decimal import Decimal

from adapters.eventstore.ledger import Ledger
from domain.billing_limit import AgreeBillingLimit, billing_limit_stream
from domain.caps import Limit
from domain.contract import ContractLine, ResourceCap, TimeAndMaterials
from domain.engagement import HoldEngagement
from domain.engagement.caps import AgreeEngagementCap
from projections import build
from projections.eligibility.candidates import LiveCandidates
from projections.generation import Generations
from projections.reader import Reader
from tests.world import ENGAGEMENT, LogCandidates, World, euros

CAPS = TimeAndMaterials(
    cap=euros(4000), hours_cap=Decimal(30), resource_caps=(ResourceCap("W-2", euros(900)), ResourceCap("W-3", None))
)


def worked(ledger: Ledger) -> World:
    """A week under caps of every level: a day is billed, a day drafted, and a person over her own cap."""
    world = World(ledger).firm().contract(line=ContractLine("L1", "Work", CAPS))
    world.tell(ENGAGEMENT, AgreeEngagementCap(Limit(euros(6000))))
    world.tell(billing_limit_stream("C-1", "EUR"), AgreeBillingLimit("C-1", "EUR", Limit(euros(9000)), Decimal(100)))
    first = world.work("1")
    world.draft("I-1", world.lots(first)).approve("I-1").issue("I-1")
    world.work("2", day=1)
    drafted = [each for each in world.lots(first) if each.lot.startswith("jira:2")]
    world.draft("I-2", drafted)
    world.work("3", "3", day=2)
    world.work("4", "8", day=3, person="W-2")
    return world


def test_the_read_models_know_how_far_each_cap_is_used_up(
    ledger: Ledger, generations: Generations, reader: Reader
) -> None:
    world = worked(ledger)
    build.rebuild(ledger, generations)
    live, whole = LiveCandidates(reader), LogCandidates(world)
    uses = live.use_of_caps("E-1")
    assert uses == whole.use_of_caps("E-1")
    assert {each.level: (each.taken.amount, each.earned.amount, each.consumed.hours) for each in uses} == {
        "engagement E-1": (euros(2400), euros(1350), Decimal(25)),
        "line L1": (euros(2400), euros(1350), Decimal(25)),
        "W-2 on line L1": (euros(0), euros(900), Decimal(6)),
        "W-3 on line L1": (euros(0), euros(0), Decimal(0)),
    }
    limit = live.use_of_limit("C-1", "EUR")
    assert limit == whole.use_of_limit("C-1", "EUR")
    assert limit is not None
    assert (limit.taken.amount, limit.earned.amount) == (euros(2500), euros(1350))


def test_work_that_is_held_has_earned_and_uses_up_its_caps(
    ledger: Ledger, generations: Generations, reader: Reader
) -> None:
    world = worked(ledger)
    world.tell(ENGAGEMENT, HoldEngagement("dispute"))
    build.rebuild(ledger, generations)
    live, whole = LiveCandidates(reader), LogCandidates(world)
    assert live.use_of_caps("E-1") == whole.use_of_caps("E-1")
    assert live.use_of_caps("E-1")[0].consumed.amount == euros(3750)


def test_what_has_no_cap_has_no_use_of_it(ledger: Ledger, generations: Generations, reader: Reader) -> None:
    World(ledger).firm().contract().work("1")
    build.rebuild(ledger, generations)
    live = LiveCandidates(reader)
    assert [*live.use_of_caps("E-1"), *live.use_of_caps("E-9")] == []
    assert live.use_of_limit("C-1", "EUR") is None
