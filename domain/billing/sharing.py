"""Sharing divides what is billed among several payers by percentage: each payer's total and each lot's, to the cent.

A payer's total is the largest-remainder share of the whole (ties to the earlier payer). The lots are then divided so
that both the parts of every lot and the parts of every payer add up: no cent is lost in either direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from domain.money import Money, minor_unit, shared, total


def shares_of_each(values: Sequence[Money], percents: Sequence[Decimal], currency: str) -> list[tuple[Money, ...]]:
    """For each value its parts by payer. Values are whole numbers of minor units; negative ones are shared alike.

    Each part is the exact share cut to the minor unit, and what is then left of a value goes, a minor unit each, to
    the payers that lack most of their totals.
    """
    quantum = minor_unit(currency)
    weights = [Fraction(percent) / sum(map(Fraction, percents)) for percent in percents]
    units = [int(value.amount / quantum) for value in values]
    floors = [[(weight * unit).__floor__() for weight in weights] for unit in units]
    targets = [int(share.amount / quantum) for share in shared(total(values, currency), percents)]
    lacking = [target - sum(row[payer] for row in floors) for payer, target in enumerate(targets)]
    result: list[tuple[Money, ...]] = []
    for unit, row in zip(units, floors, strict=True):
        in_turn = sorted(range(len(row)), key=lambda payer: (-lacking[payer], payer))
        for payer in in_turn[: unit - sum(row)]:
            row[payer] += 1
            lacking[payer] -= 1
        result.append(tuple(Money(quantum * part, currency) for part in row))
    return result
