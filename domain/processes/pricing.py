"""Pricing: approved work is rated at once, and again when a rate, a cost or a contract changes, until it is billed.

What comes back from a draft or an invoice is rated anew, for what has changed while it was there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from domain.engagement.agreement import LineAgreed
from domain.engagement.change_orders import ChangeOrderApproved
from domain.expense import ExpenseReport, ExpensesApproved, RateExpense, ReportExpenseUnrated, source_of
from domain.kernel import Addressed, Recorded, StreamId, decider_name, local_id
from domain.lots import ENDED, Lot, LotBook, LotsCredited, LotsReleased, LotState, LotStatus
from domain.lots.transfer import PricedTransfer, PriceTransfers
from domain.money import total
from domain.ports import Candidates, LotAt, Read, SourceAt, lots_of, project_of
from domain.pricing.lots import employer_of, lot_elsewhere, lot_of_entry, lot_of_expense, over_limit
from domain.pricing.rating import RateNotFound
from domain.pricing.transfers import price_transfer
from domain.project import ManagerAppointed, ProjectCreated, ResourceAssigned, TaskDefined
from domain.reference.cost_card import CostRateSet
from domain.reference.fx_rate import FxRatePublished
from domain.reference.intercompany_agreement import AgreementStated
from domain.reference.rate_card import RateApproved, RateSet, RateWithdrawn, ZeroRateConfirmed
from domain.reference.resource import ResourceDescribed
from domain.timesheet import RateEntry, ReportUnrated, TimeApproved, Timesheet

_OF_WORK: Final = ("timesheet", "expense_report")
"""The kinds of streams that hold the lots of work; what a contract itself lets be billed has its price there."""


@dataclass(frozen=True, slots=True)
class Pricing:
    """Reacts to approvals, and to every change of what a price or a cost depends on."""

    name: str = "pricing"

    def needs(self, fact: Recorded[object]) -> Sequence[StreamId]:
        """The streams that a reaction will read; what they lead to is read on the way."""
        by_itself = isinstance(fact.event, TimeApproved | ExpensesApproved | LotsReleased | LotsCredited)
        return [fact.stream] if by_itself and decider_name(fact.stream) in _OF_WORK else []

    def asks_candidates(self, fact: Recorded[object]) -> bool:
        """Whether a reaction asks the read model which work it touches."""
        return isinstance(
            fact.event,
            RateSet
            | RateWithdrawn
            | ResourceDescribed
            | RateApproved
            | ZeroRateConfirmed
            | CostRateSet
            | LineAgreed
            | ChangeOrderApproved
            | TaskDefined
            | ResourceAssigned
            | ManagerAppointed
            | ProjectCreated
            | FxRatePublished
            | AgreementStated,
        )

    def react(self, fact: Recorded[object], read: Read, candidates: Candidates) -> Sequence[Addressed]:
        """The commands that a fact leads to."""
        match fact.event:
            case TimeApproved(entries):
                sources = [SourceAt(fact.stream, entry) for entry in entries]
            case ExpensesApproved(lines):
                report = local_id(fact.stream)
                sources = [SourceAt(fact.stream, source_of(report, line)) for line in lines]
            case LotsReleased(lots=names) if decider_name(fact.stream) in _OF_WORK:
                sources = _sources(fact.stream, names, read)
            case LotsCredited(lots=credited) if decider_name(fact.stream) in _OF_WORK:
                sources = _sources(fact.stream, [each.lot for each in credited], read)
            case AgreementStated(lender, borrower):
                return _repriced(_lots_between(lender, borrower, read, candidates), read)
            case ManagerAppointed():
                return _repriced(_lots_of_project(local_id(fact.stream), read, candidates), read)
            case FxRatePublished():
                transfers = _repriced(candidates.transfers_of(lacking_price=True), read)
                priced = [command for source in _touched(fact, read, candidates) for command in _priced(source, read)]
                return [*transfers, *priced]
            case _:
                sources = list(_touched(fact, read, candidates))
        return [command for source in sources for command in _priced(source, read)]


def _sources(stream: StreamId, lots: Sequence[str], read: Read) -> list[SourceAt]:
    """The work that lots stand for."""
    book = lots_of(read, stream)
    return list(dict.fromkeys(SourceAt(stream, book[name].lot.source) for name in lots))


def _touched(fact: Recorded[object], read: Read, candidates: Candidates) -> Sequence[SourceAt]:
    """The unbilled work whose price or cost may differ after a fact."""
    match fact.event:
        case RateSet() | RateWithdrawn() | RateApproved() | ZeroRateConfirmed():
            scope, _, owner = local_id(fact.stream).partition(":")
            match scope:
                case "line" | "engagement":
                    return candidates.unbilled_of(engagement=owner.partition(":")[0])
                case "customer":
                    return candidates.unbilled_of(customer=owner)
                case _:
                    return candidates.unbilled_of()
        case ResourceDescribed(resource):
            return candidates.unbilled_of(resource=resource)
        case CostRateSet():
            return candidates.unbilled_of()
        case LineAgreed() | ChangeOrderApproved():
            return candidates.unbilled_of(engagement=local_id(fact.stream))
        case TaskDefined() | ResourceAssigned() | ProjectCreated():
            project = project_of(read, local_id(fact.stream))
            return candidates.unbilled_of(engagement=project.terms.engagement)
        case FxRatePublished(base, quote):
            found = [*candidates.unbilled_of(lacking_rate_of=base), *candidates.unbilled_of(lacking_rate_of=quote)]
            return list(dict.fromkeys(found))
        case _:
            return []


def _lots_between(lender: str, borrower: str, read: Read, candidates: Candidates) -> Sequence[LotAt]:
    """The lots that an agreement may put at another transfer price.

    Between practices of one entity a lot without an agreement is not known as a transfer: all unbilled work is asked.
    """
    known = candidates.transfers_of(lender=lender, borrower=borrower)
    if "/" not in lender:
        return known
    streams = dict.fromkeys(source.stream for source in candidates.unbilled_of())
    unbilled = (LotAt(stream, lot) for stream in streams for lot in lots_of(read, stream))
    return list(dict.fromkeys((*known, *unbilled)))


def _lots_of_project(project: str, read: Read, candidates: Candidates) -> Sequence[LotAt]:
    """The unbilled lots of a project; its practice is that of its manager, so that they may cross or no longer do."""
    unbilled = candidates.unbilled_of(engagement=project_of(read, project).terms.engagement)
    streams = dict.fromkeys(source.stream for source in unbilled)
    found = ((stream, held.lot) for stream in streams for held in lots_of(read, stream).values())
    return [LotAt(stream, lot.lot) for stream, lot in found if lot.project == project]


def _repriced(lots: Sequence[LotAt], read: Read) -> Sequence[Addressed]:
    """The commands that put lots at the transfer price of today's agreements, one for each stream."""
    by_stream: dict[StreamId, list[PricedTransfer]] = {}
    for at in lots:
        held = lots_of(read, at.stream).get(at.lot)
        if held is not None:
            by_stream.setdefault(at.stream, []).append(price_transfer(held.lot, read))
    return [Addressed(stream, PriceTransfers(tuple(priced))) for stream, priced in by_stream.items()]


def _priced(source: SourceAt, read: Read) -> Sequence[Addressed]:
    """The command that rates an entry or an expense, or says why it cannot be rated.

    None when it is no longer approved: the fact was overtaken by a correction, whose own approval will come.
    """
    if decider_name(source.stream) == "timesheet":
        return _priced_entry(source, read)
    report: ExpenseReport = read(source.stream)
    name = source.source.partition("/")[2]
    line = report.lines.get(name)
    if line is None or line.status != "approved":
        return []
    lot = lot_of_expense(report, line, read)
    if isinstance(lot, RateNotFound):
        return [Addressed(source.stream, ReportExpenseUnrated(name, lot.code, lot.detail))]
    moved = _moved_lots(report.lots, source.source, "regular", read)
    limit = over_limit(report.resource, line.expense, read)
    return [Addressed(source.stream, RateExpense(each, limit)) for each in (lot, *moved)]


def _moved_lots(book: LotBook, source: str, time_type: str, read: Read) -> Sequence[Lot]:
    """What is billed to another engagement or customer than the work was done for, as it is priced there now."""
    moved: dict[str, list[LotState]] = {}
    for held in book.values():
        if held.lot.source == source and held.lot.transferred_from is not None and held.status not in ENDED:
            moved.setdefault(held.lot.transferred_from, []).append(held)
    rated = [_moved_lot(parts, time_type, read) for parts in moved.values()]
    return [lot for lot in rated if lot is not None]


def _moved_lot(parts: Sequence[LotState], time_type: str, read: Read) -> Lot | None:
    """All that stands for one moved lot, as it is priced now; None when nothing of it may be, or no price is found."""
    open_parts = [held.lot for held in parts if held.status is LotStatus.OPEN]
    if not open_parts:
        return None
    first = open_parts[0]
    whole = replace(
        first,
        quantity=sum((held.lot.quantity for held in parts), Decimal(0)),
        cost=total((held.lot.cost for held in parts), first.cost.currency),
    )
    found = lot_elsewhere(whole, first.engagement, first.line, first.customer, first.project, time_type, read)
    return None if isinstance(found, RateNotFound) else found


def _priced_entry(source: SourceAt, read: Read) -> Sequence[Addressed]:
    sheet: Timesheet = read(source.stream)
    entry = sheet.entries.get(source.source)
    if entry is None or entry.status != "approved":
        return []
    lot = lot_of_entry(sheet.resource, entry, read)
    if isinstance(lot, RateNotFound):
        return [Addressed(source.stream, ReportUnrated(source.source, lot.code, lot.detail))]
    moved = _moved_lots(sheet.lots, source.source, entry.work.time_type, read)
    employer = employer_of(sheet.resource, entry.work.work_date, read)
    limit = employer.hours_per_day_max if employer else None
    return [Addressed(source.stream, RateEntry(each, limit)) for each in (lot, *moved)]
