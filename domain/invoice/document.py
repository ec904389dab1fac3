"""What an invoice says: to whom, for what, at which price, with which reductions, and what is to be paid.

The same words serve the draft, which may still change, and the document as issued, which never does. Codes in brackets
are the business terms and groups of EN 16931.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from domain.invoice.totals import AllowanceCharge
from domain.kernel import StreamId
from domain.lots import Unit
from domain.money import Money, total, zero
from domain.reference.legal_entity import Address, BankAccount
from domain.tax import TaxSubtotal, TaxTreatment

Grouping = Literal["engagement", "customer", "project", "purchase_order"]
"""What one invoice holds: an engagement, all of a customer, one project, or one purchase order."""

Layout = Literal["summary", "detail"]
"""A line for work of the same kind and price, or a line for each lot; the lots are itemised in the annex either way."""


@dataclass(frozen=True, slots=True)
class LotOnInvoice:
    """A lot that a line bills, the stream that holds it, and what the itemised annex prints of it."""

    stream: StreamId
    lot: str
    quantity: Decimal
    value: Money
    work_date: date | None = None
    resource: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Why a line writes another up or down, who decided it, and the share of each lot that it concerns.

    The values of ``lots`` add up to the net of the adjustment line: positive for a write-up, negative for a write-down.
    The lots themselves stay billed at their standard value by the line numbered ``of_line``.
    """

    of_line: int
    reason: str
    by: str
    lots: tuple[LotOnInvoice, ...]


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line: its text, quantity x price / base quantity, its net, and the lots behind it.

    ``net`` includes ``rounding`` and the line's ``allowances``. ``engagement`` is that of the header unless stated.
    ``adjustment`` marks a write-up or write-down, which bills no lots. ``holdback_percent`` of the net is kept back by
    the customer until it is released; ``releases`` is the invoice whose holdback this line asks for. ``treatments``
    are the taxes of the line, known once it is issued.
    """

    line: int
    description: str
    quantity: Decimal
    unit: Unit
    price: Decimal
    net: Money
    project: str
    contract_line: str
    first_work_date: date
    last_work_date: date
    lots: tuple[LotOnInvoice, ...]
    engagement: str = ""
    base_quantity: Decimal = Decimal(1)
    allowances: tuple[AllowanceCharge, ...] = ()
    adjustment: Adjustment | None = None
    holdback_percent: Decimal = Decimal(0)
    tax_category: str = "standard"
    treatments: tuple[TaxTreatment, ...] = ()
    releases: str | None = None

    @property
    def standard_value(self) -> Money:
        """What the lots of the line are worth at their rates, before any adjustment, allowance or charge."""
        return total((lot.value for lot in self.lots), self.net.currency)

    @property
    def item_net(self) -> Money:
        """What it asks for before its own allowances and charges: price x quantity, rounded once."""
        return self.net - total((each.signed for each in self.allowances), self.net.currency)

    @property
    def rounding(self) -> Money:
        """What rounding once adds to its lots, which were each rounded for itself: written up, or down below zero."""
        return self.item_net - self.standard_value if self.lots else zero(self.net.currency)


@dataclass(frozen=True, slots=True)
class BillToShare:
    """The part of split work that one of several customers is billed: so many percent, as draft ``part`` of ``of``."""

    split: str
    percent: Decimal
    part: int
    of: int


@dataclass(frozen=True, slots=True)
class Header:
    """Whose invoice it is, to whom, for what and up to which day.

    ``engagement`` is the first of ``engagements``, which are all those that the invoice bills. ``customer`` is who
    owes it. ``key`` is what it was grouped by: the id of the engagement, customer or project, or the order's number.
    """

    engagement: str
    customer: str
    selling_entity: str
    currency: str
    purchase_order: str | None
    cut_off: date
    prepared_by: str
    grouping: Grouping = "engagement"
    key: str = ""
    engagements: tuple[str, ...] = ()
    layout: Layout = "summary"
    share: BillToShare | None = None

    def engagement_of(self, line: InvoiceLine) -> str:
        """The engagement that a line bills."""
        return line.engagement or self.engagement

    @property
    def all_engagements(self) -> tuple[str, ...]:
        """All engagements that the invoice bills."""
        return self.engagements or (self.engagement,)


@dataclass(frozen=True, slots=True)
class Party:
    """A seller or buyer as printed."""

    id: str
    name: str
    address: Address
    tax_id: str | None


@dataclass(frozen=True, slots=True)
class Prepayment:
    """Money on account of the customer that the invoice takes into account when it is issued (BT-113)."""

    payment: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Holdback:
    """What the customer keeps back of one contract line on this invoice: so many percent of its net."""

    engagement: str
    contract_line: str
    percent: Decimal
    base: Money
    amount: Money


@dataclass(frozen=True, slots=True)
class Document:
    """The invoice as issued, for ever. ``fx_rate`` is units of the functional currency for one of the invoice's.

    ``net`` is the sum of the line nets, less allowances on the document and plus charges (both in ``allowances``);
    ``gross`` is ``net`` with tax. Of it, ``holdbacks`` are kept back and ``prepayments`` were paid before; the rest is
    ``payable`` on the due day, after ``payable_rounding`` where money is paid in larger steps (BT-114, BT-115).
    """

    number: str
    issued_on: date
    due_on: date
    seller: Party
    buyer: Party
    header: Header
    lines: tuple[InvoiceLine, ...]
    taxes: tuple[TaxSubtotal, ...]
    net: Money
    tax: Money
    gross: Money
    functional_currency: str
    fx_rate: Decimal
    allowances: tuple[AllowanceCharge, ...] = ()
    holdbacks: tuple[Holdback, ...] = ()
    prepayments: tuple[Prepayment, ...] = ()
    payable_rounding: Money | None = None
    terms: str = ""
    language: str = "en"
    bank: BankAccount | None = None

    @property
    def holdback(self) -> Money:
        """What is kept back until it is released."""
        return total((each.amount for each in self.holdbacks), self.gross.currency)

    @property
    def prepaid(self) -> Money:
        """What was paid before the invoice was issued."""
        return total((each.amount for each in self.prepayments), self.gross.currency)

    @property
    def receivable(self) -> Money:
        """What the customer owes by the due day, prepayments included."""
        return self.gross + (self.payable_rounding or zero(self.gross.currency)) - self.holdback

    @property
    def payable(self) -> Money:
        """What is asked for on the due day (BT-115)."""
        return self.receivable - self.prepaid
