"""An engagement is the agreement with a customer: who sells, in which currency, which promises, on which terms.

Its contract lines say how each promise is billed, each in versions that change orders put in force. What a contract
itself lets be billed, milestones, instalments, months of service, progress, retainers, becomes a lot here, and what
drafts and invoices take of the caps is kept here, so that two drafts together cannot pass one. Each of these has its
words and rules in a file of its own; this one holds the agreement and brings them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import assert_never

from domain.agreement import (
    AgreeLine,
    AgreementCommand,
    AgreementEvent,
    CompleteEngagement,
    DatesContradict,
    EngagementAlreadyOpened,
    EngagementCompleted,
    EngagementHeld,
    EngagementNotOpened,
    EngagementOpened,
    EngagementSigned,
    HoldEngagement,
    HoldLifted,
    LiftHold,
    LineAgreed,
    LineIsBilled,
    LineIsChanged,
    OpenEngagement,
    PurchaseOrder,
    PurchaseOrderRecorded,
    RecordPurchaseOrder,
    SignEngagement,
    UnknownLine,
)
from domain.caps import Consumed, Room
from domain.change_orders import (
    ApproveChangeOrder,
    ChangeOrder,
    ChangeOrderApproved,
    ChangeOrderEvent,
    ChangeOrderProposed,
    ChangeOrderRejected,
    ChangeOrders,
    ProposeChangeOrder,
    RejectChangeOrder,
    decide_change_order,
    evolve_change_orders,
    pending_change,
)
from domain.contract import (
    CapPolicy,
    ContractLine,
    FixedFeeMilestones,
    FixedFeeSchedule,
    LineVersion,
    Milestone,
    PercentComplete,
    Retainer,
    TimeAndMaterials,
    Uplift,
)
from domain.contract_lots import Agreement, version_on
from domain.contract_rules import CurrencyDiffers, require_consistent, require_known_currency
from domain.kernel import Decider
from domain.line_caps import (
    AgreeEngagementCap,
    BillingClaimed,
    BillingCredited,
    BillingReleased,
    CapBelowBilled,
    CapChanged,
    CapCommand,
    CapEvent,
    CapExceeded,
    CapReached,
    ChangeCap,
    ChangeLimits,
    ClaimBilling,
    CreditBilling,
    EngagementCapAgreed,
    LimitsChanged,
    LineCaps,
    ReleaseBilling,
    WrongBillingMethod,
    decide_caps,
    evolve_caps,
    require_above_billed,
    rooms_of,
    with_caps,
)
from domain.lots import (
    BillLots,
    CreditLots,
    DrawLots,
    GiveLotsFree,
    HoldLots,
    LiftLotHolds,
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
    evolve_lots,
)
from domain.milestones import (
    AcceptMilestone,
    EvidenceMissing,
    MilestoneAccepted,
    PredecessorIncomplete,
    UnknownMilestone,
    decide_acceptance,
)
from domain.money import Money
from domain.progress import (
    CostRecorded,
    EstimateRevised,
    MeasureProgress,
    Progress,
    ProgressEvent,
    ProgressMeasured,
    RecordCost,
    ReviseEstimate,
    caught_up,
    decide_progress,
    evolve_progress,
)
from domain.retainer import (
    EMPTY,
    ApplyRetainer,
    GrantRetainer,
    MakeGrantUsable,
    RefundRetainer,
    RetainerAccount,
    RetainerApplied,
    RetainerEvent,
    RetainerExpired,
    RetainerGranted,
    RetainerRefunded,
    RetainerUnapplied,
    RetainerUsable,
    UnapplyRetainer,
    decide_retainer,
    evolve_retainer,
    lapsed,
)
from domain.schedule import (
    FallDue,
    GiveServiceCredit,
    InstalmentDue,
    Schedule,
    ScheduleEvent,
    ServiceCreditGiven,
    ServicePeriodDue,
    decide_credit,
    decide_due,
    evolve_schedule,
)

__all__ = [
    "AcceptMilestone",
    "AgreeLine",
    "BillingClaimed",
    "BillingReleased",
    "CapBelowBilled",
    "CapChanged",
    "CapExceeded",
    "CapPolicy",
    "ChangeCap",
    "ClaimBilling",
    "ContractLine",
    "CurrencyDiffers",
    "Engagement",
    "EngagementAlreadyOpened",
    "EngagementHeld",
    "EngagementNotOpened",
    "EngagementOpened",
    "EngagementSigned",
    "EvidenceMissing",
    "FixedFeeMilestones",
    "HoldEngagement",
    "HoldLifted",
    "LiftHold",
    "LineAgreed",
    "LineIsBilled",
    "Milestone",
    "MilestoneAccepted",
    "OpenEngagement",
    "PredecessorIncomplete",
    "PurchaseOrder",
    "PurchaseOrderRecorded",
    "RecordPurchaseOrder",
    "ReleaseBilling",
    "SignEngagement",
    "TimeAndMaterials",
    "UnknownLine",
    "UnknownMilestone",
    "Uplift",
    "WrongBillingMethod",
    "decider",
]


OwnEvent = (
    AgreementEvent | MilestoneAccepted | ChangeOrderEvent | CapEvent | ScheduleEvent | ProgressEvent | RetainerEvent
)
Event = OwnEvent | LotEvent
PromiseCommand = (
    AcceptMilestone
    | FallDue
    | GiveServiceCredit
    | ReviseEstimate
    | MeasureProgress
    | RecordCost
    | GrantRetainer
    | MakeGrantUsable
    | ApplyRetainer
    | UnapplyRetainer
    | RefundRetainer
)
Command = (
    OpenEngagement
    | AgreementCommand
    | PromiseCommand
    | CapCommand
    | ProposeChangeOrder
    | ApproveChangeOrder
    | RejectChangeOrder
    | LotCommand
)


@dataclass(frozen=True, slots=True)
class Engagement:
    """An engagement as it stands; ``opened`` is None before it exists.

    ``lines`` holds the newest version of each line, ``versions`` all of them by effective date. ``accepted`` is by
    line and milestone. ``completed`` is by line, None for the whole.
    """

    opened: EngagementOpened | None = None
    lines: Mapping[str, ContractLine] = field(default_factory=dict)
    signed: EngagementSigned | None = None
    held_because: str | None = None
    purchase_order: PurchaseOrder | None = None
    accepted: Mapping[tuple[str, str], MilestoneAccepted] = field(default_factory=dict)
    caps: LineCaps = field(default_factory=LineCaps)
    lots: LotBook = field(default_factory=dict)
    versions: Mapping[str, tuple[LineVersion, ...]] = field(default_factory=dict)
    change_orders: ChangeOrders = field(default_factory=dict)
    schedule: Schedule = field(default_factory=Schedule)
    progress: Progress = field(default_factory=Progress)
    retainers: Mapping[str, RetainerAccount] = field(default_factory=dict)
    completed: Mapping[str | None, EngagementCompleted] = field(default_factory=dict)

    @property
    def currency(self) -> str:
        return self.terms.currency

    @property
    def terms(self) -> EngagementOpened:
        """How the engagement was opened, or EngagementNotOpened."""
        if self.opened is None:
            raise EngagementNotOpened
        return self.opened

    @property
    def agreement(self) -> Agreement:
        """What every lot of the contract says of the engagement."""
        terms = self.terms
        return Agreement(terms.engagement, terms.customer, terms.selling_entity, terms.currency)

    def line(self, name: str) -> ContractLine:
        """The newest version of a contract line, or UnknownLine."""
        if name not in self.lines:
            raise UnknownLine(f"{self.terms.engagement} has no line {name}.")
        return self.lines[name]

    def line_on(self, name: str, day: date) -> ContractLine | None:
        """The version of a contract line that holds on a day; None when there is no such line."""
        return version_on(self.versions.get(name, ()), day)

    def claimed(self, line: str) -> Money:
        """What drafts and invoices take of a line, net of credits."""
        return self.consumed(line).amount

    def consumed(self, line: str | None = None, resource: str | None = None) -> Consumed:
        """What drafts and invoices take, net of credits, in money and hours: of one line or all, one person or all."""
        return self.caps.taken(self.currency, line, resource)

    def rooms(self) -> list[Room]:
        """Every cap of the engagement with what drafts and invoices leave of it."""
        return rooms_of(self.terms.engagement, self.lines, self.caps, self.currency)

    def cap_left(self, line: str) -> Money | None:
        """What the line's own cap leaves in money; None when it has no cap."""
        billing = self.line(line).billing
        if not isinstance(billing, TimeAndMaterials) or billing.cap is None:
            return None
        return billing.cap - self.claimed(line)

    def account(self, line: str) -> RetainerAccount:
        """The retainers of a line."""
        return self.retainers.get(line, EMPTY)

    def pending_change(self, line: str, day: date) -> ChangeOrder | None:
        """The proposed change order that would change a line on a day, if it were approved."""
        return pending_change(self.change_orders, line, day)


def decide(command: Command, state: Engagement) -> Sequence[Event]:
    match command:
        case OpenEngagement():
            return _open(command, state)
        case ProposeChangeOrder() | ApproveChangeOrder() | RejectChangeOrder():
            return _change(command, state)
        case ChangeCap() | ChangeLimits() | AgreeEngagementCap() | ClaimBilling() | ReleaseBilling() | CreditBilling():
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
            return _agreement(command, state)
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


def _open(command: OpenEngagement, state: Engagement) -> Sequence[Event]:
    require_known_currency(command.currency)
    opened = EngagementOpened(
        command.engagement,
        command.title,
        command.customer,
        command.selling_entity,
        command.currency,
        command.opportunity,
        command.purchase_order_required,
    )
    if state.opened == opened:
        return []
    if state.opened is not None:
        raise EngagementAlreadyOpened(command.engagement)
    return [opened]


def _agreement(command: AgreementCommand, state: Engagement) -> Sequence[Event]:
    match command:
        case AgreeLine(line):
            return _agree(line, state)
        case SignEngagement(signed_on, starts, ends):
            if ends is not None and ends < starts:
                raise DatesContradict(f"{starts} to {ends}.")
            signed = EngagementSigned(signed_on, starts, ends)
            return [] if state.signed == signed else [signed]
        case HoldEngagement(reason):
            return [] if state.held_because == reason else [EngagementHeld(reason)]
        case LiftHold():
            return [] if state.held_because is None else [HoldLifted()]
        case RecordPurchaseOrder(order):
            if order.amount is not None and order.amount.currency != state.currency:
                raise CurrencyDiffers(f"{order.amount} in an engagement in {state.currency}.")
            return [] if state.purchase_order == order else [PurchaseOrderRecorded(order)]
        case CompleteEngagement(on, by, line):
            if line is not None:
                state.line(line)
            return [] if line in state.completed else [EngagementCompleted(on, by, line)]
        case _:
            assert_never(command)


def _agree(line: ContractLine, state: Engagement) -> Sequence[Event]:
    require_consistent(line, state.currency)
    versions = state.versions.get(line.line, ())
    if state.lines.get(line.line) == line or any(version.line == line for version in versions):
        return []
    if any(version.change_order for version in versions):
        raise LineIsChanged(line.line)
    if line.line in state.lines and state.claimed(line.line):
        raise LineIsBilled(f"{line.line}: {state.claimed(line.line)} billed or on drafts.")
    _require_keeps_what_fell_due(line, state)
    return [LineAgreed(line)]


def _require_keeps_what_fell_due(line: ContractLine, state: Engagement) -> None:
    """New terms leave alone what was accepted, fell due or was granted under the old ones."""
    before = state.lines.get(line.line)
    if before is None:
        return
    accepted = [name for of_line, name in state.accepted if of_line == line.line]
    dues = [name for of_line, name in state.schedule.instalments if of_line == line.line]
    periods = [str(day) for of_line, day in state.schedule.periods if of_line == line.line]
    measured = [f"progress on {each.on}" for each in state.progress.measured.get(line.line, ())]
    if type(line.billing) is not type(before.billing):
        broken = [*accepted, *dues, *periods, *measured, *state.account(line.line).grants]
    else:
        old, new = _amounts_of_parts(before), _amounts_of_parts(line)
        broken = [name for name in (*accepted, *dues) if new.get(name) != old.get(name)]
    if broken:
        raise LineIsBilled(f"{line.line}: {', '.join(broken)}.")


def _amounts_of_parts(line: ContractLine) -> Mapping[str, Money]:
    match line.billing:
        case FixedFeeMilestones(milestones=milestones) | PercentComplete(milestones=milestones):
            return {each.milestone: each.amount for each in milestones}
        case FixedFeeSchedule(instalments=instalments):
            return {each.instalment: each.amount for each in instalments}
        case _:
            return {}


def _change(command: ProposeChangeOrder | ApproveChangeOrder | RejectChangeOrder, state: Engagement) -> Sequence[Event]:
    state.terms  # noqa: B018 -- refuses before the engagement exists
    events: list[Event] = [*decide_change_order(command, state.change_orders)]
    for event in list(events):
        if isinstance(event, ChangeOrderProposed | ChangeOrderApproved):
            for line in event.lines:
                require_consistent(line, state.currency)
                _require_keeps_what_fell_due(line, state)
            after = {**state.lines, **{line.line: line for line in event.lines}}
            require_above_billed(state.terms.engagement, after, state.caps, state.currency)
        if isinstance(event, ChangeOrderApproved) and event.treatment == "catch_up":
            events += _catch_up(event, evolve(state, event))
    return events


def _catch_up(event: ChangeOrderApproved, after: Engagement) -> Sequence[LotRated]:
    """What a change of price or budget adds at once to the bill of lines that are billed by progress."""
    caught: list[LotRated] = []
    for changed in event.lines:
        measured = after.progress.measured.get(changed.line, ())
        day = max([event.effective_from, *(each.on for each in measured)])
        line = after.line_on(changed.line, day)
        if line is not None:
            caught += caught_up(line, after.progress, day, event.at, after.agreement, after.lots)
    return caught


def _limit(command: CapCommand, state: Engagement) -> Sequence[Event]:
    name = state.terms.engagement
    if isinstance(command, ChangeCap | ChangeLimits):
        state.line(command.line)
    return decide_caps(command, name, state.lines, state.caps, state.currency)


def _promise(command: PromiseCommand, state: Engagement) -> Sequence[Event]:
    agreement, book = state.agreement, state.lots
    match command:
        case FallDue(on=on):
            lapses = [event for line, account in state.retainers.items() for event in lapsed(line, account, on)]
            return [*decide_due(command, state.versions, state.schedule, agreement, book), *lapses]
        case AcceptMilestone():
            line = state.line(command.line)
            return decide_acceptance(command, line, state.accepted, state.progress, agreement, book)
        case GiveServiceCredit():
            _require_currency(command.amount, state)
            return decide_credit(command, state.line(command.line), state.schedule, agreement, book)
        case ReviseEstimate() | MeasureProgress() | RecordCost():
            state.line(command.line)
            return decide_progress(command, state.versions[command.line], state.progress, agreement, book)
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


def evolve(state: Engagement, event: Event) -> Engagement:
    match event:
        case EngagementOpened() | LineAgreed() | EngagementSigned() | EngagementHeld() | HoldLifted():
            return _evolve_agreement(state, event)
        case PurchaseOrderRecorded(order):
            return replace(state, purchase_order=order)
        case EngagementCompleted(line=line):
            return replace(state, completed={**state.completed, line: event})
        case MilestoneAccepted(line, milestone):
            return replace(state, accepted={**state.accepted, (line, milestone): event})
        case ChangeOrderProposed() | ChangeOrderApproved() | ChangeOrderRejected():
            orders = replace(state, change_orders=evolve_change_orders(state.change_orders, event))
            return _in_force(orders, event) if isinstance(event, ChangeOrderApproved) else orders
        case CapChanged(line) | LimitsChanged(line):
            return _recapped(state, event)
        case EngagementCapAgreed() | BillingClaimed() | BillingReleased() | BillingCredited() | CapReached():
            return replace(state, caps=evolve_caps(state.caps, event))
        case InstalmentDue() | ServicePeriodDue() | ServiceCreditGiven():
            return replace(state, schedule=evolve_schedule(state.schedule, event))
        case EstimateRevised() | ProgressMeasured() | CostRecorded():
            return replace(state, progress=evolve_progress(state.progress, event))
        case (
            RetainerGranted(line)
            | RetainerUsable(line)
            | RetainerApplied(line)
            | RetainerUnapplied(line)
            | RetainerExpired(line)
            | RetainerRefunded(line)
        ):
            account = evolve_retainer(state.account(line), event)
            return replace(state, retainers={**state.retainers, line: account})
        case (
            LotRated()
            | LotSplit()
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


def _evolve_agreement(
    state: Engagement, event: EngagementOpened | LineAgreed | EngagementSigned | EngagementHeld | HoldLifted
) -> Engagement:
    match event:
        case EngagementOpened():
            return replace(state, opened=event)
        case LineAgreed(line):
            return _with_versions(state, line.line, (LineVersion(date.min, line),))
        case EngagementSigned():
            return replace(state, signed=event)
        case EngagementHeld(reason):
            return replace(state, held_because=reason)
        case HoldLifted():
            return replace(state, held_because=None)
        case _:
            assert_never(event)


def _with_versions(state: Engagement, name: str, versions: tuple[LineVersion, ...]) -> Engagement:
    ordered = tuple(sorted(versions, key=lambda version: version.effective_from))
    lines = {**state.lines, name: ordered[-1].line}
    return replace(state, versions={**state.versions, name: ordered}, lines=lines)


def _in_force(state: Engagement, event: ChangeOrderApproved) -> Engagement:
    for line in event.lines:
        version = LineVersion(event.effective_from, line, event.change_order)
        state = _with_versions(state, line.line, (*state.versions.get(line.line, ()), version))
    return state


def _recapped(state: Engagement, event: CapChanged | LimitsChanged) -> Engagement:
    """The newest version of a line under its new caps: caps hold for a line as a whole, whatever the work date."""
    *earlier, newest = state.versions[event.line]
    recapped = replace(newest, line=with_caps(newest.line, event))
    return _with_versions(state, event.line, (*earlier, recapped))


decider: Decider[Command, Engagement, Event] = Decider("engagement", Engagement(), decide, evolve)
