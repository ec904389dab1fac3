"""Follows every lot from its rating to its end, and keeps the work that is not a lot yet beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, Final

import orjson

from domain.conversion import fx_rate_or_none
from domain.kernel import Recorded
from domain.lots import (
    AFTER_CREDIT,
    COMPLIMENTARY,
    LotHoldsLifted,
    LotRated,
    LotReversed,
    LotsBilled,
    LotsCredited,
    LotsDrawn,
    LotsGivenFree,
    LotsHeld,
    LotSplit,
    LotsPostponed,
    LotsReleased,
    LotsReserved,
    LotStatus,
    LotsUndrawn,
    LotsWrittenOff,
    LotTransferred,
)
from domain.lots.transfer import TransfersPriced
from domain.money import Money
from domain.reference.fx_rate import STALE_AFTER_DAYS, FxRatePublished, converted
from domain.reference.legal_entity import LegalEntityDefined
from projections.contexts import Contexts
from projections.eligibility.counted import Counted, counted
from projections.eligibility.items import ITEMS, Item, item_of_entry, item_of_lot, part_of
from projections.eligibility.open_work import OpenWork
from projections.invoices.fold import InvoicesFold
from projections.model import Handler
from projections.registers.timesheets_fold import TimesheetsFold
from projections.shelf import Changes, Shelf, Source
from projections.tables import Key

_OVER: Final = frozenset({LotStatus.REVERSED.value, LotStatus.SPLIT.value})


class LotsFold:
    """Folds lots and unrated work into items; what eligibility makes of them is decided when a batch ends.

    ``before`` holds what each item counted for when the batch began, for the sums.
    """

    def __init__(
        self,
        source: Source,
        contexts: Contexts,
        timesheets: TimesheetsFold,
        invoices: InvoicesFold,
        *,
        from_zero: bool,
    ) -> None:
        self.items: Shelf[Item] = Shelf(ITEMS, source, _has_ended)
        self.open_work = OpenWork(source, self.items, from_zero=from_zero)
        self.before: dict[Key, Counted] = {}
        self._postponed: dict[Key, None] = {}
        self._contexts = contexts
        self._timesheets = timesheets
        self._invoices = invoices
        waiting = [] if from_zero else source.find(ITEMS, {"waits": True})
        self._waiting: dict[Key, date] = {(it.stream, it.item): it.waits_until for it in waiting if it.waits_until}
        self._unconverted = _Unconverted([] if from_zero else source.find(ITEMS, _UNCONVERTED))
        self.wants: Mapping[type, Handler] = {
            LotSplit: self._want_one,
            LotReversed: self._want_one,
            LotsReserved: self._want_each,
            LotsReleased: self._want_each,
            LotsBilled: self._want_each,
            LotsWrittenOff: self._want_each,
            LotsDrawn: self._want_each,
            LotsUndrawn: self._want_each,
            LotsHeld: self._want_each,
            LotHoldsLifted: self._want_each,
            LotsGivenFree: self._want_each,
            LotsPostponed: self._want_each,
            LotsCredited: self._want_credited,
            LotTransferred: self._want_one,
            TransfersPriced: self._want_priced,
        }
        self.on: Mapping[type, Handler] = {
            LotRated: self._rated,
            LotSplit: self._split,
            LotsReserved: self._reserved,
            LotsReleased: self._released,
            LotsBilled: self._billed,
            LotReversed: self._reversed,
            LotsWrittenOff: self._written_off,
            LotsCredited: self._credited,
            LotTransferred: self._transferred,
            LotsDrawn: self._drawn,
            LotsUndrawn: self._undrawn,
            LotsHeld: self._held,
            LotHoldsLifted: self._holds_lifted,
            LotsGivenFree: self._given_free,
            LotsPostponed: self._postponed_by_user,
            TransfersPriced: self._transfers_priced,
            FxRatePublished: self._fx_published,
            LegalEntityDefined: self._entity_defined,
        }

    def prepare(self) -> None:
        """Brings the lots that the batch names, and the unrated work among the entries that it names."""
        self.items.fetch()

    def finish(self) -> None:
        """Work that counts and is not a lot has an item; all other work has none."""
        self._take_up(self._timesheets.entries.changed)

    def postpone(self) -> None:
        """Only remembers which work will have an item if it stays as it is; while no such item is in the table yet."""
        entries = self._timesheets.entries
        for key in entries.changed:
            entry = entries.get(key)
            if entry is not None and entry.counts:
                self._postponed[key] = None
            else:
                self._postponed.pop(key, None)

    def take_up_postponed(self, most: int) -> bool:
        """Makes the items of some of the work that was postponed; whether there was any."""
        keys = list(islice(self._postponed, most))
        for key in keys:
            del self._postponed[key]
        self._timesheets.entries.fetch(keys)
        self._take_up(keys)
        return bool(keys)

    def _take_up(self, keys: Iterable[Key]) -> None:
        entries = self._timesheets.entries
        self.items.fetch(key for key in keys if not entries.is_new(key))
        for key in keys:
            entry = entries.get(key)
            old = self.items.get(key)
            if entry is not None and entry.counts:
                self.stand(key, item_of_entry(entry))
            elif old is not None:
                self.leave(key)

    def stand(self, key: Key, item: Item) -> None:
        """Something that is no lot has an item, in place of the one that it may have had; its key was fetched."""
        self._remember(key)
        old = self.items.get(key)
        if old is not None:
            self.open_work.drop(old.engagement, key)
            self.wait(key, None)
        self.items.add(key, item)
        self.open_work.put(item.engagement, key, item.project)

    def leave(self, key: Key) -> None:
        """Something that is no lot has no item any more."""
        old = self.items.get(key)
        if old is not None:
            self._remember(key)
            self.open_work.drop(old.engagement, key)
            self.items.remove(key)
            self.wait(key, None)

    def collect(self, changes: Changes) -> None:
        """The items that changed."""
        self.before = {}
        changes.tables.append(self.items.changes())
        self.items.shrink()
        self.open_work.shrink()

    def change(self, key: Key) -> Item:
        """An item that is going to be changed."""
        self._remember(key)
        return self.items.change(key)

    def move(self, key: Key, engagement: str, customer: str, entity: str, line: str | None) -> None:
        """Work that is not a lot belongs to another engagement than was known."""
        item = self.change(key)
        if item.engagement != engagement:
            self.open_work.drop(item.engagement, key)
            self.open_work.put(engagement, key, item.project)
        item.engagement, item.customer, item.selling_entity, item.line = engagement, customer, entity, line

    def _remember(self, key: Key) -> None:
        if key not in self.before:
            self.before[key] = counted(self.items.get(key))

    # -- which rows a fact needs -------------------------------------------------------------------------------------

    def _want_one(self, fact: Recorded[Any]) -> None:
        self.items.wanted.add((fact.stream, fact.event.lot))

    def _want_each(self, fact: Recorded[Any]) -> None:
        stream = fact.stream
        self.items.wanted.update([(stream, lot) for lot in fact.event.lots])

    def _want_credited(self, fact: Recorded[LotsCredited]) -> None:
        self.items.wanted.update([(fact.stream, each.lot) for each in fact.event.lots])

    # -- what a fact does --------------------------------------------------------------------------------------------

    def _rated(self, fact: Recorded[LotRated]) -> None:
        entry = self._timesheets.entries.get((fact.stream, fact.event.lot.source))
        self._add(item_of_lot(fact, entry))

    def _split(self, fact: Recorded[LotSplit]) -> None:
        whole = self.items.get((fact.stream, fact.event.lot))
        assert whole is not None, "a lot is rated before it is split"
        for part in fact.event.parts:
            self._add(part_of(whole, part, fact))
            if whole.status == LotStatus.BILLED.value and (rate := self._invoices.rate_of(whole.invoice or "")):
                item = self.change((fact.stream, part.lot))
                item.functional_billed = _converted(item.value, item.currency, *rate)
            if whole.waits_until is not None:
                self._waiting[fact.stream, part.lot] = whole.waits_until
        self._end(fact, fact.event.lot, LotStatus.SPLIT)

    def _reserved(self, fact: Recorded[LotsReserved]) -> None:
        for lot in fact.event.lots:
            self._end(fact, lot, LotStatus.RESERVED).invoice = fact.event.invoice

    def _released(self, fact: Recorded[LotsReleased]) -> None:
        for lot in fact.event.lots:
            item = self._moved(fact, lot, LotStatus.OPEN)
            item.is_open, item.invoice = True, None
            self.open_work.put(item.engagement, (fact.stream, lot), item.project)

    def _billed(self, fact: Recorded[LotsBilled]) -> None:
        rate = self._invoices.rate_of(fact.event.invoice)
        for lot in fact.event.lots:
            item = self._end(fact, lot, LotStatus.BILLED)
            item.invoice, item.number = fact.event.invoice, fact.event.number
            if rate is not None:
                item.functional_billed = _converted(item.value, item.currency, *rate)

    def _reversed(self, fact: Recorded[LotReversed]) -> None:
        self._end(fact, fact.event.lot, LotStatus.REVERSED)

    def _written_off(self, fact: Recorded[LotsWrittenOff]) -> None:
        for lot in fact.event.lots:
            self._end(fact, lot, LotStatus.WRITTEN_OFF)

    def _drawn(self, fact: Recorded[LotsDrawn]) -> None:
        for lot in fact.event.lots:
            self._end(fact, lot, LotStatus.DRAWN)

    def _undrawn(self, fact: Recorded[LotsUndrawn]) -> None:
        for lot in fact.event.lots:
            item = self._moved(fact, lot, LotStatus.OPEN)
            item.is_open = True
            self.open_work.put(item.engagement, (fact.stream, lot), item.project)

    def _credited(self, fact: Recorded[LotsCredited]) -> None:
        for each in fact.event.lots:
            status = AFTER_CREDIT[each.disposition]
            item = self._moved(fact, each.lot, status)
            item.invoice, item.number, item.functional_billed = None, None, None
            item.postponed_until = None
            if status is LotStatus.OPEN:
                item.is_open = True
                self.open_work.put(item.engagement, (fact.stream, each.lot), item.project)

    def _transferred(self, fact: Recorded[LotTransferred]) -> None:
        self._end(fact, fact.event.lot, LotStatus.TRANSFERRED)

    def _held(self, fact: Recorded[LotsHeld]) -> None:
        hold = {"code": fact.event.code, "because": fact.event.because, "event": fact.id, "since": fact.recorded_at}
        for lot in fact.event.lots:
            item = self.change((fact.stream, lot))
            item.holds = orjson.dumps([*_other_holds(item, fact.event.code), hold]).decode()

    def _holds_lifted(self, fact: Recorded[LotHoldsLifted]) -> None:
        for lot in fact.event.lots:
            item = self.change((fact.stream, lot))
            item.holds = orjson.dumps(_other_holds(item, fact.event.code)).decode()

    def _given_free(self, fact: Recorded[LotsGivenFree]) -> None:
        for lot in fact.event.lots:
            self._end(fact, lot, LotStatus.NON_BILLABLE).non_billable_because = COMPLIMENTARY

    def _postponed_by_user(self, fact: Recorded[LotsPostponed]) -> None:
        for lot in fact.event.lots:
            self.change((fact.stream, lot)).postponed_until = fact.event.until

    def _transfers_priced(self, fact: Recorded[TransfersPriced]) -> None:
        for priced in fact.event.lots:
            item, gap = self.change((fact.stream, priced.lot)), priced.gap
            item.transfer_gap = gap.code if gap else None
            item.transfer_gap_detail = gap.detail if gap else None

    def _want_priced(self, fact: Recorded[TransfersPriced]) -> None:
        self.items.wanted.update([(fact.stream, each.lot) for each in fact.event.lots])

    def wait(self, key: Key, until: date | None) -> None:
        """An item is decided again on a day, or on none."""
        if until is None:
            self._waiting.pop(key, None)
        else:
            self._waiting[key] = until

    def waited_for(self, today: date) -> list[Key]:
        """The items that waited for a day that has come; they wait no more unless their decision says so."""
        due = [key for key, until in self._waiting.items() if until <= today]
        for key in due:
            del self._waiting[key]
        return due

    def _add(self, item: Item) -> None:
        key = (item.stream, item.item)
        self.before.setdefault(key, counted(None))
        self.items.add(key, item)
        self._convert(key, item)
        if item.is_open:
            self.open_work.put(item.engagement, key, item.project)

    def _end(self, fact: Recorded[Any], lot: str, status: LotStatus) -> Item:
        """The lot is not open any more, for a while or for good."""
        item = self._moved(fact, lot, status)
        if item.is_open:
            self.open_work.drop(item.engagement, (fact.stream, lot))
        item.is_open = False
        if status.value in _OVER:
            self._unconverted.drop((fact.stream, lot), item.work_date)
        return item

    def _moved(self, fact: Recorded[Any], lot: str, status: LotStatus) -> Item:
        item = self.change((fact.stream, lot))
        item.status, item.status_version, item.status_at = status.value, fact.version, fact.recorded_at
        return item

    # -- exchange rates ----------------------------------------------------------------------------------------------

    def _fx_published(self, fact: Recorded[FxRatePublished]) -> None:
        """A rate that was missing when lots were rated: the first that is published counts for them."""
        self._convert_each(self._unconverted.from_day(fact.event.on))

    def _entity_defined(self, _fact: Recorded[LegalEntityDefined]) -> None:
        self._convert_each(self._unconverted.all())

    def _convert_each(self, keys: Sequence[Key]) -> None:
        self.items.fetch(keys)
        for key in keys:
            item = self.items.get(key)
            if item is not None and item.functional_rate is None:
                self._convert(key, item)

    def _convert(self, key: Key, item: Item) -> None:
        """Value and cost in the currency of the selling entity, at the rate of the work date as far as it is known.

        A part of a lot keeps the rate of the whole.
        """
        currency, rate = item.functional_currency, item.functional_rate
        if rate is None:
            entity = self._contexts.entity(item.selling_entity)
            terms = entity.on(item.work_date) or (entity.versions[0] if entity.versions else None)
            currency = terms.functional_currency if terms else None
            if currency is not None and item.currency is not None:
                rate = fx_rate_or_none(self._contexts.read, item.currency, currency, item.work_date)
        if currency is None or rate is None:
            self._unconverted.put(key, item.work_date)
            return
        self._unconverted.drop(key, item.work_date)
        item = self.change(key)
        item.functional_currency, item.functional_rate = currency, rate
        item.functional_value = _converted(item.value, item.currency, currency, rate)
        if item.cost_currency == currency:
            item.functional_cost = item.cost
        else:
            item.functional_cost = _converted(item.cost_in_billing_currency, item.currency, currency, rate)


def _other_holds(item: Item, code: str) -> list[Any]:
    return [hold for hold in orjson.loads(item.holds) if hold["code"] != code]


def _has_ended(item: Item) -> bool:
    """Billed, given up, replaced: such lots are changed again by a credit at most."""
    return not item.is_open and item.status != LotStatus.RESERVED.value


_UNCONVERTED: Final[Mapping[str, Any]] = {"is_lot": True, "functional_rate": None}


class _Unconverted:
    """The lots whose value could not be converted yet, by work date."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._by_day: dict[date, dict[Key, None]] = {}
        for item in items:
            if item.status not in _OVER:
                self.put((item.stream, item.item), item.work_date)

    def put(self, key: Key, day: date) -> None:
        self._by_day.setdefault(day, {})[key] = None

    def drop(self, key: Key, day: date) -> None:
        if known := self._by_day.get(day):
            known.pop(key, None)
            if not known:
                del self._by_day[day]

    def from_day(self, day: date) -> list[Key]:
        """Those that a rate of this day may serve: work of the day, or of the days for which it stands in."""
        days = (day + timedelta(days=age) for age in range(STALE_AFTER_DAYS + 1))
        return [key for each in days for key in self._by_day.get(each, ())]

    def all(self) -> list[Key]:
        return [key for known in self._by_day.values() for key in known]


def _converted(amount: Decimal | None, currency: str | None, to: str, rate: Decimal) -> Decimal | None:
    if amount is None or currency is None:
        return None
    return amount if currency == to else converted(Money(amount, currency), to, rate).amount
