"""What each part of the ledger says about itself: one JSON object a line, readable lines on a terminal."""

from __future__ import annotations

import io
import json
import logging
import re
import shutil
import sys
from pathlib import Path
from typing import TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

BYTES_MAX = 16 * 1024 * 1024
"""A log file longer than this is set aside once, and begins anew."""

_PASSWORD = re.compile(r"(\w+://[^\s:/@]*:)[^\s@/]+(?=@)|(\bpassword\s*=\s*)(?:'[^']*'|[^\s']+)", re.IGNORECASE)


def configure(role: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Send the logs of this process, and of the libraries in it, to one stream (standard error unless told)."""
    out = sys.stderr if stream is None else stream
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _Named(role),
    ]
    handler = logging.StreamHandler(out)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(out)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _rendering(out: TextIO) -> list[Processor]:
    forget = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if out.isatty():
        return [forget, without_passwords, structlog.dev.ConsoleRenderer(exception_formatter=_traceback)]
    return [forget, structlog.processors.format_exc_info, without_passwords, structlog.processors.JSONRenderer()]


def _traceback(out: TextIO, failure: ExcInfo) -> None:
    text = io.StringIO()
    structlog.dev.plain_traceback(text, failure)
    out.write(hide_passwords(text.getvalue()))


class _Named:
    """Adds the role to each line, so that the logs of all roles can be read together."""

    def __init__(self, role: str) -> None:
        self.role = role

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("role", self.role)
        return event


def without_passwords(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Addresses of servers are logged without the passwords in them, also inside the text of an exception."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = hide_passwords(value)
    return event


def hide_passwords(text: str) -> str:
    """The same text with ``***`` for the password of every address in it, written as a URL or as key=value words."""
    return _PASSWORD.sub(lambda found: f"{found[1] or found[2]}***", text)


def shorten(log: Path, bytes_max: int = BYTES_MAX) -> bool:
    """Set a long log aside as ``<name>.1`` and empty it, while its writer goes on appending to the same file."""
    if not log.exists() or log.stat().st_size <= bytes_max:
        return False
    shutil.copyfile(log, log.with_name(log.name + ".1"))
    with log.open("r+b") as file:
        file.truncate(0)
    return True


def last_words(log: Path, bytes_max: int = 64 * 1024, length_max: int = 300) -> str:
    """Why the writer of a log ended, in one line: the last line of its last traceback, or whatever it said last."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - bytes_max))
        lines = [line.strip() for line in file.read().decode(errors="replace").split("\n") if line.strip()]
    return hide_passwords(_gist(lines[-1]))[:length_max] if lines else ""


def _gist(line: str) -> str:
    try:
        said = json.loads(line)
    except ValueError:
        return line
    if not isinstance(said, dict):
        return line
    traceback = str(said.get("exception", "")).strip().splitlines()
    return traceback[-1] if traceback else str(said.get("event", line))
