"""The firm's currency policy: in which currency it reports, and whose exchange rates count before others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, assert_never

from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.money import MINOR_UNITS, UnknownCurrency
from domain.periods import valid_on

FX_POLICY: Final[StreamId] = stream_of("fx_policy", "FIRM")
"""The stream of the firm's only currency policy."""


@dataclass(frozen=True, slots=True)
class FxPolicyTerms:
    """What holds from a day on.

    ``sources``: names of feeds, those that count first at the head; a source that is not named counts after them.
    """

    effective_from: date
    reporting_currency: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StateFxPolicy:
    """State the currency policy from a day on."""

    terms: FxPolicyTerms


@dataclass(frozen=True, slots=True)
class FxPolicyStated:
    """The currency policy was stated from a day on."""

    terms: FxPolicyTerms


class SourceNamedTwice(Refused):
    """A source of exchange rates is named twice."""

    code = "fx_policy.source_twice"
    fix = "Name each source once, those that count first at the head."


class NoReportingCurrency(Refused):
    """Nobody has said in which currency the firm reports, and its entities keep their books in several."""

    code = "fx_policy.no_reporting_currency"
    fix = "State the currency policy, or name the currency of the answer."


Event = FxPolicyStated
Command = StateFxPolicy


@dataclass(frozen=True, slots=True)
class FxPolicy:
    """All versions of the firm's currency policy."""

    versions: tuple[FxPolicyTerms, ...] = ()

    def on(self, day: date) -> FxPolicyTerms | None:
        """What holds on a day."""
        return valid_on(self.versions, day)


def decide(command: Command, state: FxPolicy) -> Sequence[Event]:
    match command:
        case StateFxPolicy(terms):
            if terms.reporting_currency not in MINOR_UNITS:
                raise UnknownCurrency(repr(terms.reporting_currency))
            if len(set(terms.sources)) != len(terms.sources):
                raise SourceNamedTwice(", ".join(terms.sources))
            return [] if state.on(terms.effective_from) == terms else [FxPolicyStated(terms)]
        case _:
            assert_never(command)


def evolve(state: FxPolicy, event: Event) -> FxPolicy:
    return FxPolicy((*state.versions, event.terms))


decider: Decider[Command, FxPolicy, Event] = Decider("fx_policy", FxPolicy(), decide, evolve)
