"""What people cost is told in the currency of who employs them, whoever tells it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.inbox.office import Office
from tests.adapters.vendors.payloads import Letter, canonical, company

FROM = {"effective_from": "2026-01-01"}


def role(currency: str) -> Letter:
    row: dict[str, Any] = {"role": "Senior", "rate": {"amount": "60", "currency": currency}, **FROM}
    return canonical("cost_card.set_rate.v1", "cost_card:DE01", {"entity": "DE01", "row": row}, name=f"row-{currency}")


def person(currency: str) -> Letter:
    terms = {
        "role": "Senior",
        "legal_entity": "DE01",
        "location": "Berlin",
        "practice": "Data",
        "cost_rate": {"amount": "60", "currency": currency},
        "capacity_hours_per_week": "40",
        "stated_at": "2026-01-01T09:00:00Z",
        **FROM,
    }
    data = {"resource": "W-1", "terms": terms}
    return canonical("resource.describe.v1", "resource:W-1", data, name=f"person-{currency}")


@pytest.mark.parametrize("told", [role, person])
def test_a_cost_is_refused_in_another_currency_than_that_of_its_entity(told: Any) -> None:
    office = Office()
    office.deliver(company(), told("USD"), told("EUR"))
    assert office.fate(told("USD")) == ("refused", "cost_rate.currency_differs")
    assert office.fate(told("EUR"))[0] == "recorded"


@pytest.mark.parametrize("told", [role, person])
def test_a_cost_of_an_entity_that_nobody_knows_yet_is_kept(told: Any) -> None:
    office = Office()
    office.deliver(told("USD"))
    assert office.fate(told("USD"))[0] == "recorded"
