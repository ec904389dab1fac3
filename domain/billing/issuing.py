"""A draft is approved, shown as the document that it would become, and issued under its number, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from domain.billing.claims import by_stream
from domain.conversion import fx_rate
from domain.invoice import (
    Approved,
    ApproveInvoice,
    Document,
    Draft,
    InvoiceLine,
    InvoiceNotFound,
    Issued,
    IssueInvoice,
    NotApproved,
    Nothing,
    Party,
    ReleaseHoldback,
    TakePayment,
    decider,
    document_of,
    invoice_stream,
)
from domain.kernel import Addressed, Refused
from domain.lots import BillLots
from domain.money import Money
from domain.number_series import TakeNumber, series_stream
from domain.payment import ApplyPayment, payment_stream
from domain.ports import Read, customer_of, engagement_of, entity_of, invoice_of, tax_rules_of
from domain.reference.customer import Customer
from domain.reference.fx_rate import converted
from domain.reference.legal_entity import LegalEntityTerms
from domain.tax import TaxDecision, TaxedAs, TaxGap, TaxTreatment, decide_tax

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
    books_in = seller.functional_currency
    terms_days = customer.payment_terms_days if customer.payment_terms_days is not None else seller.payment_terms_days
    return IssueInvoice(
        number=number,
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=terms_days),
        seller=Party(header.selling_entity, seller.name, seller.address, seller.tax_id),
        buyer=Party(header.customer, customer.name, customer.bill_to, customer.tax_id),
        treatments={line: decision.treatments for line, decision in taxes.items()},
        functional_currency=books_in,
        fx_rate=_agreed_rate(read, draft, books_in) or fx_rate(read, header.currency, books_in, issued_on),
        rounding=next(iter(taxes.values())).rounding,
        bank=seller.bank,
    )


def _agreed_rate(read: Read, draft: Draft, functional_currency: str) -> Decimal | None:
    """The exchange rate that the contract fixes, where all its lines on the draft fix the same one."""
    header = draft.header
    if header.currency == functional_currency:
        return None
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
