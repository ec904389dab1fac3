"""What a customer's document says, in the words and figures that are printed: the same for PDF and for machines.

A negative invoice (form 380 of a credit) shows its amounts with a minus; everything else shows them as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from domain.credit_note import Credit, CreditedLine, IssuedCredit
from domain.invoice import AllowanceCharge, Document, InvoiceLine, Issued, LotOnInvoice, Party
from domain.invoice.totals import line_net
from domain.money import Money, total, zero
from domain.reference.legal_entity import BankAccount
from domain.tax import TaxSubtotal, TaxTreatment

TypeCode = Literal["380", "381"]


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """A line: what, how much of it, at which price, and what it comes to; ``taxes`` are printed as ``19 %``."""

    number: int
    description: str
    quantity: Decimal
    unit: str
    price: Decimal
    base_quantity: Decimal
    net: Money
    treatments: tuple[TaxTreatment, ...]
    allowances: tuple[AllowanceCharge, ...]
    first_day: date
    last_day: date

    def comes_out_at(self, quantity: Decimal) -> bool:
        """Whether whoever multiplies finds the net: price x quantity / base quantity, then allowances and charges."""
        currency, base = self.net.currency, self.base_quantity
        found = line_net(self.price, quantity, currency, base_quantity=base, adjustments=self.allowances)
        return found == self.net


@dataclass(frozen=True, slots=True)
class AnnexEntry:
    """A piece of work behind a line: who, when, what, how much, at which rate."""

    day: date | None
    who: str
    what: str
    quantity: Decimal
    rate: Decimal
    amount: Money


@dataclass(frozen=True, slots=True)
class AnnexPart:
    """The work behind one line; ``rounding`` is what the line, rounded once, asks for beyond its entries."""

    number: int
    description: str
    unit: str
    entries: tuple[AnnexEntry, ...]
    quantity: Decimal
    amount: Money
    rounding: Money


@dataclass(frozen=True, slots=True)
class Printed:
    """An issued document as it is sent.

    ``tax_in_books`` is the tax in the seller's own currency where that is another (Directive 2006/112/EC, article 230),
    ``net_in_books`` the net, as Singapore asks for it beside the tax (GST (General) Regulations, regulation 11).
    """

    type_code: TypeCode
    title: str
    number: str
    issued_on: date
    due_on: date | None
    seller: Party
    buyer: Party
    currency: str
    customer: str
    purchase_order: str | None
    engagements: tuple[str, ...]
    corrects: tuple[str, date] | None
    reason: str
    lines: tuple[PrintedLine, ...]
    annex: tuple[AnnexPart, ...]
    allowances: tuple[tuple[AllowanceCharge, tuple[TaxTreatment, ...]], ...]
    taxes: tuple[TaxSubtotal, ...]
    line_total: Money
    net: Money
    tax: Money
    gross: Money
    prepaid: Money
    holdback: Money
    rounding: Money
    payable: Money
    bank: BankAccount | None
    terms: str
    tax_in_books: Money | None = None
    net_in_books: Money | None = None

    @property
    def period(self) -> tuple[date, date]:
        """From the first to the last day of what is billed."""
        return min(line.first_day for line in self.lines), max(line.last_day for line in self.lines)


def printed_invoice(issued: Issued) -> Printed:
    """The printed form of an issued invoice."""
    document = issued.document
    currency = document.gross.currency
    by_category = {line.tax_category: line.treatments for line in reversed(document.lines)}
    return Printed(
        type_code="380",
        title="Invoice",
        number=document.number,
        issued_on=document.issued_on,
        due_on=document.due_on,
        seller=document.seller,
        buyer=document.buyer,
        currency=currency,
        customer=document.header.customer,
        purchase_order=document.header.purchase_order,
        engagements=document.header.all_engagements,
        corrects=None,
        reason="",
        lines=tuple(map(_line, document.lines)),
        annex=tuple(_annex(line) for line in document.lines if _is_itemised(line)),
        allowances=tuple((each, by_category[each.tax_category]) for each in document.allowances),
        taxes=document.taxes,
        line_total=total((line.net for line in document.lines), currency),
        net=document.net,
        tax=document.tax,
        gross=document.gross,
        prepaid=document.prepaid,
        holdback=document.holdback,
        rounding=document.payable_rounding or zero(currency),
        payable=document.payable,
        bank=document.bank,
        terms=document.terms or _terms(document),
        tax_in_books=_in_books(document.tax, document.functional_currency, document.fx_rate),
        net_in_books=_in_books(document.net, document.functional_currency, document.fx_rate),
    )


def printed_credit_note(note: IssuedCredit) -> Printed:
    """The printed form of an issued credit note, or of a negative invoice."""
    credit = note.credit
    sign = Decimal(1) if credit.form == "381" else Decimal(-1)
    currency = credit.gross.currency
    return Printed(
        type_code=credit.form,
        title="Credit note" if credit.form == "381" else "Corrective invoice",
        number=note.number,
        issued_on=note.issued_on,
        due_on=None if credit.form == "381" else note.issued_on,
        seller=credit.seller,
        buyer=credit.buyer,
        currency=currency,
        customer=credit.header.customer,
        purchase_order=credit.header.purchase_order,
        engagements=credit.header.all_engagements,
        corrects=(credit.invoice_number, credit.invoice_issued_on),
        reason=credit.reason,
        lines=tuple(_credited(line, sign) for line in credit.lines),
        annex=tuple(_credited_annex(line, sign) for line in credit.lines if _has_lots(line)),
        allowances=_allowances_of(credit, sign),
        taxes=tuple(_signed(each, sign) for each in credit.taxes),
        line_total=total((line.net for line in credit.lines), currency) * sign,
        net=credit.net * sign,
        tax=credit.tax * sign,
        gross=credit.gross * sign,
        prepaid=zero(currency),
        holdback=credit.holdback * sign,
        rounding=(credit.rounding or zero(currency)) * sign,
        payable=credit.payable * sign,
        bank=None,
        terms="The amount is set off against what is due under the invoice; what has been paid beyond it is repaid.",
        tax_in_books=_in_books(credit.tax * sign, credit.functional_currency, credit.fx_rate),
        net_in_books=_in_books(credit.net * sign, credit.functional_currency, credit.fx_rate),
    )


def _in_books(amount: Money, currency: str, rate: Decimal) -> Money | None:
    return None if amount.currency == currency else Money(amount.amount * rate, currency).rounded()


def _terms(document: Document) -> str:
    days = (document.due_on - document.issued_on).days
    return f"Payable within {days} days, without deduction." if days else "Payable at once, without deduction."


def _line(line: InvoiceLine) -> PrintedLine:
    """A line at its price; where a cap or several payers cut its work to the cent, as one item, with what it is of.

    The part of a quantity that such an amount is has no end, or a cent was given to this part and not to another.
    """
    priced = PrintedLine(
        line.line,
        line.description,
        line.quantity,
        line.unit,
        line.price,
        line.base_quantity,
        line.net,
        line.treatments,
        line.allowances,
        line.first_work_date,
        line.last_work_date,
    )
    if priced.comes_out_at(priced.quantity):
        return priced
    per = f" for {line.base_quantity:f}" if line.base_quantity != 1 else ""
    worked = f"{_plain(line.quantity)}{' h at' if line.unit == 'hour' else ' of'} {_plain(line.price)}{per}"
    return _as_one(priced, line.item_net, worked)


def _as_one(line: PrintedLine, amount: Money, worked: str) -> PrintedLine:
    """A line as one item of an amount, which says what the amount is of."""
    return replace(
        line,
        description=f"{line.description} ({worked})",
        quantity=Decimal(1),
        unit="item",
        price=amount.amount,
        base_quantity=Decimal(1),
    )


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _credited(line: CreditedLine, sign: Decimal) -> PrintedLine:
    """A credited line at its price; hours whose price x quantity is not what is given back, as one item."""
    priced = PrintedLine(
        line.line,
        line.description,
        line.quantity * sign,
        line.unit,
        line.price,
        Decimal(1),
        line.net * sign,
        line.treatments,
        (),
        line.first_work_date,
        line.last_work_date,
    )
    hours = sum((lot.quantity for lot in line.lots), Decimal(0))
    is_of_hours = line.unit == "hour" and not line.of_adjustment
    return _as_one(priced, priced.net, f"{_plain(hours)} h") if is_of_hours and hours != line.quantity else priced


def _is_itemised(line: InvoiceLine) -> bool:
    return bool(line.lots) and any(lot.work_date for lot in line.lots)


def _has_lots(line: CreditedLine) -> bool:
    return not line.of_adjustment and any(lot.lot and lot.work_date for lot in line.lots)


def _annex(line: InvoiceLine) -> AnnexPart:
    entries = tuple(_entry(lot, line.price / line.base_quantity) for lot in _in_order(line.lots))
    return AnnexPart(line.line, line.description, line.unit, entries, *_sums(entries, line.rounding), line.rounding)


def _in_order(lots: Sequence[LotOnInvoice]) -> list[LotOnInvoice]:
    return sorted(lots, key=lambda lot: (lot.work_date or date.min, lot.resource or "", lot.lot))


def _entry(lot: LotOnInvoice, rate: Decimal) -> AnnexEntry:
    return AnnexEntry(lot.work_date, lot.resource or "", lot.description, lot.quantity, rate, lot.value)


def _credited_annex(line: CreditedLine, sign: Decimal) -> AnnexPart:
    lots = sorted(line.lots, key=lambda lot: (lot.work_date or date.min, lot.resource or "", lot.lot))
    entries = tuple(
        AnnexEntry(
            lot.work_date,
            lot.resource or "",
            lot.description,
            lot.quantity * sign,
            (lot.value.amount / lot.quantity).quantize(Decimal("0.01")) if lot.quantity else lot.value.amount,
            lot.value * sign,
        )
        for lot in lots
    )
    rounding = (line.rounding or zero(line.net.currency)) * sign
    return AnnexPart(line.line, line.description, line.unit, entries, *_sums(entries, rounding), rounding)


def _sums(entries: Sequence[AnnexEntry], rounding: Money) -> tuple[Decimal, Money]:
    amounts = total((each.amount for each in entries), rounding.currency)
    return sum((each.quantity for each in entries), Decimal(0)), amounts + rounding


def _allowances_of(credit: Credit, sign: Decimal) -> tuple[tuple[AllowanceCharge, tuple[TaxTreatment, ...]], ...]:
    """What is taken back of allowances and charges; a negative invoice turns the one into the other.

    Each has a list of reason codes of its own (UNTDID 5189 and 7161): what was turned keeps its reason in words alone.
    """
    turned: dict[str, Literal["allowance", "charge"]] = {"allowance": "charge", "charge": "allowance"}
    shown: list[tuple[AllowanceCharge, tuple[TaxTreatment, ...]]] = []
    for each in credit.allowances:
        given = each.adjustment
        kind, code = (given.kind, given.reason_code) if sign > 0 else (turned[given.kind], "")
        shown.append((AllowanceCharge(kind, given.amount, given.reason, code), each.treatments))
    return tuple(shown)


def _signed(subtotal: TaxSubtotal, sign: Decimal) -> TaxSubtotal:
    return TaxSubtotal(
        subtotal.category,
        subtotal.rate,
        subtotal.taxable * sign,
        subtotal.tax * sign,
        subtotal.reason,
        subtotal.reason_code,
        subtotal.name,
        subtotal.decided_by,
    )
