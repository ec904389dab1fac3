"""The books over GraphQL: balances, and from each the way down to postings, facts and messages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from api.access import Role
from tests.api.asker import Asker

BALANCES = "entity account accountClass currency amount functionalCurrency debit credit balance reporting postings"


def balances(asker: Asker, arguments: str = "", **who: Any) -> dict[tuple[str, str], Decimal]:
    query = f"{{ trialBalance{arguments} {{ accounts {{ {BALANCES} }} watermark {{ position }} }} }}"
    found = asker.ask(query, **who)["trialBalance"]["accounts"]
    return {(each["entity"], each["account"]): Decimal(each["balance"]) for each in found}


def test_the_trial_balance_adds_up_to_zero_in_each_entity(books: Asker) -> None:
    found = balances(books)
    for entity in ("DE01", "FR01"):
        assert sum(amount for (of, _), amount in found.items() if of == entity) == 0
    assert found["DE01", "AR"] == 1428
    assert found["DE01", "REVENUE_TM"] == -2600
    assert found["FR01", "REVENUE_TM"] == -150


def test_it_is_asked_by_day_entity_engagement_and_customer(books: Asker) -> None:
    assert ("DE01", "AR") not in balances(books, '(on: "2026-03-31")')
    assert balances(books, '(on: "2026-03-02")')["DE01", "REVENUE_TM"] == -1200
    assert balances(books, '(since: "2026-03-03", on: "2026-03-03")')["DE01", "REVENUE_TM"] == -1200
    assert {entity for entity, _ in balances(books, '(entity: "FR01")')} == {"FR01"}
    by_engagement = balances(books, '(engagement: "E-1")')
    assert by_engagement["DE01", "REVENUE_TM"] == -2600
    assert balances(books, '(customer: "C-1", account: AR)') == {("DE01", "AR"): Decimal(1428)}


def test_nobody_sees_the_books_of_an_entity_out_of_their_reach(books: Asker) -> None:
    token = books.token(Role.VIEWER, entities=("FR01",))
    assert {entity for entity, _ in balances(books, token=token)} == {"FR01"}


def test_as_of_an_earlier_position_there_is_less(books: Asker) -> None:
    query = "{ journal(where: {account: AR}) { nodes { event { position } } } }"
    position = books.ask(query)["journal"]["nodes"][0]["event"]["position"]
    assert ("DE01", "AR") not in balances(books, f"(asOf: {{position: {int(position) - 1}}})")


def test_from_a_balance_down_to_the_fact(books: Asker) -> None:
    query = """{ journal(where: {entity: "DE01", account: AR}) {
        totalCount totals { debit credit }
        nodes { entry because amount currency functional rateId effectiveOn trueOn invoice
                event { name sentence stream } message { system } } } }"""
    (node,) = books.ask(query)["journal"]["nodes"]
    assert (node["because"], node["invoice"]) == ("an invoice is issued", "I-1")
    assert Decimal(node["functional"]) == 1428
    assert node["event"]["name"] == "invoice.issued.v1"
    assert node["message"] is None
    whole = books.ask(f'{{ journal(where: {{entry: "{node["entry"]}"}}) {{ nodes {{ functional }} }} }}')
    assert sum(Decimal(each["functional"]) for each in whole["journal"]["nodes"]) == 0


def test_an_account_between_two_days(books: Asker) -> None:
    query = """{ accountStatement(entity: "DE01", account: CONTRACT_ASSET, since: "2026-03-03", until: "2026-04-30") {
        opening debit credit closing functionalCurrency } }"""
    (found,) = books.ask(query)["accountStatement"]
    assert {name: Decimal(found[name]) for name in ("opening", "debit", "credit", "closing")} == {
        "opening": 1200,
        "debit": 1400,
        "credit": 1200,
        "closing": 1400,
    }


def test_the_contract_position_of_an_engagement(books: Asker) -> None:
    query = '{ contractPositions(engagement: "E-1") { recognised billed contractAsset contractLiability } }'
    (found,) = books.ask(query)["contractPositions"]
    assert {name: Decimal(value) for name, value in found.items()} == {
        "recognised": 2600,
        "billed": 1200,
        "contractAsset": 1400,
        "contractLiability": 0,
    }
