"""Crediting takes back part of an issued invoice, to the lot and to the cent, in one transaction.

The functions return the commands for every aggregate that is touched: credit note, number series, invoice, the streams
that hold the lots, and the caps that are given back. What a credit comes to is computed cumulatively: all credits of a
line together are never more than the line, and the last one takes what rounding left. Tax rates and the exchange rate
are those of the invoice, whatever holds today (Directive 2006/112/EC, articles 90 and 219).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from domain.billing.credit_wishes import CreditWish, wanted_as_drafted, wanted_by
from domain.billing.credited_amounts import credit_of
from domain.billing.given_back import caps_given_back, lots_reopened, priced_elsewhere, retainers_given_back, terms_of
from domain.conversion import fx_rate
from domain.credit_note import (
    ApproveCreditNote,
    ApprovedCredit,
    Credit,
    CreditForm,
    CreditNote,
    CreditNoteNotApproved,
    CreditNoteNotFound,
    DiscardCreditNote,
    DraftCreditNote,
    DraftedCredit,
    IssueCreditNote,
    IssuedCredit,
    NoCreditNote,
    RebillTo,
    credit_note_stream,
)
from domain.invoice import (
    AllowanceCredited,
    CreditInvoice,
    InvoiceCredited,
    InvoiceNotFound,
    Issued,
    LineCredited,
    LotCredited,
    Nothing,
    NotIssued,
    invoice_stream,
)
from domain.kernel import Addressed, Refused
from domain.lots import TransferLot, UnknownLot
from domain.money import zero
from domain.number_series import TakeNumber, series_stream
from domain.ports import LotAt, Read, invoice_of, lots_of
from domain.reference.fx_rate import converted


class CreditOfCredit(Refused):
    """A credit note corrects an invoice, never another credit note."""

    code = "credit_note.of_credit_note"
    fix = "Bill again by an invoice what was credited by mistake."


def draft_credit_note(
    read: Read, credit_note: str, invoice: str, wishes: Sequence[CreditWish], *, form: CreditForm, reason: str, by: str
) -> list[Addressed]:
    """The command that drafts a credit note of an issued invoice; a dry run of it is its preview."""
    issued = _issued(read, invoice)
    credit = credit_of(issued, wanted_by(wishes, issued), form, reason)
    return [Addressed(credit_note_stream(credit_note), DraftCreditNote(credit_note, credit, by))]


def approve_credit_note(read: Read, credit_note: str, by: str, at: datetime) -> list[Addressed]:
    """The command that approves a draft, with the entity's limit in the draft's currency."""
    stream, state = credit_note_stream(credit_note), _credit_note(read, credit_note)
    if not isinstance(state, DraftedCredit):
        return [Addressed(stream, ApproveCreditNote(by, at, zero("EUR")))]
    header, day = state.credit.header, at.date()
    limit = terms_of(read, header.selling_entity, day).approval_limit
    rate = fx_rate(read, limit.currency, header.currency, day)
    return [Addressed(stream, ApproveCreditNote(by, at, converted(limit, header.currency, rate)))]


def discard_credit_note(credit_note: str, by: str, reason: str) -> list[Addressed]:
    """The command that gives up a credit note; nothing was touched by it."""
    return [Addressed(credit_note_stream(credit_note), DiscardCreditNote(by, reason))]


def issue_credit_note(read: Read, credit_note: str, issued_on: date) -> list[Addressed]:
    """The commands that issue an approved credit note: number, snapshot, invoice, lots, and the caps given back."""
    state = _credit_note(read, credit_note)
    match state:
        case IssuedCredit():
            return []
        case ApprovedCredit(draft):
            credit = draft.credit
        case NoCreditNote():
            raise CreditNoteNotFound(credit_note)
        case _:
            raise CreditNoteNotApproved(credit_note)
    issued = _issued(read, credit.invoice)
    now = credit_of(issued, wanted_as_drafted(credit, issued), credit.form, credit.reason)
    entity = credit.header.selling_entity
    series_name = f"{terms_of(read, entity, issued_on).number_prefix}-CN-{issued_on.year}"
    series = series_stream(entity, series_name)
    next_number: int = read(series).next
    number = f"{series_name}-{next_number:06d}"
    return [
        *retainers_given_back(read, now, number, issued_on, draft.by),
        Addressed(series, TakeNumber(credit_note, next_number)),
        Addressed(credit_note_stream(credit_note), IssueCreditNote(number, issued_on, now)),
        Addressed(
            invoice_stream(credit.invoice),
            CreditInvoice(_credited(credit_note, number, issued_on, now, draft.by)),
        ),
        *lots_reopened(read, credit_note, number, issued_on, now, draft.by),
        *caps_given_back(read, credit_note, now),
    ]


def transfer_lots(read: Read, lots: Sequence[LotAt], to: RebillTo, reason: str, by: str) -> list[Addressed]:
    """The commands that bill open lots to another engagement or customer instead."""
    commands: list[Addressed] = []
    for at in lots:
        held = lots_of(read, at.stream).get(at.lot)
        if held is None:
            raise UnknownLot(at.lot)
        into = priced_elsewhere(read, at.stream, held.lot, to)
        commands.append(Addressed(at.stream, TransferLot(at.lot, into, reason, by)))
    return commands


def _credit_note(read: Read, credit_note: str) -> CreditNote:
    state: CreditNote = read(credit_note_stream(credit_note))
    return state


def _issued(read: Read, invoice: str) -> Issued:
    match invoice_of(read, invoice):
        case Issued() as issued:
            return issued
        case Nothing():
            if not isinstance(_credit_note(read, invoice), NoCreditNote):
                raise CreditOfCredit(invoice)
            raise InvoiceNotFound(invoice)
        case state:
            raise NotIssued(f"{invoice} is {type(state).__name__.lower()}.")


def _credited(credit_note: str, number: str, on: date, credit: Credit, by: str) -> InvoiceCredited:
    """What the invoice keeps of a credit."""
    return InvoiceCredited(
        credit_note=credit_note,
        number=number,
        on=on,
        net=credit.net,
        tax=credit.tax,
        gross=credit.gross,
        holdback=credit.holdback,
        payable=credit.payable,
        lines=tuple(
            LineCredited(
                line.of_line,
                sum((lot.quantity for lot in line.lots), Decimal(0)),
                line.net,
                line.taxes,
                tuple(LotCredited(lot.lot, lot.quantity, lot.value) for lot in line.lots if lot.lot),
            )
            for line in credit.lines
        ),
        allowances=tuple(
            AllowanceCredited(each.of_allowance, each.adjustment.amount, each.taxes) for each in credit.allowances
        ),
        reason=credit.reason,
        by=by,
    )
