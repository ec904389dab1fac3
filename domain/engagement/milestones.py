"""A milestone is billed when the customer has accepted it: with evidence, and after those that come before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from domain.contract import ContractLine, FixedFeeMilestones, Milestone, PercentComplete
from domain.engagement.caps import WrongBillingMethod
from domain.engagement.progress import Progress, ProgressMeasured, caught_up, evolve_progress
from domain.engagement.promised import Agreement, Promised, promised_lot
from domain.kernel import Refused
from domain.lots import LotBook, LotRated


@dataclass(frozen=True, slots=True)
class AcceptMilestone:
    """Record that the customer accepted a milestone, with the evidence that shows it."""

    line: str
    milestone: str
    accepted_on: date
    evidence: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MilestoneAccepted:
    """The customer accepted a milestone."""

    line: str
    milestone: str
    accepted_on: date
    evidence: str
    by: str


class UnknownMilestone(Refused):
    """The contract line has no such milestone."""

    code = "engagement.unknown_milestone"
    fix = "Use the id of one of the line's milestones."


class EvidenceMissing(Refused):
    """A milestone is accepted with evidence only."""

    code = "engagement.evidence_missing"
    fix = "Name the document, mail or ticket in which the customer accepted."


class PredecessorIncomplete(Refused):
    """A milestone is accepted after those that come before it."""

    code = "engagement.predecessor_incomplete"
    fix = "Record the acceptance of the earlier milestones first."


Accepted = Mapping[tuple[str, str], MilestoneAccepted]
"""The acceptances by line and milestone: two lines may each have an M1."""


def milestones_of(line: ContractLine) -> tuple[Milestone, ...]:
    """The milestones of a line, or WrongBillingMethod."""
    match line.billing:
        case FixedFeeMilestones(milestones=milestones):
            return milestones
        case PercentComplete(measure="milestones", milestones=milestones):
            return milestones
        case _:
            raise WrongBillingMethod(f"{line.line} is {line.billing.kind}.")


def missing_before(line: ContractLine, milestone: Milestone, accepted: Accepted) -> list[str]:
    """The milestones that have to be accepted first."""
    return [name for name in milestone.after if (line.line, name) not in accepted]


def decide_acceptance(
    command: AcceptMilestone,
    line: ContractLine,
    accepted: Accepted,
    newest_day: date,
    progress: Progress,
    agreement: Agreement,
    book: LotBook,
) -> Sequence[MilestoneAccepted | ProgressMeasured | LotRated]:
    """The acceptance, and the lot of what it lets be billed."""
    milestones = milestones_of(line)
    milestone = next((each for each in milestones if each.milestone == command.milestone), None)
    if milestone is None:
        raise UnknownMilestone(f"{command.line} has no milestone {command.milestone}.")
    if (command.line, command.milestone) in accepted:
        return []
    if not command.evidence.strip():
        raise EvidenceMissing(command.milestone)
    if missing := missing_before(line, milestone, accepted):
        raise PredecessorIncomplete(f"{command.milestone} comes after {', '.join(missing)}.")
    told = MilestoneAccepted(command.line, command.milestone, command.accepted_on, command.evidence, command.by)
    if isinstance(line.billing, PercentComplete):
        measured = _measured(told, milestones, accepted)
        after = progress
        for each in measured:
            after = evolve_progress(after, each)
        return [told, *measured, *caught_up(line, after, newest_day, command.at, agreement, book)]
    promised = Promised(
        name=milestone.milestone,
        day=command.accepted_on,
        amount=milestone.amount,
        title=milestone.title,
        because=f"Accepted by {command.by}: {command.evidence}",
        known_at=command.at,
        project=milestone.project or "",
    )
    return [told, LotRated(promised_lot(agreement, line, promised, book))]


def _measured(told: MilestoneAccepted, milestones: Sequence[Milestone], accepted: Accepted) -> list[ProgressMeasured]:
    """What is done of a line on the day of an acceptance, and on each later one that was told of before."""
    days = {each.milestone: each.accepted_on for each in accepted.values() if each.line == told.line}
    days[told.milestone] = told.accepted_on
    weights = [(days[each.milestone], each.amount.amount) for each in milestones if each.milestone in days]
    return [
        ProgressMeasured(
            told.line,
            day,
            sum((weight for since, weight in weights if since <= day), Decimal(0)),
            "milestones",
            told.evidence,
            told.by,
        )
        for day in sorted(set(days.values()))
        if day >= told.accepted_on
    ]
