"""Credits, receipts and changes of limits by many hands at once, on a real PostgreSQL: each cent counts once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from functools import reduce
from itertools import groupby
from typing import Any

import pytest

from adapters.eventstore.errors import VersionConflict
from adapters.eventstore.ledger import Ledger
from adapters.postgres import connect
from api.services.catalogue import SERVICES
from api.services.crediting import CreditedPartInput
from api.services.drafts import LotInput
from api.services.payments import AllocationInput
from api.services.service import Amount
from api.verification.books import verify
from domain.billing_limit import AgreeBillingLimit, billing_limit_stream
from domain.caps import Limit
from domain.catalogue import DECIDERS, EVENTS
from domain.credit_note import credit_note_stream
from domain.engagement import ChangeCap, PurchaseOrder, RecordPurchaseOrder
from domain.invoice import invoice_stream
from domain.kernel import Addressed, Refused, StreamId, decider_name
from domain.money import total
from domain.payment import payment_stream
from domain.ports import LotAt
from tests.api.services.desk import APPROVER, PREPARER, Counter
from tests.journeys.test_concurrent_billing import ATTEMPTS_MAX, WORKERS, together
from tests.world import ENGAGEMENT, World, cause, euros


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with Ledger(database_url, EVENTS, DECIDERS, pool_size=WORKERS + 2) as ledger:
        yield World(ledger).firm()


@pytest.fixture(autouse=True)
def _the_books_are_proved(world: World, database_url: str) -> Iterator[None]:
    yield
    assert isinstance(world.ledger, Ledger)
    with connect(database_url, "ledger", "test") as conn:
        report = verify(world.ledger, conn, None, lambda _done, _total, _what: None)
    assert report.holds, [check.breaches for check in report.checks if not check.holds]


def asked(counter: Counter, name: str, who: Any, key: str, /, **fields: Any) -> None:
    service = SERVICES[name]
    counter.desk.run(service, service.input(**fields), who, f"{name}/{key}")


def two_days_on_an_invoice(world: World) -> Counter:
    """Sixteen hours of 150.00 on one line, issued."""
    world.contract()
    sheets = dict.fromkeys((world.work("1"), world.work("2", day=1)))
    world.draft("I-1", world.lots(*sheets)).approve("I-1").issue("I-1")
    return Counter(world)


def pay(counter: Counter, number: int, amount: str) -> None:
    receipt = {"payment": f"p-{number}", "customer": "C-1", "entity": "DE01", "received_on": date(2026, 5, 4)}
    told = {"amount": Amount(Decimal(amount), "EUR"), "invoices": (AllocationInput("I-1"),)}
    asked(counter, "receive-payment", PREPARER, f"p-{number}", **receipt, **told)


def test_a_line_that_many_credit_at_once_is_never_credited_above_itself(world: World) -> None:
    counter = two_days_on_an_invoice(world)

    def credit(number: int) -> str:
        name = f"CN-{number}"
        part = CreditedPartInput(1, quantity=Decimal(3))
        asked(counter, "draft-credit-note", PREPARER, name, invoice="I-1", reason="x", parts=(part,), credit_note=name)
        asked(counter, "approve-credit-note", APPROVER, name, credit_note=name)
        asked(counter, "issue-credit-note", PREPARER, name, credit_note=name, issued_on=date(2026, 5, 4))
        return name

    results = together(WORKERS, credit)
    issued = [result for result in results if isinstance(result, str)]
    assert 2 <= len(issued) <= 5, "three of sixteen hours each, and who drafts first names the newest day"
    refused = {type(result) for result in results if isinstance(result, Refused)}
    assert {refusal.code for refusal in refused} <= {"credit_note.above_line", "lot.credit_above_billed"}
    credited = total([euros("535.50")] * len(issued), "EUR")
    assert world.read(invoice_stream("I-1")).due == euros("2856.00") - credited
    numbers = sorted(world.read(credit_note_stream(name)).number for name in issued)
    assert numbers == [f"DE01-CN-2026-{number:06d}" for number in range(1, len(issued) + 1)]


def test_an_invoice_that_many_pay_at_once_takes_what_is_due_and_the_rest_is_on_account(world: World) -> None:
    counter = two_days_on_an_invoice(world)

    assert together(WORKERS, lambda number: pay(counter, number, "500")) == [None] * WORKERS
    invoice = world.read(invoice_stream("I-1"))
    assert invoice.due == euros(0)
    assert total((taken.amount for taken in invoice.applied.values()), "EUR") == euros("2856.00")
    on_account = [world.read(payment_stream(f"p-{number}")).on_account for number in range(WORKERS)]
    assert total(on_account, "EUR") == euros(500 * WORKERS) - euros("2856.00")


def test_credits_and_receipts_at_once_add_up_to_what_is_due(world: World) -> None:
    counter = two_days_on_an_invoice(world)

    def settle(number: int) -> None:
        if number % 2:
            part = CreditedPartInput(1, quantity=Decimal(4))
            told = {"invoice": "I-1", "reason": "x", "parts": (part,), "credit_note": f"CN-{number}"}
            asked(counter, "draft-credit-note", PREPARER, f"{number}", **told)
            asked(counter, "approve-credit-note", APPROVER, f"{number}", credit_note=f"CN-{number}")
            asked(counter, "issue-credit-note", PREPARER, f"{number}", credit_note=f"CN-{number}")
        else:
            receipt = {
                "payment": f"p-{number}",
                "customer": "C-1",
                "entity": "DE01",
                "amount": Amount(Decimal(714), "EUR"),
            }
            asked(counter, "receive-payment", PREPARER, f"{number}", invoices=(AllocationInput("I-1"),), **receipt)

    together(WORKERS, settle)
    invoice = world.read(invoice_stream("I-1"))
    payments = [world.read(payment_stream(f"p-{number}")) for number in range(0, WORKERS, 2)]
    received = total((each.receipt.amount for each in payments), "EUR")
    on_account = total((each.on_account for each in payments), "EUR")
    assert received == euros(714 * len(payments))
    assert received - on_account == total((taken.amount for taken in invoice.applied.values()), "EUR")
    assert invoice.due == invoice.document.gross - invoice.credited - (received - on_account)


def many_half_days(world: World) -> list[LotAt]:
    """Ten lots of 600.00, of two people."""
    sheets = [world.work(str(n), "4", day=n % 5, person=f"W-{1 + n % 2}") for n in range(10)]
    return world.lots(*dict.fromkeys(sheets))


def draft(counter: Counter, number: int, lots: Sequence[LotAt]) -> None:
    """Several drafts by one hand, each of two lots, whether they may be made or not."""
    for step in range(3):
        wanted = tuple(LotInput(at.stream, at.lot) for at in lots[number + step : number + step + 2])
        name = f"I-{number}-{step}"
        with suppress(Refused):
            asked(counter, "request-invoice", PREPARER, name, engagement="E-1", invoice=name, lots=wanted)


def change(world: World, stream: StreamId, command: Any) -> None:
    """Somebody states something anew, as often as others are first."""
    for _ in range(ATTEMPTS_MAX):
        try:
            world.ledger.execute([Addressed(stream, command)], cause())
        except (VersionConflict, Refused):
            continue
        return


def states(world: World, stream: StreamId) -> Iterator[Any]:
    """The stream after each transaction."""
    decider = DECIDERS[decider_name(stream)]
    for _, together_recorded in groupby(world.ledger.history(stream), lambda fact: fact.recorded_at):
        last = list(together_recorded)[-1]
        yield reduce(
            decider.evolve, (fact.event for fact in world.ledger.history(stream, until_position=last.position)),
            decider.initial,
        )  # fmt: skip


def test_no_draft_passes_a_cap_that_is_changed_while_drafts_are_made(world: World) -> None:
    world.contract(cap=euros(3000))
    lots, counter = many_half_days(world), Counter(world)

    def play(number: int) -> None:
        if number % 4:
            draft(counter, number, lots)
        else:
            for cap in (1200, 4000, 600, 2400):
                change(world, ENGAGEMENT, ChangeCap("L1", euros(cap)))

    together(WORKERS, play)
    seen = [(state.claimed("L1"), state.lines["L1"].billing.cap) for state in states(world, ENGAGEMENT) if state.lines]
    assert len({cap for _, cap in seen}) > 1
    assert any(claimed for claimed, _ in seen)
    assert [pair for pair in seen if pair[0] > pair[1]] == []


def test_no_draft_passes_the_limit_of_the_customer_that_is_changed_while_drafts_are_made(world: World) -> None:
    world.contract()
    lots, counter, limit = many_half_days(world), Counter(world), billing_limit_stream("C-1", "EUR")
    world.tell(limit, AgreeBillingLimit("C-1", "EUR", Limit(euros(3000))))

    def play(number: int) -> None:
        if number % 4:
            draft(counter, number, lots)
        else:
            for amount in (1200, 4000, 600, 2400):
                change(world, limit, AgreeBillingLimit("C-1", "EUR", Limit(euros(amount))))

    together(WORKERS, play)
    seen = [(state.consumed.amount, state.limit.amount) for state in states(world, limit)]
    assert len({limit for _, limit in seen}) > 1
    assert any(claimed for claimed, _ in seen)
    assert [pair for pair in seen if pair[0] > pair[1]] == []


def test_drafts_that_are_made_at_once_never_pass_the_amount_of_the_purchase_order(world: World) -> None:
    world.contract()
    many_half_days(world)
    counter = Counter(world)
    world.tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-1", euros(2000))))
    together(WORKERS, lambda number: asked(counter, "request-invoice", PREPARER, f"{number}", engagement="E-1"))
    engagement = world.read(ENGAGEMENT)
    assert euros(0) < engagement.taken_of(engagement.orders["PO-1"]) <= euros(2000)
