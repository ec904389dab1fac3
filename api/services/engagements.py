"""Services around the agreement with a customer: purchase orders, caps, milestones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from typing_extensions import Doc

from api.services.service import Amount, Call, Decision, Service
from domain.engagement import AcceptMilestone, ChangeCap, PurchaseOrder, RecordPurchaseOrder
from domain.kernel import Addressed, stream_of


@dataclass(frozen=True)
class RecordPurchaseOrderInput:
    """The customer's order that invoices quote."""

    engagement: Annotated[str, Doc("The engagement that it is for.")]
    number: Annotated[str, Doc("The customer's number.")]
    amount: Annotated[Amount | None, Doc("What it is limited to, in the engagement's currency.")] = None
    valid_to: Annotated[date | None, Doc("The last work date that it covers.")] = None


def record_purchase_order(asked: RecordPurchaseOrderInput, call: Call) -> Decision:
    """Record the customer's purchase order, or its new amount or validity; lots that waited for it become eligible."""
    call.require_engagement(asked.engagement)
    amount = asked.amount.money if asked.amount else None
    order = PurchaseOrder(asked.number, amount, asked.valid_to)
    stream = stream_of("engagement", asked.engagement)
    return Decision([Addressed(stream, RecordPurchaseOrder(order))], (stream,))


@dataclass(frozen=True)
class ChangeCapInput:
    """A new limit of a time and materials line."""

    engagement: Annotated[str, Doc("The engagement.")]
    line: Annotated[str, Doc("The contract line.")]
    cap: Annotated[Amount | None, Doc("The most that may be billed on it; left out, no limit any more.")] = None


def change_cap(asked: ChangeCapInput, call: Call) -> Decision:
    """Raise, lower or lift the cap of a contract line; lots over it are looked at again, in their order."""
    call.require_engagement(asked.engagement)
    stream = stream_of("engagement", asked.engagement)
    return Decision([Addressed(stream, ChangeCap(asked.line, asked.cap.money if asked.cap else None))], (stream,))


@dataclass(frozen=True)
class AcceptMilestoneInput:
    """The customer's acceptance of a deliverable."""

    engagement: Annotated[str, Doc("The engagement.")]
    line: Annotated[str, Doc("The fixed-fee contract line.")]
    milestone: Annotated[str, Doc("The milestone.")]
    evidence: Annotated[str, Doc("The document, mail or ticket in which the customer accepted.")]
    accepted_on: Annotated[date | None, Doc("The day of acceptance; left out, today at the selling entity.")] = None


def accept_milestone(asked: AcceptMilestoneInput, call: Call) -> Decision:
    """Record that the customer accepted a milestone; its price becomes a lot that can be billed."""
    call.require_engagement(asked.engagement)
    stream = stream_of("engagement", asked.engagement)
    entity = call.read(stream).terms.selling_entity
    command = AcceptMilestone(
        line=asked.line,
        milestone=asked.milestone,
        accepted_on=asked.accepted_on or call.today_at(entity),
        evidence=asked.evidence,
        by=call.actor,
        at=call.now,
    )
    return Decision([Addressed(stream, command)], (stream,))


SERVICES = (
    Service("record-purchase-order", RecordPurchaseOrderInput, ("engagement",), record_purchase_order),
    Service("change-cap", ChangeCapInput, ("engagement",), change_cap),
    Service("accept-milestone", AcceptMilestoneInput, ("engagement",), accept_milestone),
)
