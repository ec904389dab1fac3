"""Events are written in one published form, read back equal, and refused when they do not have that form."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import timeit
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, NewType
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.eventstore.codec import Codec
from adapters.eventstore.errors import CatalogueError, UnfaithfulEvent, UnknownEventName, UnreadableEvent
from domain.kernel import Cause

Worker = NewType("Worker", str)


class Kind(Enum):
    TRAVEL = "travel"
    WORK = "work"


@dataclass(frozen=True, slots=True)
class Money:
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Hours:
    hours: Decimal
    kind: Literal["hours"] = "hours"


@dataclass(frozen=True, slots=True)
class Days:
    days: int
    parts: tuple[Hours, ...] = ()


@dataclass(frozen=True, slots=True)
class Logged:
    entry: str
    worker: Worker
    day: date
    hours: Decimal
    billable: bool
    rate: Money
    note: str | None
    kind: Kind
    at: datetime
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rich:
    lots: tuple[Hours | Days, ...] = ()
    names: frozenset[str] = frozenset()
    amounts: frozenset[Money] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    rates: Mapping[str, Decimal] | None = None
    by_day: dict[date, Money] | None = None
    pair: tuple[int, str] = (1, "a")
    at: datetime = datetime(2026, 3, 2, tzinfo=UTC)


CODEC = Codec({"time.logged.v1": Logged, "rich.v1": Rich})
CAUSE = Cause("system:jira", "corr-1", message_id="jira:1", occurred_at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
LOGGED = Logged(
    entry="E-1",
    worker=Worker("W-17"),
    day=date(2026, 3, 2),
    hours=Decimal("7.50"),
    billable=True,
    rate=Money(Decimal("120.00"), "EUR"),
    note=None,
    kind=Kind.WORK,
    at=datetime(2026, 3, 2, 9, 0, tzinfo=timezone(timedelta(hours=1))),
    tags=("on site",),
)
STORED = (
    b'{"e":{"entry":"E-1","worker":"W-17","day":"2026-03-02","hours":"7.50","billable":true,'
    b'"rate":{"amount":"120.00","currency":"EUR"},"note":null,"kind":"work","at":"2026-03-02T09:00:00+01:00",'
    b'"tags":["on site"]},'
    b'"c":{"actor":"system:jira","correlation_id":"corr-1","message_id":"jira:1","occurred_at":"2026-03-02T09:30:00Z"}}'
)


def test_a_form_made_on_demand_writes_and_reads_the_same_and_is_proved_when_it_is_first_used() -> None:
    on_demand = Codec({"time.logged.v1": Logged, "rich.v1": Rich}, on_demand=True)
    assert on_demand.names == CODEC.names
    for event in (LOGGED,):
        stored = CODEC.encode(event, CAUSE)
        assert on_demand.encode(event, CAUSE) == stored
        assert on_demand.decode(*stored) == (event, CAUSE)


def test_an_event_has_one_published_form() -> None:
    assert CODEC.encode(LOGGED, CAUSE) == ("time.logged.v1", STORED)
    assert CODEC.decode("time.logged.v1", STORED) == (LOGGED, CAUSE)


def test_decimals_keep_their_places_and_times_their_offset() -> None:
    event, _ = CODEC.decode("time.logged.v1", STORED)
    assert str(event.hours) == "7.50"
    assert event.at.utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize(
    "event",
    [
        Rich(lots=(Hours(Decimal(1)), Days(2, (Hours(Decimal("0.5")),)))),
        Rich(names=frozenset("cab"), kinds=frozenset(Kind)),
        Rich(amounts=frozenset({Money(Decimal(2), "EUR"), Money(Decimal(1), "EUR")})),
        Rich(rates={"b": Decimal("1.10"), "a": Decimal(2)}, by_day={date(2026, 3, 2): Money(Decimal(1), "EUR")}),
        Rich(at=datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1)),
        Rich(at=datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=0)),
    ],
)
def test_every_kind_of_field_reads_back(event: Rich) -> None:
    name, stored = CODEC.encode(event, CAUSE)
    again, _ = CODEC.decode(name, stored)
    assert again == replace(event, at=datetime.fromisoformat(event.at.isoformat()))


@given(
    st.decimals(allow_nan=False, allow_infinity=False),
    st.datetimes(timezones=st.timezones()),
    st.frozensets(st.text(st.characters(exclude_categories=["Cs"]))),
)
def test_any_value_reads_back(amount: Decimal, at: datetime, names: frozenset[str]) -> None:
    event = Rich(rates={"x": amount}, at=at, names=names)
    if at.utcoffset() != timedelta(minutes=round((at.utcoffset() or timedelta()).total_seconds() / 60)):
        return  # local mean times of the 19th century have offsets with seconds, which ISO 8601 does not know
    again, _ = CODEC.decode(*CODEC.encode(event, CAUSE))
    assert (again.rates, again.names, again.at.isoformat()) == ({"x": amount}, names, at.isoformat())


def test_equal_events_have_equal_bytes_in_every_process() -> None:
    script = (
        "from tests.adapters.eventstore.test_codec import *;"
        "print(CODEC.encode(Rich(names=frozenset('abcdefgh'), kinds=frozenset(Kind)), CAUSE)[1].decode())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert '["a","b","c","d","e","f","g","h"]' in outputs.pop()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"7.50"', b"7.5"),
        (b'"7.50"', b'"NaN"'),
        (b'"7.50"', b'"seven"'),
        (b'"note":null,', b""),
        (b'"note"', b'"nota"'),
        (b'"note":null', b'"note":null,"more":1'),
        (b'"amount"', b'"more":1,"amount"'),
        (b'"billable":true', b'"billable":1'),
        (b'"billable":true', b'"billable":"true"'),
        (b'"work"', b'"play"'),
        (b"+01:00", b""),
        (b'"2026-03-02"', b'"2026-02-30"'),
        (b'"2026-03-02"', b"1772409600"),
        (b'["on site"]', b'"on site"'),
        (b'"E-1"', b"1"),
        (b'"actor"', b'"author"'),
        (b"T09:30:00Z", b"T09:30:00"),
        (b'{"e"', b'["e"'),
    ],
)
def test_what_does_not_have_the_published_form_is_unreadable(old: bytes, new: bytes) -> None:
    assert old in STORED
    with pytest.raises(UnreadableEvent, match=r"time\.logged\.v1"):
        CODEC.decode("time.logged.v1", STORED.replace(old, new))


@pytest.mark.parametrize(
    "wrong",
    [
        {"hours": 7.5},
        {"hours": 7},
        {"hours": Decimal("NaN")},
        {"at": datetime(2026, 3, 2)},  # noqa: DTZ001  # the missing zone is the point
        {"tags": ["on site"]},
        {"note": Decimal(1)},
        {"kind": "work"},
        {"day": datetime(2026, 3, 2, 5, tzinfo=UTC)},
        {"rate": None},
        {"entry": "half \ud800"},
    ],
    ids=str,
)
def test_an_event_that_would_not_read_back_is_not_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnfaithfulEvent):
        CODEC.encode(replace(LOGGED, **wrong), CAUSE)


def test_a_cause_that_would_not_read_back_is_not_written_either() -> None:
    naive = replace(CAUSE, occurred_at=datetime(2026, 3, 2))  # noqa: DTZ001  # the missing zone is the point
    for _ in range(2):
        with pytest.raises(UnfaithfulEvent):
            CODEC.encode(LOGGED, naive)


def test_two_shapes_that_look_alike_are_noticed() -> None:
    codec = Codec({"answered.v1": Answered})
    codec.encode(Answered(Accepted(date(2026, 3, 2))), CAUSE)
    with pytest.raises(UnfaithfulEvent, match="would read back as"):
        codec.encode(Answered(Rejected(date(2026, 3, 2))), CAUSE)


# -- the catalogue ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Loose:
    value: Any


@dataclass(frozen=True, slots=True)
class Rounded:
    amount: float


@dataclass(frozen=True, slots=True)
class Listed:
    items: list[int]


@dataclass(frozen=True, slots=True)
class Deep:
    inner: tuple[Rounded | None, ...]


@dataclass(frozen=True, slots=True)
class Dangling:
    field: NowhereDefined  # type: ignore[name-defined]  # noqa: F821  # the missing name is the point


class Plain:
    pass


@dataclass(frozen=True, slots=True)
class Accepted:
    on: date


@dataclass(frozen=True, slots=True)
class Rejected:
    on: date


@dataclass(frozen=True, slots=True)
class Answered:
    answer: Accepted | Rejected


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        (Loose, "name the type"),
        (Rounded, "use Decimal"),
        (Listed, "use a tuple"),
        (Deep, "use Decimal"),
        (Dangling, "NowhereDefined"),
        (Plain, "not a dataclass"),
    ],
)
def test_a_type_that_cannot_be_published_is_found_at_start(kind: type, advice: str) -> None:
    with pytest.raises(CatalogueError, match=advice):
        Codec({"bad.v1": kind})


def test_one_class_has_one_name() -> None:
    with pytest.raises(CatalogueError, match="one name"):
        Codec({"a.v1": Money, "b.v1": Money})


def test_an_event_without_a_name_cannot_be_written_and_an_unknown_name_not_read() -> None:
    with pytest.raises(UnknownEventName, match="Money"):
        CODEC.encode(Money(Decimal(1), "EUR"), CAUSE)
    with pytest.raises(UnknownEventName, match=r"gone\.v1"):
        CODEC.decode("gone.v1", STORED)
    with pytest.raises(UnknownEventName, match=r"gone\.v1"):
        CODEC.json_schema("gone.v1")


# -- old versions ----------------------------------------------------------------------------------------------------


def test_old_versions_come_back_in_todays_shape() -> None:
    codec = Codec(
        {"money.v3": Money},
        {
            "money.v1": ("money.v2", lambda old: {"amount": old["cents"]}),
            "money.v2": ("money.v3", lambda old: {"amount": old["amount"], "currency": "EUR"}),
        },
    )
    why = json.dumps({"actor": "user:a", "correlation_id": "c"})
    event, cause = codec.decode("money.v1", f'{{"e":{{"cents":"5"}},"c":{why}}}'.encode())
    assert (event, cause) == (Money(Decimal(5), "EUR"), Cause("user:a", "c"))
    assert codec.decode("money.v2", f'{{"e":{{"amount":"6"}},"c":{why}}}'.encode())[0] == Money(Decimal(6), "EUR")
    assert codec.current_name("money.v1") == "money.v3"
    assert codec.names == {"money.v1", "money.v2", "money.v3"}
    for broken in (b'{"e":{},"c":{}}', b'{"c":{}}', b"{", b"[]"):
        with pytest.raises(UnreadableEvent):
            codec.decode("money.v1", broken)


@pytest.mark.parametrize(
    ("upcasts", "complaint"),
    [
        ({"money.v1": ("money.v2", dict)}, "not in the catalogue"),
        ({"money.v1": ("money.v0", dict), "money.v0": ("money.v1", dict)}, "circle"),
        ({"money.v3": ("money.v3", dict)}, "both"),
    ],
)
def test_upcasts_lead_to_a_current_name(upcasts: Any, complaint: str) -> None:
    with pytest.raises(CatalogueError, match=complaint):
        Codec({"money.v3": Money}, upcasts)


def test_a_new_field_with_a_default_needs_no_new_version() -> None:
    event, _ = CODEC.decode("time.logged.v1", STORED.replace(b',"tags":["on site"]', b""))
    assert event == replace(LOGGED, tags=())


# -- documentation and speed -----------------------------------------------------------------------------------------


def test_each_event_has_a_json_schema() -> None:
    schema = CODEC.json_schema("time.logged.v1")
    assert schema["$id"] == "time.logged.v1"
    assert schema["properties"]["hours"]["type"] == "string"
    assert schema["properties"]["at"]["format"] == "date-time"
    assert "hours" in schema["required"]
    assert set(schema["$defs"]) == {"Kind", "Money"}


def test_writing_and_reading_take_microseconds() -> None:
    def best_us(work: Any) -> float:
        return min(timeit.repeat(work, timer=time.thread_time, number=500, repeat=9)) / 500 * 1e6

    assert best_us(lambda: CODEC.encode(LOGGED, CAUSE)) < 40, "about 6 on an idle machine"
    assert best_us(lambda: CODEC.decode("time.logged.v1", STORED)) < 25, "about 3 on an idle machine"
