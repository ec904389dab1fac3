"""An invoice takes from the limit of the customer who pays it, or whose engagement several payers share."""

from __future__ import annotations

from decimal import Decimal

from domain.billing import adjusting, crediting
from domain.billing.credit_wishes import CreditWish
from domain.billing_limit import AgreeBillingLimit, BillingLimit, billing_limit_stream
from domain.caps import Limit
from domain.contract import BillToShare, ContractLine, TimeAndMaterials
from domain.credit_note import RebillTo
from domain.kernel import stream_of
from domain.lots import LotStatus
from domain.money import Money
from domain.ports import LotAt, billing_limit_of
from domain.reference.customer import DescribeCustomer
from tests.domain.test_crediting import credit
from tests.world import NINE, World, euros

SEVEN = {"name": "Seven", "street": "Weg 7", "city": "Bonn", "postal_code": "53111", "country": "DE"}


def firm(line: ContractLine | None = None) -> World:
    """Two customers, each with a limit of 5,000; work costs 150 an hour."""
    world = World().firm().contract(line=line)
    for customer in ("C-1", "C-7"):
        world.tell(stream_of("customer", customer), DescribeCustomer(customer, SEVEN, NINE))
        limit = AgreeBillingLimit(customer, "EUR", Limit(euros(5000), Decimal(100)))
        world.tell(billing_limit_stream(customer, "EUR"), limit)
    return world


def used(world: World, customer: str) -> tuple[Money, Decimal]:
    state: BillingLimit = billing_limit_of(world.read, customer, "EUR")
    return state.consumed.amount, state.consumed.hours


def moved_to_seven(world: World) -> World:
    """Eight hours of the engagement of C-1 that C-7 pays, on a draft."""
    sheet = world.work("1", "8")
    to = RebillTo("E-1", "L1", customer="C-7")
    world.record(crediting.transfer_lots(world.read, world.lots(sheet), to, "They ordered it.", "paul"))
    moved = [name for name, held in world.read(sheet).lots.items() if held.status is LotStatus.OPEN]
    return world.draft("I-1", [LotAt(sheet, name) for name in moved])


def test_work_that_another_customer_pays_takes_from_that_customers_limit() -> None:
    world = moved_to_seven(firm())
    assert used(world, "C-7") == (euros(1200), Decimal(8))
    assert used(world, "C-1") == (euros(0), Decimal(0))


def test_a_discarded_draft_gives_the_payers_limit_back() -> None:
    world = moved_to_seven(firm())
    world.record(adjusting.discard_draft(world.read, "I-1", "paul", "too early"))
    assert used(world, "C-7") == (euros(0), Decimal(0))


def test_a_credit_gives_the_payers_limit_back() -> None:
    world = moved_to_seven(firm()).approve("I-1").issue("I-1")
    credit(world, "CN-1", CreditWish(1, quantity=Decimal(2)))
    assert used(world, "C-7") == (euros(900), Decimal(6))


def test_what_several_payers_share_takes_from_the_limit_of_whose_engagement_it_is() -> None:
    payers = (BillToShare("C-1", Decimal(60)), BillToShare("C-7", Decimal(40)))
    world = firm(ContractLine("L1", "Work", TimeAndMaterials(), bill_to=payers))
    world.draft("I-1", world.lots(world.work("1", "8")))
    assert used(world, "C-1")[0] == euros(1200)
    assert used(world, "C-7")[0] == euros(0)
