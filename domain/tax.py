"""Tax on a document: which treatment each line has, and one amount per tax, category and rate on the summed line nets.

EN 16931: BR-CO-17 (tax of a category = taxable amount x rate, rounded to two decimals), BR-S-08, BR-AE-08. Place of
supply of services: Directive 2006/112/EC, articles 44 and 45, as the packs of the jurisdictions say it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from domain.money import Money, adding_up_to, minor_unit, total
from domain.places import COUNTRIES, state_code
from domain.reference.customer import Customer
from domain.reference.legal_entity import LegalEntityTerms
from domain.reference.tax_pack import STANDARD, RoundingPolicy, Supply, TaxCategory, TaxPack
from domain.reference.tax_rule import TaxRules

DEFAULT_ROUNDING: Final = RoundingPolicy()
"""Half up at the minor unit, once per category and rate (EN 16931)."""

_KINDS_OF_SUPPLY: Final = {"S": STANDARD, "Z": "zero", "E": "exempt", "O": "outside"}
"""A contract may class a line by its EN 16931 category at home instead of by the pack's kind of supply."""

_EXEMPT_ON_REQUEST: Final = frozenset({"E", "O"})


@dataclass(frozen=True, slots=True)
class TaxTreatment:
    """How services are taxed: the category, its rate in percent, the reason that is printed and its VATEX code.

    ``tax`` is the name of the tax where a line bears several. ``decided_by`` names the rule and the version of the
    pack it is of.
    """

    category: TaxCategory
    rate: Decimal
    reason: str = ""
    reason_code: str = ""
    tax: str = ""
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class TaxedAs:
    """How a contract line classes its services: a kind of supply, and for exempt ones the reason that it agrees on."""

    supply: str = STANDARD
    reason: str = ""
    reason_code: str = ""

    @classmethod
    def of(cls, tax_category: str) -> TaxedAs:
        """As a line's tax category says it: ``standard``, ``S``, or with the code of a reason ``E:VATEX-EU-132-1I``."""
        supply, _, reason_code = tax_category.partition(":")
        return cls(supply or STANDARD, reason_code=reason_code)

    @property
    def kind(self) -> str:
        """The kind of supply in the packs' words."""
        return _KINDS_OF_SUPPLY.get(self.supply, self.supply)


@dataclass(frozen=True, slots=True)
class TaxSubtotal:
    """The tax of one category and rate on a document."""

    category: TaxCategory
    rate: Decimal
    taxable: Money
    tax: Money
    reason: str = ""
    reason_code: str = ""
    name: str = ""
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class TaxDecision:
    """The treatments that one supply has, all of them on the same net, and how its jurisdiction rounds."""

    treatments: tuple[TaxTreatment, ...]
    rounding: RoundingPolicy = field(default=DEFAULT_ROUNDING)


@dataclass(frozen=True, slots=True)
class TaxGap:
    """Why nothing determines the tax of a supply, as what somebody has to do; ``lacks_tax_id`` where that is all."""

    what_to_do: str
    lacks_tax_id: bool = False


SERVICES: Final = TaxedAs()


def decide_tax(
    seller: LegalEntityTerms | None,
    customer: Customer,
    rules: TaxRules,
    day: date,
    *,
    taxed_as: TaxedAs = SERVICES,
    supplied_on: date | None = None,
) -> TaxDecision | TaxGap:
    """The treatments of services to a customer: by a rule of the firm's own, else by the pack of the seller's country.

    ``day`` is the day of the invoice; ``supplied_on``, by default the same, is that of the service, which decides where
    the pack says so.
    """
    bill_to = customer.bill_to
    country = bill_to.country if bill_to else customer.country
    if seller is None or country is None:
        return TaxGap("Define the selling legal entity, and complete the customer's country.")
    if country not in COUNTRIES:
        return TaxGap(f"Correct the country of {customer.name}: ISO 3166-1 has no code {country}.")
    state = state_code(customer.state, country)
    own = rules.for_customer(country, day, state)
    if own is not None:
        if own.needs_tax_id and not customer.tax_id:
            what = f"Record the tax id of {customer.name}: its treatment as {own.category} depends on it."
            return TaxGap(what, lacks_tax_id=True)
        decided_by = f"{seller.address.country}, the firm's own rule of {own.effective_from}"
        treatment = TaxTreatment(own.category, own.rate, own.reason, decided_by=decided_by)
        return _exempted(TaxDecision((treatment,)), customer, (f"{country}-{state}" if state else country,), day)
    pack = rules.pack_on(day)
    if pack is None:
        return TaxGap(f"Publish the tax pack of {seller.address.country}, or state its rule for {country}.")
    tax_point = day if pack.tax_point == "invoice" or supplied_on is None else supplied_on
    return _by_pack(rules.pack_on(tax_point) or pack, seller, customer, country, tax_point, taxed_as)


def _by_pack(
    pack: TaxPack, seller: LegalEntityTerms, customer: Customer, country: str, day: date, taxed_as: TaxedAs
) -> TaxDecision | TaxGap:
    home = seller.address
    state, own_state = state_code(customer.state, country), state_code(home.state, home.country)
    supply = Supply(taxed_as.kind, customer.buyer, home.country, own_state, country, state)
    rule, said = pack.rule_for(supply, day), f"{pack.jurisdiction} {pack.version}"
    if not state and (rule is None or rule.needs_state) and pack.depends_on_state(country):
        return TaxGap(_complete_state(customer.name, customer.state, "its tax depends on it"))
    if rule is None:
        place = supply.customer_place
        return TaxGap(
            f"State a tax rule of {pack.jurisdiction} for {taxed_as.kind} services to {place}: {said} has none."
        )
    if rule.needs_state and pack.compares_states and not own_state:
        return TaxGap(_complete_state(seller.name, home.state, "tax within its state differs"))
    if rule.needs_tax_id and (not customer.tax_id or customer.invalid_tax_id is not None):
        what = f"Record a valid tax id of {customer.name}: its treatment as {rule.category} depends on it."
        return TaxGap(what, lacks_tax_id=True)
    agreed = taxed_as if rule.category in _EXEMPT_ON_REQUEST else SERVICES
    treatments: list[TaxTreatment] = []
    for levy in rule.levies:
        percent = pack.percent(levy.rate, day) if levy.rate is not None else Decimal(0)
        if percent is None:
            return TaxGap(
                f"Publish a tax pack with the {levy.rate} rate of {pack.jurisdiction} on {day}: {said} has none."
            )
        treatments.append(
            TaxTreatment(
                rule.category,
                percent,
                agreed.reason or rule.reason,
                agreed.reason_code or rule.reason_code,
                levy.tax,
                f"{said}, {rule.rule}",
            )
        )
    decision = TaxDecision(tuple(treatments), pack.rounding)
    return _exempted(decision, customer, (supply.customer_place, pack.jurisdiction), day)


def _complete_state(name: str, told: str, because: str) -> str:
    instead = f" by its ISO 3166-2 code instead of {told!r}" if told else ""
    return f"Complete the state in the address of {name}{instead}: {because}."


def _exempted(decision: TaxDecision, customer: Customer, places: Sequence[str], day: date) -> TaxDecision:
    """The decision, unless a certificate of the customer frees it from tax that would be charged."""
    if all(each.category != "S" for each in decision.treatments):
        return decision
    certificate = next((found for place in places if (found := customer.exemption_on(place, day))), None)
    if certificate is None:
        return decision
    first = decision.treatments[0]
    reason = f"{certificate.reason} (certificate {certificate.certificate})"
    free = TaxTreatment("E", Decimal(0), reason, certificate.reason_code, first.tax, first.decided_by)
    return TaxDecision((free,), decision.rounding)


@dataclass(slots=True)
class _Group:
    """What is summed for one subtotal."""

    first: TaxTreatment
    nets: list[Money]
    reasons: dict[str, None]
    codes: dict[str, None]
    deciders: dict[str, None]


def subtotals(
    nets: Iterable[tuple[TaxTreatment, Money]], currency: str, rounding: RoundingPolicy = DEFAULT_ROUNDING
) -> tuple[TaxSubtotal, ...]:
    """The tax of each (tax, category, rate) on the sum of its line nets, in the order in which they first appear.

    Reasons of several exempt lines stand side by side: a document has one breakdown per category and rate (BG-23).
    """
    groups: dict[tuple[str, str, Decimal], _Group] = {}
    for each, net in nets:
        group = groups.setdefault((each.tax, each.category, each.rate), _Group(each, [], {}, {}, {}))
        group.nets.append(net)
        group.reasons[each.reason] = group.codes[each.reason_code] = group.deciders[each.decided_by] = None
    found = list(groups.values())
    return tuple(
        TaxSubtotal(
            category=group.first.category,
            rate=group.first.rate,
            taxable=total(group.nets, currency),
            tax=tax,
            reason="; ".join(filter(None, group.reasons)),
            reason_code=next(filter(None, group.codes), ""),
            name=group.first.tax,
            decided_by="; ".join(filter(None, group.deciders)),
        )
        for group, tax in zip(found, _taxes(found, currency, rounding), strict=True)
    )


def _taxes(groups: Sequence[_Group], currency: str, rounding: RoundingPolicy) -> Sequence[Money]:
    match rounding.scope:
        case "rate":
            return [_tax(total(each.nets, currency), each.first.rate).rounded(rounding.mode) for each in groups]
        case "line":
            taxed = [[_tax(net, each.first.rate).rounded(rounding.mode) for net in each.nets] for each in groups]
            return [total(each, currency) for each in taxed]
        case "total":
            exact = [_tax(total(each.nets, currency), each.first.rate) for each in groups]
            whole = total(exact, currency).rounded(rounding.mode)
            return adding_up_to(whole, [Fraction(each.amount) for each in exact])


def _tax(net: Money, rate: Decimal) -> Money:
    return net * (rate / 100)


def tax_total(taxes: Iterable[TaxSubtotal], currency: str) -> Money:
    """All tax of a document: the sum of the rounded subtotals, not rounded again."""
    return total((each.tax for each in taxes), currency)


def net_and_gross(price: Money, rate: Decimal, *, includes_tax: bool) -> tuple[Money, Money]:
    """What a price comes to without and with tax; ``includes_tax`` says which of the two the price is.

    An expense that is passed on at its price including tax is the gross: its net is taken out of it, rounded, and the
    tax is the difference. Otherwise the price is the net, and tax is added.
    """
    if includes_tax:
        # Divided as fractions, because a decimal quotient has been rounded once already.
        quantum = minor_unit(price.currency)
        exact = Fraction(price.amount) * 100 / (100 + Fraction(rate)) / Fraction(quantum)
        return _half_up(exact, quantum, price.currency), price.rounded()
    return price.rounded(), price.rounded() + _tax(price.rounded(), rate).rounded()


def _half_up(units: Fraction, quantum: Decimal, currency: str) -> Money:
    sign = -1 if units < 0 else 1
    return Money(quantum * sign * int(abs(units) + Fraction(1, 2)), currency)
