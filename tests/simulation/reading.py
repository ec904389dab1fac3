"""The read models in memory, as the projector writes them and processes and finance ask them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from domain.caps import CapUse
from domain.kernel import StreamId
from domain.ports import LotAt, SourceAt, WorkDone
from projections.eligibility.items import ITEMS, Item
from projections.fold import Fold
from projections.intercompany.fold import TRANSFERS, TransferRecord
from projections.invoices.fold import INVOICES
from projections.memory import MemoryStore
from projections.shelf import Changes
from projections.store import NotOurs
from tests.simulation.machinery import pause
from tests.simulation.twins import Connected, Process, Turn

FACTS_PER_BATCH = 200
WAIT_SECONDS = 0.3


class ReadModels:
    """The tables of the live generation, and the position that they are made of, which change together."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.position = 0

    def write(self, process: Process, changes: Changes, before: int, position: int) -> None:
        """One transaction of the projector."""
        process.moment()
        if self.position != before:
            raise NotOurs("live")
        self.store.write(changes)
        self.position = position
        if process.dice.falls("crash after commit"):
            process.die()
        process.moment()


def project(ledger: Connected, models: ReadModels, turn: Turn, process: Process) -> None:
    """Keeps the read models current until the process dies; what fails is begun anew where it was written last."""
    fold: Fold | None = None
    while True:
        try:
            if not turn.is_mine():
                pause(1.0)
                continue
            if fold is None:
                fold = Fold(ledger, models.store, models.position)
            facts = ledger.read(fold.position, FACTS_PER_BATCH)
            if facts:
                before = fold.position
                models.write(process, fold.apply(facts), before, fold.position)
            else:
                ledger.wait_for_events(fold.position, 1.0)
        except Exception:  # noqa: BLE001 - whatever was not written is folded again
            fold = None
            pause(WAIT_SECONDS)
            process.require_alive()


class Asked:
    """Which work might be touched, as the read models know it (``api.candidates``, in memory)."""

    def __init__(self, models: ReadModels, process: Process) -> None:
        self._models = models
        self._process = process

    def position(self) -> int:
        self._process.moment()
        return self._models.position

    def wait_for(self, position: int, timeout_seconds: float) -> object | None:
        deadline = self._process.loop.now + timeout_seconds
        while self._models.position < position:
            if self._process.loop.now >= deadline:
                return None
            pause(0.1)
            self._process.require_alive()
        return self

    def _rows(self, fits: Callable[[Item], bool]) -> list[Item]:
        self._process.moment()
        items = map(ITEMS.row, self._models.store.all(ITEMS).values())
        return [item for item in items if fits(item)]

    def unbilled_of(self, **named: Any) -> Sequence[SourceAt]:
        lacking = named.pop("lacking_rate_of", None)

        def fits(item: Item) -> bool:
            is_unbilled = (item.is_open and (item.is_lot or item.status == "approved")) or item.status == "non_billable"
            return (
                is_unbilled
                and item.kind != "milestone"
                and all(getattr(item, name) == value for name, value in named.items() if value is not None)
                and (lacking is None or (item.cost_currency == lacking and _lacks_rate(item)))
            )

        found = sorted({(item.stream, item.source) for item in self._rows(fits)})
        return [SourceAt(StreamId(stream), source) for stream, source in found]

    def eligible_of(self, engagement: str, cut_off: str | None = None) -> Sequence[LotAt]:
        found = self._rows(
            lambda item: (
                item.is_lot
                and item.state == "eligible"
                and item.engagement == engagement
                and (cut_off is None or item.work_date.isoformat() <= cut_off)
            )
        )
        found.sort(key=lambda item: (item.work_date, item.approved_at, item.item))
        return [LotAt(StreamId(item.stream), item.item) for item in found]

    def engagements_with_eligible(self, entity: str, cut_off: str | None = None) -> Sequence[str]:
        found = self._rows(lambda item: item.state == "eligible" and item.selling_entity == entity)
        return sorted({i.engagement for i in found if cut_off is None or i.work_date.isoformat() <= cut_off})

    def engagements_billed_by_date(self) -> Sequence[str]:
        return []

    def work_done(self, _until: date) -> Sequence[WorkDone]:
        return []

    def drafts_of(self, entity: str) -> Sequence[str]:
        self._process.moment()
        rows = map(INVOICES.row, self._models.store.all(INVOICES).values())
        drafts = [row for row in rows if row.selling_entity == entity and row.status == "draft"]
        return [row.invoice for row in sorted(drafts, key=lambda row: row.drafted_at)]

    def transfers_of(
        self, *, lender: str | None = None, borrower: str | None = None, lacking_price: bool = False
    ) -> Sequence[LotAt]:
        statuses = ("lacking",) if lacking_price else ("due", "to_take_back", "lacking", "crossing")
        found = [
            row
            for row in self._transfers()
            if row.status in statuses and lender in (None, row.lender) and borrower in (None, row.borrower)
        ]
        found.sort(key=lambda row: (row.work_date, row.stream, row.lot))
        return [LotAt(StreamId(row.stream), row.lot) for row in found]

    def transfer_pairs(self) -> Sequence[tuple[str, str]]:
        waiting = [row for row in self._transfers() if row.status in ("due", "to_take_back")]
        return sorted({(row.lender, row.borrower) for row in waiting})

    def use_of_caps(self, _engagement: str) -> Sequence[CapUse]:
        return []

    def use_of_limit(self, _customer: str, _currency: str) -> CapUse | None:
        return None

    def _transfers(self) -> list[TransferRecord]:
        self._process.moment()
        return [TRANSFERS.row(values) for values in self._models.store.all(TRANSFERS).values()]


def _lacks_rate(item: Item) -> bool:
    return (item.is_lot and item.cost_in_billing_currency is None) or item.unrated_code == "FX_RATE_MISSING"
