"""The history of the sample firm, day by day, as facts in the order in which they are stated."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from adapters.simulation import reference, sales
from adapters.simulation.calendars import days_from
from adapters.simulation.facts import BillingRun, Fact, MonthBegan
from adapters.simulation.firm import Engagement, Firm
from adapters.simulation.work import Desk, period_of
from domain.periods import month_end, months_later

BILLING_DAY = 8
"""The day of the month on which finance bills the month before."""
CORRECTIONS_DAY = 15
_PREPARED_DAYS_BEFORE = sales.DAYS_BEFORE_WON_MAX + 5
_CLOSING_DAYS = 12


def timeline(firm: Firm) -> Iterator[Fact | BillingRun]:
    """Every fact of a firm in the order of its clock, with the billing runs between them.

    What lies ahead waits in a heap that holds some weeks at most, so the length of the history does not matter.
    """
    return _History(firm).run()


class _History:
    """The firm as its days go by."""

    def __init__(self, firm: Firm) -> None:
        self._firm = firm
        self._desk = Desk(firm)
        self._ahead: list[tuple[datetime, int, Fact]] = []
        self._count = 0
        self._slots = [firm.engagements(slot) for slot in range(firm.plan.slots)]
        self._next: list[Engagement | None] = [next(slot, None) for slot in self._slots]

    def run(self) -> Iterator[Fact | BillingRun]:
        plan = self._firm.plan
        first = plan.starts - timedelta(days=_PREPARED_DAYS_BEFORE)
        self._expect(reference.opening(self._firm, datetime.combine(first, time(6), tzinfo=UTC)))
        self._expect(sales.customers(self._firm))
        for day in days_from(first, plan.ends + timedelta(days=_CLOSING_DAYS)):
            self._expect(self._facts_of(day))
            run = self._billing(day)
            if run is not None:
                yield from self._told_before(run.at)
                yield run
            yield from self._told_before(datetime.combine(day + timedelta(days=1), time(0), tzinfo=UTC))
        yield from self._told_before(None)

    def _expect(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self._count += 1
            heapq.heappush(self._ahead, (fact.said_at, self._count, fact))

    def _told_before(self, moment: datetime | None) -> Iterator[Fact]:
        while self._ahead and (moment is None or self._ahead[0][0] < moment):
            yield heapq.heappop(self._ahead)[2]

    def _facts_of(self, day: date) -> Iterator[Fact]:
        """What begins on a day; the day before it in any time zone is over, so nothing is stated in the past."""
        firm, plan = self._firm, self._firm.plan
        if day.day == 1 and day >= plan.starts:
            yield MonthBegan(day, datetime.combine(day, time(0, 5), tzinfo=UTC))
        if day.weekday() == 0:
            yield from reference.euro_rates(firm, day)
        if month := reference.next_review(firm, day):
            yield from reference.reviews(firm, month)
        yield from self._sales(day)
        yield from self._periods(day)
        if plan.starts <= day <= plan.ends:
            yield from self._desk.day(day)
            if day == month_end(day):
                yield from self._desk.expenses(day.replace(day=1))
        if day.day == CORRECTIONS_DAY and day > months_later(plan.starts, 1):
            yield from self._desk.after_billing(day)
        middle = plan.starts + timedelta(days=plan.days // 2)
        if day == middle.replace(day=1):
            for engagement in self._desk.running.values():
                yield from sales.new_prices(firm, engagement)

    def _sales(self, day: date) -> Iterator[Fact]:
        for slot, coming in enumerate(self._next):
            if coming is not None and day == coming.won_on - timedelta(days=_PREPARED_DAYS_BEFORE - 1):
                yield from sales.deal(self._firm, coming)
            if coming is not None and day == coming.won_on + timedelta(days=1):
                self._desk.running[slot] = coming
                self._next[slot] = next(self._slots[slot], None)
            running = self._desk.running.get(slot)
            if running is not None and day > running.ends:
                del self._desk.running[slot]

    def _periods(self, day: date) -> Iterator[Fact]:
        """Each person's period that ended the day before."""
        yesterday = day - timedelta(days=1)
        for worker in self._firm.consultants:
            starts, ends = period_of(worker, yesterday)
            if ends == yesterday and ends >= self._firm.plan.starts:
                yield from self._desk.end_of_period(worker, starts, ends)

    def _billing(self, day: date) -> BillingRun | None:
        plan, cut_off = self._firm.plan, day.replace(day=1) - timedelta(days=1)
        if day.day != BILLING_DAY or not plan.starts <= cut_off <= plan.ends:
            return None
        return BillingRun(f"{cut_off:%Y-%m}", cut_off, day, everything=cut_off < plan.ends)
