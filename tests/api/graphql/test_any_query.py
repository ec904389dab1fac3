"""Whatever is asked, in whatever values, the answer is data or a problem with a code, never an accident inside."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.access import Role
from api.graphql.schema import make_schema
from tests.api.asker import Asker

SDL: GraphQLSchema = build_schema(make_schema(local=True).as_str())
DEPTH_MAX = 3
LEAVES_MAX = 12
NAMES = [
    "E-1",
    "E-2",
    "I-1",
    "I-2",
    "P-1-L1",
    "C-1",
    "W-1",
    "DE01",
    "FR01",
    "engagement:E-1",
    "timesheet:W-1:2026-03-02",
]
TEXTS = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(
        ["", " ", "\x00", "'; DROP TABLE item; --", "%", "x" * 5_000, "\U0001f600", "é" * 300, "null", ":"]
    ),
    st.text(max_size=20),
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "String": TEXTS,
    "ID": TEXTS,
    "Int": st.one_of(st.integers(-2, 30), st.sampled_from([2**31 - 1, -(2**31)])),
    "Boolean": st.booleans(),
    "Float": st.floats(allow_nan=False, allow_infinity=False),
    "Decimal": st.one_of(
        st.sampled_from(["0", "-1", "1e5", "0.000000001", "NaN", "Infinity", "9" * 29, "9" * 40, "1,5", ""]),
        st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-10_000, max_value=10_000).map(str),
    ),
    "Position": st.sampled_from([0, 1, 5, 20]),
    "Date": st.one_of(
        st.dates().map(str), st.sampled_from(["2026-03-31", "0001-01-01", "9999-12-31", "2026-02-30", "x"])
    ),
    "DateTime": st.sampled_from(
        ["2026-03-02T09:00:00Z", "2026-03-02T09:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+00:00", "now"]
    ),
    "JSON": st.just({}),
}


def value_of(kind: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a type, most of them possible, some of them absurd."""
    match kind:
        case GraphQLNonNull():
            return value_of(kind.of_type, depth)
        case GraphQLList():
            return st.lists(value_of(kind.of_type, depth + 1), max_size=2)
        case GraphQLEnumType():
            return st.sampled_from(sorted(kind.values))
        case GraphQLInputObjectType():
            return _object_of(kind, depth)
        case _:
            return VALUES[kind.name]


def _object_of(kind: GraphQLInputObjectType, depth: int) -> st.SearchStrategy[Any]:
    if kind.name == "AsOf":
        return st.one_of(st.just({"position": 3}), st.just({}), st.just({"position": 10**9}))
    required = {n: value_of(f.type, depth + 1) for n, f in kind.fields.items() if is_required_input_field(f)}
    optional = {n: value_of(f.type, depth + 1) for n, f in kind.fields.items() if not is_required_input_field(f)}
    return st.fixed_dictionaries(required, optional=optional if depth < DEPTH_MAX else {})


def selection_of(kind: Any, depth: int = 0) -> str:
    """The leaves of a type, and those of the objects in it, as far as no arguments are needed."""
    while isinstance(kind, GraphQLNonNull | GraphQLList):
        kind = kind.of_type
    if not isinstance(kind, GraphQLObjectType):
        return "" if is_leaf_type(kind) else "{ __typename }"
    parts = ["__typename"]
    for name, each in list(kind.fields.items())[:LEAVES_MAX]:
        inner = each.type
        while isinstance(inner, GraphQLNonNull | GraphQLList):
            inner = inner.of_type
        if any(is_required_argument(argument) for argument in each.args.values()):
            continue
        if is_leaf_type(inner):
            parts.append(name)
        elif depth < 2 and (name in ("nodes", "totals", "watermark", "problem", "problems") or depth == 0):
            parts.append(f"{name} {selection_of(inner, depth + 1)}")
    return "{ " + " ".join(parts) + " }"


def requests_of(operation: str, fields: dict[str, GraphQLField]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """One field of the schema, with some of its arguments."""
    return st.sampled_from(sorted(fields)).flatmap(lambda name: _request(operation, name, fields[name]))


def _request(operation: str, name: str, asked: GraphQLField) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    arguments: dict[str, GraphQLArgument] = {n: a for n, a in asked.args.items() if n != "waitFor"}
    required = {n: value_of(a.type) for n, a in arguments.items() if is_required_argument(a)}
    optional = {n: value_of(a.type) for n, a in arguments.items() if n not in required}
    selected = selection_of(asked.type)

    def written(values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        declared = ", ".join(f"${n}: {arguments[n].type}" for n in values)
        given_ = ", ".join(f"{n}: ${n}" for n in values)
        head = f"{operation} Q({declared})" if values else operation
        return f"{head} {{ {name}{f'({given_})' if values else ''} {selected} }}", values

    return st.fixed_dictionaries(required, optional=optional).map(written)


def judge(books: Asker, query: str, values: dict[str, Any], role: Role) -> None:
    headers = {"Authorization": f"Bearer {books.token(role)}"}
    answer = books.send(json={"query": query, "variables": values}, headers=headers)
    assert answer.status_code < 500, answer.text
    if answer.status_code == 400:
        return
    codes = [error.get("extensions", {}).get("code") for error in answer.json().get("errors") or ()]
    assert "internal" not in codes, (query, values, answer.text)


QUIETLY = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@QUIETLY
@given(request=requests_of("query", dict(SDL.query_type.fields) if SDL.query_type else {}), role=st.sampled_from(Role))
def test_every_question_has_an_answer(books: Asker, request: tuple[str, dict[str, Any]], role: Role) -> None:
    judge(books, *request, role)


@QUIETLY
@given(request=requests_of("mutation", dict(SDL.mutation_type.fields) if SDL.mutation_type else {}))
def test_every_wish_is_done_or_refused(books: Asker, request: tuple[str, dict[str, Any]]) -> None:
    judge(books, *request, Role.ADMIN)


@QUIETLY
@given(text=st.one_of(st.text(max_size=60), st.text(alphabet='{}()[]$!:@#"\\ \n\t.,query0', max_size=60)))
def test_whatever_text_is_sent_as_a_query_is_refused_in_words(books: Asker, text: str) -> None:
    judge(books, text, {}, Role.VIEWER)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"1", b'{"query": 1}', b'{"query": null}', b"\xff\xfe", b'"x"',
        b"[" * 20_000 + b"]" * 20_000, b'{"variables": {"a": ' + b"9" * 5_000 + b"}}",
    ],
    ids=lambda body: body[:20],
)  # fmt: skip
def test_whatever_is_sent_instead_of_a_request_is_refused(books: Asker, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {books.token(Role.VIEWER)}", "Content-Type": "application/json"}
    answer = books.send(content=body, headers=headers)
    assert 400 <= answer.status_code < 500
    assert "Traceback" not in answer.text
