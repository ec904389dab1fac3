"""How a simulated target behaves, as somebody has asked it to: as usual, or down, mute, slow, or unwilling."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt

RULES_MAX = 100


class Rule(BaseModel):
    """What a target refuses: a message that says ``equals`` in ``field``, e.g. ``buyer.id``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    equals: str | None
    reason: str

    def applies_to(self, message: Any) -> bool:
        """Whether the message says so; a field that it lacks says nothing, which ``null`` asks for."""
        said = message
        for name in self.field.split("."):
            said = said.get(name) if isinstance(said, dict) else None
        return bool(said == self.equals)


class Behaviour(BaseModel):
    """What was asked of a target.

    ``outage_from`` and ``outage_until``: it is closed between them, from now on if only the end is given, until told
    otherwise if only the beginning is. ``lose_replies``: so many further changes are made and not answered.
    ``slow_seconds``: what is asked for is accepted, and there only so much later.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    outage_from: AwareDatetime | None = None
    outage_until: AwareDatetime | None = None
    lose_replies: NonNegativeInt = 0
    slow_seconds: NonNegativeFloat = 0.0
    refuse: tuple[Rule, ...] = Field(default=(), max_length=RULES_MAX)

    def is_down(self, now: datetime) -> bool:
        """Whether it is closed at a moment."""
        begins, ends = self.outage_from, self.outage_until
        return (begins is not None or ends is not None) and (begins or now) <= now and (ends is None or now < ends)

    def refusal_of(self, message: Any) -> str | None:
        """Why the message is refused, if it is."""
        return next((rule.reason for rule in self.refuse if rule.applies_to(message)), None)
