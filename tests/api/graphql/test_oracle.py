"""The authorisation oracle: every question as every role and scope, against what a simple rule says should be seen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.access import PERMISSIONS, Role
from tests.api.asker import Asker

QUESTIONS = {
    "engagements": "{ engagements { totalCount nodes { engagement sellingEntity customerName } } }",
    "engagement": '{ engagement(id: "E-1") { engagement title } other: engagement(id: "E-2") { engagement title } }',
    "projects": "{ projects { totalCount nodes { project sellingEntity } } }",
    "project": '{ project(id: "P-1-L1") { project } other: project(id: "P-2-L1") { project } }',
    "timesheets": "{ timesheets { nodes { stream hours entries { entry project } } totals { count hours } } }",
    "timesheet": '{ timesheet(id: "timesheet:W-2:2026-03-02") { hours entries { entry project } } }',
    "invoices": "{ invoices { totalCount totals { currency count net } nodes { invoice lines { project } } } }",
    "invoice": '{ invoice(id: "I-1") { invoice lines { project } lineage { lines { lots { lot } } } } }',
    "billing_eligibility": "{ billingEligibility { totalCount totals { state value } nodes { item project } }"
    " blockingReasons { code value } }",
    "lot": '{ lot(id: "jira:1#1") { item explain { state } } other: lot(id: "jira:900#1") { item } }',
    "margin": "{ margin(by: PROJECT) { nodes { key margin } totals { standard } } }",
    "sync_status": "{ syncStatus { totalCount totals { state count } nodes { object } } }",
    "exceptions": "{ exceptions { totalCount totals { code } nodes { about engagement } } }",
    "ledger": "{ ledger { position } }",
}
"""What may be asked without naming what one must not see."""

NAMING = {
    "history": 'query { history(stream: "engagement:E-1") { nodes { sentence } } }',
    "timeline": 'query { timeline(subject: "engagement:E-1") { nodes { sentence } } }',
}
"""What names an object of DE01: refused when that is out of reach."""

OF_DE01 = ("E-1", "P-1", "I-1", "I-2", "jira:1", "jira:2", "jira:3", "jira:4", "day_too_long", "1200", "2600")
OF_FR01 = ("E-2", "P-2", "jira:900", "Audit")
SCOPES: dict[str, dict[str, Any]] = {
    "everywhere": {"entities": ["*"]},
    "DE01": {"entities": ["DE01"]},
    "EMEA": {"entities": [], "regions": ["EMEA"]},
    "FR01": {"entities": ["FR01"]},
    "APAC": {"entities": [], "regions": ["APAC"]},
    "both": {"entities": ["DE01"], "regions": ["APAC"]},
    "nowhere": {"entities": [], "regions": []},
    "unknown": {"entities": ["XX99"], "regions": ["MOON"]},
}
SEES_DE01 = {"everywhere", "DE01", "EMEA", "both"}
SEES_FR01 = {"everywhere", "FR01", "APAC", "both"}


def mentioned(told: str, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if f'"{name}' in told]


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_shows_its_own_and_nothing_else(books: Asker, scope: str) -> None:
    token = books.token(Role.ADMIN, **SCOPES[scope])
    told = {name: json.dumps(books.ask(query, token=token)) for name, query in QUESTIONS.items()}
    everything = " ".join(told.values())
    assert bool(mentioned(everything, OF_DE01)) == (scope in SEES_DE01), everything
    assert bool(mentioned(everything, OF_FR01)) == (scope in SEES_FR01), everything
    if scope in SEES_DE01:
        lists = ("engagements", "projects", "invoices", "billing_eligibility", "margin", "sync_status", "exceptions")
        assert all(mentioned(told[name], OF_DE01) for name in lists), told
    if scope in ("nowhere", "unknown"):
        counts = [part["totalCount"] for part in _parts(told) if "totalCount" in part]
        assert counts == [0] * 6


def _parts(told: dict[str, str]) -> list[dict[str, Any]]:
    return [part for text in told.values() for part in json.loads(text).values() if isinstance(part, dict)]


@pytest.mark.parametrize("scope", SCOPES)
def test_what_names_an_object_out_of_reach_is_refused(books: Asker, scope: str) -> None:
    token = books.token(Role.AUDITOR, **SCOPES[scope])
    expected = [] if scope in SEES_DE01 else ["access.out_of_scope"]
    for query in NAMING.values():
        assert books.codes(query, token=token) == expected


@pytest.mark.parametrize("scope", SCOPES)
def test_the_past_is_no_way_round_the_scope(books: Asker, scope: str) -> None:
    token = books.token(Role.ADMIN, **SCOPES[scope])
    at = books.parts.ledger.head() - 1
    query = (
        f'{{ engagement(id: "E-1", asOf: {{position: {at}}}) {{ engagement }} '
        f'invoice(id: "I-1", asOf: {{position: {at}}}) {{ invoice }} '
        f'timesheet(id: "timesheet:W-1:2026-03-02", asOf: {{position: {at}}}) {{ stream }} '
        f"invoices(asOf: {{position: {at}}}) {{ totalCount }} }}"
    )
    answer = books.ask(query, token=token)
    seen = [value for name, value in answer.items() if name != "invoices" and value is not None]
    assert len(seen) == (3 if scope in SEES_DE01 else 0)
    assert answer["invoices"]["totalCount"] == (2 if scope in SEES_DE01 else 0)


def test_every_question_as_every_role(books: Asker) -> None:
    for permission, query in (QUESTIONS | NAMING).items():
        for role in Role:
            expected = set() if role in PERMISSIONS[permission] else {"access.not_permitted"}
            assert set(books.codes(query, role=role)) == expected, (permission, role)


COST = '{ billingEligibility(where: {item: "jira:1#1"}) { nodes { cost costCurrency costInBillingCurrency } } }'
WHY = '{ invoice(id: "I-1") { lines { lots { explanation { because costBecause } } } } }'


@pytest.mark.parametrize("role", Role)
def test_costs_are_shown_to_the_office_only(books: Asker, role: Role) -> None:
    (item,) = books.ask(COST, role=role)["billingEligibility"]["nodes"]
    (lot,) = books.ask(WHY, role=role)["invoice"]["lines"][0]["lots"]
    sees = role in PERMISSIONS["cost"]
    assert (item["cost"], item["costCurrency"]) == (("480.00", "EUR") if sees else (None, None))
    assert (lot["explanation"]["costBecause"] is not None) == sees
    assert lot["explanation"]["because"].startswith("firm card, row senior")
