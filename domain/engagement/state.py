"""An engagement as it stands: who sells what to whom, in which versions, and what invoices take of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import assert_never

from domain.caps import CapUse, Consumed, Earned, Room
from domain.contract import ContractLine, LineVersion
from domain.engagement.agreement import (
    EngagementCompleted,
    EngagementHeld,
    EngagementNotOpened,
    EngagementOpened,
    EngagementSigned,
    HoldLifted,
    LineAgreed,
    PurchaseOrder,
    PurchaseOrderRecorded,
    UnknownLine,
)
from domain.engagement.caps import (
    BillingClaimed,
    BillingCredited,
    BillingReleased,
    CapChanged,
    CapReached,
    EngagementCapAgreed,
    LimitsChanged,
    LineCaps,
    evolve_caps,
    rooms_of,
    uses_of,
    with_caps,
)
from domain.engagement.change_orders import (
    ChangeOrder,
    ChangeOrderApproved,
    ChangeOrderProposed,
    ChangeOrderRejected,
    ChangeOrders,
    evolve_change_orders,
    pending_change,
)
from domain.engagement.milestones import MilestoneAccepted
from domain.engagement.progress import CostRecorded, EstimateRevised, Progress, ProgressMeasured, evolve_progress
from domain.engagement.promised import Agreement, version_on
from domain.engagement.retainer import (
    EMPTY,
    RetainerAccount,
    RetainerApplied,
    RetainerExpired,
    RetainerGranted,
    RetainerRefunded,
    RetainerUnapplied,
    RetainerUsable,
    evolve_retainer,
)
from domain.engagement.schedule import InstalmentDue, Schedule, ServiceCreditGiven, ServicePeriodDue, evolve_schedule
from domain.engagement.words import Event
from domain.lots import (
    LotBook,
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
    evolve_lots,
)
from domain.money import Money


@dataclass(frozen=True, slots=True)
class Engagement:
    """An engagement as it stands; ``opened`` is None before it exists.

    ``lines`` holds the newest version of each line, ``versions`` all of them by effective date. ``accepted`` is by
    line and milestone. ``completed`` is by line, None for the whole. ``ordered`` is the number of the purchase order
    that each invoice is under, ``orders`` are all of them by number.
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
    ordered: Mapping[str, str] = field(default_factory=dict)
    orders: Mapping[str, PurchaseOrder] = field(default_factory=dict)

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

    def taken_of(self, order: PurchaseOrder) -> Money:
        """What drafts and invoices take of a purchase order, net of credits; a further order starts anew."""
        under_it = {invoice for invoice, number in self.ordered.items() if number == order.number}
        return self.caps.taken(self.currency, invoices=under_it).amount

    @property
    def order_room(self) -> Room | None:
        """What drafts and invoices leave of the purchase order, for whole lots; None where it limits nothing."""
        order = self.purchase_order
        if order is None or order.amount is None:
            return None
        left = order.amount - self.taken_of(order)
        return Room(f"purchase order {order.number}", "whole_item", left, engagement=self.terms.engagement)

    def rooms(self) -> list[Room]:
        """Every cap of the engagement with what drafts and invoices leave of it."""
        return rooms_of(self.terms.engagement, self.lines, self.caps, self.currency)

    def cap_uses(self, earned: Sequence[Earned]) -> list[CapUse]:
        """How far every cap of the engagement is used up, with what work that is on no draft has earned."""
        return uses_of(self.terms.engagement, self.lines, self.caps, self.currency, earned)

    def account(self, line: str) -> RetainerAccount:
        """The retainers of a line."""
        return self.retainers.get(line, EMPTY)

    def progress_day(self, line: str, day: date) -> date:
        """The newest day that something is known of which changes what a line has come to: at least the one named.

        Progress is billed up to it, also when an earlier day is told of afterwards.
        """
        measured = (each.on for each in self.progress.measured.get(line, ()))
        estimated = (each.on for each in self.progress.estimates.get(line, ()))
        return max([day, *measured, *estimated, *(each.effective_from for each in self._caught_up(line))])

    def _caught_up(self, line: str) -> Iterator[LineVersion]:
        """The versions of a line that were accounted for as part of one promise (IFRS 15.21(b))."""
        for version in self.versions.get(line, ()):
            order = self.change_orders.get(version.change_order or "")
            if order is not None and order.proposed.treatment == "catch_up":
                yield version

    def pending_change(self, line: str, day: date) -> ChangeOrder | None:
        """The proposed change order that would change a line on a day, if it were approved."""
        return pending_change(self.change_orders, line, day)


def evolve(state: Engagement, event: Event) -> Engagement:
    match event:
        case EngagementOpened() | LineAgreed() | EngagementSigned() | EngagementHeld() | HoldLifted():
            return _evolve_agreement(state, event)
        case PurchaseOrderRecorded(order):
            return _under_order(state, order)
        case EngagementCompleted(line=line):
            return replace(state, completed={**state.completed, line: event})
        case MilestoneAccepted(line, milestone):
            return replace(state, accepted={**state.accepted, (line, milestone): event})
        case ChangeOrderProposed() | ChangeOrderApproved() | ChangeOrderRejected():
            orders = replace(state, change_orders=evolve_change_orders(state.change_orders, event))
            return _in_force(orders, event) if isinstance(event, ChangeOrderApproved) else orders
        case CapChanged(line) | LimitsChanged(line):
            return _recapped(state, event)
        case BillingClaimed(invoice):
            return _ordered(replace(state, caps=evolve_caps(state.caps, event)), invoice)
        case EngagementCapAgreed() | BillingReleased() | BillingCredited() | CapReached():
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
            changed = [each for each in state.versions.get(line.line, ()) if each.change_order is not None]
            return _with_versions(state, line.line, (LineVersion(date.min, line), *changed))
        case EngagementSigned():
            return replace(state, signed=event)
        case EngagementHeld(reason):
            return replace(state, held_because=reason)
        case HoldLifted():
            return replace(state, held_because=None)
        case _:
            assert_never(event)


def _under_order(state: Engagement, order: PurchaseOrder) -> Engagement:
    """The engagement under an order; the first one that is recorded is for what was billed before it, too."""
    state = replace(state, orders={**state.orders, order.number: order})
    if state.purchase_order is not None:
        return replace(state, purchase_order=order)
    before = dict.fromkeys((invoice for invoice, _ in state.caps.claims), order.number)
    return replace(state, purchase_order=order, ordered=before)


def _ordered(state: Engagement, invoice: str) -> Engagement:
    """An invoice is under the order of the day on which it takes its first part."""
    if state.purchase_order is None or invoice in state.ordered:
        return state
    return replace(state, ordered={**state.ordered, invoice: state.purchase_order.number})


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
