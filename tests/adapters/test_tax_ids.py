"""Tax ids are checked when they are told; work for a customer whose id is wrong waits until it is corrected."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.policy_packs.tax_packs import pack_of
from adapters.simulation.tax_ids import tax_id
from adapters.tax_ids import check
from domain import eligibility
from domain.billing.billable import context_of
from domain.billing.issuing import CustomerTaxIdInvalid
from domain.eligibility.reasons import LotFacts
from domain.kernel import StreamId, stream_of
from domain.processes.tax_ids import TaxIds
from domain.reason_codes import ReasonCode
from domain.reference.customer import DescribeCustomer
from domain.reference.tax_rule import PublishTaxPack
from tests.world import CUSTOMER, World


@pytest.mark.parametrize(
    ("country", "text", "valid"),
    [
        ("DE", "DE136695976", True),
        ("DE", "DE136695975", False),
        ("DE", "136695976", True),
        ("FR", "FR40303265045", True),
        ("NL", "NL004495445B01", True),
        ("GR", "EL094259216", True),
        ("GB", "GB980780684", True),
        ("GB", "GB802311781", False),
        ("CH", "CHE-107.787.577 IVA", True),
        ("AU", "83 914 571 673", True),
        ("NZ", "49-098-576", True),
        ("IN", "27AAPFU0939F1ZV", True),
        ("IN", "27AAPFU0939F1ZO", False),
        ("JP", "T7000012050002", True),
        ("US", "91-1144442", True),
        ("BR", "anything", None),
    ],
)
def test_a_tax_id_is_checked_by_the_rules_of_its_country(country: str, text: str, valid: bool | None) -> None:
    assert check(country, text).valid is valid


@pytest.mark.parametrize("country", ["DE", "FR", "NL", "SE", "GB", "US", "JP"])
def test_the_sample_firms_customers_have_well_formed_ids(country: str) -> None:
    assert all(check(country, tax_id(country, seed)).valid for seed in (100_000_000, 523_456_789, 999_999_999))


def world_of_checks() -> World:
    world = World()
    world.processes = (*world.processes, TaxIds(check))
    world.firm().contract()
    pack = pack_of("DE")
    assert pack is not None
    return world.tell(stream_of("tax_rule", "DE"), PublishTaxPack(pack))


def describe(world: World, day: int, **fields: str) -> None:
    world.tell(CUSTOMER, DescribeCustomer("C-1", fields, datetime(2026, 3, day, tzinfo=UTC)))


def codes(world: World, stream: StreamId) -> list[ReasonCode]:
    (held,) = world.read(stream).lots.values()
    found = eligibility.decide(LotFacts(stream, held.lot), context_of(world.read, held.lot))
    return [blocker.code for blocker in found]


def test_a_wrong_tax_id_holds_work_until_the_customer_is_corrected() -> None:
    world = world_of_checks()
    sheet = world.work("1")
    world.draft("I-1", world.lots(sheet)).approve("I-1")
    describe(world, 10, country="FR", tax_id="FR40303265044")
    assert codes(world, sheet) == [ReasonCode.CUSTOMER_TAX_ID_INVALID]
    with pytest.raises(CustomerTaxIdInvalid, match="FR40303265044"):
        world.issue("I-1")
    describe(world, 11, tax_id="FR40303265045")
    assert codes(world, sheet) == []
    world.issue("I-1")
    assert world.names().count("customer.tax_id_checked.v1") == 2


def test_tax_is_undetermined_until_the_tax_id_is_told() -> None:
    world = world_of_checks()
    sheet = world.work("1")
    describe(world, 10, country="FR")
    assert codes(world, sheet) == [ReasonCode.TAX_UNDETERMINED]
    describe(world, 11, tax_id="FR40303265045")
    assert codes(world, sheet) == []


def test_other_news_of_a_customer_checks_nothing_again() -> None:
    world = world_of_checks()
    describe(world, 10, tax_id="DE136695976")
    describe(world, 11, tax_id="DE136695976", name="Acme AG")
    describe(world, 12, name="Acme SE")
    assert world.names().count("customer.tax_id_checked.v1") == 1
