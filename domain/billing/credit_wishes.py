"""What somebody wants credited, and the lots, quantities and values that it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from domain.billing.credited_amounts import Wanted, left_of
from domain.credit_note import Credit, LotOnCreditNote, RebillTo
from domain.invoice import CreditAboveLine, InvoiceLine, Issued, LotOnInvoice, UnknownInvoiceLine
from domain.kernel import Refused, StreamId
from domain.lots import Disposition
from domain.money import Money, minor_unit, money_of, total, zero

QUANTITY: Final = Decimal("0.000001")
"""The precision of a credited quantity: that of hours which were told in seconds, so that nothing of a lot is left."""


@dataclass(frozen=True, slots=True)
class CreditWish:
    """What somebody wants credited: a line, or one lot of it, all that is left or so much, and what becomes of it.

    ``quantity`` is in the unit of the line; ``amount`` instead is a part of what the line asks for before its own
    allowances, or of what a named lot is worth, with a minus where the line has one. Without ``lot`` the newest work of
    the line is credited first.
    """

    line: int
    lot: str | None = None
    quantity: Decimal | None = None
    amount: Money | None = None
    disposition: Disposition = "rebill"
    rebill_to: RebillTo | None = None


class NothingToCredit(Refused):
    """A credit note takes back something."""

    code = "credit_note.nothing_to_credit"
    fix = "Name lines, lots and quantities above zero of which something is left."


class LotNotOnLine(Refused):
    """The invoice line does not bill this lot."""

    code = "credit_note.lot_not_on_line"
    fix = "Use the lots of the invoice's line, by the ids that the invoice gives them."


class RebillTargetMissing(Refused):
    """Work that is billed elsewhere needs the engagement and line that it is billed to, and no other work names one."""

    code = "credit_note.rebill_target_missing"
    fix = "Name engagement and line for rebill_elsewhere, and leave them out otherwise."


class LineNotCreditedAlone(Refused):
    """A write-up or write-down is credited with the work that it belongs to."""

    code = "credit_note.line_not_credited_alone"
    fix = "Credit the line that was written up or down; its adjustment follows in proportion."


Taken = dict[str, tuple[Decimal, Money]]
"""What is left of each lot of a line, while a credit note is put together."""


def wanted_by(wishes: Sequence[CreditWish], issued: Issued) -> dict[int, Wanted]:
    """The lots, quantities, values and amounts that wishes come to, by invoice line."""
    amounts = _asked_amounts(wishes, issued)
    asked: dict[int, Money] = {}
    found: dict[int, list[LotOnCreditNote]] = {}
    left: dict[int, Taken] = {}
    for wish in wishes:
        line = _line_of(wish.line, issued)
        if (wish.disposition == "rebill_elsewhere") != (wish.rebill_to is not None):
            raise RebillTargetMissing(f"Line {wish.line}.")
        known = left.setdefault(wish.line, left_of(line, issued))
        parts = found.setdefault(wish.line, [])
        if line.lots and wish.line in amounts and wish.amount is not None:
            before = asked.get(wish.line, zero(line.net.currency))
            asked[wish.line] = before + wish.amount.rounded()
            parts += _lots_of_wish(wish, line, known, _worth_of(wish.amount, line, known, issued, before))
        elif line.lots:
            parts += _lots_of_wish(wish, line, known, wish.amount.rounded() if wish.amount is not None else None)
        else:
            parts.append(_without_lots(wish, line, issued, parts))
    if not any(part.quantity or part.value for parts in found.values() for part in parts):
        raise NothingToCredit
    return {line: Wanted(tuple(parts), asked.get(line)) for line, parts in found.items() if parts}


def _asked_amounts(wishes: Sequence[CreditWish], issued: Issued) -> set[int]:
    """The lines of which amounts are asked for and nothing else: no lot, no quantity."""
    return {
        line.line
        for line in issued.document.lines
        if all(wish.amount is not None and wish.lot is None for wish in wishes if wish.line == line.line)
    }


def _worth_of(amount: Money, line: InvoiceLine, left: Taken, issued: Issued, before: Money) -> Money:
    """The value of the lots that an amount of a line takes: all that is left for all of it, never all for less.

    The line may have been rounded once, away from its lots; ``before`` is what this credit note takes already.
    """
    currency, asked = line.net.currency, amount.rounded()
    value = total((worth for _, worth in left.values()), currency)
    given = total((each.net for each in issued.credits_of(line.line)), currency)
    share = Fraction((line.net - given).amount) / Fraction(line.net.amount) if line.net else Fraction(1)
    exact = Fraction(line.item_net.amount) * share - Fraction(before.amount)
    rest = money_of(exact, currency)
    if abs(rest.amount) < abs(asked.amount):
        raise CreditAboveLine(f"Line {line.line}: {rest} of {amount} is left.")
    if asked == rest:
        return value
    worth = money_of(Fraction(asked.amount) * Fraction(value.amount) / exact, currency)
    most = max(abs(value.amount) - minor_unit(currency), Decimal(0)).copy_sign(value.amount)
    return min(worth, Money(most, currency), key=lambda each: abs(each.amount))


def _line_of(number: int, issued: Issued) -> InvoiceLine:
    line = next((each for each in issued.document.lines if each.line == number), None)
    if line is None:
        raise UnknownInvoiceLine(f"{issued.document.number} has no line {number}.")
    if line.adjustment is not None:
        raise LineNotCreditedAlone(f"Line {number} belongs to line {line.adjustment.of_line}.")
    return line


def _lots_of_wish(wish: CreditWish, line: InvoiceLine, left: Taken, worth: Money | None) -> list[LotOnCreditNote]:
    """What a wish takes of each lot, the newest work first, ``worth`` in all; ``left`` is less by it afterwards."""
    lots = [lot for lot in line.lots if wish.lot in (None, lot.lot)]
    if not lots:
        raise LotNotOnLine(f"{wish.lot} on line {line.line}.")
    lots.sort(key=lambda lot: (lot.work_date or line.last_work_date, lot.lot), reverse=True)
    wanted = wish.quantity.quantize(QUANTITY) if wish.quantity is not None else None
    sign = -1 if line.standard_value.amount < 0 else 1
    if (wanted is not None and wanted <= 0) or (wish.amount is not None and sign * wish.amount.rounded().amount <= 0):
        raise NothingToCredit(f"Line {line.line}: {wish.quantity if wish.amount is None else wish.amount} asked.")
    taken: list[LotOnCreditNote] = []
    for lot in lots:
        quantity, value = _taken(lot, left[lot.lot], wanted, worth)
        if not quantity and not value:
            continue
        left[lot.lot] = (left[lot.lot][0] - quantity, left[lot.lot][1] - value)
        wanted = wanted - quantity if wanted is not None else None
        worth = worth - value if worth is not None else None
        taken.append(_on_credit_note(lot, quantity, value, wish))
    if wanted and wish.quantity is not None:
        raise CreditAboveLine(f"Line {line.line}: {(wish.quantity - wanted).normalize():f} is left.")
    if worth and wish.amount is not None:
        raise CreditAboveLine(f"Line {line.line}: {wish.amount - worth} of {wish.amount} is left.")
    if not taken:
        raise CreditAboveLine(f"Line {line.line} is credited already.")
    return taken


def _taken(
    lot: LotOnInvoice, left: tuple[Decimal, Money], wanted: Decimal | None, worth: Money | None
) -> tuple[Decimal, Money]:
    """What is credited of one lot: all that is left, or as much as is wanted of it, with the value of that."""
    quantity_left, value_left = left
    if worth is not None:
        if abs(value_left.amount) <= abs(worth.amount):
            return quantity_left, value_left
        if not worth:
            return Decimal(0), worth
        return (lot.quantity * worth.amount / lot.value.amount).quantize(QUANTITY), worth
    if wanted is None or quantity_left <= wanted:
        return quantity_left, value_left
    share = (lot.value * (wanted / lot.quantity)).rounded()
    return wanted, min(share, value_left, key=lambda each: abs(each.amount))


def _on_credit_note(lot: LotOnInvoice, quantity: Decimal, value: Money, wish: CreditWish) -> LotOnCreditNote:
    return LotOnCreditNote(
        lot.stream,
        lot.lot,
        quantity,
        value,
        wish.disposition,
        wish.rebill_to,
        lot.work_date,
        lot.resource,
        lot.description,
    )


def _without_lots(
    wish: CreditWish, line: InvoiceLine, issued: Issued, parts: Sequence[LotOnCreditNote]
) -> LotOnCreditNote:
    """What a wish takes of a line that bills no lots, such as a service credit: so much of its net."""
    given = total((each.net for each in issued.credits_of(line.line)), line.net.currency)
    left = line.net - given - total((part.value for part in parts), line.net.currency)
    amount = wish.amount.rounded() if wish.amount is not None else left
    sign = -1 if line.net.amount < 0 else 1
    if wish.lot is not None or wish.quantity is not None or wish.rebill_to is not None:
        raise LotNotOnLine(f"Line {line.line} bills no lots: name an amount.")
    if not amount or sign * amount.amount <= 0:
        raise NothingToCredit(f"Line {line.line}: {amount}.")
    if sign * left.amount < sign * amount.amount:
        raise CreditAboveLine(f"Line {line.line}: {amount} asked, {left} left.")
    return LotOnCreditNote(StreamId(""), "", Decimal(0), amount, wish.disposition)


def wanted_as_drafted(credit: Credit, issued: Issued) -> dict[int, Wanted]:
    """The lots and amounts of a draft again, if the invoice still has as much of them."""
    found: dict[int, Wanted] = {}
    for line in credit.lines:
        if line.of_adjustment:
            continue
        found[line.of_line] = Wanted(line.lots, line.asked)
        left = left_of(_line_of(line.of_line, issued), issued)
        for lot in line.lots:
            if lot.lot:
                quantity, value = left[lot.lot]
                if quantity < lot.quantity or abs(value.amount) < abs(lot.value.amount):
                    raise CreditAboveLine(f"{lot.lot}: {lot.quantity:f} asked, {quantity:f} left.")
                left[lot.lot] = (quantity - lot.quantity, value - lot.value)
    return found
