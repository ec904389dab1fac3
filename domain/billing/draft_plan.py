"""How lots become drafts: what is asked, what the lots of one draft have in common, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.invoice import Grouping, Layout
from domain.kernel import Addressed, Refused, StreamId
from domain.lots import Lot
from domain.money import Money


@dataclass(frozen=True, slots=True)
class DraftPlan:
    """How lots become drafts.

    ``strict`` refuses when a named lot is not eligible (someone chose it); otherwise such lots are left out, because
    the read model that proposed them may have been a moment behind. ``on`` is the day of the billing run.
    """

    cut_off: date
    by: str
    on: date
    grouping: Grouping = "engagement"
    layout: Layout = "summary"
    strict: bool = False


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What the lots of one draft have in common; ``key`` is what they are grouped by."""

    customer: str
    selling_entity: str
    currency: str
    key: str
    payers: tuple[tuple[str, Decimal], ...] = ()

    @property
    def name(self) -> str:
        """The key as text, for ids that are made of it."""
        return "/".join((self.customer, self.selling_entity, self.currency, self.key, *(who for who, _ in self.payers)))


@dataclass(frozen=True, slots=True)
class Billable:
    """A lot as it goes on a draft: where it lives, and the part of it that fits under its caps, and how many hours."""

    stream: StreamId
    lot: Lot
    within: Money
    hours: Decimal | None = None

    @property
    def needs_split(self) -> bool:
        return self.within < self.lot.value


@dataclass(frozen=True, slots=True)
class Drafts:
    """What drafting comes to: the commands, the drafts that they make or add to, and the groups left out."""

    commands: tuple[Addressed, ...]
    invoices: tuple[str, ...]
    left_out: tuple[Refused, ...] = ()


class LotsNotEligible(Refused):
    """Some of the lots that were named may not be billed."""

    code = "billing.lots_not_eligible"
    fix = "Remove the reasons that billingEligibility lists, or leave these lots out."


class BelowMinimumInvoice(Refused):
    """What can be billed is less than the smallest invoice that the selling entity sends."""

    code = "billing.below_minimum_invoice"
    fix = "Wait for more work, bill a longer period, or group by customer."


class LotsUnderOtherOrder(Refused):
    """A draft is under one purchase order of each engagement; what a further one pays for does not join it."""

    code = "billing.lots_under_other_order"
    fix = "Approve the draft, or discard it; then bill the lots."


class BelowZero(Refused):
    """An invoice asks for nothing at least: what was given back waits for work that it can be set off against."""

    code = "billing.below_zero"
    fix = "Bill it with further work, or credit the invoice that billed what was given back, and give this up."


class LotsDoNotBelong(Refused):
    """Late lots join a draft of the same customer, entity, currency and group only."""

    code = "billing.lots_do_not_belong"
    fix = "Draft an invoice of their own for these lots."
