"""Plan: a milestone that is not accepted, with what it lacks; an instalment or a month whose day has not come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from domain.contract import (
    ContractLine,
    FixedFeeMilestones,
    FixedFeeSchedule,
    ManagedService,
    Milestone,
    PercentComplete,
)
from domain.eligibility.reasons import Blocker, Context, PlannedFacts, Subject
from domain.engagement.milestones import missing_before
from domain.kernel import stream_of
from domain.reason_codes import ReasonCode

_AGREED: Final = ("engagement.line_agreed.v1", "engagement.change_order_approved.v1")


def of_plan(subject: Subject, context: Context) -> Iterator[Blocker]:
    line = context.engagement.lines.get(subject.line) if isinstance(subject, PlannedFacts) else None
    if not isinstance(subject, PlannedFacts) or line is None:
        return
    match line.billing:
        case FixedFeeMilestones(milestones=milestones) | PercentComplete(milestones=milestones):
            for milestone in milestones:
                if milestone.milestone == subject.name:
                    yield from _of_milestone(line, milestone, context)
        case FixedFeeSchedule() | ManagedService() if context.today is None or context.today < subject.day:
            stream = stream_of("engagement", context.engagement.terms.engagement)
            what = f"Wait until {subject.day}: it is billed on its day."
            code = ReasonCode.SCHEDULE_NOT_DUE
            yield Blocker(code, stream, _AGREED, "finance_preparer", what, True, until=subject.day)
        case _:
            return


def _of_milestone(line: ContractLine, milestone: Milestone, context: Context) -> Iterator[Blocker]:
    """A milestone is billed once it is accepted, with its evidence, and after those that come before it."""
    stream = stream_of("engagement", context.engagement.terms.engagement)
    what = f"Have {milestone.title} accepted by the customer, and record it."
    yield Blocker(ReasonCode.MILESTONE_NOT_ACCEPTED, stream, _AGREED, "project_manager", what, True)
    what = f"Get the mail, document or ticket in which the customer accepts {milestone.title}."
    yield Blocker(ReasonCode.MILESTONE_EVIDENCE_MISSING, stream, _AGREED, "project_manager", what, True)
    if missing := missing_before(line, milestone, context.engagement.accepted):
        what = f"Have {', '.join(missing)} accepted first."
        yield Blocker(ReasonCode.PREDECESSOR_INCOMPLETE, stream, _AGREED, "project_manager", what, True)
