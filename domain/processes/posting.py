"""Posting: an issued invoice or credit note is sent to the ERP, which answers with its document or with a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.credit_note import CreditNoteIssued
from domain.invoice import InvoiceIssued, RequestPosting
from domain.kernel import Addressed, Recorded, StreamId
from domain.ports import Candidates, Read


@dataclass(frozen=True, slots=True)
class Posting:
    """Reacts to issued invoices and credit notes; ``targets`` are the ERPs that post them."""

    targets: tuple[str, ...] = ("erp",)
    name: str = "posting"

    def needs(self, _fact: Recorded[object]) -> Sequence[StreamId]:
        """The streams that a reaction will read."""
        return []

    def asks_candidates(self, _fact: Recorded[object]) -> bool:
        """Whether a reaction asks the read model which work it touches."""
        return False

    def react(self, fact: Recorded[object], _read: Read, _candidates: Candidates) -> Sequence[Addressed]:
        """The commands that a fact leads to."""
        if isinstance(fact.event, InvoiceIssued | CreditNoteIssued):
            return [Addressed(fact.stream, RequestPosting(target)) for target in self.targets]
        return []
