"""``p2c publish FILE``: the messages of a file, one in each line, to the intake of the ledger.

A line is one of: what ``p2c simulate`` writes (subject, headers, payload); a canonical message, whose command names
its subject; a CloudEvents envelope, with the subject in its attribute ``subject``; or anything at all when
``--subject`` says where it goes. The same file published twice is the same messages.
"""

from __future__ import annotations

import asyncio
import hashlib
import json as text
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from adapters import embedded, logs
from adapters.broker import IN, MESSAGE_ID_HEADER, BrokerRefused, BrokerUnreachable, Outgoing, is_subject
from adapters.broker.jetstream import NatsBroker
from adapters.settings import load

FOUND = 1
UNAVAILABLE = 3
PREFIX = "p2c.in."
WORDS = 5
BATCH_MAX = 256
PROBLEMS_SHOWN_MAX = 20


class NotPublishable(ValueError):
    """A line of the file is no message that can be published."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: its number, where it ends, and the message in it or what is wrong with it."""

    number: int
    end: int
    message: Outgoing | None
    problem: str = ""


def run(*, file: Path, subject: str | None, json: bool) -> None:
    """Publish all lines that can be; exits with 1 when some cannot, with 3 when the broker is out of reach."""
    if subject is not None:
        _require_subject(subject, option=True)
    if not file.is_file():
        raise typer.BadParameter(f"{file} is not a file", param_hint="FILE")
    logs.configure("publish", "warning")
    bytes_total = file.stat().st_size
    with embedded.running(load()) as settings:
        assert settings.nats_url is not None
        try:
            published, duplicates, problems = asyncio.run(_publish(settings.nats_url, file, subject, bytes_total))
        except (BrokerUnreachable, BrokerRefused) as problem:
            sys.stderr.write(f"p2c: {problem}\nMessages before that are published; publish the file again.\n")
            raise typer.Exit(UNAVAILABLE if isinstance(problem, BrokerUnreachable) else FOUND) from None
    _show(published, duplicates, problems, json=json)
    if problems:
        raise typer.Exit(FOUND)


async def _publish(url: str, file: Path, subject: str | None, bytes_total: int) -> tuple[int, int, list[str]]:
    published = fresh = 0
    problems: list[str] = []
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Publishing", total=bytes_total)
        async with NatsBroker(url, name="p2c-publish", connect_attempts_max=5) as broker:
            await broker.ensure(IN)
            for batch in _batches(lines(file, subject)):
                messages = [line.message for line in batch if line.message is not None]
                fresh += await broker.publish_all(messages)
                published += len(messages)
                problems += [f"line {line.number}: {line.problem}" for line in batch if line.message is None]
                bar.update(task, completed=batch[-1].end)
    return published, published - fresh, problems


def _batches(waiting: Iterator[Line]) -> Iterator[list[Line]]:
    batch: list[Line] = []
    for line in waiting:
        batch.append(line)
        if len(batch) == BATCH_MAX:
            yield batch
            batch = []
    if batch:
        yield batch


def lines(file: Path, subject: str | None) -> Iterator[Line]:
    """The messages of a file; empty lines are left out."""
    end = 0
    with file.open("rb") as opened:
        for number, raw in enumerate(opened, start=1):
            end += len(raw)
            if not (payload := raw.strip()):
                continue
            try:
                yield Line(number, end, _message(payload, subject))
            except NotPublishable as problem:
                yield Line(number, end, None, str(problem))


def _message(payload: bytes, subject: str | None) -> Outgoing:
    if subject is not None:
        return _outgoing(subject, payload, {})
    try:
        body = text.loads(payload)
    except ValueError as error:
        raise NotPublishable(f"not JSON ({error}); with --subject it is sent as it is") from None
    if not isinstance(body, dict):
        raise NotPublishable("not a JSON object; with --subject it is sent as it is")
    if body.keys() >= {"subject", "payload"} and "specversion" not in body:
        return _enclosed(body)
    if isinstance(body.get("command"), str):
        return _outgoing(f"{PREFIX}canonical.{body['command'].rpartition('.v')[0]}", payload, {})
    if "specversion" in body and isinstance(body.get("subject"), str):
        return _outgoing(body["subject"], payload, {})
    raise NotPublishable("it does not say where it goes: give --subject p2c.in.<system>.<object>.<verb>")


def _enclosed(body: dict[str, Any]) -> Outgoing:
    """A line that holds a message with its subject and headers; a payload as text is sent as that very text."""
    inner, headers = body["payload"], body.get("headers") or {}
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise NotPublishable("headers: texts by name are expected")
    payload = inner.encode() if isinstance(inner, str) else text.dumps(inner, ensure_ascii=False).encode()
    return _outgoing(str(body["subject"]), payload, headers)


def _outgoing(subject: str, payload: bytes, headers: dict[str, str]) -> Outgoing:
    _require_subject(subject)
    own = headers.get(MESSAGE_ID_HEADER)
    if own is None:
        # The content names it: another content under the same business id must reach the ledger, which shows it.
        own = hashlib.sha256(subject.encode() + b"\n" + payload).hexdigest()
    rest = {name: value for name, value in headers.items() if name != MESSAGE_ID_HEADER}
    return Outgoing(subject, payload, rest, own)


def _require_subject(subject: str, *, option: bool = False) -> None:
    if subject.startswith(PREFIX) and is_subject(subject) and len(subject.split(".")) == WORDS:
        return
    problem = f"{subject!r} is no subject of the form p2c.in.<system>.<object>.<verb>"
    if option:
        raise typer.BadParameter(problem, param_hint="--subject")
    raise NotPublishable(problem)


def _show(published: int, duplicates: int, problems: list[str], *, json: bool) -> None:
    if json:
        told = {"published": published, "duplicates": duplicates, "problems": problems}
        sys.stdout.write(text.dumps(told, indent=2) + "\n")
        return
    again = f", {duplicates} of them published before" if duplicates else ""
    sys.stdout.write(f"{published} messages published{again}\n")
    for problem in problems[:PROBLEMS_SHOWN_MAX]:
        sys.stderr.write(f"{problem}\n")
    if len(problems) > PROBLEMS_SHOWN_MAX:
        sys.stderr.write(f"and {len(problems) - PROBLEMS_SHOWN_MAX} lines more\n")
