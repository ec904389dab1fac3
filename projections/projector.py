"""Keeps the live generation current: one active projector follows the log, batch by batch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from projections import build, scheme
from projections.changes import announcement, channel_of
from projections.fold import Fold
from projections.follow import Log
from projections.generation import GenerationInfo, Generations
from projections.store import Mark, NotOurs, PostgresStore

EVENTS_PER_BATCH: Final = 2_000
WAIT_SECONDS: Final = 1.0
SWEEP_SECONDS: Final = 30.0
AS_OF_MAX: Final = 8
"""How many generations of the past are kept for whoever asks for them again."""


def take_up(log: Log, fold: Fold, store: PostgresStore, channel: str) -> bool:
    """Brings the read models one batch further and tells the channel what changed; says whether there was anything.

    A full batch is written while the next one is folded; whatever else there is has been written on return.
    """
    facts = log.read(fold.position, EVENTS_PER_BATCH)
    if facts:
        before = fold.position
        changes = fold.apply(facts)
        mark = Mark(before, fold.position, facts[-1].recorded_at, len(facts))
        store.submit(changes, mark, (channel, announcement(facts)))
    if len(facts) < EVENTS_PER_BATCH:
        store.settle()
    return bool(facts)


class Projector:
    """Follows the log with the live generation; makes one first if there is none, or if another code made it."""

    def __init__(self, log: Log, generations: Generations, *, as_of_max: int = AS_OF_MAX) -> None:
        self._log = log
        self._generations = generations
        self._as_of_max = as_of_max
        self._swept_seconds = 0.0

    def run(self, stop: threading.Event, made: Callable[[build.RebuildReport], None] | None = None) -> None:
        """Works until it is asked to stop; waits while another projector is active. Raises whatever goes wrong."""
        self._generations.prepare()
        while not stop.is_set():
            with self._generations.alone("project") as is_alone:
                if is_alone:
                    self._work(stop, made)
            stop.wait(WAIT_SECONDS)

    def _work(self, stop: threading.Event, made: Callable[[build.RebuildReport], None] | None) -> None:
        live = self._generations.live()
        if live is None or live.code_version != scheme.code_version():
            report = build.rebuild(self._log, self._generations)
            if made is not None:
                made(report)
        while not stop.is_set():
            live = self._generations.live()
            assert live is not None, "a live generation is replaced, never removed"
            try:
                self._follow(live, stop)
            except NotOurs:
                continue  # a rebuild has put another generation in its place

    def _follow(self, live: GenerationInfo, stop: threading.Event) -> None:
        channel = channel_of(self._generations.ledger_schema)
        with self._generations.store(live) as store:
            fold = Fold(self._log, store, live.position)
            while not stop.is_set():
                if take_up(self._log, fold, store, channel):
                    continue
                if not self._log.wait_for_events(fold.position, WAIT_SECONDS) and self._replaced(live):
                    raise NotOurs(live.name)
                self._sweep()

    def _replaced(self, live: GenerationInfo) -> bool:
        now = self._generations.live()
        return now is None or now.name != live.name

    def _sweep(self) -> None:
        """From time to time, removes generations that nobody needs."""
        now = time.monotonic()
        if now - self._swept_seconds >= SWEEP_SECONDS:
            self._swept_seconds = now
            self._generations.sweep(self._as_of_max)
