"""Every version of every event that was ever released is read for ever, from the bytes as they were stored then.

The files beside this test are those bytes. A new event gets its file by ``python -m tests.golden.test_golden_events``;
an existing file is never changed.
"""

from __future__ import annotations

import types
import typing
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from adapters.eventstore.codec import Codec
from domain.catalogue import EVENTS, UPCASTS
from domain.kernel import Cause
from domain.money import Money

FOLDER = Path(__file__).parent
MOMENT = datetime(2026, 3, 2, 9, 30, 15, 250000, tzinfo=UTC)
CAUSE = Cause("system:jira", "c-1", "timesheet:W-1:2026-03-02@7", "jira:m-1", MOMENT)
PLAIN: dict[Any, Any] = {
    str: "text",
    int: 7,
    bool: True,
    Decimal: Decimal("12.50"),
    date: date(2026, 3, 2),
    datetime: MOMENT,
    Money: Money(Decimal("1600.00"), "EUR"),
}


def example(kind: Any) -> Any:
    """A value of a type with every field filled, the same at every run."""
    kind = getattr(kind, "__supertype__", kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in PLAIN:
        return PLAIN[kind]
    if origin is Literal:
        return arguments[0]
    if origin in (Union, types.UnionType):
        return example(next(each for each in arguments if each is not type(None)))
    if origin is tuple:
        return (example(arguments[0]),)
    if origin is not None and issubclass(origin, typing.Mapping):
        return {example(arguments[0]): example(arguments[1])}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    hints = get_type_hints(kind)
    return kind(**{field.name: example(hints[field.name]) for field in fields(kind)})


def golden(name: str) -> Path:
    return FOLDER / f"{name}.json"


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(EVENTS, UPCASTS)


@pytest.mark.parametrize("name", sorted({*EVENTS, *UPCASTS}))
def test_a_stored_event_is_read_as_it_was_written(codec: Codec, name: str) -> None:
    stored = golden(name).read_bytes().rstrip(b"\n")
    event, cause = codec.decode(name, stored)
    assert cause == CAUSE
    if name in EVENTS:
        assert event == example(EVENTS[name])
        assert codec.encode(event, cause) == (name, stored)


def test_every_file_belongs_to_a_published_name() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {*EVENTS, *UPCASTS}


if __name__ == "__main__":
    writer = Codec(EVENTS, UPCASTS)
    for new in sorted(name for name in EVENTS if not golden(name).exists()):
        golden(new).write_bytes(writer.encode(example(EVENTS[new]), CAUSE)[1] + b"\n")
