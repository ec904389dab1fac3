"""An engagement is the agreement with a customer: who sells, in which currency, which promises, on which terms.

Its contract lines say how each promise is billed, each in versions that change orders put in force. What a contract
itself lets be billed, milestones, instalments, months of service, progress, retainers, becomes a lot here, and what
drafts and invoices take of the caps is kept here, so that two drafts together cannot pass one.

``agreement``, ``change_orders``, ``caps``, ``milestones``, ``schedule``, ``progress`` and ``retainer`` each hold the
words of one part, and the rules that look at this part alone; ``promised`` says what a lot of theirs looks like, and
``planned`` what will be one. ``words`` joins what can be asked and happen, ``state`` is the engagement as it stands,
and ``agreeing``, ``changing`` and ``deciding`` hold the rules that look at the whole.
"""

from __future__ import annotations

from domain.contract import CapPolicy, ContractLine, FixedFeeMilestones, Milestone, TimeAndMaterials, Uplift
from domain.contract.rules import CurrencyDiffers
from domain.engagement.agreement import (
    AgreeLine,
    EngagementAlreadyOpened,
    EngagementHeld,
    EngagementNotOpened,
    EngagementOpened,
    EngagementSigned,
    HoldEngagement,
    HoldLifted,
    LiftHold,
    LineAgreed,
    LineIsBilled,
    OpenEngagement,
    PurchaseOrder,
    PurchaseOrderRecorded,
    RecordPurchaseOrder,
    SignEngagement,
    UnknownLine,
)
from domain.engagement.caps import (
    BillingClaimed,
    BillingReleased,
    CapBelowBilled,
    CapChanged,
    CapExceeded,
    ChangeCap,
    ClaimBilling,
    ReleaseBilling,
    WrongBillingMethod,
)
from domain.engagement.deciding import decide, decider
from domain.engagement.milestones import (
    AcceptMilestone,
    EvidenceMissing,
    MilestoneAccepted,
    PredecessorIncomplete,
    UnknownMilestone,
)
from domain.engagement.state import Engagement, evolve
from domain.engagement.words import Command, Event

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
    "Command",
    "ContractLine",
    "CurrencyDiffers",
    "Engagement",
    "EngagementAlreadyOpened",
    "EngagementHeld",
    "EngagementNotOpened",
    "EngagementOpened",
    "EngagementSigned",
    "Event",
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
    "decide",
    "decider",
    "evolve",
]
