"""An engagement's decisions, each command to its own rule."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import assert_never

from domain.contract import Retainer
from domain.contract.rules import CurrencyDiffers
from domain.engagement.agreeing import decide_agreement, open_engagement
from domain.engagement.agreement import (
    AgreeLine,
    CompleteEngagement,
    HoldEngagement,
    LiftHold,
    OpenEngagement,
    OrderExhausted,
    RecordPurchaseOrder,
    SignEngagement,
)
from domain.engagement.caps import (
    AgreeEngagementCap,
    CapCommand,
    ChangeCap,
    ChangeLimits,
    ClaimBilling,
    CreditBilling,
    NoteCapUse,
    ReleaseBilling,
    WrongBillingMethod,
    decide_caps,
)
from domain.engagement.change_orders import ApproveChangeOrder, ProposeChangeOrder, RejectChangeOrder
from domain.engagement.changing import decide_change
from domain.engagement.milestones import AcceptMilestone, decide_acceptance
from domain.engagement.progress import MeasureProgress, RecordCost, ReviseEstimate, decide_progress
from domain.engagement.retainer import (
    ApplyRetainer,
    GrantRetainer,
    MakeGrantUsable,
    RefundRetainer,
    UnapplyRetainer,
    decide_retainer,
    lapsed,
)
from domain.engagement.schedule import FallDue, GiveServiceCredit, decide_credit, decide_due
from domain.engagement.state import Engagement, evolve
from domain.engagement.words import Command, Event, PromiseCommand
from domain.kernel import Decider
from domain.lots import (
    BillLots,
    CreditLots,
    DrawLots,
    GiveLotsFree,
    HoldLots,
    LiftLotHolds,
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
from domain.money import Money


def decide(command: Command, state: Engagement) -> Sequence[Event]:
    match command:
        case OpenEngagement():
            return open_engagement(command, state)
        case ProposeChangeOrder() | ApproveChangeOrder() | RejectChangeOrder():
            return decide_change(command, state)
        case (
            ChangeCap()
            | ChangeLimits()
            | AgreeEngagementCap()
            | ClaimBilling()
            | ReleaseBilling()
            | CreditBilling()
            | NoteCapUse()
        ):
            return _limit(command, state)
        case (
            AgreeLine()
            | SignEngagement()
            | HoldEngagement()
            | LiftHold()
            | RecordPurchaseOrder()
            | CompleteEngagement()
        ):
            state.terms  # noqa: B018 -- refuses before the engagement exists
            return decide_agreement(command, state)
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
            return _promise(command, state)


def _limit(command: CapCommand, state: Engagement) -> Sequence[Event]:
    name = state.terms.engagement
    if isinstance(command, ChangeCap | ChangeLimits):
        state.line(command.line)
    events = decide_caps(command, name, state.lines, state.caps, state.currency)
    if isinstance(command, ClaimBilling) and not command.beyond_order:
        _require_order(command.invoice, state, events)
    return events


def _require_order(invoice: str, state: Engagement, events: Sequence[Event]) -> None:
    """Refuses a claim that takes more than is left of the order that its invoice is under."""
    after = reduce(evolve, events, state)
    order = after.orders.get(after.ordered.get(invoice, ""))
    if order is None or order.amount is None:
        return
    was, now = state.taken_of(order), after.taken_of(order)
    if was < now and order.amount < now:
        raise OrderExhausted(f"{order.number}: {now - was} asked, {order.amount - was} left.")


def _promise(command: PromiseCommand, state: Engagement) -> Sequence[Event]:
    agreement, book = state.agreement, state.lots
    match command:
        case FallDue(on=on):
            lapses = [event for line, account in state.retainers.items() for event in lapsed(line, account, on)]
            return [*decide_due(command, state.versions, state.schedule, agreement, book), *lapses]
        case AcceptMilestone():
            line, newest_day = state.line(command.line), state.progress_day(command.line, command.accepted_on)
            return decide_acceptance(command, line, state.accepted, newest_day, state.progress, agreement, book)
        case GiveServiceCredit():
            _require_currency(command.amount, state)
            return decide_credit(command, state.line(command.line), state.schedule, agreement, book)
        case ReviseEstimate() | MeasureProgress() | RecordCost():
            state.line(command.line)
            versions, newest_day = state.versions[command.line], state.progress_day(command.line, command.on)
            return decide_progress(command, versions, newest_day, state.progress, agreement, book)
        case GrantRetainer() | MakeGrantUsable() | ApplyRetainer() | UnapplyRetainer() | RefundRetainer():
            line = state.line(command.line)
            if not isinstance(line.billing, Retainer):
                raise WrongBillingMethod(f"{line.line} is {line.billing.kind}.")
            if isinstance(command, GrantRetainer | RefundRetainer) and command.amount is not None:
                _require_currency(command.amount, state)
            return decide_retainer(command, line, line.billing, state.account(line.line), agreement, book)
        case _:
            assert_never(command)


def _require_currency(amount: Money, state: Engagement) -> None:
    if amount.currency != state.currency:
        raise CurrencyDiffers(f"{amount} in an engagement in {state.currency}.")


decider: Decider[Command, Engagement, Event] = Decider("engagement", Engagement(), decide, evolve)
