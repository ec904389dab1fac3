"""What a connector asks of a target system, and what it may be answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Work:
    """Something that a target has to have once: ``key`` names it (``invoice:INV-1``), ``id`` the request for it.

    A request that was refused may be made again later, under another id and the same key.
    """

    id: str
    type: str
    key: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class OtherName:
    """A name under which another system will speak of the same object."""

    system: str
    object: str
    id: str


@dataclass(frozen=True, slots=True)
class Done:
    """The target has it, under an id of its own."""

    external_id: str
    other_names: tuple[OtherName, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The target has taken the request and will answer when it is asked again."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The target does not want it, and says why; it has nothing."""

    reason: str


Answer = Done | Accepted | Declined


class TargetDown(Exception):
    """The target certainly did nothing: it could not be reached, or said that it is closed."""


class TargetSilent(Exception):
    """The target did not answer: nobody knows whether it did what was asked."""


class Target(Protocol):
    """A system that is told what the ledger has decided.

    ``repeats_are_safe``: the same key again gets the first answer and makes nothing new. ``final_after_seconds``: once
    a request is this old, a look-up that finds nothing proves that it never arrived.
    """

    @property
    def name(self) -> str: ...

    @property
    def repeats_are_safe(self) -> bool: ...

    @property
    def final_after_seconds(self) -> float: ...

    async def create(self, work: Work) -> Answer:
        """Ask for it; raises TargetDown or TargetSilent."""
        ...

    async def find(self, work: Work) -> Answer | None:
        """Look whether the target has it; None if not. Raises TargetDown or TargetSilent."""
        ...
