"""Contract: the promise that pays is missing, unsigned, stopped or over, or its purchase order does not cover it."""

from __future__ import annotations

from collections.abc import Iterator

from domain.eligibility.reasons import Blocker, Context, LotFacts, Subject
from domain.engagement import Engagement
from domain.engagement.agreement import PurchaseOrder
from domain.kernel import StreamId, stream_of
from domain.money import zero
from domain.reason_codes import ReasonCode


def no_line(engagement: StreamId) -> Blocker:
    what = "Agree the contract line in the engagement, or move the project to another line."
    return Blocker(ReasonCode.NO_CONTRACT_LINE, engagement, ("engagement.opened.v1",), "finance_preparer", what, True)


def of_contract(subject: Subject, context: Context) -> Iterator[Blocker]:
    engagement = context.engagement
    stream = stream_of("engagement", engagement.terms.engagement)
    line = subject.line_in(context)
    if line is not None and line not in engagement.lines:
        yield no_line(stream)
    if engagement.held_because is not None:
        what = f"Lift the hold: {engagement.held_because}"
        yield Blocker(ReasonCode.CONTRACT_ON_HOLD, stream, ("engagement.held.v1",), "finance_preparer", what)
    yield from _of_completion(subject, line, engagement, stream)
    if engagement.signed is None:
        what = "Record the customer's signature."
        caused_by: tuple[str, ...] = ("engagement.opened.v1",)
        yield Blocker(ReasonCode.CONTRACT_NOT_SIGNED, stream, caused_by, "project_manager", what, True)
        return
    day, signed = subject.day, ("engagement.signed.v1",)
    if day < engagement.signed.starts:
        what = f"The engagement starts on {engagement.signed.starts}: correct the date, or agree an earlier start."
        yield Blocker(ReasonCode.WORK_DATE_BEFORE_START, stream, signed, "project_manager", what)
    if engagement.signed.ends is not None and day > engagement.signed.ends:
        what = f"The engagement ended on {engagement.signed.ends}: agree an extension, or write the work off."
        yield Blocker(ReasonCode.WORK_DATE_AFTER_END, stream, signed, "project_manager", what)


def _of_completion(subject: Subject, line: str | None, engagement: Engagement, stream: StreamId) -> Iterator[Blocker]:
    """A promise that was fulfilled pays for no later work, unless the customer has signed again since."""
    completed = engagement.completed.get(line) or engagement.completed.get(None)
    if completed is None or subject.day <= completed.on:
        return
    if engagement.signed is None or engagement.signed.signed_on <= completed.on:
        what = f"It was fulfilled on {completed.on}: have an extension signed, or write the work off."
        caused_by = ("engagement.completed.v1",)
        yield Blocker(ReasonCode.CONTRACT_ENDED, stream, caused_by, "project_manager", what, True)


def of_order(subject: Subject, context: Context) -> Iterator[Blocker]:
    engagement = context.engagement
    stream = stream_of("engagement", engagement.terms.engagement)
    order, recorded = engagement.purchase_order, ("engagement.purchase_order_recorded.v1",)
    if order is None:
        if engagement.terms.purchase_order_required:
            what = "Get the purchase order from the customer and record it."
            caused_by: tuple[str, ...] = ("engagement.opened.v1",)
            yield Blocker(ReasonCode.PO_MISSING, stream, caused_by, "project_manager", what, True)
        return
    if order.valid_to is not None and subject.day > order.valid_to:
        what = f"Purchase order {order.number} ended on {order.valid_to}: get an extension."
        yield Blocker(ReasonCode.PO_EXPIRED, stream, recorded, "project_manager", what, True)
    gives_back = isinstance(subject, LotFacts) and subject.lot.value.amount < 0
    if order.amount is not None and order.amount <= engagement.taken_of(order) and not gives_back:
        yield order_exhausted(engagement, order)


def order_exhausted(engagement: Engagement, order: PurchaseOrder) -> Blocker:
    """The reason of what would pass the amount of its purchase order."""
    assert order.amount is not None
    left = max(order.amount - engagement.taken_of(order), zero(order.amount.currency))
    what = f"Of purchase order {order.number} of {order.amount} are {left} left: get a further one, or a larger amount."
    caused_by = ("engagement.purchase_order_recorded.v1", "engagement.billing_claimed.v1")
    stream = stream_of("engagement", engagement.terms.engagement)
    return Blocker(ReasonCode.PO_EXHAUSTED, stream, caused_by, "project_manager", what, True)
