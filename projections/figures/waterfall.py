"""From the standard value of the work to cash: where each part of it is, or was lost, in shares that make 100 %."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from domain.money import Money
from projections.figures.asked import NOTHING, By, Conversion, FigureFilter, last_day_known, rounded_together
from projections.figures.work import WorkSums, work_sums
from projections.reader import Scope, View

HUNDRED: Final = Decimal(100)
_STEP: Final = Decimal("0.01")
STEPS: Final = (
    "non_billable",
    "written_off",
    "over_cap",
    "held",
    "eligible",
    "on_draft",
    "written_down",
    "bad_debt",
    "receivable",
    "cash",
)
"""Where the value of work may be, from the work to the bank; each part of it is in one of them."""


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the standard value: its amount, its share in percent, and what is left after it."""

    step: str
    amount: Decimal
    percent: Decimal | None
    left: Decimal


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The standard value of one key and its parts, which add up to it; ``unconverted`` lots have no exchange rate."""

    by: str
    key: str
    currency: str
    standard: Decimal
    steps: tuple[Step, ...]
    unconverted: int


def waterfalls(view: View, by: By, where: FigureFilter, scope: Scope) -> list[Waterfall]:
    """The waterfall of every key, in order."""
    to_currency = Conversion(view, where, known_to=last_day_known(view))
    found: dict[str, dict[str, Decimal]] = {}
    unconverted: dict[str, int] = {}
    for sums in work_sums(view, by, where, scope):
        parts = found.setdefault(sums.key, dict.fromkeys(STEPS, NOTHING))
        rate = to_currency.rate(sums.currency, sums.month) if sums.currency else None
        missing = sums.unconverted + (1 if rate is None and sums.currency else 0)
        unconverted[sums.key] = unconverted.get(sums.key, 0) + missing
        if rate is not None:
            for step, amount in _parts(sums).items():
                parts[step] += amount * rate
    currency = to_currency.currency
    return [waterfall(by, key, currency, found[key], unconverted[key]) for key in sorted(found)]


def _parts(sums: WorkSums) -> dict[str, Decimal]:
    """Each part of the standard value once: what was written down is what an invoice asks less than it, or more."""
    return {
        "non_billable": sums.non_billable,
        "written_off": sums.written_off,
        "over_cap": sums.over_cap,
        "held": sums.held,
        "eligible": sums.eligible,
        "on_draft": sums.reserved,
        "written_down": sums.billed_standard - sums.billed,
        "bad_debt": sums.lost,
        "receivable": sums.billed - sums.collected - sums.lost,
        "cash": sums.collected,
    }


def waterfall(by: str, key: str, currency: str, parts: dict[str, Decimal], unconverted: int = 0) -> Waterfall:
    """The parts as steps: rounded to the minor unit, and their shares to hundredths of a percent that make 100 %."""
    amounts = [Money(parts[step], currency).rounded().amount for step in STEPS]
    standard = sum(amounts, NOTHING)
    shares = percentages(amounts, standard)
    left, steps = standard, []
    for step, amount, percent in zip(STEPS, amounts, shares, strict=True):
        left -= amount
        steps.append(Step(step, amount, percent, left))
    return Waterfall(by, key, currency, standard, tuple(steps), unconverted)


def percentages(amounts: Sequence[Decimal], whole: Decimal) -> list[Decimal | None]:
    """What each amount is of the whole, in hundredths of a percent that add up to 100 (largest remainder)."""
    if not whole:
        return [None] * len(amounts)
    return list(rounded_together([amount * HUNDRED / whole for amount in amounts], _STEP))
