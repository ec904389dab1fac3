"""The sample firm's world: its legal entities, people, customers and engagements, all grown from one seed.

It holds what is so, not what any system says of it. Nothing here reads a clock: the calendar is an argument. People are
known by number only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

from adapters.simulation import names, rates
from adapters.simulation.tax_ids import tax_id
from domain.periods import months_later

Kind = Literal["time_and_materials", "capped", "fixed_fee"]
Order = Literal["none", "prompt", "late", "never"]

_KINDS: tuple[tuple[Kind, ...], ...] = (
    ("time_and_materials",),
    ("capped",),
    ("fixed_fee",),
    ("time_and_materials",),
    ("time_and_materials", "fixed_fee"),
    ("capped",),
    ("time_and_materials",),
    ("capped", "fixed_fee"),
)
_TITLES = {
    "time_and_materials": "Advice",
    "capped": "Delivery, not to exceed",
    "fixed_fee": "Fixed-price build",
}
HOURS_PER_MONTH = 140
"""About what one person works for customers in a month, for sizing caps and fees."""


STARTS = date(2026, 1, 1)
"""When the history of a firm begins unless its plan says otherwise; a fixed day, so that anyone gets the same."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a firm is and when its history begins; ``engagements`` is how many run at a time."""

    seed: int = 1
    consultants: int = 60
    months: int = 6
    starts: date = STARTS
    engagements: int | None = None

    @property
    def slots(self) -> int:
        """How many engagements run at a time."""
        return self.engagements or max(3, round(self.consultants * 5 / 12))

    @property
    def ends(self) -> date:
        """The last day of the history."""
        return months_later(self.starts, self.months) - timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.ends - self.starts).days + 1


@dataclass(frozen=True, slots=True)
class Entity:
    """A legal entity; ``cycle`` is the period after which its time is approved."""

    code: str
    name: str
    city: str
    street: str
    postal_code: str
    country: str
    currency: str
    zone: str
    tax_id: str
    region: str
    approval_limit: Decimal
    payment_terms_days: int
    cycle: Literal["week", "month"]
    customers_in: tuple[str, ...]

    @property
    def time_zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


ENTITIES = (
    Entity(
        "DE01", f"{names.FIRM} GmbH", "Berlin", "Hafenstrasse 12", "10115", "DE", "EUR", "Europe/Berlin", "DE811000001",
        "EMEA", Decimal(40_000), 30, "month", ("DE", "DE", "FR", "NL", "DE", "SE"),
    ),
    Entity(
        "GB01", f"{names.FIRM} Ltd", "London", "40 Mill Lane", "EC1A 4AA", "GB", "GBP", "Europe/London", "GB100000002",
        "EMEA", Decimal(35_000), 30, "week", ("GB", "GB", "FR", "GB"),
    ),
    Entity(
        "US01", f"{names.FIRM} Inc.", "New York", "300 Harbor Street", "10013", "US", "USD", "America/New_York",
        "12-3000003", "AMER", Decimal(50_000), 45, "week", ("US", "US", "GB", "US"),
    ),
    Entity(
        "JP01", f"{names.FIRM} K.K.", "Tokyo", "1-4-7 Shiba", "105-0014", "JP", "JPY", "Asia/Tokyo", "T4000000000004",
        "APAC", Decimal(6_000_000), 60, "month", ("JP", "JP", "US"),
    ),
)  # fmt: skip
_ENTITY_OF_TEN = (0, 1, 2, 0, 3, 0, 1, 0, 2, 3)
_ROLE_OF_TEN = (1, 2, 0, 1, 3, 2, 1, 0, 2, 4)
_ORDER_OF_TEN: tuple[Order, ...] = (
    "none", "prompt", "none", "none", "late", "none", "prompt", "none", "none", "never",
)  # fmt: skip
_WAVE_OF_FOUR = (0, 1, 0, 2)
"""Deals are won in three waves: half of the first ones at once, the others when the firm has room for them."""
_PRACTICES = ("Data", "Cloud", "Strategy", "Engineering")


@dataclass(frozen=True, slots=True)
class Worker:
    """A person who works on projects, or leads and approves; ``tempo`` says whether they write time there as well."""

    number: int
    entity: Entity
    role: str
    practice: str
    cost_spread_percent: int
    capacity_hours: Decimal
    tempo: bool
    is_lead: bool

    @property
    def employee(self) -> str:
        """The number by which the HR system and the ledger know the person."""
        return f"N{10_001 + self.number}"

    @property
    def account(self) -> str:
        """The person's account in Jira and Tempo."""
        return names.atlassian_account("person", self.number)


@dataclass(frozen=True, slots=True)
class Customer:
    """A company that buys; what of its details is told late blocks its invoices until then."""

    number: int
    name: str
    country: str
    street: str
    city: str
    postal_code: str
    tax_id: str
    payment_terms_days: int | None
    tax_id_told_late: bool

    @property
    def state(self) -> str:
        """The part of the country that tax depends on; only American customers tell it."""
        return "MA" if self.country == "US" else ""

    @property
    def account(self) -> str:
        """The customer's record in the CRM."""
        return names.salesforce_id("001", self.number)


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of a project's work, as an issue in Jira."""

    issue: str
    title: str
    chargeable: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """A milestone: its price, and the day on which the customer is expected to accept it."""

    name: str
    title: str
    amount: Decimal
    due: date


@dataclass(frozen=True, slots=True)
class ContractLine:
    """One promise of an engagement, the project that fulfils it, and that project's tasks."""

    number: int
    kind: Kind
    title: str
    amount: Decimal
    stages: tuple[Stage, ...]
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Engagement:
    """An agreement with a customer from the day it is won.

    ``order`` says when the purchase order that it requires arrives, if it requires one. ``own_rates``: it has a rate
    card of its own.
    """

    slot: int
    turn: int
    number: int
    title: str
    customer: Customer
    entity: Entity
    currency: str
    won_on: date
    ends: date
    lines: tuple[ContractLine, ...]
    order: Order
    own_rates: bool

    @property
    def deal(self) -> str:
        """The opportunity's record in the CRM."""
        return names.salesforce_id("006", self.number)

    def line_record(self, line: ContractLine) -> str:
        """The record of a line item in the CRM."""
        return names.salesforce_id("00k", self.number * 8 + line.number)

    def runs_on(self, day: date) -> bool:
        """Whether people work for it on a day."""
        return self.won_on <= day <= self.ends


class Firm:
    """The world that a plan leads to. Its size in memory depends on the people, not on the length of the history."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.entities = ENTITIES
        leads = [_lead(plan.seed, number, entity) for number, entity in enumerate(ENTITIES)]
        self.leads = {lead.entity.code: lead for lead in leads}
        self.consultants = tuple(_consultant(plan.seed, number) for number in range(plan.consultants))
        self.workers = (*leads, *self.consultants)
        self.customers = tuple(_customer(plan, number) for number in range(max(2, round(plan.slots * 0.72))))
        self._slots_of = tuple(self._places())
        self._team_size = [0] * plan.slots
        self._managers: dict[int, Worker] = {}
        for worker, (first, _) in zip(self.consultants, self._slots_of, strict=True):
            self._team_size[first] += 1
            known = self._managers.setdefault(first, worker)
            self._managers[first] = max(known, worker, key=lambda each: rates.ROLES.index(each.role))

    def entity_of_slot(self, slot: int) -> Entity:
        """The legal entity that sells the engagements of a slot."""
        return ENTITIES[_ENTITY_OF_TEN[slot % 10]]

    def slots_of(self, worker: Worker) -> tuple[int, int]:
        """Where a person mostly works, and where they help out; the latter may be another entity's engagement."""
        return self._slots_of[worker.number - len(ENTITIES)]

    def manager_of(self, slot: int) -> Worker:
        """Who manages the engagements of a slot: the most senior of its team, else who leads the selling entity."""
        return self._managers.get(slot) or self.leads[self.entity_of_slot(slot).code]

    def _places(self) -> Iterator[tuple[int, int]]:
        """The people of an entity go round its slots, so that every engagement has a team as far as they reach."""
        slots = self.plan.slots
        own: dict[str, list[int]] = {}
        for slot in range(slots):
            own.setdefault(self.entity_of_slot(slot).code, []).append(slot)
        seen = dict.fromkeys((entity.code for entity in ENTITIES), 0)
        for worker in self.consultants:
            code = worker.entity.code
            choice = own.get(code, range(slots))
            first = choice[seen[code] % len(choice)]
            seen[code] += 1
            yield first, (first + 1 + worker.number % 3) % slots

    def engagements(self, slot: int) -> Iterator[Engagement]:
        """The engagements of a slot one after the other, until the end of the plan."""
        plan, turn = self.plan, 0
        wait_days = min(40, plan.days // 5) * _WAVE_OF_FOUR[slot % 4]
        won_on = plan.starts + timedelta(days=wait_days // 2)
        while won_on <= plan.ends:
            engagement = self._engagement(slot, turn, won_on)
            yield engagement
            won_on, turn = engagement.ends + timedelta(days=3), turn + 1

    def _engagement(self, slot: int, turn: int, won_on: date) -> Engagement:
        plan = self.plan
        rng = Random(f"{plan.seed}/engagement/{slot}/{turn}")
        entity, customer = self.entity_of_slot(slot), self.customers[slot % len(self.customers)]
        currency = "EUR" if entity.currency == "GBP" and slot % 4 == 2 else entity.currency
        ends = won_on + timedelta(days=rng.randint(190, 320))
        number = turn * plan.slots + slot + 1
        kinds = _KINDS[(slot + turn) % len(_KINDS)]
        months = Decimal((min(ends, plan.ends) - won_on).days + 1) / 30
        worth = self._team_size[slot] * months * HOURS_PER_MONTH * rates.list_price("Consultant", currency)
        lines = tuple(
            _line(
                rng,
                kind,
                index,
                engagement=number,
                worth=worth / len(kinds),
                currency=currency,
                starts=won_on,
                ends=min(ends, plan.ends),
            )
            for index, kind in enumerate(kinds, start=1)
        )
        return Engagement(
            slot=slot,
            turn=turn,
            number=number,
            title=f"{names.subject(rng)}" + (f", phase {turn + 1}" if turn else ""),
            customer=customer,
            entity=entity,
            currency=currency,
            won_on=won_on,
            ends=ends,
            lines=lines,
            order=_ORDER_OF_TEN[slot % 10],
            own_rates=slot % 3 == 0,
        )


def _lead(seed: int, number: int, entity: Entity) -> Worker:
    rng = Random(f"{seed}/lead/{number}")
    return Worker(number, entity, "Principal", "Delivery", rng.randint(0, 12), Decimal(40), tempo=False, is_lead=True)


def _consultant(seed: int, index: int) -> Worker:
    rng = Random(f"{seed}/consultant/{index}")
    return Worker(
        number=len(ENTITIES) + index,
        entity=ENTITIES[_ENTITY_OF_TEN[index % 10]],
        role=rates.ROLES[_ROLE_OF_TEN[(index + index // 10) % 10]],
        practice=rng.choice(_PRACTICES),
        cost_spread_percent=rng.randint(-12, 12),
        capacity_hours=Decimal(40),
        tempo=rng.random() < 0.85,
        is_lead=False,
    )


def _customer(plan: Plan, number: int) -> Customer:
    rng = Random(f"{plan.seed}/customer/{number}")
    seller = ENTITIES[_ENTITY_OF_TEN[number % 10]]
    country = seller.customers_in[number // 10 % len(seller.customers_in)] if number > 2 else seller.country
    if number % 6 == 5:
        country = "FR"
    return Customer(
        number=number + 1,
        name=names.customer_name(number, country),
        country=country,
        street=names.street(rng),
        city={"DE": "Hamburg", "FR": "Lyon", "NL": "Utrecht", "SE": "Malmö", "GB": "Leeds", "US": "Boston"}.get(
            country, "Osaka"
        ),
        postal_code=str(rng.randint(10_000, 99_999)),
        tax_id=tax_id(country, rng.randint(100_000_000, 999_999_999)),
        payment_terms_days=rng.choice((None, 14, 30, 60)),
        tax_id_told_late=number % 6 == 5,
    )


def _line(
    rng: Random,
    kind: Kind,
    index: int,
    *,
    engagement: int,
    worth: Decimal,
    currency: str,
    starts: date,
    ends: date,
) -> ContractLine:
    rounding = Decimal(100_000) if currency == "JPY" else Decimal(1_000)
    share = Decimal(rng.randint(60, 85) if kind == "capped" else rng.randint(90, 110)) / 100
    amount = max((worth * share / rounding).quantize(Decimal(1)), Decimal(5)) * rounding
    return ContractLine(
        number=index,
        kind=kind,
        title=_TITLES[kind],
        amount=amount,
        stages=_stages(rng, amount, currency, starts, ends) if kind == "fixed_fee" else (),
        tasks=_tasks(rng, engagement, index),
    )


def _stages(rng: Random, amount: Decimal, currency: str, starts: date, ends: date) -> tuple[Stage, ...]:
    """Three to five milestones at even distances, the last taking what the others leave of the price."""
    count = rng.randint(3, 5)
    step = Decimal(100) if currency == "JPY" else Decimal(1)
    each = (amount / count / step).quantize(Decimal(1)) * step
    amounts = [each] * (count - 1) + [amount - each * (count - 1)]
    span = (ends - starts).days
    return tuple(
        Stage(f"M{n}", f"Milestone {n} of {count}", value, starts + timedelta(days=span * n // (count + 1)))
        for n, value in enumerate(amounts, start=1)
    )


def _tasks(rng: Random, engagement: int, line: int) -> tuple[Task, ...]:
    """Three to five tasks of customer work, and one of the firm's own that the customer does not pay for."""
    first = 10_000 + engagement * 40 + line * 10
    work = names.tasks(rng, rng.randint(3, 5))
    paid = tuple(Task(str(first + n), title, chargeable=True) for n, title in enumerate(work))
    return (*paid, Task(str(first + 9), "Internal alignment", chargeable=False))
