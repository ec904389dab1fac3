"""The agreement as a whole: opened, signed, held, ordered, its lines agreed, and completed.

These are the words of it; the rules are the engagement's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.contract import ContractLine
from domain.kernel import Refused
from domain.money import Money


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
    """Add a contract line, or put another one in its place while nothing of it is billed.

    ``on`` is the day of the books on which new terms of what is known count; None for the day of recording.
    """

    line: ContractLine
    on: date | None = None


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
class CompleteEngagement:
    """Record that a line, or everything (None), is done: nothing is promised any more."""

    on: date
    by: str
    line: str | None = None


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
    """A contract line was agreed, or a new version of it; ``on`` is stated where it may move what was earned."""

    line: ContractLine
    on: date | None = None


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
class EngagementCompleted:
    """A line, or everything, is done."""

    on: date
    by: str
    line: str | None


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


class OrderExhausted(Refused):
    """The draft would pass the amount of the purchase order that it is under."""

    code = "engagement.order_exhausted"
    fix = "Bill less, or record the new amount of the order, or a further order."


class LineIsBilled(Refused):
    """A contract line that is partly billed cannot be replaced, nor may what has fallen due be changed."""

    code = "engagement.line_is_billed"
    fix = "Credit what was billed, or propose a change order that leaves it as it is."


class LineIsChanged(Refused):
    """A contract line that change orders have changed is changed by change orders only."""

    code = "engagement.line_is_changed"
    fix = "Propose a change order with the new terms."


class DatesContradict(Refused):
    """An engagement cannot end before it starts."""

    code = "engagement.dates_contradict"
    fix = "Correct one of the two dates."


AgreementEvent = (
    EngagementOpened
    | LineAgreed
    | EngagementSigned
    | EngagementHeld
    | HoldLifted
    | PurchaseOrderRecorded
    | EngagementCompleted
)
AgreementCommand = AgreeLine | SignEngagement | HoldEngagement | LiftHold | RecordPurchaseOrder | CompleteEngagement
