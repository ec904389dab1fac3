"""Keeps every process at work, each in a thread of its own, so that none waits for another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol

import structlog

from adapters.automation.pages import Pages
from adapters.automation.process import Automated, LiveCandidates
from adapters.automation.runner import FACTS_MAX, Runner, Step
from adapters.backoff import backoff_seconds
from adapters.eventstore.base import BaseLedger

READ_MODEL_POLL_SECONDS: Final = 0.02
LOG_POLL_SECONDS: Final = 1.0

_log = structlog.get_logger(__name__)


class Turn(Protocol):
    """The right to do what only one may do at a time."""

    def is_mine(self) -> bool:
        """Whether we have it, taking it if it is free."""
        ...


Turns = Callable[[str], AbstractContextManager[Turn]]
"""Gives the turn of a name, and gives it back at the end."""


class Automation:
    """All processes of the ledger at work."""

    def __init__(
        self,
        ledger: BaseLedger,
        processes: Sequence[Automated],
        candidates: LiveCandidates,
        turns: Turns,
    ) -> None:
        self._ledger = ledger
        self._turns = turns
        pages = Pages(ledger, FACTS_MAX)
        self._runners = [Runner(ledger, pages, run, candidates) for run in processes]

    def work(self, stop: threading.Event) -> None:
        """Runs every process until told to stop."""
        threads = [
            threading.Thread(target=self._keep_running, args=(runner, stop), name=runner.run.name, daemon=True)
            for runner in self._runners
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _keep_running(self, runner: Runner, stop: threading.Event) -> None:
        failures = 0
        with self._turns(f"process:{runner.run.name}") as turn:
            while not stop.is_set():
                try:
                    self._go_on(runner, turn, stop)
                    failures = 0
                except Exception:  # noqa: BLE001 - nothing is skipped: the same facts are tried again, later and later
                    failures += 1
                    _log.exception("failed", process=runner.run.name, failures=failures)
                    stop.wait(backoff_seconds(failures))
            self._rest(runner, turn)

    def _rest(self, runner: Runner, turn: Turn) -> None:
        """Notes how far a process is; where that fails it only looks again at facts that concerned nobody."""
        try:
            if turn.is_mine():
                runner.rest()
        except Exception:  # noqa: BLE001 - it stops, whatever its server says
            _log.info("position not noted", process=runner.run.name)

    def _go_on(self, runner: Runner, turn: Turn, stop: threading.Event) -> None:
        if not turn.is_mine():
            runner.forget()
            stop.wait(LOG_POLL_SECONDS)
            return
        match runner.step():
            case Step.WAITING:
                stop.wait(READ_MODEL_POLL_SECONDS)
            case Step.IDLE:
                self._ledger.wait_for_events(runner.position, LOG_POLL_SECONDS)
            case Step.ACTED | Step.AGAIN:
                pass
