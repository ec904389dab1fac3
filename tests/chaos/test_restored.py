"""The database goes back to an earlier point while broker and targets have gone on: the books come together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from api.commands.refeed import Refed, refeed
from api.commands.verify import report_of
from api.services.drafts import LotInput
from tests.chaos.archived import Archived
from tests.journeys.running import (
    ENGAGEMENT,
    PROJECT,
    Running,
    approve_the_week,
    log_time,
    running,
    tell_the_firm,
    tell_the_issue,
    win_the_deal,
)

SHEET = "timesheet:W-1:2026-03-02"
NOON = "noon"
WAITS_FOR_I_2 = "exception:waiting:invoice:I-2"


@pytest.fixture
def archived(tmp_path: Path) -> Iterator[Archived]:
    with Archived(tmp_path) as servers:
        yield servers


async def story(archived: Archived) -> Refed:
    """Nobody stops the parts of the ledger while their database is taken away and comes back as it was at noon."""
    async with running(archived.settings) as world:
        await before_noon(world)
        archived.mark(NOON)
        await after_noon(world)
        archived.restore(NOON)  # here, for the server ends with the thread that has started it
        assert len(lots(world)) == 3
        assert world.state("invoice:I-1").paid_on is None
        refed = await refeed(archived.settings, lambda _done, _total, _what: None)
        await since_the_restoration(world)
        return refed


async def before_noon(world: Running) -> None:
    """Three days are approved, and the first is billed and posted."""
    await tell_the_firm(world)
    await win_the_deal(world)
    await world.until(lambda: world.state(f"project:{PROJECT}").open_for_time)
    await tell_the_issue(world)
    for day in range(3):
        await log_time(world, day, day)
    await approve_the_week(world)
    await world.until(lambda: len(lots(world)) == 3)
    await bill(world, "I-1", lots(world)[0])


async def after_noon(world: Running) -> None:
    """Two more days are told, the second is billed and posted, and the first is paid."""
    for day in (3, 4):
        await log_time(world, day, day, hours=6)
    await world.until(lambda: len(lots(world)) == 5)
    await bill(world, "I-2", lots(world)[1])
    await world.erp.pay("I-1", date(2026, 4, 20))
    await world.until(lambda: world.state("invoice:I-1").paid_on)


async def since_the_restoration(world: Running) -> None:
    """What the broker kept comes back, and who had billed after noon asks once more under the same name."""
    await world.until(lambda: len(lots(world)) == 5)
    await world.until(lambda: world.state("invoice:I-1").paid_on)
    await world.until(lambda: world.state(WAITS_FOR_I_2).is_open)
    await bill(world, "I-2", lots(world)[1])
    await world.until(lambda: not world.state(WAITS_FOR_I_2).is_open)
    assert world.state("invoice:I-2").document.number == "DE01-2026-000002"
    assert hours(world) == [Decimal(8)] * 3 + [Decimal(6)] * 2
    keys = (await world.erp.state())["keys"]
    assert [keys.count(f"invoice:{name}") for name in ("I-1", "I-2")] == [1, 1]
    await world.until(lambda: world.parts.reader.wait_for(world.parts.ledger.head(), 1.0))


def lots(world: Running) -> list[str]:
    return sorted(world.state(SHEET).lots)


def hours(world: Running) -> list[Decimal]:
    return [entry.work.hours for entry in world.state(SHEET).entries.values() if entry.counts]


async def bill(world: Running, name: str, lot: str) -> None:
    chosen = (LotInput(SHEET, lot),)
    await world.ask("request-invoice", engagement=ENGAGEMENT, cut_off=date(2026, 3, 31), invoice=name, lots=chosen)
    await world.ask("approve-invoice", approver=True, invoice=name, approved_on=date(2026, 4, 1))
    await world.ask("issue-invoice", approver=True, invoice=name, issued_on=date(2026, 4, 1))
    await world.until(lambda: is_posted(world, name))


def is_posted(world: Running, name: str) -> bool:
    posting = world.state(f"invoice:{name}").postings.get("erp")
    return posting is not None and posting.state == "confirmed"


@pytest.mark.slow
def test_after_a_restoration_what_the_broker_kept_is_heard_again_and_nothing_is_lost_or_counted_twice(
    archived: Archived,
) -> None:
    refed = asyncio.run(story(archived))
    assert 0 < refed.forgotten < refed.heard
    report = report_of(archived.settings, lambda _done, _total, _what: None)
    assert [(check.name, check.breaches) for check in report.checks if not check.holds] == []
