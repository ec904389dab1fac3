"""A draft may change until it is approved, and an approved invoice waits to be issued under its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import assert_never

from domain.invoice.document import Document, Header, Holdback, InvoiceLine, Prepayment
from domain.invoice.draft_words import (
    AddLines,
    AdjustLines,
    AllowanceNegative,
    AllowancesStated,
    ApproveInvoice,
    BaseQuantityNotPositive,
    DraftBelowZero,
    DraftEvent,
    DraftInvoice,
    InvoiceApproved,
    InvoiceDrafted,
    InvoiceExists,
    IssueInvoice,
    LinesAdded,
    LinesAdjusted,
    NothingToBill,
    PreparerApproves,
    PrepaymentsStated,
    ReasonMissing,
    StateAllowances,
    StatePrepayments,
    UnknownInvoiceLine,
    UnknownTaxCategory,
    WrittenBelowZero,
)
from domain.invoice.totals import AllowanceCharge, TaxedAdjustment, TaxedNet, document_totals
from domain.money import Money, total, zero


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
    """The release of a draft not below zero, unless its approver had a hand in it and it is above the limit."""
    if draft.net.amount < 0:
        raise DraftBelowZero(f"{draft.invoice} asks for {draft.net}.")
    worth = draft.net if command.gross is None else command.gross
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
    """What the customer keeps back: a percentage of the net of each contract line, rounded once; none below zero."""
    bases: dict[tuple[str, str, Decimal], Money] = {}
    for line in draft.lines:
        if line.holdback_percent:
            key = (draft.header.engagement_of(line), line.contract_line, line.holdback_percent)
            bases[key] = bases.get(key, zero(draft.header.currency)) + line.net
    return tuple(
        Holdback(engagement, line, percent, base, (base * (percent / 100)).rounded())
        for (engagement, line, percent), base in bases.items()
        if base.amount >= 0
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
    return replace(
        line,
        allowances=allowances,
        net=line.item_net + total((each.signed for each in allowances), line.net.currency),
        price=line.price / line.base_quantity * base_quantity,
        base_quantity=base_quantity,
    )
