"""The services around credit notes, as people at a desk use them, and what follows by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from api.access import NotPermitted
from api.services.crediting import CreditedPartInput
from api.services.drafts import LotInput
from api.services.service import Amount, InputIncomplete
from api.verification.billings import Billings, Numbers
from api.verification.law import Law
from domain.credit_note import DraftedCredit, IssuedCredit, credit_note_stream
from domain.invoice import CreditAboveLine, Issued, invoice_stream
from domain.lots import LotStatus
from tests.api.services.desk import APPROVER, PREPARER, Counter
from tests.world import World, euros


@pytest.fixture
def counter() -> Counter:
    """Two days of eight hours on an issued invoice."""
    counter = Counter(World().firm().contract())
    sheet = counter.world.work("1")
    counter.world.work("2", day=1)
    lots = tuple(LotInput(sheet, lot.lot) for lot in counter.world.lots(sheet))
    counter.ask("request-invoice", PREPARER, engagement="E-1", invoice="I-1", lots=lots)
    counter.ask("approve-invoice", APPROVER, invoice="I-1")
    counter.ask("issue-invoice", PREPARER, invoice="I-1")
    return counter


def part(quantity: str | None = None, **more: Any) -> CreditedPartInput:
    return CreditedPartInput(1, quantity=Decimal(quantity) if quantity else None, **more)


def draft(counter: Counter, *parts: CreditedPartInput, dry_run: bool = False, **more: Any) -> Any:
    told: dict[str, Any] = {"invoice": "I-1", "reason": "Agreed.", "credit_note": "CN-1"} | more
    return counter.ask("draft-credit-note", PREPARER, parts=parts, dry_run=dry_run, **told)


def issued(counter: Counter, *parts: CreditedPartInput, **more: Any) -> IssuedCredit:
    name = more.get("credit_note", "CN-1")
    draft(counter, *parts, **more)
    counter.ask("approve-credit-note", APPROVER, credit_note=name)
    counter.ask("issue-credit-note", PREPARER, credit_note=name, issued_on=date(2026, 5, 4))
    state = counter.world.react().read(credit_note_stream(name))
    assert isinstance(state, IssuedCredit)
    return state


def test_a_preview_shows_what_a_credit_comes_to_and_records_nothing(counter: Counter) -> None:
    before = counter.world.names()
    answer = draft(counter, part("2"), dry_run=True)
    state = answer.states[credit_note_stream("CN-1")]
    assert isinstance(state, DraftedCredit)
    assert (state.credit.net, state.credit.gross) == (euros("300.00"), euros("357.00"))
    assert counter.world.names() == before


def test_an_issued_credit_note_is_posted_to_the_erp(counter: Counter) -> None:
    assert issued(counter, part("2")).postings["erp"].state == "requested"


def test_the_conservation_law_holds_after_every_commit_of_a_history_of_credits(counter: Counter) -> None:
    issued(counter, part("2"))
    issued(counter, part("1.5", disposition="write_off"), part("1", disposition="non_billable"), credit_note="CN-2")
    to = part("3", disposition="rebill_elsewhere", engagement="E-1", contract_line="L1", customer="C-7")
    issued(counter, to, credit_note="CN-3", form="380")
    law = Law()
    auditors: list[Any] = [law, Billings(law), Numbers()]
    breaches: list[Any] = []
    for fact in counter.world.ledger.read(0, 10_000):
        for auditor in auditors:
            breaches += auditor.see(fact)
    for auditor in auditors:
        breaches += auditor.settle()
    assert [*breaches, *law.totals(), *auditors[1].totals()] == []
    state = counter.world.read(invoice_stream("I-1"))
    assert isinstance(state, Issued)
    assert state.due == euros("2856.00") - euros("178.50") * Decimal("7.5")


def test_only_preparers_draft_and_only_approvers_approve(counter: Counter) -> None:
    with pytest.raises(NotPermitted):
        counter.ask("draft-credit-note", APPROVER, invoice="I-1", reason="Why.", parts=(part("1"),))
    draft(counter, part("1"))
    with pytest.raises(NotPermitted):
        counter.ask("approve-credit-note", PREPARER, credit_note="CN-1")


def test_more_than_the_line_is_refused(counter: Counter) -> None:
    with pytest.raises(CreditAboveLine):
        draft(counter, part("16.5"))


@pytest.mark.parametrize(
    "wrong",
    [
        part("1", disposition="forget"),
        replace(part("1"), amount=Amount(Decimal(1), "EUR")),
        part("1", disposition="rebill_elsewhere", engagement="E-1"),
    ],
)
def test_a_part_says_one_thing(counter: Counter, wrong: CreditedPartInput) -> None:
    with pytest.raises(InputIncomplete):
        draft(counter, wrong)


def test_a_draft_is_discarded_and_touches_nothing(counter: Counter) -> None:
    draft(counter, part("2"))
    counter.ask("discard-credit-note", PREPARER, credit_note="CN-1", reason="Not agreed.")
    (sheet,) = {each.stream for each in counter.world.lots(*_sheets(counter))}
    assert {held.status for held in counter.world.read(sheet).lots.values()} == {LotStatus.BILLED}


def test_open_work_is_transferred_at_the_desk(counter: Counter) -> None:
    sheet = counter.world.work("3", day=2)
    lots = (LotInput(sheet, "jira:3#1"),)
    counter.ask(
        "transfer-lots",
        PREPARER,
        lots=lots,
        engagement="E-1",
        contract_line="L1",
        customer="C-7",
        reason="Paid by C-7.",
    )
    open_lots = [held.lot for held in counter.world.read(sheet).lots.values() if held.status is LotStatus.OPEN]
    assert [(lot.customer, lot.transferred_from) for lot in open_lots] == [("C-7", "jira:3#1")]


def _sheets(counter: Counter) -> set[Any]:
    return {fact.stream for fact in counter.world.ledger.read(0, 1_000) if fact.stream.startswith("timesheet:")}
