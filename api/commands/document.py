"""``p2c document``: an issued invoice or credit note as a file, as its customer gets it."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from adapters import embedded
from adapters.settings import load
from api import reach
from api.books import open_ledger
from api.candidates import open_reader
from api.running.screen import Screen
from api.serving import documents
from domain.credit_note import NoCreditNote, credit_note_stream


def run(*, name: str, out: Path | None, form: str | None) -> None:
    """Write the document to a file or to standard output; by default the form is that of the file's name, else pdf."""
    chosen = form or (documents.form_of(out.name)[1] if out is not None else "") or "pdf"
    with embedded.running(load()) as settings, open_ledger(settings, pool_size=1, cache_streams=0) as ledger:
        read = reach.reader_of(ledger)
        with open_reader(settings, ledger) as reader:
            note = documents.id_of(read, reader, "credit-note", name)
            is_credit_note = not isinstance(read(credit_note_stream(note)), NoCreditNote)
            known_as = note if is_credit_note else documents.id_of(read, reader, "invoice", name)
        made = documents.make(read, "credit-note" if is_credit_note else "invoice", known_as, chosen)
    if out is None:
        sys.stdout.buffer.write(made.content)
        return
    out.write_bytes(made.content)
    Screen(Console(stderr=True)).say(f"{made.file_name}: {len(made.content):,} bytes in {out}")
