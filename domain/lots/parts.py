"""Parts of a lot add up to it: in quantity, value, cost and transfer price."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from domain.lots.lot import Lot, LotPart
from domain.money import Money, total


def parts_of(lot: Lot, weights: Sequence[Decimal], values: Sequence[Money]) -> tuple[LotPart, ...]:
    """The parts ``<lot>/1``, ``<lot>/2`` ... of a lot: values as given, all else by weight, the last with the rest.

    Weights that are parts of its quantity are these quantities; others are shared out at a ten-thousandth of a unit.
    """
    whole = sum(weights, Decimal(0))
    parts: list[LotPart] = []
    for number, (weight, value) in enumerate(zip(weights[:-1], values[:-1], strict=True), start=1):
        share, converted = weight / whole, lot.cost_in_billing_currency
        quantity = weight if whole == lot.quantity else (lot.quantity * share).quantize(Decimal("0.0001"))
        parts.append(
            LotPart(
                f"{lot.lot}/{number}",
                quantity,
                value,
                (lot.cost * share).rounded(),
                (converted * share).rounded() if converted is not None else None,
                (lot.transfer.value * share).rounded() if lot.transfer is not None else None,
            )
        )
    return (*parts, _last_part(lot, parts, values[-1]))


def parts_at(lot: Lot, value: Money, quantity: Decimal | None = None) -> tuple[LotPart, ...]:
    """The two parts of a lot of which the first has a value, and a quantity where that is given too."""
    rest = lot.value - value
    weights = (value.amount, rest.amount) if quantity is None else (quantity, lot.quantity - quantity)
    return parts_of(lot, weights, (value, rest))


def _last_part(lot: Lot, parts: Sequence[LotPart], value: Money) -> LotPart:
    converted = lot.cost_in_billing_currency
    taken = (part.cost_in_billing_currency for part in parts)
    charged = lot.transfer.value if lot.transfer is not None else None
    return LotPart(
        f"{lot.lot}/{len(parts) + 1}",
        lot.quantity - sum((part.quantity for part in parts), Decimal(0)),
        value,
        lot.cost - total((part.cost for part in parts), lot.cost.currency),
        converted - total(filter(None, taken), converted.currency) if converted is not None else None,
        charged - total(filter(None, (part.transfer for part in parts)), charged.currency)
        if charged is not None
        else None,
    )
