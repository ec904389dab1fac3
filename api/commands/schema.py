"""``p2c schema``: the generated reference in ``docs/``, written from the code, or compared with it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import typer

from adapters.vendors.canonical.documents import pages as message_pages
from api.graphql.schema import make_schema
from api.reference import errors_page, events_page, reasons_page, services_page

FOUND = 1


def run(*, check: bool, folder: Path = Path("docs")) -> None:
    """Write every generated page; with ``check`` change nothing, and exit with 1 when one differs."""
    wanted = generated()
    old = [name for name, text in wanted.items() if _read(folder / name) != text]
    gone = [name for name in _present(folder) if name not in wanted]
    if check:
        for name in (*old, *gone):
            sys.stdout.write(f"{folder / name} is not what the code says: run p2c schema\n")
        if old or gone:
            raise typer.Exit(FOUND)
        return
    for name in old:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(wanted[name], encoding="utf-8")
    for name in gone:
        (folder / name).unlink()
    sys.stdout.write(f"{len(wanted)} pages, {len(old)} written, {len(gone)} removed\n")


def generated() -> Mapping[str, str]:
    """Every generated page by its place below ``docs/``."""
    return {
        "schema.graphql": make_schema(local=True).as_str() + "\n",
        "events.md": events_page(),
        "errors.md": errors_page(),
        "reasons.md": reasons_page(),
        "services.md": services_page(),
        **message_pages(),
    }


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _present(folder: Path) -> list[str]:
    """The pages of messages that are there; one whose command is gone has to go too."""
    return [str(path.relative_to(folder)) for path in sorted((folder / "messages").glob("*.schema.json"))]
