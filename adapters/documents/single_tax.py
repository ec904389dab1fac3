"""EN 16931 knows one tax on a line: where several are charged on the same net, they are told as one at their sum.

A document of Quebec with 5 % GST and 9.975 % QST says 14.975 % to machines; its note names the taxes as they are
printed. What is due stays what was issued, to the cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from adapters.documents.printed import Printed
from domain.money import Money, minor_unit, zero
from domain.tax import TaxSubtotal, TaxTreatment


def with_a_single_tax(printed: Printed) -> Printed:
    """The document with one treatment on each line and allowance, and one subtotal per category and rate (BG-23)."""
    kinds = {(each.category, each.rate) for each in printed.taxes}
    several = [*(line.treatments for line in printed.lines), *(each for _, each in printed.allowances)]
    if len(kinds) == len(printed.taxes) and all(len(each) == 1 for each in several):
        return printed
    lines = tuple(replace(line, treatments=(_combined(line.treatments),)) for line in printed.lines)
    allowances = tuple((each, (_combined(treatments),)) for each, treatments in printed.allowances)
    bases = [(line.treatments[0], line.net) for line in lines]
    bases += [(treatments[0], each.signed) for each, treatments in allowances]
    named = [_in_words(each) for each in printed.taxes]
    return replace(
        printed,
        lines=lines,
        allowances=allowances,
        taxes=_subtotals(bases, printed.tax),
        reason="; ".join(filter(None, (printed.reason, *named))),
    )


def _combined(treatments: Sequence[TaxTreatment]) -> TaxTreatment:
    """Charged where one of them is charged, else free for the first one's reason."""
    first = next((each for each in treatments if each.category == "S"), treatments[0])
    rate = sum((each.rate for each in treatments), Decimal(0))
    return TaxTreatment(first.category, rate, first.reason, first.reason_code)


def _subtotals(bases: Sequence[tuple[TaxTreatment, Money]], tax: Money) -> tuple[TaxSubtotal, ...]:
    """One subtotal per category and rate; what rounding leaves over goes to the largest, so that the tax stays."""
    found: dict[tuple[str, Decimal], TaxSubtotal] = {}
    for each, net in bases:
        nothing = TaxSubtotal(
            each.category, each.rate, zero(tax.currency), zero(tax.currency), each.reason, each.reason_code
        )
        known = found.setdefault((each.category, each.rate), nothing)
        found[each.category, each.rate] = replace(known, taxable=known.taxable + net)
    taxed = [replace(each, tax=(each.taxable * (each.rate / 100)).rounded()) for each in found.values()]
    largest = max(range(len(taxed)), key=lambda place: abs(taxed[place].tax.amount))
    left = tax - Money(sum((each.tax.amount for each in taxed), Decimal(0)), tax.currency)
    taxed[largest] = replace(taxed[largest], tax=taxed[largest].tax + left)
    return tuple(taxed)


def _in_words(each: TaxSubtotal) -> str:
    amount = each.tax.amount.quantize(minor_unit(each.tax.currency))
    return f"{each.name} {each.rate.normalize():f} %: {amount:f} {each.tax.currency}"
