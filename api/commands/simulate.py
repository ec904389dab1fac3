"""``p2c simulate``: a sample firm of any size as its vendors' messages, to a file, a pipe or the broker."""

from __future__ import annotations

import asyncio
import json as text
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date
from itertools import islice
from pathlib import Path
from typing import IO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from adapters import embedded, logs
from adapters.broker import IN, OUT, BrokerRefused, BrokerUnreachable, Outgoing
from adapters.broker.jetstream import NatsBroker
from adapters.settings import load
from adapters.simulation.firm import STARTS, Firm, Plan
from adapters.simulation.message import Message, as_line
from adapters.simulation.stream import stream

FOUND = 1
UNAVAILABLE = 3
CONNECT_ATTEMPTS_MAX = 5
BATCHES_PER_SECOND = 20
"""How finely a rate is kept."""
BATCH_MAX = 2_000


@dataclass(slots=True)
class Count:
    """What was streamed: how many messages of which kind, how many of them wrong on purpose, how many bytes."""

    messages: int = 0
    bytes: int = 0
    wrong: int = 0
    subjects: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, message: Message) -> None:
        """Count one message."""
        self.messages += 1
        self.bytes += len(message.payload)
        self.wrong += message.fault is not None
        self.subjects[message.subject] += 1


def run(
    *,
    seed: int,
    consultants: int,
    months: int,
    engagements: int | None = None,
    starts: date | None = None,
    out: Path | None = None,
    publish: bool = False,
    rate: int | None = None,
    json: bool = False,
) -> None:
    """Stream the firm to a file, to the broker, or, if neither is named, line by line to standard output."""
    if publish and out is not None:
        raise typer.BadParameter("write to a file or publish, one of the two", param_hint="--out")
    if rate is not None and not publish:
        raise typer.BadParameter("only what is published has a rate; add --publish", param_hint="--rate")
    plan = Plan(seed, consultants, months, starts or STARTS, engagements)
    count, began = Count(), time.monotonic()
    if publish:
        _publish(plan, rate, count)
    elif out is not None:
        with out.open("wb") as file:
            _write(plan, file, count)
    else:
        _write(plan, sys.stdout.buffer, count)
    count.seconds = round(time.monotonic() - began, 3)
    if publish or out is not None:
        _show(count, json=json)


def messages(plan: Plan) -> Iterator[Message]:
    """The messages of a firm, without its billing runs."""
    return (item for item in stream(Firm(plan)) if isinstance(item, Message))


def outgoing(message: Message) -> Outgoing:
    """A message as the broker takes it."""
    return Outgoing(message.subject, message.payload, message.headers, message.key)


def _write(plan: Plan, file: IO[bytes], count: Count) -> None:
    for message in messages(plan):
        count.add(message)
        file.write(as_line(message) + b"\n")
    file.flush()


def _publish(plan: Plan, rate: int | None, count: Count) -> None:
    logs.configure("simulate", "warning")
    with embedded.running(load()) as settings:
        assert settings.nats_url is not None
        try:
            asyncio.run(_publish_to(settings.nats_url, plan, rate, count))
        except (BrokerUnreachable, BrokerRefused) as problem:
            sys.stderr.write(f"p2c: {problem}\nThe same firm may be published again; nothing counts twice.\n")
            raise typer.Exit(UNAVAILABLE if isinstance(problem, BrokerUnreachable) else FOUND) from None


async def _publish_to(url: str, plan: Plan, rate: int | None, count: Count) -> None:
    """In batches, each at its time when a rate is asked for."""
    batch = BATCH_MAX if rate is None else max(1, min(BATCH_MAX, rate // BATCHES_PER_SECOND))
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[day]}"), TimeElapsedColumn())
    waiting, days_total = messages(plan), plan.days
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Publishing", total=days_total, day="")
        async with NatsBroker(url, name="p2c-simulate", connect_attempts_max=CONNECT_ATTEMPTS_MAX) as broker:
            await broker.ensure(IN, OUT)
            began = time.monotonic()
            while some := list(islice(waiting, batch)):
                await broker.publish_all(map(outgoing, some))
                for message in some:
                    count.add(message)
                day = some[-1].at.date()
                bar.update(task, completed=max(0, (day - plan.starts).days), day=f"{day}, {count.messages} messages")
                if rate is not None:
                    await asyncio.sleep(max(0.0, began + count.messages / rate - time.monotonic()))


def _show(count: Count, *, json: bool) -> None:
    if json:
        sys.stdout.write(text.dumps({each.name: getattr(count, each.name) for each in fields(count)}, indent=2) + "\n")
        return
    console = Console(highlight=False)
    for subject, number in sorted(count.subjects.items()):
        console.print(f"{number:>9}  {subject}", soft_wrap=True)
    share = count.messages / count.seconds if count.seconds else 0
    size = count.bytes / 1e6
    console.print(
        f"{count.messages} messages, {count.wrong} of them wrong on purpose, {size:.1f} MB, "
        f"in {count.seconds:.1f} s ({share:.0f}/s)",
        soft_wrap=True,
    )
