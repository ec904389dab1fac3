"""A machine whose time is simulated and on which one thing happens at a time, in an order that a seed decides.

Blocking work runs in threads, as it does in the real programs, but a thread runs only while the machine waits for it:
it hands the machine back where it pauses, so that others come in between, always in the same order for the same seed.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from random import Random
from typing import Any, Final

STEP_SECONDS: Final = (0.0002, 0.02)
"""How long a hand-over to a thread and back may take."""


class Stuck(Exception):
    """Everybody waits, and nothing will ever happen."""


class Died(BaseException):
    """The program that did this was killed; nobody is there to catch it."""


class _Instant(selectors.SelectSelector):
    """Waiting takes no time: the clock is put forward instead."""

    seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck
        self.seconds += max(0.0, timeout)
        return []


class Machine(asyncio.SelectorEventLoop):
    """An event loop in simulated time."""

    def __init__(self, seed: int) -> None:
        self._instant = _Instant()
        self.rng = Random(f"machine/{seed}")
        self._idle: list[_Helper] = []
        self._paused: set[_Helper] = set()
        self.defects: list[str] = []
        super().__init__(self._instant)
        self.set_exception_handler(self._on_defect)

    def time(self) -> float:
        return self._instant.seconds

    def moment(self) -> float:
        """How long a small step takes this time."""
        return self.rng.uniform(*STEP_SECONDS)

    async def sleep_a_moment(self) -> None:
        """Let others come in between."""
        await asyncio.sleep(self.moment())

    def run_in_executor(self, _executor: Executor | None, func: Callable[..., Any], *args: Any) -> Any:
        future: asyncio.Future[Any] = self.create_future()
        self.call_later(self.moment(), self._begin, future, func, args)
        return future

    def pause(self, seconds: float | None = None) -> None:
        """Let others come in between, if this is called by blocking work in a thread."""
        helper = _Helper.here()
        if helper is not None:
            helper.pause(self.moment() if seconds is None else seconds)

    def close(self) -> None:
        """Whatever still runs dies here."""
        for helper in [*self._paused, *self._idle]:
            helper.end()
        self._paused.clear()
        self._idle.clear()
        super().close()

    def _begin(self, future: asyncio.Future[Any], func: Callable[..., Any], args: tuple[Any, ...]) -> None:
        if future.cancelled():
            return  # whoever asked is gone before the work began
        helper = self._idle.pop() if self._idle else _Helper()
        helper.take(future, func, args)
        self._go(helper)

    def _go(self, helper: _Helper) -> None:
        self._paused.discard(helper)
        helper.go()
        if helper.pause_seconds is not None:
            self._paused.add(helper)
            self.call_later(helper.pause_seconds, self._go, helper)
            return
        answer = helper.give()
        self._idle.append(helper)
        self.call_later(self.moment(), answer)

    def _on_defect(self, _loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        problem = context.get("exception")
        if not isinstance(problem, Died):
            self.defects.append(f"{context['message']}: {problem!r}")


class _Helper:
    """A thread for blocking work; it and the machine run by turns."""

    _mine = threading.local()

    def __init__(self) -> None:
        self.pause_seconds: float | None = None
        self._its_turn, self._our_turn = threading.Lock(), threading.Lock()
        self._its_turn.acquire()
        self._our_turn.acquire()
        self._work: tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]] | None = None
        self._answer: Callable[[], None] = _nothing
        self._ends = False
        self._thread = threading.Thread(target=self._run, name="simulated", daemon=True)
        self._thread.start()

    @classmethod
    def here(cls) -> _Helper | None:
        """The helper whose thread this is."""
        return getattr(cls._mine, "helper", None)

    def take(self, future: asyncio.Future[Any], func: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._work = future, func, args

    def go(self) -> None:
        """Let the thread run until it pauses or is done."""
        self.pause_seconds = None
        self._its_turn.release()
        self._our_turn.acquire()

    def give(self) -> Callable[[], None]:
        """What hands over the result of the work that is done."""
        answer, self._answer = self._answer, _nothing
        return answer

    def pause(self, seconds: float) -> None:
        if self._ends:
            raise Died
        self.pause_seconds = seconds
        self._our_turn.release()
        self._its_turn.acquire()
        if self._ends:
            raise Died

    def end(self) -> None:
        """Let the thread die where it stands."""
        self._ends = True
        self.go()
        self._thread.join()

    def _run(self) -> None:
        self._mine.helper = self
        self._its_turn.acquire()
        while not self._ends:
            assert self._work is not None, "it gets its turn with work"
            future, func, args = self._work
            try:
                result = func(*args)
            except BaseException as problem:  # noqa: BLE001 - it is handed to whoever waits for the work
                self._answer = _failing(future, problem)
            else:
                self._answer = _answering(future, result)
            self._work = None
            if not self._ends:
                self._our_turn.release()
                self._its_turn.acquire()
        self._our_turn.release()


def _nothing() -> None:
    """There is no result."""


def _answering(future: asyncio.Future[Any], result: Any) -> Callable[[], None]:
    return lambda: None if future.cancelled() else future.set_result(result)


def _failing(future: asyncio.Future[Any], problem: BaseException) -> Callable[[], None]:
    return lambda: None if future.cancelled() else future.set_exception(problem)
