"""Services around projects: create one, say who manages it and who works on it, hold and release its billing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from typing_extensions import Doc

from api.services.service import Call, Decision, InputIncomplete, Service
from domain.engagement import HoldEngagement, LiftHold
from domain.kernel import Addressed, StreamId, stream_of
from domain.ports import engagement_of, resource_of
from domain.processes.provisioning import TARGETS, project_id
from domain.project import AppointManager, Assignment, AssignResource, CreateProject, HoldBilling, ReleaseBillingHold


@dataclass(frozen=True)
class CreateProjectInput:
    """The project to create under a signed engagement."""

    engagement: Annotated[str, Doc("The engagement whose work it is.")]
    line: Annotated[str, Doc("The contract line that pays for every task without a line of its own.")]
    title: Annotated[str, Doc("What people call it.")]
    starts: Annotated[date, Doc("First day on which work may happen.")]
    project: Annotated[str | None, Doc("Its id; left out, it is made of engagement and line.")] = None
    ends: Annotated[date | None, Doc("Last day on which work may happen.")] = None
    delivering_entity: Annotated[str | None, Doc("The legal entity that delivers; left out, the selling one.")] = None
    manager: Annotated[str | None, Doc("The resource who manages it.")] = None
    internal: Annotated[bool, Doc("Work for the firm itself, never billed and set up in no other system.")] = False


def create_project(asked: CreateProjectInput, call: Call) -> Decision:
    """Create a project under an engagement; its set-up in PSA and ERP is then requested by itself."""
    call.require_engagement(asked.engagement)
    terms = engagement_of(call.read, asked.engagement).terms
    engagement_of(call.read, asked.engagement).line(asked.line)
    project = asked.project or project_id(asked.engagement, asked.line)
    command = CreateProject(
        project=project,
        engagement=asked.engagement,
        title=asked.title,
        line=asked.line,
        delivering_entity=asked.delivering_entity or terms.selling_entity,
        starts=asked.starts,
        ends=asked.ends,
        manager=asked.manager,
        targets=() if asked.internal else TARGETS,
        internal=asked.internal,
    )
    stream = stream_of("project", project)
    return Decision([Addressed(stream, command)], (stream,))


@dataclass(frozen=True)
class AssignResourceInput:
    """A person's place on a project."""

    project: Annotated[str, Doc("The project.")]
    resource: Annotated[str, Doc("The person's opaque id.")]
    starts: Annotated[date, Doc("First day of the assignment.")]
    ends: Annotated[date | None, Doc("Last day; left out, until the project ends.")] = None
    role: Annotated[str | None, Doc("The role that the work is rated in; left out, the person's own.")] = None


def assign_resource(asked: AssignResourceInput, call: Call) -> Decision:
    """Give a person a place on a project, or change it; unbilled work that it touches is priced again."""
    call.require_project(asked.project)
    if not resource_of(call.read, asked.resource).versions:
        raise InputIncomplete(f"Nothing is known of resource {asked.resource}.")
    stream = stream_of("project", asked.project)
    assignment = Assignment(asked.resource, asked.starts, asked.ends, asked.role)
    return Decision([Addressed(stream, AssignResource(assignment))], (stream,))


@dataclass(frozen=True)
class AppointManagerInput:
    """Who manages a project."""

    project: Annotated[str, Doc("The project.")]
    manager: Annotated[str, Doc("The resource who manages it from now on.")]


def appoint_manager(asked: AppointManagerInput, call: Call) -> Decision:
    """Say who manages a project: work that waits for approval is told of them, and their practice runs it."""
    call.require_project(asked.project)
    if not resource_of(call.read, asked.manager).versions:
        raise InputIncomplete(f"Nothing is known of resource {asked.manager}.")
    stream = stream_of("project", asked.project)
    return Decision([Addressed(stream, AppointManager(asked.manager))], (stream,))


@dataclass(frozen=True)
class HoldBillingInput:
    """Whose billing is stopped: a project's or a whole engagement's, one of the two."""

    reason: Annotated[str, Doc("Why; people will read it.")]
    project: Annotated[str | None, Doc("The project.")] = None
    engagement: Annotated[str | None, Doc("The engagement.")] = None


def hold_billing(asked: HoldBillingInput, call: Call) -> Decision:
    """Stop billing a project or an engagement until it is released."""
    stream = _held(asked.project, asked.engagement, call)
    command = HoldBilling(asked.reason) if asked.project else HoldEngagement(asked.reason)
    return Decision([Addressed(stream, command)], (stream,))


@dataclass(frozen=True)
class ReleaseBillingInput:
    """Whose billing goes on: a project's or a whole engagement's, one of the two."""

    project: Annotated[str | None, Doc("The project.")] = None
    engagement: Annotated[str | None, Doc("The engagement.")] = None


def release_billing(asked: ReleaseBillingInput, call: Call) -> Decision:
    """Let a project or an engagement that was held be billed again."""
    stream = _held(asked.project, asked.engagement, call)
    command = ReleaseBillingHold() if asked.project else LiftHold()
    return Decision([Addressed(stream, command)], (stream,))


def _held(project: str | None, engagement: str | None, call: Call) -> StreamId:
    match (project, engagement):
        case (str(name), None):
            call.require_project(name)
            return stream_of("project", name)
        case (None, str(name)):
            call.require_engagement(name)
            return stream_of("engagement", name)
        case _:
            raise InputIncomplete("Name a project or an engagement, one of the two.")


SERVICES = (
    Service("create-project", CreateProjectInput, ("project",), create_project),
    Service("assign-resource", AssignResourceInput, ("project",), assign_resource),
    Service("appoint-manager", AppointManagerInput, ("project",), appoint_manager),
    Service("hold-billing", HoldBillingInput, ("project", "engagement"), hold_billing),
    Service("release-billing", ReleaseBillingInput, ("project", "engagement"), release_billing),
)
