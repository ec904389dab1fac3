"""The journal: double entry derived from the events alone, by the rules of posting."""

from __future__ import annotations

from collections.abc import Mapping

from projections.contexts import Contexts
from projections.journal.credits import JournalCredits
from projections.journal.crossing import JournalCrossing
from projections.journal.earnings import LotEarnings
from projections.journal.intercompany import JournalIntercompany
from projections.journal.lines import JournalLines
from projections.journal.lots import JournalLots
from projections.journal.money import JournalMoney
from projections.journal.progress import JournalProgress
from projections.journal.room import JournalRoom
from projections.journal.writer import JournalWriter
from projections.model import Handler
from projections.shelf import Changes, Source


class JournalFold:
    """Folds facts into postings, balances, and what is open."""

    def __init__(self, source: Source, contexts: Contexts, *, from_zero: bool) -> None:
        self._writer = JournalWriter(source, contexts)
        self._lines = JournalLines(source, contexts, self._writer, from_zero=from_zero)
        self._earnings = LotEarnings(source, contexts, self._writer, self._lines, from_zero=from_zero)
        self._lots = JournalLots(source, contexts, self._writer, self._lines, self._earnings)
        room = JournalRoom(contexts, self._lines, self._earnings)
        money = JournalMoney(source, self._writer, self._lines, from_zero=from_zero)
        credits_ = JournalCredits(self._writer, self._lines)
        between = JournalIntercompany(self._writer)
        self._crossing = JournalCrossing(source, self._writer, self._lots, from_zero=from_zero)
        progress = JournalProgress(source, contexts, self._writer, self._lines)
        crossing = self._crossing
        self.wants: Mapping[type, Handler] = _together(
            self._lots.wants, money.wants, credits_.wants, between.wants, crossing.wants
        )
        self.on: Mapping[type, Handler] = _together(
            progress.on, crossing.on, self._lots.on, room.on, money.on, credits_.on, between.on
        )

    def prepare(self) -> None:
        """Brings the rows that the batch will change."""
        self._crossing.prepare()
        self._lots.prepare()
        self._lines.lines.fetch()
        self._writer.open.fetch()

    def finish(self) -> None:
        """Nothing here depends on the batch as a whole."""

    def collect(self, changes: Changes) -> None:
        """What the batch has entered, and what is open after it."""
        self._lots.collect(changes)
        self._crossing.collect(changes)
        self._lines.collect(changes)
        self._writer.collect(changes)


def _together(*each: Mapping[type, Handler]) -> dict[type, Handler]:
    """One handler for each kind of event: where several parts want it, they take it in this order."""
    merged: dict[type, Handler] = {}
    for handlers in each:
        for kind, handler in handlers.items():
            merged[kind] = _both(merged[kind], handler) if kind in merged else handler
    return merged


def _both(first: Handler, second: Handler) -> Handler:
    def handle(fact: object) -> None:
        first(fact)  # type: ignore[arg-type]  # both take what the fold hands over
        second(fact)  # type: ignore[arg-type]  # the same

    return handle
