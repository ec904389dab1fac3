"""Enters what progress, change orders and the days that pass earn, and what month ends make of foreign balances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from domain.books import postings
from domain.books.account_role import AccountRole
from domain.books.journal import Carried, Posting
from domain.calendar import DayOpened, months_ended
from domain.contract import revenue_of
from domain.engagement.agreement import EngagementCompleted, LineAgreed
from domain.engagement.change_orders import ChangeOrderApproved
from domain.engagement.milestones import MilestoneAccepted
from domain.engagement.progress import CostRecorded, EstimateRevised, ProgressMeasured
from domain.engagement.retainer import RetainerExpired, RetainerRefunded
from domain.kernel import Recorded, local_id
from domain.periods import month_end
from domain.reference.fx_rate import FxRatePublished
from domain.revenue.earning import last_day_of
from domain.revenue.promises import allocated_lines, budget_of
from projections.contexts import Contexts
from projections.journal.lines import JournalLines
from projections.journal.tables import OPEN, OpenRecord
from projections.journal.writer import About, JournalWriter
from projections.model import Handler
from projections.shelf import Source
from projections.tables import Key

_NOTHING: Final = Decimal(0)


class JournalProgress:
    """Entries of lines that earn by progress or by days, and the revaluation at month ends."""

    def __init__(self, source: Source, contexts: Contexts, writer: JournalWriter, lines: JournalLines) -> None:
        self._source = source
        self._contexts = contexts
        self._writer = writer
        self._lines = lines
        self.wants: Mapping[type, Handler] = {}
        self.on: Mapping[type, Handler] = {
            LineAgreed: self._agreed,
            ChangeOrderApproved: self._changed,
            ProgressMeasured: self._measured,
            EstimateRevised: self._estimated,
            CostRecorded: self._cost_recorded,
            MilestoneAccepted: self._accepted,
            EngagementCompleted: self._completed,
            RetainerExpired: self._measured,
            RetainerRefunded: self._retainer_refunded,
            DayOpened: self._day_opened,
            FxRatePublished: self._fx_published,
        }

    # -- contracts ---------------------------------------------------------------------------------------------------

    def _agreed(self, fact: Recorded[LineAgreed]) -> None:
        """A line that earns with the days, or has a budget, is known once it is agreed; new terms catch up at once."""
        engagement, line = local_id(fact.stream), fact.event.line
        is_new = self._lines.find(engagement, line.line) is None
        if revenue_of(line).method == "straight_line" or budget_of(line) is not None:
            self._lines.known(engagement, line.line)
        changed = [] if is_new else [line.line]
        self._catch_up_with_terms(fact, engagement, changed, fact.event.on, "the contract is agreed anew")

    def _catch_up_with_terms(
        self, fact: Recorded[Any], engagement: str, changed: Sequence[str], day: date | None, because: str
    ) -> None:
        """New terms move what the changed lines have earned, and those that share a price or shared one before."""
        state = self._contexts.engagement(engagement)
        sharing = [name for name, each in state.lines.items() if each.stand_alone_price is not None]
        for name in dict.fromkeys((*changed, *sharing)):
            line = self._lines.find(engagement, name)
            if line is not None:
                self._lines.terms_changed((engagement, name))
                on = day or self._lines.day_of(fact, line.entity)
                self._lines.restate(fact, engagement, name, on, because)

    def _changed(self, fact: Recorded[ChangeOrderApproved]) -> None:
        """A change order begins a new contract with what is left, or catches up (IFRS 15.21)."""
        engagement, event = local_id(fact.stream), fact.event
        changed = [each.line for each in event.lines]
        known = [name for name in changed if self._lines.known(engagement, name) is not None]
        if event.treatment == "prospective":
            self._begin_anew(engagement, known, event.effective_from)
        because = f"the contract is modified: {event.treatment_because}"
        self._catch_up_with_terms(fact, engagement, changed, event.effective_from, because)

    def _begin_anew(self, engagement: str, changed: Sequence[str], day: date) -> None:
        """From here on the rest of the price is earned over the rest of the work: of all lines that share in it."""
        state = self._contexts.engagement(engagement)
        sharing = allocated_lines(state, day)
        old = [name for name in changed if state.line_on(name, day - timedelta(days=1)) is not None]
        self._lines.begin_anew(engagement, dict.fromkeys((*old, *(sharing if {*sharing} & {*changed} else ()))), day)

    def _estimated(self, fact: Recorded[EstimateRevised]) -> None:
        """An estimate says what is still to come, also of a line that earns otherwise than by its progress."""
        engagement, line = local_id(fact.stream), fact.event.line
        if self._lines.known(engagement, line) is not None:
            self._lines.terms_changed((engagement, line))
        self._measured(fact)

    def _measured(self, fact: Recorded[ProgressMeasured | EstimateRevised | RetainerExpired]) -> None:
        self._lines.measure(fact, local_id(fact.stream), fact.event.line, fact.event.on, "progress earns revenue")

    def _accepted(self, fact: Recorded[MilestoneAccepted]) -> None:
        event = fact.event
        self._lines.measure(fact, local_id(fact.stream), event.line, event.accepted_on, "progress earns revenue")

    def _completed(self, fact: Recorded[EngagementCompleted]) -> None:
        engagement, event = local_id(fact.stream), fact.event
        names = [event.line] if event.line is not None else list(self._contexts.engagement(engagement).lines)
        for name in names:
            self._lines.measure(fact, engagement, name, event.on, "the contract is completed")

    def _cost_recorded(self, fact: Recorded[CostRecorded]) -> None:
        """A cost that an ERP told of a line: it costs, and it is progress where cost measures that."""
        engagement, event = local_id(fact.stream), fact.event
        line = self._lines.known(engagement, event.line)
        functional = self._writer.functional_currency(line.entity, event.on) if line is not None else None
        if line is None or functional is None:
            return
        cost = event.amount
        rate = self._writer.nearest_rate(cost.currency, functional, event.on)
        to_line = self._writer.nearest_rate(cost.currency, line.currency, event.on)
        if rate is None or to_line is None:
            return
        about = About(self._contexts.engagement(engagement).terms.customer, engagement, event.line)
        posted = postings.other_cost(cost.amount, cost.currency, rate)
        self._writer.enter(fact, line.entity, "a cost is told", event.on, posted, about)
        line.cost += to_line.of(cost.amount)
        self._lines.measure(fact, engagement, event.line, event.on, "progress earns revenue")

    def _retainer_refunded(self, fact: Recorded[RetainerRefunded]) -> None:
        """What is left of a retainer is paid back: the advance ends, at the rate that it has."""
        engagement, event = local_id(fact.stream), fact.event
        line = self._lines.known(engagement, event.line)
        rate = self._lines.rate_on(line, event.on) if line is not None else None
        if line is None or rate is None:
            return
        customer = self._contexts.engagement(engagement).terms.customer
        position = self._writer.carried("position", engagement)
        moved = postings.position_moved(position, event.amount.amount, line.currency, rate)
        cash = postings.posting(AccountRole.CASH, -event.amount.amount, line.currency, rate)
        about = About(customer, engagement, event.line)
        posted = postings.difference((*moved.postings, cash))
        self._writer.enter(fact, line.entity, "a retainer is paid back", event.on, posted, about)
        line.billed -= event.amount.amount
        self._lines.set_position(line, customer, rate, moved.left)

    # -- days --------------------------------------------------------------------------------------------------------

    def _day_opened(self, fact: Recorded[DayOpened]) -> None:
        """When a month is over, its days have earned, and its foreign balances are carried at its closing rates."""
        for key in sorted(self._lines.running):
            self._lines.lines.fetch([key])
            self._earn_days(fact, key)
        for ended in months_ended(fact.event):
            self._revalue(fact, ended)

    def _earn_days(self, fact: Recorded[DayOpened], key: Key) -> None:
        line = self._lines.lines.get(key)
        assert line is not None, "a running line is kept"
        state = self._contexts.engagement(line.engagement)
        agreed = state.lines.get(line.line)
        yesterday = fact.event.day - timedelta(days=1)
        if agreed is None or state.signed is None:
            return
        starts, last = _starts(agreed), last_day_of(agreed)
        after = line.recognised_through
        day = month_end(after + timedelta(days=1) if after is not None else starts or yesterday)
        while day <= yesterday or (last is not None and last <= yesterday and (after is None or after < last)):
            through = min(day, last) if last is not None else day
            line = self._lines.lines.change(key)
            self._lines.catch_up(fact, line.engagement, line.line, through, "the days of the month earn")
            line.recognised_through = after = through
            if through == last:
                break
            day = month_end(day + timedelta(days=1))
        self._lines.lines.change(key)
        self._lines.terms_changed(key)

    # -- revaluation -------------------------------------------------------------------------------------------------

    def _fx_published(self, _fact: Recorded[FxRatePublished]) -> None:
        self._writer.rates_changed()

    def _revalue(self, fact: Recorded[DayOpened], ended: date) -> None:
        """Every monetary balance in foreign currency, and back again on the first day of the next month."""
        found = self._writer.open.keep(self._source.find(OPEN, {"is_foreign": True}))
        rows = {(row.kind, row.name): row for row in (*found, *self._writer.open.changing()) if row.is_foreign}
        for key in sorted(rows):
            row = rows[key]
            account = _monetary(row)
            closing = self._writer.nearest_rate(row.currency, row.functional_currency, ended)
            if account is None or closing is None:
                continue
            posted = postings.revalue(account, Carried(row.amount, row.functional), row.currency, closing)
            self._enter(fact, row, "foreign balances are carried at the closing rate", ended, posted)
            back, next_day = postings.reversed_of(posted), ended + timedelta(days=1)
            self._enter(fact, row, "the revaluation is reversed", next_day, back)

    def _enter(
        self, fact: Recorded[Any], row: OpenRecord, because: str, day: date, posted: tuple[Posting, ...]
    ) -> None:
        invoice = row.name if row.kind not in ("position", "receipt") else ""
        payment = row.name if row.kind == "receipt" else ""
        about = About(row.customer, row.engagement, invoice=invoice, payment=payment)
        self._writer.enter(fact, row.entity, because, day, posted, about)


_ACCOUNTS: Final = {
    "receivable": AccountRole.AR,
    "receipt": AccountRole.AR,
    "retention": AccountRole.RETENTION,
    "position": AccountRole.CONTRACT_ASSET,
    "ic_receivable": AccountRole.IC_AR,
    "ic_payable": AccountRole.IC_AP,
}


def _monetary(row: OpenRecord) -> AccountRole | None:
    """The account of a balance that is revalued; an advance is not (IFRIC 22), so a contract liability has none."""
    if not row.amount or (row.kind == "position" and row.amount < 0):
        return None
    return _ACCOUNTS[row.kind]


def _starts(agreed: Any) -> date | None:
    terms = revenue_of(agreed)
    starts: date | None = terms.starts
    return starts
