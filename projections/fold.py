"""All read models as one fold: facts in, writes out, whatever the size of the batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from domain.kernel import Recorded
from projections import contexts
from projections.contexts import Contexts
from projections.eligibility.fold import EligibilityFold
from projections.eligibility.lots import LotsFold
from projections.eligibility.planned import PlannedFold
from projections.eligibility.sums import SumsFold
from projections.exceptions.fold import ExceptionsFold
from projections.finance.fold import FinanceFold
from projections.follow import Log
from projections.history import timeline_fold
from projections.history.timeline_fold import TimelineFold
from projections.intercompany.fold import IntercompanyFold
from projections.invoices.credit_notes_fold import CreditNotesFold
from projections.invoices.fold import InvoicesFold
from projections.invoices.payments_fold import PaymentsFold
from projections.journal.fold import JournalFold
from projections.margin.fold import MarginFold
from projections.model import Handler, Model
from projections.registers.fold import RegistersFold
from projections.registers.people import PeopleFold
from projections.registers.timesheets_fold import TimesheetsFold
from projections.shelf import Changes, Source
from projections.systems.sources import SourcesFold
from projections.systems.sync_fold import SyncFold
from projections.tables import Key

ITEMS_AT_ONCE: Final = 2_000
"""How much open work is decided at once when all of it is."""
ENGAGEMENTS_AT_ONCE: Final = 200
"""For how many engagements what they are going to bill is made at once, when it is made for all."""


class Fold:
    """The folds of all read models at one position of the log.

    It keeps rows and states in memory between batches. When the writes of a batch could not be made, it must be thrown
    away, and a new one begun at the position that was written last.
    """

    def __init__(self, log: Log, source: Source, position: int) -> None:
        self.position = position
        self._contexts = Contexts(log, position)
        timesheets = TimesheetsFold(source)
        invoices = InvoicesFold(source)
        self._lots = LotsFold(source, self._contexts, timesheets, invoices, from_zero=position == 0)
        credit_notes = CreditNotesFold(source)
        registers = RegistersFold(source, self._contexts, from_zero=position == 0)
        margin = MarginFold()
        self._sources = SourcesFold()
        self._timeline = TimelineFold(self._contexts, invoices)
        self._planned = PlannedFold(self._contexts, self._lots)
        self._eligibility = EligibilityFold(self._contexts, self._lots, registers)
        self._sums = SumsFold(self._lots, margin)
        # The order matters: lots need their entries and the rate of their invoice, others need the invoice's row.
        self._models: tuple[Model, ...] = (
            timesheets,
            invoices,
            self._lots,
            PaymentsFold(source),
            credit_notes,
            JournalFold(source, self._contexts, from_zero=position == 0),
            registers,
            SyncFold(source, self._contexts, invoices, credit_notes),
            ExceptionsFold(source, self._contexts, invoices),
            self._timeline,
            self._sources,
            FinanceFold(source),
            PeopleFold(source),
            IntercompanyFold(source, self._lots),
        )
        self._margin = margin
        self._wants = _by_event([model.wants for model in self._models])
        self._on = _by_event([model.on for model in self._models])

    def apply(self, facts: Sequence[Recorded[Any]], *, decide: bool = True) -> Changes:
        """One batch: the facts behind the present position, without a gap, in order; returns what has to be written.

        A fold that began with nothing may leave the decisions on open work to the end, which is ``decide_open``.
        """
        wants, nobody = self._wants, ()
        for fact in facts:
            for want in wants.get(type(fact.event), nobody):
                want(fact)
        for model in self._models:
            model.prepare()
        self._apply_each(facts)
        self.position = facts[-1].position
        self._contexts.reached(self.position)
        for model in self._models:
            if decide or model is not self._lots:
                model.finish()
        self._planned.note()
        if decide:
            self._planned.take_up()
            self._eligibility.finish()
        else:
            self._lots.postpone()
            self._eligibility.postpone()
        self._sums.finish()
        self._contexts.take_touched()
        return self._collect()

    def decide_open(self) -> Iterator[Changes]:
        """Decides all open work, in parts of bounded size."""
        while self._lots.take_up_postponed(ITEMS_AT_ONCE):
            self._eligibility.decide(list(self._lots.items.changed))
            self._sums.finish()
            yield self._collect()
        while self._planned.take_up(ENGAGEMENTS_AT_ONCE):
            yield self._decided(list(self._lots.items.changed))
        keys: list[Key] = []
        for engagement in self._lots.open_work.engagements():
            keys += self._lots.open_work.of(engagement)
            if len(keys) >= ITEMS_AT_ONCE:
                yield self._decided(keys)
                keys = []
        yield self._decided(keys)

    def _decided(self, keys: Sequence[Key]) -> Changes:
        self._eligibility.decide(keys)
        self._sums.finish()
        return self._collect()

    def _apply_each(self, facts: Sequence[Recorded[Any]]) -> None:
        on, see, own, apply = self._on, self._sources.see, self._timeline.own, self._contexts.apply
        nobody = ()
        for fact in facts:
            kind = fact.stream.partition(":")[0]
            if kind in contexts.KINDS:
                apply(fact)
            for handler in on.get(type(fact.event), nobody):
                handler(fact)
            if kind in timeline_fold.KINDS:
                own(fact)
            see(fact)

    def _collect(self) -> Changes:
        changes = Changes()
        for model in self._models:
            model.collect(changes)
        self._margin.collect(changes)
        self._sums.collect(changes)
        self._contexts.shrink()
        return changes


def _by_event(each: Sequence[Mapping[type, Handler]]) -> dict[type, tuple[Handler, ...]]:
    """For each kind of event, what all models do with it, in the order of the models."""
    merged: dict[type, tuple[Handler, ...]] = {}
    for handlers in each:
        for kind, handler in handlers.items():
            merged[kind] = (*merged.get(kind, ()), handler)
    return merged
