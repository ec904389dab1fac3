"""Every process is at work, each on its own, each once at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from adapters.automation.process import Automated
from adapters.automation.service import Automation
from adapters.eventstore.ledger import Ledger
from adapters.turns import turn_of
from domain.catalogue import DECIDERS, EVENTS
from domain.contract import ContractLine, TimeAndMaterials
from domain.engagement import AgreeLine
from domain.kernel import Addressed, Recorded, StreamId, stream_of
from domain.opportunity import TellOpportunity, opportunity_stream
from domain.ports import Candidates, Read
from domain.processes.posting import Posting
from domain.processes.provisioning import Provisioning
from tests.adapters.automation.test_runner import TOLD, ReadModel, tell
from tests.waiting import until
from tests.world import NINE


class Stuck:
    """A process with a defect."""

    name = "stuck"

    def __init__(self) -> None:
        self.tried = 0

    def needs(self, _fact: Recorded[object]) -> Sequence[StreamId]:
        return []

    def asks_candidates(self, _fact: Recorded[object]) -> bool:
        return False

    def react(self, _fact: Recorded[object], _read: Read, _candidates: Candidates) -> Sequence[Addressed]:
        self.tried += 1
        raise KeyError("a defect")


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    with Ledger(database_url, EVENTS, DECIDERS, pool_size=6) as ledger:
        yield ledger


@asynccontextmanager
async def at_work(automation: Automation) -> AsyncIterator[threading.Event]:
    stop = threading.Event()
    working = asyncio.create_task(asyncio.to_thread(automation.work, stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(60):
            await working


def state(ledger: Ledger, stream: StreamId) -> Any:
    return ledger.load([stream])[stream].state


def test_what_happens_is_acted_on_without_anyone_asking(ledger: Ledger, database_url: str) -> None:
    async def scene() -> None:
        automation = Automation(
            ledger, [Automated(Provisioning()), Automated(Posting())], ReadModel(), partial(turn_of, database_url)
        )
        async with at_work(automation):
            await asyncio.to_thread(
                tell, ledger, opportunity_stream("salesforce", "006"), TellOpportunity("006", TOLD, NINE)
            )
            engagement, project = stream_of("engagement", "E-006"), stream_of("project", "P-006-L1")
            await until(lambda: state(ledger, engagement).signed)
            line = ContractLine("L1", "Work", TimeAndMaterials())
            await asyncio.to_thread(tell, ledger, engagement, AgreeLine(line))
            await until(lambda: [each.state for each in state(ledger, project).set_ups.values()] == ["requested"] * 2)
            await until(lambda: ledger.tracked("provisioning") == ledger.tracked("posting") == ledger.head())

    asyncio.run(scene())


def test_a_process_with_a_defect_stops_no_other_and_tries_again(ledger: Ledger, database_url: str) -> None:
    async def scene() -> None:
        stuck = Stuck()
        processes = [Automated(stuck), Automated(Provisioning())]
        async with at_work(Automation(ledger, processes, ReadModel(), partial(turn_of, database_url))):
            await asyncio.to_thread(
                tell, ledger, opportunity_stream("salesforce", "006"), TellOpportunity("006", TOLD, NINE)
            )
            await until(lambda: state(ledger, stream_of("engagement", "E-006")).signed)
            await until(lambda: stuck.tried > 2)
            assert ledger.tracked("stuck") == 0

    asyncio.run(scene())


def test_when_the_active_one_stops_another_goes_on_where_it_was(ledger: Ledger, database_url: str) -> None:
    async def scene() -> None:
        def automation() -> Automation:
            return Automation(ledger, [Automated(Provisioning())], ReadModel(), partial(turn_of, database_url))

        async with at_work(automation()) as first:
            await until(lambda: _active(database_url))
            async with at_work(automation()):
                for number, deal in enumerate(("006", "007")):
                    await asyncio.to_thread(
                        tell, ledger, opportunity_stream("salesforce", deal), TellOpportunity(deal, TOLD, NINE)
                    )
                    await until(partial(_is_signed, ledger, f"E-{deal}"))
                    if number == 0:
                        first.set()
            opened = [fact for fact in ledger.read(0, 1000) if fact.name == "engagement.opened.v1"]
            assert len(opened) == 2

    asyncio.run(scene())


def _is_signed(ledger: Ledger, engagement: str) -> bool:
    return state(ledger, stream_of("engagement", engagement)).signed is not None


def _active(database_url: str) -> bool:
    """Whether somebody has the turn."""
    with turn_of(database_url, "process:provisioning") as turn:
        return not turn.is_mine()
