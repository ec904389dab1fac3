"""What goes wrong, how often, and a seed that decides when; each fault that happens is counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Final

RATES: Final = {
    # the database
    "database away": 0.004,
    "commit refused": 0.02,
    "commit lost": 0.03,
    "crash before commit": 0.015,
    "crash after commit": 0.02,
    # the broker
    "publish refused": 0.08,
    "publish unconfirmed": 0.03,
    "fetch failed": 0.02,
    "fetch in part": 0.25,
    "delivered in another order": 0.4,
    "acknowledgement lost": 0.2,
    # the targets
    "target down": 0.15,
    "request lost": 0.12,
    "request late": 0.12,
    "reply lost": 0.12,
    "answer slow": 0.15,
    # the sources
    "published twice": 0.1,
    "published again": 0.08,
}
"""How often each fault happens where it can happen. A crash takes the whole process with it."""

WHOLES: Final = ("process killed", "turn lost", "database outage", "target outage", "clock jumped")
"""Faults that come at a time of their own."""


@dataclass(slots=True)
class Dice:
    """Decides what goes wrong; after ``stop`` nothing does, so that every run must come to an end."""

    random: Random
    is_on: bool = True
    happened: Counter[str] = field(default_factory=Counter)

    def falls(self, fault: str) -> bool:
        """Whether this goes wrong now."""
        if not self.is_on or self.random.random() >= RATES[fault]:
            return False
        self.happened[fault] += 1
        return True

    def stop(self) -> None:
        self.is_on = False
