"""Tax on a document: one amount per category and rate, on the summed line nets, rounded once.

EN 16931: BR-CO-17 (tax of a category = taxable amount x rate, rounded to two decimals), BR-S-08, BR-AE-08.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.money import Money, total, zero
from domain.reference.customer import Customer
from domain.reference.legal_entity import LegalEntityTerms
from domain.reference.tax_rule import TaxCategory, TaxRules


@dataclass(frozen=True, slots=True)
class TaxTreatment:
    """How services of one document are taxed: the category, its rate in percent, and the reason that is printed."""

    category: TaxCategory
    rate: Decimal
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TaxSubtotal:
    """The tax of one category and rate on a document."""

    category: TaxCategory
    rate: Decimal
    taxable: Money
    tax: Money
    reason: str = ""


def treatment_of(
    seller: LegalEntityTerms | None, customer: Customer, rules: TaxRules, day: date
) -> TaxTreatment | None:
    """The treatment of services to a customer on a day; None when no rule says it, or it needs a tax id it lacks."""
    country = customer.bill_to.country if customer.bill_to else customer.country
    if seller is None or country is None:
        return None
    rule = rules.for_customer(country, day)
    if rule is None or (rule.needs_tax_id and not customer.tax_id):
        return None
    return TaxTreatment(rule.category, rule.rate, rule.reason)


def subtotals(nets: Iterable[tuple[TaxTreatment, Money]], currency: str) -> tuple[TaxSubtotal, ...]:
    """The tax of each treatment on the sum of its line nets, in the order in which treatments first appear."""
    taxable: dict[TaxTreatment, Money] = {}
    for treatment, net in nets:
        taxable[treatment] = taxable.get(treatment, zero(currency)) + net
    return tuple(
        TaxSubtotal(each.category, each.rate, base, (base * (each.rate / 100)).rounded(), each.reason)
        for each, base in taxable.items()
    )


def tax_total(taxes: Iterable[TaxSubtotal], currency: str) -> Money:
    """All tax of a document: the sum of the rounded subtotals, not rounded again."""
    return total((each.tax for each in taxes), currency)
