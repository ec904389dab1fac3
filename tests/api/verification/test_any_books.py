"""Whatever happens to a group, its books prove themselves, and the real checker of plain-text accounting agrees."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from beancount import loader

from adapters.postgres import connect
from adapters.settings import Settings
from api.commands.export import Format, viewing, write
from api.verification.books import verify
from api.verification.journal import checks_of
from domain.billing.credit_wishes import CreditWish
from domain.contract import ContractLine, TimeAndMaterials
from domain.invoice import invoice_stream
from domain.lots import LotStatus
from tests.api.asker import Asker, asking
from tests.api.verification.random_books import RandomBooks
from tests.domain.test_crediting import credit
from tests.world import World, euros

STEPS = 120


def problems(asker: Asker, settings: Settings) -> list[str]:
    """What every proof of the log and of the read models finds."""
    asker.fold()
    live = asker.generations.live()
    assert live is not None
    with connect(settings.database_url or "", settings.db_schema) as conn:
        report = verify(asker.parts.ledger, conn, None, lambda *_: None, lambda: checks_of(conn, live.schema))
    return [f"{check.name}: {each.object} {each.detail}" for check in report.checks for each in check.breaches]


@pytest.mark.parametrize("seed", range(2))
def test_the_books_of_any_history_prove_themselves(settings: Settings, seed: int) -> None:
    with asking(settings) as asker:
        books = RandomBooks(asker.parts.ledger, seed)
        for _ in range(STEPS):
            books.step()
        assert problems(asker, settings) == []
        file = io.StringIO()
        with viewing(settings, None, {}) as view:
            write(view, Format.BEANCOUNT, file)
        assert loader.load_string(file.getvalue())[1] == []


@pytest.mark.parametrize("cap", [None, 3000, 150])
def test_the_books_of_lines_that_are_rounded_once_prove_themselves(settings: Settings, cap: int | None) -> None:
    """On a draft, issued with a part kept back, credited in part and in full, and billed again."""
    terms = TimeAndMaterials(cap=euros(cap) if cap else None)
    with asking(settings) as asker:
        world = World(asker.parts.ledger).firm()
        world.contract(line=ContractLine("L1", "Work", terms, holdback_percent=Decimal(10)))
        sheets = dict.fromkeys(world.work(str(day), "0.333367", day=day) for day in range(5))
        world.draft("I-1", world.lots(*sheets))
        assert problems(asker, settings) == []
        (line,) = world.read(invoice_stream("I-1")).lines
        assert line.rounding == (euros("-0.02") if cap != 150 else euros(0))
        world.approve("I-1").issue("I-1")
        assert problems(asker, settings) == []
        credit(world, "CN-1", CreditWish(1, lot="jira:1#1"))
        assert problems(asker, settings) == []
        credit(world, "CN-2", CreditWish(1))
        assert problems(asker, settings) == []
        again = [at for at in world.lots(*sheets) if world.read(at.stream).lots[at.lot].status is LotStatus.OPEN]
        world.draft("I-2", again).approve("I-2").issue("I-2")
        assert problems(asker, settings) == []
