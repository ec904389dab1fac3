"""The figures that SQL adds up from the read models are those that plain Python counts from the facts themselves."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

import pytest

from adapters.eventstore.ledger import Ledger
from domain.invoice import Document, InvoiceIssued, PaymentReceived
from domain.kernel import StreamId, decider_name, local_id
from domain.lots import LotStatus
from projections.figures.asked import FigureFilter
from projections.figures.cycle import cycle_times
from projections.figures.earnings import figures
from projections.figures.unbilled import unbilled
from projections.reader import FIRM, View
from tests.projections.test_queries import ledger, reader, url, view

__all__ = ["ledger", "reader", "url", "view"]

EUROS = FigureFilter(currency="EUR")
CENT = Decimal("0.01")


AGES = ((30, "0-30"), (60, "31-60"), (90, "61-90"))


@dataclass
class Bill:
    """What happened to one invoice."""

    document: Document
    paid: Decimal = Decimal(0)


@dataclass
class Facts:
    """What the figures are about, as the log tells it."""

    bills: dict[str, Bill] = field(default_factory=dict)
    sheets: set[StreamId] = field(default_factory=set)


@pytest.fixture(scope="module")
def facts(ledger: Ledger) -> Facts:
    found = Facts()
    for fact in ledger.read(0, 1_000_000):
        name = local_id(fact.stream)
        match fact.event:
            case InvoiceIssued(document=document):
                found.bills[name] = Bill(document)
            case PaymentReceived(amount=amount):
                found.bills[name].paid += amount.amount
            case _ if decider_name(fact.stream) == "timesheet":
                found.sheets.add(fact.stream)
    return found


def nearest_rank(values: Iterable[int], share: float) -> int:
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1]


def last_day_of_work(document: Document) -> date:
    return max(lot.work_date for line in document.lines for lot in line.lots if lot.work_date is not None)


def test_what_is_billed_collected_and_owed_is_that_of_the_invoices(view: View, facts: Facts) -> None:
    ours = [bill for bill in facts.bills.values() if bill.document.header.selling_entity == "DE01"]
    in_euros = {bill.document.header.engagement for bill in ours} - {
        bill.document.header.engagement for bill in ours if bill.document.header.currency != "EUR"
    }
    assert in_euros
    found = {row.key: row for row in figures(view, "engagement", EUROS, FIRM)}
    for engagement in in_euros:
        bills = [bill for bill in ours if bill.document.header.engagement == engagement]
        billed = sum(bill.document.net.amount for bill in bills)
        collected = sum(bill.document.net.amount * bill.paid / bill.document.gross.amount for bill in bills)
        owed = sum(bill.document.gross.amount - bill.paid for bill in bills)
        row = found[engagement]
        assert abs(row.billed - billed) <= CENT
        assert abs(row.collected - collected) <= CENT
        assert row.receivable == owed


def test_invoices_take_as_long_as_their_days_say(view: View, facts: Facts) -> None:
    days = [(bill.document.issued_on - last_day_of_work(bill.document)).days for bill in facts.bills.values()]
    (row,) = cycle_times(view, "firm", EUROS, FIRM)
    assert row.invoices == len(days)
    assert row.from_service_days_median == Decimal(median(days))
    assert row.from_service_days_p90 == nearest_rank(days, 0.9)


def test_unbilled_hours_are_as_old_as_their_work(view: View, ledger: Ledger, facts: Facts) -> None:
    on = date(2024, 4, 1)
    hours: dict[str, Decimal] = defaultdict(Decimal)
    for sheet in ledger.load(sorted(facts.sheets)).values():
        for lot in sheet.state.lots.values():
            if lot.status in (LotStatus.OPEN, LotStatus.RESERVED):
                age = on - lot.lot.work_date
                old = next((name for days, name in AGES if age <= timedelta(days)), "over 90")
                hours[old] += lot.lot.quantity
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in unbilled(view, "firm", EUROS, FIRM, on):
        found[row.age] += row.hours
    assert {age: each for age, each in found.items() if each} == dict(hours)
