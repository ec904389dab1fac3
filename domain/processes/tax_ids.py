"""Tax ids: when a customer's id or country is told anew, the id is checked, and the verdict is recorded as a fact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.kernel import Addressed, Recorded, StreamId, local_id
from domain.ports import Candidates, Read, customer_of
from domain.reference.customer import CustomerDescribed, RecordTaxIdCheck, TaxIdVerdict

TaxIdCheck = Callable[[str, str], TaxIdVerdict]
"""Says whether a tax id is well formed: ``check(country, tax_id)``."""


@dataclass(frozen=True, slots=True)
class TaxIds:
    """Reacts to descriptions of customers; ``check`` knows the countries' rules."""

    check: TaxIdCheck
    name: str = "tax_ids"

    def needs(self, fact: Recorded[object]) -> Sequence[StreamId]:
        """The streams that a reaction will read."""
        return [fact.stream] if isinstance(fact.event, CustomerDescribed) else []

    def asks_candidates(self, _fact: Recorded[object]) -> bool:
        """Whether a reaction asks the read model which work it touches."""
        return False

    def react(self, fact: Recorded[object], read: Read, _candidates: Candidates) -> Sequence[Addressed]:
        """The commands that a fact leads to."""
        if not isinstance(fact.event, CustomerDescribed):
            return []
        if not any(change.field in ("tax_id", "country") for change in fact.event.changes):
            return []
        customer = customer_of(read, local_id(fact.stream))
        if not customer.tax_id or not customer.country:
            return []
        verdict = self.check(customer.country, customer.tax_id)
        return [Addressed(fact.stream, RecordTaxIdCheck(verdict, fact.recorded_at))]
