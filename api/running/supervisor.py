"""Keeps all parts of one ledger running: starts each role, starts it again when it crashes, stops all in order."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing as mp
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from adapters import logs
from adapters.settings import Settings
from api.roles import ROLES, Role
from api.running.forking import CONTEXT

BACKOFF_SECONDS_MIN = 0.2
BACKOFF_SECONDS_MAX = 30.0
HEALTHY_SECONDS = 60.0
"""A role that has run this long is taken to be well; its next crash is answered at once again."""
STOP_SECONDS_MAX = 15.0
_FORK_SERVER_DIED = 255

Progress = Callable[[int, int, str], None]
"""Called with what is done, what there is to do, and what it is, for example ``(1200, 5000, "messages")``."""


class JobFailed(Exception):
    """A step that has to be done before the ledger is ready did not succeed."""


class State(Enum):
    """Where a role is in its life."""

    RUNNING = "running"
    WAITING = "waiting to start again"
    STOPPED = "stopped"


@dataclass(slots=True)
class Child:
    """One role as it runs under the supervisor."""

    role: Role
    log: Path
    process: BaseProcess | None = None
    restarts: int = 0
    failures: int = 0
    started_seconds: float = field(default_factory=time.monotonic)
    starts_again_seconds: float = 0.0
    reason: str = ""

    @property
    def state(self) -> State:
        """Running, or waiting to be started again, or stopped for good."""
        if self.process is not None:
            return State.RUNNING
        return State.WAITING if self.starts_again_seconds else State.STOPPED

    @property
    def running_seconds(self) -> float:
        """How long it has run since its last start."""
        return time.monotonic() - self.started_seconds

    @property
    def pause_seconds(self) -> float:
        """How long to wait before the next start: longer with every failure in a row, up to a limit."""
        pause: float = BACKOFF_SECONDS_MIN * 2 ** min(self.failures - 1, 16)
        return min(BACKOFF_SECONDS_MAX, pause)


class Supervisor:
    """The roles of one ledger, each a process forked from one that has imported what they share.

    ``hurry`` may be set from a signal handler while stopping: who is not done then is killed.
    """

    def __init__(self, settings: Settings, roles: Sequence[Role] = ROLES) -> None:
        self._settings = settings
        self.children = [Child(role, settings.logs / f"{role.name}.log") for role in roles]
        self.hurry = threading.Event()

    def start(self) -> None:
        """Start every role."""
        self._settings.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        for child in self.children:
            self._start(child)

    def step(self, seconds_max: float = 0.5) -> list[Child]:
        """Wait until a role ends or the time is over; start again what is due. The roles whose state has changed."""
        sentinels = [child.process.sentinel for child in self.children if child.process is not None]
        now = time.monotonic()
        due = [child.starts_again_seconds - now for child in self.children if child.state is State.WAITING]
        wait(sentinels, timeout=max(0.0, min([seconds_max, *due])))
        ended = [child for child in self.children if self._has_ended(child)]
        return ended + [child for child in self.children if self._starts_again(child)]

    def stop(self, seconds_max: float = STOP_SECONDS_MAX) -> None:
        """Ask every role to finish what it does and end; kill who does not within its time."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + seconds_max
        while any(process.is_alive() for process in running):
            if self.hurry.is_set() or time.monotonic() > deadline:
                for process in running:
                    process.kill()
            wait([process.sentinel for process in running if process.is_alive()], timeout=0.1)
        for child in self.children:
            if child.process is not None:
                _make_sure_gone(child.process)
            child.process = None
            child.starts_again_seconds = 0.0

    def shorten_logs(self) -> None:
        """Keep every log within its limit."""
        for child in self.children:
            logs.shorten(child.log)

    def _start(self, child: Child) -> None:
        child.process = CONTEXT.Process(
            target=_run_role, args=(child.role, self._settings, child.log), name=child.role.name, daemon=True
        )
        child.process.start()
        child.started_seconds = time.monotonic()
        child.starts_again_seconds = 0.0

    def _has_ended(self, child: Child) -> bool:
        process = child.process
        if process is None or process.is_alive():
            return False
        _make_sure_gone(process)
        child.failures = 1 if child.running_seconds > HEALTHY_SECONDS else child.failures + 1
        child.reason = _reason(process.exitcode or 0, child.log)
        child.process = None
        child.starts_again_seconds = time.monotonic() + child.pause_seconds
        return True

    def _starts_again(self, child: Child) -> bool:
        if child.state is not State.WAITING or time.monotonic() < child.starts_again_seconds:
            return False
        child.restarts += 1
        self._start(child)
        return True


def run_job(
    target: str,
    settings: Settings,
    log: Path,
    progress: Progress | None = None,
    meanwhile: Callable[[float], None] | None = None,
) -> Any:
    """Run ``module:function(settings, progress)`` once, in a process of its own, and return what it returns.

    Raises JobFailed with its last words. What it returns must be plain data. ``meanwhile(seconds_max)`` is called again
    and again while the job has nothing to tell.
    """
    mine, its = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_run_job, args=(target, settings, log, its), name=target, daemon=True)
    process.start()
    its.close()
    try:
        return _result(mine, progress, meanwhile)
    except EOFError:
        process.join(1)
        raise JobFailed(f"{target} ended unexpectedly: {_reason(process.exitcode or 0, log)}") from None
    finally:
        mine.close()
        process.kill()  # it has said its last, or its caller was interrupted
        process.join()


def _result(channel: Connection, progress: Progress | None, meanwhile: Callable[[float], None] | None) -> Any:
    while True:
        if meanwhile is not None and not channel.poll():
            meanwhile(0.05)
            continue
        kind, value = channel.recv()
        if kind == "done":
            return value
        if kind == "failed":
            raise JobFailed(value)
        if progress is not None:
            progress(*value)


def _run_role(role: Role, settings: Settings, log: Path) -> None:
    """What a role's process does: it logs to its file and works until it is asked to stop or its parent is gone."""
    stop = _as_child(role.name, settings, log)
    import structlog  # noqa: PLC0415 - the supervisor itself does without

    logger = structlog.get_logger("api.running.supervisor")
    logger.info("started", pid=os.getpid())
    try:
        role.run(settings, stop)
    except Exception:
        logger.exception("failed")
        raise SystemExit(1) from None
    logger.info("stopped", asked=stop.is_set())


def _run_job(target: str, settings: Settings, log: Path, out: Connection) -> None:
    _as_child(target.rpartition(":")[2], settings, log)
    module, _, function = target.partition(":")
    try:
        work = getattr(importlib.import_module(module), function)
        result = work(settings, lambda done, total, what: out.send(("progress", (done, total, what))))
    except Exception as problem:  # noqa: BLE001 - told to the one who asked, and raised there
        import structlog  # noqa: PLC0415 - as above

        structlog.get_logger("api.running.supervisor").exception("failed")
        out.send(("failed", logs.hide_passwords(f"{type(problem).__name__}: {problem}")))
    else:
        out.send(("done", result))


def _as_child(name: str, settings: Settings, log: Path) -> threading.Event:
    """Turn a freshly forked process into one that logs to its file and stops on SIGTERM or with its parent."""
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells everybody; the supervisor tells us in its order
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    logs.configure(name, settings.log_level)
    threading.Thread(target=_stop_with_parent, args=(stop,), name="parent", daemon=True).start()
    return stop


def _stop_with_parent(stop: threading.Event) -> None:
    parent = mp.parent_process()
    if parent is not None:
        parent.join()
        stop.set()
        time.sleep(STOP_SECONDS_MAX)
        os._exit(1)


def _make_sure_gone(process: BaseProcess) -> None:
    """When the fork server was killed nobody knows whether its children live: end this one before there are two."""
    if process.exitcode == _FORK_SERVER_DIED and process.pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


def _reason(exit_code: int, log: Path) -> str:
    if exit_code < 0:
        return f"killed by {signal.Signals(-exit_code).name}"
    return logs.last_words(log) or f"exit code {exit_code}"
