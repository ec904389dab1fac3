"""An identifier says what the ledger calls a thing that another system knows under a name of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from domain.kernel import Decider, Refused, StreamId, stream_of


@dataclass(frozen=True, slots=True)
class ExternalRef:
    """One object of another system: ``ExternalRef("jira", "issue", "12463")``."""

    system: str
    object: str
    id: str

    def __str__(self) -> str:
        return f"{self.system}:{self.object}:{self.id}"


def identifier_stream(ref: ExternalRef) -> StreamId:
    """The history of what one outside name has stood for."""
    return stream_of("identifier", str(ref))


@dataclass(frozen=True, slots=True)
class AssignIdentifier:
    """Let an outside name stand for one of the ledger's objects, e.g. a Jira issue for ``project-id/task``."""

    ref: ExternalRef
    target: str
    reassign: bool = False


@dataclass(frozen=True, slots=True)
class IdentifierAssigned:
    """An outside name now stands for one of the ledger's objects."""

    ref: ExternalRef
    target: str


class IdentifierTaken(Refused):
    """The outside name already stands for another object."""

    code = "identifier.taken"
    fix = "Check which of the two is right; send the assignment again with reassign=true to move the name."


Event = IdentifierAssigned
Command = AssignIdentifier


@dataclass(frozen=True, slots=True)
class Identifier:
    """What an outside name stands for; None while nobody has said."""

    target: str | None = None


def decide(command: Command, state: Identifier) -> Sequence[Event]:
    match command:
        case AssignIdentifier(ref, target, reassign):
            if state.target == target:
                return []
            if state.target is not None and not reassign:
                raise IdentifierTaken(f"{ref} is {state.target}, not {target}.")
            return [IdentifierAssigned(ref, target)]
        case _:
            assert_never(command)


def evolve(_state: Identifier, event: Event) -> Identifier:
    return Identifier(event.target)


decider: Decider[Command, Identifier, Event] = Decider("identifier", Identifier(), decide, evolve)
