"""How tests bill one engagement, and what is left of the cap of a line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from domain.billing.draft_plan import DraftPlan
from domain.billing.drafting import draft_invoices
from domain.contract import TimeAndMaterials
from domain.engagement import Engagement
from domain.invoice import NothingToBill
from domain.kernel import Addressed
from domain.money import Money
from domain.ports import LotAt, Read


def draft_invoice(
    read: Read, invoice: str, engagement: str, lots: Sequence[LotAt], *, cut_off: date, by: str, strict: bool
) -> list[Addressed]:
    """The commands that put eligible lots of one engagement on a new draft; several drafts where payers share it."""
    plan = DraftPlan(cut_off, by, cut_off, strict=strict)
    drafts = draft_invoices(read, lots, plan, lambda _: invoice)
    if not drafts.commands:
        raise (
            drafts.left_out[0]
            if drafts.left_out
            else NothingToBill(f"Nothing of {engagement} can be billed up to {cut_off}.")
        )
    return list(drafts.commands)


def cap_left(engagement: Engagement, line: str) -> Money | None:
    """What the line's own cap leaves in money; None when it has no cap."""
    billing = engagement.line(line).billing
    if not isinstance(billing, TimeAndMaterials) or billing.cap is None:
        return None
    return billing.cap - engagement.claimed(line)
