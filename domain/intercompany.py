"""What a legal entity invoices another for work on the other's engagements: both sides of it as one fact.

The lender's sale and the borrower's purchase have the same number, lines and amounts, so that between them the accounts
come to zero. A correction is a negative line of a later invoice, for both sides. The numbers of a pair have no gaps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import assert_never

from domain.kernel import Decider, Refused, StreamId, stream_of
from domain.money import Money, total


def intercompany_stream(lender: str, borrower: str) -> StreamId:
    """The invoices from a lender to a borrower: ``intercompany:GB01:US01``."""
    return stream_of("intercompany", lender, borrower)


@dataclass(frozen=True, slots=True)
class TransferLine:
    """One lot on an invoice between entities; quantity and value are negative where it is taken back."""

    stream: StreamId
    lot: str
    engagement: str
    project: str
    work_date: date
    quantity: Decimal
    price: Decimal
    value: Money


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of the invoice in the functional currency of its entity, with the rate and where it is from.

    ``value`` is without tax: the lender's revenue, the borrower's cost.
    """

    entity: str
    value: Money
    tax: Money
    rate: Decimal
    rate_id: str


@dataclass(frozen=True, slots=True)
class IntercompanyInvoice:
    """An invoice between two legal entities, as both have it in their books.

    ``period`` is the month of which it takes the work, as ``2026-03``; earlier work that became known late is on it
    too. ``net``, ``tax`` and ``gross`` are in the currency of the agreement.
    """

    number: str
    lender: str
    borrower: str
    period: str
    issued_on: date
    lines: tuple[TransferLine, ...]
    net: Money
    tax_category: str
    tax_percent: Decimal
    tax_reason: str
    tax: Money
    gross: Money
    lender_leg: Leg
    borrower_leg: Leg


@dataclass(frozen=True, slots=True)
class InvoiceIntercompany:
    """Record an invoice between two entities under the next number of the pair."""

    invoice: IntercompanyInvoice
    by: str


@dataclass(frozen=True, slots=True)
class IntercompanyInvoiced:
    """A lender invoiced a borrower: a sale here, a purchase there."""

    invoice: IntercompanyInvoice
    by: str


class NumberNotNext(Refused):
    """The number is not the next one between these entities."""

    code = "intercompany.number_not_next"
    fix = "Run it again: another run has taken the number meanwhile."


class LinesDoNotAddUp(Refused):
    """The lines of an invoice between entities do not add up to it."""

    code = "intercompany.lines_do_not_add_up"
    fix = "Correct the lines; nothing was recorded."


Event = IntercompanyInvoiced
Command = InvoiceIntercompany


@dataclass(frozen=True, slots=True)
class Intercompany:
    """What a lender has invoiced a borrower: how many invoices, and the sum of them by currency."""

    lender: str = ""
    borrower: str = ""
    invoices: int = 0
    invoiced: Mapping[str, Money] = field(default_factory=dict)

    def number(self, lender: str, borrower: str, place: int) -> str:
        """The number of one invoice of the pair, counted from 1: ``IC-GB01-US01-0001``."""
        return f"IC-{lender}-{borrower}-{place:04d}"


def decide(command: Command, state: Intercompany) -> Sequence[Event]:
    match command:
        case InvoiceIntercompany(invoice, by):
            if invoice.number != (due := state.number(invoice.lender, invoice.borrower, state.invoices + 1)):
                raise NumberNotNext(f"{invoice.number}, but {due} is due.")
            summed = total((line.value for line in invoice.lines), invoice.net.currency)
            if summed != invoice.net or invoice.net + invoice.tax != invoice.gross:
                raise LinesDoNotAddUp(f"{summed} and {invoice.tax} tax are not {invoice.gross}.")
            return [IntercompanyInvoiced(invoice, by)]
        case _:
            assert_never(command)


def evolve(state: Intercompany, event: Event) -> Intercompany:
    invoice = event.invoice
    currency = invoice.gross.currency
    before = state.invoiced.get(currency, Money(Decimal(0), currency))
    return replace(
        state,
        lender=invoice.lender,
        borrower=invoice.borrower,
        invoices=state.invoices + 1,
        invoiced={**state.invoiced, currency: before + invoice.gross},
    )


decider: Decider[Command, Intercompany, Event] = Decider("intercompany", Intercompany(), decide, evolve)
