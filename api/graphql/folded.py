"""One object at any moment, at once: folded from its own streams, by the folds that make the read models.

The rows are those that the lists show. The past of a whole list is a generation of its own; that of one object needs no
more than the object's history.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.catalogue import DECIDERS
from domain.engagement import Engagement
from domain.kernel import Recorded, StreamId, decider_name, stream_of
from domain.project import Project
from projections.follow import Log
from projections.invoices.fold import INVOICES, InvoicesFold
from projections.invoices.invoices import InvoiceRow
from projections.memory import MemoryStore
from projections.model import Model
from projections.reader import At, AtPosition
from projections.registers.contract_lines import line_row
from projections.registers.engagements import EngagementRow
from projections.registers.fold import project_status
from projections.registers.projects import AssignmentRow, ProjectRow, TaskRow
from projections.registers.timesheets import EntryRow, TimesheetRow
from projections.registers.timesheets_fold import ENTRIES, OPEN_STATUSES, SHEETS, EntryRecord, TimesheetsFold
from projections.shelf import Changes

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Folded:
    """A state, when its stream began, and its newest fact."""

    state: Any
    first_at: datetime
    last_at: datetime
    version: int


class Past:
    """Objects as they were at a moment, or as they are now when it is None; blocking."""

    def __init__(self, log: Log, at: At | None) -> None:
        self._log = log
        self._at = at
        self._known: dict[StreamId, Folded | None] = {}

    def engagement(self, engagement: str) -> EngagementRow | None:
        """An engagement, if it had been opened."""
        folded = self._folded(stream_of("engagement", engagement))
        if folded is None or folded.state.opened is None:
            return None
        state: Engagement = folded.state
        terms, signed, order = state.terms, state.signed, state.purchase_order
        return EngagementRow(
            engagement=engagement,
            title=terms.title,
            customer=terms.customer,
            customer_name=self._name_of(terms.customer),
            selling_entity=terms.selling_entity,
            currency=terms.currency,
            status="held" if state.held_because is not None else "signed" if signed else "opened",
            held_because=state.held_because,
            opportunity=terms.opportunity,
            signed_on=signed.signed_on if signed else None,
            starts=signed.starts if signed else None,
            ends=signed.ends if signed else None,
            purchase_order_required=terms.purchase_order_required,
            purchase_order=order.number if order else None,
            purchase_order_amount=order.amount.amount if order and order.amount else None,
            purchase_order_valid_to=order.valid_to if order else None,
            lines=tuple(line_row(name, state) for name in state.lines),
            opened_at=folded.first_at,
            updated_at=folded.last_at,
            version=folded.version,
        )

    def project(self, project: str) -> ProjectRow | None:
        """A project, if it had been created."""
        folded = self._folded(stream_of("project", project))
        if folded is None or folded.state.created is None:
            return None
        state: Project = folded.state
        terms = state.terms
        customer, entity = self._sold_to_and_by(terms.engagement)
        return ProjectRow(
            project=project,
            engagement=terms.engagement,
            customer=customer,
            customer_name=self._name_of(customer),
            selling_entity=entity,
            delivering_entity=terms.delivering_entity,
            title=terms.title,
            line=terms.line,
            starts=terms.starts,
            ends=terms.ends,
            closed_on=state.closed_on,
            manager=state.manager,
            internal=terms.internal,
            status=project_status(state),
            held_because=state.held_because,
            tasks=tuple(TaskRow(each.task, each.title, each.line, each.chargeable) for each in state.tasks.values()),
            assignments=tuple(AssignmentRow(a.resource, a.starts, a.ends, a.role) for a in state.assignments),
            created_at=folded.first_at,
            updated_at=folded.last_at,
            version=folded.version,
        )

    def invoice(self, invoice: str) -> InvoiceRow | None:
        """An invoice, if it had been drafted."""
        store = MemoryStore()
        _fold(InvoicesFold(store), self._history(stream_of("invoice", invoice)), store)
        rows = store.fetch(INVOICES, [(invoice,)])
        if not rows:
            return None
        shown = {name: getattr(rows[0], name) for name in InvoiceRow.__dataclass_fields__ if name != "customer_name"}
        return InvoiceRow(**shown, customer_name=rows[0].buyer_name or self._name_of(rows[0].customer))

    def timesheet(self, stream: StreamId, may_see: Callable[[str], bool]) -> TimesheetRow | None:
        """A week, summed over the entries of the legal entities that may be seen; None when there is nothing of it."""
        store = self._week(stream)
        sheets, entries = store.fetch(SHEETS, [(stream,)]), self._visible(store, may_see)
        everything = len(entries) == len(store.all(ENTRIES))
        if not sheets or not (entries or everything):
            return None
        counted = [each for each in entries if each.status in OPEN_STATUSES]
        return TimesheetRow(
            stream=stream,
            resource=sheets[0].resource,
            week=sheets[0].week,
            hours=_hours(counted),
            captured=_hours(counted, "captured"),
            submitted=_hours(counted, "submitted"),
            approved=_hours(counted, "approved"),
            rejected=_hours(counted, "rejected"),
            entries=len(counted),
            updated_at=sheets[0].updated_at,
        )

    def entries(self, stream: StreamId, may_see: Callable[[str], bool], first: int) -> list[EntryRow]:
        """The entries of a week or the lines of an expense report, in the order of their days."""
        found = self._visible(self._week(stream), may_see)
        return sorted(found, key=lambda each: (each.work_date, each.entry))[:first]

    def _week(self, stream: StreamId) -> MemoryStore:
        store = MemoryStore()
        _fold(TimesheetsFold(store), self._history(stream), store)
        return store

    def _visible(self, store: MemoryStore, may_see: Callable[[str], bool]) -> list[EntryRow]:
        rows: list[EntryRow] = []
        for values in store.all(ENTRIES).values():
            record: EntryRecord = ENTRIES.row(values)
            engagement = self._engagement_of(record.project)
            customer, entity = self._sold_to_and_by(engagement)
            if may_see(entity):
                names = (name for name in EntryRow.__dataclass_fields__ if hasattr(record, name))
                shown = {name: getattr(record, name) for name in names}
                rows.append(EntryRow(**shown, engagement=engagement, customer=customer, selling_entity=entity))
        return rows

    def _engagement_of(self, project: str) -> str:
        folded = self._folded(stream_of("project", project)) if project else None
        return folded.state.created.engagement if folded and folded.state.created else ""

    def _sold_to_and_by(self, engagement: str) -> tuple[str, str]:
        folded = self._folded(stream_of("engagement", engagement)) if engagement else None
        opened = folded.state.opened if folded else None
        return (opened.customer, opened.selling_entity) if opened else ("", "")

    def _name_of(self, customer: str) -> str:
        folded = self._folded(stream_of("customer", customer)) if customer else None
        return (folded.state.name or customer) if folded else customer

    def _folded(self, stream: StreamId) -> Folded | None:
        if stream not in self._known:
            facts = self._history(stream)
            state = DECIDERS[decider_name(stream)].fold([fact.event for fact in facts])
            last = facts[-1] if facts else None
            found = Folded(state, facts[0].recorded_at, last.recorded_at, last.version) if last else None
            self._known[stream] = found
        return self._known[stream]

    def _history(self, stream: StreamId) -> list[Recorded[Any]]:
        match self._at:
            case None:
                return self._log.history(stream)
            case AtPosition(position):
                return self._log.history(stream, until_position=position)
            case _:
                return self._log.history(stream, until_recorded_at=self._at.recorded_at)


def _fold(model: Model, facts: Sequence[Recorded[Any]], store: MemoryStore) -> None:
    """One read model's fold of one stream's facts."""
    for fact in facts:
        if want := model.wants.get(type(fact.event)):
            want(fact)
    model.prepare()
    for fact in facts:
        if handle := model.on.get(type(fact.event)):
            handle(fact)
    model.finish()
    changes = Changes()
    model.collect(changes)
    store.write(changes)


def _hours(entries: Sequence[EntryRow], status: str | None = None) -> Decimal:
    return sum((each.hours or NOTHING for each in entries if status in (None, each.status)), NOTHING)
