"""Finds out what a fact concerns besides its own object: the project of the work, the invoice of a lot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from domain.engagement import BillingClaimed, BillingReleased, EngagementOpened
from domain.exception import ExceptionOpened, ExceptionRecurred
from domain.expense import ExpenseRecorded
from domain.kernel import Recorded, StreamId, decider_name, local_id, stream_of
from domain.lots import LotRated, LotsBilled, LotsReleased, LotsReserved
from domain.number_series import NumberTaken
from domain.payment import MoneyReceived
from domain.project import ProjectCreated
from domain.timesheet import TimeCorrected, TimeLogged
from projections.contexts import Contexts
from projections.invoices.fold import InvoicesFold
from projections.model import Handler
from projections.row_security import Shown, any_of
from projections.shelf import Changes
from projections.tables import Table, Values

KINDS: Final = frozenset({"engagement", "project", "invoice", "customer"})
"""Objects with a timeline of their own and of what concerns them. The history of any other object is its own stream."""


@dataclass(slots=True)
class TimelineRecord:
    """One row of ``timeline``."""

    subject: str
    position: int
    stream: str
    version: int


_WHO_SEES_THE_SUBJECT: Final = any_of(
    *(
        Shown(
            f"split_part({{table}}.subject, ':', 1) = '{kind}' AND EXISTS (SELECT FROM {kind} o"
            f" WHERE o.{kind} = substr({{table}}.subject, {len(kind) + 2}))"
        )
        for kind in sorted(KINDS)
    )
)
TIMELINE: Final = Table("timeline", TimelineRecord, ("subject", "position"), shown=_WHO_SEES_THE_SUBJECT)


class TimelineFold:
    """Notes for each object which facts concern it."""

    wants: Mapping[type, Handler] = {}

    def __init__(self, contexts: Contexts, invoices: InvoicesFold) -> None:
        self._contexts = contexts
        self._invoices = invoices
        self._rows: list[Values] = []
        self.on: Mapping[type, Handler] = {
            TimeLogged: self._worked,
            TimeCorrected: self._worked,
            ExpenseRecorded: self._spent,
            LotRated: self._rated,
            LotsReserved: self._invoiced,
            LotsReleased: self._invoiced,
            LotsBilled: self._invoiced,
            NumberTaken: self._invoiced,
            BillingClaimed: self._invoiced,
            BillingReleased: self._invoiced,
            ExceptionOpened: self._problem,
            ExceptionRecurred: self._problem,
            EngagementOpened: self._opened,
            MoneyReceived: self._received,
            ProjectCreated: self._created,
        }

    def own(self, fact: Recorded[Any]) -> None:
        """What happens to such an object concerns it, and what happens to an invoice concerns its engagement."""
        kind = decider_name(fact.stream)
        if kind not in KINDS:
            return
        self._note(fact.stream, fact)
        if kind == "invoice":
            invoice = self._invoices.of(local_id(fact.stream))
            if invoice is not None:
                self._note(stream_of("engagement", invoice.engagement), fact)

    def prepare(self) -> None:
        """Nothing has to be read."""

    def finish(self) -> None:
        """Nothing here depends on the batch as a whole."""

    def collect(self, changes: Changes) -> None:
        """The new rows; none is ever changed."""
        rows, self._rows = self._rows, []
        changes.append(TIMELINE, rows)

    def _note(self, subject: StreamId, fact: Recorded[Any]) -> None:
        self._rows.append((subject, fact.position, fact.stream, fact.version))

    def _worked(self, fact: Recorded[TimeLogged | TimeCorrected]) -> None:
        self._note(stream_of("project", fact.event.work.project), fact)

    def _spent(self, fact: Recorded[ExpenseRecorded]) -> None:
        self._note(stream_of("project", fact.event.expense.project), fact)

    def _rated(self, fact: Recorded[LotRated]) -> None:
        if fact.event.lot.project:
            self._note(stream_of("project", fact.event.lot.project), fact)

    def _invoiced(self, fact: Recorded[Any]) -> None:
        self._note(stream_of("invoice", fact.event.invoice), fact)

    def _opened(self, fact: Recorded[EngagementOpened]) -> None:
        self._note(stream_of("customer", fact.event.customer), fact)

    def _received(self, fact: Recorded[MoneyReceived]) -> None:
        self._note(stream_of("customer", fact.event.customer), fact)

    def _created(self, fact: Recorded[ProjectCreated]) -> None:
        self._note(stream_of("engagement", fact.event.engagement), fact)

    def _problem(self, fact: Recorded[ExceptionOpened | ExceptionRecurred]) -> None:
        for subject in _concerned(fact):
            self._note(subject, fact)


def _concerned(fact: Recorded[ExceptionOpened | ExceptionRecurred]) -> Iterator[StreamId]:
    problem = fact.event.problem
    for kind in ("engagement", "project", "invoice", "customer"):
        name = getattr(problem, kind)
        if name:
            yield stream_of(kind, name)
