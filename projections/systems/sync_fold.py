"""Follows each project, invoice and credit note into each target system.

An object is pending until it is handed over, sent until the target answers, in doubt while nobody knows, then confirmed
or rejected. It has drifted when it changed after the version that the target confirmed, or when the target confirmed it
twice under different names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.credit_note import (
    CreditPostingConfirmed,
    CreditPostingInDoubt,
    CreditPostingRejected,
    CreditPostingRequested,
    CreditPostingSent,
)
from domain.invoice import PostingConfirmed, PostingInDoubt, PostingRejected, PostingRequested, PostingSent
from domain.kernel import Recorded, decider_name, local_id
from domain.project import (
    ProjectClosed,
    ProjectCreated,
    SetUpConfirmed,
    SetUpInDoubt,
    SetUpRejected,
    SetUpRequested,
    SetUpSent,
)
from projections.contexts import Contexts
from projections.invoices.credit_notes_fold import CreditNotesFold
from projections.invoices.fold import InvoicesFold
from projections.model import Handler
from projections.row_security import OF_SELLER
from projections.shelf import Changes, Shelf, Source, SumChange
from projections.sums import Deltas
from projections.tables import Key, Table


@dataclass(slots=True)
class SyncRecord:
    """One row of ``sync``; versions are those of the object's own stream."""

    stream: str
    target: str
    kind: str
    object: str
    state: str
    since: datetime
    external_id: str | None
    reason: str | None
    our_version: int
    requested_version: int | None
    confirmed_version: int | None
    attempts: int
    pending_at: datetime
    requested_at: datetime | None
    first_sent_at: datetime | None
    sent_at: datetime | None
    in_doubt_at: datetime | None
    confirmed_at: datetime | None
    rejected_at: datetime | None
    engagement: str
    customer: str
    selling_entity: str
    updated_at: datetime


@dataclass(slots=True)
class SyncSumRecord:
    """One row of ``sync_sum``."""

    selling_entity: str
    kind: str
    target: str
    state: str
    objects: int


SYNCS: Final = Table("sync", SyncRecord, ("stream", "target"), shown=OF_SELLER)
SYNC_SUMS: Final = Table("sync_sum", SyncSumRecord, ("selling_entity", "kind", "target", "state"), shown=OF_SELLER)


class SyncFold:
    """Folds set-ups of projects and postings of invoices."""

    def __init__(
        self, source: Source, contexts: Contexts, invoices: InvoicesFold, credit_notes: CreditNotesFold
    ) -> None:
        self._syncs: Shelf[SyncRecord] = Shelf(SYNCS, source, _is_known)
        self._sums: Deltas[Key] = Deltas()
        self._contexts = contexts
        self._invoices = invoices
        self._credit_notes = credit_notes
        steps: Mapping[type, Handler] = {
            SetUpRequested: self._requested,
            PostingRequested: self._requested,
            CreditPostingRequested: self._requested,
            SetUpSent: self._sent,
            PostingSent: self._sent,
            CreditPostingSent: self._sent,
            SetUpInDoubt: self._in_doubt,
            PostingInDoubt: self._in_doubt,
            CreditPostingInDoubt: self._in_doubt,
            SetUpConfirmed: self._confirmed,
            PostingConfirmed: self._confirmed,
            CreditPostingConfirmed: self._confirmed,
            SetUpRejected: self._rejected,
            PostingRejected: self._rejected,
            CreditPostingRejected: self._rejected,
        }
        self.wants: Mapping[type, Handler] = {**dict.fromkeys(steps, self._want), ProjectClosed: self._want_all}
        self.on: Mapping[type, Handler] = {**steps, ProjectCreated: self._created, ProjectClosed: self._closed}

    def prepare(self) -> None:
        """Brings the rows that the batch names."""
        self._syncs.fetch()

    def finish(self) -> None:
        """Nothing here depends on the batch as a whole."""

    def collect(self, changes: Changes) -> None:
        """The rows that changed, and what that adds to the sums."""
        changes.tables.append(self._syncs.changes())
        changes.sums.append(SumChange(SYNC_SUMS, self._sums.collect()))
        self._syncs.shrink()

    # -- which rows a fact needs -------------------------------------------------------------------------------------

    def _want(self, fact: Recorded[Any]) -> None:
        self._syncs.wanted.add((fact.stream, fact.event.target))

    def _want_all(self, fact: Recorded[ProjectClosed]) -> None:
        self._syncs.wanted.update([(fact.stream, target) for target in self._targets(fact)])

    def _targets(self, fact: Recorded[Any]) -> tuple[str, ...]:
        created = self._contexts.project(local_id(fact.stream)).created
        return created.targets if created else ()

    # -- what a fact does --------------------------------------------------------------------------------------------

    def _created(self, fact: Recorded[ProjectCreated]) -> None:
        for target in fact.event.targets:
            self._count(self._new(fact, target))

    def _closed(self, fact: Recorded[ProjectClosed]) -> None:
        """A closed project is another project than the targets know."""
        for target in self._targets(fact):
            row = self._changing(fact, target)
            row.our_version = fact.version
            if row.state == "confirmed":
                row.reason = "The project was closed after it was confirmed."
                _enter(row, "drifted", fact)
            self._count(row)

    def _requested(self, fact: Recorded[SetUpRequested | PostingRequested]) -> None:
        row = self._changing(fact, fact.event.target)
        row.attempts += 1
        row.requested_version, row.requested_at, row.reason = row.our_version, fact.recorded_at, None
        _enter(row, "pending", fact)
        self._count(row)

    def _sent(self, fact: Recorded[SetUpSent | PostingSent]) -> None:
        row = self._changing(fact, fact.event.target)
        row.sent_at, row.first_sent_at = fact.recorded_at, row.first_sent_at or fact.recorded_at
        _enter(row, "sent", fact)
        self._count(row)

    def _in_doubt(self, fact: Recorded[SetUpInDoubt | PostingInDoubt]) -> None:
        row = self._changing(fact, fact.event.target)
        row.in_doubt_at, row.reason = fact.recorded_at, fact.event.reason
        _enter(row, "in_doubt", fact)
        self._count(row)

    def _confirmed(self, fact: Recorded[SetUpConfirmed | PostingConfirmed]) -> None:
        row = self._changing(fact, fact.event.target)
        known, told = row.external_id, fact.event.external_id
        row.confirmed_at, row.confirmed_version = fact.recorded_at, row.requested_version or row.our_version
        row.external_id, row.reason = told, None
        if known is not None and known != told:
            row.reason = f"Confirmed as {known}, and then as {told}."
        elif row.our_version > row.confirmed_version:
            row.reason = f"Version {row.our_version} is not confirmed, version {row.confirmed_version} is."
        _enter(row, "drifted" if row.reason else "confirmed", fact)
        self._count(row)

    def _rejected(self, fact: Recorded[SetUpRejected | PostingRejected]) -> None:
        row = self._changing(fact, fact.event.target)
        row.rejected_at, row.reason = fact.recorded_at, fact.event.reason
        _enter(row, "rejected", fact)
        self._count(row)

    def _changing(self, fact: Recorded[Any], target: str) -> SyncRecord:
        """The row, taken out of the sums until it is counted again."""
        key = (fact.stream, target)
        if self._syncs.get(key) is None:
            return self._new(fact, target)
        row = self._syncs.change(key)
        self._sums.take(_cell(row), (1,))
        row.updated_at = fact.recorded_at
        return row

    def _count(self, row: SyncRecord) -> None:
        self._sums.add(_cell(row), (1,))

    def _new(self, fact: Recorded[Any], target: str) -> SyncRecord:
        kind, name = decider_name(fact.stream), local_id(fact.stream)
        engagement, customer, entity, version, pending_at = self._whose(kind, name, fact)
        row = SyncRecord(
            stream=fact.stream,
            target=target,
            kind=kind,
            object=name,
            state="pending",
            since=pending_at,
            external_id=None,
            reason=None,
            our_version=version,
            requested_version=None,
            confirmed_version=None,
            attempts=0,
            pending_at=pending_at,
            requested_at=None,
            first_sent_at=None,
            sent_at=None,
            in_doubt_at=None,
            confirmed_at=None,
            rejected_at=None,
            engagement=engagement,
            customer=customer,
            selling_entity=entity,
            updated_at=fact.recorded_at,
        )
        return self._syncs.add((fact.stream, target), row)

    def _whose(self, kind: str, name: str, fact: Recorded[Any]) -> tuple[str, str, str, int, datetime]:
        """Whose object it is, which of its versions the target has to know, and since when."""
        if kind == "invoice":
            invoice = self._invoices.of(name)
            assert invoice is not None, "an invoice is drafted before it is posted"
            whose = (invoice.engagement, invoice.customer, invoice.selling_entity)
            return (*whose, invoice.issued_version or fact.version, invoice.issued_at or fact.recorded_at)
        if kind == "credit_note":
            note = self._credit_notes.of(name)
            assert note is not None, "a credit note is drafted before it is posted"
            whose = (note.engagement, note.customer, note.selling_entity)
            return (*whose, note.issued_version or fact.version, note.issued_at or fact.recorded_at)
        created = self._contexts.project(name).created
        engagement = created.engagement if created else ""
        opened = self._contexts.engagement(engagement).opened
        return (
            engagement,
            opened.customer if opened else "",
            opened.selling_entity if opened else "",
            fact.version,
            fact.recorded_at,
        )


def _is_known(row: SyncRecord) -> bool:
    return row.state == "confirmed"


def _enter(row: SyncRecord, state: str, fact: Recorded[Any]) -> None:
    if row.state != state:
        row.since = fact.recorded_at
    row.state = state


def _cell(row: SyncRecord) -> Key:
    return (row.selling_entity, row.kind, row.target, row.state)
