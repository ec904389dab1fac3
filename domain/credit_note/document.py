"""What a credit note says: lines and lots of an invoice, with their reductions and taxes, and what is owed less."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from domain.invoice.document import Header, Party
from domain.invoice.totals import AllowanceCharge
from domain.kernel import StreamId, stream_of
from domain.lots import Disposition, Unit
from domain.money import Money
from domain.tax import TaxSubtotal, TaxTreatment

CreditForm = Literal["381", "380"]
"""The type of document (UNTDID 1001): a credit note, or an invoice with negative amounts."""


def credit_note_stream(credit_note: str) -> StreamId:
    """The history of one credit note, from its draft on: ``credit_note:<id>``. The number comes later."""
    return stream_of("credit_note", credit_note)


@dataclass(frozen=True, slots=True)
class RebillTo:
    """Where credited work is billed instead: a line of an engagement, and who pays, by default its customer."""

    engagement: str
    line: str
    customer: str | None = None
    project: str = ""


@dataclass(frozen=True, slots=True)
class LotOnCreditNote:
    """How much of a lot is credited, at its standard value, what becomes of it, and what the annex prints of it."""

    stream: StreamId
    lot: str
    quantity: Decimal
    value: Money
    disposition: Disposition
    rebill_to: RebillTo | None = None
    work_date: date | None = None
    resource: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class CreditedLine:
    """What is given back of one line of the invoice.

    ``net`` includes the line's share of its own allowances. ``taxes`` are the tax of each of ``treatments``, rounded,
    so that all credits of a line together come to its tax and no more. ``completes``: nothing of the line is left.
    A line that takes back a write-up or write-down (``of_adjustment``) bills no lots: its sign is that of the line.
    ``asked`` is the amount that was asked for, before those allowances; None where lots or quantities were.
    ``rounding`` is what is given back of the invoice line's rounding, beyond the values of the lots.
    """

    line: int
    of_line: int
    description: str
    quantity: Decimal
    unit: Unit
    price: Decimal
    net: Money
    treatments: tuple[TaxTreatment, ...]
    taxes: tuple[Money, ...]
    lots: tuple[LotOnCreditNote, ...]
    engagement: str
    project: str
    contract_line: str
    first_work_date: date
    last_work_date: date
    completes: bool
    of_adjustment: bool = False
    holdback: Money | None = None
    asked: Money | None = None
    rounding: Money | None = None


@dataclass(frozen=True, slots=True)
class CreditedAllowance:
    """What is taken back of an allowance or charge on the whole invoice, with its tax."""

    of_allowance: int
    adjustment: AllowanceCharge
    treatments: tuple[TaxTreatment, ...]
    taxes: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class Credit:
    """What a credit note says; all amounts are what is given back. ``fx_rate`` is that of the invoice.

    ``net`` with ``tax`` is ``gross``. Of it ``holdback`` was kept back by the customer and never asked for;
    ``rounding`` takes back the rounding of the amount due where the invoice is credited whole.
    """

    invoice: str
    invoice_number: str
    invoice_issued_on: date
    form: CreditForm
    reason: str
    seller: Party
    buyer: Party
    header: Header
    lines: tuple[CreditedLine, ...]
    allowances: tuple[CreditedAllowance, ...]
    taxes: tuple[TaxSubtotal, ...]
    net: Money
    tax: Money
    gross: Money
    holdback: Money
    functional_currency: str
    fx_rate: Decimal
    rounding: Money | None = None

    @property
    def payable(self) -> Money:
        """What the customer owes less."""
        return self.gross - self.holdback + self.rounding if self.rounding else self.gross - self.holdback
