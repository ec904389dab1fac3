from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.statements import Fields, Scalar, heard, news, value

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def told(*statements: tuple[dict[str, Scalar], int]) -> Fields:
    known: Fields = {}
    for fields, minute in statements:
        at = NINE + timedelta(minutes=minute)
        known = heard(known, news(fields, at, known), at)
    return known


def test_a_field_that_is_not_mentioned_keeps_its_value() -> None:
    assert value(told(({"name": "Acme", "city": "Bonn"}, 0), ({"city": "Ulm"}, 1)), "name") == "Acme"


def test_a_late_statement_fills_gaps_but_never_overwrites_a_newer_one() -> None:
    known = told(({"city": "Ulm"}, 5), ({"city": "Bonn", "name": "Acme"}, 1))
    assert (value(known, "city"), value(known, "name")) == ("Ulm", "Acme")


def test_a_cleared_field_is_empty_until_a_newer_statement() -> None:
    assert value(told(({"tax_id": "DE1"}, 0), ({"tax_id": None}, 1)), "tax_id") is None


STATEMENTS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("abc"), st.one_of(st.none(), st.sampled_from(["x", "y"])), min_size=1),
        st.integers(0, 4),
    ),
    max_size=6,
)


@given(STATEMENTS, st.randoms())
def test_any_order_and_repetition_of_statements_gives_the_same_record(
    statements: list[tuple[dict[str, Scalar], int]], random: object
) -> None:
    again = statements + statements[:2]
    random.shuffle(again)  # type: ignore[attr-defined]  # hypothesis types its random as object
    first, second = told(*statements), told(*again)
    assert {name: value(first, name) for name in "abc"} == {name: value(second, name) for name in "abc"}
