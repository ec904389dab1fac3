"""The sample firm's reference data as it is told: companies, people and their raises, prices, taxes, exchange rates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from adapters.simulation.bookkeeping import books
from adapters.simulation.facts import BillRateTold, EntityTold, EuroRateTold, Fact, TaxTold, WorkerTold
from adapters.simulation.firm import Firm, Worker
from adapters.simulation.rates import ROLES, euro_rate, hourly_cost, list_price, raised
from domain.periods import months_later

FIRM_CARD = "FIRM"
REVIEW_MONTH = 3
"""The month of each year of the history, counted from 0, in which prices rise and people are reviewed."""


def opening(firm: Firm, said: datetime) -> Iterator[Fact]:
    """What is in place before the first deal: companies, people, the price list, the tax packs."""
    since = date(firm.plan.starts.year - 2, 1, 1)
    for entity in firm.entities:
        yield EntityTold(entity, since, said)
        yield TaxTold(entity.country, said + timedelta(minutes=5))
    for worker in firm.workers:
        yield WorkerTold(worker, since, worker.role, first_cost(worker), said + timedelta(minutes=10))
    yield from _price_list(firm, since, 0, said + timedelta(minutes=20))
    yield from books(firm, since, said + timedelta(minutes=25))


def first_cost(worker: Worker) -> Decimal:
    """What an hour of a person costs before any raise."""
    return hourly_cost(worker.role, worker.entity.currency, worker.cost_spread_percent)


def _price_list(firm: Firm, since: date, rises: int, said: datetime) -> Iterator[Fact]:
    for currency in dict.fromkeys(entity.currency for entity in firm.entities):
        for role in ROLES:
            amount = list_price(role, currency, rises)
            row = f"{role} {currency} {since}"
            yield BillRateTold("firm", FIRM_CARD, row, currency, amount, since, said, role=role)


def euro_rates(firm: Firm, monday: date) -> Iterator[Fact]:
    """The central bank's rates of a week, for every currency that the firm uses."""
    said = datetime.combine(monday, time(15), tzinfo=UTC)
    for currency in dict.fromkeys(entity.currency for entity in firm.entities):
        if currency != "EUR":
            yield EuroRateTold(currency, monday, euro_rate(firm.plan.seed, currency, monday), said)


def reviews(firm: Firm, month: date) -> Iterator[Fact]:
    """The yearly rise of prices, told ahead; raises and promotions, of which some are told after they began to hold."""
    index = (month.year - firm.plan.starts.year) * 12 + month.month - firm.plan.starts.month
    if index % 12 != REVIEW_MONTH:
        return
    year = index // 12 + 1
    yield from _price_list(firm, month, year, datetime.combine(month - timedelta(days=20), time(9), tzinfo=UTC))
    for worker in firm.consultants:
        rng = Random(f"{firm.plan.seed}/review/{worker.number}/{year}")
        if rng.random() < 0.35:
            yield _review(rng, worker, month, year)


def next_review(firm: Firm, day: date) -> date | None:
    """The first day of the month that is reviewed about a month after a day, if that day is one to prepare it."""
    month = months_later(day, 1)
    return month if day.day == 1 and month <= firm.plan.ends else None


def _review(rng: Random, worker: Worker, month: date, year: int) -> Fact:
    cost = first_cost(worker)
    for _ in range(year):
        cost = raised(cost, worker.entity.currency, Decimal(4))
    days = rng.randint(4, 12) if rng.random() < 0.3 else -rng.randint(3, 20)
    said = datetime.combine(month + timedelta(days=days), time(10, rng.randint(0, 59)), tzinfo=UTC)
    rank = ROLES.index(worker.role)
    role = ROLES[rank + 1] if rng.random() < 0.25 and rank + 1 < len(ROLES) else worker.role
    return WorkerTold(worker, month, role, cost, said)
