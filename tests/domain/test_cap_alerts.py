"""The project manager hears of a cap when work is approved, not when it is billed, and once for each share of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.billing_limit import AgreeBillingLimit, billing_limit_stream
from domain.caps import Limit
from domain.engagement import ChangeCap
from domain.engagement.caps import ChangeLimits
from domain.exception import ResolveException
from domain.kernel import StreamId, decider_name
from tests.world import ENGAGEMENT, LogCandidates, World, euros

LIMIT = billing_limit_stream("C-1", "EUR")


@pytest.fixture
def firm() -> World:
    """Work costs 150 an hour; of the line, 1,200 may be billed."""
    world = World()
    world.candidates = LogCandidates(world)
    return world.firm().contract(cap=euros(1200))


def items(world: World) -> dict[str, str]:
    """The work items about caps that are open, by code, with what they say."""
    streams = dict.fromkeys(fact.stream for fact in world.ledger.read(0, 10_000))
    found = [world.read(stream) for stream in streams if decider_name(stream) == "exception"]
    return {item.problem.message.partition(":")[0]: item.problem.message for item in found if item.is_open}


def told(world: World) -> list[str]:
    """What was told of caps so far, in its order."""
    facts = (fact.event for fact in world.ledger.read(0, 10_000))
    reached: list[Any] = [event.reached for event in facts if hasattr(event, "reached")]
    return [f"{each.level} {each.percent} % {each.consumed:f} of {each.limit:f} {each.unit}" for each in reached]


def stream_of_item(world: World) -> StreamId:
    (stream,) = {f.stream for f in world.ledger.read(0, 10_000) if decider_name(f.stream) == "exception"}
    return stream


def test_work_that_is_approved_and_on_no_draft_uses_up_the_cap(firm: World) -> None:
    firm.work("1", "5")
    assert items(firm) == {}
    firm.work("2", "1", day=1)
    assert items(firm) == {
        "75 % of the cap of line L1 is used": "75 % of the cap of line L1 is used: 900.00 of 1,200 EUR."
    }


def test_each_share_is_told_once(firm: World) -> None:
    firm.work("1", "6")
    firm.work("2", "0.5", day=1)
    firm.work("3", "1", day=2)
    firm.work("4", "8", day=3)
    assert told(firm) == [
        "line L1 75 % 900.00 of 1200 EUR",
        "line L1 90 % 1125.00 of 1200 EUR",
        "line L1 100 % 1200.00 of 1200 EUR",
    ]


def test_a_draft_and_an_invoice_of_that_work_tell_nothing_more(firm: World) -> None:
    sheet = firm.work("1", "6")
    before = told(firm)
    firm.draft("I-1", firm.lots(sheet)).approve("I-1").issue("I-1")
    assert told(firm) == before == ["line L1 75 % 900.00 of 1200 EUR"]
    firm.work("2", "2", day=1)
    assert told(firm)[1:] == ["line L1 100 % 1200.00 of 1200 EUR"]


def test_a_work_item_that_was_settled_does_not_come_back_with_the_next_hour(firm: World) -> None:
    firm.work("1", "6")
    firm.tell(stream_of_item(firm), ResolveException("user:paul", "the customer knows"))
    firm.work("2", "0.5", day=1)
    assert items(firm) == {}


def test_work_that_is_not_billable_uses_up_nothing(firm: World) -> None:
    firm.work("1", "8", approve=False)
    assert told(firm) == []


def test_a_raised_cap_ends_the_work_item_and_its_own_shares_are_told_again(firm: World) -> None:
    firm.work("1", "8")
    assert list(items(firm)) == ["100 % of the cap of line L1 is used"]
    firm.tell(ENGAGEMENT, ChangeCap("L1", euros(3000)))
    assert items(firm) == {}
    firm.work("2", "8", day=1)
    assert told(firm)[1:] == ["line L1 75 % 2400.00 of 3000 EUR"]


def test_a_cap_that_is_lowered_to_what_is_earned_is_told_at_once(firm: World) -> None:
    firm.tell(ENGAGEMENT, ChangeCap("L1", euros(3000)))
    firm.work("1", "8")
    assert told(firm) == []
    firm.tell(ENGAGEMENT, ChangeCap("L1", euros(1300)))
    assert told(firm) == ["line L1 90 % 1200.00 of 1300 EUR"]


def test_hours_are_told_as_hours(firm: World) -> None:
    firm.tell(ENGAGEMENT, ChangeCap("L1", None), ChangeLimits("L1", Decimal(10), (), "partial"))
    firm.work("1", "8")
    assert told(firm) == ["line L1 75 % 8 of 10 hour"]


def test_the_limit_of_a_customer_is_used_up_in_the_same_way(firm: World) -> None:
    firm.tell(LIMIT, AgreeBillingLimit("C-1", "EUR", Limit(euros(1000))))
    firm.work("1", "5")
    assert told(firm) == ["customer C-1 75 % 750.00 of 1000 EUR"]
    firm.tell(LIMIT, AgreeBillingLimit("C-1", "EUR", Limit(euros(800))))
    assert told(firm)[1:] == ["customer C-1 90 % 750.00 of 800 EUR"]
    firm.tell(LIMIT, AgreeBillingLimit("C-1", "EUR", Limit(euros(9000))))
    assert items(firm) == {}
