"""EN 16931 has no form for some documents: they are refused, rather than written in a form that no machine accepts.

Their PDF says all of them. An amount in a currency with three decimals is told with two where that says the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from adapters.documents.printed import Printed
from domain.kernel import Refused
from domain.money import Money

DECIMALS_MAX: Final = 2
"""How many decimals an amount may have (BR-DEC-01 to 28)."""


class AmountTooFine(Refused):
    """An electronic invoice tells amounts with two decimals at most, also where the currency has three (EN 16931)."""

    code = "document.amount_too_fine"
    fix = (
        "Send the PDF: the same address, ending in .pdf. Where the customer needs an electronic invoice, credit this"
        " one and bill amounts without a third decimal, or in a currency that has none."
    )


class OutsideOfTaxBesideTaxed(Refused):
    """Services outside VAT are on an electronic invoice of their own (EN 16931, BR-O-11 to 14)."""

    code = "document.outside_of_tax_beside_taxed"
    fix = (
        "Send the PDF: the same address, ending in .pdf. Where the customer needs an electronic invoice, credit the"
        " lines outside VAT to be rebilled, and bill them on an invoice of their own."
    )


def require_within_the_norm(printed: Printed) -> None:
    """Raises AmountTooFine or OutsideOfTaxBesideTaxed where the electronic form would be invalid."""
    for money in _amounts(printed):
        if money.amount != money.amount.quantize(Decimal(1).scaleb(-DECIMALS_MAX)):
            raise AmountTooFine(f"{printed.number}: {money}.")
    categories = sorted({each.category for each in printed.taxes})
    if "O" in categories and len(categories) > 1:
        raise OutsideOfTaxBesideTaxed(f"{printed.number}: {', '.join(categories)}.")


def _amounts(printed: Printed) -> Iterator[Money]:
    """Every amount that is told; prices are none, and may be as fine as they are."""
    yield from (printed.line_total, printed.net, printed.tax, printed.gross, printed.payable)
    yield from (printed.prepaid, printed.holdback, printed.rounding)
    if printed.tax_in_books is not None:
        yield printed.tax_in_books
    for subtotal in printed.taxes:
        yield from (subtotal.taxable, subtotal.tax)
    allowances = [each for each, _ in printed.allowances]
    for line in printed.lines:
        yield line.net
        allowances += line.allowances
    for each in allowances:
        yield each.amount
        if each.base is not None:
            yield each.base
