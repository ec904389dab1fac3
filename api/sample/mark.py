"""What the home remembers of the sample firm: whether it is expected or loaded, and what in it is worth looking at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

SAMPLE_FILE: Final = "sample.json"

SampleState = Literal["none", "expected", "loaded"]


def expect_sample(home: Path) -> None:
    """The sample firm is going to be loaded: nobody is ready before; does nothing when it is loaded already."""
    if sample_state(home) == "none":
        _write(home, {"state": "expected"})


def sample_loaded(home: Path, told: Mapping[str, Any]) -> None:
    """The sample firm has been loaded, all of it; what is told of it is asked for by ``where_to_look``."""
    _write(home, {"state": "loaded", **told})


def sample_state(home: Path) -> SampleState:
    """Whether a sample firm is expected here, or loaded."""
    state = _read(home).get("state")
    return state if state in ("expected", "loaded") else "none"


def where_to_look(home: Path) -> list[tuple[str, str]]:
    """What is worth looking at, and where: one paid invoice whose hours had been corrected on the way."""
    told = _read(home)
    if told.get("invoice") is None:
        return []
    size = f"{told['messages']} messages, {told['invoices']} invoices, {told['paid']} of them paid"
    return [("Sample firm", size), (f"Story of {told['number']}", story_of(told["invoice"]))]


def story_of(invoice: str) -> str:
    """The GraphQL query that tells how an invoice came to be, and how it was paid."""
    return f'{{ timeline(subject: "invoice:{invoice}", first: 500) {{ nodes {{ occurredAt actor sentence }} }} }}'


def _read(home: Path) -> Mapping[str, Any]:
    try:
        told = json.loads((home / SAMPLE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _write(home: Path, told: Mapping[str, Any]) -> None:
    home.mkdir(parents=True, exist_ok=True)
    draft = home / f".{SAMPLE_FILE}"
    draft.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    draft.replace(home / SAMPLE_FILE)
