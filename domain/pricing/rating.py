"""Rating finds what an approved quantity is billed at and what it costs, and keeps why.

The most specific card that has a matching row wins (contract line, engagement, customer, firm); within it the row that
matches most narrowly (person before location before role); of equal rows the newest effective date until the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.lots import RowConsidered
from domain.money import Money
from domain.reference.rate_card import RateCard, RateRow


@dataclass(frozen=True, slots=True)
class Worked:
    """Who worked where in which role on which day, billed in which currency: what rate rows are matched against."""

    resource: str
    role: str
    location: str
    on: date
    currency: str


@dataclass(frozen=True, slots=True)
class CardOnLevel:
    """One rate card and the name of its level, in the order in which levels are asked."""

    level: str
    card: RateCard


@dataclass(frozen=True, slots=True)
class RateFound:
    """The row that won, in words, and the others that were looked at."""

    rate: Money
    winner: str
    because: str
    considered: tuple[RowConsidered, ...]


@dataclass(frozen=True, slots=True)
class RateNotFound:
    """No row matches (NO_RATE), or several match equally (AMBIGUOUS_RATE)."""

    code: str
    detail: str
    considered: tuple[RowConsidered, ...] = ()


def find_rate(worked: Worked, cards: Sequence[CardOnLevel]) -> RateFound | RateNotFound:
    """The bill rate of an hour; ``cards`` from the most specific level to the firm's."""
    considered: list[RowConsidered] = []
    for on_level in cards:
        matching = [row for row in on_level.card.rows if _matches(row, worked)]
        considered += [_seen(on_level, row, "does not match") for row in on_level.card.rows if row not in matching]
        if not matching:
            continue
        best = max((row.specificity, row.effective_from) for row in matching)
        winners = [row for row in matching if (row.specificity, row.effective_from) == best]
        losers = [row for row in matching if row not in winners]
        considered += [_seen(on_level, row, _lost(row, winners[0])) for row in losers]
        if len(winners) > 1:
            names = ", ".join(row.row for row in winners)
            return RateNotFound("AMBIGUOUS_RATE", f"{on_level.level}: rows {names} match equally.", tuple(considered))
        if winners[0].pending:
            detail = f"{on_level.level}: row {winners[0].row} waits for its approval."
            return RateNotFound("RATE_PENDING_APPROVAL", detail, tuple(considered))
        if not winners[0].rate and winners[0].zero_because is None:
            detail = f"{on_level.level}: row {winners[0].row} bills nothing, and nobody has said that it is meant."
            return RateNotFound("ZERO_RATE_UNCONFIRMED", detail, tuple(considered))
        return RateFound(
            winners[0].rate, f"{on_level.level}/{winners[0].row}", _won(winners[0], on_level), tuple(considered)
        )
    detail = f"No rate in {worked.currency} for {worked.role} {worked.resource} in {worked.location} on {worked.on}."
    return RateNotFound("NO_RATE", detail, tuple(considered))


def _matches(row: RateRow, worked: Worked) -> bool:
    in_force = row.effective_from <= worked.on and (row.effective_to is None or worked.on <= row.effective_to)
    wanted = ((row.role, worked.role), (row.location, worked.location), (row.resource, worked.resource))
    is_usable = in_force and row.rate.currency == worked.currency
    return is_usable and all(asked is None or asked == has for asked, has in wanted)


def _seen(on_level: CardOnLevel, row: RateRow, verdict: str) -> RowConsidered:
    return RowConsidered(on_level.level, row.row, verdict)


def _lost(row: RateRow, winner: RateRow) -> str:
    if row.specificity < winner.specificity:
        return f"less specific than {winner.row}"
    return f"superseded by {winner.row} from {winner.effective_from}"


def _won(row: RateRow, on_level: CardOnLevel) -> str:
    by = [name for name, value in (("person", row.resource), ("location", row.location), ("role", row.role)) if value]
    return f"{on_level.level} card, row {row.row}, by {' and '.join(by) or 'everybody'}, from {row.effective_from}"
