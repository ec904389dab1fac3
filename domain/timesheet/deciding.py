"""A week's decisions, each command to its own rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from domain.kernel import Decider
from domain.lots import (
    BillLots,
    CreditLots,
    DrawLots,
    GiveLotsFree,
    HoldLots,
    LiftLotHolds,
    LotEvent,
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
)
from domain.lots.transfer import TransferCommand
from domain.lots.transferring import decide_transfers
from domain.timesheet.approval import approve, decide_period, reject, settled, submit
from domain.timesheet.held_back import APPROVER_REDUCED, held_back
from domain.timesheet.rating import doubts_settled, rate, report_unrated
from domain.timesheet.telling import log_time, withdraw_time
from domain.timesheet.week import Timesheet, after, entry_of, evolve
from domain.timesheet.words import (
    ApproveTime,
    Command,
    DecidePeriod,
    EntryUnrated,
    Event,
    HeldByApprover,
    LogTime,
    RateEntry,
    RejectTime,
    ReportUnrated,
    SubmitTime,
    WithdrawTime,
)


def decide(command: Command, state: Timesheet) -> Sequence[Event]:
    if isinstance(command, TransferCommand):
        return decide_transfers(command, state.lots)
    match command:
        case LogTime():
            told = log_time(command, state)
            return doubts_settled(settled(told, state) if state.verdicts else told, state)
        case WithdrawTime(claim=claim):
            return doubts_settled(withdraw_time(command.resource, claim, command.day, state), state)
        case DecidePeriod():
            return settled(decide_period(command, state), state)
        case SubmitTime(entries):
            return submit(entries, state)
        case ApproveTime():
            return settled(approve(command, state), state)
        case RejectTime(entries, by, at, reason):
            return settled(reject(entries, by, at, reason, state), state)
        case RateEntry(lot, hours_per_day_max):
            return rate(lot, hours_per_day_max, state)
        case ReportUnrated(entry, code, detail):
            return report_unrated(EntryUnrated(entry, code, detail), state)
        case LiftLotHolds(code=code) if code == APPROVER_REDUCED:
            raise HeldByApprover(", ".join(command.lots) + ".")
        case TransferLot(lot=lot) | RepriceLot(lot=lot):
            return _still_held(lot, decide_lots(command, state.lots), state)
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
            | CreditLots()
            | HoldLots()
            | LiftLotHolds()
            | GiveLotsFree()
        ):
            return decide_lots(command, state.lots)
        case _:
            assert_never(command)


def _still_held(lot: str, events: Sequence[LotEvent], state: Timesheet) -> Sequence[Event]:
    """The events by which another lot takes the place of one, and the holds of hours that were not approved."""
    return [*events, *held_back(entry_of(state.lots[lot].lot.source, state), after(events, state))] if events else []


decider: Decider[Command, Timesheet, Event] = Decider("timesheet", Timesheet(), decide, evolve)
