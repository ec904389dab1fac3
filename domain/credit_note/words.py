"""What can be asked of a credit note, what can happen to it, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from domain.credit_note.document import Credit
from domain.invoice.issued_words import PostingCommand
from domain.kernel import Refused
from domain.money import Money


@dataclass(frozen=True, slots=True)
class DraftCreditNote:
    """Make a draft of what is credited."""

    credit_note: str
    credit: Credit
    by: str


@dataclass(frozen=True, slots=True)
class ApproveCreditNote:
    """Release a draft for issue; ``limit`` of the entity is in the invoice's currency."""

    by: str
    at: datetime
    limit: Money


@dataclass(frozen=True, slots=True)
class IssueCreditNote:
    """Issue an approved credit note under the number that is taken in the same transaction.

    ``credit`` is what it comes to now; another credit of the same lines may have been issued since it was approved.
    """

    number: str
    issued_on: date
    credit: Credit


@dataclass(frozen=True, slots=True)
class DiscardCreditNote:
    """Give up a credit note that is not issued."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeliverCreditNote:
    """Record that the customer was sent the credit note, and by which way."""

    on: date
    by: str
    channel: str


@dataclass(frozen=True, slots=True)
class CreditNoteDrafted:
    """A credit note was drafted."""

    credit_note: str
    credit: Credit
    by: str


@dataclass(frozen=True, slots=True)
class CreditNoteApproved:
    """A credit note was released for issue."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CreditNoteIssued:
    """The credit note was issued under its number, as a snapshot."""

    credit_note: str
    number: str
    issued_on: date
    credit: Credit


@dataclass(frozen=True, slots=True)
class CreditNoteDiscarded:
    """A credit note was given up before it was issued."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class CreditNoteDelivered:
    """The customer was sent the credit note."""

    on: date
    by: str
    channel: str


@dataclass(frozen=True, slots=True)
class CreditPostingRequested:
    """An ERP was asked to post the credit note."""

    target: str


@dataclass(frozen=True, slots=True)
class CreditPostingSent:
    """The request to post the credit note reached the ERP; its answer is awaited."""

    target: str


@dataclass(frozen=True, slots=True)
class CreditPostingInDoubt:
    """Nobody knows yet whether the ERP posted the credit note."""

    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class CreditPostingConfirmed:
    """The ERP posted the credit note under a document id of its own."""

    target: str
    external_id: str


@dataclass(frozen=True, slots=True)
class CreditPostingRejected:
    """The ERP refused to post the credit note."""

    target: str
    reason: str


class CreditNoteNotFound(Refused):
    """There is no such credit note."""

    code = "credit_note.not_found"
    fix = "Check the id; drafts are made by draftCreditNote."


class CreditNoteExists(Refused):
    """The id is taken by another credit note."""

    code = "credit_note.exists"
    fix = "Use a new id."


class CreditNoteNotADraft(Refused):
    """Only a draft can be approved or discarded."""

    code = "credit_note.not_a_draft"
    fix = "What was credited by mistake is billed again by an invoice of its own."


class CreditNoteNotApproved(Refused):
    """Only an approved credit note can be issued."""

    code = "credit_note.not_approved"
    fix = "Approve the draft first."


class CreditNoteNotIssued(Refused):
    """Only an issued credit note can be posted or delivered."""

    code = "credit_note.not_issued"
    fix = "Issue the credit note first."


class CreditPreparerApproves(Refused):
    """Nobody approves a credit note that they prepared above the entity's limit."""

    code = "credit_note.preparer_approves"
    fix = "Let another finance approver approve it."


class CreditReasonMissing(Refused):
    """A credit note says why it was made."""

    code = "credit_note.reason_missing"
    fix = "Give the reason that the customer and auditors will read."


class CreditOvertaken(Refused):
    """The invoice was credited otherwise since this credit note was approved."""

    code = "credit_note.overtaken"
    fix = "Discard it and draft it anew; it will take the other credit into account."


OwnEvent = CreditNoteDrafted | CreditNoteApproved | CreditNoteIssued | CreditNoteDiscarded | CreditNoteDelivered
PostingEvent = (
    CreditPostingRequested | CreditPostingSent | CreditPostingInDoubt | CreditPostingConfirmed | CreditPostingRejected
)
Event = OwnEvent | PostingEvent
Command = DraftCreditNote | ApproveCreditNote | IssueCreditNote | DiscardCreditNote | DeliverCreditNote | PostingCommand
