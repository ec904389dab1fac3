"""What a contract is going to let be billed: milestones that are not accepted, instalments that are not due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from domain.contract import FixedFeeMilestones, FixedFeeSchedule
from domain.engagement import Engagement
from domain.engagement.promised import source_of_promise
from domain.money import Money


@dataclass(frozen=True, slots=True)
class Planned:
    """A milestone or an instalment before it is a lot; ``day`` is None where the contract names none."""

    source: str
    line: str
    name: str
    title: str
    amount: Money
    day: date | None
    project: str = ""


def planned_of(engagement: Engagement) -> Iterator[Planned]:
    """Everything that an engagement's lines name and that has not come to be billed."""
    if engagement.opened is None:
        return
    for line in engagement.lines.values():
        match line.billing:
            case FixedFeeMilestones(milestones=milestones):
                for milestone in milestones:
                    if (line.line, milestone.milestone) not in engagement.accepted:
                        yield Planned(
                            source=source_of_promise(engagement.agreement, line.line, milestone.milestone),
                            line=line.line,
                            name=milestone.milestone,
                            title=milestone.title,
                            amount=milestone.amount,
                            day=milestone.due_on,
                            project=milestone.project or "",
                        )
            case FixedFeeSchedule(instalments=instalments):
                for each in instalments:
                    if (line.line, each.instalment) not in engagement.schedule.instalments:
                        source = source_of_promise(engagement.agreement, line.line, each.instalment)
                        yield Planned(source, line.line, each.instalment, each.title, each.amount, each.due_on)
            case _:
                pass
