"""What EN 16931 calls things, in either of its syntaxes: codes, and words for what bears no tax."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from adapters.documents.printed import Printed, PrintedLine
from domain.invoice import Party
from domain.money import Money, minor_unit

SPECIFICATION: Final = "urn:cen.eu:en16931:2017"
"""EN 16931 itself, without a national extension (BT-24)."""
UNITS: Final = {"hour": "HUR", "item": "C62"}
"""UN/ECE recommendation 20: hours, and one for anything else."""
TO_AN_ACCOUNT: Final = "30"
"""UNTDID 4461: credit transfer."""
_WITHOUT_TAX: Final = {
    "AE": "Reverse charge",
    "G": "Export outside the EU",
    "K": "Intra-community supply",
    "O": "Not subject to VAT",
}


def reason_without_tax(category: str, reason: str) -> str:
    """Why nothing is due, as told, else in the words of the category (BT-120)."""
    return reason or _WITHOUT_TAX.get(category, "Exempt from tax")


def quantity_and_price(line: PrintedLine) -> tuple[Decimal, Decimal]:
    """What is billed at which price: a price is never negative (BT-146), a quantity may be."""
    return (-line.quantity, -line.price) if line.price < 0 else (line.quantity, line.price)


def allowances_in_all(printed: Printed, kind: str) -> Money | None:
    """The sum of the allowances or of the charges of a document; None where it has none (BT-107, BT-108)."""
    found = sum((each.amount.amount for each, _ in printed.allowances if each.kind == kind), Decimal(0))
    return Money(found, printed.currency) if found else None


def paid_before(printed: Printed) -> Money:
    """What is not asked for now (BT-113): paid before, or kept back until it is released."""
    return printed.prepaid + printed.holdback


def figure(money: Money) -> str:
    """An amount with the minor unit's digits, of which EN 16931 takes two; nothing is nothing, and has no sign."""
    unit = max(minor_unit(money.currency), Decimal("0.01"))
    return f"{money.amount.quantize(unit) + 0:f}"


def is_outside_of_tax(printed: Printed) -> bool:
    """Whether no VAT applies at all: then no VAT number is told either (BR-O-2)."""
    return all(each.category == "O" for each in printed.taxes)


def delivered_to(printed: Printed) -> Party | None:
    """Who got a supply within the European Union, whose country has to be told (BR-IC-12); else None."""
    return printed.buyer if any(each.category == "K" for each in printed.taxes) else None
