"""The tables of the journal: postings, balances, what is open, and what lines and lots have earned and cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from projections.row_security import OF_ENTITY, of_entity, shown_with
from projections.tables import Table


class PostingRecord(NamedTuple):
    """One row of ``posting``; there are more of them than of anything else, and none is ever changed."""

    posting: str
    entry: str
    event: str
    event_name: str
    because: str
    entity: str
    account: str
    counterparty: str
    customer: str
    engagement: str
    line: str
    project: str
    lot: str
    invoice: str
    payment: str
    period: str
    effective_on: date
    true_on: date
    currency: str
    amount: Decimal
    functional_currency: str
    functional: Decimal
    reporting_currency: str
    reporting: Decimal | None
    rate_id: str
    reporting_rate_id: str
    message: str | None
    recorded_at: datetime


@dataclass(slots=True)
class BalanceRecord:
    """One row of ``journal_balance``: what the postings of a month, or of a day, come to."""

    grain: str
    span: str
    entity: str
    account: str
    currency: str
    functional_currency: str
    reporting_currency: str
    postings: int
    unreported: int
    amount: Decimal
    debit: Decimal
    credit: Decimal
    functional: Decimal
    reporting: Decimal


@dataclass(slots=True)
class OpenRecord:
    """One row of ``journal_open``; ``rate`` is the one at which the balance began.

    ``waits_since`` is the day of a receipt for whose currency no rate was ever published: nothing of it is posted but
    what it settles.
    """

    kind: str
    name: str
    entity: str
    customer: str
    engagement: str
    currency: str
    functional_currency: str
    rate: Decimal
    rate_id: str
    amount: Decimal
    functional: Decimal
    is_foreign: bool
    waits_since: date | None


@dataclass(slots=True)
class LineRecord:
    """One row of ``journal_line``: what a contract line has earned, billed, taken and cost so far.

    ``adjusted`` is the part of ``recognised`` that comes on top of the price or off it: write-ups and write-downs,
    service credits, and expenses that are passed on beside a price that is earned apart. ``breakage`` is the part by
    rights that customers will not use. ``running`` lines earn with the days that pass. The ``basis`` is what counted,
    and what was done, when a change order began a new contract (IFRS 15.21(a)). The ``estimate`` is what the whole is
    expected to take, in hours or in cost; its measure is empty where nobody has said.
    """

    engagement: str
    line: str
    entity: str
    currency: str
    method: str
    price: Decimal | None
    recognised: Decimal
    adjusted: Decimal
    billed: Decimal
    hours: Decimal
    cost: Decimal
    over_cap: Decimal
    provision: Decimal
    breakage: Decimal
    running: bool
    recognised_through: date | None
    basis_since: date | None
    basis_recognised: Decimal | None
    basis_done: Decimal | None
    basis_left: Decimal | None
    basis_price: Decimal | None
    estimate_measure: str
    estimate: Decimal | None


@dataclass(slots=True)
class LotRecord:
    """One row of ``journal_lot``: what a lot has earned and cost; ``earns`` is false for billing items and fixed fees.

    ``open`` lots want to be billed: they share out what the caps leave, in the order of work date, ``approved_at`` and
    lot. ``cost`` is in the currency of those who work,
    ``line_cost`` in that of the engagement as far as it is progress of its line: what is passed on beside a price is
    none. A lot that is ``waiting`` for an exchange rate is not posted yet; one that is ``held_back`` would earn, had
    the approver let it be billed.
    """

    stream: str
    lot: str
    engagement: str
    line: str
    customer: str
    project: str
    entity: str
    delivering_entity: str
    resource: str
    work_date: date
    approved_at: datetime
    open: bool
    account: str
    earns: bool
    is_agent: bool
    hours: Decimal
    currency: str
    value: Decimal
    recognised: Decimal
    functional_recognised: Decimal
    cost_currency: str
    cost: Decimal
    line_cost: Decimal
    tax: Decimal
    cost_rate: Decimal | None
    cost_rate_id: str
    waiting: bool
    held_back: bool

    @property
    def over_cap(self) -> Decimal:
        """The part of its value that does not earn, for want of room under a cap."""
        return self.value - self.recognised if self.earns and not self.waiting else Decimal(0)


@dataclass(slots=True)
class ExpenseRecord:
    """One row of ``journal_expense``: the tax of an expense that the firm gets back."""

    stream: str
    line: str
    tax: Decimal


@dataclass(slots=True)
class ChargeRecord:
    """One row of ``journal_charge``: what a lot is charged for between practices of one entity, as it was posted.

    One that is ``waiting`` for an exchange rate is not posted yet.
    """

    stream: str
    lot: str
    entity: str
    lender: str
    borrower: str
    customer: str
    engagement: str
    line: str
    project: str
    work_date: date
    currency: str
    amount: Decimal
    functional_currency: str
    functional: Decimal
    rate_id: str
    waiting: bool


POSTINGS: Final = Table("posting", PostingRecord, ("posting",), shown=OF_ENTITY)
BALANCES: Final = Table(
    "journal_balance",
    BalanceRecord,
    ("grain", "span", "entity", "account", "currency", "functional_currency", "reporting_currency"),
    shown=OF_ENTITY,
)
OPEN: Final = Table("journal_open", OpenRecord, ("kind", "name"), shown=OF_ENTITY)
LINES: Final = Table("journal_line", LineRecord, ("engagement", "line"), shown=OF_ENTITY)
LOTS: Final = Table("journal_lot", LotRecord, ("stream", "lot"), shown=of_entity("entity", "delivering_entity"))
EXPENSES: Final = Table(
    "journal_expense", ExpenseRecord, ("stream", "line"), shown=shown_with("entry", stream="stream", entry="line")
)
CHARGES: Final = Table("journal_charge", ChargeRecord, ("stream", "lot"), shown=OF_ENTITY)
