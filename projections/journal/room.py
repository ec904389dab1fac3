"""Caps that are agreed anew, taken or given back move what the work under them earns."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from domain.billing_limit import BillingLimit, BillingLimitAgreed, LimitClaimed, LimitReleased
from domain.engagement.agreement import LineAgreed
from domain.engagement.caps import (
    BillingClaimed,
    BillingCredited,
    BillingReleased,
    CapChanged,
    EngagementCapAgreed,
    LimitsChanged,
)
from domain.engagement.change_orders import ChangeOrderApproved
from domain.kernel import Recorded, local_id
from projections.contexts import Contexts
from projections.journal.earnings import LotEarnings
from projections.journal.lines import JournalLines
from projections.model import Handler

_NOTHING: Final = Decimal(0)


class JournalRoom:
    """What is left of the caps, whenever a fact moves it."""

    def __init__(self, contexts: Contexts, lines: JournalLines, earnings: LotEarnings) -> None:
        self._contexts = contexts
        self._lines = lines
        self._earnings = earnings
        self.on: Mapping[type, Handler] = {
            LineAgreed: self._agreed,
            CapChanged: self._caps_moved,
            LimitsChanged: self._caps_moved,
            EngagementCapAgreed: self._caps_moved,
            ChangeOrderApproved: self._changed,
            BillingClaimed: self._claimed,
            BillingReleased: self._claimed,
            BillingCredited: self._claimed,
            BillingLimitAgreed: self._limit_moved,
            LimitClaimed: self._limit_moved,
            LimitReleased: self._limit_moved,
        }

    def _agreed(self, fact: Recorded[LineAgreed]) -> None:
        """The first terms of a line concern no work yet; new ones may have other caps."""
        engagement = local_id(fact.stream)
        line = self._lines.find(engagement, fact.event.line.line)
        if line is not None:
            self._lines.terms_changed((engagement, line.line))
            self._earnings.share_out_of(fact, engagement)
        else:
            terms = self._contexts.engagement(engagement).terms
            self._earnings.caps.forget(self._earnings.caps.group_of(engagement, terms.customer, terms.currency))

    def _caps_moved(self, fact: Recorded[Any]) -> None:
        """Caps of an engagement were agreed anew."""
        engagement = local_id(fact.stream)
        changed = getattr(fact.event, "line", None)
        if isinstance(changed, str) and self._lines.find(engagement, changed) is not None:
            self._lines.terms_changed((engagement, changed))
        self._earnings.share_out_of(fact, engagement)

    def _changed(self, fact: Recorded[ChangeOrderApproved]) -> None:
        engagement = local_id(fact.stream)
        for line in fact.event.lines:
            if self._lines.find(engagement, line.line) is not None:
                self._lines.terms_changed((engagement, line.line))
        self._earnings.share_out_of(fact, engagement)

    def _claimed(self, fact: Recorded[BillingClaimed | BillingReleased | BillingCredited]) -> None:
        """A draft or a credit moved what is left of the caps; the customer's limit comes behind all of its lines."""
        engagement, event = local_id(fact.stream), fact.event
        if not isinstance(event, BillingReleased) and event.more_follow:
            return
        terms = self._contexts.engagement(engagement).terms
        limit = self._contexts.billing_limit(terms.customer, terms.currency)
        claims_follow = isinstance(event, BillingClaimed) and limit.agreed is not None
        if not claims_follow and event.invoice not in limit.claims:
            self._earnings.share_out_of(fact, engagement)

    def _limit_moved(self, fact: Recorded[BillingLimitAgreed | LimitClaimed | LimitReleased]) -> None:
        """What the work of a customer may be billed in all was agreed, or is taken by a draft, or given back."""
        limit: BillingLimit = self._contexts.read(fact.stream)
        if limit.agreed is None:
            return
        customer, currency = limit.agreed.customer, limit.agreed.currency
        for engagement in sorted(self._earnings.caps.engagements_of(customer, currency)):
            self._earnings.share_out_of(fact, engagement)
            if limit.room is not None:
                return
