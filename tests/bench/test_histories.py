"""The long histories that the benchmarks read are logs as the ledger writes them, only quicker."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest

from adapters.eventstore.codec import Codec
from adapters.eventstore.ledger import Ledger
from domain.catalogue import DECIDERS, EVENTS
from domain.invoice import InvoiceIssued
from domain.kernel import StreamId, decider_name, local_id
from domain.lots import LotStatus
from domain.timesheet import Timesheet
from tests.bench.histories import History, Row, store

EVENTS_WANTED = 4_000


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [row for _, commit in History(EVENTS_WANTED).commits() for row in commit]


@pytest.fixture(scope="module")
def states(rows: list[Row]) -> dict[StreamId, Any]:
    codec, found = Codec(EVENTS), dict[StreamId, Any]()
    for row in rows:
        stream = StreamId(row.stream.decode())
        decider = DECIDERS[decider_name(stream)]
        event, _ = codec.decode(row.name.decode(), row.state)
        found[stream] = decider.evolve(found.get(stream, decider.initial), event)
    return found


def test_a_history_has_the_events_that_were_asked_for_and_hardly_more(rows: list[Row]) -> None:
    assert EVENTS_WANTED <= len(rows) < EVENTS_WANTED * 1.05


def test_the_same_history_is_the_same_to_the_byte(rows: list[Row]) -> None:
    assert [row for _, commit in History(EVENTS_WANTED).commits() for row in commit] == rows


def test_the_versions_of_each_stream_count_from_one(rows: list[Row]) -> None:
    seen = Counter[bytes]()
    for row in rows:
        seen[row.stream] += 1
        assert row.version == seen[row.stream], row.stream


def test_recorded_times_never_go_back() -> None:
    times = [at for at, _ in History(EVENTS_WANTED).commits()]
    assert all(earlier <= later for earlier, later in itertools.pairwise(times))


def test_no_token_of_a_tile_is_left(rows: list[Row]) -> None:
    for row in rows:
        assert b"T0000000" not in row.stream + row.state
        assert b"W-P0000" not in row.stream + row.state


def test_each_state_names_its_own_stream(states: dict[StreamId, Any]) -> None:
    for stream, state in states.items():
        if isinstance(state, Timesheet):
            assert local_id(stream).partition(":")[0] == state.resource
            assert {lot.lot.resource for lot in state.lots.values()} <= {state.resource}


def test_invoice_numbers_are_gapless_and_bill_the_lots_that_they_name(
    rows: list[Row], states: dict[StreamId, Any]
) -> None:
    codec, numbers = Codec(EVENTS), dict[str, list[int]]()
    for row in rows:
        event, _ = codec.decode(row.name.decode(), row.state)
        if not isinstance(event, InvoiceIssued):
            continue
        prefix, _, number = event.document.number.rpartition("-")
        numbers.setdefault(prefix, []).append(int(number))
        for line in event.document.lines:
            for part in line.lots:
                held = states[part.stream].lots[part.lot]
                assert (held.status, held.invoice, held.lot.value) == (LotStatus.BILLED, event.invoice, part.value)
    assert numbers
    for taken in numbers.values():
        assert taken == list(range(1, len(taken) + 1))


def test_it_is_stored_as_the_ledger_reads_it(database_url: str, rows: list[Row]) -> None:
    last = store(History(EVENTS_WANTED), database_url, "ledger")
    with Ledger(database_url, EVENTS, DECIDERS) as ledger:
        assert ledger.head() == last == len(rows)
        read = ledger.read(0, 2 * EVENTS_WANTED)
        assert [(fact.stream, fact.version, fact.position) for fact in read] == [
            (row.stream.decode(), row.version, position) for position, row in enumerate(rows, start=1)
        ]
        assert ledger.load([read[-1].stream])[read[-1].stream].version == read[-1].version
