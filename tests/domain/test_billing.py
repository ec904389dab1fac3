"""From approved hours to an issued invoice: every aggregate in one transaction, nothing billed twice."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from domain import number_series
from domain.billing import adjusting
from domain.billing.draft_plan import LotsNotEligible
from domain.billing.issuing import BillToMissing, EntityNotDefined, TaxUndetermined
from domain.contract import ContractLine, ResourceCap, TimeAndMaterials
from domain.engagement import ChangeCap, HoldEngagement
from domain.engagement.caps import ChangeLimits
from domain.invoice import Issued, NotApproved, NothingToBill, PreparerApproves
from domain.kernel import stream_of
from domain.lots import LotStatus
from domain.number_series import NumberOutOfOrder, NumberTaken, TakeNumber, series_stream
from domain.ports import LotAt
from domain.reference.customer import BlockCustomer, DescribeCustomer
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from tests.drafting import cap_left
from tests.spec import given
from tests.world import CUSTOMER, ENGAGEMENT, MONDAY, World, euros


@pytest.fixture
def world() -> World:
    return World().firm().contract()


def invoice(world: World, name: str = "I-1") -> Issued:
    state = world.read(stream_of("invoice", name))
    assert isinstance(state, Issued)
    return state


def test_approved_hours_become_an_issued_invoice_with_tax(world: World) -> None:
    sheet = world.work("1")
    world.draft("I-1", world.lots(sheet)).approve("I-1").issue("I-1")
    document = invoice(world).document
    assert (document.net, document.tax, document.gross) == (euros("1200"), euros("228.00"), euros("1428.00"))
    assert (document.number, document.due_on) == ("DE01-2026-000001", date(2026, 5, 1))
    assert world.read(sheet).lots["jira:1#1"].status is LotStatus.BILLED


def test_a_fixed_rate_says_nothing_where_the_contract_is_in_the_currency_of_the_books() -> None:
    fixed = ContractLine("L1", "Work", TimeAndMaterials(), fixed_fx_rate=Decimal("1.10"))
    world = World().firm().contract(line=fixed)
    world.draft("I-1", world.lots(world.work("1"))).approve("I-1").issue("I-1")
    document = invoice(world).document
    assert (document.functional_currency, document.fx_rate) == (document.gross.currency, Decimal(1))


def test_hours_of_the_same_price_are_one_line_with_all_its_lots(world: World) -> None:
    monday, tuesday = world.work("1"), world.work("2", "4", day=1)
    world.draft("I-1", world.lots(monday)).approve("I-1").issue("I-1")
    (line,) = invoice(world).document.lines
    assert monday == tuesday
    assert (line.quantity, line.net, len(line.lots)) == (Decimal(12), euros(1800), 2)
    assert line.description == "Data platform: Work: Senior"


def test_numbers_have_no_gaps_even_when_an_issue_is_repeated(world: World) -> None:
    for name in ("1", "2"):
        sheet = world.work(name, day=int(name))
        lots = [lot for lot in world.lots(sheet) if world.read(sheet).lots[lot.lot].status is LotStatus.OPEN]
        world.draft(f"I-{name}", lots).approve(f"I-{name}").issue(f"I-{name}").issue(f"I-{name}")
    assert [invoice(world, f"I-{name}").document.number[-6:] for name in "12"] == ["000001", "000002"]
    assert world.read(series_stream("DE01", "DE01-2026")).last == 2


def test_a_number_is_taken_in_its_turn_only() -> None:
    given(number_series.decider).when(TakeNumber("I-1", 2)).refuses(NumberOutOfOrder, "2 asked, 1 is next")
    given(number_series.decider).when(TakeNumber("I-1", 1), TakeNumber("I-1", 1)).then_happens(NumberTaken)


def test_nothing_is_issued_before_the_day_from_which_the_entity_is_defined(world: World) -> None:
    world.draft("I-1", world.lots(world.work("1"))).approve("I-1")
    with pytest.raises(EntityNotDefined, match="DE01 on 2025-12-31"):
        world.issue("I-1", date(2025, 12, 31))


def test_a_lot_on_a_draft_cannot_be_drafted_again(world: World) -> None:
    lots = world.lots(world.work("1"))
    world.draft("I-1", lots)
    with pytest.raises(LotsNotEligible, match="reserved"):
        world.draft("I-2", lots)
    with pytest.raises(NothingToBill):
        world.draft("I-2", lots, strict=False)


def test_a_discarded_draft_frees_its_lots_and_its_part_of_the_cap(world: World) -> None:
    world.tell(ENGAGEMENT, ChangeCap("L1", euros(1200)))
    sheet = world.work("1")
    world.draft("I-1", world.lots(sheet))
    world.record(adjusting.discard_draft(world.read, "I-1", "paul", "wrong month"))
    assert world.read(sheet).lots["jira:1#1"].status is LotStatus.OPEN
    assert cap_left(world.read(ENGAGEMENT), "L1") == euros(1200)
    world.draft("I-2", world.lots(sheet))


def test_a_lot_that_crosses_the_cap_is_split_and_the_rest_stays_open(world: World) -> None:
    world.tell(ENGAGEMENT, ChangeCap("L1", euros(2000)))
    sheet = world.work("1")
    world.work("2", day=1)
    world.draft("I-1", world.lots(sheet)).approve("I-1").issue("I-1")
    assert invoice(world).document.net == euros("2000.00")
    lots = world.read(sheet).lots
    assert {name: held.status for name, held in lots.items()} == {
        "jira:1#1": LotStatus.BILLED,
        "jira:2#1": LotStatus.SPLIT,
        "jira:2#1/1": LotStatus.BILLED,
        "jira:2#1/2": LotStatus.OPEN,
    }
    assert lots["jira:2#1/2"].lot.value == euros("400.00")
    with pytest.raises(NothingToBill):
        world.draft("I-2", [LotAt(sheet, "jira:2#1/2")])


def test_a_cap_of_hours_is_billed_to_the_second_and_says_so_on_the_invoice(world: World) -> None:
    """4.333333 hours leave 5.666667 of ten: neither more than the cap is asked for, nor less billed."""
    world.tell(ENGAGEMENT, ChangeLimits("L1", Decimal(10), (), "partial"))
    sheet = world.work("1", "4.333333")
    world.work("2", "7.75", day=1)
    world.draft("I-1", world.lots(sheet)).approve("I-1").issue("I-1")
    (line,) = invoice(world).document.lines
    assert (line.quantity, line.net) == (Decimal(10), euros("1500.00"))
    assert world.read(sheet).lots["jira:2#1/2"].lot.quantity == Decimal("2.083333")


def test_work_that_is_worth_nothing_takes_no_hours_of_a_cap(world: World) -> None:
    hours_of_person = ResourceCap("W-1", hours=Decimal(9))
    world.tell(ENGAGEMENT, ChangeLimits("L1", Decimal(10), (hours_of_person,), "partial"))
    pilot = RateRow("pilot", euros(0), MONDAY, effective_to=MONDAY, zero_because="The first day is free.")
    world.tell(rate_card_stream("line", "E-1", "L1"), SetRate(pilot))
    sheet = world.work("1")
    for day in (1, 2):
        world.work(str(day + 1), day=day)
    world.draft("I-1", world.lots(sheet)).approve("I-1").issue("I-1")
    assert [(line.quantity, line.net) for line in invoice(world).document.lines] == [
        (Decimal(8), euros("0.00")),
        (Decimal(9), euros("1350.00")),
    ]


def test_work_that_is_not_eligible_is_refused_with_all_its_reasons(world: World) -> None:
    lots = world.lots(world.work("1"))
    world.tell(ENGAGEMENT, HoldEngagement("dispute")).tell(CUSTOMER, BlockCustomer("insolvent"))
    with pytest.raises(LotsNotEligible, match="CONTRACT_ON_HOLD, CUSTOMER_BLOCKED"):
        world.draft("I-1", lots)


def test_the_preparer_does_not_approve_above_the_entitys_limit(world: World) -> None:
    world.draft("I-1", world.lots(world.work("1")))
    with pytest.raises(PreparerApproves):
        world.approve("I-1", by="paul")


def test_a_draft_is_not_issued_and_an_incomplete_customer_is_not_billed(world: World) -> None:
    world.draft("I-1", world.lots(world.work("1")))
    with pytest.raises(NotApproved):
        world.issue("I-1")
    world.approve("I-1")
    world.tell(CUSTOMER, DescribeCustomer("C-1", {"country": "BR"}, datetime(2026, 3, 9, tzinfo=UTC)))
    with pytest.raises(TaxUndetermined, match="of DE, or state its rule for BR"):
        world.issue("I-1")
    world.tell(CUSTOMER, DescribeCustomer("C-1", {"city": None}, datetime(2026, 3, 10, tzinfo=UTC)))
    with pytest.raises(BillToMissing, match="C-1"):
        world.issue("I-1")
