"""Provisioning: a won deal becomes a signed engagement, each line of it a project, set up in every target system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.engagement import (
    Engagement,
    EngagementSigned,
    LineAgreed,
    OpenEngagement,
    SignEngagement,
)
from domain.kernel import Addressed, Recorded, StreamId, local_id, stream_of
from domain.opportunity import OpportunityWon
from domain.ports import Candidates, Read, engagement_of, project_of
from domain.project import CreateProject, ProjectCreated, RequestSetUp
from domain.reference.identifier import AssignIdentifier, ExternalRef, identifier_stream

TARGETS = ("psa", "erp")
"""The systems that every billable project is set up in."""


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Reacts to won deals, agreed lines and created projects; ``targets`` are the systems to set projects up in."""

    targets: tuple[str, ...] = TARGETS
    name: str = "provisioning"

    def needs(self, fact: Recorded[object]) -> Sequence[StreamId]:
        """The streams that a reaction will read."""
        match fact.event:
            case OpportunityWon():
                return [engagement_stream_of(fact.stream)]
            case LineAgreed() | EngagementSigned():
                return [fact.stream]
            case _:
                return []

    def asks_candidates(self, _fact: Recorded[object]) -> bool:
        """Whether a reaction asks the read model which work it touches."""
        return False

    def react(self, fact: Recorded[object], read: Read, _candidates: Candidates) -> Sequence[Addressed]:
        """The commands that a fact leads to."""
        match fact.event:
            case OpportunityWon():
                return _engagement(fact.stream, fact.event)
            case LineAgreed() | EngagementSigned():
                engagement = engagement_of(read, local_id(fact.stream))
                return _projects(engagement, read, self.targets) if engagement.signed else []
            case ProjectCreated(targets=targets):
                return [Addressed(fact.stream, RequestSetUp(target)) for target in targets]
            case _:
                return []


def engagement_id(opportunity: StreamId) -> str:
    """The engagement that a deal becomes: ``opportunity:salesforce:006X`` becomes ``E-006X``."""
    return f"E-{local_id(opportunity).partition(':')[2]}"


def engagement_stream_of(opportunity: StreamId) -> StreamId:
    """The stream of the engagement that a deal becomes."""
    return stream_of("engagement", engagement_id(opportunity))


def project_id(engagement: str, line: str) -> str:
    """The project that delivers a contract line: ``E-006X`` and ``L1`` make ``P-006X-L1``."""
    return f"P-{engagement.removeprefix('E-')}-{line}"


def _engagement(stream: StreamId, won: OpportunityWon) -> Sequence[Addressed]:
    engagement = engagement_id(stream)
    system, _, deal = local_id(stream).partition(":")
    known_as = ExternalRef(system, "opportunity", deal)
    target = stream_of("engagement", engagement)
    return [
        Addressed(
            target,
            OpenEngagement(
                engagement=engagement,
                title=won.title,
                customer=won.customer,
                selling_entity=won.selling_entity,
                currency=won.currency,
                opportunity=won.opportunity,
                purchase_order_required=won.purchase_order_required,
            ),
        ),
        Addressed(target, SignEngagement(signed_on=won.won_on, starts=won.won_on)),
        Addressed(identifier_stream(known_as), AssignIdentifier(known_as, engagement)),
    ]


def _projects(engagement: Engagement, read: Read, targets: tuple[str, ...]) -> Sequence[Addressed]:
    terms, signed = engagement.terms, engagement.signed
    commands: list[Addressed] = []
    for line in engagement.lines.values():
        project = project_id(terms.engagement, line.line)
        if signed is None or project_of(read, project).created is not None:
            continue
        create = CreateProject(
            project=project,
            engagement=terms.engagement,
            title=f"{terms.title}: {line.title}",
            line=line.line,
            delivering_entity=terms.selling_entity,
            starts=signed.starts,
            ends=signed.ends,
            targets=targets,
        )
        commands.append(Addressed(stream_of("project", project), create))
    return commands
