"""What a legal entity invoices another for work on the other's engagements, and is paid: both sides of it as one fact.

The lender's sale and the borrower's purchase have the same number, lines and amounts, so that between them the accounts
come to zero. A correction is a negative line of a later invoice, for both sides. The numbers of a pair have no gaps.
A settlement takes the same amounts off what one is owed and what the other owes.
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


@dataclass(frozen=True, slots=True)
class SettledInvoice:
    """What a settlement pays of one invoice; negative for an invoice that takes back more than it charges."""

    number: str
    amount: Money


@dataclass(frozen=True, slots=True)
class CashLeg:
    """One side of a settlement: the money in the functional currency of its entity, with the rate and its source."""

    entity: str
    value: Money
    rate: Decimal
    rate_id: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """A borrower pays invoices of a lender, in their currency; with a negative sum the lender pays back."""

    settlement: str
    lender: str
    borrower: str
    paid_on: date
    invoices: tuple[SettledInvoice, ...]
    paid: Money
    lender_leg: CashLeg
    borrower_leg: CashLeg


@dataclass(frozen=True, slots=True)
class SettleIntercompany:
    """Record that invoices between two entities were paid, in whole or in part."""

    settlement: Settlement
    by: str


@dataclass(frozen=True, slots=True)
class IntercompanySettled:
    """A borrower paid invoices of a lender: cleared here and there by the same amounts."""

    settlement: Settlement
    by: str


class NumberNotNext(Refused):
    """The number is not the next one between these entities."""

    code = "intercompany.number_not_next"
    fix = "Run it again: another run has taken the number meanwhile."


class LinesDoNotAddUp(Refused):
    """The lines of an invoice between entities do not add up to it."""

    code = "intercompany.lines_do_not_add_up"
    fix = "Correct the lines; nothing was recorded."


class UnknownInvoice(Refused):
    """There is no such invoice between these entities."""

    code = "intercompany.unknown_invoice"
    fix = "Use a number that intercompanyInvoices shows for these two entities."


class SettledAboveOpen(Refused):
    """A settlement pays no more of an invoice than is open, and not the other way round."""

    code = "intercompany.settled_above_open"
    fix = "Pay at most what intercompanyInvoices shows as open."


class NothingToSettle(Refused):
    """A settlement names at least one invoice of which something is open, all in one currency."""

    code = "intercompany.nothing_to_settle"
    fix = "Name invoices of one currency that are open, or the currency in which everything open is to be paid."


class SettlementKnownOtherwise(Refused):
    """The settlement was recorded before with other values."""

    code = "intercompany.settlement_known_otherwise"
    fix = "Record the difference as a settlement of its own."


Event = IntercompanyInvoiced | IntercompanySettled
Command = InvoiceIntercompany | SettleIntercompany


@dataclass(frozen=True, slots=True)
class Intercompany:
    """What a lender has invoiced a borrower: how many invoices, their sum by currency, and what of each is open."""

    lender: str = ""
    borrower: str = ""
    invoices: int = 0
    invoiced: Mapping[str, Money] = field(default_factory=dict)
    open: Mapping[str, Money] = field(default_factory=dict)
    settlements: Mapping[str, Settlement] = field(default_factory=dict)

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
        case SettleIntercompany(settlement, by):
            return _settle(settlement, by, state)
        case _:
            assert_never(command)


def _settle(settlement: Settlement, by: str, state: Intercompany) -> Sequence[Event]:
    known = state.settlements.get(settlement.settlement)
    if known is not None:
        if known != settlement:
            raise SettlementKnownOtherwise(f"{known.settlement}: {known.paid} on {known.paid_on}.")
        return []
    currency = settlement.paid.currency
    if not settlement.invoices or any(each.amount.currency != currency for each in settlement.invoices):
        raise NothingToSettle(settlement.settlement)
    for each in settlement.invoices:
        if each.number not in state.open:
            raise UnknownInvoice(f"{each.number} of {settlement.lender} to {settlement.borrower}.")
        left, paid = state.open[each.number].amount, each.amount.amount
        if left * paid <= 0 or abs(paid) > abs(left):
            raise SettledAboveOpen(f"{each.number}: {each.amount} of {state.open[each.number]}.")
    numbers = [each.number for each in settlement.invoices]
    summed = total((each.amount for each in settlement.invoices), currency)
    if summed != settlement.paid or len(set(numbers)) < len(numbers):
        raise LinesDoNotAddUp(f"{settlement.settlement}: {summed}, not {settlement.paid}.")
    return [IntercompanySettled(settlement, by)]


def evolve(state: Intercompany, event: Event) -> Intercompany:
    match event:
        case IntercompanyInvoiced(invoice):
            return _invoiced(state, invoice)
        case IntercompanySettled(settlement):
            paid = {each.number: state.open[each.number] - each.amount for each in settlement.invoices}
            known = {**state.settlements, settlement.settlement: settlement}
            return replace(state, open={**state.open, **paid}, settlements=known)
        case _:
            assert_never(event)


def _invoiced(state: Intercompany, invoice: IntercompanyInvoice) -> Intercompany:
    currency = invoice.gross.currency
    before = state.invoiced.get(currency, Money(Decimal(0), currency))
    return replace(
        state,
        lender=invoice.lender,
        borrower=invoice.borrower,
        invoices=state.invoices + 1,
        invoiced={**state.invoiced, currency: before + invoice.gross},
        open={**state.open, invoice.number: invoice.gross},
    )


decider: Decider[Command, Intercompany, Event] = Decider("intercompany", Intercompany(), decide, evolve)
