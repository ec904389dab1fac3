"""The tax rules of a jurisdiction are its published packs, and rules that the firm states itself and that come first.

A pack is published in versions. Its newest version that is in force on a day decides; a version never changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import assert_never

from domain.kernel import Decider, Refused
from domain.periods import valid_on
from domain.places import is_place
from domain.reference.tax_pack import TaxCategory, TaxPack, check

ANYWHERE_ELSE = "*"


@dataclass(frozen=True, slots=True)
class TaxRule:
    """The treatment of services from the jurisdiction to a customer country, or a state of it, from a day on.

    ``customer_country`` is an ISO 3166-1 code, or one of ISO 3166-2 such as ``US-HI``, which comes before its country,
    or ``*`` for every country without a rule of its own. ``rate`` is a percentage. ``needs_tax_id``: the treatment
    holds only for customers with a tax id (reverse charge).
    """

    effective_from: date
    customer_country: str
    category: TaxCategory
    rate: Decimal
    reason: str = ""
    needs_tax_id: bool = False


@dataclass(frozen=True, slots=True)
class SetTaxRule:
    """State the treatment of one customer country by one jurisdiction from a day on."""

    jurisdiction: str
    rule: TaxRule


@dataclass(frozen=True, slots=True)
class PublishTaxPack:
    """Publish a version of a jurisdiction's tax pack."""

    pack: TaxPack


@dataclass(frozen=True, slots=True)
class TaxRuleSet:
    """The tax treatment of one customer country was stated from a day on."""

    jurisdiction: str
    rule: TaxRule


@dataclass(frozen=True, slots=True)
class TaxPackPublished:
    """A version of a jurisdiction's tax pack was published."""

    pack: TaxPack


class TaxRateOutOfRange(Refused):
    """A tax rate is a percentage from 0 to 100."""

    code = "tax_rule.rate_out_of_range"
    fix = "Send the rate as a percentage, e.g. 19 for 19 %."


class UnknownRuleCountry(Refused):
    """A tax rule is for customers of one country or state, or of every country without a rule of its own."""

    code = "tax_rule.unknown_country"
    fix = "Send the code of a country or state, such as US or US-HI (ISO 3166), or * for all other countries."


class TaxPackVersionChanged(Refused):
    """A published version of a tax pack never changes."""

    code = "tax_pack.version_changed"
    fix = "Publish the changed pack under a new version."


Event = TaxRuleSet | TaxPackPublished
Command = SetTaxRule | PublishTaxPack


@dataclass(frozen=True, slots=True)
class TaxRules:
    """All tax rules of one jurisdiction: its packs in the order of their publication, and the firm's own rules."""

    jurisdiction: str = ""
    rules: tuple[TaxRule, ...] = ()
    packs: tuple[TaxPack, ...] = ()

    def for_customer(self, country: str, day: date, state: str = "") -> TaxRule | None:
        """The firm's own rule for a customer: of its state before its country, and that before everywhere else."""
        for place in (f"{country}-{state}" if state else country, country, ANYWHERE_ELSE):
            own = valid_on([rule for rule in self.rules if rule.customer_country == place], day)
            if own is not None:
                return own
        return None

    def pack_on(self, day: date) -> TaxPack | None:
        """The version of the pack in force on a day: of equal effective dates, the one published last."""
        return valid_on(self.packs, day)


def decide(command: Command, state: TaxRules) -> Sequence[Event]:
    match command:
        case SetTaxRule(jurisdiction, rule):
            if rule.customer_country != ANYWHERE_ELSE and not is_place(rule.customer_country):
                raise UnknownRuleCountry(f"{jurisdiction}: {rule.customer_country!r}.")
            if not 0 <= rule.rate <= 100:
                raise TaxRateOutOfRange(f"{jurisdiction}: {rule.rate}.")
            return [] if rule in state.rules else [TaxRuleSet(jurisdiction, rule)]
        case PublishTaxPack(pack):
            return _publish(pack, state)
        case _:
            assert_never(command)


def _publish(pack: TaxPack, state: TaxRules) -> Sequence[Event]:
    if pack in state.packs:
        return []
    if any(each.version == pack.version for each in state.packs):
        raise TaxPackVersionChanged(f"{pack.jurisdiction} {pack.version}.")
    check(pack)
    return [TaxPackPublished(pack)]


def evolve(state: TaxRules, event: Event) -> TaxRules:
    match event:
        case TaxRuleSet(jurisdiction, rule):
            return replace(state, jurisdiction=jurisdiction, rules=(*state.rules, rule))
        case TaxPackPublished(pack):
            return replace(state, jurisdiction=pack.jurisdiction, packs=(*state.packs, pack))
        case _:
            assert_never(event)


decider: Decider[Command, TaxRules, Event] = Decider("tax_rule", TaxRules(), decide, evolve)
