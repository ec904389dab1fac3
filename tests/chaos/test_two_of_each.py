"""Two of every part at work on one ledger, and then one of each stops: nothing is lost, and nothing happens twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

from adapters.broker import Outgoing
from adapters.settings import Settings
from api.access import Role
from api.commands.verify import report_of
from api.services.catalogue import SERVICES
from domain.invoice import Issued
from domain.kernel import Refused, decider_name
from domain.lots import LotStatus
from tests.api.services.desk import APPROVER, person
from tests.journeys.running import Running, running
from tests.simulation.messages import SmallWorld, in_some_order, small_world
from tests.simulation.running import CUT_OFF, ISSUED_ON

COPIES = 2
TWO_DEALS = 2
"""A world with two deals, one of them with a cap, and an expense."""


async def publish(world: Running, told: SmallWorld, rng: Random) -> None:
    """Every message once or twice, in no order at all."""
    messages = [
        Outgoing(each.letter.subject, each.letter.payload, each.letter.headers)
        for each in [*in_some_order(told, rng), *rng.sample(told.told, len(told.told) // 2)]
    ]
    for message in messages:
        await world.broker.publish(message)


async def bill(world: Running, name: str, told: SmallWorld) -> None:
    """Somebody bills every engagement, whoever else does so at the same time."""
    for deal in told.caps:
        invoice = f"{name}-{deal}"
        who = person(Role.FINANCE_PREPARER, subject=name)
        try:
            await _asked(world, "request-invoice", who, engagement=f"E-{deal}", cut_off=CUT_OFF, invoice=invoice)
        except Refused:
            continue
        await _asked(world, "approve-invoice", APPROVER, invoice=invoice, approved_on=ISSUED_ON)
        await _asked(world, "issue-invoice", APPROVER, invoice=invoice, issued_on=ISSUED_ON)


async def _asked(world: Running, service: str, who: Any, **fields: Any) -> None:
    found = SERVICES[service]
    key = f"{service}/{fields['invoice']}"
    await asyncio.to_thread(world.parts.desk.run, found, found.input(**fields), who, key)


def states(world: Running, kind: str) -> dict[str, Any]:
    facts = world.parts.ledger.read(0, 100_000)
    streams = dict.fromkeys(fact.stream for fact in facts if decider_name(fact.stream) == kind)
    return {stream: world.state(stream) for stream in streams}


def hours(world: Running) -> list[tuple[str, Decimal]]:
    sheets = states(world, "timesheet").values()
    counted = [entry for sheet in sheets for entry in sheet.entries.values() if entry.counts]
    return sorted((str(entry.work.work_date), entry.work.hours.normalize()) for entry in counted)


def value(world: Running, *status: LotStatus) -> Decimal:
    books = [*states(world, "timesheet").values(), *states(world, "expense_report").values()]
    lots = [held for book in books for held in book.lots.values() if held.status in status]
    return sum((held.lot.value.amount for held in lots), Decimal(0))


async def live(settings: Settings, told: SmallWorld, seed: int) -> None:
    expected = sorted((str(each.day), each.hours.normalize()) for each in told.hours)
    approved = sum((told.approved_value(deal) for deal in told.caps), Decimal(0))
    billed = sum((told.billed_value(deal) for deal in told.caps), Decimal(0))
    async with running(settings, copies=COPIES) as world:
        await publish(world, told, Random(seed))
        await world.until(lambda: hours(world) == expected)
        await world.until(lambda: value(world, LotStatus.OPEN) == approved)
        world.stops[seed % COPIES].set()  # whoever was the active one: the other takes over
        await asyncio.gather(bill(world, "paul", told), bill(world, "petra", told))
        assert value(world, LotStatus.BILLED) == billed
        await world.until(lambda: all(_is_posted(invoice) for invoice in states(world, "invoice").values()))
        numbers = sorted(invoice.document.number for invoice in states(world, "invoice").values())
        assert numbers == [f"DE01-2026-{number:06d}" for number in range(1, len(numbers) + 1)]
        for target, count in ((world.erp, len(told.caps) + len(numbers)), (world.psa, len(told.caps))):
            keys = Counter((await target.state())["keys"])
            assert set(keys.values()) == {1}
            assert len(keys) == count


def _is_posted(invoice: Any) -> bool:
    posting = invoice.postings.get("erp") if isinstance(invoice, Issued) else None
    return posting is not None and posting.state == "confirmed"


def test_two_of_every_part_at_once_do_everything_once(settings: Settings) -> None:
    told = small_world(TWO_DEALS)
    asyncio.run(live(settings, told, seed=1))
    report = report_of(settings, lambda _done, _total, _what: None)
    assert [(check.name, check.breaches) for check in report.checks if not check.holds] == []
