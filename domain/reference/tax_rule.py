"""A tax rule says which category and rate a seller's country puts on services to a customer's country.

Categories are those of EN 16931: S standard, Z zero, E exempt, AE reverse charge, K intra-community, G export,
O outside the scope of tax.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, assert_never

from domain.kernel import Decider, Refused
from domain.periods import valid_on

TaxCategory = Literal["S", "Z", "E", "AE", "K", "G", "O"]
ANYWHERE_ELSE = "*"


@dataclass(frozen=True, slots=True)
class TaxRule:
    """The treatment of services from the jurisdiction to a customer country, from a day on.

    ``customer_country`` is an ISO 3166-1 code, or ``*`` for every country without a rule of its own. ``rate`` is a
    percentage. ``needs_tax_id``: the treatment holds only for customers with a tax id (reverse charge).
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
class TaxRuleSet:
    """The tax treatment of one customer country was stated from a day on."""

    jurisdiction: str
    rule: TaxRule


class TaxRateOutOfRange(Refused):
    """A tax rate is a percentage from 0 to 100."""

    code = "tax_rule.rate_out_of_range"
    fix = "Send the rate as a percentage, e.g. 19 for 19 %."


Event = TaxRuleSet
Command = SetTaxRule


@dataclass(frozen=True, slots=True)
class TaxRules:
    """All tax rules of one jurisdiction."""

    jurisdiction: str = ""
    rules: tuple[TaxRule, ...] = ()

    def for_customer(self, country: str, day: date) -> TaxRule | None:
        """The rule in force for a customer's country: its own before the rule for everywhere else."""
        own = valid_on([rule for rule in self.rules if rule.customer_country == country], day)
        return own or valid_on([rule for rule in self.rules if rule.customer_country == ANYWHERE_ELSE], day)


def decide(command: Command, state: TaxRules) -> Sequence[Event]:
    match command:
        case SetTaxRule(jurisdiction, rule):
            if not 0 <= rule.rate <= 100:
                raise TaxRateOutOfRange(f"{jurisdiction}: {rule.rate}.")
            return [] if rule in state.rules else [TaxRuleSet(jurisdiction, rule)]
        case _:
            assert_never(command)


def evolve(state: TaxRules, event: Event) -> TaxRules:
    return TaxRules(event.jurisdiction, (*state.rules, event.rule))


decider: Decider[Command, TaxRules, Event] = Decider("tax_rule", TaxRules(), decide, evolve)
