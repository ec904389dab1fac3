"""A mapping in layers is the mapping that plain copies would have made, and old states stay as they were."""

from hypothesis import given as every
from hypothesis import strategies as st

from domain.layers import Layered, with_changes

CHANGES = st.lists(st.dictionaries(st.integers(0, 200), st.integers(), max_size=40), max_size=40)


@every(changes=CHANGES)
def test_layers_are_what_copies_would_be(changes: list[dict[int, int]]) -> None:
    mine, plain, kept = {}, {}, []  # type: ignore[var-annotated]  # grown below
    for each in changes:
        kept.append((mine, plain))
        mine, plain = with_changes(mine, each), {**plain, **each}  # type: ignore[assignment]  # a mapping is a mapping
    kept.append((mine, plain))
    for layered, copied in kept:
        assert list(layered.items()) == list(copied.items())
        assert (len(layered), list(layered), list(layered.values())) == (
            len(copied),
            list(copied),
            list(copied.values()),
        )
        assert layered == copied
        assert all(layered[key] == value and key in layered for key, value in copied.items())
        assert 1_000 not in layered


def test_ten_thousand_changes_stay_in_few_layers() -> None:
    book: object = {}
    for number in range(10_000):
        book = with_changes(book, {number: number})  # type: ignore[arg-type]  # grown step by step
    assert isinstance(book, Layered)
    assert len(book.layers) <= 16
    assert (len(book), book[7], book[9_999]) == (10_000, 7, 9_999)
