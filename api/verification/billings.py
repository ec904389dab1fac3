"""Billing once: a lot is on one live invoice at most, as the invoice says and as the lot itself says.

Numbers have no gaps, each belongs to one issued invoice, and what invoices take of a contract line is what they bill.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from api.verification.law import Key, Law
from api.verification.report import Breach
from domain.engagement import BillingClaimed, BillingReleased
from domain.invoice import DraftDiscarded, InvoiceDrafted, InvoiceIssued, InvoiceLine, LinesAdded
from domain.kernel import Recorded, StreamId, local_id
from domain.lots import LotsBilled, LotsReleased, LotsReserved
from domain.number_series import NumberTaken


@dataclass(slots=True)
class Bill:
    """An invoice as far as its lots are concerned: what each is billed at, and what each contract line comes to."""

    engagement: str
    lots: dict[Key, tuple[Decimal, Decimal]] = field(default_factory=dict)
    by_line: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    issued: bool = False


class Billings:
    """Follows invoices and the lots on them, beside the law, whose account of each lot it compares with."""

    def __init__(self, law: Law) -> None:
        self._law = law
        self.bills: dict[str, Bill] = {}
        self._holders: dict[Key, set[str]] = defaultdict(set)
        self._claims: dict[str, dict[str, Decimal]] = defaultdict(dict)
        self._touched: set[Key] = set()
        self._touched_bills: set[str] = set()

    def see(self, fact: Recorded[Any]) -> Iterator[Breach]:
        """Take up one fact."""
        match fact.event:
            case InvoiceDrafted(invoice, header, lines):
                self.bills[invoice] = Bill(header.engagement)
                yield from self._add(invoice, lines)
            case LinesAdded(lines):
                yield from self._add(local_id(fact.stream), lines)
            case InvoiceIssued(invoice):
                self._issue(invoice)
            case DraftDiscarded():
                self._discard(local_id(fact.stream))
            case BillingClaimed(invoice, line, amount):
                self._claims[invoice][line] = amount.amount
                self._touched_bills.add(invoice)
            case BillingReleased(invoice):
                self._claims.pop(invoice, None)
                self._touched_bills.add(invoice)
            case LotsReserved(lots) | LotsReleased(lots) | LotsBilled(lots):
                self._touched |= {(fact.stream, lot) for lot in lots}
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

    def _add(self, invoice: str, lines: Iterable[InvoiceLine]) -> Iterator[Breach]:
        bill = self.bills.setdefault(invoice, Bill(""))
        self._touched_bills.add(invoice)
        for line in lines:
            quantity = sum((each.quantity for each in line.lots), Decimal(0))
            value = sum((each.value.amount for each in line.lots), Decimal(0))
            if (quantity, value) != (line.quantity, line.net.amount):
                detail = f"line {line.line} is {line.quantity} at {line.net.amount}, its lots {quantity} at {value}"
                yield Breach(f"invoice:{invoice}", detail)
            bill.by_line[line.contract_line] += line.net.amount
            for each in line.lots:
                key = (each.stream, each.lot)
                bill.lots[key] = (each.quantity, each.value.amount)
                self._holders[key].add(invoice)
                self._touched.add(key)

    def _issue(self, invoice: str) -> None:
        if bill := self.bills.get(invoice):
            bill.issued = True
            self._touched |= set(bill.lots)

    def _discard(self, invoice: str) -> None:
        if bill := self.bills.get(invoice):
            for key in bill.lots:
                self._holders[key].discard(invoice)
                self._touched.add(key)
            bill.lots, bill.by_line = {}, defaultdict(Decimal)
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
        billed = dict(bill.by_line) if bill else {}
        if billed != claims:
            yield Breach(f"invoice:{invoice}", f"it bills {_shown(billed)}, but takes {_shown(claims)} of the caps")


def _shown(amounts: dict[str, Decimal]) -> str:
    return ", ".join(f"{line} {amount}" for line, amount in sorted(amounts.items())) or "nothing"


class Numbers:
    """Follows number series and issued invoices: 1, 2, 3 ... of each series, each on its one invoice."""

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
