"""What verification says: which rules were checked on how much, and every breach with the object that broke it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

BREACHES_KEPT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Breach:
    """One object that breaks a rule, and how."""

    object: str
    detail: str


@dataclass(slots=True)
class Check:
    """One rule in a sentence, how many objects it was checked on, and who breaks it; the first thousand are named."""

    name: str
    rule: str
    looked_at: int = 0
    breaches: list[Breach] = field(default_factory=list)
    breach_count: int = 0

    def add(self, found: Iterable[Breach]) -> None:
        """Take up breaches."""
        for breach in found:
            self.breach_count += 1
            if len(self.breaches) < BREACHES_KEPT_MAX:
                self.breaches.append(breach)

    @property
    def holds(self) -> bool:
        """Whether nobody breaks the rule."""
        return self.breach_count == 0


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of one verification, up to one position of the log."""

    position: int
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Whether every rule holds."""
        return all(check.holds for check in self.checks)
