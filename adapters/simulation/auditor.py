"""The auditor: a second, simpler set of books of the sample firm, to hold the ledger's own against.

It hears facts, not payloads, and is told which tellings are of the same hours. It keeps every entry in memory and adds
up from scratch whenever it is asked, so it is slow and easy to believe.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from adapters.simulation import rates
from adapters.simulation.facts import (
    CapRaised,
    CustomerTold,
    ExpensesApproved,
    ExpenseTold,
    Fact,
    HoursDeleted,
    HoursTold,
    OrderTold,
    PeriodTold,
    StageAccepted,
)
from adapters.simulation.firm import ContractLine, Engagement
from adapters.simulation.pricebook import PriceBook

Place = tuple[str, str]
"""An engagement and a line of it, as the ledger names them: ``("E-006...", "L1")``."""
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Account:
    """What one contract line has come to: approved hours, their standard value, and the rest that may be billed.

    ``cost`` is that of the hours and expenses. ``billed`` is on drafts or invoices. All amounts are in the engagement's
    currency.
    """

    hours: Decimal = NOTHING
    time: Decimal = NOTHING
    expenses: Decimal = NOTHING
    milestones: Decimal = NOTHING
    cost: Decimal = NOTHING
    billed: Decimal = NOTHING

    @property
    def standard(self) -> Decimal:
        """The standard value of all that was approved or accepted."""
        return self.time + self.expenses + self.milestones


@dataclass(slots=True)
class Item:
    """A piece of work, an expense or a milestone; ``value`` and ``cost`` are fixed once a part of it is billed."""

    engagement: Engagement
    line: ContractLine
    value: Decimal = NOTHING
    cost: Decimal = NOTHING
    billed: Decimal = NOTHING
    is_billed: bool = False


@dataclass(slots=True)
class Entry(Item):
    """Hours as they were told last; ``told_at`` is the clock of whoever first told that version."""

    hours: HoursTold | None = None
    told_at: datetime | None = None
    is_deleted: bool = False


@dataclass(slots=True)
class Spent(Item):
    """A line of an expense report."""

    told: ExpenseTold | None = None
    approved_at: datetime | None = None


@dataclass(slots=True)
class Auditor:
    """Its own books. ``hear`` every fact that was delivered, and ``bill`` whenever the ledger was asked to."""

    prices: PriceBook = field(default_factory=PriceBook)
    entries: dict[int, Entry] = field(default_factory=dict)
    of_worker: dict[str, list[Entry]] = field(default_factory=dict)
    verdicts: dict[str, dict[tuple[date, date], PeriodTold]] = field(default_factory=dict)
    spent: dict[tuple[str, int], Spent] = field(default_factory=dict)
    stages: dict[tuple[str, str, str], tuple[Item, StageAccepted]] = field(default_factory=dict)
    orders: set[str] = field(default_factory=set)
    tax_ids: set[str] = field(default_factory=set)
    caps: dict[Place, CapRaised] = field(default_factory=dict)

    def hear(self, fact: Fact) -> None:
        """Note a fact; the same one again changes nothing."""
        self.prices.hear(fact)
        match fact:
            case HoursTold():
                self._hours(fact)
            case HoursDeleted():
                self._deleted(fact)
            case PeriodTold():
                self._verdict(fact)
            case _:
                self._hear_money(fact)

    def _hear_money(self, fact: Fact) -> None:
        match fact:
            case ExpenseTold():
                item = Spent(fact.engagement, fact.line, told=fact)
                self.spent.setdefault((fact.report, fact.number), item)
            case ExpensesApproved():
                for number in fact.numbers:
                    self.spent[fact.report, number].approved_at = fact.said_at
            case StageAccepted():
                key = (*place_of(fact.engagement, fact.line), fact.stage.name)
                milestone = Item(fact.engagement, fact.line, value=fact.stage.amount)
                self.stages.setdefault(key, (milestone, fact))
            case OrderTold():
                self.orders.add(fact.engagement.deal)
            case CustomerTold() if "tax_id" in fact.fields:
                self.tax_ids.add(fact.customer.account)
            case CapRaised():
                self.caps[place_of(fact.engagement, fact.line)] = fact
            case _:
                return

    def _hours(self, told: HoursTold) -> None:
        known = self._entry(told)
        if known.hours is None or known.told_at is None:
            known.hours, known.told_at = told, told.said_at
        elif told.revision == known.hours.revision:
            known.told_at = min(known.told_at, told.said_at)
        elif told.revision > known.hours.revision and not known.is_billed:
            known.hours, known.told_at = told, told.said_at

    def _deleted(self, fact: HoursDeleted) -> None:
        known = self._entry(fact.hours)
        known.is_deleted = known.is_deleted or not known.is_billed

    def _entry(self, told: HoursTold) -> Entry:
        if told.entry not in self.entries:
            self.entries[told.entry] = Entry(told.engagement, told.line)
            self.of_worker.setdefault(told.worker.employee, []).append(self.entries[told.entry])
        return self.entries[told.entry]

    def _verdict(self, fact: PeriodTold) -> None:
        """Note a verdict; one that would take hours off an invoice is refused by the ledger, and does not count."""
        mine = self.verdicts.setdefault(fact.worker.employee, {})
        period = (fact.starts, fact.ends)
        if period in mine and mine[period].said_at >= fact.said_at:
            return
        if fact.verdict != "APPROVED" and any(
            entry.is_billed and entry.hours and _covers(fact, entry.hours.day)
            for entry in self.of_worker.get(fact.worker.employee, ())
        ):
            return
        mine[period] = fact

    def approved_at(self, entry: Entry) -> datetime | None:
        """When hours were approved as they stand; None while they are not."""
        if entry.is_deleted or entry.hours is None or entry.told_at is None:
            return None
        hours = entry.hours
        covering = [each for each in self.verdicts.get(hours.worker.employee, {}).values() if _covers(each, hours.day)]
        newest = max(covering, key=lambda each: each.said_at, default=None)
        if newest is None or newest.verdict != "APPROVED" or newest.said_at < entry.told_at:
            return entry.told_at if entry.is_billed else None
        return newest.said_at

    def bill(self, cut_off: date, deals: Collection[str] | None = None) -> None:
        """Bill all that may be billed up to a day, of these engagements or of all of them."""
        by_line: dict[Place, list[tuple[tuple[date, datetime, str], Item]]] = {}
        for turn, item in self._billable(cut_off):
            engagement = item.engagement
            if (deals is None or engagement_of(engagement) in deals) and self._may_be_billed(engagement):
                by_line.setdefault(place_of(engagement, item.line), []).append((turn, item))
        for place, turns in by_line.items():
            left = self._left(place, turns[0][1].line)
            for _, item in sorted(turns, key=lambda each: each[0]):
                within = item.value - item.billed if left is None else min(left, item.value - item.billed)
                if left is not None:
                    left -= within
                if within or not item.value:
                    item.billed += within
                    item.is_billed = True

    def _billable(self, cut_off: date) -> Iterator[tuple[tuple[date, datetime, str], Item]]:
        """What was approved or accepted, is paid for, and is not on an invoice in full; with its turn under a cap."""
        for entry in self.entries.values():
            approved, hours = self.approved_at(entry), entry.hours
            if approved and hours and hours.day <= cut_off and _is_paid_for(hours):
                if not entry.is_billed:
                    entry.value, entry.cost = self.prices.value(hours), self.prices.cost(hours)
                if entry.billed < entry.value:
                    yield (hours.day, approved, f"{hours.entry:09d}"), entry
        for spent in self.spent.values():
            told = spent.told
            if spent.approved_at and told and told.spent_on <= cut_off and not spent.is_billed:
                spent.value = spent.cost = self._expense_value(spent)
                yield (told.spent_on, spent.approved_at, f"{told.report}/{told.number}"), spent
        for item, accepted in self.stages.values():
            if accepted.on <= cut_off and not item.is_billed:
                yield (accepted.on, accepted.said_at, accepted.stage.name), item

    def _may_be_billed(self, engagement: Engagement) -> bool:
        has_order = engagement.order == "none" or engagement.deal in self.orders
        needs_id = rates.needs_tax_id(engagement.entity.country, engagement.customer.country)
        has_tax = not needs_id or engagement.customer.account in self.tax_ids
        return has_order and has_tax

    def _left(self, place: Place, line: ContractLine) -> Decimal | None:
        if line.kind != "capped":
            return None
        cap = self.caps[place].amount if place in self.caps else line.amount
        return cap - sum(
            (item.billed for item in self._items() if place_of(item.engagement, item.line) == place), NOTHING
        )

    def _expense_value(self, spent: Spent) -> Decimal:
        told = spent.told
        assert told is not None
        net, currency = told.amount - told.recoverable_tax, told.worker.entity.currency
        return self.prices.converted(net, currency, spent.engagement.currency, told.spent_on)

    def _items(self) -> Iterator[Item]:
        yield from self.entries.values()
        yield from self.spent.values()
        yield from (item for item, _ in self.stages.values())

    def accounts(self) -> dict[Place, Account]:
        """What every contract line has come to, those of which nothing was approved left out."""
        found: dict[Place, Account] = {}

        def add(item: Item, **amounts: Decimal) -> None:
            place = place_of(item.engagement, item.line)
            known = found.get(place, Account())
            sums = {name: getattr(known, name) + amount for name, amount in amounts.items()}
            found[place] = replace(known, billed=known.billed + item.billed, **sums)

        for entry in self.entries.values():
            if entry.hours and self.approved_at(entry):
                if not entry.is_billed:
                    entry.value, entry.cost = self.prices.value(entry.hours), self.prices.cost(entry.hours)
                add(entry, hours=Decimal(entry.hours.seconds) / 3600, time=entry.value, cost=entry.cost)
        for spent in self.spent.values():
            if spent.approved_at:
                if not spent.is_billed:
                    spent.value = spent.cost = self._expense_value(spent)
                add(spent, expenses=spent.value, cost=spent.cost)
        for item, _ in self.stages.values():
            add(item, milestones=item.value)
        return found


def place_of(engagement: Engagement, line: ContractLine) -> Place:
    """Where the ledger keeps a contract line."""
    return engagement_of(engagement), f"L{line.number}"


def engagement_of(engagement: Engagement) -> str:
    """What the ledger calls an engagement."""
    return f"E-{engagement.deal}"


def _is_paid_for(hours: HoursTold) -> bool:
    return hours.line.kind != "fixed_fee" and hours.task.chargeable


def _covers(verdict: PeriodTold, day: date) -> bool:
    return verdict.starts <= day <= verdict.ends
