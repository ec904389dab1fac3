"""What a contract itself lets be billed, a milestone, an instalment, a month of service, becomes a lot of one item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from domain.contract import ContractLine, LineVersion
from domain.lots import ENDED, Explanation, Lot, LotBook, next_lot_id
from domain.money import Money, total, zero
from domain.periods import valid_on


@dataclass(frozen=True, slots=True)
class Agreement:
    """Who sells to whom under which engagement, in which currency: what every lot of a contract says."""

    engagement: str
    customer: str
    selling_entity: str
    currency: str


@dataclass(frozen=True, slots=True)
class Promised:
    """One thing that a contract line lets be billed: its name within the line, its day, amount and words.

    ``known_at`` is when the ledger was told; ``project`` the project that it belongs to, if the contract names one.
    """

    name: str
    day: date
    amount: Money
    title: str
    because: str
    known_at: datetime
    project: str = ""


def source_of_promise(agreement: Agreement, line: str, name: str) -> str:
    """The source of a contract's own lot: ``E-1/L2/M1``."""
    return f"{agreement.engagement}/{line}/{name}"


def promised_lot(agreement: Agreement, line: ContractLine, promised: Promised, book: LotBook) -> Lot:
    """The lot of a promise that has come to be billed, under the next free id of its source."""
    source = source_of_promise(agreement, line.line, promised.name)
    nothing, whole = zero(agreement.currency), promised.amount.rounded()
    return Lot(
        lot=next_lot_id(book, source),
        source=source,
        project=promised.project,
        engagement=agreement.engagement,
        line=line.line,
        customer=agreement.customer,
        selling_entity=agreement.selling_entity,
        delivering_entity=agreement.selling_entity,
        work_date=promised.day,
        quantity=Decimal(1),
        unit="item",
        price=promised.amount.amount,
        value=promised.amount if promised.amount == whole else whole,  # as it was told, where it is of whole cents
        cost=nothing,
        cost_in_billing_currency=nothing,
        approved_at=promised.known_at,
        explanation=Explanation(promised.title, promised.because),
        description=promised.title,
        tax_category=line.tax_category,
    )


def rated_so_far(agreement: Agreement, line: str, book: LotBook, name: str = "") -> Money:
    """The value of what a line's contract has let be billed, all of it or one item with what was added to it later.

    It counts whatever has become of it since, and what was moved elsewhere once, at home.
    """
    source = source_of_promise(agreement, line, name)
    mine = (
        held.lot.value
        for held in book.values()
        if held.status not in ENDED and held.lot.transferred_from is None and _is_of(held.lot.source, source, name)
    )
    return total(mine, agreement.currency)


def _is_of(source: str, item: str, name: str) -> bool:
    return source == item or source.startswith(f"{item}." if name else item)


def free_name(agreement: Agreement, line: str, name: str, book: LotBook) -> str:
    """Each difference is an item of its own: ``progress/2026-03-31``, then ``progress/2026-03-31.2``."""
    source = source_of_promise(agreement, line, name)
    known = {held.lot.source for held in book.values()}
    again = sum(1 for each in known if each == source or each.startswith(f"{source}."))
    return f"{name}.{again + 1}" if again else name


def version_on(versions: Sequence[LineVersion], day: date) -> ContractLine | None:
    """The version of a line in force on a day; before the first one, the first."""
    found = valid_on(versions, day)
    if found is not None:
        return found.line
    return versions[0].line if versions else None
