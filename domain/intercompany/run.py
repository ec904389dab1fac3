"""An intercompany run invoices what one entity delivered for another up to the end of a month, and takes back the rest.

One invoice for each currency. It names every lot that is not invoiced between the two yet, and with a minus every lot
that was and counts no more. The lots, in their own streams, and the invoice are recorded together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.books.accounting_period import AccountingPeriods, accounting_period_stream, last_day_of, posting_day
from domain.conversion import fx_quote
from domain.intercompany.invoice import (
    Intercompany,
    IntercompanyInvoice,
    InvoiceIntercompany,
    Leg,
    TransferLine,
    intercompany_stream,
)
from domain.kernel import Addressed, Refused, StreamId
from domain.lots import LotState
from domain.lots.transfer import CreditTransfers, InvoiceTransfers
from domain.lots.transferring import is_due, is_to_take_back
from domain.money import Money, total
from domain.ports import LotAt, Read, entity_of, lots_of
from domain.reference.intercompany_agreement import IntercompanyAgreement, TransferTax, agreement_stream

NOT_TAXED = TransferTax("O", Decimal(0), "The agreement says nothing of tax")


class EntityNotDefined(Refused):
    """The legal entity is not defined."""

    code = "intercompany.entity_not_defined"
    fix = "Define the legal entity with its functional currency first."


@dataclass(frozen=True, slots=True)
class Run:
    """Which invoices are to be made: from whom to whom, up to the end of which month, on which day, by whom."""

    lender: str
    borrower: str
    period: str
    issued_on: date
    by: str


@dataclass(frozen=True, slots=True)
class _Found:
    """A lot as the run finds it, and whether it is taken back."""

    at: LotAt
    held: LotState
    back: bool

    @property
    def currency(self) -> str:
        assert self.held.lot.transfer is not None, "only what has a transfer price is found"
        return self.held.lot.transfer.value.currency


def day_of_run(read: Read, lender: str, borrower: str, period: str) -> date:
    """The day of the invoices: the last of the month, or the first that both entities may still post on."""
    day = last_day_of(period)
    while True:
        later = max(posting_day(day, _periods(read, entity)) for entity in (lender, borrower))
        if later == day:
            return day
        day = later


def _periods(read: Read, entity: str) -> AccountingPeriods:
    periods: AccountingPeriods = read(accounting_period_stream(entity))
    return periods


def run_intercompany(read: Read, run: Run, candidates: Iterable[LotAt]) -> list[Addressed]:
    """The commands of a run, none when there is nothing to invoice; raises FxRateMissing and EntityNotDefined."""
    found = list(_found(read, run, candidates))
    pair: Intercompany = read(intercompany_stream(run.lender, run.borrower))
    commands: list[Addressed] = []
    for offset, currency in enumerate(dict.fromkeys(sorted(each.currency for each in found)), start=1):
        mine = [each for each in found if each.currency == currency]
        number = pair.number(run.lender, run.borrower, pair.invoices + offset)
        invoice = _invoice(read, run, number, currency, mine)
        commands.append(Addressed(intercompany_stream(run.lender, run.borrower), InvoiceIntercompany(invoice, run.by)))
        commands += _marks(mine, number)
    return commands


def _found(read: Read, run: Run, candidates: Iterable[LotAt]) -> Iterable[_Found]:
    """The lots of the pair that are due up to the end of the month, and those to take back, in the order of work."""
    ends = last_day_of(run.period)
    found: list[_Found] = []
    for at in dict.fromkeys(candidates):
        held = lots_of(read, at.stream).get(at.lot)
        if held is None or held.lot.transfer is None:
            continue
        transfer = held.lot.transfer
        if (transfer.lender, transfer.borrower) != (run.lender, run.borrower):
            continue
        if (is_due(held) and held.lot.work_date <= ends) or is_to_take_back(held):
            found.append(_Found(at, held, is_to_take_back(held)))
    return sorted(found, key=lambda each: (each.back, each.held.lot.work_date, each.at.stream, each.at.lot))


def _marks(found: Sequence[_Found], number: str) -> Iterable[Addressed]:
    """What is recorded where the lots live."""
    streams = dict.fromkeys(each.at.stream for each in found)
    for stream in streams:
        due = tuple(each.at.lot for each in found if each.at.stream == stream and not each.back)
        back = tuple(each.at.lot for each in found if each.at.stream == stream and each.back)
        if due:
            yield Addressed(stream, InvoiceTransfers(due, number))
        if back:
            yield Addressed(stream, CreditTransfers(back, number))


def _invoice(read: Read, run: Run, number: str, currency: str, found: Sequence[_Found]) -> IntercompanyInvoice:
    lines = tuple(_line(each) for each in found)
    net = total((line.value for line in lines), currency)
    tax_terms = _tax(read, run)
    tax = (net * (tax_terms.percent / 100)).rounded()
    return IntercompanyInvoice(
        number=number,
        lender=run.lender,
        borrower=run.borrower,
        period=run.period,
        issued_on=run.issued_on,
        lines=lines,
        net=net,
        tax_category=tax_terms.category,
        tax_percent=tax_terms.percent,
        tax_reason=tax_terms.reason,
        tax=tax,
        gross=net + tax,
        lender_leg=_leg(read, run.lender, net, tax, run.issued_on),
        borrower_leg=_leg(read, run.borrower, net, tax, run.issued_on),
    )


def _line(found: _Found) -> TransferLine:
    lot, sign = found.held.lot, -1 if found.back else 1
    assert lot.transfer is not None, "only what has a transfer price is found"
    return TransferLine(
        stream=StreamId(found.at.stream),
        lot=lot.lot,
        engagement=lot.engagement,
        project=lot.project,
        work_date=lot.work_date,
        quantity=sign * lot.quantity,
        price=lot.transfer.price,
        value=lot.transfer.value * Decimal(sign),
    )


def _tax(read: Read, run: Run) -> TransferTax:
    agreement: IntercompanyAgreement = read(agreement_stream(run.lender, run.borrower))
    terms = agreement.on(run.issued_on) or (agreement.versions[-1] if agreement.versions else None)
    return terms.tax if terms is not None and terms.tax is not None else NOT_TAXED


def _leg(read: Read, entity: str, net: Money, tax: Money, day: date) -> Leg:
    state = entity_of(read, entity)
    if not state.versions:
        raise EntityNotDefined(entity)
    functional = (state.on(day) or state.versions[0]).functional_currency
    quote = fx_quote(read, net.currency, functional, day)
    value, taxed = (Money(each.amount * quote.rate, functional).rounded() for each in (net, tax))
    return Leg(entity, value, taxed, quote.rate, quote.rate_id)
