"""The daily life of the sample firm: who works on what, writes it down, corrects it, and has it approved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from adapters.simulation.calendars import is_working_day
from adapters.simulation.facts import (
    ExpensesApproved,
    ExpenseTold,
    Fact,
    HoursDeleted,
    HoursTold,
    PeriodTold,
    Verdict,
)
from adapters.simulation.firm import ContractLine, Engagement, Firm, Worker
from domain.periods import month_end

_QUARTER = 900
_DAYS_WORKED = tuple(int(hours * 4) for hours in (7, 7.5, 8, 8, 8, 8, 8, 8.5, 9))
_NOTES = ("workshop", "review with the customer", "implementation", "tests", "clean-up", "preparation", "call")
_EXPENSES = (("Travel", 60, 420), ("Hotel", 90, 260), ("Meals", 15, 80), ("Software", 20, 150))
_FIRST_REASON = "Hours on the wrong day, please correct"


@dataclass(slots=True)
class Desk:
    """What the people of the firm have on their desks: the hours of the periods that are not yet decided.

    ``running`` is the engagement of each slot. Only the present and the last period of each person are kept.
    """

    firm: Firm
    running: dict[int, Engagement] = field(default_factory=dict)
    open_hours: dict[int, list[HoursTold]] = field(default_factory=dict)
    decided_hours: dict[int, list[HoursTold]] = field(default_factory=dict)
    entries: int = 0

    def day(self, day: date) -> Iterator[Fact]:
        """All that people write down about one day, and what becomes of it before it is approved."""
        for worker in self.firm.consultants:
            if is_working_day(worker.entity.country, day) and not is_absent(self.firm.plan.seed, worker, day):
                yield from self._day_of(worker, day)

    def _day_of(self, worker: Worker, day: date) -> Iterator[Fact]:
        rng = Random(f"{self.firm.plan.seed}/day/{worker.number}/{day}")
        clock = datetime.combine(day, time(8), tzinfo=worker.entity.time_zone)
        clock += timedelta(minutes=15 * rng.randint(0, 6))
        written = _written_at(rng, worker, day)
        for seconds, place in self._pieces(rng, worker):
            hours = self._hours(rng, worker, place, clock=clock, seconds=seconds, written=written)
            yield from self._life(rng, hours)
            clock += timedelta(seconds=seconds, minutes=30)
            written += timedelta(seconds=rng.randint(20, 90))
        yield from self._overtime(rng, worker, clock, written + timedelta(hours=3))

    def _overtime(self, rng: Random, worker: Worker, clock: datetime, written: datetime) -> Iterator[Fact]:
        """Now and then an evening, written on the overtime form that neither Jira nor Tempo knows."""
        places = self._places(worker)
        if not places or rng.random() > 0.03 or clock.hour > 19:
            return
        if clock.date() < places[0][0].won_on + timedelta(days=10):
            return
        seconds = rng.randint(4, 10) * _QUARTER
        hours = self._hours(rng, worker, places[0], clock=clock, seconds=seconds, written=written)
        hours = replace(hours, system="overtime", overtime=True)
        yield hours
        self.open_hours.setdefault(worker.number, []).append(hours)

    def _places(self, worker: Worker) -> list[tuple[Engagement, ContractLine]]:
        found = (self.running.get(slot) for slot in self.firm.slots_of(worker))
        return [(each, each.lines[worker.number % len(each.lines)]) for each in found if each is not None]

    def _pieces(self, rng: Random, worker: Worker) -> Iterator[tuple[int, tuple[Engagement, ContractLine]]]:
        """A day in one piece or two, the second of them maybe for another engagement."""
        places = self._places(worker)
        if not places:
            return
        quarters = rng.choice(_DAYS_WORKED)
        if rng.random() < 0.72:
            yield quarters * _QUARTER, places[0]
            return
        first = rng.randint(6, quarters - 6)
        yield first * _QUARTER, places[0]
        yield (quarters - first) * _QUARTER, places[-1 if rng.random() < 0.6 else 0]

    def _hours(
        self,
        rng: Random,
        worker: Worker,
        place: tuple[Engagement, ContractLine],
        *,
        clock: datetime,
        seconds: int,
        written: datetime,
    ) -> HoursTold:
        self.entries += 1
        engagement, line = place
        task = line.tasks[-1] if rng.random() < 0.05 else rng.choice(line.tasks[:-1])
        return HoursTold(
            system="jira",
            entry=self.entries,
            revision=0,
            worker=worker,
            engagement=engagement,
            line=line,
            task=task,
            day=clock.date(),
            started=clock.time(),
            seconds=seconds,
            overtime=False,
            note=rng.choice(_NOTES),
            created_at=written,
            said_at=written,
        )

    def _life(self, rng: Random, hours: HoursTold) -> Iterator[Fact]:
        """Hours as they are first told, and their corrections or their deletion before the period ends."""
        yield from told(rng, hours)
        lot = rng.random()
        later = hours.said_at + timedelta(minutes=rng.randint(9, 4_000))
        in_time = later.date() <= period_of(hours.worker, hours.day)[1]
        if in_time and lot < 0.012:
            yield from deleted(rng, hours, later)
            return
        if in_time and lot < 0.06:
            hours = corrected(rng, hours, later, moves=lot < 0.02 and hours.seconds <= 4 * 3600)
            yield from told(rng, hours)
        self.open_hours.setdefault(hours.worker.number, []).append(hours)

    def end_of_period(self, worker: Worker, starts: date, ends: date) -> Iterator[Fact]:
        """The submission of a person's period, its review, and what a rejection or a second thought leads to."""
        mine = self.open_hours.pop(worker.number, [])
        hours = [each for each in mine if starts <= each.day <= ends]
        if rest := [each for each in mine if each.day > ends]:
            self.open_hours[worker.number] = rest
        if not hours:
            return
        rng = Random(f"{self.firm.plan.seed}/period/{worker.number}/{starts}")
        is_last = ends >= self.firm.plan.ends
        yield from self._review(rng, worker, (starts, ends), hours, may_stay_open=is_last)
        self.decided_hours[worker.number] = hours

    def _review(
        self, rng: Random, worker: Worker, period: tuple[date, date], hours: list[HoursTold], *, may_stay_open: bool
    ) -> Iterator[Fact]:
        def verdict(key: Verdict, days: float, reason: str = "") -> PeriodTold:
            return PeriodTold(worker, *period, key, lead, submitted + timedelta(days=days), reason)

        lead = self.firm.leads[worker.entity.code]
        submitted = datetime.combine(period[1] + timedelta(days=1), time(9, 30), tzinfo=worker.entity.time_zone)
        submitted += timedelta(minutes=rng.randint(0, 240))
        outcome = rng.random()
        if may_stay_open and outcome < 0.08:
            return
        yield verdict("IN_REVIEW", 0)
        if may_stay_open and outcome < 0.2:
            return
        if outcome < 0.08:
            yield verdict("REJECTED", 1.5, _FIRST_REASON)
            yield from self._second_version(rng, hours, submitted + timedelta(days=2))
            yield verdict("IN_REVIEW", 2.5)
            yield verdict("APPROVED", 3.5)
        elif outcome < 0.12:
            yield verdict("APPROVED", 1)
            yield verdict("OPEN", 1.7, "Opened again on request")
            yield from self._second_version(rng, hours, submitted + timedelta(days=2))
            yield verdict("APPROVED", 3.2)
        else:
            days = 18 if outcome < 0.15 else rng.randint(12, 40) / 12
            yield verdict("APPROVED", days)
            written = max(each.said_at for each in hours)
            if written > submitted + timedelta(days=days) and rng.random() < 0.7:
                yield verdict("APPROVED", (written - submitted) / timedelta(days=1) + 0.9)

    def _second_version(self, rng: Random, hours: list[HoursTold], when: datetime) -> Iterator[Fact]:
        """One entry of a period, corrected after its review."""
        written = [index for index, each in enumerate(hours) if each.said_at < when and not each.overtime]
        if written:
            index = rng.choice(written)
            hours[index] = corrected(rng, hours[index], when, moves=False)
            yield from told(rng, hours[index])

    def after_billing(self, day: date) -> Iterator[Fact]:
        """A few corrections of hours that are on an invoice already; the ledger cannot follow them by itself."""
        for worker in self.firm.consultants:
            rng = Random(f"{self.firm.plan.seed}/after/{worker.number}/{day}")
            if rng.random() > 0.06 or day > self.firm.plan.ends:
                continue
            hours = self.decided_hours.get(worker.number, [])
            free = [index for index, each in enumerate(hours) if _is_on_an_invoice(each, day)]
            if free:
                when = datetime.combine(day, time(11), tzinfo=worker.entity.time_zone)
                index = rng.choice(free)
                hours[index] = corrected(rng, hours[index], when, moves=False)
                yield from told(rng, hours[index])

    def expenses(self, month: date) -> Iterator[Fact]:
        """The expense reports of a month, most of them approved two days later."""
        last = month_end(month)
        for worker in self.firm.consultants:
            rng = Random(f"{self.firm.plan.seed}/expenses/{worker.number}/{month}")
            mine = [each for each in self.open_hours.get(worker.number, []) if each.day.month == month.month]
            if mine and rng.random() < 0.3:
                yield from _report(rng, self.firm, worker, mine, last)


def _report(rng: Random, firm: Firm, worker: Worker, hours: list[HoursTold], last: date) -> Iterator[Fact]:
    report = f"ER-{worker.employee}-{last:%Y-%m}"
    said = datetime.combine(last, time(17), tzinfo=worker.entity.time_zone) + timedelta(days=rng.randint(0, 2))
    per_euro = {"JPY": Decimal(150)}.get(worker.entity.currency, Decimal(1))
    step = Decimal(1) if worker.entity.currency == "JPY" else Decimal("0.01")
    numbers = tuple(range(1, rng.randint(1, 3) + 1))
    for number in numbers:
        where = rng.choice(hours)
        category, low, high = rng.choice(_EXPENSES)
        amount = (Decimal(rng.randint(low * 100, high * 100)) / 100 * per_euro).quantize(step)
        tax = (amount * rng.choice((0, 7, 16)) / 116).quantize(step)
        yield ExpenseTold(
            report, number, worker, where.engagement, where.line, category, where.day, amount, tax,
            said + timedelta(minutes=number),
        )  # fmt: skip
    if rng.random() < 0.92:
        yield ExpensesApproved(report, worker, numbers, firm.leads[worker.entity.code], said + timedelta(days=2))


def told(rng: Random, hours: HoursTold) -> Iterator[HoursTold]:
    """The same hours as each system tells them: Jira at once, Tempo some seconds later for those who use it."""
    yield hours
    if hours.worker.tempo:
        yield replace(hours, system="tempo", said_at=hours.said_at + timedelta(seconds=rng.randint(2, 25)))


def deleted(rng: Random, hours: HoursTold, when: datetime) -> Iterator[Fact]:
    """The deletion of hours, as each system that had told them tells it."""
    for each in told(rng, replace(hours, said_at=when)):
        yield HoursDeleted(each, each.said_at)


def corrected(rng: Random, hours: HoursTold, when: datetime, *, moves: bool) -> HoursTold:
    """The next version of an entry: other hours, or the same a little later on the working day before."""
    before = hours.day - timedelta(days=3 if hours.day.weekday() == 0 else 1)
    if moves and before > hours.engagement.won_on:
        moment = datetime.combine(before, hours.started) + timedelta(minutes=7)
        return replace(hours, revision=hours.revision + 1, day=before, started=moment.time(), said_at=when)
    change = rng.choice((-4, -3, -2, 2, 3, 4)) * _QUARTER
    seconds = hours.seconds + change if hours.seconds + change > 0 else hours.seconds + 2 * _QUARTER
    return replace(hours, revision=hours.revision + 1, seconds=seconds, said_at=when)


def _is_on_an_invoice(hours: HoursTold, day: date) -> bool:
    """Whether hours of an earlier month were most probably billed without a limit, so that the ledger refuses."""
    return hours.line.kind == "time_and_materials" and hours.day < day.replace(day=1) and not hours.overtime


def period_of(worker: Worker, day: date) -> tuple[date, date]:
    """The days that are approved together with a day: a week from Monday, or a month, as the employer has it."""
    if worker.entity.cycle == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    return day.replace(day=1), month_end(day)


def is_absent(seed: int, worker: Worker, day: date) -> bool:
    """Whether a person is on holiday or ill on a day."""
    rng = Random(f"{seed}/absence/{worker.number}/{day:%Y-%m}")
    away: Mapping[int, int] = {rng.randint(1, 28): 7 if rng.random() < 0.3 else rng.randint(0, 1)}
    return any(first <= day.day < first + length for first, length in away.items())


def _written_at(rng: Random, worker: Worker, day: date) -> datetime:
    """When people write down a day: in the evening, the next morning, or days later."""
    lot = rng.random()
    days, hour = (0, 17) if lot < 0.82 else (1, 9) if lot < 0.94 else (rng.randint(2, 6), 10)
    return datetime.combine(
        day + timedelta(days=days), time(hour, rng.randint(0, 59), rng.randint(0, 59)), tzinfo=worker.entity.time_zone
    )
