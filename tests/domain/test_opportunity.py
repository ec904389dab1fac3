import itertools
from datetime import UTC, date, datetime, timedelta

from domain import opportunity
from domain.opportunity import OpportunityTold, OpportunityWon, TellOpportunity
from domain.statements import Scalar
from tests.spec import Given, given

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def nothing() -> Given:
    return given(opportunity.decider)


def tell(minute: int, **fields: Scalar) -> TellOpportunity:
    return TellOpportunity("006A", fields, NINE + timedelta(minutes=minute))


CREATED = tell(0, title="Data platform", customer="C-1", currency="EUR", closes_on="2026-03-31", won="false")
ENTITY = tell(1, selling_entity="DE01")
WON = tell(2, won="true", closes_on="2026-03-15")


def test_a_deal_is_won_once_its_stage_says_so_and_it_is_complete() -> None:
    nothing().and_then(CREATED, ENTITY).when(WON).then_happens(OpportunityTold, OpportunityWon)


def test_a_won_deal_that_lacks_a_field_waits_for_it() -> None:
    without_entity = nothing().and_then(CREATED, WON)
    assert without_entity.state.missing == ("selling_entity",)
    without_entity.when(ENTITY).then_happens(OpportunityTold, OpportunityWon)


def test_every_order_of_partial_updates_wins_the_same_deal_once() -> None:
    for order in itertools.permutations([CREATED, ENTITY, WON]):
        won = [event for event in nothing().when(*order, *order).events if isinstance(event, OpportunityWon)]
        assert won == [OpportunityWon("006A", "Data platform", "C-1", "DE01", "EUR", date(2026, 3, 15), False)]


def test_the_same_update_again_stays_quiet() -> None:
    nothing().and_then(CREATED).when(CREATED).stays_quiet()
