"""Promise: a change of the contract is not decided, or the retainer that should pay cannot or need not."""

from __future__ import annotations

from collections.abc import Iterator

from domain.contract import Retainer
from domain.eligibility.reasons import Blocker, Context, LotFacts, Subject
from domain.kernel import stream_of
from domain.reason_codes import ReasonCode

_GRANTS = ("engagement.retainer_granted.v1", "engagement.line_agreed.v1")


def of_change_order(subject: Subject, context: Context) -> Iterator[Blocker]:
    line = subject.line_in(context)
    pending = context.engagement.pending_change(line, subject.day) if line else None
    if pending is not None:
        stream = stream_of("engagement", context.engagement.terms.engagement)
        what = f"Approve or reject change order {pending.proposed.change_order}: {pending.proposed.because}"
        caused_by = ("engagement.change_order_proposed.v1",)
        yield Blocker(ReasonCode.CHANGE_ORDER_PENDING, stream, caused_by, "project_manager", what, True)


def of_retainer(subject: Subject, context: Context) -> Iterator[Blocker]:
    """Work on a retainer line is paid by the retainer; only what is beyond it may be billed, where it may.

    What was given back is not drawn: it takes off the next bill.
    """
    if not isinstance(subject, LotFacts) or (subject.lot.unit == "item" and "/retainer/" in subject.lot.source):
        return
    if subject.lot.value.amount < 0:
        return
    engagement = context.engagement
    line = engagement.lines.get(subject.lot.line)
    if line is None or not isinstance(line.billing, Retainer):
        return
    stream = stream_of("engagement", engagement.terms.engagement)
    account = engagement.account(line.line)
    if not account.grants or account.waiting() or account.in_turn(subject.day):
        what = "Grant the next retainer and issue its invoice; the work is then drawn by itself."
        yield Blocker(ReasonCode.RETAINER_NOT_INVOICED, stream, _GRANTS, "finance_preparer", what, True)
    elif line.billing.overage == "held":
        what = "Sell a further retainer: what is beyond it is not billed by the hour."
        caused_by = ("engagement.retainer_applied.v1", "engagement.retainer_expired.v1", *_GRANTS)
        yield Blocker(ReasonCode.RETAINER_EXHAUSTED, stream, caused_by, "project_manager", what, True)
