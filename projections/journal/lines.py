"""What each contract line has earned: by its lots where that is as invoiceable, else by its progress or by days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from domain.books import postings
from domain.books.account_role import AccountRole
from domain.books.journal import Carried, Posting, Rate
from domain.contract import ContractLine, ManagedService
from domain.kernel import Recorded
from domain.money import Money
from domain.revenue.earning import (
    Seen,
    begun_anew,
    earned_to_date,
    estimate_at_completion,
    last_day_of,
    provision_to_date,
    revenue_account,
)
from domain.revenue.methods import Bases, Basis
from domain.revenue.promises import allocated_lines, earning_terms, own_price, promise_of
from projections.contexts import Contexts
from projections.journal.tables import LINES, LineRecord
from projections.journal.writer import About, JournalWriter
from projections.shelf import Changes, Shelf, Source
from projections.tables import Key

_NOTHING: Final = Decimal(0)
EARNED_APART: Final = frozenset({"percent_complete", "straight_line", "completed_contract"})
"""The methods by which a line earns its price apart from its lots: what a lot earns on it comes on top, or off it."""
_NOT_BY_PROGRESS: Final = frozenset({"as_invoiceable", "point_in_time", "straight_line"})


class JournalLines:
    """The lines of all engagements, as far as something was earned, billed or spent on them, or time earns for them.

    ``running`` names those that earn with the days that pass.
    """

    def __init__(self, source: Source, contexts: Contexts, writer: JournalWriter, *, from_zero: bool) -> None:
        self.lines: Shelf[LineRecord] = Shelf(LINES, source)
        found = [] if from_zero else source.find(LINES, {"running": True})
        self.running: dict[Key, None] = {(row.engagement, row.line): None for row in found}
        self._contexts = contexts
        self._writer = writer

    def collect(self, changes: Changes) -> None:
        """The lines that changed."""
        changes.tables.append(self.lines.changes())
        self.lines.shrink()

    # -- terms -------------------------------------------------------------------------------------------------------

    def of(self, engagement: str, name: str, entity: str, currency: str) -> LineRecord:
        """A line, which is going to be changed."""
        key = (engagement, name)
        if self.lines.bring(key) is not None:
            return self.lines.change(key)
        row = LineRecord(
            engagement=engagement,
            line=name,
            entity=entity,
            currency=currency,
            method="",
            price=None,
            recognised=_NOTHING,
            adjusted=_NOTHING,
            billed=_NOTHING,
            hours=_NOTHING,
            cost=_NOTHING,
            over_cap=_NOTHING,
            provision=_NOTHING,
            breakage=_NOTHING,
            running=False,
            recognised_through=None,
            basis_since=None,
            basis_recognised=None,
            basis_done=None,
            basis_left=None,
            basis_price=None,
            estimate_measure="",
            estimate=None,
        )
        self.lines.add(key, row)
        self._state_terms(key, row)
        return row

    def find(self, engagement: str, name: str) -> LineRecord | None:
        """A line, as far as something happened on it."""
        return self.lines.bring((engagement, name))

    def known(self, engagement: str, name: str) -> LineRecord | None:
        """A line that is to be changed, made from its contract where nothing happened on it yet."""
        state = self._contexts.engagement(engagement)
        if state.opened is None or name not in state.lines:
            return None
        return self.of(engagement, name, state.terms.selling_entity, state.currency)

    def _state_terms(self, key: Key, row: LineRecord) -> None:
        agreed = self._contexts.engagement(row.engagement).lines.get(row.line)
        if agreed is None:
            row.method = "as_invoiceable"
            return
        state = self._contexts.engagement(row.engagement)
        promise = promise_of(state, row.line, date.max, self._bases(row, date.max))
        row.method = earning_terms(state, agreed, date.max).method
        row.price = promise.transaction_price.amount if promise is not None else None
        estimate = estimate_at_completion(state, agreed)
        row.estimate_measure = estimate.measure if estimate is not None else ""
        row.estimate = estimate.total if estimate is not None else None
        last, through = last_day_of(agreed), row.recognised_through
        row.running = row.method == "straight_line" and not (last and through and through >= last)
        if row.running:
            self.running[key] = None
        else:
            self.running.pop(key, None)

    def terms_changed(self, key: Key) -> None:
        """The line was agreed anew."""
        self._state_terms(key, self.lines.change(key))

    def fixed_rate(self, engagement: str, name: str, functional: str) -> Rate | None:
        """The exchange rate that the contract fixes, if it does."""
        agreed = self._contexts.engagement(engagement).lines.get(name)
        if agreed is None or agreed.fixed_fx_rate is None:
            return None
        return Rate(agreed.fixed_fx_rate, functional, "contract")

    def day_of(self, fact: Recorded[Any], entity: str) -> date:
        """The day on which something was recorded, where the entity is."""
        versions = self._contexts.entity(entity).versions
        zone = ZoneInfo(versions[-1].time_zone) if versions else None
        return fact.recorded_at.astimezone(zone).date() if zone else fact.recorded_at.date()

    # -- what is earned ----------------------------------------------------------------------------------------------

    def recognise(
        self,
        fact: Recorded[Any],
        line: LineRecord,
        amount: Decimal,
        rate: Rate,
        account: AccountRole,
        because: str,
        day: date,
        about: About,
        functional: Decimal | None = None,
    ) -> tuple[Posting, ...]:
        """Revenue of a line, against the position of its engagement; returns the postings."""
        position = self._writer.carried("position", line.engagement)
        moved = postings.recognise(position, amount, line.currency, rate, account, functional)
        line.recognised += amount
        self.set_position(line, about.customer, rate, moved.left)
        self._writer.enter(fact, line.entity, because, day, moved.postings, about)
        return moved.postings

    def set_position(self, line: LineRecord, customer: str, rate: Rate, left: Carried) -> None:
        """What an engagement has earned beyond its bills, or been billed beyond what it earned."""
        about = About(customer, line.engagement)
        self._writer.begin("position", line.engagement, line.entity, about, line.currency, rate, left)

    def rate_on(self, line: LineRecord, day: date) -> Rate | None:
        """The rate of a line's currency on a day: as the contract fixes it, else the nearest that was published."""
        functional = self._writer.functional_currency(line.entity, day)
        if functional is None:
            return None
        fixed = self.fixed_rate(line.engagement, line.line, functional) if functional != line.currency else None
        return fixed or self._writer.nearest_rate(line.currency, functional, day)

    def measure(self, fact: Recorded[Any], engagement: str, name: str, day: date, because: str) -> None:
        """What a line has earned up to a day by its progress, less what counted before, is revenue of that day.

        A fact of an earlier day than the last that was measured counts on that one: what was earned to date since then
        is not less because something became known of the past. What the days earn is not moved by work.
        """
        known = self.known(engagement, name)
        if known is None or known.method in _NOT_BY_PROGRESS:
            return
        if known.recognised_through is not None:
            day = max(day, known.recognised_through)
        self.catch_up(fact, engagement, name, day, because)

    def restate(self, fact: Recorded[Any], engagement: str, name: str, day: date, because: str) -> None:
        """New terms of a day move what a line has earned; what the days earn is moved as far as they were counted."""
        known = self.known(engagement, name)
        if known is None or known.method != "straight_line":
            self.measure(fact, engagement, name, day, because)
        elif known.recognised_through is not None:
            through = known.recognised_through if known.running else max(day, known.recognised_through)
            self.catch_up(fact, engagement, name, through, because, on=max(day, through))

    def catch_up(
        self, fact: Recorded[Any], engagement: str, name: str, day: date, because: str, on: date | None = None
    ) -> None:
        """What a line has earned up to a day, less what counted before, is revenue of that day, or of a later one."""
        state = self._contexts.engagement(engagement)
        agreed = state.line_on(name, day) if state.opened is not None else None
        if agreed is None or (line := self.known(engagement, name)) is None:
            return
        line.recognised_through = day
        seen = self._seen(line, day)
        earned = earned_to_date(state, agreed, seen, day)
        if earned is not None:
            self._catch_up(fact, line, agreed, earned, on or day, because)
        provision = provision_to_date(state, agreed, seen, day)
        if provision is not None:
            self._provide(fact, line, provision.amount - line.provision, on or day)

    def begin_anew(self, engagement: str, names: Iterable[str], day: date) -> None:
        """The rest of each line's price is earned over the rest of its work, or of its days, from a day on."""
        state = self._contexts.engagement(engagement)
        sharing, found = allocated_lines(state, day), []
        for name in names:
            line, agreed = self.known(engagement, name), state.line_on(name, day)
            if line is None or agreed is None:
                continue
            if isinstance(agreed.billing, ManagedService) and name not in sharing:
                continue  # each day earns the fee that holds on it
            if earning_terms(state, agreed, day).method in EARNED_APART:
                recognised = Money(line.recognised - line.adjusted, line.currency)
                seen = self._seen(line, day - timedelta(days=1))
                found.append((line, begun_anew(state, agreed, seen, recognised, day)))
        for line, basis in found:
            line.basis_since, line.basis_recognised = basis.since, basis.recognised.amount
            line.basis_done, line.basis_left = basis.done, basis.left
            line.basis_price = basis.price.amount if basis.price is not None else None

    def _seen(self, line: LineRecord, day: date) -> Seen:
        drawn = line.recognised - line.adjusted - line.breakage
        return Seen(line.hours, line.cost, drawn, self._bases(line, day))

    def _bases(self, line: LineRecord, day: date) -> Bases:
        """Where the contracts of a line, and of those with which its price is divided, began anew up to a day."""
        state = self._contexts.engagement(line.engagement)
        others = (self.find(line.engagement, name) for name in allocated_lines(state, day) if name != line.line)
        bases = {each.line: _basis_of(each, day) for each in (line, *others) if each is not None}
        return {name: basis.at_price(own_price(state, name, day)) for name, basis in bases.items() if basis is not None}

    def _catch_up(
        self, fact: Recorded[Any], line: LineRecord, agreed: ContractLine, earned: Money, day: date, because: str
    ) -> None:
        change = earned.amount - (line.recognised - line.adjusted)
        rate = self.rate_on(line, day)
        if not change or rate is None:
            return
        if line.method == "drawdown":
            line.breakage += change
            because = "rights that will not be used are earned"
        customer = self._contexts.engagement(line.engagement).terms.customer
        about = About(customer, line.engagement, line.line)
        self.recognise(fact, line, change, rate, revenue_account("timesheet", agreed), because, day, about)

    def _provide(self, fact: Recorded[Any], line: LineRecord, change: Decimal, day: date) -> None:
        rate = self.rate_on(line, day)
        if not change or rate is None:
            return
        line.provision += change
        about = About(self._contexts.engagement(line.engagement).terms.customer, line.engagement, line.line)
        posted = postings.provide_for_loss(change, line.currency, rate)
        self._writer.enter(fact, line.entity, "a loss is expected", day, posted, about)


def _basis_of(line: LineRecord, day: date) -> Basis | None:
    if line.basis_since is None or line.basis_since > day:
        return None
    assert line.basis_recognised is not None, "what was begun anew is stated as a whole"
    assert line.basis_done is not None, "the same"
    assert line.basis_left is not None, "the same"
    recognised = Money(line.basis_recognised, line.currency)
    price = Money(line.basis_price, line.currency) if line.basis_price is not None else None
    return Basis(recognised, line.basis_since, line.basis_done, line.basis_left, price)
