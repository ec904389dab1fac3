"""What crediting refuses: wishes that name nothing, work that is priced nowhere, steps out of their order."""

from __future__ import annotations

from typing import Any

import pytest

from domain.billing import adjusting, crediting
from domain.billing.credit_wishes import CreditWish, LineNotCreditedAlone, LotNotOnLine, RebillTargetMissing
from domain.billing.given_back import NotRatedElsewhere
from domain.credit_note import RebillTo
from domain.credit_note.words import (
    CreditNoteExists,
    CreditNoteNotADraft,
    CreditNoteNotApproved,
    CreditNoteNotFound,
    CreditNoteNotIssued,
    CreditReasonMissing,
    DeliverCreditNote,
)
from domain.invoice import RecordPayment, RefundBalance, UnknownInvoiceLine, invoice_stream
from domain.invoice.issued_words import PaymentNotPositive, RefundAboveBalance
from domain.kernel import stream_of
from domain.reference.rate_card import WithdrawRate, rate_card_stream
from tests.domain.test_crediting import APRIL, MAY, billed, credit, invoice, other_engagement
from tests.world import NINE, World, euros

NOTE = stream_of("credit_note", "CN-1")


def drafted(world: World, *wishes: CreditWish, reason: str = "Agreed with the customer.") -> World:
    asked = wishes or (CreditWish(1),)
    commands = crediting.draft_credit_note(world.read, "CN-1", "I-1", asked, form="381", reason=reason, by="paul")
    world.record(commands)
    return world


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        (CreditWish(9), UnknownInvoiceLine),
        (CreditWish(1, lot="jira:9#1"), LotNotOnLine),
        (CreditWish(2), LineNotCreditedAlone),
        (CreditWish(1, disposition="rebill_elsewhere"), RebillTargetMissing),
        (CreditWish(1, rebill_to=RebillTo("E-2", "L9")), RebillTargetMissing),
    ],
    ids=lambda each: getattr(each, "code", ""),
)
def test_a_credit_names_lines_and_lots_of_the_invoice_and_where_they_are_billed_instead(
    wish: CreditWish, refusal: Any
) -> None:
    world = World().firm().contract()
    world.draft("I-1", world.lots(world.work("1", "8")))
    world.record(adjusting.adjust_line(world.read, "I-1", 1, euros("-100.00"), "Goodwill.", "paul"))
    world.approve("I-1").issue("I-1")
    with pytest.raises(refusal):
        drafted(world, wish)


def test_a_credit_without_a_reason_is_refused() -> None:
    world, _ = billed("8")
    with pytest.raises(CreditReasonMissing):
        drafted(world, reason=" ")


def test_work_goes_nowhere_where_it_has_no_price() -> None:
    world, _ = billed("8")
    other_engagement(world)
    world.tell(rate_card_stream("engagement", "E-2"), WithdrawRate("r"))
    world.tell(rate_card_stream("firm", "FIRM"), WithdrawRate("senior"))
    drafted(world, CreditWish(1, disposition="rebill_elsewhere", rebill_to=RebillTo("E-2", "L9")))
    world.record(crediting.approve_credit_note(world.read, "CN-1", "ann", NINE))
    with pytest.raises(NotRatedElsewhere, match="NO_RATE"):
        crediting.issue_credit_note(world.read, "CN-1", MAY)


def test_a_credit_note_is_drafted_approved_issued_and_delivered_in_that_order() -> None:
    world, _ = billed("8")
    with pytest.raises(CreditNoteNotFound):
        crediting.issue_credit_note(world.read, "CN-1", MAY)
    with pytest.raises(CreditNoteNotFound):
        world.record(crediting.approve_credit_note(world.read, "CN-1", "ann", NINE))
    drafted(world)
    with pytest.raises(CreditNoteExists):
        drafted(world, reason="For another reason.")
    with pytest.raises(CreditNoteNotApproved):
        crediting.issue_credit_note(world.read, "CN-1", MAY)
    with pytest.raises(CreditNoteNotIssued):
        world.tell(NOTE, DeliverCreditNote(MAY, "ann", "email"))
    world.record(crediting.approve_credit_note(world.read, "CN-1", "ann", NINE))
    world.record(crediting.issue_credit_note(world.read, "CN-1", MAY))
    with pytest.raises(CreditNoteNotADraft):
        world.record(crediting.discard_credit_note("CN-1", "paul", "Never mind."))


def test_what_is_credited_after_it_was_paid_is_refunded_up_to_what_was_paid_too_much() -> None:
    world, _ = billed("8")
    stream = invoice_stream("I-1")
    world.tell(stream, RecordPayment("p-1", APRIL, euros("1428.00")))
    credit(world, "CN-1", CreditWish(1, amount=euros("300.00")))
    for amount, refusal in (("357.01", RefundAboveBalance), ("0.00", PaymentNotPositive)):
        with pytest.raises(refusal):
            world.tell(stream, RefundBalance("r-1", MAY, euros(amount), "ann", "Credited."))
    world.tell(stream, RefundBalance("r-1", MAY, euros("357.00"), "ann", "Credited."))
    assert invoice(world).due == euros("0.00")
