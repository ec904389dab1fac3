"""All that can be asked of an engagement, and all that can happen to it."""

from __future__ import annotations

from domain.engagement.agreement import AgreementCommand, AgreementEvent, OpenEngagement
from domain.engagement.caps import CapCommand, CapEvent
from domain.engagement.change_orders import ChangeOrderCommand, ChangeOrderEvent
from domain.engagement.milestones import AcceptMilestone, MilestoneAccepted
from domain.engagement.progress import MeasureProgress, ProgressEvent, RecordCost, ReviseEstimate
from domain.engagement.retainer import (
    ApplyRetainer,
    GrantRetainer,
    MakeGrantUsable,
    RefundRetainer,
    RetainerEvent,
    UnapplyRetainer,
)
from domain.engagement.schedule import FallDue, GiveServiceCredit, ScheduleEvent
from domain.lots import LotCommand, LotEvent

PromiseCommand = (
    AcceptMilestone
    | FallDue
    | GiveServiceCredit
    | ReviseEstimate
    | MeasureProgress
    | RecordCost
    | GrantRetainer
    | MakeGrantUsable
    | ApplyRetainer
    | UnapplyRetainer
    | RefundRetainer
)
Command = OpenEngagement | AgreementCommand | PromiseCommand | CapCommand | ChangeOrderCommand | LotCommand
Event = (
    AgreementEvent
    | MilestoneAccepted
    | ChangeOrderEvent
    | CapEvent
    | ScheduleEvent
    | ProgressEvent
    | RetainerEvent
    | LotEvent
)
