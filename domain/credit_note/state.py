"""A credit note as it stands: a draft, approved, issued with its postings, or given up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from domain.credit_note.document import Credit
from domain.credit_note.words import (
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
    Event,
)
from domain.invoice.posting import Posting


@dataclass(frozen=True, slots=True)
class NoCreditNote:
    """Before the draft."""


@dataclass(frozen=True, slots=True)
class DraftedCredit:
    """A credit note that may still be given up."""

    credit_note: str
    credit: Credit
    by: str


@dataclass(frozen=True, slots=True)
class ApprovedCredit:
    """A credit note that may be issued."""

    draft: DraftedCredit
    by: str


@dataclass(frozen=True, slots=True)
class DiscardedCredit:
    """A credit note that was given up."""

    draft: DraftedCredit


@dataclass(frozen=True, slots=True)
class IssuedCredit:
    """A credit note that the customer has, with its postings."""

    credit_note: str
    number: str
    issued_on: date
    credit: Credit
    prepared_by: str
    approved_by: str
    postings: Mapping[str, Posting] = field(default_factory=dict)
    delivered: CreditNoteDelivered | None = None


CreditNote = NoCreditNote | DraftedCredit | ApprovedCredit | DiscardedCredit | IssuedCredit


def evolve(state: CreditNote, event: Event) -> CreditNote:
    match (event, state):
        case (CreditNoteDrafted(credit_note, credit, by), _):
            return DraftedCredit(credit_note, credit, by)
        case (CreditNoteApproved(by), DraftedCredit()):
            return ApprovedCredit(state, by)
        case (CreditNoteDiscarded(), DraftedCredit()):
            return DiscardedCredit(state)
        case (CreditNoteDiscarded(), ApprovedCredit(draft)):
            return DiscardedCredit(draft)
        case (CreditNoteIssued(credit_note, number, issued_on, credit), ApprovedCredit(draft, by)):
            return IssuedCredit(credit_note, number, issued_on, credit, draft.by, by)
        case (CreditNoteDelivered(), IssuedCredit()):
            return replace(state, delivered=event)
        case (_, IssuedCredit()):
            return _with_posting(state, event)
        case _:
            return state


def _with_posting(state: IssuedCredit, event: Event) -> IssuedCredit:
    match event:
        case CreditPostingRequested(target):
            posting = Posting("requested")
        case CreditPostingSent(target):
            posting = Posting("sent")
        case CreditPostingInDoubt(target, reason):
            posting = Posting("in_doubt", None, reason)
        case CreditPostingConfirmed(target, external_id):
            posting = Posting("confirmed", external_id)
        case CreditPostingRejected(target, reason):
            posting = Posting("rejected", None, reason)
        case _:
            return state
    return replace(state, postings={**state.postings, target: posting})
