"""Every question answers a token of some legal entities as it does where the scope of each query is all there is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLField, GraphQLNonNull, is_required_argument

from adapters.settings import Settings
from api.access import Role
from projections import reader
from tests.api.asker import Asker, asking, two_entities
from tests.api.graphql.test_any_query import SDL, selection_of
from tests.api.group import BORROWER, LENDER, GroupDesk

assert SDL.query_type is not None
FIELDS: dict[str, GraphQLField] = SDL.query_type.fields
WIDE = "SELECT %s::text[], %s"
"""Instead of narrowing a view: nothing."""

IDS = {
    "engagement": ("E-1", "E-9"),
    "project": ("P-1-L1", "P-9-L1"),
    "timesheet": ("timesheet:W-2:2026-03-02", "timesheet:W-9:2026-03-02"),
    "invoice": ("I-1",),
    "creditNote": ("N-1",),
    "lot": ("jira:1#1",),
    "message": ("jira:1",),
}
VALUES = {
    "stream": ("engagement:E-1", "engagement:E-9", "timesheet:W-9:2026-03-02", "legal_entity:DE01", "fx_rate:GBP:USD"),
    "subject": ("engagement:E-1", "project:P-9-L1", "invoice:I-1", "customer:C-1", "customer:C-9"),
    "entity": ("DE01", LENDER, BORROWER),
    "account": ("REVENUE_TM",),
    "period": ("2026-03",),
    "firstPeriod": ("2026-03",),
}
TOKENS: dict[str, dict[str, Any]] = {
    "lender": {"entities": [LENDER]},
    "borrower": {"entities": [BORROWER]},
    "both": {"entities": ["DE01"], "regions": ["APAC"]},
}


def questions(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A field with each of its required arguments, and by some of what it can be added up by."""
    field = FIELDS[name]
    choices: dict[str, tuple[Any, ...]] = {}
    for each, argument in field.args.items():
        kind = argument.type.of_type if isinstance(argument.type, GraphQLNonNull) else argument.type
        if each == "by" and isinstance(kind, GraphQLEnumType):
            choices[each] = tuple(kind.values)[::3]
        elif is_required_argument(argument):
            choices[each] = IDS[name] if each == "id" else VALUES[each]
    declared = ", ".join(f"${each}: {field.args[each].type}" for each in choices)
    given = ", ".join(f"{each}: ${each}" for each in choices)
    head = f"query Q({declared})" if choices else "query"
    query = f"{head} {{ {name}{f'({given})' if choices else ''} {selection_of(field.type)} }}"
    for values in product(*choices.values()):
        yield query, dict(zip(choices, values, strict=True))


@pytest.fixture
def asker(settings: Settings) -> Iterator[Asker]:
    """Four legal entities: two for themselves, and two of which one's people work for the other's customer."""
    with asking(settings) as asker:
        two_entities(asker.world)
        group = GroupDesk(asker)
        agreed: dict[str, Any] = {"lender": LENDER, "borrower": BORROWER, "effectiveFrom": "2026-01-01"}
        group.events("stateAgreement", **agreed, currency="USD", model="fixed", parameter="120")
        group.world.deliver("1", "10")
        group.events("runIntercompany", period="2026-03")
        group.world.deliver("2", "3", day=1)
        group.world.react()
        asker.fold()
        yield asker


def test_every_question_answers_a_scope_as_before(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    told = set()
    for (scope, granted), name in product(TOKENS.items(), FIELDS):
        token = asker.token(Role.ADMIN, **granted)
        for query, values in questions(name):
            with monkeypatch.context() as patched:
                patched.setattr(reader, "NARROW", WIDE)
                before = asker.post(query, values, token=token)
            assert asker.post(query, values, token=token) == before, (scope, query, values)
            told.update([name] if (before.get("data") or {}).get(name) else [])
    assert told >= set(FIELDS) - {"creditNote", "groupMargin", "message", "messages", "periodDifference"}, (
        "each told somebody something"
    )
