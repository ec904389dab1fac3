"""An exception is a work item for a person: what failed, for whom, how much money is at risk, and what to do next.

It is opened by whatever could not be done, gathers its repetitions, and ends when a retry works or a person settles it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.money import Money

Kind = Literal["refused", "waiting", "conflict", "quarantined", "rejected_by_target", "in_doubt", "limit_reached"]
OwnerRole = Literal["project_manager", "finance_preparer", "finance_approver", "integration"]


def exception_stream(kind: Kind, *about: str) -> StreamId:
    """The history of one problem with one object: ``exception:refused:jira:worklog:10320``."""
    return stream_of("exception", kind, *about)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a person needs to know to act. ``about`` names the object; the rest is its business context, where known.

    ``waits_for`` is set when the problem ends by itself once that object is known.
    """

    kind: Kind
    code: str
    about: str
    message: str
    what_to_do: str
    owner_role: OwnerRole
    system: str | None = None
    resource: str | None = None
    project: str | None = None
    engagement: str | None = None
    customer: str | None = None
    invoice: str | None = None
    money_at_risk: Money | None = None
    hours_at_risk: str | None = None
    waits_for: str | None = None


@dataclass(frozen=True, slots=True)
class RaiseException:
    """Open a work item, or note that the same problem came up again."""

    problem: Problem
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class RetryException:
    """Ask for the failed message or step to be tried again."""

    by: str


@dataclass(frozen=True, slots=True)
class ResolveException:
    """End a work item; ``how`` says what was done."""

    by: str
    how: str


@dataclass(frozen=True, slots=True)
class ExceptionOpened:
    """Something could not be done and waits for a person."""

    problem: Problem
    message_id: str | None


@dataclass(frozen=True, slots=True)
class ExceptionRecurred:
    """The same problem came up again, or with another message."""

    problem: Problem
    message_id: str | None


@dataclass(frozen=True, slots=True)
class ExceptionRetried:
    """A person asked for the failed messages to be tried again."""

    by: str
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExceptionResolved:
    """The problem was settled, by a person or by a later message."""

    by: str
    how: str


class ExceptionNotOpen(Refused):
    """The exception is not open."""

    code = "exception.not_open"
    fix = "It has been resolved already; its history says how."


class NothingToRetry(Refused):
    """The exception has no message that could be tried again."""

    code = "exception.nothing_to_retry"
    fix = "Correct the cause in the source system, or resolve the exception by hand."


Event = ExceptionOpened | ExceptionRecurred | ExceptionRetried | ExceptionResolved
Command = RaiseException | RetryException | ResolveException

MESSAGES_KEPT_MAX = 1_000
"""How many waiting or failed messages a work item lists; the received messages themselves know the rest."""


@dataclass(frozen=True, slots=True)
class ExceptionItem:
    """A work item as it stands: its problem, whether it is open, and the messages it concerns."""

    problem: Problem | None = None
    is_open: bool = False
    messages: tuple[str, ...] = ()
    occurrences: int = 0


def decide(command: Command, state: ExceptionItem) -> Sequence[Event]:
    match command:
        case RaiseException(problem, message_id):
            if not state.is_open:
                return [ExceptionOpened(problem, message_id)]
            known = message_id is None or message_id in state.messages
            return [] if known and problem == state.problem else [ExceptionRecurred(problem, message_id)]
        case RetryException(by):
            if not state.is_open:
                raise ExceptionNotOpen
            asks_anew = state.problem is not None and state.problem.kind == "rejected_by_target"
            if not state.messages and not asks_anew:
                raise NothingToRetry
            return [ExceptionRetried(by, state.messages)]
        case ResolveException(by, how):
            if state.problem is None:
                raise ExceptionNotOpen
            return [ExceptionResolved(by, how)] if state.is_open else []
        case _:
            assert_never(command)


def evolve(state: ExceptionItem, event: Event) -> ExceptionItem:
    match event:
        case ExceptionOpened(problem, message_id):
            return ExceptionItem(problem, True, (message_id,) if message_id else (), state.occurrences + 1)
        case ExceptionRecurred(problem, message_id):
            messages = state.messages
            if message_id and message_id not in messages and len(messages) < MESSAGES_KEPT_MAX:
                messages = (*messages, message_id)
            return replace(state, problem=problem, messages=messages, occurrences=state.occurrences + 1)
        case ExceptionRetried():
            return state
        case ExceptionResolved():
            return replace(state, is_open=False, messages=())
        case _:
            assert_never(event)


decider: Decider[Command, ExceptionItem, Event] = Decider("exception", ExceptionItem(), decide, evolve)
