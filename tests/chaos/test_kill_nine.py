"""Everything is killed, again and again, while the firm goes on telling: nothing is lost, and nothing counts twice."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import psycopg
import pytest

from adapters import embedded
from adapters.broker import IN, BrokerRefused, BrokerUnreachable, Outgoing
from adapters.broker.jetstream import NatsBroker
from adapters.embedded.server import free_port
from adapters.postgres import connect
from adapters.settings import Settings
from adapters.simulation.firm import Firm, Plan
from adapters.simulation.message import Message
from adapters.simulation.stream import stream
from api.books import open_ledger
from api.sample.settled import NotSettled, Rest
from projections.generation import Generations

ROOT = Path(__file__).parents[2]
PLAN = Plan(7, 5, 1)
FAULTS = int(os.environ.get("P2C_TEST_FAULTS", "30"))
"""How often something is killed; more of them by hand, for as long as one likes, and in another way by another seed."""
SEED = int(os.environ.get("P2C_TEST_SEED", "11"))
PAUSE_SECONDS = (0.3, 1.2)
PIECE = 10
"""So many messages are published at once, at a pace that lasts as long as the killing."""
ROLES = ("ingest", "project", "automate", "relay", "connect", "serve")
SETTLE_SECONDS_MAX = 300.0


class Running:
    """One ``p2c up`` of its own, and how to hurt it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("P2C_")} | {
            "P2C_HOME": str(home),
            "P2C_HTTP_PORT": str(free_port()),
            "PYTHONPATH": str(ROOT),
        }
        said = (home.parent / "up.out").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "up", "--no-sample"],
            cwd=ROOT,
            env=self.environment,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        said.close()

    def settings(self) -> Settings:
        return embedded.found(Settings(home=self.home))

    def until_ready(self) -> None:
        deadline = time.monotonic() + 180
        while "Ready after" not in (self.home.parent / "up.out").read_text():
            assert time.monotonic() < deadline
            assert self.process.poll() is None
            time.sleep(0.1)

    def victims(self) -> dict[str, int]:
        """The process of every role as its log tells it, and the main process of each server."""
        found: dict[str, int] = {}
        for role in ROLES:
            with contextlib.suppress(OSError, ValueError):
                started = [
                    line for line in (self.home / "logs" / f"{role}.log").read_text().splitlines() if '"pid"' in line
                ]
                found[role] = int(json.loads(started[-1])["pid"])
        for process in psutil.process_iter(["cmdline", "ppid"]):
            words = process.info["cmdline"] or []
            if str(self.home) in " ".join(words) and words[0].endswith(("/postgres", "/nats-server")):
                found[Path(words[0]).name] = process.pid
        return found

    def hurt(self, chance: random.Random) -> str:
        """Kill something, or let it sleep for a while as a paused machine does."""
        name, pid = chance.choice(sorted(self.victims().items()))
        with contextlib.suppress(ProcessLookupError):
            if name in ROLES and chance.random() < 0.2:
                os.kill(pid, signal.SIGSTOP)
                time.sleep(0.5)
                os.kill(pid, signal.SIGCONT)
            else:
                os.kill(pid, signal.SIGKILL)
        return name

    def p2c(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "api.cli", *words]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)

    def stop(self) -> int:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(30)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    one = Running(tmp_path / "home")
    one.until_ready()
    yield one
    if one.process.poll() is None:
        one.stop()


async def publish(settings: Settings, messages: list[Message], done: asyncio.Event) -> None:
    """Publish everything under its id, again and again until the broker has acknowledged all of it."""
    waiting = [Outgoing(each.subject, each.payload, each.headers, each.key) for each in messages]
    pause_seconds = FAULTS * sum(PAUSE_SECONDS) / 2 / len(waiting) * PIECE
    while waiting:
        with contextlib.suppress(BrokerUnreachable, BrokerRefused, OSError):
            async with NatsBroker(settings.nats_url or "", name="p2c-chaos") as broker:
                await broker.ensure(IN)
                while waiting:
                    await broker.publish_all(waiting[:PIECE])
                    waiting = waiting[PIECE:]
                    await asyncio.sleep(pause_seconds)
        await asyncio.sleep(0.2)
    done.set()


async def hurt_while_publishing(running: Running, messages: list[Message], chance: random.Random) -> list[str]:
    done = asyncio.Event()
    publishing = asyncio.create_task(publish(running.settings(), messages, done))
    hurts = []
    for _ in range(FAULTS):
        await asyncio.sleep(chance.uniform(*PAUSE_SECONDS))
        hurts.append(await asyncio.to_thread(running.hurt, chance))
    await asyncio.wait_for(publishing, 300)
    return hurts


async def at_rest(settings: Settings) -> None:
    """Wait until everything that was told is decided, acted on, sent out and can be seen."""
    generations = Generations(partial(connect, settings.database_url or "", settings.db_schema), settings.db_schema)

    def position() -> int | None:
        live = generations.live()
        return live.position if live else None

    with open_ledger(settings, pool_size=2) as ledger:
        async with NatsBroker(settings.nats_url or "", name="p2c-chaos") as broker:
            await Rest(ledger, broker.client.jetstream(), position).wait(SETTLE_SECONDS_MAX)


@pytest.mark.slow
def test_killed_again_and_again_it_loses_nothing_and_counts_nothing_twice(running: Running) -> None:
    messages = [item for item in stream(Firm(PLAN)) if isinstance(item, Message)]
    hurts = asyncio.run(hurt_while_publishing(running, messages, random.Random(SEED)))
    assert len(set(hurts)) >= 6, hurts

    settings = running.settings()
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    while True:
        try:
            asyncio.run(at_rest(settings))
            break
        except (NotSettled, psycopg.OperationalError, BrokerUnreachable, OSError):
            assert time.monotonic() < deadline, hurts
            time.sleep(1)

    with psycopg.connect(settings.database_url or "") as conn:
        received = {bytes(row[0]) for row in conn.execute("SELECT payload_sha256 FROM ledger.received_message")}
        fates: dict[str, int] = dict(
            conn.execute("SELECT fate, count(*) FROM ledger.received_message GROUP BY 1").fetchall()
        )
    told = {hashlib.sha256(message.payload).digest() for message in messages}
    assert told <= received, f"{len(told - received)} of {len(told)} messages are lost"
    assert fates["recorded"] > len(told) / 2

    verified = running.p2c("verify", "--json")
    assert verified.returncode == 0, verified.stdout[-3000:] + verified.stderr[-3000:]
    assert json.loads(verified.stdout)["holds"]
    assert running.stop() == 0
