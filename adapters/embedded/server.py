"""What the two embedded servers have in common: one child process that is started, watched, restarted and stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import psutil

LAUNCHER = Path(__file__).with_name("launch.py")
START_SECONDS_MAX = 60.0
PORT_ATTEMPTS_MAX = 3
POLL_SECONDS = 0.01


class ServerFailed(Exception):
    """An embedded server cannot run here; the message says why and what to do."""


class Server(ABC):
    """One embedded server of one home: its data, its port, its process.

    Only the process that holds the home's lock makes one (see ``adapters.embedded``), so whatever else runs on the same
    data is left over from an owner that was killed, and is stopped first.
    """

    name: ClassVar[str]
    program: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    stop_seconds_max: ClassVar[float] = 15.0

    def __init__(self, folder: Path, log: Path, *, port: int | None, ends_with_parent: bool = True) -> None:
        self.folder = folder
        self.log = log
        self.port = free_port() if port is None or not is_free(port) else port
        self.restarts = 0
        self._ends_with_parent = ends_with_parent
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._started_seconds = 0.0

    @property
    @abstractmethod
    def marker(self) -> str:
        """The words in the command line of each process of this server that no other server has."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the data folder if it is not there, and write the configuration for the chosen port."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program and its arguments."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the server takes connections by now."""

    def user(self) -> tuple[int, int]:
        """The user and group that the server runs as: the caller's."""
        return os.geteuid(), os.getegid()

    @property
    def pid(self) -> int | None:
        """The server's process while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def running_seconds(self) -> float:
        """How long it has run since its last start."""
        return time.monotonic() - self._started_seconds

    @property
    def is_ready(self) -> bool:
        """Whether the server has answered since it was last started, and still runs."""
        if self.pid is None:
            return False
        self._ready = self._ready or self.answers()
        return self._ready

    def begin(self) -> None:
        """Start the process and come back at once; ``is_ready`` tells when it takes connections."""
        self.stop_leftovers()
        self.prepare()
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.launched(self.command(), tied=self._ends_with_parent),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=plain_environment(),
                umask=0o077,
                start_new_session=True,  # a Ctrl-C in the terminal stops the roles first, then the servers
            )
        self._ready = False
        self._started_seconds = time.monotonic()

    def wait_until_ready(self, seconds_max: float = START_SECONDS_MAX) -> None:
        """Return once the server takes connections; a port that was taken meanwhile is exchanged for another."""
        attempts = 1
        deadline = time.monotonic() + seconds_max
        while not self.is_ready:
            if self.pid is None:
                if attempts >= PORT_ATTEMPTS_MAX or is_free(self.port):
                    raise ServerFailed(f"{self.name} ended while starting; its log is {self.log}\n{tail(self.log)}")
                attempts += 1
                self.port = free_port()
                self.begin()
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} was not ready after {seconds_max:.0f} s; its log is {self.log}")
            time.sleep(POLL_SECONDS)

    def revive(self, pause_seconds: float = 1.0) -> bool:
        """Start the server again if its process has ended, at most once in each pause; True when it did."""
        if self._process is None or self.pid is not None:
            return False
        if self.restarts and self.running_seconds < pause_seconds:
            return False
        self.restarts += 1
        self.begin()
        return True

    def stop(self) -> None:
        """Ask the server to stop, and kill it if it does not within its time."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(self.stop_signal)
            try:
                process.wait(self.stop_seconds_max)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._process = None
        self.stop_leftovers()

    def stop_leftovers(self) -> None:
        """Stop what still runs on this data after its owner was killed, so that never two servers write it."""
        if not (left := self._processes()):
            return
        for process in left.values():
            if _parent(process) not in left:  # the first of them tells the others
                _signal(process, self.stop_signal)
        if not self._wait_until_gone(self.stop_seconds_max):
            for process in self._processes().values():
                _signal(process, signal.SIGKILL)
            if not self._wait_until_gone(5.0):
                numbers = ", ".join(map(str, self._processes()))
                raise ServerFailed(f"{self.name} still uses {self.folder} and cannot be stopped: end {numbers}")

    def _wait_until_gone(self, seconds_max: float) -> bool:
        deadline = time.monotonic() + seconds_max
        while time.monotonic() < deadline:
            if not self._processes():
                return True
            time.sleep(POLL_SECONDS)
        return False

    def launched(self, command: list[str], *, tied: bool) -> list[str]:
        """The command, run as the server's user and, if tied, asked to stop when this process is gone."""
        uid, gid = self.user()
        number = int(self.stop_signal) if tied else 0
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(number), str(uid), str(gid)]
        return [*launcher, *command]

    def _processes(self) -> dict[int, psutil.Process]:
        """Every live process of this server by its number; one that has ended but was not reaped shows no words."""
        found = {}
        for process in psutil.process_iter(["name", "cmdline"]):
            if process.info["name"] == self.program and self.marker in " ".join(process.info["cmdline"] or ()):
                found[process.pid] = process
        return found


def _parent(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.Error:
        return None


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        return  # it ended by itself, or belongs to somebody else; the caller looks again at what is left


def plain_environment() -> dict[str, str]:
    """The servers take nothing from the caller's environment: no PG variables, no locale, no library paths."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def tail(log: Path, lines_max: int = 12, bytes_max: int = 8192) -> str:
    """The end of a server's log, to be shown with an error."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - bytes_max))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines_max:])
