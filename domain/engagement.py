"""An engagement is the agreement with a customer: who sells, in which currency, which promises, on which terms.

Its contract lines say how each promise is billed. It also holds the milestones as lots, and how much of each line's
cap is taken by drafts and invoices, so that a cap cannot be passed by two drafts at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, assert_never

from domain.kernel import Decider, Refused
from domain.lots import (
    BillLots,
    Explanation,
    Lot,
    LotBook,
    LotEvent,
    LotRated,
    LotReversed,
    LotsBilled,
    LotSplit,
    LotsPostponed,
    LotsReleased,
    LotsReserved,
    LotsWrittenOff,
    PostponeLots,
    ReleaseLots,
    ReserveLots,
    ShareLot,
    SplitLot,
    WriteOffLots,
    decide_lots,
    evolve_lots,
)
from domain.money import MINOR_UNITS, Money, UnknownCurrency, zero

CapPolicy = Literal["partial", "whole_item"]


@dataclass(frozen=True, slots=True)
class Uplift:
    """A multiplier on the bill rate for one kind of time, e.g. overtime at 1.5."""

    time_type: str
    multiplier: Decimal


@dataclass(frozen=True, slots=True)
class TimeAndMaterials:
    """Billed by the hour at the rate card, up to the cap if there is one (not to exceed)."""

    kind: Literal["time_and_materials"] = "time_and_materials"
    cap: Money | None = None
    cap_policy: CapPolicy = "partial"
    uplifts: tuple[Uplift, ...] = ()


@dataclass(frozen=True, slots=True)
class Milestone:
    """A deliverable with its price, billed when the customer has accepted it; ``after`` names what must come first."""

    milestone: str
    title: str
    amount: Money
    project: str | None = None
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FixedFeeMilestones:
    """Billed milestone by milestone; the hours worked for it are included in the fee."""

    kind: Literal["fixed_fee_milestones"] = "fixed_fee_milestones"
    milestones: tuple[Milestone, ...] = ()


Billing = TimeAndMaterials | FixedFeeMilestones


@dataclass(frozen=True, slots=True)
class ContractLine:
    """One promise inside an engagement, with one billing method."""

    line: str
    title: str
    billing: Billing


@dataclass(frozen=True, slots=True)
class PurchaseOrder:
    """The customer's order that invoices must quote; ``amount`` and ``valid_to`` limit it where given."""

    number: str
    amount: Money | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class OpenEngagement:
    """Begin an engagement with a customer."""

    engagement: str
    title: str
    customer: str
    selling_entity: str
    currency: str
    opportunity: str | None = None
    purchase_order_required: bool = False


@dataclass(frozen=True, slots=True)
class AgreeLine:
    """Add a contract line, or put a new version of it in its place while nothing of it is billed."""

    line: ContractLine


@dataclass(frozen=True, slots=True)
class SignEngagement:
    """Record the customer's signature and the days that work may happen on."""

    signed_on: date
    starts: date
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class HoldEngagement:
    """Stop all billing of the engagement, with the reason that people will read."""

    reason: str


@dataclass(frozen=True, slots=True)
class LiftHold:
    """Let a held engagement be billed again."""


@dataclass(frozen=True, slots=True)
class RecordPurchaseOrder:
    """Record the customer's purchase order, or its new amount or validity."""

    order: PurchaseOrder


@dataclass(frozen=True, slots=True)
class ChangeCap:
    """Raise, lower or lift the cap of a time and materials line."""

    line: str
    cap: Money | None


@dataclass(frozen=True, slots=True)
class AcceptMilestone:
    """Record that the customer accepted a milestone, with the evidence that shows it."""

    line: str
    milestone: str
    accepted_on: date
    evidence: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ClaimBilling:
    """Take part of a line's cap for a draft invoice."""

    invoice: str
    line: str
    amount: Money


@dataclass(frozen=True, slots=True)
class ReleaseBilling:
    """Give back what a discarded draft had taken of the caps."""

    invoice: str


@dataclass(frozen=True, slots=True)
class EngagementOpened:
    """An engagement with a customer began."""

    engagement: str
    title: str
    customer: str
    selling_entity: str
    currency: str
    opportunity: str | None
    purchase_order_required: bool


@dataclass(frozen=True, slots=True)
class LineAgreed:
    """A contract line was agreed, or a new version of it."""

    line: ContractLine


@dataclass(frozen=True, slots=True)
class EngagementSigned:
    """The customer signed; work may happen on these days."""

    signed_on: date
    starts: date
    ends: date | None


@dataclass(frozen=True, slots=True)
class EngagementHeld:
    """All billing of the engagement was stopped."""

    reason: str


@dataclass(frozen=True, slots=True)
class HoldLifted:
    """The engagement may be billed again."""


@dataclass(frozen=True, slots=True)
class PurchaseOrderRecorded:
    """The customer's purchase order was recorded, or its new terms."""

    order: PurchaseOrder


@dataclass(frozen=True, slots=True)
class CapChanged:
    """The cap of a contract line was raised, lowered or lifted."""

    line: str
    cap: Money | None


@dataclass(frozen=True, slots=True)
class MilestoneAccepted:
    """The customer accepted a milestone."""

    line: str
    milestone: str
    accepted_on: date
    evidence: str
    by: str


@dataclass(frozen=True, slots=True)
class BillingClaimed:
    """A draft took part of a contract line's cap."""

    invoice: str
    line: str
    amount: Money


@dataclass(frozen=True, slots=True)
class BillingReleased:
    """A discarded draft gave back what it had taken of the caps."""

    invoice: str


class EngagementNotOpened(Refused):
    """The engagement does not exist yet."""

    code = "engagement.not_opened"
    fix = "Open it from its won opportunity, or send engagement.open first."


class EngagementAlreadyOpened(Refused):
    """The engagement exists already with other terms."""

    code = "engagement.already_opened"
    fix = "Use another id, or change the existing engagement."


class UnknownLine(Refused):
    """The engagement has no such contract line."""

    code = "engagement.unknown_line"
    fix = "Agree the line first, or use one of the engagement's lines."


class LineIsBilled(Refused):
    """A contract line that is partly billed cannot be replaced."""

    code = "engagement.line_is_billed"
    fix = "Credit what was billed, or agree a further line for the new terms."


class WrongBillingMethod(Refused):
    """The contract line is billed by another method."""

    code = "engagement.wrong_billing_method"
    fix = "Caps belong to time and materials lines, milestones to fixed-fee lines."


class CurrencyDiffers(Refused):
    """Amounts of an engagement are in the engagement's currency."""

    code = "engagement.currency_differs"
    fix = "Send the amount in the currency of the engagement."


class CapBelowBilled(Refused):
    """A cap cannot be lower than what is already billed or on a draft."""

    code = "engagement.cap_below_billed"
    fix = "Discard the draft or credit the invoice first, or choose a higher cap."


class CapExceeded(Refused):
    """The draft would pass the cap of the contract line."""

    code = "engagement.cap_exceeded"
    fix = "Bill less, or raise the cap with the customer's consent."


class UnknownMilestone(Refused):
    """The contract line has no such milestone."""

    code = "engagement.unknown_milestone"
    fix = "Use the id of one of the line's milestones."


class EvidenceMissing(Refused):
    """A milestone is accepted with evidence only."""

    code = "engagement.evidence_missing"
    fix = "Name the document, mail or ticket in which the customer accepted."


class PredecessorIncomplete(Refused):
    """A milestone is accepted after those that come before it."""

    code = "engagement.predecessor_incomplete"
    fix = "Record the acceptance of the earlier milestones first."


OwnEvent = (
    EngagementOpened
    | LineAgreed
    | EngagementSigned
    | EngagementHeld
    | HoldLifted
    | PurchaseOrderRecorded
    | CapChanged
    | MilestoneAccepted
    | BillingClaimed
    | BillingReleased
)
Event = OwnEvent | LotEvent
Command = (
    OpenEngagement
    | AgreeLine
    | SignEngagement
    | HoldEngagement
    | LiftHold
    | RecordPurchaseOrder
    | ChangeCap
    | AcceptMilestone
    | ClaimBilling
    | ReleaseBilling
    | SplitLot
    | ShareLot
    | ReserveLots
    | ReleaseLots
    | BillLots
    | WriteOffLots
    | PostponeLots
)


@dataclass(frozen=True, slots=True)
class Engagement:
    """An engagement as it stands; ``opened`` is None before it exists.

    ``claims`` is what each draft or issued invoice takes of each line: {(invoice, line): amount}.
    """

    opened: EngagementOpened | None = None
    lines: Mapping[str, ContractLine] = field(default_factory=dict)
    signed: EngagementSigned | None = None
    held_because: str | None = None
    purchase_order: PurchaseOrder | None = None
    accepted: Mapping[str, MilestoneAccepted] = field(default_factory=dict)
    claims: Mapping[str, Mapping[str, Money]] = field(default_factory=dict)
    lots: LotBook = field(default_factory=dict)

    @property
    def currency(self) -> str:
        return self.terms.currency

    @property
    def terms(self) -> EngagementOpened:
        """How the engagement was opened, or EngagementNotOpened."""
        if self.opened is None:
            raise EngagementNotOpened
        return self.opened

    def line(self, name: str) -> ContractLine:
        """A contract line, or UnknownLine."""
        if name not in self.lines:
            raise UnknownLine(f"{self.terms.engagement} has no line {name}.")
        return self.lines[name]

    def claimed(self, line: str) -> Money:
        """What drafts and invoices take of a line."""
        result = zero(self.currency)
        for by_line in self.claims.values():
            if line in by_line:
                result = result + by_line[line]
        return result

    def cap_left(self, line: str) -> Money | None:
        """What may still be billed on a line; None when it has no cap."""
        billing = self.line(line).billing
        if not isinstance(billing, TimeAndMaterials) or billing.cap is None:
            return None
        return billing.cap - self.claimed(line)


def decide(command: Command, state: Engagement) -> Sequence[Event]:
    match command:
        case OpenEngagement():
            return _open(command, state)
        case SplitLot() | ShareLot() | ReserveLots() | ReleaseLots() | BillLots() | WriteOffLots() | PostponeLots():
            return decide_lots(command, state.lots)
        case _:
            state.terms  # noqa: B018 -- refuses everything else before the engagement exists
            return _decide_opened(command, state)


def _decide_opened(
    command: AgreeLine
    | SignEngagement
    | HoldEngagement
    | LiftHold
    | RecordPurchaseOrder
    | ChangeCap
    | AcceptMilestone
    | ClaimBilling
    | ReleaseBilling,
    state: Engagement,
) -> Sequence[Event]:
    match command:
        case AgreeLine(line):
            return _agree(line, state)
        case SignEngagement(signed_on, starts, ends):
            signed = EngagementSigned(signed_on, starts, ends)
            return [] if state.signed == signed else [signed]
        case HoldEngagement(reason):
            return [] if state.held_because == reason else [EngagementHeld(reason)]
        case LiftHold():
            return [] if state.held_because is None else [HoldLifted()]
        case RecordPurchaseOrder(order):
            _require_currency(order.amount, state)
            return [] if state.purchase_order == order else [PurchaseOrderRecorded(order)]
        case ChangeCap(line, cap):
            return _change_cap(line, cap, state)
        case AcceptMilestone():
            return _accept(command, state)
        case ClaimBilling(invoice, line, amount):
            return _claim(invoice, line, amount, state)
        case ReleaseBilling(invoice):
            return [BillingReleased(invoice)] if invoice in state.claims else []
        case _:
            assert_never(command)


def _open(command: OpenEngagement, state: Engagement) -> Sequence[Event]:
    if command.currency not in MINOR_UNITS:
        raise UnknownCurrency(repr(command.currency))
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


def _require_currency(amount: Money | None, state: Engagement) -> None:
    if amount is not None and amount.currency != state.currency:
        raise CurrencyDiffers(f"{amount} in an engagement in {state.currency}.")


def _agree(line: ContractLine, state: Engagement) -> Sequence[Event]:
    match line.billing:
        case TimeAndMaterials(cap=cap):
            _require_currency(cap, state)
        case FixedFeeMilestones(milestones=milestones):
            for milestone in milestones:
                _require_currency(milestone.amount, state)
        case _:
            assert_never(line.billing)
    if state.lines.get(line.line) == line:
        return []
    if line.line in state.lines and state.claimed(line.line):
        raise LineIsBilled(f"{line.line}: {state.claimed(line.line)} billed or on drafts.")
    return [LineAgreed(line)]


def _change_cap(name: str, cap: Money | None, state: Engagement) -> Sequence[Event]:
    billing = state.line(name).billing
    if not isinstance(billing, TimeAndMaterials):
        raise WrongBillingMethod(f"{name} is {billing.kind}.")
    _require_currency(cap, state)
    if billing.cap == cap:
        return []
    if cap is not None and cap < state.claimed(name):
        raise CapBelowBilled(f"{cap} is less than {state.claimed(name)}.")
    return [CapChanged(name, cap)]


def _claim(invoice: str, line: str, amount: Money, state: Engagement) -> Sequence[Event]:
    own = state.claims.get(invoice, {}).get(line, zero(state.currency))
    if own == amount:
        return []
    left = state.cap_left(line)
    if left is not None and left + own < amount:
        raise CapExceeded(f"{line}: {amount} asked, {left + own} left.")
    return [BillingClaimed(invoice, line, amount)]


def _accept(command: AcceptMilestone, state: Engagement) -> Sequence[Event]:
    billing = state.line(command.line).billing
    if not isinstance(billing, FixedFeeMilestones):
        raise WrongBillingMethod(f"{command.line} is {billing.kind}.")
    milestone = next((each for each in billing.milestones if each.milestone == command.milestone), None)
    if milestone is None:
        raise UnknownMilestone(f"{command.line} has no milestone {command.milestone}.")
    if command.milestone in state.accepted:
        return []
    if not command.evidence.strip():
        raise EvidenceMissing(command.milestone)
    missing = [name for name in milestone.after if name not in state.accepted]
    if missing:
        raise PredecessorIncomplete(f"{command.milestone} comes after {', '.join(missing)}.")
    accepted = MilestoneAccepted(command.line, command.milestone, command.accepted_on, command.evidence, command.by)
    return [accepted, LotRated(_milestone_lot(milestone, command, state))]


def _milestone_lot(milestone: Milestone, command: AcceptMilestone, state: Engagement) -> Lot:
    terms = state.terms
    source = f"{terms.engagement}/{command.line}/{milestone.milestone}"
    return Lot(
        lot=f"{source}#1",
        source=source,
        project=milestone.project or "",
        engagement=terms.engagement,
        line=command.line,
        customer=terms.customer,
        selling_entity=terms.selling_entity,
        delivering_entity=terms.selling_entity,
        work_date=command.accepted_on,
        quantity=Decimal(1),
        unit="item",
        price=milestone.amount.amount,
        value=milestone.amount,
        cost=zero(terms.currency),
        cost_in_billing_currency=zero(terms.currency),
        approved_at=command.at,
        explanation=Explanation(f"milestone {milestone.milestone}", f"Accepted by {command.by}: {command.evidence}"),
        description=milestone.title,
    )


def evolve(state: Engagement, event: Event) -> Engagement:
    match event:
        case EngagementOpened():
            return replace(state, opened=event)
        case LineAgreed(line):
            return replace(state, lines={**state.lines, line.line: line})
        case EngagementSigned():
            return replace(state, signed=event)
        case EngagementHeld(reason):
            return replace(state, held_because=reason)
        case HoldLifted():
            return replace(state, held_because=None)
        case PurchaseOrderRecorded(order):
            return replace(state, purchase_order=order)
        case CapChanged(name, cap):
            return replace(state, lines={**state.lines, name: _with_cap(state.lines[name], cap)})
        case MilestoneAccepted():
            return replace(state, accepted={**state.accepted, event.milestone: event})
        case BillingClaimed(invoice, line, amount):
            claim = {**state.claims.get(invoice, {}), line: amount}
            return replace(state, claims={**state.claims, invoice: claim})
        case BillingReleased(invoice):
            return replace(state, claims={name: claim for name, claim in state.claims.items() if name != invoice})
        case (
            LotRated()
            | LotSplit()
            | LotsReserved()
            | LotsReleased()
            | LotsBilled()
            | LotReversed()
            | LotsWrittenOff()
            | LotsPostponed()
        ):
            return replace(state, lots=evolve_lots(state.lots, event))
        case _:
            assert_never(event)


def _with_cap(line: ContractLine, cap: Money | None) -> ContractLine:
    if isinstance(line.billing, TimeAndMaterials):
        return replace(line, billing=replace(line.billing, cap=cap))
    return line


decider: Decider[Command, Engagement, Event] = Decider("engagement", Engagement(), decide, evolve)
