"""What a credit comes to: shares of a line's net, its adjustments, the document's allowances, and their taxes.

Everything is computed to date and less what was credited before, so that rounding never adds up: however often a line
is credited in part, the sum is never more than the line, and the credit that empties it takes what is left to the cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from domain.credit_note import Credit, CreditedAllowance, CreditedLine, CreditForm, LotOnCreditNote
from domain.invoice import Document, InvoiceLine, Issued, LineCredited
from domain.invoice.totals import AllowanceCharge
from domain.money import Money, adding_up_to, minor_unit, total, zero
from domain.tax import TaxSubtotal, TaxTreatment


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is credited of one invoice line: so much of its lots; ``asked`` is the amount that was named for them."""

    lots: Sequence[LotOnCreditNote]
    asked: Money | None = None


def credit_of(issued: Issued, wanted: Mapping[int, Wanted], form: CreditForm, reason: str) -> Credit:
    """What a credit of these lots and amounts, by the number of the invoice line, says."""
    document = issued.document
    taxes = taxes_by_part(document)
    lines: list[CreditedLine] = []
    for line in document.lines:
        if line.line in wanted and line.adjustment is None:
            lines.append(_credited_line(issued, line, wanted[line.line], taxes, len(lines) + 1))
    for line in document.lines:
        of_line = line.adjustment.of_line if line.adjustment else None
        if of_line is not None and of_line in wanted:
            adjusted = next(each for each in lines if each.of_line == of_line)
            credited = _credited_adjustment(issued, line, adjusted, taxes, len(lines) + 1)
            lines += [credited] if credited is not None else []
    allowances = _credited_allowances(issued, lines, taxes)
    return _summed(issued, lines, allowances, form, reason)


def taxes_by_part(document: Document) -> dict[tuple[str, int], tuple[Money, ...]]:
    """The tax of every line (``"line"``, number) and allowance (``"allowance"``, place), one amount per treatment.

    The document rounds tax as its jurisdiction says; its parts get their own by largest remainder, so that they add up.
    """
    by_category = {line.tax_category: line.treatments for line in reversed(document.lines)}
    parts: list[tuple[tuple[str, int], Money, tuple[TaxTreatment, ...]]] = [
        (("line", line.line), line.net, line.treatments) for line in document.lines
    ]
    for place, each in enumerate(document.allowances):
        parts.append((("allowance", place), each.signed, by_category[each.tax_category]))
    found: dict[tuple[str, int], list[Money]] = {
        key: [zero(document.gross.currency)] * len(treatments) for key, _, treatments in parts
    }
    for subtotal in document.taxes:
        members = [
            (key, index, net)
            for key, net, treatments in parts
            for index, each in enumerate(treatments)
            if (each.tax, each.category, each.rate) == (subtotal.name, subtotal.category, subtotal.rate)
        ]
        exact = [Fraction(net.amount) * Fraction(subtotal.rate) / 100 for _, _, net in members]
        for (key, index, _), share in zip(members, adding_up_to(subtotal.tax, exact), strict=True):
            found[key][index] = share
    return {key: tuple(amounts) for key, amounts in found.items()}


def left_of(line: InvoiceLine, issued: Issued) -> dict[str, tuple[Decimal, Money]]:
    """The quantity and standard value of each lot of a line that was not credited yet."""
    left = {lot.lot: (lot.quantity, lot.value) for lot in line.lots}
    for credited in issued.credits_of(line.line):
        for each in credited.lots:
            quantity, value = left[each.lot]
            left[each.lot] = (quantity - each.quantity, value - each.value)
    return left


def share_of(whole: Money, part: Fraction) -> Money:
    """A part of an amount, half up at the minor unit."""
    quantum = minor_unit(whole.currency)
    units = abs(Fraction(whole.amount) * part / Fraction(quantum))
    sign = -1 if whole.amount < 0 else 1
    return Money(quantum * sign * int(units + Fraction(1, 2)), whole.currency)


def _credited_line(
    issued: Issued,
    line: InvoiceLine,
    wanted: Wanted,
    taxes: Mapping[tuple[str, int], tuple[Money, ...]],
    number: int,
) -> CreditedLine:
    before, lots = issued.credits_of(line.line), wanted.lots
    given = total((each.net for each in before), line.net.currency)
    value = total((lot.value for lot in lots), line.net.currency)
    quantity = sum((lot.quantity for lot in lots), Decimal(0))
    if line.lots:
        part = _part_of_lots(line, before, lots)
    else:
        part = Fraction((given + value).amount) / Fraction(line.net.amount)
    if wanted.asked is not None and line.net and part != 1:
        net = share_of(wanted.asked, Fraction(line.net.amount) / Fraction(line.item_net.amount))
        part = Fraction((given + net).amount) / Fraction(line.net.amount)
    else:
        net = max(share_of(line.net, part), given, key=lambda each: abs(each.amount)) - given
    made = _line(line, number, quantity, net, part, before, lots, taxes)
    return replace(made, asked=wanted.asked, rounding=_rounding(line, given, made) or None)


def _rounding(line: InvoiceLine, given: Money, credited: CreditedLine) -> Money:
    """What a credit gives back of the rounding of a line; beside allowances its share of it."""
    if not line.lots or not line.net:
        return zero(line.net.currency)
    if not line.allowances:
        return credited.net - total((lot.value for lot in credited.lots), line.net.currency)
    before, after = (Fraction(each.amount) / Fraction(line.net.amount) for each in (given, given + credited.net))
    return share_of(line.rounding, after) - share_of(line.rounding, before)


def _part_of_lots(line: InvoiceLine, before: Sequence[LineCredited], lots: Sequence[LotOnCreditNote]) -> Fraction:
    """How much of a line is credited with this credit: by standard value, or by quantity if it has none."""
    earlier = [each for credited in before for each in credited.lots]
    standard = line.standard_value
    if standard:
        value = total((each.value for each in earlier), standard.currency)
        value += total((each.value for each in lots), standard.currency)
        return Fraction(value.amount) / Fraction(standard.amount)
    quantity = sum((each.quantity for each in earlier), Decimal(0)) + sum((each.quantity for each in lots), Decimal(0))
    whole = sum((lot.quantity for lot in line.lots), Decimal(0))
    return Fraction(quantity) / Fraction(whole) if whole else Fraction(1)


def _credited_adjustment(
    issued: Issued,
    line: InvoiceLine,
    adjusted: CreditedLine,
    taxes: Mapping[tuple[str, int], tuple[Money, ...]],
    number: int,
) -> CreditedLine | None:
    """What is taken back of a write-up or write-down of credited work: its share for each lot that it concerns."""
    assert line.adjustment is not None
    before = issued.credits_of(line.line)
    of = next(each for each in issued.document.lines if each.line == line.adjustment.of_line)
    whole = {lot.lot: lot.quantity for lot in of.lots}
    given: dict[str, Decimal] = {}
    for each in issued.credits_of(of.line):
        for lot in each.lots:
            given[lot.lot] = given.get(lot.lot, Decimal(0)) + lot.quantity
    by_lot: dict[str, LotOnCreditNote] = {}
    for now in adjusted.lots:
        given[now.lot] = given.get(now.lot, Decimal(0)) + now.quantity
        by_lot.setdefault(now.lot, now)
    shares: list[LotOnCreditNote] = []
    for part in line.adjustment.lots:
        if part.lot not in by_lot or not whole[part.lot]:
            continue
        earlier = total((lot.value for each in before for lot in each.lots if lot.lot == part.lot), line.net.currency)
        share = share_of(part.value, Fraction(given[part.lot]) / Fraction(whole[part.lot])) - earlier
        shares.append(replace(by_lot[part.lot], quantity=Decimal(0), value=share))
    if not shares:
        return None
    net = total((share.value for share in shares), line.net.currency)
    credited = total((each.net for each in before), line.net.currency) + net
    fraction = Fraction(credited.amount) / Fraction(line.net.amount) if line.net else Fraction(1)
    quantity = Decimal(-1 if line.net.amount < 0 else 1)
    made = _line(line, number, quantity, net, fraction, before, shares, taxes)
    return replace(made, of_adjustment=True)


def _line(
    line: InvoiceLine,
    number: int,
    quantity: Decimal,
    net: Money,
    part: Fraction,
    before: Sequence[LineCredited],
    lots: Sequence[LotOnCreditNote],
    taxes: Mapping[tuple[str, int], tuple[Money, ...]],
) -> CreditedLine:
    days = [lot.work_date for lot in lots if lot.work_date is not None]
    quantity, price = _priced(line, quantity, net)
    return CreditedLine(
        line=number,
        of_line=line.line,
        description=line.description,
        quantity=quantity,
        unit=line.unit,
        price=price,
        net=net,
        treatments=line.treatments,
        taxes=tuple(
            share_of(tax, part) - total((each.taxes[index] for each in before), tax.currency)
            for index, tax in enumerate(taxes["line", line.line])
        ),
        lots=tuple(lots),
        engagement=line.engagement,
        project=line.project,
        contract_line=line.contract_line,
        first_work_date=min(days, default=line.first_work_date),
        last_work_date=max(days, default=line.last_work_date),
        completes=part == 1,
        holdback=(net * (line.holdback_percent / 100)).rounded() if line.holdback_percent else None,
    )


def _priced(line: InvoiceLine, quantity: Decimal, net: Money) -> tuple[Decimal, Decimal]:
    """Quantity and price whose product is the net: the line's own price where that is so, else one of the whole."""
    own = line.price / line.base_quantity
    if quantity and (Money(own * quantity, net.currency)).rounded() == net:
        return quantity, own
    if quantity:
        price = (net.amount / quantity).quantize(Decimal("0.0001"))
        if Money(price * quantity, net.currency).rounded() == net and line.unit == "hour":
            return quantity, price
    sign = Decimal(-1 if net.amount < 0 else 1)
    return sign, abs(net.amount)


def _credited_allowances(
    issued: Issued, lines: Sequence[CreditedLine], taxes: Mapping[tuple[str, int], tuple[Money, ...]]
) -> tuple[CreditedAllowance, ...]:
    """What is taken back of the document's own allowances and charges: as much as of the lines that they belong to."""
    document = issued.document
    credited: list[CreditedAllowance] = []
    for place, each in enumerate(document.allowances):
        mine = [line for line in document.lines if line.tax_category == each.tax_category]
        numbers = {line.line for line in mine}
        whole = total((line.net for line in mine), each.amount.currency)
        given = total(
            (known.net for number in numbers for known in issued.credits_of(number)), each.amount.currency
        ) + total((line.net for line in lines if line.of_line in numbers), each.amount.currency)
        earlier = [
            known for credit in issued.credits.values() for known in credit.allowances if known.allowance == place
        ]
        part = Fraction(given.amount) / Fraction(whole.amount) if whole else Fraction(1)
        amount = share_of(each.amount, part) - total((known.amount for known in earlier), each.amount.currency)
        shares = tuple(
            share_of(tax, part) - total((known.taxes[index] for known in earlier), tax.currency)
            for index, tax in enumerate(taxes["allowance", place])
        )
        if amount or any(shares):
            credited.append(CreditedAllowance(place, _of(each, amount), mine[0].treatments, shares))
    return tuple(credited)


def _of(allowance: AllowanceCharge, amount: Money) -> AllowanceCharge:
    return replace(allowance, amount=amount, percent=None, base=None)


def _summed(
    issued: Issued,
    lines: Sequence[CreditedLine],
    allowances: tuple[CreditedAllowance, ...],
    form: CreditForm,
    reason: str,
) -> Credit:
    document, currency = issued.document, issued.document.gross.currency
    net = total((line.net for line in lines), currency)
    net += total((each.adjustment.signed for each in allowances), currency)
    taxes = _subtotals(document, lines, allowances)
    tax = total((each.tax for each in taxes), currency)
    empties = _is_emptied(issued, lines)
    kept_back = total((line.holdback for line in lines if line.holdback), currency)
    held_back = max(zero(currency), issued.held_back)
    return Credit(
        invoice=issued.invoice,
        invoice_number=document.number,
        invoice_issued_on=document.issued_on,
        form=form,
        reason=reason,
        seller=document.seller,
        buyer=document.buyer,
        header=document.header,
        lines=tuple(lines),
        allowances=allowances,
        taxes=taxes,
        net=net,
        tax=tax,
        gross=net + tax,
        holdback=held_back if empties else max(zero(currency), min(kept_back, held_back)),
        functional_currency=document.functional_currency,
        fx_rate=document.fx_rate,
        rounding=document.payable_rounding if empties else None,
    )


def _is_emptied(issued: Issued, lines: Sequence[CreditedLine]) -> bool:
    """Whether nothing of the invoice is left."""
    now: dict[int, Money] = {line.of_line: line.net for line in lines}
    return all(
        total((each.net for each in issued.credits_of(line.line)), line.net.currency)
        + now.get(line.line, zero(line.net.currency))
        == line.net
        for line in issued.document.lines
    )


def _subtotals(
    document: Document, lines: Iterable[CreditedLine], allowances: Iterable[CreditedAllowance]
) -> tuple[TaxSubtotal, ...]:
    """The tax breakdown of the credit, in the order of the invoice's."""
    bases: dict[tuple[str, str, Decimal], tuple[Money, Money]] = {}
    parts = [(line.net, line.treatments, line.taxes) for line in lines]
    parts += [(each.adjustment.signed, each.treatments, each.taxes) for each in allowances]
    for net, treatments, taxes in parts:
        for treatment, tax in zip(treatments, taxes, strict=True):
            key = (treatment.tax, treatment.category, treatment.rate)
            known = bases.get(key, (zero(net.currency), zero(net.currency)))
            bases[key] = (known[0] + net, known[1] + tax)
    return tuple(
        replace(each, taxable=bases[key][0], tax=bases[key][1])
        for each in document.taxes
        if (key := (each.name, each.category, each.rate)) in bases
    )
