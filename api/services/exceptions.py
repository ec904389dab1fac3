"""Services around work items and names: retry what failed, settle it, say what an outside name stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from typing_extensions import Doc

from api.services.service import Call, Decision, Service
from domain.exception import ExceptionItem, ResolveException, RetryException
from domain.kernel import Addressed, StreamId, stream_of
from domain.ports import engagement_of, project_of
from domain.reference.identifier import AssignIdentifier, ExternalRef, identifier_stream


@dataclass(frozen=True)
class ResolveExceptionInput:
    """A work item that was settled."""

    exception: Annotated[str, Doc("The exception, as the exceptions query names it.")]
    how: Annotated[str, Doc("What was done; auditors will read it.")]


def resolve_exception(asked: ResolveExceptionInput, call: Call) -> Decision:
    """End a work item by saying how it was settled."""
    stream = _require_exception(asked.exception, call)
    return Decision([Addressed(stream, ResolveException(call.actor, asked.how))], (stream,))


@dataclass(frozen=True)
class RetryExceptionInput:
    """A work item whose messages are to be tried again."""

    exception: Annotated[str, Doc("The exception, as the exceptions query names it.")]


def retry_exception(asked: RetryExceptionInput, call: Call) -> Decision:
    """Try the failed messages of a work item again; it ends when they succeed."""
    stream = _require_exception(asked.exception, call)
    return Decision([Addressed(stream, RetryException(call.actor))], (stream,))


def _require_exception(name: str, call: Call) -> StreamId:
    """The stream of an exception that the token is for; what belongs to no engagement concerns the whole firm."""
    stream = stream_of("exception", name.removeprefix("exception:"))
    item: ExceptionItem = call.read(stream)
    engagement = item.problem.engagement if item.problem else None
    if engagement is None and item.problem is not None and item.problem.project is not None:
        created = project_of(call.read, item.problem.project).created
        engagement = created.engagement if created else None
    if engagement is not None and engagement_of(call.read, engagement).opened is not None:
        call.require_engagement(engagement)
    else:
        call.require_firm()
    return stream


@dataclass(frozen=True)
class AssignIdentifierInput:
    """What the ledger calls a thing that another system knows under a name of its own."""

    system: Annotated[str, Doc("The other system, e.g. jira.")]
    object: Annotated[str, Doc("Its kind of object, e.g. issue.")]
    external_id: Annotated[str, Doc("Its id there.")]
    target: Annotated[str, Doc("What the ledger calls it, e.g. P-006X-L1/design for a task.")]
    reassign: Annotated[bool, Doc("Move a name that stands for another object already.")] = False


def assign_identifier(asked: AssignIdentifierInput, call: Call) -> Decision:
    """Let an outside name stand for one of the ledger's objects; messages that waited for it go on by themselves."""
    call.require_firm()
    ref = ExternalRef(asked.system, asked.object, asked.external_id)
    stream = identifier_stream(ref)
    return Decision([Addressed(stream, AssignIdentifier(ref, asked.target, asked.reassign))], (stream,))


SERVICES = (
    Service("resolve-exception", ResolveExceptionInput, ("exception",), resolve_exception),
    Service("retry-exception", RetryExceptionInput, ("exception",), retry_exception),
    Service("assign-identifier", AssignIdentifierInput, ("identifier",), assign_identifier),
)
