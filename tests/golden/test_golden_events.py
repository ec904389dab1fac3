"""Every version of every event that was ever released is read for ever, from the bytes as they were stored then.

The files beside this test are those bytes: ``<name>.json`` as an event was first released, ``<name>+1.json`` and so on
after it gained optional fields. An event whose fields may have several forms has a file for each further form,
``<name>~<form>.json``. ``python -m tests.golden.test_golden_events`` writes what is missing; an existing
file is never changed.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
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


def forms_of(union: Any) -> list[type]:
    """The dataclasses that a union is made of, when there are several."""
    if get_origin(union) not in (Union, types.UnionType):
        return []
    forms: list[type] = [each for each in get_args(union) if isinstance(each, type) and is_dataclass(each)]
    return forms if len(forms) > 1 else []


def further_forms(kind: Any) -> Iterator[type]:
    """Every form that an example does not show, because a union inside the type has another one first."""
    kind = getattr(kind, "__supertype__", kind)
    forms = forms_of(kind)
    yield from forms[1:]
    inner = list(get_args(kind))
    if is_dataclass(kind) and kind not in PLAIN:
        hints = get_type_hints(kind)
        inner = [hints[field.name] for field in fields(kind)]
    for each in inner:
        yield from further_forms(each)


def kind_of(form: type) -> str:
    """What a form calls itself in its stored shape, or else its name."""
    kinds = [field.default for field in fields(form) if field.name == "kind"]
    return str(kinds[0]) if kinds else form.__name__


def variants(name: str) -> dict[str, Any]:
    """An event in all its forms, by the name of the file: one of each type in every union."""
    found = {name: example(EVENTS[name])}
    for form in dict.fromkeys(further_forms(EVENTS[name])):
        found[f"{name}~{kind_of(form)}"] = example(EVENTS[name], form)
    return found


def example(kind: Any, wanted: type | None = None) -> Any:
    """A value of a type with every field filled, the same at every run; where ``wanted`` may stand it does."""
    kind = getattr(kind, "__supertype__", kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in PLAIN:
        return PLAIN[kind]
    if origin is Literal:
        return arguments[0]
    if origin in (Union, types.UnionType):
        told = [each for each in arguments if each is not type(None)]
        return example(wanted if wanted in told else told[0], wanted)
    if origin is tuple:
        return (example(arguments[0], wanted),)
    if origin is not None and issubclass(origin, typing.Mapping):
        return {example(arguments[0], wanted): example(arguments[1], wanted)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    hints = get_type_hints(kind)
    return kind(**{field.name: example(hints[field.name], wanted) for field in fields(kind)})


def name_of(file: Path) -> str:
    return file.stem.partition("+")[0].partition("~")[0]


def files_of(form: str) -> list[Path]:
    """All files of one form of an event, the newest last."""
    found = [path for path in FOLDER.glob("*.json") if path.stem.partition("+")[0] == form]
    return sorted(found, key=lambda path: int(path.stem.partition("+")[2] or 0))


def holds(written: Any, stored: Any) -> bool:
    """Whether everything that was stored is still there; what is written today may say more."""
    if isinstance(stored, dict) and isinstance(written, dict):
        return all(name in written and holds(written[name], value) for name, value in stored.items())
    if isinstance(stored, list) and isinstance(written, list):
        return len(written) == len(stored) and all(map(holds, written, stored))
    return bool(written == stored)


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(EVENTS, UPCASTS)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_a_stored_event_is_read_with_everything_it_said_when_it_was_written(codec: Codec, file: Path) -> None:
    name, stored = name_of(file), file.read_bytes().rstrip(b"\n")
    event, cause = codec.decode(name, stored)
    assert cause == CAUSE
    if name in EVENTS:
        assert holds(json.loads(codec.encode(event, cause)[1]), json.loads(stored))


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_the_newest_file_of_an_event_has_all_its_fields_and_is_written_the_same_today(codec: Codec, name: str) -> None:
    for form, event_today in variants(name).items():
        stored = files_of(form)[-1].read_bytes().rstrip(b"\n")
        event, cause = codec.decode(name, stored)
        assert event == event_today
        assert codec.encode(event, cause) == (name, stored)


def test_every_file_belongs_to_a_published_name_and_every_name_has_one() -> None:
    assert {name_of(path) for path in FOLDER.glob("*.json")} == {*EVENTS, *UPCASTS}


def write_missing() -> None:
    """A file for each event that has none, and a further one for each that says more than its newest file."""
    codec = Codec(EVENTS, UPCASTS)
    for name in EVENTS:
        for form, event in variants(name).items():
            today = codec.encode(event, CAUSE)[1] + b"\n"
            files = files_of(form)
            if not files or files[-1].read_bytes() != today:
                (FOLDER / (f"{form}+{len(files)}.json" if files else f"{form}.json")).write_bytes(today)


if __name__ == "__main__":
    write_missing()
