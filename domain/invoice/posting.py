"""Posting in an ERP: asked, sent, in doubt, confirmed or refused, the same for an invoice and for a credit note."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar, assert_never

from domain.invoice.issued_words import (
    ConfirmPosting,
    PostingCommand,
    RejectPosting,
    ReportPostingInDoubt,
    ReportPostingSent,
    RequestPosting,
)

PostingState = Literal["requested", "sent", "in_doubt", "confirmed", "rejected"]
Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True)
class Posting:
    """How far one ERP is with a document."""

    state: PostingState
    external_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PostingFacts(Generic[Fact]):
    """The facts that say of one kind of document how far an ERP is with it: which, and its id for it or its reason."""

    requested: Callable[[str], Fact]
    sent: Callable[[str], Fact]
    in_doubt: Callable[[str, str], Fact]
    confirmed: Callable[[str, str], Fact]
    rejected: Callable[[str, str], Fact]


def decide_posting(command: PostingCommand, known: Posting | None, facts: PostingFacts[Fact]) -> Sequence[Fact]:
    """What is new in what was asked of an ERP or came from it; a document is asked for again only once refused."""
    match command:
        case RequestPosting(target):
            return [] if known and known.state != "rejected" else [facts.requested(target)]
        case ReportPostingSent(target):
            return [facts.sent(target)] if known and known.state == "requested" else []
        case ReportPostingInDoubt(target, reason):
            return [facts.in_doubt(target, reason)] if known and known.state in ("requested", "sent") else []
        case ConfirmPosting(target, external_id):
            return [] if known == Posting("confirmed", external_id) else [facts.confirmed(target, external_id)]
        case RejectPosting(target, reason):
            settled = known is not None and (known.state == "confirmed" or known == Posting("rejected", None, reason))
            return [] if settled else [facts.rejected(target, reason)]
        case _:
            assert_never(command)
