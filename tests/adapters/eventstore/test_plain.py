"""Facts that are plain read back as they are written; whatever might not is not called plain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal, NewType
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import TzInfo

from adapters.eventstore import codec as codec_module
from adapters.eventstore.codec import Codec
from adapters.eventstore.plain import plainness_of
from domain.kernel import Cause
from domain.timesheet import Claim, TimeLogged, Work

Worker = NewType("Worker", str)


@dataclass(frozen=True, slots=True)
class Part:
    hours: Decimal
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    text: str
    worker: Worker
    number: int
    truth: bool
    day: date
    hours: Decimal
    at: datetime
    part: Part
    kind: Literal["a", "b"] = "a"
    later: datetime | None = None
    names: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class One:
    day: date


@dataclass(frozen=True, slots=True)
class Other:
    day: date


@dataclass(frozen=True, slots=True)
class Either:
    which: One | Other


@dataclass(frozen=True, slots=True)
class Ambiguous:
    when: date | str


@dataclass(frozen=True, slots=True)
class Normalised:
    text: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", f"{self.text}!")


@dataclass(frozen=True, slots=True)
class Holding:
    inner: Normalised


@dataclass(frozen=True, slots=True)
class Unordered:
    names: frozenset[str]
    amounts: Mapping[str, Decimal]


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FACT = Fact("x", Worker("W-1"), 1, True, date(2026, 3, 2), Decimal("7.5"), NOON, Part(Decimal(1)))
CODEC = Codec({"fact.v1": Fact})

decimals = st.decimals(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(codec="utf-8"))
parts = st.builds(Part, decimals, st.none() | texts)
moments = st.datetimes(timezones=st.sampled_from((UTC, TzInfo(0))))
facts = st.builds(
    Fact,
    texts,
    texts.map(Worker),
    st.integers(),
    st.booleans(),
    st.dates(),
    decimals,
    moments,
    parts,
    st.sampled_from(("a", "b")),
    st.none() | moments,
    st.lists(texts, max_size=3).map(tuple),
    st.lists(parts, max_size=3).map(tuple),
)


@settings(max_examples=300)
@given(facts)
def test_every_plain_fact_reads_back_as_it_was_written(fact: Fact) -> None:
    assert plainness_of(Fact)(fact)
    _, stored = CODEC.encode(fact, Cause("system:jira", "c-1"))
    assert CODEC.decode("fact.v1", stored)[0] == fact


@pytest.mark.parametrize(
    "odd",
    [
        {"text": 1},
        {"text": None},
        {"number": True},
        {"truth": 1},
        {"hours": 7},
        {"hours": 7.5},
        {"hours": Decimal("NaN")},
        {"hours": Decimal("Infinity")},
        {"day": NOON},
        {"at": NOON.replace(tzinfo=None)},
        {"at": NOON.astimezone(timezone(timedelta(hours=1)))},
        {"at": NOON.astimezone(TzInfo(3600))},
        {"at": NOON.astimezone(ZoneInfo("Europe/London"))},
        {"kind": "c"},
        {"names": ["a"]},
        {"names": ("a", 1)},
        {"part": None},
        {"part": Part(Decimal(1), Decimal(2))},  # type: ignore[arg-type]  # what types forbid is the point
        {"parts": (Part(Decimal("NaN")),)},
    ],
    ids=str,
)
def test_a_fact_with_an_odd_part_is_not_plain(odd: dict[str, Any]) -> None:
    is_plain = plainness_of(Fact)
    assert is_plain(FACT)
    assert not is_plain(replace(FACT, **odd))
    assert is_plain(FACT)


@pytest.mark.parametrize(
    "fact",
    [
        Either(One(date(2026, 3, 2))),
        Ambiguous("2026-03-02"),
        Normalised("a"),
        Holding(Normalised("a")),
        Unordered(frozenset("a"), {}),
    ],
    ids=str,
)
def test_what_may_read_back_as_something_else_is_never_plain(fact: object) -> None:
    assert not plainness_of(type(fact))(fact)


def test_a_fact_of_a_subclass_is_not_plain() -> None:
    @dataclass(frozen=True)
    class Special(Part):
        more: str = ""

    assert not plainness_of(Part)(Special(Decimal(1)))


def test_what_is_spared_the_proof_has_the_same_bytes_as_what_is_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    spared = CODEC.encode(FACT, Cause("system:jira", "c-1", occurred_at=NOON))
    monkeypatch.setattr(codec_module, "plainness_of", lambda _kind: lambda _fact: False)
    assert Codec({"fact.v1": Fact}).encode(FACT, Cause("system:jira", "c-1", occurred_at=NOON)) == spared


def test_hours_as_time_systems_tell_them_are_plain() -> None:
    work = Work("P-1", "T-1", date(2026, 3, 2), Decimal("7.5"), started="09:00:00", note="design")
    told = TimeLogged("jira:1", "W-1", Claim("jira", "1", NOON), work)
    assert plainness_of(TimeLogged)(told)
    as_read = replace(told, claim=Claim("tempo", "1", datetime(2026, 3, 2, 12, tzinfo=TzInfo(0))))
    assert plainness_of(TimeLogged)(as_read)
    assert plainness_of(Cause)(Cause("system:jira", "jira:1", "jira:1", "jira:1", NOON))
