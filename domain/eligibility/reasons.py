"""A reason says why work is not billed: a code of the closed list, the object that blocks, and what removes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal

from domain.books.accounting_period import AccountingPeriods
from domain.contract import CapPolicy
from domain.engagement import Engagement
from domain.kernel import StreamId
from domain.lots import Lot
from domain.project import Project
from domain.reason_codes import ReasonCode
from domain.reference.account_map import AccountMap
from domain.reference.billing_calendar import BillingCalendar
from domain.reference.customer import Customer
from domain.reference.legal_entity import LegalEntity
from domain.reference.source_system import Heard
from domain.reference.tax_rule import TaxRules

OwnerRole = Literal["worker", "project_manager", "finance_preparer", "finance_approver", "integration"]


@dataclass(frozen=True, slots=True)
class Policy:
    """Under which policy the question is asked whether work may be billed; as it is, it changes nothing.

    ``lets_pass`` are reasons that do not block. ``cap_policy`` stands in the place of that of every cap, ``today`` in
    the place of the last day that has begun.
    """

    lets_pass: frozenset[str] = frozenset()
    cap_policy: CapPolicy | None = None
    today: date | None = None


AS_IT_IS: Final = Policy()
"""The policy of the day, nothing changed."""


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """Work that is not rated yet: an entry or an expense line, where it stands, and why it could not be rated.

    ``stream`` holds it. ``status`` is captured, submitted, approved or rejected. ``was_revoked``: it had been approved.
    ``told_at`` is when its source said it as it is, ``heard`` when the system that told the hours was heard last.
    """

    stream: StreamId
    status: str
    resource: str
    work_date: date
    task: str | None = None
    was_revoked: bool = False
    unrated_code: str | None = None
    unrated_detail: str = ""
    receipt_missing: bool = False
    told_at: datetime | None = None
    heard: Heard | None = None

    @property
    def day(self) -> date:
        return self.work_date

    @property
    def person(self) -> str | None:
        return self.resource

    def line_in(self, context: Context) -> str | None:
        """The contract line that would pay for it; None while its project is unknown."""
        project = context.project
        return project.line_of(self.task) if project and project.created else None


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason for which a lot was held, in words; ``event`` and ``since`` where the asker needs to know them."""

    code: str
    because: str
    event: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class LotFacts:
    """An open lot and the stream that holds it, what it was held for, and until when somebody postponed it.

    ``told_at`` is when the source of its work said it; None for what the contract itself lets be billed. ``heard``
    is when the system that told its hours was heard last.
    """

    stream: StreamId
    lot: Lot
    receipt_missing: bool = False
    holds: tuple[Hold, ...] = ()
    postponed_until: date | None = None
    told_at: datetime | None = None
    heard: Heard | None = None

    @property
    def day(self) -> date:
        return self.lot.work_date

    @property
    def person(self) -> str | None:
        return self.lot.resource

    def line_in(self, _context: Context) -> str | None:
        """The contract line that pays for it."""
        return self.lot.line


@dataclass(frozen=True, slots=True)
class PlannedFacts:
    """What a contract names, by milestone, instalment or month, before it is a lot; ``stream`` is its engagement."""

    stream: StreamId
    line: str
    name: str
    day: date
    receipt_missing: bool = False
    told_at: datetime | None = None
    heard: Heard | None = None

    @property
    def person(self) -> str | None:
        return None

    def line_in(self, _context: Context) -> str | None:
        """The contract line that names it."""
        return self.line


Subject = EntryFacts | LotFacts | PlannedFacts
"""What is decided about: work on its way to a lot, an open lot, or what a contract is going to bill."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the decision depends on besides the work itself, as it stands at one position of the log.

    ``today`` is the last day that has begun, None before the calendar runs. ``calendar`` is that of the selling entity,
    ``periods`` and ``accounts`` are its months and the accounts of its ERP. ``policy`` is what the decision is made
    under.
    """

    engagement: Engagement
    project: Project | None
    customer: Customer
    entity: LegalEntity
    tax_rules: TaxRules
    today: date | None = None
    calendar: BillingCalendar = field(default_factory=BillingCalendar)
    periods: AccountingPeriods = field(default_factory=AccountingPeriods)
    accounts: AccountMap = field(default_factory=AccountMap)
    policy: Policy = AS_IT_IS

    @property
    def silent_days_max(self) -> int | None:
        """For how many days a system may be silent; None is no limit."""
        terms = self.entity.terms_of(self.today)
        return terms.source_silent_days_max if terms else None

    def lets_pass(self, day: date) -> frozenset[str]:
        """The reasons that do not block work of a day, by the entity's policy and by the one of the question."""
        terms = self.entity.on(self.today or day)
        return self.policy.lets_pass.union(terms.lets_pass if terms else ())


@dataclass(frozen=True, slots=True)
class Blocker:
    """One reason: the object that blocks, the events that may have caused it, who can remove it, and how.

    ``caused_by`` are published event names; the latest of them on ``blocking`` says since when. When none happened,
    something is missing since the work itself was recorded. ``event`` and ``since`` say so themselves where the rule
    knows them. ``until`` is the day on which it may have gone by itself.
    """

    code: ReasonCode
    blocking: StreamId
    caused_by: tuple[str, ...]
    owner_role: OwnerRole
    what_to_do: str
    resolves_itself: bool = False
    event: str | None = None
    since: datetime | None = None
    until: date | None = None
