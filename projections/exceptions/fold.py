"""Folds exceptions into the list of work that people have to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from domain.exception import ExceptionOpened, ExceptionRecurred, ExceptionResolved, ExceptionRetried, Problem
from domain.kernel import Recorded
from projections.contexts import Contexts
from projections.invoices.fold import InvoicesFold
from projections.model import Handler
from projections.row_security import OF_SELLER
from projections.shelf import Changes, Shelf, Source
from projections.tables import Table


@dataclass(slots=True)
class ExceptionRecord:
    """One row of ``exception``; its entity is that of the engagement, as far as that was known when it came up."""

    stream: str
    kind: str
    code: str
    about: str
    message: str
    what_to_do: str
    owner_role: str
    system: str | None
    resource: str | None
    project: str | None
    engagement: str | None
    customer: str | None
    invoice: str | None
    selling_entity: str
    money_at_risk: Decimal | None
    currency: str | None
    hours_at_risk: str | None
    waits_for: str | None
    is_open: bool
    occurrences: int
    retries: int
    opened_at: datetime
    last_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None
    version: int


EXCEPTIONS: Final = Table("exception", ExceptionRecord, ("stream",), shown=OF_SELLER)


class ExceptionsFold:
    """Folds exceptions."""

    def __init__(self, source: Source, contexts: Contexts, invoices: InvoicesFold) -> None:
        self._rows: Shelf[ExceptionRecord] = Shelf(EXCEPTIONS, source, _is_settled)
        self._contexts = contexts
        self._invoices = invoices
        self.wants: Mapping[type, Handler] = {
            ExceptionOpened: self._want,
            ExceptionRecurred: self._want,
            ExceptionRetried: self._want,
            ExceptionResolved: self._want,
        }
        self.on: Mapping[type, Handler] = {
            ExceptionOpened: self._opened,
            ExceptionRecurred: self._recurred,
            ExceptionRetried: self._retried,
            ExceptionResolved: self._resolved,
        }

    def prepare(self) -> None:
        """Brings the rows that the batch names."""
        self._rows.fetch()

    def finish(self) -> None:
        """Nothing here depends on the batch as a whole."""

    def collect(self, changes: Changes) -> None:
        """The rows that changed."""
        changes.tables.append(self._rows.changes())
        self._rows.shrink()

    def _want(self, fact: Recorded[Any]) -> None:
        self._rows.wanted.add((fact.stream,))
        problem = getattr(fact.event, "problem", None)
        if problem is not None and problem.invoice:
            self._invoices.invoices.wanted.add((problem.invoice,))

    def _opened(self, fact: Recorded[ExceptionOpened]) -> None:
        """A problem that comes back after it was settled goes on in its row."""
        known = self._rows.get((fact.stream,))
        row = self._row(fact, fact.event.problem, known.occurrences + 1 if known else 1, known.retries if known else 0)
        self._rows.add((fact.stream,), row)

    def _recurred(self, fact: Recorded[ExceptionRecurred]) -> None:
        known = self._rows.change((fact.stream,))
        row = self._row(fact, fact.event.problem, known.occurrences + 1, known.retries)
        row.opened_at = known.opened_at
        self._rows.add((fact.stream,), row)

    def _retried(self, fact: Recorded[ExceptionRetried]) -> None:
        row = self._rows.change((fact.stream,))
        row.retries += 1
        row.last_at, row.version = fact.recorded_at, fact.version

    def _resolved(self, fact: Recorded[ExceptionResolved]) -> None:
        row = self._rows.change((fact.stream,))
        row.is_open = False
        row.resolved_at, row.resolved_by, row.resolution = fact.recorded_at, fact.event.by, fact.event.how
        row.last_at, row.version = fact.recorded_at, fact.version

    def _row(self, fact: Recorded[Any], problem: Problem, occurrences: int, retries: int) -> ExceptionRecord:
        engagement, customer, entity = self._whose(problem)
        at_risk = problem.money_at_risk
        return ExceptionRecord(
            stream=fact.stream,
            kind=problem.kind,
            code=problem.code,
            about=problem.about,
            message=problem.message,
            what_to_do=problem.what_to_do,
            owner_role=problem.owner_role,
            system=problem.system,
            resource=problem.resource,
            project=problem.project,
            engagement=engagement,
            customer=customer,
            invoice=problem.invoice,
            selling_entity=entity,
            money_at_risk=at_risk.amount if at_risk else None,
            currency=at_risk.currency if at_risk else None,
            hours_at_risk=problem.hours_at_risk,
            waits_for=problem.waits_for,
            is_open=True,
            occurrences=occurrences,
            retries=retries,
            opened_at=fact.recorded_at,
            last_at=fact.recorded_at,
            resolved_at=None,
            resolved_by=None,
            resolution=None,
            version=fact.version,
        )

    def _whose(self, problem: Problem) -> tuple[str | None, str | None, str]:
        """The engagement, customer and selling entity, also where the problem names only the project or the invoice."""
        engagement = problem.engagement
        if not engagement and problem.invoice and (invoice := self._invoices.of(problem.invoice)):
            engagement = invoice.engagement
        if not engagement and problem.project and (created := self._contexts.project(problem.project).created):
            engagement = created.engagement
        opened = self._contexts.engagement(engagement).opened if engagement else None
        if opened is None:
            return engagement or None, problem.customer, ""
        return engagement, problem.customer or opened.customer, opened.selling_entity


def _is_settled(row: ExceptionRecord) -> bool:
    return not row.is_open
