"""Enters what lots earn and cost: when they are rated, split, reversed or given up, and when a cap makes room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from domain.billing_limit import BillingLimit, BillingLimitAgreed, LimitClaimed, LimitReleased
from domain.books import postings
from domain.books.account_role import AccountRole
from domain.books.journal import Rate
from domain.engagement.agreement import LineAgreed
from domain.engagement.caps import (
    BillingClaimed,
    BillingCredited,
    BillingReleased,
    CapChanged,
    EngagementCapAgreed,
    LimitsChanged,
)
from domain.engagement.change_orders import ChangeOrderApproved
from domain.expense import ExpenseRecorded
from domain.kernel import Recorded, decider_name, local_id
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
from projections.journal.caps import Group, JournalCaps
from projections.journal.lines import EARNED_APART, JournalLines
from projections.journal.lot_rows import about, expense_line, parts_of, row_of
from projections.journal.tables import EXPENSES, LOTS, ExpenseRecord, LineRecord, LotRecord
from projections.journal.writer import JournalWriter
from projections.model import Handler
from projections.shelf import Changes, Shelf, Source
from projections.tables import Key

_NOTHING: Final = Decimal(0)


class JournalLots:
    """What every lot has earned and cost, and the entries that say so."""

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
        self._caps = JournalCaps(source, contexts, self.lots)
        self._expenses: Shelf[ExpenseRecord] = Shelf(EXPENSES, source)
        self._contexts = contexts
        self._writer = writer
        self._lines = lines
        waiting = [] if from_zero else source.find(LOTS, {"waiting": True})
        self._waiting: dict[Key, None] = {(row.stream, row.lot): None for row in waiting}
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
            LineAgreed: self._agreed,
            CapChanged: self._caps_moved,
            LimitsChanged: self._caps_moved,
            EngagementCapAgreed: self._caps_moved,
            ChangeOrderApproved: self._changed,
            BillingClaimed: self._claimed,
            BillingReleased: self._claimed,
            BillingCredited: self._claimed,
            BillingLimitAgreed: self._limit_moved,
            LimitClaimed: self._limit_moved,
            LimitReleased: self._limit_moved,
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
        for shelf in (self.lots, self._expenses):
            changes.tables.append(shelf.changes())
            shelf.shrink()
        self._caps.shrink()

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
            self._caps.opened(row)
        self._post(fact, key)

    def _post(self, fact: Recorded[Any], key: Key) -> None:
        """The cost of a lot and what it earns; it waits while an exchange rate of its work date is missing."""
        row = self.lots.change(key)
        cost_rate = self._rate(row, row.cost_currency, row.delivering_entity)
        rate = self._rate(row, row.currency, row.entity)
        row.waiting = cost_rate is None or rate is None
        if cost_rate is None or rate is None:
            self._waiting[key] = None
            self._caps.forget(self._group_of(row))
            return
        self._waiting.pop(key, None)
        row.cost_rate, row.cost_rate_id = cost_rate.value, cost_rate.id
        self._cost(fact, row, 1)
        line = self._lines.of(row.engagement, row.line, row.entity, row.currency)
        line.hours += row.hours
        line.cost += row.line_cost
        if row.earns:
            self._begin_to_earn(fact, row, rate)
        elif row.open:
            self._take_up(fact, row)
        self._lines.measure(fact, row.engagement, row.line, row.work_date, "progress earns revenue")

    def _cost(self, fact: Recorded[Any], row: LotRecord, sign: int) -> None:
        functional = self._writer.functional_currency(row.delivering_entity, row.work_date) or row.cost_currency
        rate = Rate(row.cost_rate or Decimal(1), functional, row.cost_rate_id)
        place, because = about(row), "work costs" if sign > 0 else "work is reversed"
        if decider_name(fact.stream) == "expense_report" or row.account == AccountRole.REVENUE_EXPENSE:
            account = AccountRole.REVENUE_EXPENSE if row.is_agent else AccountRole.COST_EXPENSE
            posted = postings.expense(sign * row.cost, sign * row.tax, row.cost_currency, rate, account)
        else:
            posted = postings.labour(sign * row.cost, row.cost_currency, rate)
        self._writer.enter(fact, row.delivering_entity, because, row.work_date, posted, place)

    def _begin_to_earn(self, fact: Recorded[Any], row: LotRecord, rate: Rate) -> None:
        """Revenue of a lot as far as there is room under its caps; what is over them earns nothing."""
        line = self._lines.of(row.engagement, row.line, row.entity, row.currency)
        line.over_cap += row.value - row.recognised
        within = self._taken_up(row)
        if within is not None:
            self._grant(fact, row, line, within - row.recognised, rate, "revenue is recognised")
        else:
            self._share_out(fact, self._group_of(row), (row.stream, row.lot))

    def _take_up(self, fact: Recorded[Any], row: LotRecord) -> None:
        """A lot that earns nothing itself, such as an instalment, leaves less of the caps to others."""
        if self._taken_up(row) is None:
            self._share_out(fact, self._group_of(row))

    def _taken_up(self, row: LotRecord) -> Decimal | None:
        """How much of a lot fits under its caps, where it moves no other."""
        return self._caps.taken_up(self._group_of(row), row) if row.open else row.value

    def _grant(
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

    def _take_back(self, fact: Recorded[Any], row: LotRecord, because: str, day: date) -> None:
        """What a lot has earned is not revenue any more, at what it was recognised at."""
        line = self._lines.of(row.engagement, row.line, row.entity, row.currency)
        line.over_cap -= row.over_cap
        row.earns = row.open = False
        if row.recognised and (rate := self._rate(row, row.currency, row.entity)):
            taken = -row.functional_recognised
            self._recognise(fact, row, line, -row.recognised, rate, because, taken, day)

    def _split(self, fact: Recorded[LotSplit]) -> None:
        key = (fact.stream, fact.event.lot)
        whole = self.lots.get(key)
        assert whole is not None, "a lot is rated before it is split"
        for part in parts_of(whole, fact.event.parts):
            self.lots.add((fact.stream, part.lot), part)
            if part.open:
                self._caps.opened(part)
            if part.waiting:
                self._waiting[fact.stream, part.lot] = None
        self._waiting.pop(key, None)
        self.lots.remove(key)

    def _reversed(self, fact: Recorded[LotReversed]) -> None:
        if self.lots.get((fact.stream, fact.event.lot)) is not None:  # what was transferred has ended already
            self._ended(fact, "work is reversed")

    def _transferred(self, fact: Recorded[LotTransferred]) -> None:
        """Another lot earns and costs in its place, for another engagement."""
        self._ended(fact, "work is transferred")

    def _ended(self, fact: Recorded[LotReversed | LotTransferred], because: str) -> None:
        key = (fact.stream, fact.event.lot)
        row = self.lots.change(key)
        was_open = row.open
        if not row.waiting:
            self._take_back(fact, row, because, row.work_date)
            self._cost(fact, row, -1)
            line = self._lines.of(row.engagement, row.line, row.entity, row.currency)
            line.hours -= row.hours
            line.cost -= row.line_cost
            self._lines.measure(fact, row.engagement, row.line, row.work_date, "work is reversed")
        self._waiting.pop(key, None)
        self.lots.remove(key)
        self._leave_room(fact, [row] if was_open else [])

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
        self._leave_room(fact, opened)

    def _earns_no_more(self, fact: Recorded[Any], row: LotRecord, because: str, day: date) -> None:
        if not row.waiting:
            self._concede(fact, row, because, day)
            self._take_back(fact, row, because, day)
        row.earns = row.open = False

    def _concede(self, fact: Recorded[Any], row: LotRecord, because: str, day: date) -> None:
        """A bill that is given up of a price that is earned apart is a lower price, at once (IFRS 15.51, 88)."""
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
        self._leave_room(fact, rows)

    def _hold_lifted(self, fact: Recorded[LotHoldsLifted]) -> None:
        """Hours that were approved after all earn as if they had been at once."""
        for lot in fact.event.lots if fact.event.code == APPROVER_REDUCED else ():
            row = self.lots.change((fact.stream, lot))
            if row.held_back:
                row.held_back, row.earns, row.open = False, True, True
                self._caps.opened(row)
                rate = None if row.waiting else self._rate(row, row.currency, row.entity)
                if rate is not None:
                    self._begin_to_earn(fact, row, rate)

    def _credited(self, fact: Recorded[LotsCredited]) -> None:
        """Work that was credited is unbilled again, at what it has earned; what is given up of it earns nothing.

        What the invoice had taken of the caps is given back behind it, in the same transaction.
        """
        for each in fact.event.lots:
            row = self.lots.change((fact.stream, each.lot))
            if each.disposition in ("rebill", "rebill_elsewhere"):
                row.open = True
                self._caps.opened(row)
            else:
                day = each.effective_on or self._write_off_day(fact, row)
                self._earns_no_more(fact, row, "work is written off", day)
            self._caps.forget(self._group_of(row))

    def _reserved(self, fact: Recorded[LotsReserved]) -> None:
        """What a draft bills is earned whatever waits in front of it; the draft then takes it off the caps."""
        self._leave_the_queue(fact, fact.event.lots)

    def _drawn(self, fact: Recorded[LotsDrawn]) -> None:
        """What a retainer pays for takes from no cap: the retainer did."""
        self._leave_room(fact, self._leave_the_queue(fact, fact.event.lots))

    def _leave_the_queue(self, fact: Recorded[Any], lots: Iterable[str]) -> list[LotRecord]:
        taken = []
        for lot in lots:
            row = self.lots.change((fact.stream, lot))
            row.open = False
            taken.append(row)
            self._caps.forget(self._group_of(row))
            if row.over_cap and (rate := self._rate(row, row.currency, row.entity)):
                line = self._lines.of(row.engagement, row.line, row.entity, row.currency)
                self._grant(fact, row, line, row.over_cap, rate, "work under a cap is billed")
        return taken

    def _opened_again(self, fact: Recorded[LotsReleased | LotsUndrawn]) -> None:
        """Lots wait for their turn again; after a draft, what it had taken of the caps is given back behind them."""
        opened = []
        for lot in fact.event.lots:
            row = self.lots.change((fact.stream, lot))
            row.open = True
            self._caps.opened(row)
            opened.append(row)
            self._caps.forget(self._group_of(row))
        if isinstance(fact.event, LotsUndrawn):
            self._leave_room(fact, opened)

    def _write_off_day(self, fact: Recorded[Any], row: LotRecord) -> date:
        posted = self._lines.day_of(fact, row.entity)
        terms = self._contexts.entity(row.entity).on(posted)
        return row.work_date if terms is not None and terms.write_offs_count_on == "work_date" else posted

    # -- caps --------------------------------------------------------------------------------------------------------

    def _group_of(self, row: LotRecord) -> Group:
        return self._caps.group_of(row.engagement, row.customer, row.currency)

    def _agreed(self, fact: Recorded[LineAgreed]) -> None:
        """The first terms of a line concern no work yet; new ones may have other caps."""
        engagement = local_id(fact.stream)
        line = self._lines.find(engagement, fact.event.line.line)
        if line is not None:
            self._lines.terms_changed((engagement, line.line))
            self._share_out_of(fact, engagement)
        else:
            terms = self._contexts.engagement(engagement).terms
            self._caps.forget(self._caps.group_of(engagement, terms.customer, terms.currency))

    def _caps_moved(self, fact: Recorded[Any]) -> None:
        """Caps of an engagement were agreed anew."""
        engagement = local_id(fact.stream)
        changed = getattr(fact.event, "line", None)
        if isinstance(changed, str) and self._lines.find(engagement, changed) is not None:
            self._lines.terms_changed((engagement, changed))
        self._share_out_of(fact, engagement)

    def _changed(self, fact: Recorded[ChangeOrderApproved]) -> None:
        engagement = local_id(fact.stream)
        for line in fact.event.lines:
            if self._lines.find(engagement, line.line) is not None:
                self._lines.terms_changed((engagement, line.line))
        self._share_out_of(fact, engagement)

    def _claimed(self, fact: Recorded[BillingClaimed | BillingReleased | BillingCredited]) -> None:
        """A draft or a credit moved what is left of the caps; the customer's limit comes behind all of its lines."""
        engagement, event = local_id(fact.stream), fact.event
        if not isinstance(event, BillingReleased) and event.more_follow:
            return
        terms = self._contexts.engagement(engagement).terms
        limit = self._contexts.billing_limit(terms.customer, terms.currency)
        claims_follow = isinstance(event, BillingClaimed) and limit.agreed is not None
        if not claims_follow and event.invoice not in limit.claims:
            self._share_out_of(fact, engagement)

    def _limit_moved(self, fact: Recorded[BillingLimitAgreed | LimitClaimed | LimitReleased]) -> None:
        """What the work of a customer may be billed in all was agreed, or is taken by a draft, or given back."""
        limit: BillingLimit = self._contexts.read(fact.stream)
        if limit.agreed is None:
            return
        customer, currency = limit.agreed.customer, limit.agreed.currency
        for engagement in sorted(self._caps.engagements_of(customer, currency)):
            self._share_out_of(fact, engagement)
            if limit.room is not None:
                return

    def _share_out_of(self, fact: Recorded[Any], engagement: str) -> None:
        terms = self._contexts.engagement(engagement).terms
        group = self._caps.group_of(engagement, terms.customer, terms.currency)
        self._caps.forget(group)
        self._share_out(fact, group)

    def _leave_room(self, fact: Recorded[Any], rows: Iterable[LotRecord]) -> None:
        """Lots take nothing of their caps any more."""
        groups = {
            group.name: group
            for row in rows
            if (group := self._group_of(row)).rooms and not self._caps.gives_back(group, row)
        }
        for group in groups.values():
            self._caps.forget(group)
            self._share_out(fact, group)

    def _share_out(self, fact: Recorded[Any], group: Group, fresh: Key | None = None) -> None:
        """What the caps of a group leave, to its lots in their turn; what some lose is posted first."""
        shares = self._caps.share_out(group)
        moved = [
            (key, row, within - row.recognised)
            for key, (row, within) in shares.items()
            if row.earns and not row.waiting and within != row.recognised
        ]
        for key, row, change in sorted(moved, key=lambda each: each[2] > 0):
            rate = self._rate(row, row.currency, row.entity)
            if rate is None:
                continue
            self.lots.change(key)
            line = self._lines.of(row.engagement, row.line, row.entity, row.currency)
            if change > 0 or not row.recognised:  # a service credit begins with less than nothing
                because = "revenue is recognised" if key == fresh else "a cap makes room"
                self._grant(fact, row, line, change, rate, because)
            else:
                taken = (row.functional_recognised * change / row.recognised).quantize(row.functional_recognised)
                line.over_cap -= change
                self._recognise(fact, row, line, change, rate, "a cap leaves less room", taken)

    # -- exchange rates ----------------------------------------------------------------------------------------------

    def _rate(self, row: LotRecord, currency: str, entity: str) -> Rate | None:
        functional = self._writer.functional_currency(entity, row.work_date)
        if functional is None:
            return None
        if currency == row.currency and entity == row.entity and currency != functional:
            fixed = self._lines.fixed_rate(row.engagement, row.line, functional)
            if fixed is not None:
                return fixed
        return self._writer.rate(currency, functional, row.work_date)

    def _fx_published(self, fact: Recorded[FxRatePublished]) -> None:
        self._writer.rates_changed()
        self._post_waiting(fact)

    def _entity_defined(self, fact: Recorded[LegalEntityDefined]) -> None:
        self._post_waiting(fact)

    def _post_waiting(self, fact: Recorded[Any]) -> None:
        """What waited for a rate is posted by the fact that brought it, in the order of the work."""
        keys = sorted(self._waiting)
        self.lots.fetch(keys)
        for key in keys:
            row = self.lots.get(key)
            assert row is not None, "a lot that waits is kept"
            if self._rate(row, row.cost_currency, row.delivering_entity) and self._rate(row, row.currency, row.entity):
                self._lines.lines.fetch([(row.engagement, row.line)])
                self._post(fact, key)
