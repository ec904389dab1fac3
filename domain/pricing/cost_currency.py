"""A cost rate is in the currency in which the employing entity keeps its books."""

from __future__ import annotations

from datetime import date

from domain.kernel import Refused
from domain.money import Money
from domain.ports import Read, entity_of


class CostCurrencyDiffers(Refused):
    """What an hour costs is stated in the currency of the entity that employs the person or role."""

    code = "cost_rate.currency_differs"
    fix = "Correct the currency or the employer in the HR system, and send the worker or the cost rate again."


def cost_currency(read: Read, entity: str, day: date) -> str | None:
    """The currency of what people cost an entity on a day; None while nothing is known of it."""
    terms = entity_of(read, entity).on(day)
    return terms.functional_currency if terms is not None else None


def require_cost_currency(read: Read, entity: str, rate: Money | None, day: date) -> None:
    """Refuses a cost rate from a day on that is in another currency than that of its entity, as far as it is known."""
    expected = cost_currency(read, entity, day)
    if rate is not None and expected not in (None, rate.currency):
        raise CostCurrencyDiffers(f"{rate} at {entity}, which keeps its books in {expected}.")
