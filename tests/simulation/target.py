"""A target system that trusts nobody to ask once only: it makes another document each time that it is asked for one."""

from __future__ import annotations

from collections import Counter
from typing import Final

from adapters.targets.names import jira_project_key
from adapters.targets.target import Answer, Done, OtherName, TargetDown, TargetSilent, Work
from tests.simulation.connections import Weather

LATE_SECONDS_MAX: Final = 2.5
LOST_SHARE: Final = 0.3


class StrictTarget:
    """A PSA or an ERP. What it is asked may get lost on the way, be done late, or be done without an answer."""

    repeats_are_safe = False
    final_after_seconds = LATE_SECONDS_MAX + 1.0

    def __init__(self, name: str, weather: Weather) -> None:
        self.name = name
        self.back_seconds = 0.0
        self.documents: Counter[str] = Counter()
        self._weather = weather

    async def create(self, work: Work) -> Answer:
        """Make a document."""
        machine, luck, mishaps = self._weather.machine, self._weather.luck, self._weather.mishaps
        await self._come()
        if luck.strikes(mishaps.create_unheard):
            if luck.strikes(mishaps.create_late):
                machine.call_later(machine.rng.uniform(0.0, LATE_SECONDS_MAX), self._make, work)
            elif not luck.strikes(LOST_SHARE):
                self._make(work)
            raise TargetSilent("no answer in time")
        self._make(work)
        await machine.sleep_a_moment()
        return self._done(work)

    async def find(self, work: Work) -> Answer | None:
        """Look for a document."""
        await self._come()
        return self._done(work) if work.key in self.documents else None

    async def _come(self) -> None:
        await self._weather.machine.sleep_a_moment()
        if self._weather.machine.time() < self.back_seconds:
            raise TargetDown("closed for maintenance")

    def _make(self, work: Work) -> None:
        self.documents[work.key] += 1

    def _done(self, work: Work) -> Done:
        kind, _, name = work.key.partition(":")
        is_tracked = self.name == "psa" and kind == "project"
        names = (OtherName("jira", "project", jira_project_key(name)),) if is_tracked else ()
        return Done(f"{self.name.upper()}-{name}", names)
