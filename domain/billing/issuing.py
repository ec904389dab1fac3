"""Billing takes a draft on: adjusted, approved, issued under its number, or discarded, each in one transaction.

The functions return the commands for every aggregate that is touched; recorded together or not at all, they make it
impossible that a cap is passed, that a lot is billed twice, or that a number is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from domain.billing.billable import context_of
from domain.billing.claims import by_stream, claims_of
from domain.billing.drafting import draft_invoice
from domain.billing_limit import ReleaseLimit, billing_limit_stream
from domain.conversion import fx_rate
from domain.engagement import ReleaseBilling
from domain.invoice import (
    AdjustLines,
    Adjustment,
    AllowanceCharge,
    Approved,
    ApproveInvoice,
    DiscardDraft,
    Document,
    Draft,
    InvoiceLine,
    InvoiceNotFound,
    Issued,
    IssueInvoice,
    NotApproved,
    Nothing,
    NoWorkOnLine,
    Party,
    Prepayment,
    ReleaseHoldback,
    StateAllowances,
    StatePrepayments,
    TakePayment,
    decider,
    document_of,
    invoice_stream,
    with_allowances,
)
from domain.invoice.draft_words import NotADraft
from domain.kernel import Addressed, Refused, stream_of
from domain.lots import BillLots, ReleaseLots
from domain.money import Money, shared
from domain.number_series import TakeNumber, series_stream
from domain.payment import (
    AboveOnAccount,
    ApplyPayment,
    Payment,
    PaymentOfOtherEntity,
    PaymentUnknown,
    ReceiptCurrencyDiffers,
    payment_stream,
)
from domain.ports import Read, customer_of, engagement_of, entity_of, invoice_of, tax_rules_of
from domain.reference.customer import Customer
from domain.reference.fx_rate import converted
from domain.reference.legal_entity import LegalEntityTerms
from domain.tax import TaxDecision, TaxedAs, TaxGap, TaxTreatment, decide_tax

__all__ = [
    "adjust_line",
    "approve_invoice",
    "context_of",
    "discard_draft",
    "draft_invoice",
    "draft_of",
    "issue_invoice",
    "preview",
    "previewed",
    "state_allowances",
    "state_prepayments",
]


NOT_TAXED_AGAIN: Final = TaxTreatment("O", Decimal(0), "Tax was charged by the invoice that it was kept back of.")
"""How what was kept back is taxed by the invoice of its own that asks for it."""


class TaxUndetermined(Refused):
    """No tax rule says how this customer's services are taxed."""

    code = "billing.tax_undetermined"
    fix = "State the tax rule for the customer's country, or complete the customer's tax id."


class CustomerTaxIdInvalid(Refused):
    """An invoice is not issued with a tax id of the customer that was found invalid."""

    code = "billing.customer_tax_id_invalid"
    fix = "Correct the customer's tax id in the CRM."


class BillToMissing(Refused):
    """An invoice cannot be issued without the customer's billing address."""

    code = "billing.bill_to_missing"
    fix = "Complete street, city and country of the customer in the CRM."


class EntityNotDefined(Refused):
    """The selling legal entity has no terms on that day."""

    code = "billing.entity_not_defined"
    fix = "Define the legal entity from an earlier day."


def adjust_line(
    read: Read, invoice: str, of_line: int, amount: Money, reason: str, by: str, lots: Sequence[str] = ()
) -> list[Addressed]:
    """The commands that write a line up (a positive amount) or down by a line of its own, and keep within its cap.

    ``lots`` are those of the line that it concerns, by default all; each bears a part by its value, to the cent.
    """
    draft = draft_of(read, invoice)
    line = _line_of_work(draft, of_line)
    concerned = [part for part in line.lots if not lots or part.lot in lots]
    weights = [abs(part.value.amount) for part in concerned]
    shares = shared(amount, weights if any(weights) else [Decimal(1)] * len(concerned)) if concerned else ()
    sign = -1 if amount.amount < 0 else 1
    adjustment = replace(
        line,
        line=max(each.line for each in draft.lines) + 1,
        description=f"{'Write-down' if sign < 0 else 'Write-up'} of line {of_line}: {reason}",
        quantity=Decimal(sign),
        unit="item",
        price=abs(amount.amount),
        net=amount,
        lots=(),
        allowances=(),
        base_quantity=Decimal(1),
        adjustment=Adjustment(
            of_line,
            reason,
            by,
            tuple(replace(part, value=share) for part, share in zip(concerned, shares, strict=True)),
        ),
    )
    return [
        Addressed(invoice_stream(invoice), AdjustLines((adjustment,), by)),
        *claims_of(read, invoice, draft.header, (*draft.lines, adjustment), only=(adjustment,)),
    ]


def _line_of_work(draft: Draft, number: int) -> InvoiceLine:
    line = draft.line(number)
    if not line.lots:
        raise NoWorkOnLine(f"Line {number} of {draft.invoice}: {line.description}.")
    return line


def state_allowances(
    read: Read,
    invoice: str,
    number: int | None,
    allowances: tuple[AllowanceCharge, ...],
    by: str,
    base_quantity: Decimal = Decimal(1),
) -> list[Addressed]:
    """The commands that state all allowances and charges of a line or of the document, and keep within the caps."""
    stated = Addressed(invoice_stream(invoice), StateAllowances(number, allowances, by, base_quantity))
    draft = draft_of(read, invoice)
    if number is None:
        return [stated]
    line = _line_of_work(draft, number)
    changed = with_allowances(line, allowances, base_quantity) if base_quantity > 0 else line
    lines = tuple(changed if each.line == number else each for each in draft.lines)
    return [stated, *claims_of(read, invoice, draft.header, lines, only=(changed,))]


def state_prepayments(read: Read, invoice: str, prepayments: tuple[Prepayment, ...]) -> list[Addressed]:
    """The command that states which money on account an invoice takes into account; there must be as much of it."""
    draft = draft_of(read, invoice)
    for each in prepayments:
        payment: Payment = read(payment_stream(each.payment))
        if payment.received is None:
            raise PaymentUnknown(each.payment)
        if payment.received.entity != draft.header.selling_entity:
            raise PaymentOfOtherEntity(f"{invoice} is of {draft.header.selling_entity}, {each.payment} is not.")
        if each.amount.currency != draft.header.currency or payment.on_account.currency != draft.header.currency:
            raise ReceiptCurrencyDiffers(f"{each.amount} of {payment.on_account} for {invoice}.")
        if payment.on_account < each.amount:
            raise AboveOnAccount(f"{each.amount} asked, {payment.on_account} on account.")
    return [Addressed(invoice_stream(invoice), StatePrepayments(prepayments))]


def draft_of(read: Read, invoice: str) -> Draft:
    """An invoice that may still change, or the refusal that says why not."""
    match invoice_of(read, invoice):
        case Draft() as draft:
            return draft
        case Nothing():
            raise InvoiceNotFound(invoice)
        case state:
            raise NotADraft(f"{invoice} is {type(state).__name__.lower()}.")


def discard_draft(read: Read, invoice: str, by: str, reason: str) -> list[Addressed]:
    """The commands that give up a draft and release all that it held."""
    discard = Addressed(invoice_stream(invoice), DiscardDraft(by, reason))
    state = invoice_of(read, invoice)
    if not isinstance(state, Draft):
        return [discard]
    releases = [Addressed(stream, ReleaseLots(lots, invoice)) for stream, lots in by_stream(state.lines).items()]
    header = state.header
    given_back = [Addressed(stream_of("engagement", name), ReleaseBilling(invoice)) for name in header.all_engagements]
    customers = dict.fromkeys(engagement_of(read, name).terms.customer for name in header.all_engagements)
    limits = [billing_limit_stream(customer, header.currency) for customer in customers]
    return [discard, *releases, *given_back, *(Addressed(limit, ReleaseLimit(invoice)) for limit in limits)]


def approve_invoice(read: Read, invoice: str, by: str, at: datetime) -> list[Addressed]:
    """The command that approves a draft, with the entity's limit in the draft's currency."""
    state = invoice_of(read, invoice)
    if not isinstance(state, Draft):
        return [Addressed(invoice_stream(invoice), ApproveInvoice(by, at, Money(Decimal(0), "EUR")))]
    header, day = state.header, at.date()
    limit = _entity_terms(read, header.selling_entity, day).approval_limit
    rate = fx_rate(read, limit.currency, header.currency, day)
    command = ApproveInvoice(by, at, converted(limit, header.currency, rate), _gross_of(read, state, day))
    return [Addressed(invoice_stream(invoice), command)]


def _gross_of(read: Read, draft: Draft, day: date) -> Money | None:
    """What a draft will ask for with its tax; None while that cannot be told, which issuing will refuse."""
    try:
        return preview(read, draft, day).gross
    except Refused:
        return None


def preview(read: Read, draft: Draft, issued_on: date, number: str = "") -> Document:
    """The document that a draft would become if it was issued on a day; nothing is recorded."""
    return document_of(issue_command(read, draft, number, issued_on), draft)


def previewed(
    read: Read, commands: Sequence[Addressed], invoices: Sequence[str], at: datetime, day: date
) -> list[Addressed]:
    """What would follow the commands if their drafts were approved and issued at once: never to be recorded."""
    result: list[Addressed] = []
    for invoice in invoices:
        stream, state = invoice_stream(invoice), invoice_of(read, invoice)
        for each in commands:
            if each.stream == stream:
                for event in decider.decide(each.command, state):
                    state = decider.evolve(state, event)
        if isinstance(state, Draft):
            result.append(Addressed(stream, ApproveInvoice("preview", at, state.net)))
            result.append(Addressed(stream, issue_command(read, state, "", day)))
        elif isinstance(state, Approved):
            result.append(Addressed(stream, issue_command(read, state.draft, "", day)))
    return result


def issue_invoice(read: Read, invoice: str, issued_on: date) -> list[Addressed]:
    """The commands that issue an approved invoice: its number, its snapshot, its lots, and what was paid before."""
    state = invoice_of(read, invoice)
    if isinstance(state, Issued):
        return []
    if not isinstance(state, Approved):
        raise InvoiceNotFound(invoice) if isinstance(state, Nothing) else NotApproved(invoice)
    draft, entity = state.draft, state.draft.header.selling_entity
    series_name = f"{_entity_terms(read, entity, issued_on).number_prefix}-{issued_on.year}"
    series = series_stream(entity, series_name)
    next_number: int = read(series).next
    number = f"{series_name}-{next_number:06d}"
    return [
        Addressed(series, TakeNumber(invoice, next_number)),
        Addressed(invoice_stream(invoice), issue_command(read, draft, number, issued_on)),
        *(Addressed(stream, BillLots(lots, invoice, number)) for stream, lots in by_stream(draft.lines).items()),
        *_prepayments(draft, issued_on),
        *_releases(draft, issued_on, number),
    ]


def _releases(draft: Draft, issued_on: date, number: str) -> list[Addressed]:
    """What a customer kept back of other invoices is released by the invoice that asks for it."""
    commands: list[Addressed] = []
    for line in draft.lines:
        if line.releases is not None:
            by, reason = draft.header.prepared_by, f"Invoice {number} asks for it."
            release = ReleaseHoldback(issued_on, issued_on, by, reason, line.net, draft.invoice)
            commands.append(Addressed(invoice_stream(line.releases), release))
    return commands


def _prepayments(draft: Draft, issued_on: date) -> list[Addressed]:
    """What was paid before settles the invoice as it is issued, from the customer's money on account."""
    commands: list[Addressed] = []
    for each in draft.prepayments:
        taken = TakePayment(each.payment, issued_on, each.amount, each.amount)
        applied = ApplyPayment(draft.invoice, issued_on, each.amount, each.amount)
        commands.append(Addressed(invoice_stream(draft.invoice), taken))
        commands.append(Addressed(payment_stream(each.payment), applied))
    return commands


def issue_command(read: Read, draft: Draft, number: str, issued_on: date) -> IssueInvoice:
    """The command that issues a draft under a number, with all that its document is a snapshot of."""
    header = draft.header
    seller = _entity_terms(read, header.selling_entity, issued_on)
    customer = customer_of(read, header.customer)
    if customer.bill_to is None:
        raise BillToMissing(f"{header.customer} {customer.name}.")
    decided: dict[tuple[str, date, bool], TaxDecision] = {}
    for line in draft.lines:
        if _taxed_like(line) not in decided:
            decided[_taxed_like(line)] = _tax_of(read, line, seller, customer, issued_on)
    taxes = {line.line: decided[_taxed_like(line)] for line in draft.lines}
    terms_days = customer.payment_terms_days if customer.payment_terms_days is not None else seller.payment_terms_days
    return IssueInvoice(
        number=number,
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=terms_days),
        seller=Party(header.selling_entity, seller.name, seller.address, seller.tax_id),
        buyer=Party(header.customer, customer.name, customer.bill_to, customer.tax_id),
        treatments={line: decision.treatments for line, decision in taxes.items()},
        functional_currency=seller.functional_currency,
        fx_rate=_agreed_rate(read, draft) or fx_rate(read, header.currency, seller.functional_currency, issued_on),
        rounding=next(iter(taxes.values())).rounding,
        bank=seller.bank,
    )


def _agreed_rate(read: Read, draft: Draft) -> Decimal | None:
    """The exchange rate that the contract fixes, where all its lines on the draft fix the same one."""
    header = draft.header
    lines = (
        engagement_of(read, header.engagement_of(line)).line_on(line.contract_line, line.last_work_date)
        for line in draft.lines
    )
    rates = {line.fixed_fx_rate if line else None for line in lines}
    return rates.pop() if len(rates) == 1 else None


def _taxed_like(line: InvoiceLine) -> tuple[str, date, bool]:
    """What the tax of a line depends on."""
    return (line.tax_category, line.last_work_date, line.releases is not None)


def _tax_of(
    read: Read, line: InvoiceLine, seller: LegalEntityTerms, customer: Customer, issued_on: date
) -> TaxDecision:
    """How a line is taxed, by the rules of the seller's country."""
    if line.releases:
        return TaxDecision((NOT_TAXED_AGAIN,))
    if customer.invalid_tax_id is not None:
        raise CustomerTaxIdInvalid(f"{customer.invalid_tax_id.tax_id}: {customer.invalid_tax_id.reason}")
    decided = decide_tax(
        seller,
        customer,
        tax_rules_of(read, seller.address.country),
        issued_on,
        taxed_as=TaxedAs.of(line.tax_category),
        supplied_on=line.last_work_date,
    )
    if isinstance(decided, TaxGap):
        raise TaxUndetermined(decided.what_to_do)
    return decided


def _entity_terms(read: Read, entity: str, day: date) -> LegalEntityTerms:
    terms = entity_of(read, entity).on(day)
    if terms is None:
        raise EntityNotDefined(f"{entity} on {day}.")
    return terms
