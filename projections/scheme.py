"""The tables of a generation: which there are, how they come to be, and what tells one making of them from another."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from projections.eligibility.items import ITEMS
from projections.eligibility.sums import ITEM_SUMS, REASON_SUMS
from projections.exceptions.fold import EXCEPTIONS
from projections.finance.fold import ACCOUNT_MAPPINGS, AGREEMENTS, FX_POLICIES, FX_RATES, PERIODS
from projections.history.timeline_fold import TIMELINE
from projections.intercompany.fold import INTERCOMPANY_INVOICES, TRANSFERS
from projections.invoices.credit_notes_fold import CREDIT_NOTES
from projections.invoices.fold import INVOICE_PAYMENTS, INVOICE_SUMS, INVOICES
from projections.invoices.payments_fold import PAYMENTS
from projections.journal.tables import BALANCES, CHARGES, EXPENSES, LINES, LOTS, OPEN, POSTINGS
from projections.margin.fold import MARGINS
from projections.registers.fold import CUSTOMERS, ENGAGEMENTS, ENTITIES, PROJECTS
from projections.registers.people import RESOURCES
from projections.registers.timesheets_fold import ENTRIES, SHEETS
from projections.row_security import policy
from projections.systems.sources import SOURCES
from projections.systems.sync_fold import SYNC_SUMS, SYNCS
from projections.tables import Table

_FOLDER: Final = Path(__file__).parent
_FILES: Final = (
    "registers/registers.sql",
    "registers/people.sql",
    "registers/timesheets.sql",
    "invoices/invoices.sql",
    "invoices/credit_notes.sql",
    "eligibility/billing_eligibility.sql",
    "journal/journal.sql",
    "margin/margin.sql",
    "systems/sync_status.sql",
    "exceptions/exceptions.sql",
    "history/timeline.sql",
    "systems/sources.sql",
    "finance/finance.sql",
    "intercompany/intercompany.sql",
)
_INDEXES: Final = "-- indexes\n"
"""What stands behind this line in a file is made when a generation has been filled, which is much quicker."""

TABLES: Final[tuple[Table[Any], ...]] = (
    ENGAGEMENTS,
    PROJECTS,
    CUSTOMERS,
    ENTITIES,
    RESOURCES,
    ENTRIES,
    SHEETS,
    INVOICES,
    INVOICE_SUMS,
    CREDIT_NOTES,
    PAYMENTS,
    INVOICE_PAYMENTS,
    POSTINGS,
    BALANCES,
    OPEN,
    LINES,
    LOTS,
    EXPENSES,
    CHARGES,
    ITEMS,
    ITEM_SUMS,
    REASON_SUMS,
    MARGINS,
    SYNCS,
    SYNC_SUMS,
    EXCEPTIONS,
    TIMELINE,
    SOURCES,
    PERIODS,
    FX_RATES,
    FX_POLICIES,
    ACCOUNT_MAPPINGS,
    AGREEMENTS,
    TRANSFERS,
    INTERCOMPANY_INVOICES,
)
"""Every table of a generation."""


@cache
def tables_sql() -> str:
    """What makes the tables of an empty generation."""
    return "\n".join(text.partition(_INDEXES)[0] for text in _texts())


@cache
def indexes_sql() -> str:
    """What makes the indexes that only queries need."""
    return "\n".join(text.partition(_INDEXES)[2] for text in _texts())


@cache
def policies_sql() -> str:
    """What lets a view of less than the whole firm see its rows alone, in each table."""
    return "".join(policy(table.name, table.shown) for table in TABLES)


@cache
def shape() -> str:
    """The version of the tables: a generation of another shape cannot be asked by this program."""
    return hashlib.sha256("\n".join([*_texts(), policies_sql()]).encode()).hexdigest()[:16]


@cache
def code_version() -> str:
    """The version of everything that a fold depends on: the read models and the domain.

    A generation that another version has made is made anew beside it, and then replaced.
    """
    digest = hashlib.sha256()
    for folder in (_FOLDER, _FOLDER.parent / "domain"):
        for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.sql")]):
            digest.update(path.relative_to(folder.parent).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _texts() -> list[str]:
    return [(_FOLDER / name).read_text(encoding="utf-8") for name in _FILES]
