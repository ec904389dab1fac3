"""A settlement pays what entities invoiced each other: all that is open, or the invoices that are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.conversion import fx_quote
from domain.intercompany.invoice import (
    CashLeg,
    Intercompany,
    NothingToSettle,
    SettledInvoice,
    SettleIntercompany,
    Settlement,
    UnknownInvoice,
    intercompany_stream,
)
from domain.intercompany.run import EntityNotDefined
from domain.kernel import Addressed
from domain.money import Money, total
from domain.ports import Read, entity_of


@dataclass(frozen=True, slots=True)
class Wish:
    """Who pays whom, when, and what: ``numbers`` or, without any, everything that is open in ``currency``.

    ``amount`` pays a single invoice in part.
    """

    settlement: str
    lender: str
    borrower: str
    paid_on: date
    numbers: tuple[str, ...]
    currency: str | None
    amount: Money | None
    by: str


def settle_intercompany(read: Read, wish: Wish) -> Addressed:
    """The command that settles; raises NothingToSettle, UnknownInvoice, FxRateMissing and EntityNotDefined."""
    stream = intercompany_stream(wish.lender, wish.borrower)
    pair: Intercompany = read(stream)
    known = pair.settlements.get(wish.settlement)
    invoices = known.invoices if known is not None and _means(wish, known) else _chosen(pair, wish)
    paid = total((each.amount for each in invoices), invoices[0].amount.currency)
    settlement = Settlement(
        settlement=wish.settlement,
        lender=wish.lender,
        borrower=wish.borrower,
        paid_on=wish.paid_on,
        invoices=tuple(invoices),
        paid=paid,
        lender_leg=_leg(read, wish.lender, invoices, wish.paid_on),
        borrower_leg=_leg(read, wish.borrower, invoices, wish.paid_on),
    )
    return Addressed(stream, SettleIntercompany(settlement, wish.by))


def _means(wish: Wish, known: Settlement) -> bool:
    """Whether a wish that was told before is told again."""
    same = not wish.numbers or wish.numbers == tuple(each.number for each in known.invoices)
    return (
        same
        and (wish.amount is None or wish.amount.rounded() == known.paid)
        and wish.currency in (None, known.paid.currency)
    )


def _chosen(pair: Intercompany, wish: Wish) -> Sequence[SettledInvoice]:
    unknown = [each for each in wish.numbers if each not in pair.open]
    if unknown:
        raise UnknownInvoice(f"{', '.join(unknown)} of {wish.lender} to {wish.borrower}.")
    asked = {number: pair.open[number] for number in wish.numbers or pair.open}
    left = {
        number: amount for number, amount in asked.items() if amount.amount and wish.currency in (None, amount.currency)
    }
    if not left or len({amount.currency for amount in left.values()}) > 1 or (wish.amount and len(left) > 1):
        raise NothingToSettle(f"{wish.settlement}: {', '.join(map(str, left.values())) or 'nothing is open'}.")
    return [SettledInvoice(number, wish.amount.rounded() if wish.amount else amount) for number, amount in left.items()]


def _leg(read: Read, entity: str, invoices: Sequence[SettledInvoice], day: date) -> CashLeg:
    """The money of one side, which is what it is for each invoice."""
    state = entity_of(read, entity)
    if not state.versions:
        raise EntityNotDefined(entity)
    functional = (state.on(day) or state.versions[0]).functional_currency
    quote = fx_quote(read, invoices[0].amount.currency, functional, day)
    values = (Money(each.amount.amount * quote.rate, functional).rounded() for each in invoices)
    return CashLeg(entity, total(values, functional), quote.rate, quote.rate_id)
