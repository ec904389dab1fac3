"""The table of published cases: what each expected and what it got, written from the run that proved it.

Tests record figures through the fixture ``case``. A run of all cases compares ``docs/cases.md`` with what it saw, and
fails when that is old; ``--write-cases`` writes it anew. Workers of pytest-xdist hand their figures over in reports.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cases.examples import SOURCES

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = ROOT / "docs" / "cases.md"
SPEC: Final = ROOT.parent / "shared" / "spec" / "cases.json"
PROPERTY: Final = "case"

Record = Callable[[str, str, object, object], None]
"""Called with the case's id, the figure's name, what was expected and what came out; fails where they differ."""


@cache
def published() -> dict[str, dict[str, Any]]:
    """The published cases by the first word of their ids; skips where they are not beside this clone."""
    if not SPEC.is_file():
        pytest.skip(f"the published cases are not beside this clone: {SPEC}")
    return {str(each["id"]).split()[0]: each for each in json.loads(SPEC.read_text(encoding="utf-8"))}


def shown(value: object) -> str:
    """A figure as the table shows it: 91200.00 and 91200 are the same; an entry by its debits and credits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(
            f"{'Dr' if amount > 0 else 'Cr'} {account} {shown(abs(amount))}"
            for account, amount in sorted(value.items())
        )
    if isinstance(value, Decimal | int):
        return f"{Decimal(value).normalize():,f}"
    if isinstance(value, list | tuple):
        return "; ".join(shown(each) for each in value)
    return str(value)


def recorder(properties: list[tuple[str, object]]) -> Record:
    """What a test calls; the figures travel with the report of the test."""

    def record(case: str, figure: str, expected: object, actual: object) -> None:
        source = SOURCES.get(case) or str(published()[case]["source"])
        properties.append((PROPERTY, [case, source, figure, shown(expected), shown(actual)]))
        assert actual == expected, f"{case} {figure}: {expected} expected, {actual} came out"

    return record


class CaseReport:
    """Gathers the figures of a run, and compares or writes the document at its end."""

    def __init__(self, config: pytest.Config) -> None:
        self._write = bool(config.getoption("--write-cases"))
        self._complete = _runs_all(config)
        self._rows: set[tuple[str, ...]] = set()
        self._told = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The figures of one test, whichever process ran it."""
        if "tests/cases/" in report.nodeid and (report.failed or report.skipped):
            self._complete = False
        if report.when == "call":
            rows = (value for name, value in report.user_properties if name == PROPERTY)
            self._rows.update(tuple(map(str, row)) for row in rows if isinstance(row, list | tuple))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """The document is written, or compared with what the run saw."""
        if not self._rows or hasattr(session.config, "workerinput"):
            return
        text = document(self._rows)
        if self._write:
            DOCUMENT.write_text(text, encoding="utf-8")
            self._told = f"{DOCUMENT.relative_to(ROOT)} has {len(self._rows)} figures."
        if self._complete and (problem := self._problem(text)):
            self._told = problem
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _problem(self, text: str) -> str:
        untold = sorted(published().keys() - {row[0] for row in self._rows})
        if untold:
            return f"No figure came out for the published cases {', '.join(untold)}."
        is_fresh = DOCUMENT.is_file() and DOCUMENT.read_text(encoding="utf-8") == text
        return "" if is_fresh else f"{DOCUMENT.relative_to(ROOT)} is not what the run saw: make cases"

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """What became of the document."""
        if self._told:
            terminalreporter.write_line(self._told)


def document(rows: set[tuple[str, ...]]) -> str:
    """The table as Markdown."""
    lines = [
        "# Published cases",
        "",
        "Every figure below came out of a run of `tests/cases`, through the commands and read models of the ledger.",
        "`make cases` writes this table; the suite fails when it is old.",
        "",
        "| case | source | figure | expected | actual |",
        "|---|---|---|---:|---:|",
        *(f"| {' | '.join(each.replace('|', '/') for each in row)} |" for row in sorted(rows)),
    ]
    return "\n".join(lines) + "\n"


def _runs_all(config: pytest.Config) -> bool:
    """Whether the run takes in every case: no choice by name, and all arguments are folders around the cases."""
    if config.getoption("keyword", "") or config.getoption("markexpr", "") or config.getoption("lf", False):
        return False
    here = Path(__file__).parent
    folders = [(config.invocation_params.dir / each).resolve() for each in config.args]
    return any(folder == here or folder in here.parents for folder in folders)


def options(parser: pytest.Parser) -> None:
    """The option that writes the document."""
    parser.addoption("--write-cases", action="store_true", help="write docs/cases.md from the figures of this run")
