"""Whatever stands in a field of a published message is a mistake of its sender, never a defect of the program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path as File
from typing import Any

import pytest
from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st

from adapters.vendors import salesforce
from adapters.vendors.canonical.documents import json_schema
from adapters.vendors.canonical.messages import deciders_of
from adapters.vendors.unreadable import Defective
from domain.catalogue import COMMANDS
from projections import scheme
from tests.adapters.inbox.office import Office
from tests.adapters.vendors.payloads import Letter
from tests.adapters.vendors.reading import mail
from tests.adapters.vendors.test_canonical import example
from tests.projections.books import fold

Path = tuple[str | int, ...]
SAMPLES = File(salesforce.__file__).parents[1].glob("*/samples/*.json")
SYSTEMS = ("ecb", "jira", "salesforce", "tempo", "workday")
DEEP = json.loads("[" * 200 + "]" * 200)
NASTY: tuple[Any, ...] = (
    None, "", " ", "\x00", "nul \x00", "\u202e", "x" * 5_000, "💥", "a:b", "a/b", "a@b", "'; DROP TABLE item; --",
    "1e999999", "-1e999999", "1e40", "1e-999999", "NaN", "Infinity", "-0", "9999999999999", 0, -1, 2**63 - 1, 1e308,
    True, [], {}, [[]], {"a": 1}, "9999-12-31", "0001-01-01", "2026-02-29", "9999-12-31T23:59:59+14:00", "EUX",
    "\u0415UR", "\uff25\uff35\uff32", "W\u20111", "E-1\u200b", "\u0661\u0662", "1\u066b5", "1_000", "0x10", "+5", DEEP,
)  # fmt: skip
STREAM_IDS = {"timesheet": "W-1:2026-01-01", "rate_card": "firm:FIRM", "fx_rate": "EUR:EUR", "expense_report": "EUR"}


def _published() -> Iterator[Letter]:
    for name in sorted(COMMANDS):
        schema = json_schema(name)
        kind = deciders_of(name)[0]
        message = {**example(schema, schema), "stream": f"{kind}:{STREAM_IDS.get(kind, 'EUR')}"}
        yield Letter(f"p2c.in.canonical.{name.rpartition('.v')[0]}", message)
    for file in sorted(SAMPLES):
        if (system := file.parts[-3]) in SYSTEMS:
            yield Letter(f"p2c.in.{system}.{file.stem}", json.loads(file.read_text(encoding="utf-8")))


LETTERS = tuple(_published())


def _places(told: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    inner = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    for name, each in inner:
        yield from _places(each, (*path, name))


def _with(told: Any, path: Path, value: Any) -> Any:
    changed = deepcopy(told)
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return changed


@st.composite
def mistakes(draw: st.DrawFn) -> Letter:
    """A published message with something else in one of its fields."""
    letter = draw(st.sampled_from(LETTERS))
    body = _with(letter.body, draw(st.sampled_from(list(_places(letter.body)))), draw(st.sampled_from(NASTY)))
    return Letter(letter.subject, body, {"x-atlassian-webhook-identifier": f"hook-{draw(st.integers(0, 10**9))}"})


@settings(max_examples=60, deadline=None)
@whatever(st.lists(mistakes(), min_size=1, max_size=20))
def test_any_mistake_of_a_sender_has_a_fate_and_a_name_and_reads_back(letters: list[Letter]) -> None:
    office = Office()
    office.deliver_one_by_one(letters)
    for letter in letters:
        told = office.row(letter)
        assert told.code != "message.defect", told.detail
        assert told.fate in ("recorded", "quiet", "parked") or told.code, told
    book = fold(office.ledger)
    for table in scheme.TABLES:
        assert "\\u0000" not in table.document(list(book.all(table).values()))


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter.subject.removeprefix("p2c.in."))
def test_no_value_in_any_field_is_called_a_defect(letter: Letter) -> None:
    for path in _places(letter.body):
        for value in NASTY:
            found = mail(Letter(letter.subject, _with(letter.body, path, value), letter.headers)).unreadable
            assert not isinstance(found, Defective), f"{path}: {value!r}"


def test_the_published_messages_are_worth_mistaking() -> None:
    assert {letter.subject.split(".")[2] for letter in LETTERS} == {"canonical", *SYSTEMS}
    assert len(LETTERS) > 80
