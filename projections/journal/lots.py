"""Enters what lots earn and cost: when they are rated, split, reversed or given up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from domain.books.account_role import AccountRole
from domain.expense import ExpenseRecorded
from domain.kernel import Recorded, decider_name
from domain.lots import (
    LotHoldsLifted,
    LotRated,
    LotReversed,
    LotsCredited,
    LotsDrawn,
    LotsGivenFree,
    LotsHeld,
    LotSplit,
    LotsReleased,
    LotsReserved,
    LotsUndrawn,
    LotsWrittenOff,
    LotTransferred,
)
from domain.reference.fx_rate import FxRatePublished
from domain.reference.legal_entity import LegalEntityDefined
from domain.revenue.promises import earning_terms
from domain.timesheet import APPROVER_REDUCED
from projections.contexts import Contexts
from projections.journal.earnings import LotEarnings
from projections.journal.lines import EARNED_APART, JournalLines
from projections.journal.lot_rows import about, expense_line, is_part_of, parts_of, row_of
from projections.journal.tables import EXPENSES, ExpenseRecord, LotRecord
from projections.journal.writer import JournalWriter
from projections.model import Handler
from projections.shelf import Changes, Shelf, Source

_NOTHING: Final = Decimal(0)


class JournalLots:
    """What the facts about lots mean for what these earn and cost."""

    def __init__(
        self, source: Source, contexts: Contexts, writer: JournalWriter, lines: JournalLines, earnings: LotEarnings
    ) -> None:
        self.lots = earnings.lots
        self._expenses: Shelf[ExpenseRecord] = Shelf(EXPENSES, source)
        self._contexts = contexts
        self._writer = writer
        self._lines = lines
        self._earnings = earnings
        self.wants: Mapping[type, Handler] = {
            LotRated: self._want_rated,
            LotSplit: self._want_one,
            LotReversed: self._want_one,
            LotsReserved: self._want_each,
            LotsReleased: self._want_each,
            LotsDrawn: self._want_each,
            LotsUndrawn: self._want_each,
            LotsWrittenOff: self._want_each,
            LotsGivenFree: self._want_each,
            LotsHeld: self._want_each,
            LotHoldsLifted: self._want_each,
            LotsCredited: self._want_credited,
            LotTransferred: self._want_one,
        }
        self.on: Mapping[type, Handler] = {
            ExpenseRecorded: self._spent,
            LotRated: self._rated,
            LotSplit: self._split,
            LotReversed: self._reversed,
            LotsReserved: self._reserved,
            LotsReleased: self._opened_again,
            LotsDrawn: self._drawn,
            LotsUndrawn: self._opened_again,
            LotsWrittenOff: self._written_off,
            LotsGivenFree: self._given_free,
            LotsHeld: self._held,
            LotHoldsLifted: self._hold_lifted,
            LotsCredited: self._credited,
            LotTransferred: self._transferred,
            FxRatePublished: self._fx_published,
            LegalEntityDefined: self._entity_defined,
        }

    def prepare(self) -> None:
        """Brings the lots that the batch names, and the lines and positions that they belong to."""
        self._expenses.fetch()
        named = list(self.lots.wanted)
        self.lots.fetch()
        rows = [row for key in named if (row := self.lots.get(key)) is not None]
        self._lines.lines.fetch((row.engagement, row.line) for row in rows)
        self._writer.open.fetch(("position", row.engagement) for row in rows)

    def collect(self, changes: Changes) -> None:
        """The lots and expenses that changed."""
        self._earnings.collect(changes)
        changes.tables.append(self._expenses.changes())
        self._expenses.shrink()

    # -- which rows a fact needs -------------------------------------------------------------------------------------

    def _want_rated(self, fact: Recorded[LotRated]) -> None:
        lot = fact.event.lot
        self._lines.lines.wanted.add((lot.engagement, lot.line))
        self._writer.open.wanted.add(("position", lot.engagement))
        if decider_name(fact.stream) == "expense_report":
            self._expenses.wanted.add((fact.stream, expense_line(lot)))

    def _want_one(self, fact: Recorded[Any]) -> None:
        self.lots.wanted.add((fact.stream, fact.event.lot))

    def _want_each(self, fact: Recorded[Any]) -> None:
        self.lots.wanted.update([(fact.stream, lot) for lot in fact.event.lots])

    def _want_credited(self, fact: Recorded[LotsCredited]) -> None:
        self.lots.wanted.update([(fact.stream, each.lot) for each in fact.event.lots])

    # -- what a fact does --------------------------------------------------------------------------------------------

    def _spent(self, fact: Recorded[ExpenseRecorded]) -> None:
        expense = fact.event.expense
        key = (fact.stream, expense.line)
        self._expenses.put(key, ExpenseRecord(*key, expense.recoverable_tax.amount))

    def _rated(self, fact: Recorded[LotRated]) -> None:
        lot = fact.event.lot
        key = (fact.stream, lot.lot)
        expense = self._expenses.get((fact.stream, expense_line(lot)))
        state = self._contexts.engagement(lot.engagement)
        line = state.lines.get(lot.line)
        terms = earning_terms(state, line, lot.work_date) if line is not None else None
        row = self.lots.add(key, row_of(fact, line, terms, expense.tax if expense else _NOTHING))
        if row.open:
            self._earnings.caps.opened(row)
        self._earnings.post(fact, key)

    def _split(self, fact: Recorded[LotSplit]) -> None:
        key = (fact.stream, fact.event.lot)
        whole = self.lots.get(key)
        assert whole is not None, "a lot is rated before it is split"
        for part in parts_of(whole, fact.event.parts):
            self.lots.add((fact.stream, part.lot), part)
            if part.open:
                self._earnings.caps.opened(part)
            if part.waiting:
                self._earnings.waiting[fact.stream, part.lot] = None
        self._earnings.waiting.pop(key, None)
        self.lots.remove(key)

    def _reversed(self, fact: Recorded[LotReversed]) -> None:
        if self.lots.get((fact.stream, fact.event.lot)) is not None:  # what was transferred has ended already
            self._ended(fact, "work is reversed")

    def _transferred(self, fact: Recorded[LotTransferred]) -> None:
        """Another lot earns and costs in its place, for another engagement; what leaves a price lowers that."""
        event, row = fact.event, self.lots.change((fact.stream, fact.event.lot))
        leaves = is_part_of(row.lot, row.engagement, row.line) and not is_part_of(row.lot, event.engagement, event.line)
        if leaves and not row.waiting:
            self._concede(fact, row, "work is transferred", row.work_date)
        self._ended(fact, "work is transferred")

    def _ended(self, fact: Recorded[LotReversed | LotTransferred], because: str) -> None:
        key = (fact.stream, fact.event.lot)
        row = self.lots.change(key)
        was_open = row.open
        if not row.waiting:
            self._earnings.take_back(fact, row, because, row.work_date)
            self._earnings.cost(fact, row, -1)
            line = self._lines.of(row.engagement, row.line, row.entity, row.currency)
            line.hours -= row.hours
            line.cost -= row.line_cost
            self._lines.measure(fact, row.engagement, row.line, row.work_date, "work is reversed")
        self._earnings.waiting.pop(key, None)
        self.lots.remove(key)
        self._earnings.leave_room(fact, [row] if was_open else [])

    def _written_off(self, fact: Recorded[LotsWrittenOff]) -> None:
        """Billing was given up: the revenue goes, the cost stays; on the day that the policy of the entity says."""
        self._give_up(fact, "work is written off")

    def _given_free(self, fact: Recorded[LotsGivenFree]) -> None:
        """Work that is given free costs and earns nothing."""
        self._give_up(fact, "work is given free")

    def _give_up(self, fact: Recorded[LotsWrittenOff | LotsGivenFree], because: str) -> None:
        rows = [self.lots.change((fact.stream, lot)) for lot in fact.event.lots]
        opened = [row for row in rows if row.open]
        for row in rows:
            self._earns_no_more(fact, row, because, self._write_off_day(fact, row))
        self._earnings.leave_room(fact, opened)

    def _earns_no_more(self, fact: Recorded[Any], row: LotRecord, because: str, day: date) -> None:
        if not row.waiting:
            self._concede(fact, row, because, day)
            self._earnings.take_back(fact, row, because, day)
        row.earns = row.open = False

    def _concede(self, fact: Recorded[Any], row: LotRecord, because: str, day: date) -> None:
        """A bill that a price which is earned apart has no more is a lower price, at once (IFRS 15.51, 88)."""
        line = self._lines.of(row.engagement, row.line, row.entity, row.currency)
        is_of_price = decider_name(fact.stream) == "engagement" and not row.earns and line.method in EARNED_APART
        if is_of_price and (rate := self._lines.rate_on(line, day)):
            account = AccountRole(row.account)
            self._lines.recognise(fact, line, -row.value, rate, account, because, day, about(row))
            line.adjusted -= row.value

    def _held(self, fact: Recorded[LotsHeld]) -> None:
        """Hours that the approver did not let be billed may not be invoiced: they earn nothing (IFRS 15.B16)."""
        if fact.event.code != APPROVER_REDUCED:
            return
        rows = [self.lots.change((fact.stream, lot)) for lot in fact.event.lots]
        for row in rows:
            if row.earns:
                self._earns_no_more(fact, row, "fewer hours were approved", row.work_date)
                row.held_back = True
        self._earnings.leave_room(fact, rows)

    def _hold_lifted(self, fact: Recorded[LotHoldsLifted]) -> None:
        """Hours that were approved after all earn as if they had been at once."""
        for lot in fact.event.lots if fact.event.code == APPROVER_REDUCED else ():
            row = self.lots.change((fact.stream, lot))
            if row.held_back:
                row.held_back, row.earns, row.open = False, True, True
                self._earnings.caps.opened(row)
                rate = None if row.waiting else self._earnings.rate(row, row.currency, row.entity)
                if rate is not None:
                    self._earnings.begin(fact, row, rate)

    def _credited(self, fact: Recorded[LotsCredited]) -> None:
        """Work that was credited is unbilled again, at what it has earned; what is given up of it earns nothing.

        What the invoice had taken of the caps is given back behind it, in the same transaction.
        """
        for each in fact.event.lots:
            row = self.lots.change((fact.stream, each.lot))
            if each.disposition in ("rebill", "rebill_elsewhere"):
                row.open = True
                self._earnings.caps.opened(row)
            else:
                day = each.effective_on or self._write_off_day(fact, row)
                self._earns_no_more(fact, row, "work is written off", day)
            self._earnings.caps.forget(self._earnings.group_of(row))

    def _reserved(self, fact: Recorded[LotsReserved]) -> None:
        """What a draft bills is earned whatever waits in front of it; the draft then takes it off the caps."""
        self._leave_the_queue(fact, fact.event.lots)

    def _drawn(self, fact: Recorded[LotsDrawn]) -> None:
        """What a retainer pays for takes from no cap: the retainer did."""
        self._earnings.leave_room(fact, self._leave_the_queue(fact, fact.event.lots))

    def _leave_the_queue(self, fact: Recorded[Any], lots: Iterable[str]) -> list[LotRecord]:
        taken = []
        for lot in lots:
            row = self.lots.change((fact.stream, lot))
            row.open = False
            taken.append(row)
            self._earnings.caps.forget(self._earnings.group_of(row))
            if row.over_cap and (rate := self._earnings.rate(row, row.currency, row.entity)):
                line = self._lines.of(row.engagement, row.line, row.entity, row.currency)
                self._earnings.grant(fact, row, line, row.over_cap, rate, "work under a cap is billed")
        return taken

    def _opened_again(self, fact: Recorded[LotsReleased | LotsUndrawn]) -> None:
        """Lots wait for their turn again; after a draft, what it had taken of the caps is given back behind them."""
        opened = []
        for lot in fact.event.lots:
            row = self.lots.change((fact.stream, lot))
            row.open = True
            self._earnings.caps.opened(row)
            opened.append(row)
            self._earnings.caps.forget(self._earnings.group_of(row))
        if isinstance(fact.event, LotsUndrawn):
            self._earnings.leave_room(fact, opened)

    def _write_off_day(self, fact: Recorded[Any], row: LotRecord) -> date:
        posted = self._lines.day_of(fact, row.entity)
        terms = self._contexts.entity(row.entity).on(posted)
        return row.work_date if terms is not None and terms.write_offs_count_on == "work_date" else posted

    def _fx_published(self, fact: Recorded[FxRatePublished]) -> None:
        self._writer.rates_changed()
        self._earnings.post_waiting(fact)

    def _entity_defined(self, fact: Recorded[LegalEntityDefined]) -> None:
        self._writer.entities_changed()
        self._earnings.post_waiting(fact)
