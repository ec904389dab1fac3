"""The CRM's side of the sample firm: customers, deals from first contact to won or lost, orders, milestones, tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from adapters.simulation.facts import (
    BillRateTold,
    CapRaised,
    CustomerTold,
    DealTold,
    Fact,
    IssueTold,
    LeadTold,
    LineTold,
    OrderTold,
    StageAccepted,
)
from adapters.simulation.firm import ContractLine, Engagement, Firm
from adapters.simulation.rates import ROLES, list_price

DAYS_BEFORE_WON_MAX = 45
"""How long before it is won a deal is first told, at most."""
_DISCOUNT = Decimal("0.95")
_LOST = 1_000_000


def customers(firm: Firm) -> Iterator[Fact]:
    """Every customer as it is created in the CRM, then what is completed later, in partial updates."""
    first = at(firm.plan.starts - timedelta(days=DAYS_BEFORE_WON_MAX + 3), time(8))
    tax_known = at(firm.plan.starts + timedelta(days=firm.plan.days * 2 // 5), time(15))
    for customer in firm.customers:
        said = first + timedelta(minutes=3 * customer.number)
        yield CustomerTold(customer, ("name", "country", "street", "city"), created=True, said_at=said)
        yield CustomerTold(customer, ("postal_code",), created=False, said_at=said + timedelta(hours=26))
        if customer.payment_terms_days is not None:
            yield CustomerTold(customer, ("payment_terms_days",), created=False, said_at=said + timedelta(hours=30))
        when = tax_known if customer.tax_id_told_late else said + timedelta(hours=27)
        yield CustomerTold(customer, ("tax_id",), created=False, said_at=when)


def deal(firm: Firm, engagement: Engagement) -> Iterator[Fact]:
    """All that is told of one engagement's sale and terms, from the first contact to its last milestone."""
    rng = Random(f"{firm.plan.seed}/deal/{engagement.number}")
    yield from _stages_of_sale(rng, engagement, won=True)
    if engagement.slot % 5 == 3:
        yield from _stages_of_sale(rng, _lost(engagement), won=False)
    won = at(engagement.won_on, time(9), engagement)
    yield from _prices(engagement, won + timedelta(hours=3))
    for line in engagement.lines:
        said = won + timedelta(hours=2, minutes=line.number)
        yield LeadTold(engagement, line, firm.manager_of(engagement.slot), said)
    yield from _tasks(rng, engagement, won)
    yield from _order(firm, engagement)
    for line in engagement.lines:
        yield from _acceptances(firm, engagement, line)
        yield from _more_cap(firm, engagement, line)


def at(day: date, clock: time, engagement: Engagement | None = None) -> datetime:
    """A moment of a day at the seller's place, or in UTC."""
    return datetime.combine(day, clock, tzinfo=engagement.entity.time_zone if engagement else UTC)


def _lost(engagement: Engagement) -> Engagement:
    """Another deal with the same customer that a competitor wins."""
    return replace(engagement, number=engagement.number + _LOST, title=f"{engagement.title}, second site")


def _stages_of_sale(rng: Random, engagement: Engagement, *, won: bool) -> Iterator[Fact]:
    first = engagement.won_on - timedelta(days=rng.randint(18, DAYS_BEFORE_WON_MAX))
    started = at(first, time(9, rng.randint(0, 59)), engagement)
    hoped_for = engagement.won_on + timedelta(days=rng.randint(-6, 12))
    worth = sum((line.amount for line in engagement.lines), Decimal(0))
    yield DealTold(
        engagement, "Prospecting", created=True, said_at=started, amount=worth, closes_on=hoped_for,
        title=engagement.title,
    )  # fmt: skip
    for line in engagement.lines if won else ():
        yield LineTold(engagement, line, started + timedelta(days=1, minutes=line.number))
    proposed = started + timedelta(days=rng.randint(5, 8), hours=rng.randint(0, 6))
    yield DealTold(engagement, "Proposal/Price Quote", created=False, said_at=proposed)
    negotiated = proposed + timedelta(days=rng.randint(3, 6))
    yield DealTold(engagement, "Negotiation/Review", created=False, said_at=negotiated, amount=worth)
    last = at(engagement.won_on, time(9), engagement)
    yield DealTold(
        engagement, "Closed Won" if won else "Closed Lost", created=False, said_at=last, closes_on=engagement.won_on
    )


def _prices(engagement: Engagement, said: datetime) -> Iterator[Fact]:
    """Rate cards below the firm's: some engagements have prices of their own, some customers one for a role."""
    currency = engagement.currency
    if engagement.own_rates:
        owner = f"E-{engagement.deal}"
        for role in ROLES:
            amount = _rounded(list_price(role, currency) * _DISCOUNT, currency)
            yield BillRateTold("engagement", owner, role, currency, amount, engagement.won_on, said, role=role)
    is_first = engagement.slot == engagement.customer.number - 1 and engagement.turn == 0
    if is_first and engagement.customer.number % 4 == 1:
        price = _rounded(list_price("Manager", currency) * _DISCOUNT * _DISCOUNT, currency)
        owner, row = engagement.customer.account, f"Manager {currency}"
        yield BillRateTold("customer", owner, row, currency, price, engagement.won_on, said, role="Manager")


def new_prices(firm: Firm, engagement: Engagement) -> Iterator[Fact]:
    """A change of an engagement's own prices in mid-month that counts from the month's first day on.

    Not agreed for lines with a cap: which hours are within it would then depend on when they were billed.
    """
    day = firm.plan.starts + timedelta(days=firm.plan.days // 2)
    is_capped = any(line.kind == "capped" for line in engagement.lines)
    first, currency = day.replace(day=1), engagement.currency
    if not engagement.own_rates or is_capped or not (engagement.runs_on(first) and engagement.runs_on(day)):
        return
    said, owner = at(day.replace(day=15), time(11), engagement), f"E-{engagement.deal}"
    for role in ROLES:
        amount = _rounded(list_price(role, currency) * _DISCOUNT * Decimal("1.06"), currency)
        yield BillRateTold("engagement", owner, f"{role} {first}", currency, amount, first, said, role=role)


def _rounded(amount: Decimal, currency: str) -> Decimal:
    step = Decimal(10) if currency == "JPY" else Decimal("0.5")
    return (amount / step).quantize(Decimal(1)) * step


def _tasks(rng: Random, engagement: Engagement, won: datetime) -> Iterator[Fact]:
    """The issues of each project, most on the day after; a few later than the first hours that are written on them."""
    for line in engagement.lines:
        for number, task in enumerate(line.tasks):
            days = 4 if number and rng.random() < 0.15 else 1
            said = won + timedelta(days=days, minutes=20 + 2 * number + 15 * line.number)
            yield IssueTold(engagement, line, task, said)


def _order(firm: Firm, engagement: Engagement) -> Iterator[Fact]:
    match engagement.order:
        case "prompt":
            day = engagement.won_on + timedelta(days=1)
        case "late":
            day = max(engagement.won_on, firm.plan.starts + timedelta(days=firm.plan.days * 7 // 10))
        case _:
            return
    yield OrderTold(engagement, f"PO-{70_000 + engagement.number}", at(day, time(14), engagement))


def _acceptances(firm: Firm, engagement: Engagement, line: ContractLine) -> Iterator[Fact]:
    for stage in line.stages:
        if stage.due <= firm.plan.ends:
            evidence = f"Acceptance protocol {engagement.number}-{line.number}-{stage.name}"
            said = at(stage.due, time(16), engagement)
            yield StageAccepted(engagement, line, stage, stage.due, evidence, said)


def _more_cap(firm: Firm, engagement: Engagement, line: ContractLine) -> Iterator[Fact]:
    """Half of the capped lines get a higher limit near the end of the history."""
    day = firm.plan.starts + timedelta(days=firm.plan.days * 4 // 5)
    if line.kind == "capped" and engagement.slot % 4 == 1 and engagement.runs_on(day):
        step = Decimal(100_000) if engagement.currency == "JPY" else Decimal(1_000)
        raised = (line.amount * Decimal("1.25") / step).quantize(Decimal(1)) * step
        yield CapRaised(engagement, line, raised, at(day, time(10), engagement))
