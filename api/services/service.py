"""What a governed service is: its input, its rules for who and where, and the commands that it comes to."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

from typing_extensions import Doc

from api.access import OutOfScope, Principal, Role
from api.errors import Problem
from domain.books.accounting_period import AccountingPeriods, accounting_period_stream, require_open
from domain.kernel import Addressed, Refused, StreamId
from domain.money import Money
from domain.ports import Candidates, Read, customer_of, engagement_of, entity_of, project_of
from domain.reference.customer import UnknownCustomer
from domain.reference.legal_entity import checked_time_zone

Input = TypeVar("Input")
Kind = Literal[
    "engagement",
    "project",
    "timesheet",
    "expense_report",
    "invoice",
    "credit_note",
    "payment",
    "exception",
    "identifier",
    "accounting_period",
    "account_map",
    "fx_policy",
    "intercompany_agreement",
    "intercompany",
]
"""The kind of object that a service answers with: the first word of its streams."""


@dataclass(frozen=True)
class Amount:
    """An amount of money."""

    amount: Annotated[Decimal, Doc("Decimal number as text, e.g. 1460.50.")]
    currency: Annotated[str, Doc("ISO 4217 code, e.g. EUR.")]

    @property
    def money(self) -> Money:
        """The amount as the domain knows it; raises UnknownCurrency."""
        return Money(self.amount, self.currency)


class InputIncomplete(Refused):
    """The request says too little, or two things that exclude each other."""

    code = "request.incomplete"
    fix = "Complete or correct the named fields and send the request again."


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a service: who asks, when, under which key, and what may be read while deciding."""

    principal: Principal
    now: datetime
    key: str
    read: Read
    candidates: Candidates

    @property
    def actor(self) -> str:
        """The name under which facts are recorded."""
        return self.principal.actor

    def after(self, *known: datetime) -> datetime:
        """Now, or just after what is known, if the clock is behind that: who corrects something has seen it."""
        return max([self.now, *(moment + timedelta(microseconds=1) for moment in known)])

    def new_id(self, prefix: str, *about: str) -> str:
        """An id that is the same whenever the same request is made again: ``INV-K7Q2M4XA5C``."""
        digest = hashlib.sha256("\n".join((self.principal.subject, self.key, *about)).encode()).digest()
        return f"{prefix}-{b32encode(digest)[:10].decode()}"

    def require_entity(self, entity: str) -> None:
        """Raises OutOfScope unless the token is for this legal entity."""
        versions = entity_of(self.read, entity).versions
        region = versions[-1].region if versions else None
        if not self.principal.reach.covers(entity, region):
            raise OutOfScope(entity)

    def require_engagement(self, engagement: str) -> None:
        """Raises EngagementNotOpened, or OutOfScope unless the token is for the entity that sells it."""
        self.require_entity(engagement_of(self.read, engagement).terms.selling_entity)

    def require_project(self, project: str) -> None:
        """Raises ProjectNotCreated, or OutOfScope unless the token is for the entity that sells its engagement."""
        self.require_engagement(project_of(self.read, project).terms.engagement)

    def require_customer(self, customer: str) -> None:
        """Raises UnknownCustomer if nobody has ever described them."""
        if not customer_of(self.read, customer).customer:
            raise UnknownCustomer(customer)

    def require_open(self, entity: str, day: date) -> None:
        """Raises PeriodIsClosed or PeriodIsSoftClosed when the asker may not date anything on a day in an entity."""
        periods: AccountingPeriods = self.read(accounting_period_stream(entity))
        require_open(day, periods, of_approver=Role.FINANCE_APPROVER in self.principal.roles)

    def require_firm(self) -> None:
        """Raises OutOfScope unless the token is for the whole firm."""
        if not self.principal.reach.everywhere:
            raise OutOfScope("This concerns the whole firm.")

    def today_at(self, entity: str) -> date:
        """The day that it is at a legal entity."""
        terms = entity_of(self.read, entity).on(self.now.date())
        return self.now.astimezone(checked_time_zone(terms.time_zone)).date() if terms else self.now.date()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a call comes to: commands that are recorded together, the objects it is about, and what was left out."""

    commands: Sequence[Addressed]
    about: tuple[StreamId, ...]
    left_out: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Service(Generic[Input]):
    """One thing that can be done: ``decide`` turns an input into commands, reading what it needs, writing nothing.

    ``name`` is the NATS name and the permission; GraphQL calls it the same in camel case. ``kinds``: what it may be
    about. ``asks_candidates``: the read models have to be as new as the request before it is decided.
    ``records_nothing``: it is always a dry run, that shows what would be.
    """

    name: str
    input: type[Input]
    kinds: tuple[Kind, ...]
    decide: Callable[[Input, Call], Decision]
    asks_candidates: bool = False
    records_nothing: bool = False

    @property
    def about(self) -> str:
        """What it does, in one sentence."""
        return (self.decide.__doc__ or self.name).strip().splitlines()[0]


@dataclass(frozen=True, slots=True)
class EventShown:
    """An event that was recorded, or in a dry run would be."""

    id: str
    stream: StreamId
    version: int
    name: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a call.

    ``position`` is what a reader may wait for. ``states`` are the objects as they are now, or in a dry run would be.
    ``repeated``: the same request had been answered before, and this is that answer.
    """

    position: int
    events: tuple[EventShown, ...]
    states: Mapping[StreamId, Any]
    left_out: tuple[Problem, ...] = ()
    dry_run: bool = False
    repeated: bool = False
