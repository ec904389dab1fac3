"""What can be asked of a draft, what can happen to it, and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from domain.invoice.document import Document, Header, InvoiceLine, Party, Prepayment
from domain.invoice.totals import AllowanceCharge
from domain.kernel import Refused
from domain.money import Money
from domain.reference.legal_entity import BankAccount
from domain.reference.tax_pack import RoundingPolicy
from domain.tax import DEFAULT_ROUNDING, TaxTreatment


@dataclass(frozen=True, slots=True)
class DraftInvoice:
    """Make a draft of lots that are reserved in the same transaction."""

    invoice: str
    header: Header
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class AddLines:
    """Let late lots join a draft."""

    lines: tuple[InvoiceLine, ...]
    by: str = ""


@dataclass(frozen=True, slots=True)
class AdjustLines:
    """Write lines of a draft up or down by adjustment lines, each with its reason and the lots it concerns."""

    lines: tuple[InvoiceLine, ...]
    by: str


@dataclass(frozen=True, slots=True)
class StateAllowances:
    """State all allowances and charges of one line, or of the document when no line is named.

    ``base_quantity``: how many units the printed price of the line is for (BT-149).
    """

    line: int | None
    allowances: tuple[AllowanceCharge, ...]
    by: str
    base_quantity: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class StatePrepayments:
    """State which money on account the invoice takes into account when it is issued."""

    prepayments: tuple[Prepayment, ...]


@dataclass(frozen=True, slots=True)
class DiscardDraft:
    """Give up a draft; its lots are released in the same transaction."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class ApproveInvoice:
    """Release a draft for issue; ``limit`` of the entity is for ``gross``, which is None while its tax is unknown."""

    by: str
    at: datetime
    limit: Money
    gross: Money | None = None


@dataclass(frozen=True, slots=True)
class IssueInvoice:
    """Issue an approved invoice under the number that is taken in the same transaction.

    ``treatments`` are the taxes of each line, by its number.
    """

    number: str
    issued_on: date
    due_on: date
    seller: Party
    buyer: Party
    treatments: Mapping[int, tuple[TaxTreatment, ...]]
    functional_currency: str
    fx_rate: Decimal
    rounding: RoundingPolicy = DEFAULT_ROUNDING
    bank: BankAccount | None = None


@dataclass(frozen=True, slots=True)
class InvoiceDrafted:
    """A draft was made of lots that were reserved with it."""

    invoice: str
    header: Header
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class LinesAdded:
    """Late lots joined a draft."""

    lines: tuple[InvoiceLine, ...]
    by: str = ""


@dataclass(frozen=True, slots=True)
class LinesAdjusted:
    """Lines of a draft were written up or down by adjustment lines."""

    lines: tuple[InvoiceLine, ...]
    by: str


@dataclass(frozen=True, slots=True)
class AllowancesStated:
    """The allowances and charges of one line, or of the document, were stated: that adds ``change`` to the net."""

    line: int | None
    allowances: tuple[AllowanceCharge, ...]
    by: str
    change: Money
    base_quantity: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class PrepaymentsStated:
    """It was stated which money on account the invoice takes into account."""

    prepayments: tuple[Prepayment, ...]


@dataclass(frozen=True, slots=True)
class DraftDiscarded:
    """A draft was given up."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class InvoiceApproved:
    """A draft was released for issue."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class InvoiceIssued:
    """The invoice was issued under its number, as a snapshot."""

    invoice: str
    document: Document


class InvoiceNotFound(Refused):
    """There is no such invoice."""

    code = "invoice.not_found"
    fix = "Check the invoice id; drafts are made by requestInvoice."


class NothingToBill(Refused):
    """An invoice needs at least one line."""

    code = "invoice.nothing_to_bill"
    fix = "Ask billingEligibility why the lots of the engagement are not eligible."


class InvoiceExists(Refused):
    """The invoice id is taken by another draft."""

    code = "invoice.exists"
    fix = "Use a new invoice id."


class NotADraft(Refused):
    """Only a draft can be changed, discarded or approved."""

    code = "invoice.not_a_draft"
    fix = "Correct an issued invoice by a credit note."


class NotApproved(Refused):
    """Only an approved invoice can be issued."""

    code = "invoice.not_approved"
    fix = "Approve the draft first."


class PreparerApproves(Refused):
    """Nobody approves an invoice that they prepared above the entity's limit."""

    code = "invoice.preparer_approves"
    fix = "Let another finance approver approve it."


class UnknownInvoiceLine(Refused):
    """The draft has no such line."""

    code = "invoice.unknown_line"
    fix = "Use the number of one of the draft's lines."


class NoWorkOnLine(Refused):
    """Write-ups, write-downs, allowances and charges belong to lines that bill work, not to corrections or releases."""

    code = "invoice.no_work_on_line"
    fix = "Name the line of the work; what was kept back is released in another amount by another draft."


class ReasonMissing(Refused):
    """A write-up, write-down, allowance or charge is printed with its reason."""

    code = "invoice.reason_missing"
    fix = "Give the reason that the customer and auditors will read."


class UnknownTaxCategory(Refused):
    """An allowance or charge of a document is taxed like one of its lines."""

    code = "invoice.unknown_tax_category"
    fix = "Use the tax category of the lines that the allowance or charge belongs to."


class WrittenBelowZero(Refused):
    """A line is written down to nothing at most."""

    code = "invoice.written_below_zero"
    fix = "Write down less, or leave the lots out and write them off."


class DraftBelowZero(Refused):
    """An invoice asks for nothing at least; what is less is given back by a credit note."""

    code = "invoice.below_zero"
    fix = "Let further work join the draft, or discard it and credit the invoice that billed what was given back."


class AllowanceNegative(Refused):
    """An allowance or charge is not below zero; which of the two it is says in which direction it goes."""

    code = "invoice.allowance_negative"
    fix = "Send a negative allowance as a charge, and a negative charge as an allowance."


class BaseQuantityNotPositive(Refused):
    """A price is for a quantity above zero."""

    code = "invoice.base_quantity_not_positive"
    fix = "Send the number of units that the price is for, usually 1."


DraftEvent = (
    InvoiceDrafted
    | LinesAdded
    | LinesAdjusted
    | AllowancesStated
    | PrepaymentsStated
    | DraftDiscarded
    | InvoiceApproved
    | InvoiceIssued
)
DraftCommand = (
    DraftInvoice
    | AddLines
    | AdjustLines
    | StateAllowances
    | StatePrepayments
    | DiscardDraft
    | ApproveInvoice
    | IssueInvoice
)
