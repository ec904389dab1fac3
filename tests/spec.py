"""Sentences for tests of deciders: given what happened, when something is asked, then this follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from domain.kernel import Decider, Refused


@dataclass(frozen=True)
class Given:
    """A history that has led to a state."""

    decider: Decider[Any, Any, Any]
    events: tuple[Any, ...]

    def when(self, *commands: Any) -> When:
        """Several commands follow one another; what they cause is judged together."""
        return When(self, commands)

    @property
    def state(self) -> Any:
        return self.decider.fold(self.events)

    def and_then(self, *commands: Any) -> Given:
        """Commands that are part of the history."""
        return Given(self.decider, (*self.events, *self.when(*commands).events))


@dataclass(frozen=True)
class When:
    """What was asked, of which history."""

    given: Given
    commands: tuple[Any, ...]

    @property
    def events(self) -> tuple[Any, ...]:
        decider, state = self.given.decider, self.given.state
        caused: list[Any] = []
        for command in self.commands:
            for event in decider.decide(command, state):
                state = decider.evolve(state, event)
                caused.append(event)
        return tuple(caused)

    @property
    def state(self) -> Any:
        return self.given.decider.fold((*self.given.events, *self.events))

    def then(self, *events: Any) -> None:
        assert self.events == events

    def then_happens(self, *kinds: type) -> None:
        assert tuple(type(event) for event in self.events) == kinds

    def stays_quiet(self) -> None:
        assert self.events == ()

    def refuses(self, refusal: type[Refused], *words: str) -> None:
        with pytest.raises(refusal) as refused:
            self.events  # noqa: B018 -- deciding is what must refuse
        for word in words:
            assert word in refused.value.message


def given(decider: Decider[Any, Any, Any], *events: Any) -> Given:
    return Given(decider, events)
