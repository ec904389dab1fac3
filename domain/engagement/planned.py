"""What a contract is going to let be billed: milestones to be accepted, instalments and months of service to come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Final

from domain.contract import ContractLine, FixedFeeMilestones, FixedFeeSchedule, ManagedService, PercentComplete
from domain.engagement import Engagement
from domain.engagement.progress import ProgressMeasured, billable_to_date, evolve_progress
from domain.engagement.promised import rated_so_far, source_of_promise
from domain.engagement.schedule import fee_of_period, service_of, service_periods
from domain.money import Money

MONTHS_AHEAD: Final = 12
"""How many months to come are told of a service without an end."""
MONTHS_OF_TERM_MAX: Final = 120
"""How many are told of a service with an agreed term."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a line names before it is a lot; ``day`` is None where the contract names none."""

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
            case FixedFeeMilestones():
                yield from _milestones(line, line.billing, engagement)
            case FixedFeeSchedule():
                yield from _instalments(line, line.billing, engagement)
            case ManagedService():
                yield from _months(line, engagement)
            case PercentComplete(measure="milestones"):
                yield from _milestones_of_progress(line, line.billing, engagement)
            case _:
                pass


def _milestones(line: ContractLine, billing: FixedFeeMilestones, engagement: Engagement) -> Iterator[Planned]:
    for each in billing.milestones:
        if (line.line, each.milestone) not in engagement.accepted:
            yield _planned(
                engagement, line, each.milestone, each.title, each.amount, each.due_on, project=each.project or ""
            )


def _instalments(line: ContractLine, billing: FixedFeeSchedule, engagement: Engagement) -> Iterator[Planned]:
    for each in billing.instalments:
        if (line.line, each.instalment) not in engagement.schedule.instalments:
            yield _planned(engagement, line, each.instalment, each.title, each.amount, each.due_on)


def _months(line: ContractLine, engagement: Engagement) -> Iterator[Planned]:
    """The months that are not due, each at the fee of the versions that hold on its days."""
    due, service = engagement.schedule.periods, service_of(engagement.versions[line.line])
    if service is None:
        return
    to_come = (each for each in service_periods(service, date.max) if (line.line, each.starts) not in due)
    for period in islice(to_come, MONTHS_AHEAD if service.ends is None else MONTHS_OF_TERM_MAX):
        yield _planned(
            engagement,
            line,
            f"service/{period.starts}",
            f"{line.title}, {period.starts} to {period.ends}",
            fee_of_period(engagement.versions[line.line], period, engagement.currency),
            period.due_on(service.timing),
        )


def _milestones_of_progress(line: ContractLine, billing: PercentComplete, engagement: Engagement) -> Iterator[Planned]:
    """What each milestone would add to the bill if they were accepted in the order in which the contract names them."""
    progress = engagement.progress
    measured_on = [each.on for each in progress.measured.get(line.line, ())]
    day = max([*measured_on, *(each.on for each in progress.estimates.get(line.line, ()))], default=date.min)
    billed = rated_so_far(engagement.agreement, line.line, engagement.lots)
    accepted = [each for each in billing.milestones if (line.line, each.milestone) in engagement.accepted]
    weight = sum((each.amount.amount for each in accepted), Decimal(0))
    for each in billing.milestones:
        if each in accepted:
            continue
        weight += each.amount.amount
        measured = ProgressMeasured(line.line, day, weight, "milestones", "", "")
        to_date = billable_to_date(line, evolve_progress(progress, measured), day)
        yield _planned(
            engagement, line, each.milestone, each.title, to_date - billed, each.due_on, project=each.project or ""
        )
        billed = to_date


def _planned(
    engagement: Engagement,
    line: ContractLine,
    name: str,
    title: str,
    amount: Money,
    day: date | None,
    *,
    project: str = "",
) -> Planned:
    source = source_of_promise(engagement.agreement, line.line, name)
    return Planned(source, line.line, name, title, amount, day, project)
