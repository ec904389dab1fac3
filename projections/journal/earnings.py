"""What lots earn and cost is entered here, as far as their caps leave room; it waits while a rate is missing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Final

from domain.books import postings
from domain.books.account_role import AccountRole
from domain.books.journal import Rate
from domain.kernel import Recorded, decider_name
from projections.contexts import Contexts
from projections.journal.caps import Group, JournalCaps
from projections.journal.lines import EARNED_APART, JournalLines
from projections.journal.lot_rows import about
from projections.journal.tables import LOTS, LineRecord, LotRecord
from projections.journal.writer import JournalWriter
from projections.shelf import Changes, Shelf, Source
from projections.tables import Key

_NOTHING: Final = Decimal(0)


class LotEarnings:
    """What every lot has earned and cost so far, and the entries that say so."""

    def __init__(
        self,
        source: Source,
        contexts: Contexts,
        writer: JournalWriter,
        lines: JournalLines,
        *,
        from_zero: bool,
    ) -> None:
        self.lots: Shelf[LotRecord] = Shelf(LOTS, source)
        self.caps = JournalCaps(source, contexts, self.lots)
        self._contexts = contexts
        self._writer = writer
        self._lines = lines
        waiting = [] if from_zero else source.find(LOTS, {"waiting": True})
        self.waiting: dict[Key, None] = {(row.stream, row.lot): None for row in waiting}

    def collect(self, changes: Changes) -> None:
        """The lots that changed."""
        changes.tables.append(self.lots.changes())
        self.lots.shrink()
        self.caps.shrink()

    def post(self, fact: Recorded[Any], key: Key) -> None:
        """The cost of a lot and what it earns; it waits while an exchange rate of its work date is missing."""
        row = self.lots.change(key)
        cost_rate = self.rate(row, row.cost_currency, row.delivering_entity)
        rate = self.rate(row, row.currency, row.entity)
        row.waiting = cost_rate is None or rate is None
        if cost_rate is None or rate is None:
            self.waiting[key] = None
            self.caps.forget(self.group_of(row))
            return
        self.waiting.pop(key, None)
        row.cost_rate, row.cost_rate_id = cost_rate.value, cost_rate.id
        self.cost(fact, row, 1)
        line = self._lines.of(row.engagement, row.line, row.entity, row.currency)
        line.hours += row.hours
        line.cost += row.line_cost
        if row.earns:
            self.begin(fact, row, rate)
        elif row.open:
            self._take_up(fact, row)
        self._lines.measure(fact, row.engagement, row.line, row.work_date, "progress earns revenue")

    def cost(self, fact: Recorded[Any], row: LotRecord, sign: int) -> None:
        """Enters what a lot costs, or takes it back (-1)."""
        functional = self._writer.functional_currency(row.delivering_entity, row.work_date) or row.cost_currency
        rate = Rate(row.cost_rate or Decimal(1), functional, row.cost_rate_id)
        place, because = about(row), "work costs" if sign > 0 else "work is reversed"
        if decider_name(fact.stream) == "expense_report" or row.account == AccountRole.REVENUE_EXPENSE:
            account = AccountRole.REVENUE_EXPENSE if row.is_agent else AccountRole.COST_EXPENSE
            posted = postings.expense(sign * row.cost, sign * row.tax, row.cost_currency, rate, account)
        else:
            posted = postings.labour(sign * row.cost, row.cost_currency, rate)
        self._writer.enter(fact, row.delivering_entity, because, row.work_date, posted, place)

    def begin(self, fact: Recorded[Any], row: LotRecord, rate: Rate) -> None:
        """Revenue of a lot as far as there is room under its caps; what is over them earns nothing."""
        line = self._lines.of(row.engagement, row.line, row.entity, row.currency)
        line.over_cap += row.value - row.recognised
        within = self._taken_up(row)
        if within is not None:
            self.grant(fact, row, line, within - row.recognised, rate, "revenue is recognised")
        else:
            self._share_out(fact, self.group_of(row), (row.stream, row.lot))

    def _take_up(self, fact: Recorded[Any], row: LotRecord) -> None:
        """A lot that earns nothing itself, such as an instalment, leaves less of the caps to others."""
        if self._taken_up(row) is None:
            self._share_out(fact, self.group_of(row))

    def _taken_up(self, row: LotRecord) -> Decimal | None:
        """How much of a lot fits under its caps, where it moves no other."""
        return self.caps.taken_up(self.group_of(row), row) if row.open else row.value

    def grant(
        self, fact: Recorded[Any], row: LotRecord, line: LineRecord, amount: Decimal, rate: Rate, because: str
    ) -> None:
        if amount:
            line.over_cap -= amount
            self._recognise(fact, row, line, amount, rate, because)

    def _recognise(
        self, fact: Recorded[Any], row: LotRecord, line: LineRecord, amount: Decimal, rate: Rate, because: str,
        functional: Decimal | None = None, day: date | None = None,
    ) -> None:  # fmt: skip
        posted = self._lines.recognise(
            fact, line, amount, rate, AccountRole(row.account), because, day or row.work_date, about(row), functional
        )
        row.recognised += amount
        if line.method in EARNED_APART:
            line.adjusted += amount
        row.functional_recognised -= sum((each.functional for each in posted if each.account == row.account), _NOTHING)

    def take_back(self, fact: Recorded[Any], row: LotRecord, because: str, day: date) -> None:
        """What a lot has earned is not revenue any more, at what it was recognised at."""
        line = self._lines.of(row.engagement, row.line, row.entity, row.currency)
        line.over_cap -= row.over_cap
        row.earns = row.open = False
        if row.recognised and (rate := self.rate(row, row.currency, row.entity)):
            taken = -row.functional_recognised
            self._recognise(fact, row, line, -row.recognised, rate, because, taken, day)

    # -- caps --------------------------------------------------------------------------------------------------------

    def group_of(self, row: LotRecord) -> Group:
        """The caps that a lot is under, with all lots that share them."""
        return self.caps.group_of(row.engagement, row.customer, row.currency)

    def share_out_of(self, fact: Recorded[Any], engagement: str) -> None:
        """What the caps of an engagement leave is shared out anew among its lots."""
        terms = self._contexts.engagement(engagement).terms
        group = self.caps.group_of(engagement, terms.customer, terms.currency)
        self.caps.forget(group)
        self._share_out(fact, group)

    def leave_room(self, fact: Recorded[Any], rows: Iterable[LotRecord]) -> None:
        """Lots take nothing of their caps any more."""
        groups = {
            group.name: group
            for row in rows
            if (group := self.group_of(row)).rooms and not self.caps.gives_back(group, row)
        }
        for group in groups.values():
            self.caps.forget(group)
            self._share_out(fact, group)

    def _share_out(self, fact: Recorded[Any], group: Group, fresh: Key | None = None) -> None:
        """What the caps of a group leave, to its lots in their turn; what some lose is posted first."""
        shares = self.caps.share_out(group)
        moved = [
            (key, row, within - row.recognised)
            for key, (row, within) in shares.items()
            if row.earns and not row.waiting and within != row.recognised
        ]
        for key, row, change in sorted(moved, key=lambda each: each[2] > 0):
            rate = self.rate(row, row.currency, row.entity)
            if rate is None:
                continue
            self.lots.change(key)
            line = self._lines.of(row.engagement, row.line, row.entity, row.currency)
            if change > 0 or not row.recognised:  # a service credit begins with less than nothing
                because = "revenue is recognised" if key == fresh else "a cap makes room"
                self.grant(fact, row, line, change, rate, because)
            else:
                taken = (row.functional_recognised * change / row.recognised).quantize(row.functional_recognised)
                line.over_cap -= change
                self._recognise(fact, row, line, change, rate, "a cap leaves less room", taken)

    # -- exchange rates ----------------------------------------------------------------------------------------------

    def rate(self, row: LotRecord, currency: str, entity: str) -> Rate | None:
        """The exchange rate of a lot's work date, or the one that its line fixes; None while it is missing."""
        functional = self._writer.functional_currency(entity, row.work_date)
        if functional is None:
            return None
        if currency == row.currency and entity == row.entity and currency != functional:
            fixed = self._lines.fixed_rate(row.engagement, row.line, functional)
            if fixed is not None:
                return fixed
        return self._writer.rate(currency, functional, row.work_date)

    def post_waiting(self, fact: Recorded[Any]) -> None:
        """What waited for a rate is posted by the fact that brought it, in the order of the work."""
        keys = sorted(self.waiting)
        self.lots.fetch(keys)
        for key in keys:
            row = self.lots.get(key)
            assert row is not None, "a lot that waits is kept"
            if self.rate(row, row.cost_currency, row.delivering_entity) and self.rate(row, row.currency, row.entity):
                self._lines.lines.fetch([(row.engagement, row.line)])
                self.post(fact, key)
