"""The auditor's price book: who had which role when, what an hour was billed at, what a currency was worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from adapters.simulation.facts import BillRateTold, EuroRateTold, Fact, HoursTold, WorkerTold
from adapters.simulation.firm import Engagement
from adapters.simulation.rates import OVERTIME_MULTIPLIER

RATE_STANDS_DAYS = 7


class NoPrice(Exception):
    """Nobody has told what this costs; the sample firm always does, so this is a defect of it."""


@dataclass(slots=True)
class PriceBook:
    """All that was told about prices; the newest effective date counts, of equal ones the statement made last."""

    rows: dict[tuple[str, str], list[BillRateTold]] = field(default_factory=dict)
    terms: dict[str, list[WorkerTold]] = field(default_factory=dict)
    euros: dict[tuple[str, date], Decimal] = field(default_factory=dict)

    def hear(self, fact: Fact) -> None:
        """Note a price, a role or an exchange rate."""
        match fact:
            case BillRateTold(scope=scope, owner=owner):
                self.rows.setdefault((scope, owner), []).append(fact)
            case WorkerTold(worker=worker):
                self.terms.setdefault(worker.employee, []).append(fact)
            case EuroRateTold(currency=currency, on=on, rate=rate):
                self.euros[currency, on] = rate
            case _:
                return

    def value(self, hours: HoursTold) -> Decimal:
        """What hours are worth at the price of their day, whether or not the customer pays by the hour."""
        engagement, line = hours.engagement, hours.line
        multiplier = OVERTIME_MULTIPLIER if hours.overtime and line.kind != "fixed_fee" else Decimal(1)
        price = self._price(engagement, self._terms(hours.worker.employee, hours.day).role, hours.day)
        return rounded(price * multiplier * hours.seconds / 3600, engagement.currency)

    def cost(self, hours: HoursTold) -> Decimal:
        """What hours cost the worker's employer, in the currency of the engagement."""
        currency = hours.worker.entity.currency
        spent = rounded(self._terms(hours.worker.employee, hours.day).hourly_cost * hours.seconds / 3600, currency)
        return self.converted(spent, currency, hours.engagement.currency, hours.day)

    def _terms(self, employee: str, day: date) -> WorkerTold:
        told = [each for each in self.terms.get(employee, ()) if each.effective_from <= day]
        if not told:
            raise NoPrice(f"{employee} has no role on {day}")
        return max(told, key=lambda each: (each.effective_from, each.said_at))

    def _price(self, engagement: Engagement, role: str, day: date) -> Decimal:
        owners = (
            ("engagement", f"E-{engagement.deal}"),
            ("customer", engagement.customer.account),
            ("firm", "FIRM"),
        )
        for owner in owners:
            found = _newest(self.rows.get(owner, ()), role, engagement.currency, day)
            if found is not None:
                return found.amount
        raise NoPrice(f"{role} in {engagement.currency} on {day}")

    def converted(self, amount: Decimal, base: str, quote: str, day: date) -> Decimal:
        """An amount in another currency, at the rates of a day."""
        if base == quote:
            return amount
        return rounded(amount / self._euro(base, day) * self._euro(quote, day), quote)

    def _euro(self, currency: str, day: date) -> Decimal:
        if currency == "EUR":
            return Decimal(1)
        for age in range(RATE_STANDS_DAYS + 1):
            if rate := self.euros.get((currency, day - timedelta(days=age))):
                return rate
        raise NoPrice(f"EUR/{currency} on {day}")


def _newest(rows: Iterable[BillRateTold], role: str, currency: str, day: date) -> BillRateTold | None:
    fitting = [row for row in rows if (row.role, row.currency) == (role, currency) and row.effective_from <= day]
    return max(fitting, key=lambda row: (row.effective_from, row.said_at), default=None)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount at the minor unit of its currency, half up."""
    return amount.quantize(Decimal(1) if currency == "JPY" else Decimal("0.01"), ROUND_HALF_UP)
