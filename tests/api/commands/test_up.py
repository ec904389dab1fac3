"""``p2c up`` starts servers and roles, brings back what crashes, and stops everything in its order on Ctrl-C."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from adapters import embedded
from adapters.embedded.server import free_port
from adapters.settings import Settings
from tests.api.parts import noted, notes

ROOT = Path(__file__).parents[3]


class Up:
    """A running ``p2c up`` with small roles, in a process group of its own, as a terminal makes it."""

    def __init__(self, home: Path, **more: str) -> None:
        self.home = home
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.api.parts.up"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env={
                "PATH": os.defpath,
                "PYTHONUNBUFFERED": "1",
                "P2C_HOME": str(home),
                "P2C_HTTP_PORT": str(free_port()),
                **more,
            },
            process_group=0,
        )
        self.said: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip())

    def until(self, beginning: str, seconds_max: float = 120) -> str:
        """Wait for a line, and return it."""
        deadline = time.monotonic() + seconds_max
        while True:
            try:
                self.said.append(self._lines.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                raise AssertionError(f"no line began with {beginning!r}: {self.said}") from None
            if self.said[-1].startswith(beginning):
                return self.said[-1]

    def interrupt(self) -> int:
        """Ctrl-C reaches every process of the terminal's group; none of them answers with a traceback."""
        os.killpg(self.process.pid, signal.SIGINT)
        code = self.end()
        assert not [line for line in self.said if "Traceback" in line]
        return code

    def end(self) -> int:
        """Wait until it has ended and everything it said has been read."""
        code = self.process.wait(30)
        self._reader.join(30)
        while not self._lines.empty():
            self.said.append(self._lines.get())
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    one = Up(tmp_path / "home")
    yield one
    if one.process.poll() is None:
        one.interrupt()


def processes_of(home: Path) -> list[str]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or ())
        if str(home) in words:
            found.append(words)
    return found


def test_ctrl_c_stops_the_roles_and_then_the_servers_and_is_no_failure(up: Up) -> None:
    up.until("Ready after")
    noted(up.home, "steady", "started")
    family = psutil.Process(up.process.pid).children(recursive=True)
    assert len(family) > 5

    assert up.interrupt() == 0

    assert up.said[-1] == "Stopping"
    assert len(notes(up.home, "steady", "finished")) == 1
    assert len(notes(up.home, "answering", "finished")) == 1
    deadline = time.monotonic() + 60
    while any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert processes_of(up.home) == []


def test_sigterm_stops_it_as_ctrl_c_does(up: Up) -> None:
    up.until("Ready after")
    up.process.terminate()
    assert up.end() == 0
    assert processes_of(up.home) == []


def test_it_can_be_stopped_while_it_starts(up: Up) -> None:
    up.until("Starting PostgreSQL and NATS")
    time.sleep(0.1)
    assert up.interrupt() == 0
    assert processes_of(up.home) == []


def test_ready_means_migrated_servers_and_an_answering_role_and_says_where_to_look(up: Up) -> None:
    up.until("Ready after")
    up.until("  GraphQL         http://127.0.0.1:")
    assert up.until("  Tokens by role") == f"  Tokens by role  {up.home / 'tokens.json'}"
    settings = embedded.found(Settings(home=up.home))
    assert settings.database_url is not None
    with psycopg.connect(settings.database_url) as conn:
        assert conn.execute("SELECT count(*) FROM ledger.stored_events").fetchone() == (0,)


def test_servers_of_ones_own_are_reached_and_none_is_started(settings: Settings, tmp_path: Path) -> None:
    assert settings.database_url is not None
    assert settings.nats_url is not None
    up = Up(tmp_path / "home", P2C_DATABASE_URL=settings.database_url, P2C_NATS_URL=settings.nats_url)
    try:
        assert up.until("Reaching") == "Reaching PostgreSQL and NATS ..."
        up.until("Ready after")
        assert not (up.home / "postgres").exists()
        assert not (up.home / "nats").exists()
    finally:
        assert up.interrupt() == 0


def test_a_killed_role_and_killed_servers_come_back(up: Up) -> None:
    up.until("Ready after")
    [role] = noted(up.home, "steady", "started")
    os.kill(role, signal.SIGKILL)
    up.until("steady ended, starts again in 0.2 s: killed by SIGKILL")
    noted(up.home, "steady", "started", times=2)

    before = embedded.found(Settings(home=up.home))
    servers = [
        child for child in psutil.Process(up.process.pid).children() if child.name() in {"postgres", "nats-server"}
    ]
    assert len(servers) == 2
    for server in servers:
        server.kill()
    up.until("PostgreSQL ended unasked and was started again")

    assert embedded.found(Settings(home=up.home)) == before
    assert len(notes(up.home, "answering", "started")) == 1


def test_a_second_one_of_the_same_home_says_who_is_there(up: Up) -> None:
    up.until("Ready after")
    second = Up(up.home)
    assert second.end() == 1
    assert f"another process runs the servers in {up.home}" in second.said[-1]
    assert up.process.poll() is None


def test_a_second_run_finds_its_data_and_is_ready_at_once(up: Up) -> None:
    up.until("Ready after")
    up.interrupt()
    again = Up(up.home)
    try:
        again.until("Ready after")
        # Five seconds where nothing else runs; here the rest of the suite has the other core, and more.
        assert time.monotonic() - again.began < (5 if os.getloadavg()[0] < 1 else 30)
    finally:
        assert again.interrupt() == 0
