"""A worker that stood still comes back after others did its work: what it had decided is not recorded once more."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from adapters.broker.jetstream import NatsBroker
from adapters.eventstore.ledger import Ledger
from adapters.inbox.inbox import Inbox
from adapters.inbox.worker import Worker
from adapters.postgres import connect
from api.verification.books import verify
from domain.catalogue import DECIDERS, EVENTS
from tests.adapters.inbox.office import Office
from tests.adapters.inbox.test_worker import nothing_is_left, publish, require_the_week, week
from tests.chaos.sleeper import IMPATIENT
from tests.waiting import until

ROOT = Path(__file__).parents[2]


def started(database_url: str, nats_url: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.chaos.sleeper", database_url, nats_url], cwd=ROOT)


async def story(ledger: Ledger, database_url: str, nats_url: str) -> None:
    office, letters = Office(ledger).know_people_and_issues(), week()
    async with NatsBroker(nats_url, name="test") as broker:
        await publish(broker, letters)
        sleeper = started(database_url, nats_url)
        process = psutil.Process(sleeper.pid)
        try:
            await until(lambda: process.status() == psutil.STATUS_STOPPED)
            assert office.hours() == 0

            stop = threading.Event()
            working = asyncio.create_task(Worker(Inbox(ledger), await broker.consumer(IMPATIENT), stop=stop).run())
            await nothing_is_left(broker)
            require_the_week(office, letters)
            recorded = ledger.head()

            process.send_signal(signal.SIGCONT)
            await until(lambda: sum(office.row(letter).deliveries for letter in letters) >= 2 * len(letters))
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(sleeper.wait, 60) == 0
            stop.set()
            await asyncio.wait_for(working, 60)
            assert ledger.head() == recorded
        finally:
            sleeper.kill()
            sleeper.wait()


@pytest.mark.slow
def test_a_worker_that_was_stopped_over_its_work_and_comes_back_records_nothing_twice(
    database_url: str, nats_url: str
) -> None:
    with Ledger(database_url, EVENTS, DECIDERS, pool_size=4) as ledger:
        asyncio.run(story(ledger, database_url, nats_url))
        with connect(database_url, "ledger", "test") as conn:
            report = verify(ledger, conn, None, lambda _done, _total, _what: None)
    assert [(check.name, check.breaches) for check in report.checks if not check.holds] == []
