"""What rules that span several aggregates need from outside: the state of a stream, and who might be touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from domain.billing_limit import BillingLimit, billing_limit_stream
from domain.caps import CapUse
from domain.engagement import Engagement
from domain.invoice import Invoice
from domain.kernel import StreamId, stream_of
from domain.lots import LotBook
from domain.project import Project
from domain.reference.billing_calendar import BillingCalendar, calendar_stream
from domain.reference.customer import Customer
from domain.reference.legal_entity import Address, LegalEntity
from domain.reference.resource import Resource
from domain.reference.source_system import Heard, SourceSystem, source_system_stream
from domain.reference.tax_rule import TaxRules

Read = Callable[[StreamId], Any]
"""The state of a stream as the present transaction sees it; an unknown stream has its decider's initial state."""


@dataclass(frozen=True, slots=True)
class LotAt:
    """A lot and the stream that holds it."""

    stream: StreamId
    lot: str


@dataclass(frozen=True, slots=True)
class SourceAt:
    """An entry or expense line, and the stream that holds it."""

    stream: StreamId
    source: str


@dataclass(frozen=True, slots=True)
class WorkDone:
    """What the work for a line took that is measured by it: hours, and cost in the currency of the engagement.

    ``cost`` is None while an exchange rate of some of the work is missing.
    """

    engagement: str
    line: str
    hours: Decimal
    cost: Decimal | None


class Candidates(Protocol):
    """Which work might be touched, as a read model knows it; the aggregates check again when they decide."""

    def unbilled_of(
        self,
        *,
        engagement: str | None = None,
        customer: str | None = None,
        resource: str | None = None,
        lacking_rate_of: str | None = None,
    ) -> Sequence[SourceAt]:
        """Approved work that is neither reserved nor billed; all of the firm's when nothing is named.

        ``lacking_rate_of``: only work whose cost currency this is and whose exchange rate is missing.
        """
        ...

    def eligible_of(self, engagement: str, cut_off: str | None = None) -> Sequence[LotAt]:
        """The lots of an engagement that may be billed, worked up to a day (ISO 8601), in their order."""
        ...

    def engagements_with_eligible(self, entity: str, cut_off: str | None = None) -> Sequence[str]:
        """The engagements of a selling entity that have something to bill."""
        ...

    def engagements_billed_by_date(self) -> Sequence[str]:
        """The engagements with instalments, months of service, or retainers."""
        ...

    def work_done(self, until: date) -> Sequence[WorkDone]:
        """What approved work up to a day took, for each line that is billed by progress."""
        ...

    def drafts_of(self, entity: str) -> Sequence[str]:
        """The drafts of a selling entity that may still take up lots, the oldest first."""
        ...

    def transfers_of(
        self, *, lender: str | None = None, borrower: str | None = None, lacking_price: bool = False
    ) -> Sequence[LotAt]:
        """Lots that are not invoiced between lender and borrower yet, and those that were and count no more.

        ``lacking_price``: only lots whose transfer price could not be found.
        """
        ...

    def transfer_pairs(self) -> Sequence[tuple[str, str]]:
        """The lenders and borrowers between which something is to be invoiced or taken back."""
        ...

    def use_of_caps(self, engagement: str) -> Sequence[CapUse]:
        """How far each cap of an engagement is used up, work that is earned and not billed yet with it."""
        ...

    def use_of_limit(self, customer: str, currency: str) -> CapUse | None:
        """How far a customer's limit is used up over all engagements, in the same way; None without a limit."""
        ...


def engagement_of(read: Read, engagement: str) -> Engagement:
    """An engagement's state."""
    state: Engagement = read(stream_of("engagement", engagement))
    return state


def billing_limit_of(read: Read, customer: str, currency: str) -> BillingLimit:
    """What a customer may be billed in all, in one currency."""
    state: BillingLimit = read(billing_limit_stream(customer, currency))
    return state


def project_of(read: Read, project: str) -> Project:
    """A project's state."""
    state: Project = read(stream_of("project", project))
    return state


def customer_of(read: Read, customer: str) -> Customer:
    """A customer's state."""
    state: Customer = read(stream_of("customer", customer))
    return state


def entity_of(read: Read, entity: str) -> LegalEntity:
    """A legal entity's state."""
    state: LegalEntity = read(stream_of("legal_entity", entity))
    return state


def resource_of(read: Read, resource: str) -> Resource:
    """A resource's state."""
    state: Resource = read(stream_of("resource", resource))
    return state


def tax_rules_of(read: Read, jurisdiction: str) -> TaxRules:
    """The tax rules of a country."""
    state: TaxRules = read(stream_of("tax_rule", jurisdiction))
    return state


def billing_calendar_of(read: Read, entity: str, address: Address) -> BillingCalendar:
    """The calendar of a legal entity: its own, else that of its state, else that of its country."""
    names = (entity, f"{address.country}-{address.state}" if address.state else "", address.country)
    states: list[BillingCalendar] = [read(calendar_stream(name)) for name in names if name]
    return next((state for state in states if state.is_defined), states[-1])


def heard_of(read: Read, source: str) -> Heard | None:
    """The system that told an entry such as ``jira:10320``, and when it was heard last; None if it never was."""
    system = source.partition(":")[0]
    state: SourceSystem = read(source_system_stream(system))
    return Heard(system, state.heard_on) if state.heard_on is not None else None


def invoice_of(read: Read, invoice: str) -> Invoice:
    """An invoice's state."""
    state: Invoice = read(stream_of("invoice", invoice))
    return state


def lots_of(read: Read, stream: StreamId) -> LotBook:
    """The lots of a timesheet, an expense report or an engagement."""
    book: LotBook = read(stream).lots
    return book
