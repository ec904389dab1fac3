"""A project is the work under an engagement: its tasks, its people, its days, and whether every system knows it.

It is opened for time once each target system (PSA, ERP) has confirmed its set-up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal, assert_never

from domain.kernel import Decider, Refused
from domain.periods import Period


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of the project's work; ``line`` is the contract line that pays for it, None for the project's own."""

    task: str
    title: str
    line: str | None = None
    chargeable: bool = True


@dataclass(frozen=True, slots=True)
class Assignment:
    """A person's place on the project; ``role`` overrides the person's own role for rating.

    ``chargeable``: whether the customer pays for that role, which it does unless said otherwise.
    """

    resource: str
    starts: date
    ends: date | None = None
    role: str | None = None
    chargeable: bool = True

    @property
    def period(self) -> Period:
        return Period(self.starts, self.ends)


@dataclass(frozen=True, slots=True)
class CreateProject:
    """Create the work under an engagement; ``line`` pays for every task that names no other line."""

    project: str
    engagement: str
    title: str
    line: str
    delivering_entity: str
    starts: date
    ends: date | None = None
    manager: str | None = None
    targets: tuple[str, ...] = ()
    internal: bool = False


@dataclass(frozen=True, slots=True)
class DefineTask:
    """Add a task, or state it anew."""

    task: Task


@dataclass(frozen=True, slots=True)
class AssignResource:
    """Give a person a place on the project, or change it."""

    assignment: Assignment


@dataclass(frozen=True, slots=True)
class AppointManager:
    """Say who manages the project from now on."""

    manager: str


@dataclass(frozen=True, slots=True)
class RequestSetUp:
    """Ask a target system to create the project there."""

    target: str


@dataclass(frozen=True, slots=True)
class ReportSetUpSent:
    """Record that the request reached a target system, whose answer is awaited."""

    target: str


@dataclass(frozen=True, slots=True)
class ReportSetUpInDoubt:
    """Record that nobody knows whether a target system did what was asked; it is looked up, never sent again."""

    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConfirmSetUp:
    """Record that a target system has created the project under an id of its own."""

    target: str
    external_id: str


@dataclass(frozen=True, slots=True)
class RejectSetUp:
    """Record that a target system refused to create the project, and why."""

    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class HoldBilling:
    """Stop billing the project's work, with the reason that people will read."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseBillingHold:
    """Let the project's work be billed again."""


@dataclass(frozen=True, slots=True)
class CloseProject:
    """End the project: no later work belongs to it."""

    on: date


@dataclass(frozen=True, slots=True)
class ProjectCreated:
    """The work under an engagement got its project."""

    project: str
    engagement: str
    title: str
    line: str
    delivering_entity: str
    starts: date
    ends: date | None
    manager: str | None
    targets: tuple[str, ...]
    internal: bool


@dataclass(frozen=True, slots=True)
class TaskDefined:
    """A task was added, or stated anew."""

    task: Task


@dataclass(frozen=True, slots=True)
class ResourceAssigned:
    """A person got a place on the project, or it changed."""

    assignment: Assignment


@dataclass(frozen=True, slots=True)
class ManagerAppointed:
    """Somebody manages the project from now on."""

    manager: str


@dataclass(frozen=True, slots=True)
class SetUpRequested:
    """A target system was asked to create the project."""

    target: str


@dataclass(frozen=True, slots=True)
class SetUpSent:
    """The request reached the target system; its answer is awaited."""

    target: str


@dataclass(frozen=True, slots=True)
class SetUpInDoubt:
    """Nobody knows yet whether the target system created the project."""

    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class SetUpConfirmed:
    """A target system created the project under an id of its own."""

    target: str
    external_id: str


@dataclass(frozen=True, slots=True)
class SetUpRejected:
    """A target system refused to create the project."""

    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProjectOpenedForTime:
    """Every target system knows the project: time may be written."""


@dataclass(frozen=True, slots=True)
class BillingHeld:
    """Billing of the project's work was stopped."""

    reason: str


@dataclass(frozen=True, slots=True)
class BillingHoldReleased:
    """The project's work may be billed again."""


@dataclass(frozen=True, slots=True)
class ProjectClosed:
    """The project ended; no later work belongs to it."""

    on: date


class ProjectNotCreated(Refused):
    """The project does not exist yet."""

    code = "project.not_created"
    fix = "Create the project under its engagement first."


class ProjectAlreadyCreated(Refused):
    """The project exists already with other terms."""

    code = "project.already_created"
    fix = "Use another id, or change the existing project."


class UnknownTarget(Refused):
    """The project is not to be set up in that system."""

    code = "project.unknown_target"
    fix = "Name one of the project's target systems."


class ClosedBeforeItStarted(Refused):
    """A project must not be closed before it started."""

    code = "project.closed_before_start"
    fix = "Correct the closing date."


Event = (
    ProjectCreated
    | TaskDefined
    | ResourceAssigned
    | ManagerAppointed
    | SetUpRequested
    | SetUpSent
    | SetUpInDoubt
    | SetUpConfirmed
    | SetUpRejected
    | ProjectOpenedForTime
    | BillingHeld
    | BillingHoldReleased
    | ProjectClosed
)
Command = (
    CreateProject
    | DefineTask
    | AssignResource
    | AppointManager
    | RequestSetUp
    | ReportSetUpSent
    | ReportSetUpInDoubt
    | ConfirmSetUp
    | RejectSetUp
    | HoldBilling
    | ReleaseBillingHold
    | CloseProject
)
SetUpState = Literal["wanted", "requested", "sent", "in_doubt", "confirmed", "rejected"]


@dataclass(frozen=True, slots=True)
class SetUp:
    """How far one target system is with the project."""

    state: SetUpState = "wanted"
    external_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """A project as it stands; ``created`` is None before it exists."""

    created: ProjectCreated | None = None
    manager: str | None = None
    tasks: Mapping[str, Task] = field(default_factory=dict)
    assignments: tuple[Assignment, ...] = ()
    set_ups: Mapping[str, SetUp] = field(default_factory=dict)
    open_for_time: bool = False
    held_because: str | None = None
    closed_on: date | None = None

    @property
    def terms(self) -> ProjectCreated:
        """How the project was created, or ProjectNotCreated."""
        if self.created is None:
            raise ProjectNotCreated
        return self.created

    @property
    def days(self) -> Period:
        """The days on which its work may happen."""
        return Period(self.terms.starts, self.closed_on or self.terms.ends)

    def line_of(self, task: str | None) -> str:
        """The contract line that pays for a task."""
        own = self.tasks.get(task) if task else None
        return own.line if own and own.line else self.terms.line

    def is_chargeable(self, task: str | None) -> bool:
        """Whether the customer pays for a task; work on no task, or on an unknown one, is chargeable."""
        own = self.tasks.get(task) if task else None
        return own.chargeable if own else True

    def assignment_of(self, resource: str, day: date) -> Assignment | None:
        """A person's place on the project on a day."""
        mine = (each for each in self.assignments if each.resource == resource and each.period.covers(day))
        return next(mine, None)


def decide(command: Command, state: Project) -> Sequence[Event]:
    if isinstance(command, CreateProject):
        return _create(command, state)
    state.terms  # noqa: B018 -- refuses everything else before the project exists
    match command:
        case DefineTask(task):
            return [] if state.tasks.get(task.task) == task else [TaskDefined(task)]
        case AssignResource(assignment):
            Period(assignment.starts, assignment.ends)
            return [] if assignment in state.assignments else [ResourceAssigned(assignment)]
        case AppointManager(manager):
            return [] if state.manager == manager else [ManagerAppointed(manager)]
        case RequestSetUp(target):
            return [SetUpRequested(target)] if _set_up(target, state).state in ("wanted", "rejected") else []
        case ReportSetUpSent(target):
            return [SetUpSent(target)] if _set_up(target, state).state == "requested" else []
        case ReportSetUpInDoubt(target, reason):
            return [SetUpInDoubt(target, reason)] if _set_up(target, state).state in ("requested", "sent") else []
        case ConfirmSetUp(target, external_id):
            return _confirm(target, external_id, state)
        case RejectSetUp(target, reason):
            known = _set_up(target, state)
            quiet = known.state == "confirmed" or (known.state == "rejected" and known.reason == reason)
            return [] if quiet else [SetUpRejected(target, reason)]
        case HoldBilling(reason):
            return [] if state.held_because == reason else [BillingHeld(reason)]
        case ReleaseBillingHold():
            return [] if state.held_because is None else [BillingHoldReleased()]
        case CloseProject(on):
            if on < state.terms.starts:
                raise ClosedBeforeItStarted(f"{on}, but it starts on {state.terms.starts}.")
            return [] if state.closed_on == on else [ProjectClosed(on)]
        case _:
            assert_never(command)


def _create(command: CreateProject, state: Project) -> Sequence[Event]:
    Period(command.starts, command.ends)
    created = ProjectCreated(
        command.project,
        command.engagement,
        command.title,
        command.line,
        command.delivering_entity,
        command.starts,
        command.ends,
        command.manager,
        command.targets,
        command.internal,
    )
    if state.created == created:
        return []
    if state.created is not None:
        raise ProjectAlreadyCreated(command.project)
    return [created] if command.targets else [created, ProjectOpenedForTime()]


def _set_up(target: str, state: Project) -> SetUp:
    if target not in state.set_ups:
        raise UnknownTarget(f"{target}; {state.terms.project} goes to {', '.join(state.set_ups) or 'no system'}.")
    return state.set_ups[target]


def _confirm(target: str, external_id: str, state: Project) -> Sequence[Event]:
    known = _set_up(target, state)
    if known.state == "confirmed" and known.external_id == external_id:
        return []
    others = (each.state for name, each in state.set_ups.items() if name != target)
    is_last = not state.open_for_time and all(other == "confirmed" for other in others)
    confirmed = SetUpConfirmed(target, external_id)
    return [confirmed, ProjectOpenedForTime()] if is_last else [confirmed]


def evolve(state: Project, event: Event) -> Project:
    match event:
        case ProjectCreated():
            set_ups = {target: SetUp() for target in event.targets}
            return replace(state, created=event, manager=event.manager, set_ups=set_ups)
        case TaskDefined(task):
            return replace(state, tasks={**state.tasks, task.task: task})
        case ResourceAssigned(assignment):
            return replace(state, assignments=_reassigned(state.assignments, assignment))
        case ManagerAppointed(manager):
            return replace(state, manager=manager)
        case SetUpRequested(target):
            return _with_set_up(state, target, SetUp("requested"))
        case SetUpSent(target):
            return _with_set_up(state, target, SetUp("sent"))
        case SetUpInDoubt(target, reason):
            return _with_set_up(state, target, SetUp("in_doubt", reason=reason))
        case SetUpConfirmed(target, external_id):
            return _with_set_up(state, target, SetUp("confirmed", external_id))
        case SetUpRejected(target, reason):
            return _with_set_up(state, target, SetUp("rejected", reason=reason))
        case ProjectOpenedForTime():
            return replace(state, open_for_time=True)
        case BillingHeld(reason):
            return replace(state, held_because=reason)
        case BillingHoldReleased():
            return replace(state, held_because=None)
        case ProjectClosed(on):
            return replace(state, closed_on=on)
        case _:
            assert_never(event)


def _with_set_up(state: Project, target: str, set_up: SetUp) -> Project:
    return replace(state, set_ups={**state.set_ups, target: set_up})


def _reassigned(known: tuple[Assignment, ...], news: Assignment) -> tuple[Assignment, ...]:
    """The newest statement about a person's place from a day on replaces the earlier one from that day."""
    kept = (each for each in known if (each.resource, each.starts) != (news.resource, news.starts))
    return (*kept, news)


decider: Decider[Command, Project, Event] = Decider("project", Project(), decide, evolve)
