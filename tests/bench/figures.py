"""A figure is what a benchmark says in one number, with its target and the absolute numbers that it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import orjson
from rich.table import Table

FORMAT: Final = 1
Value = float | int | str | Sequence[float]


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure has to reach, or must not pass."""

    direction: Literal["at least", "at most"]
    value: float

    def is_met(self, value: float) -> bool:
        """Whether a figure is on the right side."""
        return value >= self.value if self.direction == "at least" else value <= self.value

    def __str__(self) -> str:
        return f"{'≥' if self.direction == 'at least' else '≤'} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name, its target if it has one, and what it was made of; units are last in the names."""

    name: str
    value: float
    means: str
    target: Target | None = None
    absolutes: Mapping[str, Value] = field(default_factory=dict)

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        return None if self.target is None else self.target.is_met(self.value)


def ratio(name: str, above: float, below: float, target: Target | None, means: str, **absolutes: Value) -> Figure:
    """A figure that is a ratio of two measurements of the same run."""
    return Figure(name, round(above / below, 3), means, target, absolutes)


def at_least(value: float) -> Target:
    """The target of a figure that should be large."""
    return Target("at least", value)


def at_most(value: float) -> Target:
    """The target of a figure that should be small."""
    return Target("at most", value)


def write(path: Path, size: str, seconds: float, facts: Mapping[str, Any], figures: Sequence[Figure]) -> None:
    """The figures as JSON, with the machine and the versions that they were measured on."""
    body = {
        "format": FORMAT,
        "size": size,
        "seconds": round(seconds, 1),
        **facts,
        "figures": {
            figure.name: {
                "value": figure.value,
                "target": str(figure.target) if figure.target else None,
                "is_met": figure.is_met,
                "means": figure.means,
                "absolutes": dict(figure.absolutes),
            }
            for figure in figures
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n")


def table(figures: Sequence[Figure]) -> Table:
    """The figures one below the other: name, target, figure, whether it is met, what it means."""
    lines = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    lines.add_column("figure", header_style="dim")
    lines.add_column("target", justify="right", header_style="dim")
    lines.add_column("measured", justify="right", header_style="dim")
    lines.add_column("", header_style="dim")
    lines.add_column("what it is", header_style="dim", overflow="fold")
    marks = {True: "[green]pass[/]", False: "[red]fail[/]", None: ""}
    for figure in figures:
        target = str(figure.target) if figure.target else ""
        lines.add_row(figure.name, target, f"{figure.value:g}", marks[figure.is_met], figure.means)
    return lines
