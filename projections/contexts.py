"""What decisions depend on: the folded states of engagements, projects, customers, entities, tax rules and rates.

They are not stored. Their streams are short, so that a state which is not in memory is folded from its stream again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

from domain.billing_limit import BillingLimit, billing_limit_stream
from domain.catalogue import DECIDERS
from domain.engagement import Engagement
from domain.kernel import Recorded, StreamId, decider_name, stream_of
from domain.project import Project
from domain.reference.customer import Customer
from domain.reference.legal_entity import LegalEntity
from domain.reference.tax_rule import TaxRules
from projections.follow import Log

KINDS: Final = frozenset(
    {
        "engagement",
        "project",
        "customer",
        "legal_entity",
        "tax_rule",
        "fx_rate",
        "fx_policy",
        "accounting_period",
        "account_map",
        "billing_limit",
        "billing_calendar",
        "calendar",
        "source_system",
    }
)
"""The kinds of streams whose states decide about the work of others."""

STATES_KEPT_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Happened:
    """The newest event of one name in a stream: its version and when it was recorded."""

    version: int
    at: datetime


@dataclass(slots=True)
class Folded:
    """The state of a stream, and the newest event of each name in it."""

    state: Any
    version: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    happened: dict[str, Happened] = field(default_factory=dict)

    def fold(self, fact: Recorded[Any]) -> None:
        """One more event."""
        self.state = DECIDERS[decider_name(fact.stream)].evolve(self.state, fact.event)
        self.version = fact.version
        self.last_at = fact.recorded_at
        if self.first_at is None:
            self.first_at = fact.recorded_at
        self.happened[fact.name] = Happened(fact.version, fact.recorded_at)


class Contexts:
    """The states at the position that the fold has reached.

    ``touched`` collects the streams that a batch has changed, with the kinds of events that changed them.
    """

    def __init__(self, log: Log, position: int) -> None:
        self.touched: dict[StreamId, list[Any]] = {}
        self._log = log
        self._position = position
        self._kept: dict[StreamId, Folded] = {}

    def apply(self, fact: Recorded[Any]) -> None:
        """Folds an event of one of the kinds that decide."""
        stream = fact.stream
        self._position = fact.position
        if fact.version == 1:
            self._kept.setdefault(stream, Folded(DECIDERS[decider_name(stream)].initial))
        folded = self.of(stream)
        if folded.version < fact.version:
            folded.fold(fact)
        self.touched.setdefault(stream, []).append(fact.event)

    def reached(self, position: int) -> None:
        """Everything up to a position has been applied."""
        self._position = position

    def of(self, stream: StreamId) -> Folded:
        """The state of a stream at this position; an unknown one has the state before its first event."""
        folded = self._kept.pop(stream, None)
        if folded is None:
            folded = Folded(DECIDERS[decider_name(stream)].initial)
            for fact in self._log.history(stream, until_position=self._position):
                folded.fold(fact)
        self._kept[stream] = folded
        return folded

    def engagement(self, name: str) -> Engagement:
        """An engagement's state."""
        return cast(Engagement, self.of(stream_of("engagement", name)).state)

    def billing_limit(self, customer: str, currency: str) -> BillingLimit:
        """What a customer may be billed in all, in one currency."""
        return cast(BillingLimit, self.of(billing_limit_stream(customer, currency)).state)

    def project(self, name: str) -> Project:
        """A project's state."""
        return cast(Project, self.of(stream_of("project", name)).state)

    def customer(self, name: str) -> Customer:
        """A customer's state."""
        return cast(Customer, self.of(stream_of("customer", name)).state)

    def entity(self, name: str) -> LegalEntity:
        """A legal entity's state."""
        return cast(LegalEntity, self.of(stream_of("legal_entity", name)).state)

    def tax_rules(self, jurisdiction: str) -> TaxRules:
        """The tax rules of a country."""
        return cast(TaxRules, self.of(stream_of("tax_rule", jurisdiction)).state)

    def read(self, stream: StreamId) -> Any:
        """The state of any of these streams, as the domain's rules ask for it."""
        return self.of(stream).state

    def take_touched(self) -> Mapping[StreamId, list[Any]]:
        """The streams that the batch changed; the next batch begins anew."""
        touched, self.touched = self.touched, {}
        return touched

    def shrink(self) -> None:
        """Forgets the states that were not asked for longest."""
        for stream in list(self._kept)[: max(0, len(self._kept) - STATES_KEPT_MAX)]:
            del self._kept[stream]
