"""The rules of one credit note, from its draft to its posting in the ERP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, assert_never

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
    PostingEvent,
)
from domain.invoice.posting import PostingFacts, decide_posting
from domain.kernel import Decider

_POSTING: Final[PostingFacts[PostingEvent]] = PostingFacts(
    CreditPostingRequested, CreditPostingSent, CreditPostingInDoubt, CreditPostingConfirmed, CreditPostingRejected
)


def decide(command: Command, state: CreditNote) -> Sequence[Event]:
    match command:
        case DraftCreditNote(credit_note, credit, by):
            if state == DraftedCredit(credit_note, credit, by):
                return []
            if not isinstance(state, NoCreditNote):
                raise CreditNoteExists(credit_note)
            if not credit.reason.strip():
                raise CreditReasonMissing(credit_note)
            return [CreditNoteDrafted(credit_note, credit, by)]
        case ApproveCreditNote():
            return _approve(command, state)
        case IssueCreditNote():
            return _issue(command, state)
        case DiscardCreditNote(by, reason):
            if isinstance(state, DiscardedCredit):
                return []
            if isinstance(state, ApprovedCredit):
                return [CreditNoteDiscarded(by, reason)]
            _drafted(state)
            return [CreditNoteDiscarded(by, reason)]
        case DeliverCreditNote(on, by, channel):
            delivered = CreditNoteDelivered(on, by, channel)
            return [] if _issued(state).delivered is not None else [delivered]
        case _:
            return decide_posting(command, _issued(state).postings.get(command.target), _POSTING)


def _drafted(state: CreditNote) -> DraftedCredit:
    match state:
        case DraftedCredit():
            return state
        case NoCreditNote():
            raise CreditNoteNotFound
        case _:
            raise CreditNoteNotADraft(f"It is {_status(state)}.")


def _issued(state: CreditNote) -> IssuedCredit:
    match state:
        case IssuedCredit():
            return state
        case NoCreditNote():
            raise CreditNoteNotFound
        case _:
            raise CreditNoteNotIssued(f"It is {_status(state)}.")


def _status(state: CreditNote) -> str:
    return type(state).__name__.removesuffix("Credit").lower()


def _approve(command: ApproveCreditNote, state: CreditNote) -> Sequence[CreditNoteApproved]:
    if isinstance(state, ApprovedCredit | IssuedCredit):
        return []
    draft = _drafted(state)
    if command.by == draft.by and command.limit < draft.credit.gross:
        raise CreditPreparerApproves(f"{command.by} prepared {draft.credit.gross}; the limit is {command.limit}.")
    return [CreditNoteApproved(command.by, command.at)]


def _issue(command: IssueCreditNote, state: CreditNote) -> Sequence[CreditNoteIssued]:
    match state:
        case IssuedCredit():
            return []
        case NoCreditNote():
            raise CreditNoteNotFound
        case DraftedCredit() | DiscardedCredit():
            raise CreditNoteNotApproved(f"It is {_status(state)}.")
        case ApprovedCredit(draft):
            if command.credit != draft.credit:
                raise CreditOvertaken(f"{draft.credit.gross} was approved, {command.credit.gross} would be issued.")
            return [CreditNoteIssued(draft.credit_note, command.number, command.issued_on, command.credit)]
        case _:
            assert_never(state)


decider: Decider[Command, CreditNote, Event] = Decider("credit_note", NoCreditNote(), decide, evolve)
