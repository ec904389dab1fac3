"""Billing once: a lot is on one live invoice at most, as the invoice says and as the lot itself says.

Numbers have no gaps, each belongs to one issued invoice, and what invoices take of a contract line is what they bill.
In money: the standard value of what is billed = billed net + written down - written up, where allowances count as
written down and charges as written up, and so does what a line of several lots loses or gains by being rounded once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from api.verification.law import Key, Law
from api.verification.report import Breach
from domain.credit_note import CreditNoteIssued
from domain.engagement import BillingClaimed, BillingReleased
from domain.engagement.caps import BillingCredited
from domain.invoice import (
    AllowancesStated,
    DraftDiscarded,
    Header,
    InvoiceCredited,
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceLine,
    LinesAdded,
    LinesAdjusted,
)
from domain.kernel import Recorded, StreamId, local_id
from domain.lots import LotsBilled, LotsCredited, LotSplit, LotsReleased, LotsReserved
from domain.money import Money
from domain.number_series import NumberTaken

Claimed = tuple[str, str]
"""An engagement and one of its contract lines."""


@dataclass(slots=True)
class Bill:
    """An invoice as far as its lots are concerned: what each is billed at, and what each contract line comes to.

    ``standard`` is, for each engagement, the net that it bills without write-ups, write-downs, allowances, charges and
    what rounding each line once makes of it.
    """

    header: Header | None = None
    lots: dict[Key, tuple[Decimal, Decimal]] = field(default_factory=dict)
    lines: dict[int, Claimed] = field(default_factory=dict)
    by_line: dict[Claimed, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    standard: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    standard_lines: set[int] = field(default_factory=set)
    issued: bool = False

    def line_of(self, line: InvoiceLine) -> Claimed:
        """The contract line that a line bills."""
        return (self.header.engagement_of(line) if self.header else "", line.contract_line)


class Billings:
    """Follows invoices and the lots on them, beside the law, whose account of each lot it compares with."""

    def __init__(self, law: Law) -> None:
        self._law = law
        self.bills: dict[str, Bill] = {}
        self._holders: dict[Key, set[str]] = defaultdict(set)
        self._claims: dict[str, dict[Claimed, Decimal]] = defaultdict(dict)
        self._touched: set[Key] = set()
        self._touched_bills: set[str] = set()

    def see(self, fact: Recorded[Any]) -> Iterator[Breach]:
        """Take up one fact."""
        match fact.event:
            case InvoiceDrafted(invoice, header, lines):
                self.bills[invoice] = Bill(header)
                yield from self._add(invoice, lines)
            case LinesAdded(lines) | LinesAdjusted(lines):
                yield from self._add(local_id(fact.stream), lines)
            case AllowancesStated(line=int(line), change=change):
                self._allow(local_id(fact.stream), line, change.amount)
            case InvoiceIssued(invoice, document):
                yield from self._issue(invoice, document.lines)
            case DraftDiscarded():
                self._discard(local_id(fact.stream))
            case InvoiceCredited():
                self._credit(local_id(fact.stream), fact.event)
            case _:
                self._see_lots(fact)

    def _see_lots(self, fact: Recorded[Any]) -> None:
        match fact.event:
            case LotSplit(lot, parts):
                self._split(fact.stream, lot, {part.lot: (part.quantity, part.value.amount) for part in parts})
            case LotsCredited(lots=credited, invoice=invoice):
                for each in credited:
                    self._take_off((fact.stream, each.lot), invoice)
            case LotsReserved(lots) | LotsReleased(lots) | LotsBilled(lots):
                self._touched |= {(fact.stream, lot) for lot in lots}
            case _:
                self._see_claims(fact)

    def _see_claims(self, fact: Recorded[Any]) -> None:
        match fact.event:
            case BillingClaimed(invoice, line, amount):
                self._claims[invoice][local_id(fact.stream), line] = amount.amount
                self._touched_bills.add(invoice)
            case BillingReleased(invoice):
                engagement = local_id(fact.stream)
                kept = {key: taken for key, taken in self._claims[invoice].items() if key[0] != engagement}
                self._claims[invoice] = kept
                self._touched_bills.add(invoice)
            case BillingCredited(_, invoice, line, amount):
                self._claims[invoice][local_id(fact.stream), line] -= amount.amount
                self._touched_bills.add(invoice)
            case _:
                return

    def settle(self) -> Iterator[Breach]:
        """At the end of a commit every lot that it touched is on the invoice that it says, and on no other."""
        for key in self._touched:
            yield from self._compare(key)
        for invoice in self._touched_bills:
            yield from self._compare_claims(invoice)
        self._touched.clear()
        self._touched_bills.clear()

    def totals(self) -> Iterator[Breach]:
        """The standard value of what is billed of an engagement is what its invoices say without their corrections."""
        by_lots: dict[str, Decimal] = defaultdict(Decimal)
        by_invoices: dict[str, Decimal] = defaultdict(Decimal)
        for piece in self._law.pieces.values():
            if piece.state == "billed":
                by_lots[piece.groups[1]] += piece.value
        for bill in self.bills.values():
            for engagement, amount in bill.standard.items():
                by_invoices[engagement] += amount
        for engagement in sorted({*by_lots, *by_invoices}):
            if by_lots[engagement] != by_invoices[engagement]:
                detail = f"{by_lots[engagement]} of lots are billed, its invoices say {by_invoices[engagement]}"
                yield Breach(f"engagement {engagement}", detail)

    def _add(self, invoice: str, lines: Iterable[InvoiceLine]) -> Iterator[Breach]:
        bill = self.bills.setdefault(invoice, Bill())
        self._touched_bills.add(invoice)
        for line in lines:
            yield from (Breach(f"invoice:{invoice}", detail) for detail in _unlike_its_lots(line))
            bill.lines[line.line] = bill.line_of(line)
            if line.releases is None:
                bill.by_line[bill.line_of(line)] += line.net.amount
            for each in line.lots:
                key = (each.stream, each.lot)
                bill.lots[key] = (each.quantity, each.value.amount)
                self._holders[key].add(invoice)
                self._touched.add(key)

    def _allow(self, invoice: str, line: int, change: Decimal) -> None:
        bill = self.bills.get(invoice)
        if bill is not None and line in bill.lines:
            bill.by_line[bill.lines[line]] += change
            self._touched_bills.add(invoice)

    def _issue(self, invoice: str, lines: Iterable[InvoiceLine]) -> Iterator[Breach]:
        if bill := self.bills.get(invoice):
            bill.issued = True
            self._touched |= set(bill.lots)
            for line in lines:
                yield from (Breach(f"invoice:{invoice}", detail) for detail in _unlike_its_lots(line))
                if line.adjustment is None and line.releases is None:
                    bill.standard[bill.line_of(line)[0]] += _without_corrections(line) - _rounding(line)
                    bill.standard_lines.add(line.line)

    def _credit(self, invoice: str, credited: InvoiceCredited) -> None:
        """What a credit note takes off the lines, and of the standard value of what they bill."""
        bill = self.bills.get(invoice)
        if bill is None:
            return
        self._touched_bills.add(invoice)
        for each in credited.lines:
            if each.line in bill.lines and bill.lines[each.line] in bill.by_line:
                bill.by_line[bill.lines[each.line]] -= each.net.amount
            if each.line in bill.standard_lines:
                engagement = bill.lines[each.line][0]
                bill.standard[engagement] -= sum((lot.value.amount for lot in each.lots), Decimal(0))

    def _split(self, stream: StreamId, lot: str, parts: dict[str, tuple[Decimal, Decimal]]) -> None:
        """The parts of a lot that is billed are billed by the same invoice."""
        for holder in self._holders.pop((stream, lot), set()):
            bill = self.bills[holder]
            bill.lots.pop((stream, lot), None)
            for part, amounts in parts.items():
                bill.lots[stream, part] = amounts
                self._holders[stream, part].add(holder)
                self._touched.add((stream, part))

    def _take_off(self, key: Key, invoice: str) -> None:
        self._holders[key].discard(invoice)
        self._touched.add(key)
        if bill := self.bills.get(invoice):
            bill.lots.pop(key, None)

    def _discard(self, invoice: str) -> None:
        if bill := self.bills.get(invoice):
            for key in bill.lots:
                self._holders[key].discard(invoice)
                self._touched.add(key)
            bill.lots, bill.by_line, bill.lines = {}, defaultdict(Decimal), {}
            self._touched_bills.add(invoice)

    def _compare(self, key: Key) -> Iterator[Breach]:
        stream, lot = key
        name, holders, piece = f"{stream} {lot}", self._holders[key], self._law.pieces.get(key)
        if len(holders) > 1:
            yield Breach(name, f"it is on {len(holders)} live invoices: {', '.join(sorted(holders))}")
            return
        if piece is None:
            yield Breach(name, f"it is on {', '.join(holders) or 'no invoice'}, but was never rated")
            return
        holder = next(iter(holders), None)
        expected = None if holder is None else "billed" if self.bills[holder].issued else "reserved"
        actual = piece.state if piece.state in ("reserved", "billed") else None
        if (expected, holder) != (actual, piece.invoice):
            yield Breach(name, f"it is {piece.state} for {piece.invoice}, but {expected or 'not'} on {holder}")
        if holder and self.bills[holder].lots[key] != (piece.quantity, piece.value):
            yield Breach(name, f"it is {piece.quantity} at {piece.value}, but billed otherwise on {holder}")

    def _compare_claims(self, invoice: str) -> Iterator[Breach]:
        bill, claims = self.bills.get(invoice), self._claims.get(invoice, {})
        # Work that comes to nothing takes nothing: the engagement has no claim for it.
        billed = {line: amount for line, amount in bill.by_line.items() if amount or line in claims} if bill else {}
        if billed != claims:
            yield Breach(f"invoice:{invoice}", f"it bills {_shown(billed)}, but takes {_shown(claims)} of the caps")


def _unlike_its_lots(line: InvoiceLine) -> Iterator[str]:
    """How a line is not what its lots come to, with its allowances and charges; a write-up or -down bills none.

    Its lots come to the sum of their values, or to price x quantity rounded once, or to what a cap left between them.
    """
    if line.releases is not None:
        return
    if line.adjustment is not None:
        borne = sum((each.value.amount for each in line.adjustment.lots), Decimal(0))
        if borne != line.net.amount or line.lots:
            yield f"line {line.line} corrects by {line.net.amount}, its lots bear {borne}"
        return
    quantity = sum((each.quantity for each in line.lots), Decimal(0))
    value = line.standard_value.amount
    if (quantity, value + _rounding(line)) != (line.quantity, _without_corrections(line)):
        yield f"line {line.line} is {line.quantity} at {line.net.amount}, its lots {quantity} at {value}"


def _without_corrections(line: InvoiceLine) -> Decimal:
    return line.net.amount - sum((each.signed.amount for each in line.allowances), Decimal(0))


def _rounding(line: InvoiceLine) -> Decimal:
    """What rounding the line once, as far as a cap let it, makes of its lots; nothing where that cannot explain it."""
    value, net = line.standard_value.amount, _without_corrections(line)
    least, most = sorted((value, _rounded_once(line)))
    return net - value if least <= net <= most else Decimal(0)


def _rounded_once(line: InvoiceLine) -> Decimal:
    """Price x quantity of its lots; a part that was cut to the cent is worth what it was cut at."""
    price, exact = line.price / line.base_quantity, Decimal(0)
    for each in line.lots:
        product = Money(price * each.quantity, line.net.currency)
        exact += product.amount if product.rounded() == each.value else each.value.amount
    return Money(exact, line.net.currency).rounded().amount


def _shown(amounts: dict[Claimed, Decimal]) -> str:
    shown = (f"{engagement} {line} {amount}" for (engagement, line), amount in sorted(amounts.items()))
    return ", ".join(shown) or "nothing"


class Numbers:
    """Follows number series and what is issued: 1, 2, 3 ... of each series, each on its one document."""

    def __init__(self) -> None:
        self._last: dict[StreamId, int] = {}
        self._taken: dict[str, str] = {}
        self._issued: dict[str, str] = {}
        self._touched: set[str] = set()

    def see(self, fact: Recorded[Any]) -> Iterator[Breach]:
        """Take up one fact; a gap is told at once."""
        match fact.event:
            case NumberTaken(number, invoice):
                expected = self._last.get(fact.stream, 0) + 1
                if number != expected:
                    yield Breach(fact.stream, f"number {number} was taken, {expected} was next")
                self._last[fact.stream] = number
                series = local_id(fact.stream).partition(":")[2]
                self._taken[f"{series}-{number:06d}"] = invoice
                self._touched.add(invoice)
            case CreditNoteIssued(credit_note, number):
                self._issued[credit_note] = number
                self._touched.add(credit_note)
            case InvoiceIssued(invoice, document):
                if invoice in self._issued:
                    yield Breach(f"invoice:{invoice}", f"it was issued twice, also as {self._issued[invoice]}")
                self._issued[invoice] = document.number
                self._touched.add(invoice)
            case _:
                return

    def settle(self) -> Iterator[Breach]:
        """At the end of a commit each number that was taken is on the invoice that it was taken for."""
        if not self._touched:
            return
        for invoice in self._touched:
            number = self._issued.get(invoice)
            if number is None:
                yield Breach(f"invoice:{invoice}", "a number was taken for it, but it was not issued")
            elif self._taken.get(number) != invoice:
                yield Breach(f"invoice:{invoice}", f"it has number {number}, which was not taken for it")
        self._touched.clear()
