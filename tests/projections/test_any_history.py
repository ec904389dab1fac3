"""Whatever a firm's history, and however it is cut into batches, the read models say the same, and it is true."""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal

import pytest

from adapters.eventstore.memory import MemoryLedger
from domain import eligibility
from domain.billing import billable
from domain.catalogue import DECIDERS, EVENTS
from domain.eligibility.reasons import Hold, LotFacts
from domain.kernel import Cause, Recorded, StreamId, decider_name
from domain.lots import ENDED, LotStatus
from domain.ports import LotAt
from projections.eligibility.items import ITEMS, Item
from projections.eligibility.sums import ITEM_SUMS, REASON_SUMS
from projections.fold import Fold
from projections.invoices.fold import INVOICE_SUMS, INVOICES
from projections.margin.fold import MARGINS
from projections.memory import MemoryStore
from projections.registers.fold import ENGAGEMENTS
from projections.systems.sync_fold import SYNC_SUMS, SYNCS
from projections.tables import Row, Table
from tests.drafting import draft_invoice
from tests.projections import histories
from tests.projections.books import differences, fold

EVENTS_EACH = 2_500


class Told:
    """A firm's history, and what it was folded into at once."""

    def __init__(self, seed: int) -> None:
        self.ledger = MemoryLedger(EVENTS, DECIDERS)
        histories.write(self.ledger, EVENTS_EACH, seed=seed, consultants=5, engagements=4)
        self.store = fold(self.ledger)

    def rows(self, table: Table[Row]) -> list[Row]:
        return [table.row(values) for values in self.store.all(table).values()]

    def state(self, stream: StreamId) -> object:
        return self.ledger.load([stream])[stream].state


@pytest.fixture(scope="module", params=range(1, 7))
def told(request: pytest.FixtureRequest) -> Told:
    return Told(request.param)


@pytest.mark.parametrize("seed", range(3))
def test_the_rows_do_not_depend_on_batches_and_restarts(told: Told, seed: int) -> None:
    cut = random.Random(seed)
    store = MemoryStore()
    folding = Fold(told.ledger, store, 0)
    while facts := told.ledger.read(folding.position, cut.choice((1, 2, 7, 50, 400))):
        store.write(folding.apply(facts))
        if cut.random() < 0.1:
            folding = Fold(told.ledger, store, folding.position)
    assert differences(told.store, store) == []


def test_a_fold_that_can_keep_almost_nothing_in_mind_says_the_same(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.eligibility.open_work.ITEMS_KEPT_MAX", 20)
    monkeypatch.setattr("projections.shelf.ROWS_KEPT_MAX", 10)
    monkeypatch.setattr("projections.contexts.STATES_KEPT_MAX", 3)
    assert differences(told.store, fold(told.ledger, batch=100)) == []


@pytest.mark.parametrize("most", [10, 2_000])
def test_open_work_that_is_decided_once_at_the_end_is_decided_the_same(
    told: Told, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("projections.fold.ITEMS_AT_ONCE", most)
    monkeypatch.setattr("projections.eligibility.open_work.ITEMS_KEPT_MAX", most)
    monkeypatch.setattr("projections.shelf.ROWS_KEPT_MAX", most)
    store = MemoryStore()
    folding = Fold(told.ledger, store, 0)
    while facts := told.ledger.read(folding.position, 300):
        store.write(folding.apply(facts, decide=False))
    for changes in folding.decide_open():
        store.write(changes)
    assert differences(told.store, store) == []


def test_every_decision_is_the_one_that_drafting_would_make(told: Told) -> None:
    """The read model shows what the command decides: the same pure function on the same states."""
    for item in told.rows(ITEMS):
        if not item.is_lot or not item.is_open:
            continue
        stream = StreamId(item.stream)
        held = told.state(stream).lots[item.item]  # type: ignore[attr-defined]
        holds = tuple(Hold(hold.code, hold.because) for hold in held.holds.values())
        facts = LotFacts(stream, held.lot, item.receipt_missing, holds)
        blockers = eligibility.decide(facts, billable.context_of(told.state, held.lot))
        shown = [code for code in item.codes if code != "CAP_EXCEEDED"]
        assert shown == [blocker.code.value for blocker in blockers], item
        assert (item.state == "held") == bool(blockers)


def test_what_is_eligible_is_what_a_draft_would_take(told: Told) -> None:
    by_engagement: dict[str, list[Item]] = defaultdict(list)
    for item in told.rows(ITEMS):
        if item.is_lot and item.is_open and not item.receipt_missing:
            by_engagement[item.engagement].append(item)
    for engagement, items in by_engagement.items():
        eligible = sum((item.eligible_value for item in items), Decimal(0))
        if not eligible:
            continue
        lots = [LotAt(StreamId(item.stream), item.item) for item in items]
        day = max(item.work_date for item in items)
        unit = told.ledger.unit()
        for command in draft_invoice(unit.state, "I-try", engagement, lots, cut_off=day, by="fin", strict=False):
            unit.decide(command, _any_cause(told))
        assert unit.state(StreamId("invoice:I-try")).net.amount == eligible


def test_every_lot_of_the_log_is_an_item_in_the_state_that_its_stream_says(told: Told) -> None:
    items = {(item.stream, item.item): item for item in told.rows(ITEMS) if item.is_lot}
    streams = {fact.stream for fact in told.ledger.read(0, 100_000)}
    lots = 0
    for stream in streams:
        if decider_name(stream) not in ("timesheet", "expense_report", "engagement"):
            continue
        for name, held in told.state(stream).lots.items():  # type: ignore[attr-defined]
            item = items[stream, name]
            lots += 1
            assert (item.status, item.invoice) == (held.status.value, held.invoice)
            assert (item.value, item.quantity) == (held.lot.value.amount, held.lot.quantity)
            assert item.is_open == (held.status is LotStatus.OPEN)
    assert lots == len(items) > 100


def test_work_that_counts_is_an_item_until_it_is_a_lot(told: Told) -> None:
    items = {(item.stream, item.item): item for item in told.rows(ITEMS) if not item.is_lot}
    expected = {}
    for stream in {fact.stream for fact in told.ledger.read(0, 100_000) if decider_name(fact.stream) == "timesheet"}:
        sheet = told.state(stream)
        live = {
            held.lot.source
            for held in sheet.lots.values()  # type: ignore[attr-defined]
            if held.status not in ENDED
        }
        for name, entry in sheet.entries.items():  # type: ignore[attr-defined]
            if entry.counts and name not in live:
                expected[stream, name] = entry.status
    assert {key: item.status for key, item in items.items() if item.kind == "time"} == expected


def test_the_sums_are_the_sums_of_the_rows(told: Told) -> None:
    by_state: dict[tuple[str, ...], list[Decimal | int]] = defaultdict(lambda: [0, Decimal(0)])
    reasons: dict[tuple[str, ...], int] = defaultdict(int)
    for item in told.rows(ITEMS):
        crosses = item.state == "eligible" and item.over_cap_value
        parts = [(item.state, item.eligible_value if crosses else item.value or Decimal(0))]
        parts += [("over_cap", item.over_cap_value)] if crosses else []
        for place, (state, value) in enumerate(parts):
            cell = by_state[item.engagement, state, item.currency or ""]
            cell[0] += 1 if place == 0 else 0
            cell[1] += value
        for code in item.codes if item.is_open else ():
            reasons[code, item.selling_entity, item.currency or ""] += 1
    kept = {
        (row.key, row.state, row.currency): [row.items, row.value]
        for row in told.rows(ITEM_SUMS)
        if row.by == "engagement"
    }
    assert kept == by_state
    assert {(r.code, r.selling_entity, r.currency): r.items for r in told.rows(REASON_SUMS)} == reasons


def test_the_margin_of_the_firm_is_that_of_its_lots(told: Told) -> None:
    standard: dict[str, Decimal] = defaultdict(Decimal)
    billed: dict[str, Decimal] = defaultdict(Decimal)
    for item in told.rows(ITEMS):
        if item.is_lot and item.status not in ("reversed", "split"):
            standard[item.currency or ""] += item.value or 0
            billed[item.currency or ""] += (item.value or 0) if item.status == "billed" else 0
    for by in ("cell", "project", "engagement", "customer", "selling_entity", "practice"):
        for month in (True, False):
            if by == "cell" and not month:
                continue
            rows = [row for row in told.rows(MARGINS) if row.by == by and bool(row.month) == month]
            sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
            for row in rows:
                sums[row.currency][0] += row.standard
                sums[row.currency][1] += row.billed
            assert {currency: each[0] for currency, each in sums.items()} == standard
            assert {currency: each[1] for currency, each in sums.items()} == billed


def test_the_sums_of_invoices_and_synchronisation_are_those_of_their_rows(told: Told) -> None:
    due: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for invoice in told.rows(INVOICES):
        due[invoice.selling_entity, invoice.status, invoice.currency] += invoice.due
    assert {(r.selling_entity, r.status, r.currency): r.due for r in told.rows(INVOICE_SUMS)} == due
    objects: dict[tuple[str, str, str], int] = defaultdict(int)
    for sync in told.rows(SYNCS):
        objects[sync.selling_entity, sync.target, sync.state] += 1
    kept: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in told.rows(SYNC_SUMS):
        kept[row.selling_entity, row.target, row.state] += row.objects
    assert kept == objects


def test_the_histories_are_worth_testing_with(told: Told) -> None:
    """A history in which nothing happens would prove nothing."""
    names = {fact.name for fact in told.ledger.read(0, 100_000)}
    assert {"lot.billed.v1", "lot.reversed.v1", "timesheet.claim_heard.v1", "invoice.issued.v1"} <= names
    states = {item.state for item in told.rows(ITEMS)}
    assert len(states) >= 6
    assert len(told.rows(ENGAGEMENTS)) >= 4


def _any_cause(told: Told) -> Cause:
    first: Recorded[object] = told.ledger.read(0, 1)[0]
    return first.cause
