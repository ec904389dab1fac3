"""An expense report lists what a person spent for projects; approved lines become lots at cost, plus any markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal, assert_never

from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.lots import (
    LEDGER,
    BillLots,
    CreditLots,
    DrawLots,
    GiveLotsFree,
    HoldLots,
    LiftLotHolds,
    Lot,
    LotBook,
    LotCommand,
    LotEvent,
    LotHoldsLifted,
    LotRated,
    LotReversed,
    LotsBilled,
    LotsCredited,
    LotsDrawn,
    LotsGivenFree,
    LotsHeld,
    LotSplit,
    LotsPostponed,
    LotsReleased,
    LotsReserved,
    LotsUndrawn,
    LotsWrittenOff,
    LotTransferred,
    PostponeLots,
    ReleaseLots,
    RepriceLot,
    ReserveLots,
    ShareLot,
    SplitLot,
    TransferLot,
    UndrawLots,
    WriteOffLots,
    decide_lots,
    decide_rating,
    evolve_lots,
    live_lot_of,
    reversals_of,
)
from domain.lots.transfer import TransferCommand, TransferEvent
from domain.lots.transferring import decide_transfers, evolve_transfers
from domain.money import Money, zero

OVER_LIMIT: Final = "EXPENSE_POLICY_VIOLATION"
"""Why an expense is held that costs more than its entity allows: a code of the closed list."""


def expense_stream(report: str) -> StreamId:
    """The history of one expense report: ``expense_report:ER-7``."""
    return stream_of("expense_report", report)


@dataclass(frozen=True, slots=True)
class Expense:
    """One line of a report. ``amount`` includes ``tax``; ``recoverable_tax`` is the part the firm gets back.

    Both are below zero for what was given back, such as a returned ticket. ``days`` is how many days a per diem
    pays for.
    """

    line: str
    project: str
    category: str
    spent_on: date
    amount: Money
    recoverable_tax: Money
    billable: bool
    receipt: str | None = None
    note: str = ""
    days: Decimal = Decimal(1)

    @property
    def net_cost(self) -> Money:
        """What the expense costs the firm: the amount without the tax that it recovers."""
        return self.amount - self.recoverable_tax

    @property
    def is_given_back(self) -> bool:
        """Whether the firm got money back, instead of spending some."""
        return self.amount.amount < 0


@dataclass(frozen=True, slots=True)
class RecordExpense:
    """Put a line on a report, or state it anew while it is not approved; ``at`` is the source's clock."""

    report: str
    resource: str
    expense: Expense
    at: datetime


@dataclass(frozen=True, slots=True)
class SubmitExpenses:
    """Hand in lines for approval."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApproveExpenses:
    """Approve lines as they stand."""

    lines: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RejectExpenses:
    """Send lines back with a reason."""

    lines: tuple[str, ...]
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class RateExpense:
    """Freeze the price and cost of an approved line as a lot; ``over_limit`` says in words which limit it passes."""

    lot: Lot
    over_limit: str | None = None


@dataclass(frozen=True, slots=True)
class ReportExpenseUnrated:
    """Record that no price could be found for an approved line, and why."""

    line: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class ExpenseRecorded:
    """A line was put on an expense report, or stated anew."""

    report: str
    resource: str
    expense: Expense
    at: datetime


@dataclass(frozen=True, slots=True)
class ExpensesSubmitted:
    """Lines were handed in for approval."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExpensesApproved:
    """Lines were approved as they stood."""

    lines: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ExpensesRejected:
    """Lines were sent back with a reason."""

    lines: tuple[str, ...]
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ExpenseUnrated:
    """No price could be found for an approved line."""

    line: str
    code: str
    detail: str


class UnknownExpense(Refused):
    """The report has no such line."""

    code = "expense.unknown_line"
    fix = "Use the id of a line of this report."


class ExpenseInvoiced(Refused):
    """An expense on a draft or an invoice cannot be changed."""

    code = "expense.invoiced"
    fix = "Discard the draft, or credit the lot; then retry."


class SelfApprovedExpense(Refused):
    """Nobody approves their own expenses."""

    code = "expense.self_approval"
    fix = "Let the project manager or another approver approve them."


class TaxAboveAmount(Refused):
    """The recoverable tax lies between zero and the amount, in its currency; below zero both are."""

    code = "expense.tax_above_amount"
    fix = "Correct the amount or the tax in the expense system."


class DaysNotPositive(Refused):
    """A per diem pays for more than no days."""

    code = "expense.days_not_positive"
    fix = "Send the days above zero, such as 2.5, or leave them out for one."


class ExpenseNotApproved(Refused):
    """Only approved expenses are rated."""

    code = "expense.not_approved"
    fix = "Approve the line first."


class OtherReportOwner(Refused):
    """A report belongs to one person."""

    code = "expense.other_owner"
    fix = "Send the line under a report of that person."


OwnEvent = ExpenseRecorded | ExpensesSubmitted | ExpensesApproved | ExpensesRejected | ExpenseUnrated
Event = OwnEvent | LotEvent | TransferEvent
Command = (
    RecordExpense
    | SubmitExpenses
    | ApproveExpenses
    | RejectExpenses
    | RateExpense
    | ReportExpenseUnrated
    | LotCommand
    | TransferCommand
    | CreditLots
    | TransferLot
)
LineStatus = Literal["captured", "submitted", "approved", "rejected"]


@dataclass(frozen=True, slots=True)
class Line:
    """An expense as it stands."""

    expense: Expense
    said_at: datetime
    status: LineStatus = "captured"
    approved_by: str | None = None
    approved_at: datetime | None = None
    unrated: ExpenseUnrated | None = None
    decided: ExpensesApproved | ExpensesRejected | None = None


@dataclass(frozen=True, slots=True)
class ExpenseReport:
    """One person's report with its lines and the lots that came of them."""

    resource: str = ""
    report: str = ""
    lines: Mapping[str, Line] = field(default_factory=dict)
    lots: LotBook = field(default_factory=dict)


def decide(command: Command, state: ExpenseReport) -> Sequence[Event]:
    if isinstance(command, TransferCommand):
        return decide_transfers(command, state.lots)
    match command:
        case RecordExpense():
            return _record(command, state)
        case SubmitExpenses(lines):
            fresh = tuple(name for name in lines if _line(name, state).status in ("captured", "rejected"))
            return [ExpensesSubmitted(fresh)] if fresh else []
        case ApproveExpenses(lines, by, at):
            if by == state.resource:
                raise SelfApprovedExpense(f"{by}: {', '.join(lines)}.")
            fresh = tuple(name for name in lines if _is_news(_line(name, state), at, "approved"))
            return [ExpensesApproved(fresh, by, at)] if fresh else []
        case RejectExpenses(lines, by, at, reason):
            fresh = tuple(name for name in lines if _is_news(_line(name, state), at, "rejected"))
            undone = [event for name in fresh for event in _reversed(name, "the expense was rejected", state)]
            return [*undone, ExpensesRejected(fresh, by, at, reason)] if fresh else []
        case RateExpense(lot, over_limit):
            return _rate(lot, over_limit, state)
        case ReportExpenseUnrated(line, code, detail):
            return _report_unrated(ExpenseUnrated(line, code, detail), state)
        case (
            SplitLot()
            | ShareLot()
            | ReserveLots()
            | ReleaseLots()
            | BillLots()
            | WriteOffLots()
            | PostponeLots()
            | DrawLots()
            | UndrawLots()
            | RepriceLot()
            | CreditLots()
            | TransferLot()
            | HoldLots()
            | LiftLotHolds()
            | GiveLotsFree()
        ):
            return decide_lots(command, state.lots)
        case _:
            assert_never(command)


def lacks_receipt(state: ExpenseReport, source: str) -> bool:
    """Whether the expense line that a lot came from is passed on and has no receipt."""
    line = state.lines.get(source.removeprefix(source_of(state.report, "")))
    return line is not None and line.expense.billable and not line.expense.receipt


def source_of(report: str, line: str) -> str:
    """What the lots of an expense line name as their source: ``ER-7/1``."""
    return f"{report}/{line}"


def _line(name: str, state: ExpenseReport) -> Line:
    if name not in state.lines:
        raise UnknownExpense(f"{state.report}: {name}.")
    return state.lines[name]


def _record(command: RecordExpense, state: ExpenseReport) -> Sequence[Event]:
    expense = command.expense
    if state.resource and command.resource != state.resource:
        raise OtherReportOwner(f"{command.report} is {state.resource}'s, not {command.resource}'s.")
    least, most = sorted((zero(expense.amount.currency), expense.amount))
    if not least <= expense.recoverable_tax <= most:
        raise TaxAboveAmount(f"{expense.line}: {expense.recoverable_tax} of {expense.amount}.")
    if not expense.days > 0:
        raise DaysNotPositive(f"{expense.line}: {expense.days}.")
    known = state.lines.get(expense.line)
    if known and (known.expense == expense or command.at <= known.said_at):
        return []
    undone = _reversed(expense.line, "the expense was corrected", state) if known else []
    told = ExpenseRecorded(command.report, command.resource, expense, command.at)
    decided = known.decided if known else None
    if decided is None or decided.at < command.at:
        return [*undone, told]
    return [*undone, told, replace(decided, lines=(expense.line,))]  # it was decided after it was so, and heard before


def _is_news(line: Line, at: datetime, status: LineStatus) -> bool:
    """Whether a decision counts: given for the line as it is told now, and no newer one is known.

    Of two decisions of one moment a rejection does.
    """
    if at < line.said_at:
        return False
    if line.decided is None or line.decided.at < line.said_at:
        return True
    return line.decided.at < at or (line.decided.at == at and status == "rejected" != line.status)


def _reversed(line: str, reason: str, state: ExpenseReport) -> Sequence[LotReversed]:
    source = source_of(state.report, line)
    if live := live_lot_of(state.lots, source):
        raise ExpenseInvoiced(f"{source} is on {live.place}.")
    return reversals_of(state.lots, source, reason)


def _rate(lot: Lot, over_limit: str | None, state: ExpenseReport) -> Sequence[Event]:
    line = lot.source.partition("/")[2]
    if _line(line, state).status != "approved":
        raise ExpenseNotApproved(lot.source)
    rated = decide_rating(lot, state.lots)
    is_allowed = any(OVER_LIMIT in held.lifted for held in state.lots.values() if held.lot.source == lot.source)
    fresh = tuple(event.lot.lot for event in rated if isinstance(event, LotRated))
    if over_limit is None or is_allowed or not fresh or lot.non_billable_because:
        return rated
    return [*rated, LotsHeld(fresh, OVER_LIMIT, over_limit, LEDGER)]


def _report_unrated(news: ExpenseUnrated, state: ExpenseReport) -> Sequence[Event]:
    line = _line(news.line, state)
    if line.status != "approved" or line.unrated == news or live_lot_of(state.lots, source_of(state.report, news.line)):
        return []
    return [*_reversed(news.line, "no price can be found any more", state), news]


def evolve(state: ExpenseReport, event: Event) -> ExpenseReport:
    if isinstance(event, TransferEvent):
        return replace(state, lots=evolve_transfers(state.lots, event))
    match event:
        case ExpenseRecorded(report, resource, expense, at):
            known = state.lines.get(expense.line)
            lines = {**state.lines, expense.line: Line(expense, at, decided=known.decided if known else None)}
            return replace(state, report=report, resource=resource, lines=lines)
        case ExpensesSubmitted(names):
            return _each(state, names, "submitted", None)
        case ExpensesApproved(names):
            return _each(state, names, "approved", event)
        case ExpensesRejected(names):
            return _each(state, names, "rejected", event)
        case ExpenseUnrated(name):
            return replace(state, lines={**state.lines, name: replace(state.lines[name], unrated=event)})
        case LotRated(lot):
            return _priced(replace(state, lots=evolve_lots(state.lots, event)), lot.source)
        case (
            LotSplit()
            | LotsReserved()
            | LotsReleased()
            | LotsBilled()
            | LotReversed()
            | LotsWrittenOff()
            | LotsPostponed()
            | LotsDrawn()
            | LotsUndrawn()
            | LotsCredited()
            | LotTransferred()
            | LotsHeld()
            | LotHoldsLifted()
            | LotsGivenFree()
        ):
            return replace(state, lots=evolve_lots(state.lots, event))
        case _:
            assert_never(event)


def _each(
    state: ExpenseReport,
    names: tuple[str, ...],
    status: LineStatus,
    decided: ExpensesApproved | ExpensesRejected | None,
) -> ExpenseReport:
    approval = decided if isinstance(decided, ExpensesApproved) else None
    moved = {
        name: replace(
            state.lines[name],
            status=status,
            approved_by=approval.by if approval else None,
            approved_at=approval.at if approval else None,
            decided=decided or state.lines[name].decided,
        )
        for name in names
    }
    return replace(state, lines={**state.lines, **moved})


def _priced(state: ExpenseReport, source: str) -> ExpenseReport:
    """The report in which a line that had no price has one."""
    name = source.partition("/")[2]
    line = state.lines.get(name)
    if line is None or line.unrated is None:
        return state
    return replace(state, lines={**state.lines, name: replace(line, unrated=None)})


decider: Decider[Command, ExpenseReport, Event] = Decider("expense_report", ExpenseReport(), decide, evolve)
