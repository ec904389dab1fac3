"""Starting is quick because nothing is imported before somebody needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

SLOW = {
    "beancount", "cryptography", "eventsourcing", "fastapi", "graphql", "holidays", "joserfc", "nats", "psycopg",
    "pydantic", "rich", "stdnum", "strawberry", "typst", "uvicorn",
}  # fmt: skip
"""Libraries that take time to import, or that only few parts need."""

ROLES = {"eventsourcing", "nats", "psycopg", "pydantic", "rich"}
NEEDED: dict[str, set[str]] = {
    "api.cli": set(),
    "api.running.forking": set(),
    "api.commands.up": {"pydantic", "rich"},
    "api.running.preload": ROLES,
    "api.roles.ingest": ROLES,
    "api.roles.automate": ROLES,
    "api.roles.connect": ROLES,
}


@pytest.mark.parametrize("module", sorted(NEEDED))
def test_a_part_imports_no_library_that_it_does_not_need_to_start(module: str) -> None:
    program = f"import sys, {module}; print(*({SLOW!r} & {{name.partition('.')[0] for name in sys.modules}}))"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(told.stdout.split()) <= NEEDED[module]
