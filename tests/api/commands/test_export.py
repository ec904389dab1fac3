"""The journal in plain text passes the real checker, and says the same as the trial balance, to the cent."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import psycopg
import pytest
from beancount import loader
from beancount.core import data

from adapters.settings import Settings
from api.commands.export import Format, account_of, viewing, write
from domain.invoice import RecordPayment, invoice_stream
from domain.money import Money
from projections.journal import journal
from projections.journal.journal import BalanceFilter
from projections.reader import FIRM, View
from tests.api.asker import Asker, asking
from tests.projections.test_margin_fold import dollars, rate
from tests.world import MONDAY


@pytest.fixture
def books(settings: Settings) -> Iterator[Asker]:
    with asking(settings) as asker:
        yield asker


@pytest.fixture
def view(books: Asker, settings: Settings) -> Iterator[View]:
    world = dollars(books.world)
    rate(world, MONDAY, "1.25")
    rate(world, date(2026, 3, 31), "1.60")
    sheet = world.work("1")
    world.work("2", day=1)
    world.draft("I-1", world.lots(sheet)[:1]).approve("I-1").issue("I-1", MONDAY)
    world.tell(invoice_stream("I-1"), RecordPayment("P-1", MONDAY, Money(Decimal("1000.37"), "USD")))
    books.fold()
    with viewing(settings, None, {"format": "csv"}) as view:
        yield view


def test_bean_check_finds_nothing_and_its_balances_are_those_of_the_trial_balance(view: View) -> None:
    file = io.StringIO()
    count = write(view, Format.BEANCOUNT, file)
    entries, errors, _ = loader.load_string(file.getvalue())
    assert errors == []
    assert count > 8
    summed: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in entries:
        if isinstance(entry, data.Transaction):
            for posting in entry.postings:
                assert posting.units is not None
                assert posting.units.number is not None
                summed[posting.account, posting.units.currency] += posting.units.number
    ours: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in journal.trial_balance(view, BalanceFilter(), FIRM):
        ours[account_of(row.entity, row.account), row.functional_currency] += row.balance
    assert {key: amount for key, amount in summed.items() if amount} == {
        key: amount for key, amount in ours.items() if amount
    }


def test_bean_check_finds_a_balance_that_is_off_by_a_cent(view: View) -> None:
    file = io.StringIO()
    write(view, Format.BEANCOUNT, file)
    lines = file.getvalue().splitlines()
    place = next(n for n, line in enumerate(lines) if " balance Assets" in line)
    *rest, amount, currency = lines[place].split(" ")
    lines[place] = " ".join([*rest, str(Decimal(amount) + Decimal("0.02")), currency])
    _, errors, _ = loader.load_string("\n".join(lines))
    assert len(errors) == 1


def test_the_table_has_a_line_for_each_posting(view: View) -> None:
    file = io.StringIO()
    count = write(view, Format.CSV, file)
    rows = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert len(rows) == count
    assert sum(Decimal(row["functional"]) for row in rows) == 0


def test_that_the_books_are_taken_away_is_noted_for_ever(view: View, books: Asker) -> None:
    assert view.watermark.position
    with books.parts.pool.connection() as conn:
        noted = conn.execute("SELECT subject, channel, query, variables FROM audit_read").fetchall()
        [(subject, *told)] = noted
        assert told == ["export", "p2c export journal", {"format": "csv"}]
        assert subject.startswith("login:")
        with pytest.raises(psycopg.errors.RestrictViolation):
            conn.execute("DELETE FROM audit_read")
