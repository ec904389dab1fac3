"""What automation asks of a process, of the read model that it consults, and how a process is to be run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.exception import OwnerRole
from domain.kernel import Addressed, Recorded, StreamId
from domain.ports import Candidates, Read


class Process(Protocol):
    """Turns facts into commands; it is pure and keeps nothing."""

    @property
    def name(self) -> str:
        """Its name for ever: its position in the log is kept under it."""
        ...

    def needs(self, fact: Recorded[object]) -> Sequence[StreamId]:
        """The streams that a reaction to this fact surely reads."""
        ...

    def asks_candidates(self, fact: Recorded[object]) -> bool:
        """Whether a reaction to this fact asks the read model which work it touches."""
        ...

    def react(self, fact: Recorded[object], read: Read, candidates: Candidates) -> Sequence[Addressed]:
        """The commands that a fact leads to."""
        ...


class LiveCandidates(Candidates, Protocol):
    """The candidates as the live read model knows them, which follows the log a moment behind."""

    def position(self) -> int:
        """The position of the log that the answers are made of."""
        ...


@dataclass(frozen=True, slots=True)
class Automated:
    """How one process is run.

    ``together``: the commands of one reaction stand or fall together. Otherwise each is decided for itself, a refused
    one is reported alone, and a reaction that touches very much work is recorded in several transactions.
    ``owner_role``: who looks after the commands that are refused.
    """

    process: Process
    together: bool = True
    owner_role: OwnerRole = "integration"

    @property
    def name(self) -> str:
        return self.process.name
