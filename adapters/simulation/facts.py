"""What happens in the sample firm, each fact as it is so in the world, with the clock of whoever states it.

How a vendor's system words a fact is no concern of this module; the auditor hears these, the ledger hears payloads.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Literal

from adapters.simulation.firm import ContractLine, Customer, Engagement, Entity, Stage, Task, Worker

System = Literal["jira", "tempo", "overtime"]
Verdict = Literal["OPEN", "IN_REVIEW", "APPROVED", "REJECTED"]
Scope = Literal["firm", "customer", "engagement"]


@dataclass(frozen=True, slots=True)
class EntityTold:
    """The HR system describes a company."""

    entity: Entity
    effective_from: date
    said_at: datetime


@dataclass(frozen=True, slots=True)
class WorkerTold:
    """The HR system states a person's role and cost from a day on, maybe one that lies back or ahead."""

    worker: Worker
    effective_from: date
    role: str
    hourly_cost: Decimal
    said_at: datetime


@dataclass(frozen=True, slots=True)
class CustomerTold:
    """The CRM tells some fields of a customer; ``fields`` are named as in the world, a missing one did not change."""

    customer: Customer
    fields: tuple[str, ...]
    created: bool
    said_at: datetime


@dataclass(frozen=True, slots=True)
class DealTold:
    """The CRM tells some fields of a deal; None means that a field did not change."""

    engagement: Engagement
    stage: str
    created: bool
    said_at: datetime
    amount: Decimal | None = None
    closes_on: date | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class LineTold:
    """The CRM tells a line item of a deal."""

    engagement: Engagement
    line: ContractLine
    said_at: datetime


@dataclass(frozen=True, slots=True)
class LeadTold:
    """Jira tells who leads the project of a contract line."""

    engagement: Engagement
    line: ContractLine
    lead: Worker
    said_at: datetime


@dataclass(frozen=True, slots=True)
class IssueTold:
    """Jira tells a task of a project."""

    engagement: Engagement
    line: ContractLine
    task: Task
    said_at: datetime


@dataclass(frozen=True, slots=True)
class BillRateTold:
    """The firm states what an hour of a role, or of one person, is billed at from a day on."""

    scope: Scope
    owner: str
    row: str
    currency: str
    amount: Decimal
    effective_from: date
    said_at: datetime
    role: str | None = None
    employee: str | None = None


@dataclass(frozen=True, slots=True)
class TaxTold:
    """The firm publishes the tax pack of a country in which it has a legal entity."""

    country: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class EuroRateTold:
    """The central bank publishes what one euro is worth."""

    currency: str
    on: date
    rate: Decimal
    said_at: datetime


@dataclass(frozen=True, slots=True)
class CurrencyPolicyTold:
    """The firm says in which currency it reports, and whose exchange rates count."""

    reporting_currency: str
    sources: tuple[str, ...]
    effective_from: date
    said_at: datetime


@dataclass(frozen=True, slots=True)
class BooksOpened:
    """A legal entity opens a month of its books, as ``2026-03``."""

    entity: Entity
    period: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class MonthBegan:
    """The firm's calendar says that the first day of a month begins: the books of the one before are measured."""

    day: date
    said_at: datetime


@dataclass(frozen=True, slots=True)
class AccountTold:
    """The ERP's account for a role of the journal in a legal entity."""

    entity: Entity
    role: str
    account: str
    effective_from: date
    said_at: datetime


@dataclass(frozen=True, slots=True)
class AgreementTold:
    """What one legal entity charges another for work on its engagements, in its own currency."""

    lender: Entity
    borrower: Entity
    model: str
    parameter: Decimal
    effective_from: date
    said_at: datetime


@dataclass(frozen=True, slots=True)
class OrderTold:
    """A customer's purchase order arrives."""

    engagement: Engagement
    order: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class StageAccepted:
    """A customer accepts a milestone."""

    engagement: Engagement
    line: ContractLine
    stage: Stage
    on: date
    evidence: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class CapRaised:
    """A customer consents to a higher limit of a line."""

    engagement: Engagement
    line: ContractLine
    amount: Decimal
    said_at: datetime


@dataclass(frozen=True, slots=True)
class HoursTold:
    """A system tells hours as it knows them; ``entry`` is the same for all tellings of the same hours.

    ``started`` is the wall clock at the worker's place. ``revision`` counts the changes of the entry from 0.
    """

    system: System
    entry: int
    revision: int
    worker: Worker
    engagement: Engagement
    line: ContractLine
    task: Task
    day: date
    started: time
    seconds: int
    overtime: bool
    note: str
    created_at: datetime
    said_at: datetime


@dataclass(frozen=True, slots=True)
class HoursDeleted:
    """A system tells that hours were deleted there; ``hours`` is how it knew them last."""

    hours: HoursTold
    said_at: datetime

    @property
    def entry(self) -> int:
        return self.hours.entry

    @property
    def line(self) -> ContractLine:
        return self.hours.line


@dataclass(frozen=True, slots=True)
class PeriodTold:
    """The time system's approval of a person's days, as it stands from a moment on."""

    worker: Worker
    starts: date
    ends: date
    verdict: Verdict
    by: Worker
    said_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ExpenseTold:
    """A person states what they spent for a project; ``recoverable_tax`` is the part of it that the firm gets back."""

    report: str
    number: int
    worker: Worker
    engagement: Engagement
    line: ContractLine
    category: str
    spent_on: date
    amount: Decimal
    recoverable_tax: Decimal
    said_at: datetime


@dataclass(frozen=True, slots=True)
class ExpensesApproved:
    """A person's expense report is approved."""

    report: str
    worker: Worker
    numbers: tuple[int, ...]
    by: Worker
    said_at: datetime


@dataclass(frozen=True, slots=True)
class BillingRun:
    """Finance bills what may be billed up to a day; nothing told later is on these invoices.

    ``everything`` is false for the last run of a history, which leaves some engagements unbilled.
    """

    month: str
    cut_off: date
    on: date
    everything: bool

    @property
    def at(self) -> datetime:
        """The moment of the run: noon, UTC."""
        return datetime.combine(self.on, time(12), tzinfo=UTC)


Fact = (
    EntityTold
    | WorkerTold
    | CustomerTold
    | DealTold
    | LineTold
    | LeadTold
    | IssueTold
    | BillRateTold
    | TaxTold
    | EuroRateTold
    | CurrencyPolicyTold
    | BooksOpened
    | MonthBegan
    | AccountTold
    | AgreementTold
    | OrderTold
    | StageAccepted
    | CapRaised
    | HoursTold
    | HoursDeleted
    | PeriodTold
    | ExpenseTold
    | ExpensesApproved
)
