"""A world in which time passes only when somebody waits, and in which a seed decides who goes on next.

Asynchronous code runs on a loop whose clock is a number. Blocking code runs in threads that are not of the operating
system: each gives its turn back whenever it touches the database, and gets it again a seeded moment later. So
everything interleaves as it might among real processes, and the same seed always leads to the same run.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context
from heapq import heappop, heappush
from random import Random
from typing import Any, Final, Literal, TypeVar
from unittest.mock import patch

from greenlet import getcurrent, greenlet

Result = TypeVar("Result")
STEPS_MAX: Final = 30_000
"""Ten times what a run takes."""


class Killed(BaseException):
    """The process of this piece of code is gone: nothing that it does reaches anybody any more."""


class Endless(Exception):
    """The run does not come to its end: everybody waits for ever, or nobody ever stops."""


class SeededLoop(asyncio.BaseEventLoop):
    """An event loop without sockets and without a clock of its own: to wait is to move the clock to whoever is next.

    Half a million small moments pass in a hundred runs, so it keeps its own heap, which compares numbers.
    """

    _ready: deque[asyncio.Handle]
    _stopping: bool

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.now = 0.0
        self.wrong_by = {"programs": 0.0, "database": 0.0}
        self.steps = 0
        self.random = Random(f"{seed}/schedule")
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timers_made = 0
        self._threads: dict[_Thread, None] = {}
        self.tasks_made = 0
        self.set_exception_handler(_ignore)
        self.set_task_factory(_task)  # type: ignore[arg-type]  # the stubs allow no named arguments

    def time(self) -> float:
        return self.now

    def shown_by(self, clock: Literal["programs", "database"]) -> float:
        """What a clock on a wall shows, which somebody may have set; waiting goes by ``now``."""
        return self.now + self.wrong_by[clock]

    def call_at(  # type: ignore[override]  # the stubs bind the arguments to the callback, which says nothing here
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers_made += 1
        heappush(self._timers, (when, self._timers_made, handle))
        return handle

    def call_later(  # type: ignore[override]  # as above
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def _timer_handle_cancelled(self, _handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def _run_once(self) -> None:
        """Everybody whose time has come goes on, once."""
        self.steps += 1
        if self.steps > STEPS_MAX:
            raise Endless
        timers, ready = self._timers, self._ready
        while timers and timers[0][2].cancelled():
            heappop(timers)
        if not ready and not self._stopping:
            if not timers:
                raise Endless
            self.now = max(self.now, timers[0][0])
        while timers and timers[0][0] <= self.now:
            handle = heappop(timers)[2]
            if not handle.cancelled():
                ready.append(handle)
        for _ in range(len(ready)):
            next_one = ready.popleft()
            if not next_one.cancelled():
                next_one._run()

    def _write_to_self(self) -> None:
        """Nobody calls from another thread of the operating system."""

    def moment(self) -> float:
        """How long a small thing takes: mostly little, sometimes long."""
        return self.random.expovariate(1 / 0.004)

    def run_in_executor(  # type: ignore[override]  # here it is always a future of this loop
        self, _executor: Any, work: Callable[..., Result], *arguments: Any
    ) -> asyncio.Future[Result]:
        """Runs blocking code in a thread that moves only when it is its turn."""
        future: asyncio.Future[Result] = self.create_future()
        thread = _Thread(self, work, arguments, future)
        self._threads[thread] = None
        self.call_later(self.moment(), thread.go_on)
        return future

    def ended(self, thread: _Thread) -> None:
        """This thread has done its work."""
        del self._threads[thread]

    def finish(self) -> None:
        """Ends all tasks and threads."""
        self.steps = 0
        while pending := asyncio.all_tasks(self):
            for task in pending:
                task.cancel()
            for thread in list(self._threads):
                thread.kill()
            self.run_until_complete(asyncio.wait(pending, timeout=1.0))
        for thread in list(self._threads):
            thread.kill()
        self.close()


class _Task(asyncio.Task[Any]):
    """A task whose place in a set does not depend on where it happens to lie in memory."""

    def __init__(self, work: Coroutine[Any, Any, Any], loop: SeededLoop, **named: Any) -> None:
        loop.tasks_made += 1
        self._number = loop.tasks_made
        super().__init__(work, loop=loop, **named)

    def __hash__(self) -> int:
        return self._number


def _task(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **named: Any) -> asyncio.Task[Any]:
    assert isinstance(loop, SeededLoop)
    return _Task(work, loop, **named)


def _ignore(_loop: asyncio.AbstractEventLoop, _context: dict[str, Any]) -> None:
    """What nobody waited for matters only if the run goes wrong, which its auditor finds."""


class _Thread(greenlet):
    """Blocking code, which can stand still in the middle of whatever it calls."""

    def __init__(
        self, loop: SeededLoop, work: Callable[..., Any], arguments: tuple[Any, ...], future: asyncio.Future[Any]
    ) -> None:
        super().__init__()
        self._loop = loop
        self._job = (work, arguments, future)
        self._pauses = 0
        self._is_killed = False

    def run(self) -> None:
        work, arguments, future = self._job
        result, problem = None, None
        try:
            result = work(*arguments)
        except BaseException as raised:  # noqa: BLE001 - a kill also is an outcome
            problem = raised
        self._loop.ended(self)
        self._loop.call_later(self._loop.moment(), _settle, future, result, problem)

    def pause(self, seconds: float, bell: Bell | None = None) -> None:
        """Others move, and this one goes on later, or soon after the bell has rung."""
        self._pauses += 1
        waking = self._loop.call_later(seconds, self._wake, self._pauses)
        if bell is not None:
            bell.waiting.append((self, self._pauses, waking))
        assert self.parent is not None
        self.parent.switch()
        if self._is_killed:
            raise Killed

    def wake_soon(self, which: int, waking: asyncio.TimerHandle) -> None:
        """The bell has rung for a pause."""
        waking.cancel()
        self._loop.call_later(10 * self._loop.moment(), self._wake, which)

    def kill(self) -> None:
        """At the end of everything: whatever this thread does ends at once."""
        self._is_killed = True
        while not self.dead and self in self._loop._threads:
            self.go_on()

    def go_on(self) -> None:
        """The turn of this thread, until it pauses or ends."""
        if not self.dead:
            self.parent = getcurrent()
            self.switch()

    def _wake(self, which: int) -> None:
        if which == self._pauses:
            self.go_on()


class Bell:
    """Wakes everybody who waits for it."""

    def __init__(self) -> None:
        self.waiting: list[tuple[_Thread, int, asyncio.TimerHandle]] = []

    def ring(self) -> None:
        waiting, self.waiting = self.waiting, []
        for thread, which, waking in waiting:
            thread.wake_soon(which, waking)


def _settle(future: asyncio.Future[Any], result: Any, problem: BaseException | None) -> None:
    if future.done():
        return
    if problem is None:
        future.set_result(result)
    else:
        future.set_exception(problem)
        future.exception()  # whoever waited for it may be gone


def pause(seconds: float, bell: Bell | None = None) -> None:
    """Lets others move for a while, or until a bell rings; in code that must not block nothing happens."""
    here = getcurrent()
    if isinstance(here, _Thread):
        here.pause(seconds, bell)


@contextmanager
def seeded(seed: int) -> Iterator[SeededLoop]:
    """A loop, and every clock of this program in its hands, until the end of the block."""
    loop = SeededLoop(seed)
    with patch.multiple(time, monotonic=loop.time, sleep=pause):
        asyncio.set_event_loop(loop)
        try:
            yield loop
        finally:
            loop.finish()
            asyncio.set_event_loop(None)
