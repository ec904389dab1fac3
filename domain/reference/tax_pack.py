"""A tax pack is what one jurisdiction says about services: its rates by date, who is treated how, and how to round.

A pack is data. It is published as a fact, so that whatever it decided can be decided again from the record alone.
Categories are those of EN 16931: S standard, Z zero, E exempt, AE reverse charge, K intra-community, G export,
O outside the scope of tax.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from domain.kernel import Refused
from domain.money import RoundingMode
from domain.periods import valid_on

TaxCategory = Literal["S", "Z", "E", "AE", "K", "G", "O"]
TaxScope = Literal["rate", "line", "total"]
TaxPoint = Literal["supply", "invoice"]
Buyer = Literal["any", "business", "consumer"]

STANDARD = "standard"
"""The kind of supply of services that a contract does not class otherwise."""

ANYWHERE = "*"
SAME_STATE = "same_state"
GROUP = "@"
"""How a place in a rule begins that is a group of countries, e.g. ``@EU``."""


@dataclass(frozen=True, slots=True)
class RoundingPolicy:
    """How tax is rounded at the currency's minor unit, and what the amount to pay is rounded to.

    ``scope``: once per category and rate (EN 16931, BR-CO-17), per line (the taxable supply rule), or once for the
    whole document (the total invoice rule). ``payable_step``: the smallest amount that is paid, e.g. 0.05 for five
    rappen; None pays to the minor unit. It holds for ``payable_currency`` only.
    """

    mode: RoundingMode = "half_up"
    scope: TaxScope = "rate"
    payable_step: Decimal | None = None
    payable_currency: str | None = None


@dataclass(frozen=True, slots=True)
class DatedRate:
    """A named rate of the pack in percent, from a day on, with the law that set it."""

    rate: str
    effective_from: date
    percent: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class CountryGroup:
    """Countries (ISO 3166-1) that a law treats as one, from a day on."""

    group: str
    effective_from: date
    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Levy:
    """One tax that a rule puts on a supply: its name as printed, and the named rate; no rate is 0 %."""

    tax: str
    rate: str | None = None


@dataclass(frozen=True, slots=True)
class PackRule:
    """One treatment and whom it is for. The first rule of a pack that covers a supply decides it.

    ``places`` are customers' countries (``FR``), parts of them (``CA-QC``), groups (``@EU``), ``same_state`` for
    customers in the seller's own state, or ``*``; ``not_places`` are left out. ``supplies`` are kinds of supply, or
    ``*``. A rule that needs the customer's tax id or state determines nothing while that is not known: it does not
    pass the supply on to a later rule.
    """

    rule: str
    places: tuple[str, ...]
    category: TaxCategory
    levies: tuple[Levy, ...]
    effective_from: date
    source: str
    effective_until: date | None = None
    not_places: tuple[str, ...] = ()
    supplies: tuple[str, ...] = (STANDARD,)
    buyer: Buyer = "any"
    needs_tax_id: bool = False
    needs_state: bool = False
    reason: str = ""
    reason_code: str = ""


@dataclass(frozen=True, slots=True)
class TaxPack:
    """What one jurisdiction says, in one version, from a day on.

    ``tax_point`` says which day's rules and rates count: the day of the supply, or the day of the invoice.
    """

    jurisdiction: str
    version: str
    effective_from: date
    title: str
    source: str
    tax_point: TaxPoint
    rounding: RoundingPolicy
    rates: tuple[DatedRate, ...]
    rules: tuple[PackRule, ...]
    groups: tuple[CountryGroup, ...] = ()

    def percent(self, rate: str, day: date) -> Decimal | None:
        """A named rate on a day; None before it existed."""
        found = valid_on((each for each in self.rates if each.rate == rate), day)
        return found.percent if found else None

    @property
    def compares_states(self) -> bool:
        """Whether it matters that seller and customer are in the same state."""
        return any(SAME_STATE in rule.places for rule in self.rules)

    def depends_on_state(self, country: str) -> bool:
        """Whether the state of customers in a country can matter."""
        return any(
            rule.needs_state or any(place.startswith(f"{country}-") for place in rule.places) for rule in self.rules
        )

    def rule_for(self, supply: Supply, day: date) -> PackRule | None:
        """The first rule that covers a supply on a day."""
        return next((rule for rule in self.rules if self._covers(rule, supply, day)), None)

    def _covers(self, rule: PackRule, supply: Supply, day: date) -> bool:
        in_force = rule.effective_from <= day and (rule.effective_until is None or day <= rule.effective_until)
        return (
            in_force
            and (ANYWHERE in rule.supplies or supply.kind in rule.supplies)
            and rule.buyer in ("any", supply.buyer)
            and any(self._lies_in(place, supply, day) for place in rule.places)
            and not any(self._lies_in(place, supply, day) for place in rule.not_places)
        )

    def _lies_in(self, place: str, supply: Supply, day: date) -> bool:
        if place.startswith(GROUP):
            members = valid_on((each for each in self.groups if each.group == place[len(GROUP) :]), day)
            return members is not None and supply.customer_country in members.countries
        if place == SAME_STATE:
            return supply.is_within_one_state
        return place in (ANYWHERE, supply.customer_country, supply.customer_place)


@dataclass(frozen=True, slots=True)
class Supply:
    """What is to be taxed: a kind of service, from where, to whom and where. States are ISO 3166-2 without country."""

    kind: str
    buyer: Buyer
    seller_country: str
    seller_state: str
    customer_country: str
    customer_state: str

    @property
    def customer_place(self) -> str:
        """The customer's part of the country, e.g. ``CA-QC``; the country alone when the state is not known."""
        return f"{self.customer_country}-{self.customer_state}" if self.customer_state else self.customer_country

    @property
    def is_within_one_state(self) -> bool:
        """Whether seller and customer are in the same, known state of one country."""
        same = (self.seller_country, self.seller_state) == (self.customer_country, self.customer_state)
        return same and bool(self.customer_state)


class TaxPackContradicts(Refused):
    """A tax pack must be whole: every rate and group that its rules name, percentages, and names that are unique."""

    code = "tax_pack.contradicts"
    fix = "Correct the pack and publish it again; nothing of it was recorded."


def check(pack: TaxPack) -> None:
    """Refuses a pack that could not decide what its rules promise."""
    problems = list(_problems(pack))
    if problems:
        raise TaxPackContradicts(f"{pack.jurisdiction} {pack.version}: {'; '.join(problems)}.")


def _problems(pack: TaxPack) -> Iterator[str]:
    rates, groups = {each.rate for each in pack.rates}, {each.group for each in pack.groups}
    if len({each.rule for each in pack.rules}) < len(pack.rules):
        yield "two rules have the same name"
    yield from (f"{each.rate} is {each.percent} %" for each in pack.rates if not 0 <= each.percent <= 100)
    for rule in pack.rules:
        yield from (
            f"{rule.rule} names no such rate: {levy.rate}" for levy in rule.levies if levy.rate not in {*rates, None}
        )
        named = (place[len(GROUP) :] for place in (*rule.places, *rule.not_places) if place.startswith(GROUP))
        yield from (f"{rule.rule} names no such group: {group}" for group in named if group not in groups)
        if not rule.levies or not rule.places:
            yield f"{rule.rule} has no tax or no place"
        if rule.category in ("E", "AE", "K", "G", "O") and not rule.reason:
            yield f"{rule.rule} has no reason for its category {rule.category}"
        if rule.category != "S" and any(levy.rate for levy in rule.levies):
            yield f"{rule.rule} puts a rate on category {rule.category}"
    step = pack.rounding.payable_step
    if step is not None and step <= 0:
        yield f"amounts cannot be rounded to {step}"
