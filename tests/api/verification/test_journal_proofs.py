"""A clean set of books proves itself; each planted breach is found and names its object."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from psycopg import Connection, sql

from adapters.postgres import connect
from adapters.settings import Settings
from api.verification.journal import checks_of
from domain.calendar import FIRM, OpenDay
from domain.invoice import RecordPayment, invoice_stream
from domain.money import Money
from tests.api.asker import Asker, asking
from tests.projections.test_margin_fold import dollars, rate
from tests.world import MONDAY, NINE


@pytest.fixture
def books(settings: Settings) -> Iterator[Asker]:
    """An engagement in dollars, of which one invoice is paid in part, over a month end."""
    with asking(settings) as asker:
        world = dollars(asker.world)
        rate(world, MONDAY, "1.25")
        rate(world, date(2026, 3, 31), "1.60")
        sheet = world.work("1")
        world.work("2", day=1)
        world.draft("I-1", world.lots(sheet)[:1]).approve("I-1").issue("I-1", MONDAY)
        world.tell(invoice_stream("I-1"), RecordPayment("P-1", MONDAY, Money(Decimal(1000), "USD")))
        world.tell(FIRM, OpenDay(MONDAY, NINE), OpenDay(date(2026, 4, 1), NINE))
        asker.fold()
        yield asker


@pytest.fixture
def conn(books: Asker, settings: Settings) -> Iterator[Connection[Any]]:
    with connect(settings.database_url or "", settings.db_schema) as conn:
        yield conn


def offenders(books: Asker, conn: Connection[Any]) -> dict[str, list[str]]:
    live = books.generations.live()
    assert live is not None
    return {
        check.name: [f"{breach.object}: {breach.detail}" for breach in check.breaches]
        for check in checks_of(conn, live.schema)
        if check.breaches
    }


def plant(books: Asker, conn: Connection[Any], statement: str) -> None:
    live = books.generations.live()
    assert live is not None
    with conn.transaction():
        conn.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(live.schema)))
        assert conn.execute(sql.SQL(statement)).rowcount > 0, "the breach was planted"


def test_clean_books_have_no_offenders(books: Asker, conn: Connection[Any]) -> None:
    assert offenders(books, conn) == {}
    live = books.generations.live()
    assert live is not None
    unused = {check.name for check in checks_of(conn, live.schema) if not check.looked_at}
    assert unused == {"intercompany", "owed between entities", "cross-charges", "price"}


@pytest.mark.parametrize(
    ("statement", "check", "detail"),
    [
        ("UPDATE posting SET functional = functional + 1 WHERE account = 'CASH'", "entries", "leave 1.00 EUR"),
        ("UPDATE posting SET amount = amount + 1 WHERE account = 'CASH'", "entries", "transaction amounts"),
        ("UPDATE posting SET rate_id = '' WHERE account = 'CASH'", "rates", "CASH of DE01: 1000 USD name no rate"),
        (
            "UPDATE journal_balance SET functional = functional + 1 WHERE account = 'TAX_OUT'",
            "trial balance",
            "TAX_OUT",
        ),
        ("UPDATE journal_balance SET amount = amount + 1 WHERE account = 'AR'", "trial balance", "AR USD"),
        ("UPDATE journal_balance SET reporting = reporting + 1 WHERE account = 'AR'", "trial balance", "AR USD"),
        ("UPDATE invoice SET due = due - 1", "receivables", "DE01 AR USD"),
        ("UPDATE invoice SET held_back = held_back + 1", "receivables", "DE01 RETENTION USD"),
        ("UPDATE journal_open SET amount = amount + 1 WHERE kind = 'position'", "positions", "engagement E-1"),
        ("UPDATE journal_open SET functional = functional + 1 WHERE kind = 'receivable'", "carried", "DE01 AR"),
        ("UPDATE journal_line SET recognised = recognised + 1", "positions", "engagement E-1"),
        (
            "UPDATE posting SET account = 'CONTRACT_LIABILITY' WHERE account = 'CONTRACT_ASSET' AND amount < 0",
            "one side",
            "engagement E-1",
        ),
        ("UPDATE margin SET recognised = recognised + 1 WHERE by = 'engagement'", "unbilled work", "engagement E-1"),
        (
            "UPDATE posting SET account = 'IC_AR', counterparty = 'FR01' WHERE account = 'CASH'",
            "intercompany",
            "DE01 and FR01",
        ),
        ("UPDATE journal_line SET price = 1", "price", "recognised of 1 USD"),
        (
            "DELETE FROM posting WHERE account = 'FX_UNREALISED' AND effective_on = '2026-04-01'",
            "revaluation",
            "are left",
        ),
    ],
)
def test_a_planted_breach_is_found(
    books: Asker, conn: Connection[Any], statement: str, check: str, detail: str
) -> None:
    plant(books, conn, statement)
    assert any(detail in each for each in offenders(books, conn)[check])
