"""``p2c export journal``: the books for others to check, as plain-text accounting or as a table."""

from __future__ import annotations

import csv
import getpass
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TextIO

from rich.console import Console

from adapters import embedded
from adapters.postgres import connect, open_pool
from adapters.settings import Settings, load
from api.books import open_ledger
from api.commands.moment import moment
from api.reads import Reads
from api.running.screen import Screen
from domain.books.account_role import AccountRole
from domain.books.journal import class_of
from domain.kernel import Refused
from projections import build
from projections.generation import Generations
from projections.journal import journal
from projections.journal.journal import BalanceFilter, BalanceRow, PostingRow
from projections.reader import FIRM, At, Reader, View

OPENED_ON: Final = date(1970, 1, 1)


class Format(StrEnum):
    """How the journal is written."""

    BEANCOUNT = "beancount"
    CSV = "csv"


class NothingToExport(Refused):
    """Only the journal can be exported."""

    code = "export.unknown"
    fix = "Say: p2c export journal."


def run(*, what: str, form: str, out: Path | None, position: int | None, recorded_at: str | None) -> None:
    """Write the journal to a file or to standard output."""
    if what != "journal":
        raise NothingToExport(repr(what))
    screen, at = Screen(Console(stderr=True)), moment(position, recorded_at)
    told = {"format": Format(form).value, "position": position, "recorded_at": recorded_at, "out": str(out or "-")}
    with embedded.running(load()) as settings:
        with viewing(settings, at, told) as view:
            target = out.open("w", encoding="utf-8", newline="") if out is not None else nullcontext(sys.stdout)
            with target as file:
                count = write(view, Format(form), file)
        screen.say(f"{count:,} postings up to position {view.watermark.position:,}.")


@contextmanager
def viewing(settings: Settings, at: At | None, told: Mapping[str, Any]) -> Iterator[View]:
    """The books of an installation at one moment; that they are taken away, and how, is noted first."""
    assert settings.database_url is not None, "running servers have addresses"
    url, schema = settings.database_url, settings.db_schema
    generations = Generations(partial(connect, url, schema, "p2c-export"), schema)
    with open_ledger(settings, pool_size=2, cache_streams=0) as ledger:
        generations.prepare()
        if generations.live() is None:
            build.rebuild(ledger, generations)
        with (
            open_pool(url, schema, size=2, application_name="p2c-export") as pool,
            Reader(pool, ledger, generations).view(at) as view,
        ):
            Reads(pool).note_export(_login(), "journal", told)
            yield view


def _login() -> str:
    """Who runs the command, by the name that this machine has for them, else by their number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def write(view: View, form: Format, file: TextIO) -> int:
    """All postings that a view shows, in the order in which they were recorded; returns how many."""
    rows = journal.in_order(view, FIRM)
    if form is Format.CSV:
        return _write_csv(rows, file)
    return write_beancount(rows, journal.trial_balance(view, BalanceFilter(), FIRM), file)


def _write_csv(rows: Iterable[PostingRow], file: TextIO) -> int:
    names = [field.name for field in fields(PostingRow)]
    writer, count = csv.writer(file), 0
    writer.writerow(names)
    for row in rows:
        writer.writerow([getattr(row, name) for name in names])
        count += 1
    return count


def write_beancount(rows: Iterable[PostingRow], balances: Iterable[BalanceRow], file: TextIO) -> int:
    """Plain-text accounting in functional money, with what else a posting says beside it as metadata.

    Each entry is one transaction for each entity. The trial balance follows as assertions, which ``bean-check`` proves.
    """
    file.write('option "title" "Project-to-cash journal"\n')
    expected = _by_account(balances)
    file.writelines(
        f'option "operating_currency" "{currency}"\n' for currency in sorted({currency for _, currency in expected})
    )
    file.writelines(f"{OPENED_ON} open {account}\n" for account in sorted({account for account, _ in expected}))
    count, last = 0, OPENED_ON
    for (entry, entity), postings in groupby(rows, key=lambda row: (row.entry, row.entity)):
        first, *rest = postings
        count, last = count + 1 + len(rest), max(last, first.effective_on)
        _write_transaction(entry, entity, [first, *rest], file)
    file.writelines(
        f"{last + timedelta(days=1)} balance {account} {amount} {currency}\n"
        for (account, currency), amount in sorted(expected.items())
    )
    return count


def _write_transaction(entry: str, entity: str, postings: list[PostingRow], file: TextIO) -> None:
    first = postings[0]
    file.write(f'\n{first.effective_on} * "{_quoted(entity)}" "{_quoted(first.because)}"\n')
    told = {"entry": entry, "event": first.event, "true_on": str(first.true_on), "message": first.message or ""}
    for name in ("customer", "engagement", "project", "lot", "invoice", "payment"):
        told[name] = getattr(first, name)
    for name, value in told.items():
        if value:
            file.write(f'  {name}: "{_quoted(value)}"\n')
    for row in postings:
        file.write(f"  {account_of(row.entity, row.account)}  {row.functional} {row.functional_currency}\n")
        if row.currency != row.functional_currency:
            file.write(f'    transaction: "{row.amount} {row.currency}"\n    rate: "{_quoted(row.rate_id)}"\n')


def _by_account(balances: Iterable[BalanceRow]) -> dict[tuple[str, str], Decimal]:
    """The functional balance of every account, over all transaction currencies."""
    sums: dict[tuple[str, str], Decimal] = {}
    for row in balances:
        key = (account_of(row.entity, row.account), row.functional_currency)
        sums[key] = sums.get(key, Decimal(0)) + row.balance
    return sums


def account_of(entity: str, role: str) -> str:
    """The name of an account in plain-text accounting: ``Assets:DE01:CONTRACT-ASSET``."""
    place = re.sub(r"[^A-Za-z0-9]+", "-", entity).strip("-") or "Entity"
    return f"{class_of(AccountRole(role)).value}:{place[0].upper()}{place[1:]}:{role.replace('_', '-')}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
