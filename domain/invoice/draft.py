"""A draft may change until it is approved, and an approved invoice waits to be issued under its number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import assert_never

from domain.invoice.document import Document, Header, Holdback, InvoiceLine, Party, Prepayment
from domain.invoice.totals import AllowanceCharge, TaxedAdjustment, TaxedNet, document_totals
from domain.kernel import Refused
from domain.money import Money, total, zero
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


@dataclass(frozen=True, slots=True)
class Nothing:
    """Before the draft."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice that may still change; ``also_prepared_by`` are those who changed it after its first preparer."""

    invoice: str
    header: Header
    lines: tuple[InvoiceLine, ...]
    allowances: tuple[AllowanceCharge, ...] = ()
    prepayments: tuple[Prepayment, ...] = ()
    also_prepared_by: frozenset[str] = frozenset()

    @property
    def net(self) -> Money:
        """What it asks for before tax."""
        of_lines = total((line.net for line in self.lines), self.header.currency)
        return of_lines + total((each.signed for each in self.allowances), self.header.currency)

    @property
    def preparers(self) -> frozenset[str]:
        """All who had a hand in it."""
        return self.also_prepared_by | {self.header.prepared_by}

    def line(self, number: int) -> InvoiceLine:
        """A line by its number, or UnknownInvoiceLine."""
        found = next((line for line in self.lines if line.line == number), None)
        if found is None:
            raise UnknownInvoiceLine(f"{self.invoice} has no line {number}.")
        return found


@dataclass(frozen=True, slots=True)
class Approved:
    """An invoice that may be issued and no longer changes."""

    draft: Draft
    by: str


@dataclass(frozen=True, slots=True)
class Discarded:
    """A draft that was given up."""

    draft: Draft


def draft_new(command: DraftInvoice, state: object) -> Sequence[InvoiceDrafted]:
    """The draft of a command, unless it is there already."""
    if state == Draft(command.invoice, command.header, command.lines):
        return []
    if not isinstance(state, Nothing):
        raise InvoiceExists(command.invoice)
    if not command.lines:
        raise NothingToBill
    return [InvoiceDrafted(command.invoice, command.header, command.lines)]


def change_draft(
    command: AddLines | AdjustLines | StateAllowances | StatePrepayments, draft: Draft
) -> Sequence[LinesAdded | LinesAdjusted | AllowancesStated | PrepaymentsStated]:
    """What a command changes about a draft."""
    match command:
        case AddLines(lines, by):
            fresh = _unknown(lines, draft)
            return [LinesAdded(fresh, by)] if fresh else []
        case AdjustLines(lines, by):
            fresh = _unknown(lines, draft)
            _require_reasons(fresh, draft)
            return [LinesAdjusted(fresh, by)] if fresh else []
        case StateAllowances(line, allowances, by, base_quantity):
            return _state_allowances(line, allowances, by, base_quantity, draft)
        case StatePrepayments(prepayments):
            return [] if prepayments == draft.prepayments else [PrepaymentsStated(prepayments)]
        case _:
            assert_never(command)


def _unknown(lines: Sequence[InvoiceLine], draft: Draft) -> tuple[InvoiceLine, ...]:
    known = {line.line for line in draft.lines}
    return tuple(line for line in lines if line.line not in known)


def _require_reasons(lines: Sequence[InvoiceLine], draft: Draft) -> None:
    for line in lines:
        if line.adjustment is None or not line.adjustment.reason.strip():
            raise ReasonMissing(f"Line {line.line}.")
        worth = draft.line(line.adjustment.of_line).net
        written = total(
            (
                each.net
                for each in (*draft.lines, *lines)
                if each.adjustment and each.adjustment.of_line == line.adjustment.of_line
            ),
            worth.currency,
        )
        if worth.amount >= 0 and worth + written < zero(worth.currency):
            raise WrittenBelowZero(f"Line {line.adjustment.of_line} is {worth}, {-written} would be written down.")


def _state_allowances(
    number: int | None, allowances: tuple[AllowanceCharge, ...], by: str, base_quantity: Decimal, draft: Draft
) -> Sequence[AllowancesStated]:
    for each in allowances:
        if not (each.reason.strip() or each.reason_code):
            raise ReasonMissing(f"{each.kind} of {each.amount}.")
        if each.amount < zero(draft.header.currency):
            raise AllowanceNegative(f"{each.kind} of {each.amount}.")
    if base_quantity <= 0:
        raise BaseQuantityNotPositive(str(base_quantity))
    if number is None:
        _require_categories(allowances, draft)
        change = _sum_of(allowances, draft) - _sum_of(draft.allowances, draft)
        return [] if allowances == draft.allowances else [AllowancesStated(None, allowances, by, change)]
    line = draft.line(number)
    if (line.allowances, line.base_quantity) == (allowances, base_quantity):
        return []
    change = _sum_of(allowances, draft) - _sum_of(line.allowances, draft)
    return [AllowancesStated(number, allowances, by, change, base_quantity)]


def _sum_of(allowances: Sequence[AllowanceCharge], draft: Draft) -> Money:
    return total((each.signed for each in allowances), draft.header.currency)


def _require_categories(allowances: Sequence[AllowanceCharge], draft: Draft) -> None:
    known = {line.tax_category for line in draft.lines}
    for each in allowances:
        if each.tax_category not in known:
            raise UnknownTaxCategory(f"{each.tax_category}; the lines have {', '.join(sorted(known))}.")


def approve(command: ApproveInvoice, draft: Draft) -> Sequence[InvoiceApproved]:
    """The release of a draft, unless its approver had a hand in it and it is above the limit."""
    worth = command.gross or draft.net
    if command.by in draft.preparers and command.limit < worth:
        raise PreparerApproves(f"{command.by} prepared {worth}; the limit is {command.limit}.")
    return [InvoiceApproved(command.by, command.at)]


def document_of(command: IssueInvoice, draft: Draft) -> Document:
    """The document that an approved draft becomes."""
    currency = draft.header.currency
    lines = tuple(replace(line, treatments=command.treatments[line.line]) for line in draft.lines)
    by_category = {line.tax_category: line.treatments for line in reversed(lines)}
    totals = document_totals(
        [TaxedNet(line.net, line.treatments) for line in lines],
        currency,
        adjustments=[TaxedAdjustment(each, by_category[each.tax_category]) for each in draft.allowances],
        rounding=command.rounding,
    )
    return Document(
        number=command.number,
        issued_on=command.issued_on,
        due_on=command.due_on,
        seller=command.seller,
        buyer=command.buyer,
        header=draft.header,
        lines=lines,
        taxes=totals.taxes,
        net=totals.net,
        tax=totals.tax,
        gross=totals.gross,
        functional_currency=command.functional_currency,
        fx_rate=command.fx_rate,
        allowances=draft.allowances,
        holdbacks=holdbacks_of(draft),
        prepayments=draft.prepayments,
        payable_rounding=totals.payable_rounding or None,
        bank=command.bank,
    )


def holdbacks_of(draft: Draft) -> tuple[Holdback, ...]:
    """What the customer keeps back: a percentage of the net of each contract line, rounded once."""
    bases: dict[tuple[str, str, Decimal], Money] = {}
    for line in draft.lines:
        if line.holdback_percent:
            key = (draft.header.engagement_of(line), line.contract_line, line.holdback_percent)
            bases[key] = bases.get(key, zero(draft.header.currency)) + line.net
    return tuple(
        Holdback(engagement, line, percent, base, (base * (percent / 100)).rounded())
        for (engagement, line, percent), base in bases.items()
    )


def evolve_draft(draft: Draft, event: DraftEvent) -> Draft:
    """The draft after one event that changed it."""
    match event:
        case LinesAdded(lines, by) | LinesAdjusted(lines, by):
            return replace(
                draft, lines=(*draft.lines, *lines), also_prepared_by=draft.also_prepared_by | ({by} if by else set())
            )
        case AllowancesStated(number, allowances, by, _, base_quantity):
            preparers = draft.also_prepared_by | {by}
            if number is None:
                return replace(draft, allowances=allowances, also_prepared_by=preparers)
            lines = tuple(
                with_allowances(line, allowances, base_quantity) if line.line == number else line
                for line in draft.lines
            )
            return replace(draft, lines=lines, also_prepared_by=preparers)
        case PrepaymentsStated(prepayments):
            return replace(draft, prepayments=prepayments)
        case _:
            return draft


def with_allowances(
    line: InvoiceLine, allowances: tuple[AllowanceCharge, ...], base_quantity: Decimal = Decimal(1)
) -> InvoiceLine:
    """A line with other allowances and charges, priced for another number of units; the goods stay what they were."""
    currency = line.net.currency
    bare = line.net - total((each.signed for each in line.allowances), currency)
    return replace(
        line,
        allowances=allowances,
        net=bare + total((each.signed for each in allowances), currency),
        price=line.price / line.base_quantity * base_quantity,
        base_quantity=base_quantity,
    )
