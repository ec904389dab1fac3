"""The accounts of each ERP stand for the roles of the journal, by legal entity and from a day on."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.settings import Settings
from api.access import Role
from tests.api.asker import asking
from tests.api.group import BORROWER, LENDER, GroupDesk

MAP = (
    "mutation($input: MapAccountInput!, $key: String!) { done: mapAccount(input: $input, idempotencyKey: $key)"
    " { events { name } errors { code } } }"
)
RECEIVABLES: dict[str, Any] = {"entity": BORROWER, "role": "AR", "account": "1200", "effectiveFrom": "2026-01-01"}


@pytest.fixture
def group(settings: Settings) -> Iterator[GroupDesk]:
    with asking(settings) as asker:
        yield GroupDesk(asker)


def mapped(group: GroupDesk, **told: str) -> list[str]:
    """The names of what was recorded, or the codes of refusals."""
    values = {"input": {**RECEIVABLES, **told}, "key": str(uuid.uuid4())}
    done = group.asker.ask(MAP, values, role=Role.FINANCE_APPROVER)["done"]
    return [each["name"] for each in done["events"]] + [each["code"] for each in done["errors"]]


def accounts(group: GroupDesk, entity: str, on: str) -> list[tuple[str, str]]:
    """The accounts for what customers owe an entity, by ERP, on a day."""
    where = f'{{entity: "{entity}", role: "AR", on: "{on}"}}'
    found = group.ask(f"accountMap(where: {where}) {{ nodes {{ target account }} }}")["nodes"]
    return sorted((each["target"], each["account"]) for each in found)


def test_an_account_stands_for_a_role_in_its_entity_and_its_erp_from_its_day_on(group: GroupDesk) -> None:
    assert mapped(group) == ["account_map.mapped.v1"]
    assert mapped(group) == []
    mapped(group, account="1205", effectiveFrom="2026-04-01")
    mapped(group, account="11000", target="second")
    mapped(group, account="1100", entity=LENDER)
    assert accounts(group, BORROWER, "2025-12-31") == []
    assert accounts(group, BORROWER, "2026-03-31") == [("erp", "1200"), ("second", "11000")]
    assert accounts(group, BORROWER, "2026-04-01") == [("erp", "1205"), ("second", "11000")]
    assert accounts(group, LENDER, "2026-04-01") == [("erp", "1100")]


@pytest.mark.parametrize(
    ("told", "code"), [({"account": " "}, "account_map.account_empty"), ({"role": "PETTY_CASH"}, "request.incomplete")]
)
def test_an_account_without_a_name_and_a_role_that_there_is_not_are_refused(
    group: GroupDesk, told: dict[str, str], code: str
) -> None:
    assert mapped(group, **told) == [code]
