"""Waits in tests: for something to become true, no longer than it may take."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable


async def until(true: Callable[[], object | Awaitable[object]], *, seconds: float = 60.0) -> None:
    """Returns as soon as it is true; fails when it does not become true in time."""
    async with asyncio.timeout(seconds):
        while True:
            answer = await asyncio.to_thread(true)
            if inspect.isawaitable(answer):
                answer = await answer
            if answer:
                return
            await asyncio.sleep(0.02)
