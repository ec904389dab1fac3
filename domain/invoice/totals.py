"""What a document comes to: line nets, allowances and charges, tax, what was paid before, and what is due.

EN 16931, BR-CO-10 to BR-CO-17: every amount is rounded where it first appears, and sums of rounded amounts are not
rounded again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from domain.money import Money, total, zero
from domain.reference.tax_pack import STANDARD, RoundingPolicy
from domain.tax import DEFAULT_ROUNDING, TaxSubtotal, TaxTreatment, subtotals, tax_total


@dataclass(frozen=True, slots=True)
class AllowanceCharge:
    """An allowance, which is taken off, or a charge, which is added, with its reason (BG-20, BG-21, BG-27, BG-28).

    ``amount`` is not negative and at the minor unit. ``percent`` and ``base`` are kept where the amount was made of
    them. ``reason_code`` is of UNTDID 5189 or 7161. ``tax_category`` counts on a document: on a line it is the line's.
    """

    kind: Literal["allowance", "charge"]
    amount: Money
    reason: str
    reason_code: str = ""
    percent: Decimal | None = None
    base: Money | None = None
    tax_category: str = STANDARD

    @property
    def signed(self) -> Money:
        """What it does to the sum."""
        return self.amount if self.kind == "charge" else -self.amount


def percentage(
    kind: Literal["allowance", "charge"], percent: Decimal, base: Money, reason: str, reason_code: str = ""
) -> AllowanceCharge:
    """An allowance or charge of so many percent of a base, rounded at the minor unit."""
    return AllowanceCharge(kind, (base * (percent / 100)).rounded(), reason, reason_code, percent, base)


@dataclass(frozen=True, slots=True)
class TaxedNet:
    """The net of a line with all the treatments that apply to it."""

    net: Money
    treatments: tuple[TaxTreatment, ...]


@dataclass(frozen=True, slots=True)
class TaxedAdjustment:
    """An allowance or charge on a document as a whole, taxed in a category of its own (BG-20, BG-21)."""

    adjustment: AllowanceCharge
    treatments: tuple[TaxTreatment, ...]


@dataclass(frozen=True, slots=True)
class DocumentTotals:
    """The totals of a document, each as EN 16931 names it (BG-22), and its tax breakdown (BG-23).

    ``payable_rounding`` is what the amount due was rounded by, where money is paid in larger steps (BT-114).
    """

    lines: Money
    allowances: Money
    charges: Money
    net: Money
    taxes: tuple[TaxSubtotal, ...]
    tax: Money
    gross: Money
    prepaid: Money
    payable_rounding: Money
    due: Money


def line_net(
    price: Decimal,
    quantity: Decimal,
    currency: str,
    *,
    base_quantity: Decimal = Decimal(1),
    adjustments: Iterable[AllowanceCharge] = (),
) -> Money:
    """The net of a line: price x quantity / base quantity, rounded, then each rounded allowance or charge (BT-131)."""
    item = Money(_divided(price * quantity, base_quantity), currency).rounded()
    return total((item, *(each.signed.rounded() for each in adjustments)), currency)


def _divided(amount: Decimal, by: Decimal) -> Decimal:
    """A quotient; exact where it ends, and otherwise so long that no rounding at a minor unit meets a tie wrongly."""
    exact = Fraction(amount) / Fraction(by)
    scaled = exact * 10**12
    if scaled.denominator == 1:
        return Decimal(scaled.numerator).scaleb(-12)
    return Decimal(int(scaled)).scaleb(-12) + (Decimal("1e-13") if exact > 0 else Decimal("-1e-13"))


def document_totals(
    lines: Sequence[TaxedNet],
    currency: str,
    *,
    adjustments: Sequence[TaxedAdjustment] = (),
    rounding: RoundingPolicy = DEFAULT_ROUNDING,
    prepaid: Money | None = None,
) -> DocumentTotals:
    """The totals of a document from its line nets, its own allowances and charges, and what was paid before."""
    of_lines = total((line.net for line in lines), currency)
    allowances = _sum_of("allowance", adjustments, currency)
    charges = _sum_of("charge", adjustments, currency)
    net = of_lines - allowances + charges
    bases = [(treatment, line.net) for line in lines for treatment in line.treatments]
    bases += [(treatment, each.adjustment.signed) for each in adjustments for treatment in each.treatments]
    taxes = subtotals(bases, currency, rounding)
    gross = net + tax_total(taxes, currency)
    paid = prepaid if prepaid is not None else zero(currency)
    open_ = gross - paid
    due = payable(open_, rounding)
    return DocumentTotals(
        of_lines, allowances, charges, net, taxes, tax_total(taxes, currency), gross, paid, due - open_, due
    )


def payable(amount: Money, rounding: RoundingPolicy) -> Money:
    """What is asked for: the amount, or the nearest step in which its currency is paid."""
    step = rounding.payable_step
    if step is None or rounding.payable_currency not in (None, amount.currency):
        return amount
    return amount.rounded_to(step)


def _sum_of(kind: Literal["allowance", "charge"], adjustments: Iterable[TaxedAdjustment], currency: str) -> Money:
    return total((each.adjustment.amount for each in adjustments if each.adjustment.kind == kind), currency)
