"""A credit note takes back part of an issued invoice: lines, lots and quantities, with a reason, for ever.

It is drafted, approved by somebody else, issued under a gapless number of its own series, posted and delivered. What
it says is computed from the invoice that it corrects: the names, tax rates and exchange rate of then. As a credit note
(UNTDID 1001: 381) its amounts are positive, as a negative invoice (380) they are printed with a minus; either way they
are stored as what is given back.

``document`` is what it says, ``words`` what can be asked and happen, ``state`` how it stands, and ``deciding`` holds
the rules.
"""

from __future__ import annotations

from domain.credit_note.deciding import decide, decider
from domain.credit_note.document import (
    Credit,
    CreditedAllowance,
    CreditedLine,
    CreditForm,
    LotOnCreditNote,
    RebillTo,
    credit_note_stream,
)
from domain.credit_note.state import (
    ApprovedCredit,
    CreditNote,
    DiscardedCredit,
    DraftedCredit,
    IssuedCredit,
    NoCreditNote,
    evolve,
)
from domain.credit_note.words import (
    ApproveCreditNote,
    Command,
    CreditNoteApproved,
    CreditNoteDelivered,
    CreditNoteDiscarded,
    CreditNoteDrafted,
    CreditNoteExists,
    CreditNoteIssued,
    CreditNoteNotADraft,
    CreditNoteNotApproved,
    CreditNoteNotFound,
    CreditNoteNotIssued,
    CreditOvertaken,
    CreditPostingConfirmed,
    CreditPostingInDoubt,
    CreditPostingRejected,
    CreditPostingRequested,
    CreditPostingSent,
    CreditPreparerApproves,
    CreditReasonMissing,
    DeliverCreditNote,
    DiscardCreditNote,
    DraftCreditNote,
    Event,
    IssueCreditNote,
)

__all__ = [
    "ApproveCreditNote",
    "ApprovedCredit",
    "Command",
    "Credit",
    "CreditForm",
    "CreditNote",
    "CreditNoteApproved",
    "CreditNoteDelivered",
    "CreditNoteDiscarded",
    "CreditNoteDrafted",
    "CreditNoteExists",
    "CreditNoteIssued",
    "CreditNoteNotADraft",
    "CreditNoteNotApproved",
    "CreditNoteNotFound",
    "CreditNoteNotIssued",
    "CreditOvertaken",
    "CreditPostingConfirmed",
    "CreditPostingInDoubt",
    "CreditPostingRejected",
    "CreditPostingRequested",
    "CreditPostingSent",
    "CreditPreparerApproves",
    "CreditReasonMissing",
    "CreditedAllowance",
    "CreditedLine",
    "DeliverCreditNote",
    "DiscardCreditNote",
    "DiscardedCredit",
    "DraftCreditNote",
    "DraftedCredit",
    "Event",
    "IssueCreditNote",
    "IssuedCredit",
    "LotOnCreditNote",
    "NoCreditNote",
    "RebillTo",
    "credit_note_stream",
    "decide",
    "decider",
    "evolve",
]
