"""The rules of one invoice, from its draft to what settles it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from domain.invoice.draft import (
    Approved,
    Discarded,
    Draft,
    Nothing,
    approve,
    change_draft,
    document_of,
    draft_new,
    evolve_draft,
)
from domain.invoice.draft_words import (
    AddLines,
    AdjustLines,
    AllowancesStated,
    ApproveInvoice,
    DiscardDraft,
    DraftCommand,
    DraftDiscarded,
    DraftEvent,
    DraftInvoice,
    InvoiceApproved,
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceNotFound,
    IssueInvoice,
    LinesAdded,
    LinesAdjusted,
    NotADraft,
    NotApproved,
    PrepaymentsStated,
    StateAllowances,
    StatePrepayments,
)
from domain.invoice.issued import (
    Issued,
    decide_issued,
    evolve_issued,
)
from domain.invoice.issued_words import (
    IssuedCommand,
    IssuedEvent,
    NotIssued,
)
from domain.kernel import Decider, StreamId, stream_of

Event = DraftEvent | IssuedEvent
Command = DraftCommand | IssuedCommand
Invoice = Nothing | Draft | Approved | Issued | Discarded


def invoice_stream(invoice: str) -> StreamId:
    """The history of one invoice, from its draft on: ``invoice:<id>``. The number comes later."""
    return stream_of("invoice", invoice)


def decide(command: Command, state: Invoice) -> Sequence[Event]:
    match command:
        case DraftInvoice():
            return draft_new(command, state)
        case AddLines() | AdjustLines() | StateAllowances() | StatePrepayments():
            return change_draft(command, _drafted(state))
        case DiscardDraft(by, reason):
            return [] if isinstance(state, Discarded) else [DraftDiscarded(by, reason) for _ in [_drafted(state)]]
        case ApproveInvoice():
            return [] if isinstance(state, Approved | Issued) else approve(command, _drafted(state))
        case IssueInvoice():
            return _issue(command, state)
        case _:
            return decide_issued(command, _issued(state))


def _drafted(state: Invoice) -> Draft:
    match state:
        case Draft():
            return state
        case Nothing():
            raise InvoiceNotFound
        case Approved() | Issued() | Discarded():
            raise NotADraft(f"It is {type(state).__name__.lower()}.")
        case _:
            assert_never(state)


def _issue(command: IssueInvoice, state: Invoice) -> Sequence[Event]:
    match state:
        case Approved(draft):
            return [InvoiceIssued(draft.invoice, document_of(command, draft))]
        case Issued():
            return []
        case Nothing():
            raise InvoiceNotFound
        case Draft() | Discarded():
            raise NotApproved
        case _:
            assert_never(state)


def _issued(state: Invoice) -> Issued:
    match state:
        case Issued():
            return state
        case Nothing():
            raise InvoiceNotFound
        case Draft() | Approved() | Discarded():
            raise NotIssued(f"It is {type(state).__name__.lower()}.")
        case _:
            assert_never(state)


def evolve(state: Invoice, event: Event) -> Invoice:
    match (event, state):
        case (InvoiceDrafted(invoice, header, lines), _):
            return Draft(invoice, header, lines)
        case (LinesAdded() | LinesAdjusted() | AllowancesStated() | PrepaymentsStated(), Draft()):
            return evolve_draft(state, event)
        case (DraftDiscarded(), Draft()):
            return Discarded(state)
        case (InvoiceApproved(by), Draft()):
            return Approved(state, by)
        case (InvoiceIssued(invoice, document), Approved()):
            return Issued(invoice, document, state.by)
        case (_, Issued()):
            return evolve_issued(state, event)
        case _:
            return state


decider: Decider[Command, Invoice, Event] = Decider("invoice", Nothing(), decide, evolve)
