"""Enters what the practices of one legal entity charge each other: no invoice, a cost here and a revenue there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from domain.books import postings
from domain.books.journal import Carried, Rate
from domain.kernel import Recorded
from domain.lots import LotRated, LotReversed, LotSplit, LotTransferred
from domain.lots.transfer import Transfer, TransfersPriced
from domain.reference.fx_rate import FxRatePublished
from projections.journal.lot_rows import about
from projections.journal.lots import JournalLots
from projections.journal.tables import CHARGES, ChargeRecord
from projections.journal.writer import About, JournalWriter
from projections.model import Handler
from projections.shelf import Changes, Shelf, Source
from projections.tables import Key

_BECAUSE: Final = "a practice works for another"
_BACK: Final = "a cross-charge is taken back"


class JournalCrossing:
    """The cross-charge of every lot, from its rating until it counts no more; one in a currency without rate waits."""

    def __init__(self, source: Source, writer: JournalWriter, lots: JournalLots, *, from_zero: bool) -> None:
        self._charges: Shelf[ChargeRecord] = Shelf(CHARGES, source)
        self._writer = writer
        self._lots = lots
        waiting = [] if from_zero else source.find(CHARGES, {"waiting": True})
        self._waiting: dict[Key, None] = {(row.stream, row.lot): None for row in waiting}
        self.wants: Mapping[type, Handler] = {
            LotSplit: self._want,
            LotReversed: self._want,
            LotTransferred: self._want,
            TransfersPriced: self._want_priced,
        }
        self.on: Mapping[type, Handler] = {
            LotRated: self._rated,
            LotSplit: self._split,
            LotReversed: self._ended,
            LotTransferred: self._ended,
            TransfersPriced: self._priced,
            FxRatePublished: self._fx_published,
        }

    def prepare(self) -> None:
        """Brings the charges that the batch names."""
        self._charges.fetch()

    def collect(self, changes: Changes) -> None:
        """The charges that changed."""
        changes.tables.append(self._charges.changes())
        self._charges.shrink()

    def _want(self, fact: Recorded[LotSplit | LotReversed | LotTransferred]) -> None:
        self._charges.wanted.add((fact.stream, fact.event.lot))

    def _want_priced(self, fact: Recorded[TransfersPriced]) -> None:
        keys = [(fact.stream, each.lot) for each in fact.event.lots]
        self._charges.wanted.update(keys)
        self._lots.lots.wanted.update(keys)

    # -- what a fact does --------------------------------------------------------------------------------------------

    def _rated(self, fact: Recorded[LotRated]) -> None:
        lot = fact.event.lot
        about = About(lot.customer, lot.engagement, lot.line or "", lot.project, lot.lot)
        self._charge(fact, lot.transfer, lot.selling_entity, lot.work_date, about)

    def _priced(self, fact: Recorded[TransfersPriced]) -> None:
        """The charge as it is now, in the place of what it was."""
        for priced in fact.event.lots:
            key = (fact.stream, priced.lot)
            self._take_back(fact, key)
            row = self._lots.lots.get(key)
            if row is not None:
                about = About(row.customer, row.engagement, row.line, row.project, row.lot)
                self._charge(fact, priced.transfer, row.entity, row.work_date, about)

    def _charge(
        self, fact: Recorded[Any], transfer: Transfer | None, entity: str, work_date: date, about: About
    ) -> None:
        if transfer is None or not transfer.crossing:
            return
        key = (fact.stream, about.lot)
        row = ChargeRecord(
            stream=fact.stream,
            lot=about.lot,
            entity=entity,
            lender=transfer.lender,
            borrower=transfer.borrower,
            customer=about.customer,
            engagement=about.engagement,
            line=about.line,
            project=about.project,
            work_date=work_date,
            currency=transfer.value.currency,
            amount=transfer.value.amount,
            functional_currency="",
            functional=Decimal(0),
            rate_id="",
            waiting=True,
        )
        self._charges.add(key, row)
        self._post(fact, key)

    def _post(self, fact: Recorded[Any], key: Key) -> None:
        row = self._charges.change(key)
        functional = self._writer.functional_currency(row.entity, row.work_date)
        rate = self._writer.nearest_rate(row.currency, functional, row.work_date) if functional else None
        if rate is None:
            self._waiting[key] = None
            return
        self._waiting.pop(key, None)
        posted = postings.cross_charge(row.lender, row.borrower, row.amount, row.currency, rate)
        row.functional_currency, row.functional, row.rate_id = rate.currency, posted[0].functional, rate.id
        row.waiting = False
        self._writer.enter(fact, row.entity, _BECAUSE, row.work_date, posted, about(row))

    def _ended(self, fact: Recorded[LotReversed | LotTransferred]) -> None:
        self._take_back(fact, (fact.stream, fact.event.lot))

    def _take_back(self, fact: Recorded[Any], key: Key) -> None:
        """A charge that counts no more, at what it was posted at."""
        row = self._charges.get(key)
        if row is None:
            return
        if not row.waiting:
            rate = Rate(Decimal(1), row.functional_currency, row.rate_id)
            posted = (
                replace(each, functional=sign * row.functional)
                for sign, each in zip(
                    (-1, 1),
                    postings.cross_charge(row.lender, row.borrower, -row.amount, row.currency, rate),
                    strict=True,
                )
            )
            self._writer.enter(fact, row.entity, _BACK, row.work_date, tuple(posted), about(row))
        self._waiting.pop(key, None)
        self._charges.remove(key)

    def _split(self, fact: Recorded[LotSplit]) -> None:
        """The parts are charged for as the whole was: nothing is posted, each can be taken back alone."""
        key = (fact.stream, fact.event.lot)
        whole = self._charges.get(key)
        if whole is None:
            return
        left = Carried(whole.amount, whole.functional)
        parts = [each for each in fact.event.parts if each.transfer is not None]
        for part in parts:
            assert part.transfer is not None, "others are left out"
            amount = part.transfer.amount
            share = left.functional if part is parts[-1] else left.share(amount, whole.functional_currency or "EUR")
            left = left.plus(-amount, -share)
            row = replace(whole, lot=part.lot, amount=amount, functional=share)
            self._charges.add((fact.stream, part.lot), row)
            if row.waiting:
                self._waiting[fact.stream, part.lot] = None
        self._waiting.pop(key, None)
        self._charges.remove(key)

    def _fx_published(self, fact: Recorded[FxRatePublished]) -> None:
        """What waited for a rate is posted by the fact that brought one."""
        keys = sorted(self._waiting)
        self._charges.fetch(keys)
        for key in keys:
            self._post(fact, key)
