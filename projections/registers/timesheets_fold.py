"""The register of work: each entry of a timesheet and each expense line, as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from domain.expense import (
    ExpenseRecorded,
    ExpensesApproved,
    ExpensesRejected,
    ExpensesSubmitted,
    ExpenseUnrated,
    source_of,
)
from domain.kernel import Recorded, StreamId, decider_name, local_id
from domain.lots import LotRated, LotReversed, LotSplit
from domain.timesheet import (
    ApprovalRevoked,
    ClaimHeard,
    EntriesMerged,
    EntryUnrated,
    PeriodDecided,
    TimeApproved,
    TimeCorrected,
    TimeLogged,
    TimeRejected,
    TimeSubmitted,
    TimeWithdrawn,
    Work,
)
from projections.model import Handler
from projections.row_security import shown_with
from projections.shelf import Changes, Shelf, Source
from projections.tables import Key, Table

OPEN_STATUSES: Final = frozenset({"captured", "submitted", "approved", "rejected"})
"""Where work that still counts may stand."""


@dataclass(slots=True)
class EntryRecord:
    """One entry or expense line as the register keeps it; ``lots`` counts the lots that stand for it now.

    ``waits_since`` is when it was submitted, or its approval revoked, while it waits to be approved.
    """

    stream: str
    entry: str
    kind: str
    resource: str
    project: str
    task: str | None
    work_date: date
    hours: Decimal | None
    time_type: str | None
    started: str | None
    note: str
    category: str | None
    amount: Decimal | None
    currency: str | None
    receipt: str | None
    billable: bool
    status: str
    status_version: int
    status_at: datetime
    waits_since: datetime | None
    was_revoked: bool
    approved_by: str | None
    approved_at: datetime | None
    approved_hours: Decimal | None
    merged_into: str | None
    systems: tuple[str, ...]
    unrated_code: str | None
    unrated_detail: str | None
    unrated_version: int | None
    unrated_at: datetime | None
    lots: int
    updated_at: datetime
    version: int
    told_at: datetime

    @property
    def counts(self) -> bool:
        """Whether it is work that still counts and has not become a lot."""
        return self.lots == 0 and self.status in OPEN_STATUSES


@dataclass(slots=True)
class SheetRecord:
    """One person's week."""

    stream: str
    resource: str
    week: date
    updated_at: datetime
    version: int


ENTRIES: Final = Table("entry", EntryRecord, ("stream", "entry"), shown=shown_with("project", project="project"))
SHEETS: Final = Table("sheet", SheetRecord, ("stream",), shown=shown_with("entry", stream="stream"))


def source_of_lot(lot: str) -> str:
    """The entry that a lot was rated for: ``jira:10320#2/1`` is a part of a lot of ``jira:10320``."""
    return lot.rpartition("#")[0]


class TimesheetsFold:
    """Folds timesheets and expense reports into their register."""

    def __init__(self, source: Source) -> None:
        self.entries: Shelf[EntryRecord] = Shelf(ENTRIES, source, _is_a_lot)
        self._sheets: dict[StreamId, SheetRecord] = {}
        self.wants: Mapping[type, Handler] = {
            TimeCorrected: self._want_one,
            ClaimHeard: self._want_one,
            EntryUnrated: self._want_one,
            TimeWithdrawn: self._want_one,
            EntriesMerged: self._want_merged,
            TimeSubmitted: self._want_each,
            TimeApproved: self._want_each,
            TimeRejected: self._want_each,
            ApprovalRevoked: self._want_each,
            ExpenseRecorded: self._want_expense,
            ExpensesSubmitted: self._want_expenses,
            ExpensesApproved: self._want_expenses,
            ExpensesRejected: self._want_expenses,
            ExpenseUnrated: self._want_expenses,
            LotRated: self._want_source,
            LotSplit: self._want_source_of_lot,
            LotReversed: self._want_source_of_lot,
        }
        self.on: Mapping[type, Handler] = {
            TimeLogged: self._logged,
            TimeCorrected: self._corrected,
            ClaimHeard: self._heard,
            EntriesMerged: self._merged,
            TimeWithdrawn: self._withdrawn,
            TimeSubmitted: self._submitted,
            TimeApproved: self._approved,
            TimeRejected: self._rejected,
            ApprovalRevoked: self._revoked,
            PeriodDecided: self._sheet,
            EntryUnrated: self._unrated,
            ExpenseRecorded: self._expense_recorded,
            ExpensesSubmitted: self._submitted,
            ExpensesApproved: self._approved,
            ExpensesRejected: self._rejected,
            ExpenseUnrated: self._unrated,
            LotRated: self._lot_rated,
            LotSplit: self._lot_split,
            LotReversed: self._lot_reversed,
        }

    def prepare(self) -> None:
        """Brings the entries that the batch names."""
        self.entries.fetch()

    def finish(self) -> None:
        """Nothing here depends on the batch as a whole."""

    def collect(self, changes: Changes) -> None:
        """The entries and weeks that changed."""
        sheets, self._sheets = self._sheets, {}
        changes.tables.append(self.entries.changes())
        keys: list[Key] = [(stream,) for stream in sheets]
        changes.replace(SHEETS, keys, list(sheets.values()))
        self.entries.shrink()

    # -- which rows a fact needs -------------------------------------------------------------------------------------

    def _want_one(self, fact: Recorded[Any]) -> None:
        self.entries.wanted.add((fact.stream, fact.event.entry))

    def _want_each(self, fact: Recorded[Any]) -> None:
        stream = fact.stream
        self.entries.wanted.update([(stream, entry) for entry in fact.event.entries])

    def _want_merged(self, fact: Recorded[Any]) -> None:
        self.entries.wanted.update([(fact.stream, fact.event.kept), (fact.stream, fact.event.dropped)])

    def _want_expense(self, fact: Recorded[Any]) -> None:
        self.entries.wanted.add((fact.stream, source_of(fact.event.report, fact.event.expense.line)))

    def _want_expenses(self, fact: Recorded[Any]) -> None:
        self.entries.wanted.update(_keys(fact))

    def _want_source(self, fact: Recorded[Any]) -> None:
        if decider_name(fact.stream) != "engagement":
            self.entries.wanted.add((fact.stream, fact.event.lot.source))

    def _want_source_of_lot(self, fact: Recorded[Any]) -> None:
        if decider_name(fact.stream) != "engagement":
            self.entries.wanted.add((fact.stream, source_of_lot(fact.event.lot)))

    # -- what a fact does --------------------------------------------------------------------------------------------

    def _sheet(self, fact: Recorded[Any]) -> None:
        resource, _, week = local_id(fact.stream).rpartition(":")
        monday = date.fromisoformat(week)
        self._sheets[fact.stream] = SheetRecord(fact.stream, resource, monday, fact.recorded_at, fact.version)

    def _logged(self, fact: Recorded[TimeLogged]) -> None:
        event = fact.event
        self.entries.add(
            (fact.stream, event.entry),
            _new_entry(fact, event.entry, event.resource, event.work, event.claim.system, event.claim.said_at),
        )
        self._sheet(fact)

    def _corrected(self, fact: Recorded[TimeCorrected]) -> None:
        event = fact.event
        row = self._changed(fact, event.entry)
        work = event.work
        row.project, row.task, row.work_date, row.hours = work.project, work.task, work.work_date, work.hours
        row.time_type, row.started, row.note = work.time_type, work.started, work.note
        row.told_at = event.claim.said_at
        row.systems = _with_system(row.systems, event.claim.system)
        _move(row, "captured", fact)
        self._sheet(fact)

    def _heard(self, fact: Recorded[ClaimHeard]) -> None:
        key = (fact.stream, fact.event.entry)
        row = self.entries.get(key)
        if row is None or fact.event.claim.system not in row.systems:
            row = self._changed(fact, fact.event.entry)
            row.systems = _with_system(row.systems, fact.event.claim.system)

    def _merged(self, fact: Recorded[EntriesMerged]) -> None:
        dropped = self._changed(fact, fact.event.dropped)
        kept = self._changed(fact, fact.event.kept)
        for system in dropped.systems:
            kept.systems = _with_system(kept.systems, system)
        _move(dropped, "merged", fact)
        dropped.merged_into = kept.entry
        self._sheet(fact)

    def _withdrawn(self, fact: Recorded[TimeWithdrawn]) -> None:
        event = fact.event
        key = (fact.stream, event.entry)
        if self.entries.get(key) is None:
            nothing = Work("", None, event.day, Decimal(0))
            self.entries.add(
                key, _new_entry(fact, event.entry, event.resource, nothing, event.claim.system, event.claim.said_at)
            )
        row = self._changed(fact, event.entry)
        row.told_at = event.claim.said_at
        _move(row, "withdrawn", fact)
        self._sheet(fact)

    def _submitted(self, fact: Recorded[TimeSubmitted | ExpensesSubmitted]) -> None:
        for row in self._move_each(fact, "submitted"):
            row.waits_since = _said_at(fact)

    def _approved(self, fact: Recorded[TimeApproved | ExpensesApproved]) -> None:
        for row in self._move_each(fact, "approved"):
            row.approved_by, row.approved_at = fact.event.by, fact.event.at
            if isinstance(fact.event, TimeApproved):
                row.approved_hours = fact.event.hours.get(row.entry)

    def _rejected(self, fact: Recorded[TimeRejected | ExpensesRejected]) -> None:
        self._move_each(fact, "rejected")

    def _revoked(self, fact: Recorded[ApprovalRevoked]) -> None:
        for row in self._move_each(fact, "submitted"):
            row.was_revoked, row.waits_since = True, _said_at(fact)

    def _unrated(self, fact: Recorded[EntryUnrated | ExpenseUnrated]) -> None:
        row = self._changed(fact, _keys(fact)[0][1])
        row.unrated_code, row.unrated_detail = fact.event.code, fact.event.detail
        row.unrated_version, row.unrated_at = fact.version, fact.recorded_at

    def _expense_recorded(self, fact: Recorded[ExpenseRecorded]) -> None:
        expense = fact.event.expense
        name = source_of(fact.event.report, expense.line)
        work = Work(expense.project, None, expense.spent_on, Decimal(0), note=expense.note)
        row = _new_entry(fact, name, fact.event.resource, work, "", fact.event.at)
        row.kind, row.hours, row.time_type, row.systems = "expense", None, None, ()
        row.category, row.amount, row.currency = expense.category, expense.amount.amount, expense.amount.currency
        row.receipt, row.billable = expense.receipt, expense.billable
        self.entries.add((fact.stream, name), row)

    def _lot_rated(self, fact: Recorded[LotRated]) -> None:
        self._count_lots(fact, fact.event.lot.source, 1)

    def _lot_split(self, fact: Recorded[LotSplit]) -> None:
        self._count_lots(fact, source_of_lot(fact.event.lot), len(fact.event.parts) - 1)

    def _lot_reversed(self, fact: Recorded[LotReversed]) -> None:
        self._count_lots(fact, source_of_lot(fact.event.lot), -1)

    def _count_lots(self, fact: Recorded[Any], source: str, more: int) -> None:
        if decider_name(fact.stream) == "engagement":
            return
        row = self._changed(fact, source)
        row.lots += more
        if more > 0:
            _forget_unrated(row)

    def _changed(self, fact: Recorded[Any], entry: str) -> EntryRecord:
        row = self.entries.change((fact.stream, entry))
        row.updated_at, row.version = fact.recorded_at, fact.version
        return row

    def _move_each(self, fact: Recorded[Any], status: str) -> list[EntryRecord]:
        rows = [self._changed(fact, entry) for _, entry in _keys(fact)]
        for row in rows:
            _move(row, status, fact)
        if rows and rows[0].kind == "time":
            self._sheet(fact)
        return rows


def _is_a_lot(entry: EntryRecord) -> bool:
    """Work that became a lot, or that no longer counts, is seldom spoken of again."""
    return not entry.counts


def _keys(fact: Recorded[Any]) -> list[Key]:
    """The entries or expense lines that an event names."""
    event, stream = fact.event, fact.stream
    match event:
        case TimeSubmitted() | TimeApproved() | TimeRejected() | ApprovalRevoked():
            return [(stream, entry) for entry in event.entries]
        case ExpensesSubmitted() | ExpensesApproved() | ExpensesRejected():
            report = local_id(stream)
            return [(stream, source_of(report, line)) for line in event.lines]
        case ExpenseUnrated():
            return [(stream, source_of(local_id(stream), event.line))]
        case _:
            return [(stream, event.entry)]


def _move(row: EntryRecord, status: str, fact: Recorded[Any]) -> None:
    """The entry stands somewhere else now; who approved it before, and that it had no price, no longer counts."""
    row.status, row.status_version, row.status_at = status, fact.version, fact.recorded_at
    row.waits_since, row.was_revoked = None, False
    row.approved_by, row.approved_at, row.approved_hours = None, None, None
    _forget_unrated(row)


def _said_at(fact: Recorded[Any]) -> datetime:
    """When it was so by the clock of its source, which may have told it much later."""
    return fact.cause.occurred_at or fact.recorded_at


def _forget_unrated(row: EntryRecord) -> None:
    row.unrated_code = row.unrated_detail = row.unrated_version = row.unrated_at = None


def _with_system(systems: tuple[str, ...], system: str) -> tuple[str, ...]:
    return systems if system in systems else tuple(sorted((*systems, system)))


def _new_entry(
    fact: Recorded[Any], name: str, resource: str, work: Work, system: str, told_at: datetime
) -> EntryRecord:
    return EntryRecord(
        stream=fact.stream,
        entry=name,
        kind="time",
        resource=resource,
        project=work.project,
        task=work.task,
        work_date=work.work_date,
        hours=work.hours,
        time_type=work.time_type,
        started=work.started,
        note=work.note,
        category=None,
        amount=None,
        currency=None,
        receipt=None,
        billable=True,
        status="captured",
        status_version=fact.version,
        status_at=fact.recorded_at,
        waits_since=None,
        was_revoked=False,
        approved_by=None,
        approved_at=None,
        approved_hours=None,
        merged_into=None,
        systems=(system,),
        unrated_code=None,
        unrated_detail=None,
        unrated_version=None,
        unrated_at=None,
        lots=0,
        updated_at=fact.recorded_at,
        version=fact.version,
        told_at=told_at,
    )
