"""One lot and everything that is decided about it: now, as it was, and under another policy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from adapters.settings import Settings
from api.access import Role
from domain.contract import ContractLine, TimeAndMaterials
from domain.engagement import OpenEngagement, PurchaseOrder, RecordPurchaseOrder
from domain.reference.customer import BlockCustomer
from domain.reference.rate_card import RateRow, SetRate, rate_card_stream
from tests.api.asker import Asker, asking
from tests.world import CUSTOMER, ENGAGEMENT, NEW_YEAR, euros

REASONS = "reasons { code blocking events since ownerRole whatToDo resolvesItself moneyAtRisk { amount currency } }"
RATING = "rating { winner because costBecause considered { card row verdict } }"
FIGURES = "state eligibleQuantity eligibleValue overCapQuantity overCapValue"


@pytest.fixture
def firm(settings: Settings) -> Iterator[Asker]:
    with asking(settings) as asker:
        world = asker.world.firm()
        world.tell(
            ENGAGEMENT, OpenEngagement("E-1", "Data platform", "C-1", "DE01", "EUR", purchase_order_required=True)
        )
        world.contract_lines(ContractLine("L1", "Work", TimeAndMaterials(cap=euros(2000))))
        world.tell(rate_card_stream("firm", "FIRM"), SetRate(RateRow("everybody", euros(90), NEW_YEAR)))
        for day in (0, 1):
            world.work(str(day + 1), day=day)
        asker.fold()
        yield asker


def explained(asker: Asker, lot: str, policy: str = "", as_of: str = "", role: Role = Role.ADMIN) -> dict[str, Any]:
    under = f"(policy: {{{policy}}})" if policy else ""
    asked = f", asOf: {{position: {as_of}}}" if as_of else ""
    query = f'{{ lot(id: "{lot}"{asked}) {{ item explain{under} {{ {FIGURES} {REASONS} {RATING} }} }} }}'
    found: dict[str, Any] = asker.ask(query, role=role)["lot"]["explain"]
    return found


def codes(explanation: dict[str, Any]) -> list[str]:
    return [each["code"] for each in explanation["reasons"]]


def test_a_lot_tells_its_reasons_and_which_rate_row_won_over_which_others(firm: Asker) -> None:
    found = explained(firm, "jira:1#1")
    assert found["state"] == "HELD"
    (reason,) = found["reasons"]
    opened = next(fact for fact in firm.world.ledger.read(0, 1000) if fact.name == "engagement.opened.v1")
    assert datetime.fromisoformat(reason.pop("since")) == opened.recorded_at
    assert reason == {
        "code": "PO_MISSING",
        "blocking": "engagement:E-1",
        "events": ["engagement:E-1@1"],
        "ownerRole": "project_manager",
        "whatToDo": "Get the purchase order from the customer and record it.",
        "resolvesItself": True,
        "moneyAtRisk": {"amount": "1200.00", "currency": "EUR"},
    }
    rating = found["rating"]
    assert rating["winner"] == "firm/senior"
    assert rating["considered"] == [{"card": "firm", "row": "everybody", "verdict": "less specific than senior"}]


def test_costs_are_explained_to_the_office_only(firm: Asker) -> None:
    assert explained(firm, "jira:1#1")["rating"]["costBecause"] is not None
    assert explained(firm, "jira:1#1", role=Role.INTEGRATION)["rating"]["costBecause"] is None


def test_under_a_policy_that_lets_a_missing_order_pass_the_lots_are_billed_up_to_their_cap(firm: Asker) -> None:
    lets_pass = 'letsPass: ["PO_MISSING"]'
    first, second = (explained(firm, lot, lets_pass) for lot in ("jira:1#1", "jira:2#1"))
    assert (first["state"], first["eligibleValue"], codes(first)) == ("ELIGIBLE", "1200.00", [])
    assert (second["state"], second["eligibleValue"], second["overCapValue"]) == ("ELIGIBLE", "800.00", "400.00")
    whole = explained(firm, "jira:2#1", f"{lets_pass}, capPolicy: WHOLE_ITEM")
    assert (whole["state"], whole["overCapValue"], codes(whole)) == ("OVER_CAP", "1200.00", ["CAP_EXCEEDED"])
    assert codes(explained(firm, "jira:1#1")) == ["PO_MISSING"], "nothing was recorded by asking"


def test_a_lot_is_explained_as_it_was(firm: Asker) -> None:
    before = firm.parts.ledger.head()
    order = PurchaseOrder("PO-1", euros(100_000), None)
    firm.world.tell(ENGAGEMENT, RecordPurchaseOrder(order)).tell(CUSTOMER, BlockCustomer("Overdue."))
    firm.fold()
    assert codes(explained(firm, "jira:1#1")) == ["CUSTOMER_BLOCKED"]
    then = explained(firm, "jira:1#1", as_of=str(before))
    assert codes(then) == ["PO_MISSING"]
    assert explained(firm, "jira:1#1", 'letsPass: ["PO_MISSING"]', str(before))["state"] == "ELIGIBLE"


def test_work_that_is_no_lot_yet_has_reasons_and_no_rating(firm: Asker) -> None:
    firm.world.work("3", day=2, approve=False)
    firm.fold()
    found = explained(firm, "jira:3")
    assert (found["state"], codes(found), found["rating"]) == ("CAPTURED", ["NOT_SUBMITTED", "PO_MISSING"], None)


def test_some_reasons_block_under_every_policy(firm: Asker) -> None:
    query = '{ lot(id: "jira:1#1") { explain(policy: {letsPass: ["CUSTOMER_BLOCKED"]}) { state } } }'
    assert firm.codes(query) == ["policy.reason_always_blocks"]


def test_a_lot_that_is_told_in_two_weeks_is_named_with_its_stream(firm: Asker) -> None:
    other = firm.world.work("1", day=7)
    firm.fold()
    assert firm.codes('{ lot(id: "jira:1#1") { item } }') == ["lot.several_of_this_name"]
    assert firm.ask(f'{{ lot(id: "jira:1#1", stream: "{other}") {{ workDate }} }}')["lot"]["workDate"] == "2026-03-09"


def test_an_unknown_lot_and_one_of_another_entity_are_nothing(firm: Asker) -> None:
    assert firm.ask('{ lot(id: "jira:99#1") { item } }')["lot"] is None
    elsewhere = firm.token(Role.ADMIN, entities=["FR01"])
    assert firm.ask('{ lot(id: "jira:1#1") { item explain { state } } }', token=elsewhere)["lot"] is None
