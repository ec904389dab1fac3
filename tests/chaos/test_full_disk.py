"""The disk under PostgreSQL is full: everybody waits, nothing is half recorded, and with room again all goes on."""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.embedded import EmbeddedServers, ServerFailed
from adapters.postgres import migrate
from adapters.settings import Settings
from adapters.vendors.letter import PAYLOAD_BYTES_MAX
from api.commands.verify import report_of
from tests.journeys.running import (
    PROJECT,
    Running,
    log_time,
    running,
    tell_the_firm,
    tell_the_issue,
    win_the_deal,
)
from tests.journeys.test_bad_input import worklog

DISK_MEGABYTES = 160
NOTES = 8
NOTE_CHARACTERS = PAYLOAD_BYTES_MAX * 3 // 4
NO_ROOM = "No space left on device"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[EmbeddedServers]:
    """Servers of which PostgreSQL has a small disk of its own."""
    home = tmp_path / "home"
    home.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m,mode=755", "tmpfs", str(home)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        for elsewhere in ("nats", "logs"):
            (tmp_path / elsewhere).mkdir()
            (home / elsewhere).symlink_to(tmp_path / elsewhere)
        with EmbeddedServers(Settings(home=home), durable=False) as servers:
            assert servers.settings.database_url is not None
            migrate(servers.settings.database_url)
            yield servers
    finally:
        subprocess.run(["umount", "--lazy", str(home)], check=True)


def fill(disk: Path) -> Path:
    """A file that leaves no room for anything else."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for piece in (1024 * 1024, 4096):
            with contextlib.suppress(OSError):
                while file.write(bytes(piece)) == piece:
                    pass
    return ballast


def log_of(servers: EmbeddedServers) -> str:
    assert servers.postgres is not None
    return servers.postgres.log.read_text()


def hours(world: Running) -> Decimal:
    entries = world.state("timesheet:W-1:2026-03-02").entries.values()
    return sum((entry.work.hours for entry in entries if entry.counts), Decimal(0))


async def keep_alive(servers: EmbeddedServers) -> None:
    """A server that finds no room for its write-ahead log ends; somebody starts it until there is some again."""
    while True:
        with contextlib.suppress(OSError, ServerFailed):
            servers.revive()
        await asyncio.sleep(0.2)


async def story(servers: EmbeddedServers) -> None:
    keeping = asyncio.create_task(keep_alive(servers))
    async with running(servers.settings) as world:
        await tell_the_firm(world)
        await win_the_deal(world)
        await world.until(lambda: world.state(f"project:{PROJECT}").open_for_time)
        await tell_the_issue(world)
        await log_time(world, 0, 0)
        await world.until(lambda: hours(world) == 8)

        ballast = fill(servers.settings.home)
        noise = random.Random(1)
        for number in range(NOTES):
            subject, body, headers = worklog(30_000 + number, comment=noise.randbytes(NOTE_CHARACTERS // 2).hex())
            await world.publish(subject, body, **headers)
        await world.until(lambda: NO_ROOM in log_of(servers))
        assert hours(world) < 8 + NOTES

        ballast.unlink()
        await world.until(lambda: hours(world) == 8 + NOTES)
        await world.until(lambda: world.parts.reader.wait_for(world.parts.ledger.head(), 1.0))
    keeping.cancel()


@pytest.mark.slow
def test_a_full_disk_is_waited_for_and_nothing_is_lost_or_half_recorded(servers: EmbeddedServers) -> None:
    asyncio.run(story(servers))
    report = report_of(servers.settings, lambda _done, _total, _what: None)
    assert [(check.name, check.breaches) for check in report.checks if not check.holds] == []
