"""Messages of every kind may come in any order and any number of times: lots, journal, money and sync are the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.invoice import invoice_stream
from projections.invoices.fold import INVOICES
from projections.invoices.payments_fold import PAYMENTS
from tests.adapters.inbox.firm import Firm
from tests.adapters.inbox.messages import (
    CASH,
    DECISIONS,
    EXPENSES,
    HOURS,
    NAMES,
    PEOPLE,
    PROMISES,
    RATES,
    SIGNED,
    told,
)
from tests.adapters.vendors.payloads import Letter
from tests.projections.books import fold
from tests.world import CUSTOMER, NINE

END_OF_APRIL = told("calendar.open_day", "calendar:firm", "day", day="2026-04-30", at=NINE.isoformat())


def after_work(letters: Sequence[Letter], batch: int) -> dict[str, Any]:
    """The books when all was told of a contract and its work, and April is over."""
    return Firm().deliver(letters, batch).deliver([END_OF_APRIL]).books()


def after_cash(letters: Sequence[Letter], batch: int) -> dict[str, Any]:
    """The books when all was told of the money that two invoices brought."""
    firm = Firm().deliver([*NAMES, *SIGNED, *HOURS, *DECISIONS[:5]])
    firm.bill(date(2026, 3, 3))
    firm.bill(date(2026, 3, 31))
    books = firm.deliver(letters, batch).books()
    store, invoices = fold(firm.ledger), dict[str, Any]()
    for invoice in map(INVOICES.row, store.all(INVOICES).values()):
        state = firm.read(invoice_stream(invoice.invoice))
        invoices[invoice.invoice] = (invoice.status, invoice.due, state.disputes, state.resolved)
    receipts = (PAYMENTS.row(values) for values in store.all(PAYMENTS).values())
    on_account = {each.payment: (each.applied, each.refunded, each.on_account) for each in receipts}
    return {**books, "invoices": invoices, "receipts": on_account, "blocked": firm.read(CUSTOMER).blocked_because}


@dataclass(frozen=True)
class History:
    """Messages in the order in which things happened, and what comes of them."""

    letters: Sequence[Letter]
    books_after: Callable[[Sequence[Letter], int], dict[str, Any]]


WORK = History([*NAMES, *SIGNED, *PROMISES, *RATES, *PEOPLE, *HOURS, *DECISIONS, *EXPENSES], after_work)
MONEY = History(CASH, after_cash)


@cache
def in_order(of_work: bool) -> dict[str, Any]:
    history = WORK if of_work else MONEY
    return history.books_after(history.letters, 1)


def test_in_order_the_work_comes_to_what_one_would_say() -> None:
    books = in_order(True)
    assert (books["waiting"], books["open"]) == ([], [])
    by_line: dict[str, Decimal] = {}
    for key, _, value, _ in books["lots"]:
        line = key.split("'")[3]
        by_line[line] = by_line.get(line, Decimal(0)) + value
    # Three hours of Monday at 145, of which half an hour is held, eight of Wednesday and four of Friday at 120, 110 and
    # 80 x 1.17 spent; the hours of Thursday were rejected after the week was approved, those of Friday before.
    assert by_line == {
        "L1": 435 + 960 + 480 + 110 + Decimal("93.60"),
        "L2": 12_000,
        "L3": 10_000,
        "L4": Decimal("0.6") * 12_000,
        "L5": 1_200,
        "L6": 220 + 310,
    }


def test_in_order_the_money_comes_to_what_one_would_say() -> None:
    books = in_order(False)
    assert (books["waiting"], books["open"]) == ([], [])
    assert books["receipts"] == {"B-2": (300, 150, 50), "B-3": (0, 80, 0)}
    assert {name: due for name, (_, due, _, _) in books["invoices"].items()} == {
        "INV-1": Decimal("535.50") - 100 - 250,
        "INV-2": 2499 - 50 - 25,
    }
    assert ("invoice:INV-2", "erp", "confirmed") in books["sync"]
    assert books["blocked"] is None


@pytest.mark.parametrize("history", [WORK, MONEY], ids=["work", "money"])
def test_any_order_and_any_repetition_lead_to_the_same_books(history: History) -> None:
    @settings(max_examples=15, deadline=None)
    @given(order=st.permutations(history.letters), again=st.data(), batch=st.sampled_from([1, 3, 100]))
    def same_books(order: list[Letter], again: st.DataObject, batch: int) -> None:
        repeated = again.draw(st.lists(st.sampled_from(history.letters), max_size=6))
        assert history.books_after([*order, *repeated], batch) == in_order(history is WORK)

    same_books()
