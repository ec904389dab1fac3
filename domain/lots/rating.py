"""Rating puts a lot with today's figures in the place of open ones, and leaves alone what is billed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from domain.lots.book import LotBook, LotState, next_lot_id
from domain.lots.lot import ENDED, Lot, LotStatus
from domain.lots.words import LotRated, LotReversed
from domain.money import Money, minor_unit, total


def decide_rating(rated: Lot, book: LotBook) -> Sequence[LotRated | LotReversed]:
    """The lot of a source under the next free id, in place of open ones with other figures.

    What is on a draft or an invoice, was given up or moved elsewhere stays as it is: then only the open rest of the
    work is rated anew, each part for itself. Quiet when nothing changed, and while a retainer pays for some of it.
    """
    standing = [
        held
        for held in book.values()
        if held.lot.source == rated.source
        and held.lot.transferred_from == rated.transferred_from
        and held.status not in ENDED
    ]
    if any(held.status is LotStatus.DRAWN for held in standing):
        return []
    free = [held.lot for held in standing if _may_be_rated_anew(held)]
    fixed = len(free) < len(standing)
    if not fixed and free and _same_figures(rated, free):
        return []
    wanted = [(lot, portion_of(rated, lot)) for lot in free] if fixed else []
    changed = [(lot, portion) for lot, portion in wanted if not _same_portion(portion, lot)]
    gone = [lot for lot, _ in changed] if fixed else free
    fresh = [portion for _, portion in changed] if fixed else [rated]
    return [
        *(LotReversed(lot.lot, "the price or cost changed") for lot in gone),
        *(
            LotRated(replace(lot, lot=next_lot_id(book, rated.source, after=number)))
            for number, lot in enumerate(fresh)
        ),
    ]


def _may_be_rated_anew(held: LotState) -> bool:
    rated_for_cost = held.status is LotStatus.NON_BILLABLE and held.lot.non_billable_because is not None
    return held.status is LotStatus.OPEN or rated_for_cost


def portion_of(rated: Lot, part: Lot) -> Lot:
    """What a part of some work is rated at, when all of it is rated: its own quantity at that price and cost."""
    share = part.quantity / rated.quantity if rated.quantity else Decimal(1)
    converted, transfer = rated.cost_in_billing_currency, rated.transfer
    return replace(
        rated,
        quantity=part.quantity,
        value=Money(rated.price * part.quantity, rated.value.currency).rounded(),
        cost=(rated.cost * share).rounded(),
        cost_in_billing_currency=(converted * share).rounded() if converted is not None else None,
        transfer=replace(transfer, value=(transfer.value * share).rounded()) if transfer is not None else None,
    )


def _same_portion(portion: Lot, part: Lot) -> bool:
    """Whether a part has these figures already; a split may have moved a minor unit from one part to another."""
    if (portion.value.currency, portion.cost.currency) != (part.value.currency, part.cost.currency):
        return False
    one, other = portion.cost_in_billing_currency, part.cost_in_billing_currency
    if (one is None) != (other is None) or abs((portion.cost - part.cost).amount) > minor_unit(part.cost.currency):
        return False
    same = replace(
        portion,
        lot=part.lot,
        value=part.value,
        cost=part.cost,
        cost_in_billing_currency=other,
        approved_at=part.approved_at,
        explanation=part.explanation,
        transfer=part.transfer,
        transfer_gap=part.transfer_gap,
    )
    return same == part


def _same_figures(rated: Lot, current: Sequence[Lot]) -> bool:
    """Whether the lots that stand for a source add up to what it would be rated at now."""
    first, currency = current[0], rated.value.currency
    converted = [lot.cost_in_billing_currency for lot in current]
    if (first.price, first.value.currency, first.cost.currency) != (rated.price, currency, rated.cost.currency):
        return False
    whole = replace(
        first,
        quantity=sum((lot.quantity for lot in current), Decimal(0)),
        value=total((lot.value for lot in current), currency),
        cost=total((lot.cost for lot in current), rated.cost.currency),
        cost_in_billing_currency=None if None in converted else total(filter(None, converted), currency),
    )
    # A transfer is priced by commands of its own: it may change when the price for the customer must not. Another
    # approval of the same hours changes no figure either.
    return (
        replace(
            rated,
            lot=whole.lot,
            approved_at=whole.approved_at,
            explanation=whole.explanation,
            transfer=whole.transfer,
            transfer_gap=whole.transfer_gap,
        )
        == whole
    )
