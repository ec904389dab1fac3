"""Whatever happens to a group, its books prove themselves, and the real checker of plain-text accounting agrees."""

from __future__ import annotations

import io

import pytest
from beancount import loader

from adapters.postgres import connect
from adapters.settings import Settings
from api.commands.export import Format, viewing, write
from api.verification.books import verify
from api.verification.journal import checks_of
from tests.api.asker import asking
from tests.api.verification.random_books import RandomBooks

STEPS = 120


@pytest.mark.parametrize("seed", range(2))
def test_the_books_of_any_history_prove_themselves(settings: Settings, seed: int) -> None:
    with asking(settings) as asker:
        books = RandomBooks(asker.parts.ledger, seed)
        for _ in range(STEPS):
            books.step()
        asker.fold()
        live = asker.generations.live()
        assert live is not None
        with connect(settings.database_url or "", settings.db_schema) as conn:
            report = verify(asker.parts.ledger, conn, None, lambda *_: None, lambda: checks_of(conn, live.schema))
        problems = [f"{check.name}: {each.object} {each.detail}" for check in report.checks for each in check.breaches]
        assert problems == []
        file = io.StringIO()
        with viewing(settings, None, {}) as view:
            write(view, Format.BEANCOUNT, file)
        assert loader.load_string(file.getvalue())[1] == []
