"""Says in one sentence what happened to credit notes and to what they credit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.credit_note import (
    Credit,
    CreditNoteApproved,
    CreditNoteDelivered,
    CreditNoteDiscarded,
    CreditNoteDrafted,
    CreditNoteIssued,
    CreditPostingConfirmed,
    CreditPostingInDoubt,
    CreditPostingRejected,
    CreditPostingRequested,
    CreditPostingSent,
)
from domain.invoice import InvoiceCredited
from domain.lots import CreditedLot, Disposition, LotsCredited, LotTransferred
from projections.history.cash_sentences import Wording

LOTS_MAX: Final = 5
_BECAME: Final[Mapping[Disposition, str]] = {
    "rebill": "may be billed again",
    "rebill_elsewhere": "is billed elsewhere",
    "write_off": "is written off",
    "non_billable": "is never billed",
}

CREDIT: Final[Mapping[type, Wording]] = {
    CreditNoteDrafted: lambda e, _: (
        f"{e.by} drafted credit note {e.credit_note} of invoice {e.credit.invoice_number}: {_amounts(e.credit)}."
        f" {e.credit.reason}"
    ),
    CreditNoteApproved: lambda e, _: f"{e.by} approved the credit note.",
    CreditNoteIssued: lambda e, _: (
        f"{'Credit note' if e.credit.form == '381' else 'Negative invoice'} {e.number} was issued on {e.issued_on}"
        f" to {e.credit.buyer.name} for invoice {e.credit.invoice_number}: {_amounts(e.credit)}."
    ),
    CreditNoteDiscarded: lambda e, _: f"{e.by} gave up the credit note: {e.reason}",
    CreditNoteDelivered: lambda e, _: f"{e.by} sent the credit note by {e.channel} on {e.on}.",
    CreditPostingRequested: lambda e, _: f"{e.target} was asked to post the credit note.",
    CreditPostingSent: lambda e, _: f"The credit note reached {e.target}; its answer is awaited.",
    CreditPostingInDoubt: lambda e, _: f"Nobody knows whether {e.target} posted the credit note: {e.reason}",
    CreditPostingConfirmed: lambda e, _: f"{e.target} posted the credit note as {e.external_id}.",
    CreditPostingRejected: lambda e, _: f"{e.target} refused to post the credit note: {e.reason}",
    InvoiceCredited: lambda e, _: f"Credit note {e.number} of {e.on} took back {e.net} net and {e.tax} tax: {e.reason}",
    LotsCredited: lambda e, _: f"Credit note {e.number} took back {_lots(e.lots)}: {e.reason}",
    LotTransferred: lambda e, _: (
        f"Lot {e.lot} is billed as {e.into} to customer {e.customer}, {e.engagement} line {e.line}: {e.reason}"
    ),
}
"""How each event of credit notes is worded."""


def _amounts(credit: Credit) -> str:
    return f"{credit.net} net, {credit.tax} tax, {credit.gross} in all"


def _lots(lots: tuple[CreditedLot, ...]) -> str:
    said = [f"{each.lot}, which {_BECAME[each.disposition]}" for each in lots[:LOTS_MAX]]
    rest = len(lots) - len(said)
    return "; ".join(said) + (f"; and {rest} more" if rest else "")
