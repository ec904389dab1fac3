"""What is too much is refused before it is validated, however it is dressed up, and measuring it is quick."""

from __future__ import annotations

import itertools
import time

import pytest
from graphql import parse

from api.graphql.limits import ALIASES_MAX, DEPTH_MAX, Measure, Measuring, too_much


def measured(query: str, **variables: object) -> Measure:
    return Measuring(parse(query), variables).whole()


def test_a_page_costs_its_items() -> None:
    assert measured("{ invoices(first: 20) { edges { node { id number } } } }") == Measure(4, 0, 1 + 20 * 4)
    assert measured("query($n: Int) { invoices(first: $n) { nodes { id } } }", n=7).cost == 1 + 7 * 2
    assert measured("{ invoices { nodes { id } } }").cost == 1 + 50 * 2
    assert measured("{ invoices { totalCount } }").cost == 2
    assert measured("{ invoices { ...f } } fragment f on C { nodes { id } }").cost == 1 + 50 * 2


def test_pages_within_pages_multiply() -> None:
    query = "{ projects(first: 500) { nodes { invoices(first: 500) { nodes { id } } } } }"
    assert "may cost" in (too_much(parse(query), {}) or "")


def test_a_request_that_is_too_deep_is_refused() -> None:
    query = "{" + "a{" * DEPTH_MAX + "b" + "}" * DEPTH_MAX + "}"
    assert f"{DEPTH_MAX + 1} levels deep" in (too_much(parse(query), {}) or "")


def test_many_aliases_are_refused() -> None:
    query = "{" + " ".join(f"a{n}: ledger {{ position }}" for n in range(ALIASES_MAX + 1)) + "}"
    assert f"{ALIASES_MAX + 1} aliases" in (too_much(parse(query), {}) or "")


def test_fragments_that_double_themselves_are_measured_at_once() -> None:
    names = [f"f{n}" for n in range(60)]
    doubling = " ".join(f"fragment {a} on Q {{ ...{b} ...{b} }}" for a, b in itertools.pairwise(names))
    query = f"{{ ...f0 }} {doubling} fragment f59 on Q {{ x: ledger {{ position }} }}"
    began = time.thread_time()
    assert "aliases" in (too_much(parse(query), {}) or "")
    assert time.thread_time() - began < 5, "a hundredth of that; two to the sixtieth would not end"


def test_a_fragment_that_contains_itself_is_refused() -> None:
    query = "{ ...a } fragment a on Q { ...b } fragment b on Q { ledger { ...a } }"
    assert too_much(parse(query), {}) in ("Fragment a contains itself.", "Fragment b contains itself.")


@pytest.mark.parametrize("query", ["{ __schema { types { fields { type { ofType { ofType { name } } } } } } }"])
def test_introspection_is_judged_elsewhere(query: str) -> None:
    assert too_much(parse(query), {}) is None
