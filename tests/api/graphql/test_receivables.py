"""What customers owe, by the days that it is overdue, and what is on account, over HTTP on real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from adapters.settings import Settings
from domain import receivables
from domain.billing import adjusting
from domain.invoice import DisputeInvoice, HandToCollections, RecordPayment, invoice_stream
from domain.payment import ReceivePayment
from domain.ports import LotAt
from domain.receivables import Allocation
from tests.api.asker import Asker, asking
from tests.world import euros

RECEIVABLES = """
query ($on: Date) { receivables(where: {on: $on}) {
  nodes { customer customerName sellingEntity currency invoices due notYetDue days1To30 days31To60 days61To90 daysOver90
          disputed inCollections onAccount balance }
  totals { currency due onAccount balance } totalCount } }
"""
PAYMENTS = """
{ payments(where: {onAccount: true}) {
  nodes { payment customer amount applied onAccount applications { invoice amount { amount } settled { currency } } }
  totals { onAccount } } }
"""


@pytest.fixture
def asker(settings: Settings) -> Iterator[Asker]:
    """Three invoices of 1,428: due on 1 May, on 31 May and on 30 June; one payment of 2,000 for the first."""
    with asking(settings) as asker:
        world = asker.world.firm().contract()
        for number, issued_on in enumerate((date(2026, 4, 1), date(2026, 5, 1), date(2026, 5, 31)), start=1):
            sheet = world.work(str(number), day=number)
            world.draft(f"I-{number}", [LotAt(sheet, f"jira:{number}#1")]).approve(f"I-{number}")
            world.issue(f"I-{number}", issued_on)
        receipt = ReceivePayment("p-1", "C-1", "DE01", date(2026, 4, 30), euros("2000.00"), "thanks")
        world.record(receivables.receive_payment(world.read, receipt, [Allocation("I-1", euros("1000.00"))]))
        yield asker


def test_receivables_are_sorted_into_the_days_that_they_are_overdue(asker: Asker) -> None:
    asker.fold()
    found = asker.ask(RECEIVABLES, {"on": "2026-06-15"})["receivables"]
    assert found["nodes"] == [
        {
            "customer": "C-1",
            "customerName": "Acme",
            "sellingEntity": "DE01",
            "currency": "EUR",
            "invoices": 3,
            "due": "3284.00",
            "notYetDue": "1428.00",
            "days1To30": "1428.00",
            "days31To60": "428.00",
            "days61To90": "0",
            "daysOver90": "0",
            "disputed": "0",
            "inCollections": "0",
            "onAccount": "1000.00",
            "balance": "2284.00",
        }
    ]
    assert found["totals"] == [{"currency": "EUR", "due": "3284.00", "onAccount": "1000.00", "balance": "2284.00"}]
    assert found["totalCount"] == 1


def test_disputes_and_collections_are_told_apart(asker: Asker) -> None:
    world = asker.world
    world.tell(invoice_stream("I-2"), DisputeInvoice("d-1", date(2026, 6, 1), "Too many hours.", "eve"))
    world.tell(invoice_stream("I-1"), HandToCollections("collections", date(2026, 6, 1), "ann", "Three reminders."))
    asker.fold()
    (row,) = asker.ask(RECEIVABLES, {"on": "2026-06-15"})["receivables"]["nodes"]
    assert (row["disputed"], row["inCollections"]) == ("1428.00", "428.00")
    invoice = asker.ask('{ invoice(id: "I-1") { status paid due disputes collectionsOn } }')["invoice"]
    assert (invoice["paid"], invoice["due"], invoice["collectionsOn"]) == ("1000.00", "428.00", "2026-06-01")


def test_a_receipt_shows_what_it_settled_and_what_is_on_account(asker: Asker) -> None:
    asker.fold()
    found = asker.ask(PAYMENTS)["payments"]
    assert found["nodes"] == [
        {
            "payment": "p-1",
            "customer": "C-1",
            "amount": "2000.00",
            "applied": "1000.00",
            "onAccount": "1000.00",
            "applications": [{"invoice": "I-1", "amount": {"amount": "1000.00"}, "settled": {"currency": "EUR"}}],
        }
    ]
    assert found["totals"] == [{"onAccount": "1000.00"}]


def test_money_that_is_reported_of_one_invoice_is_money_that_arrived(asker: Asker) -> None:
    world = asker.world
    world.tell(invoice_stream("I-1"), RecordPayment("p-2", date(2026, 6, 1), euros("28.00"), "Rest."))
    asker.fold()
    fields = "payment invoice applied onAccount applications { invoice amount { amount } }"
    found = asker.ask(f"{{ payments {{ totalCount nodes {{ {fields} }} }} }}")["payments"]
    assert found["totalCount"] == 2
    assert found["nodes"][1] == {
        "payment": "p-2",
        "invoice": "I-1",
        "applied": "28.00",
        "onAccount": "0",
        "applications": [{"invoice": "I-1", "amount": {"amount": "28.00"}}],
    }
    assert asker.ask("{ payments(where: {onAccount: true}) { nodes { payment } } }")["payments"]["nodes"] == [
        {"payment": "p-1"}
    ]


def test_what_is_written_off_is_no_longer_owed(asker: Asker) -> None:
    world = asker.world
    world.record(receivables.write_off(world.read, "I-1", None, "Insolvent.", "cfo", date(2026, 6, 1)))
    asker.fold()
    (row,) = asker.ask(RECEIVABLES, {"on": "2026-06-15"})["receivables"]["nodes"]
    assert (row["invoices"], Decimal(row["days31To60"])) == (2, Decimal(0))
    invoice = asker.ask('{ invoice(id: "I-1") { status due writtenOff } }')["invoice"]
    assert invoice == {"status": "WRITTEN_OFF", "due": "0.00", "writtenOff": "428.00"}


def test_the_lines_of_an_invoice_show_how_they_came_to_their_net(asker: Asker) -> None:
    world = asker.world
    world.draft("I-4", [LotAt(world.work("4", day=4), "jira:4#1")])
    world.record(adjusting.adjust_line(world.read, "I-4", 1, euros("-100.00"), "Goodwill.", "paul"))
    asker.fold()
    lines = "{ line net { amount } adjustment { ofLine reason by lots { lot value { amount } } } }"
    found = asker.ask(f'{{ invoice(id: "I-4") {{ net lines {lines} }} }}')["invoice"]
    assert found["net"] == "1100.00"
    borne = [{"lot": "jira:4#1", "value": {"amount": "-100.00"}}]
    assert found["lines"][1]["adjustment"] == {"ofLine": 1, "reason": "Goodwill.", "by": "paul", "lots": borne}
