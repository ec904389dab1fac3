"""Many workers bill at once on a real PostgreSQL: nothing is billed twice, every cap is kept, no number is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from adapters.eventstore.errors import VersionConflict
from adapters.eventstore.ledger import Ledger
from adapters.postgres import connect
from api.services.catalogue import SERVICES
from api.services.drafts import LotInput
from api.verification.books import verify
from domain import receivables
from domain.billing import issuing
from domain.catalogue import DECIDERS, EVENTS
from domain.engagement import ChangeCap, PurchaseOrder, RecordPurchaseOrder
from domain.invoice import Issued, invoice_stream
from domain.kernel import Addressed, Refused
from domain.lots import LotStatus
from domain.money import total
from domain.number_series import series_stream
from domain.payment import ReceivePayment, payment_stream
from domain.ports import LotAt, Read
from domain.receivables import Allocation
from tests.api.services.desk import APPROVER, PREPARER, Counter
from tests.drafting import draft_invoice
from tests.world import ENGAGEMENT, World, cause, euros

WORKERS = 8
ATTEMPTS_MAX = 200


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    with Ledger(database_url, EVENTS, DECIDERS, pool_size=WORKERS + 2) as kept:
        yield kept


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """The results of the same work by many threads, which all begin at one moment; a refusal is a result."""
    barrier = threading.Barrier(count)

    def begin(number: int) -> Any:
        barrier.wait()
        try:
            return work(number)
        except Refused as refused:
            return refused

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(begin, range(count)))


def record(ledger: Ledger, decide: Callable[[Read], list[Addressed]]) -> None:
    """As a worker does it: decided again whenever somebody else was quicker."""
    for _ in range(ATTEMPTS_MAX):
        unit = ledger.unit()
        for each in decide(unit.state):
            unit.decide(each, cause())
        if not unit.new:
            return
        try:
            ledger.commit(unit)
        except VersionConflict:
            continue
        return
    raise AssertionError("it never got its turn")


def test_the_same_lots_are_drafted_once_whoever_asks(ledger: Ledger) -> None:
    world = World(ledger).firm().contract()
    lots = world.lots(world.work("1"), world.work("2", person="W-2"))

    def draft(number: int) -> str:
        def decide(read: Read) -> list[Addressed]:
            name, day = f"I-{number}", date(2026, 3, 31)
            return draft_invoice(read, name, "E-1", lots, cut_off=day, by="paul", strict=True)

        record(ledger, decide)
        return f"I-{number}"

    results = together(WORKERS, draft)
    (winner,) = [name for name in results if isinstance(name, str)]
    held = [world.read(at.stream).lots[at.lot] for at in lots]
    assert {(each.status, each.invoice) for each in held} == {(LotStatus.RESERVED, winner)}


def test_desks_that_take_what_is_left_never_bill_a_lot_twice_nor_pass_the_cap(ledger: Ledger) -> None:
    world = World(ledger).firm().contract()
    world.tell(ENGAGEMENT, ChangeCap("L1", euros(5000)))
    sheets = [world.work(str(n), "4", day=n % 5, person=f"W-{1 + n % 2}") for n in range(10)]
    lots = world.lots(*dict.fromkeys(sheets))
    counter, request = Counter(world), SERVICES["request-invoice"]

    def ask(number: int) -> Any:
        chosen = lots[number % len(lots) :: 2]
        wanted = tuple(LotInput(at.stream, at.lot) for at in chosen[: 1 + number % 3])
        service = {"engagement": "E-1", "lots": wanted, "invoice": f"I-{number}"}
        return counter.desk.run(request, request.input(**service), PREPARER, f"key-{number}")

    together(WORKERS, ask)
    drafted = [fact.event for fact in ledger.read(0, 10_000) if fact.name == "invoice.drafted.v1"]
    named = [(part.stream, part.lot) for each in drafted for line in each.lines for part in line.lots]
    assert drafted
    assert len(named) == len(set(named))
    nets = total((line.net for each in drafted for line in each.lines), "EUR")
    assert nets == world.read(ENGAGEMENT).claimed("L1") <= euros(5000)


@pytest.mark.parametrize("asked_by_name", [True, False])
def test_desks_that_bill_at_once_do_not_pass_the_purchase_order(ledger: Ledger, asked_by_name: bool) -> None:
    world = World(ledger).firm().contract()
    world.tell(ENGAGEMENT, RecordPurchaseOrder(PurchaseOrder("PO-1", euros(2500))))
    sheets = [world.work(str(n), "4", day=n % 5, person=f"W-{1 + n % 2}") for n in range(10)]
    lots = world.lots(*dict.fromkeys(sheets))
    counter, request = Counter(world), SERVICES["request-invoice"]

    def ask(number: int) -> Any:
        named = tuple(LotInput(at.stream, at.lot) for at in lots[number : number + 1]) if asked_by_name else None
        service = {"engagement": "E-1", "lots": named, "invoice": f"I-{number}"}
        return counter.desk.run(request, request.input(**service), PREPARER, f"key-{number}")

    together(WORKERS, ask)
    assert world.read(ENGAGEMENT).claimed("L1") == euros(2400)
    assert world.read(ENGAGEMENT).order_room.amount == euros(100)


def test_many_issues_at_once_take_every_number_once_and_leave_no_gap(ledger: Ledger) -> None:
    world = World(ledger).firm().contract()
    names = [f"I-{n}" for n in range(WORKERS)]
    for number, name in enumerate(names):
        sheet = world.work(str(number), "1", day=number % 5, person=f"W-{1 + number // 5}")
        world.draft(name, [LotAt(sheet, f"jira:{number}#1")]).approve(name)

    def issue(number: int) -> None:
        record(ledger, lambda read: issuing.issue_invoice(read, names[number % WORKERS], date(2026, 4, 1)))

    together(2 * WORKERS, issue)  # each one twice
    issued = [world.read(invoice_stream(name)) for name in names]
    assert all(isinstance(each, Issued) for each in issued)
    assert sorted(each.document.number for each in issued) == [f"DE01-2026-{n:06d}" for n in range(1, WORKERS + 1)]
    assert world.read(series_stream("DE01", "DE01-2026")).last == WORKERS


def test_one_receipt_is_never_used_twice(ledger: Ledger) -> None:
    world = World(ledger).firm().contract()
    for number in (1, 2):
        sheet = world.work(str(number), day=number)
        world.draft(f"I-{number}", [LotAt(sheet, f"jira:{number}#1")]).approve(f"I-{number}").issue(f"I-{number}")
    receipt = ReceivePayment("p-1", "C-1", "DE01", date(2026, 4, 10), euros("1500.00"))
    world.record(receivables.receive_payment(world.read, receipt, []))

    def apply(number: int) -> None:
        asked = [Allocation(f"I-{1 + number % 2}")]
        record(ledger, lambda read: receivables.apply_payment(read, "p-1", asked, date(2026, 4, 11)))

    together(WORKERS, apply)
    payment = world.read(payment_stream("p-1"))
    assert not payment.on_account
    taken = [world.read(invoice_stream(f"I-{number}")).applied["p-1"].amount for number in (1, 2)]
    assert total(taken, "EUR") == euros("1500.00")
    assert sorted(taken, key=lambda each: each.amount) == [euros("72.00"), euros("1428.00")]


def test_drafting_approving_issuing_and_discarding_at_once_leaves_clean_books(
    ledger: Ledger, database_url: str
) -> None:
    world = World(ledger).firm().contract(cap=euros(4000))
    sheets = dict.fromkeys(world.work(str(n), "4", day=n % 5, person=f"W-{1 + n % 2}") for n in range(10))
    counter = Counter(world)

    def play(number: int) -> None:
        name = f"I-{number}"
        given_up = ("discard-draft", PREPARER, {"invoice": name, "reason": "Again."})
        approved = ("approve-invoice", APPROVER, {"invoice": name})
        for service, who, asked in (
            ("request-invoice", PREPARER, {"engagement": "E-1", "invoice": name}),
            given_up if number % 3 == 0 else approved,
            ("issue-invoice", APPROVER, {"invoice": name}),
            ("request-invoice", PREPARER, {"engagement": "E-1", "invoice": f"{name}b"}),
        ):
            try:
                counter.desk.run(SERVICES[service], SERVICES[service].input(**asked), who, f"{service}-{asked}")
            except Refused:
                continue

    together(WORKERS, play)
    with connect(database_url, "ledger", "test") as conn:
        report = verify(ledger, conn, None, lambda _done, _total, _what: None)
    assert report.holds, [check.breaches for check in report.checks if not check.holds]
    claimed = world.read(ENGAGEMENT).claimed("L1")
    assert claimed <= euros(4000)
    assert len(sheets) == 2
